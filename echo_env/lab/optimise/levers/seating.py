"""Times for the patients of a book, when only so many may come at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

_SHUT = 1e9
"""Cost of a time that a patient may not have; above that of any book."""


def seated(wanted: Sequence[int], allowed: Sequence[Sequence[int]], at_once: int) -> tuple[int, ...] | None:
    """Times as near to the wanted ones as possible, with no more than ``at_once`` patients at any of them.

    The sum of the minutes between wanted and given times is as small as can be, and of books that are equal in that,
    one with the fewest patients moved is taken: an assignment of patients to places at times.

    :param wanted: (P,) time of each patient
    :param allowed: (P,) times that each may have
    :param at_once: patients at one time, at least 1
    :return: (P,) a time for each patient, or None if the book cannot hold them all
    """
    times = sorted({minute for own in allowed for minute in own})
    column = {minute: number for number, minute in enumerate(times)}
    cost = np.full((len(wanted), len(times)), _SHUT)
    for patient, (minute, own) in enumerate(zip(wanted, allowed, strict=True)):
        for other in own:
            cost[patient, column[other]] = abs(other - minute) + (other != minute) / (len(wanted) + 1)
    places = np.repeat(cost, at_once, axis=1)
    if places.shape[1] < len(wanted):
        return None
    patients, taken = linear_sum_assignment(places)
    if (places[patients, taken] >= _SHUT).any():
        return None
    return tuple(times[place // at_once] for place in taken.tolist())
