"""What observations share: numbers read off the whiteboard and the scale on which they are shown."""

from __future__ import annotations

from typing import NamedTuple

STATE_ORDER = (2, 0, 1, 5, 3, 4)
"""Places of the six classes, which are numbered in action order, in the order of the paper's state vector."""

HORIZONS = (15, 30, 60)
"""Minutes ahead within which the rich observation counts appointments."""
OVERDUE_MIN = 30
"""A patient who has not arrived counts as overdue for this many minutes."""
LONGEST_SHOWN = 120
"""Waiting and elapsed times are capped at this many minutes."""
MANY = 20
"""Counts in rows are shown up to this many."""
HOUR = 60
"""Minutes that are scaled to 1."""


class ObservedNumber(NamedTuple):
    """One number of an observation.

    :param name: what it is
    :param scale: the number that is shown as 1
    :param most: the largest it can be
    """

    name: str
    scale: float
    most: float
