"""Joint actions: how many patients of each class begin an exam now (section 5.2).

An action is six digits in base 3, [A_ft, A_fl, A_fe, A_nt, A_nl, A_ne], the first one worth most: 729 in
all. Digit c says how many patients of :class:`~echo_env.lab.simulation.patient.PatientClass` c begin, 0 to 2, those
who have waited longest. Fetal patients are allocated first.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.simulation.allocation import assign
from echo_env.lab.simulation.patient import PatientClass, Start
from echo_env.lab.simulation.simulator import Simulator
from echo_env.lab.simulation.view import LabView

MOST_PER_CLASS = 2
CLASSES = len(PatientClass)
ACTIONS = (MOST_PER_CLASS + 1) ** CLASSES

PLACE_VALUES = (MOST_PER_CLASS + 1) ** np.arange(CLASSES - 1, -1, -1)
"""(6,) what a digit is worth."""
DIGITS: NDArray[np.int64] = np.arange(ACTIONS)[:, None] // PLACE_VALUES % (MOST_PER_CLASS + 1)
"""(729, 6) the digits of each action."""
_FETAL = DIGITS[:, :3].sum(axis=1)
_ALL = DIGITS.sum(axis=1)


class Offer(NamedTuple):
    """The feasible joint actions in a state.

    :param mask: (729,) bool, read-only
    :param size: how many there are
    :param first: the lowest of them; the only one if ``size`` is 1
    """

    mask: NDArray[np.bool_]
    size: int
    first: int


def encode(digits: Sequence[int]) -> int:
    """Six digits -> action.

    >>> encode((0, 0, 0, 0, 0, 2))
    2
    """
    return int(np.dot(digits, PLACE_VALUES))


def decode(action: int) -> tuple[int, ...]:
    """Action -> six digits.

    >>> decode(728)
    (2, 2, 2, 2, 2, 2)
    """
    return tuple(DIGITS[action].tolist())


def feasible(waiting: Sequence[int], free: Sequence[int], idling: bool) -> Offer:
    """Feasible joint actions.

    :param waiting: patients waiting, by class
    :param free: free rooms (non-fetal, fetal-capable), then free sonographers (the same)
    :param idling: all of them if True; if False only those to which no further start could be added
    """
    return _offered(waiting, min(free[1], free[3]), min(free[0] + free[1], free[2] + free[3]), idling)


def _offered(waiting: Sequence[int], pairs_f: int, pairs: int, idling: bool) -> Offer:
    # Fetal exams are bound by fetal-capable rooms and sonographers, all exams by all of them. More than
    # six of the one or twelve of the other bind nothing, so few different states remain.
    most = tuple(min(count, MOST_PER_CLASS) for count in waiting)
    return _feasible(most, min(pairs_f, 3 * MOST_PER_CLASS), min(pairs, CLASSES * MOST_PER_CLASS), idling)


@lru_cache(maxsize=8192)
def _feasible(most: tuple[int, ...], pairs_f: int, pairs: int, idling: bool) -> Offer:
    mask = (DIGITS <= most).all(axis=1) & (_FETAL <= pairs_f) & (_ALL <= pairs)
    if not idling:
        everything = mask.copy()
        for place, value in enumerate(PLACE_VALUES):
            grown = np.flatnonzero(everything & (DIGITS[:, place] < MOST_PER_CLASS))
            mask[grown] &= ~everything[grown + value]
    mask.flags.writeable = False
    return Offer(mask, int(mask.sum()), int(mask.argmax()))


def offered_now(view: LabView, idling: bool) -> Offer:
    """Feasible joint actions in a lab of two nested exam types: see :func:`feasible`.

    :param view: the lab
    :param idling: as there
    """
    left = view.starts_left()
    return _offered(view.waiting_counts, left[0b01], left[0b11], idling)


def decode_starts(action: int, view: LabView) -> list[Start]:
    """The starts that a joint action stands for, fetal claims first.

    :param action: 0 to 728
    :param view: the lab
    :return: one per patient; fewer than the digits ask for if the action is not feasible
    """
    digits = decode(action)
    return assign(view, [entry for kind in range(CLASSES) for entry in view.waiting(kind)[: digits[kind]]])


class JointActions:
    """The action space ``joint``: Discrete(729), for labs of two nested exam types."""

    name = "joint"
    size = ACTIONS

    def offered(self, view: LabView, idling: bool) -> Offer:
        """The feasible actions now; see :func:`feasible`."""
        return offered_now(view, idling)

    def none(self) -> Offer:
        """Nothing but the no-op, for the end of a day."""
        return _offered((0,) * CLASSES, 0, 0, True)

    def carry_out(self, action: int, lab: Simulator) -> bool:
        """Begin the exams of an action.

        :param action: a feasible one
        :param lab: the day being played
        :return: True: the decision of this minute is complete, and time is to pass
        """
        if action:
            lab.start(decode_starts(action, lab.view))
        return True

    def nearest(self, action: int, mask: NDArray[np.bool_]) -> int:
        """See :func:`nearest_feasible`."""
        return nearest_feasible(action, mask)

    def describe(self, action: int) -> str:
        """An action with its digits, for messages."""
        return f"{action} = {decode(action)}"


def nearest_feasible(action: int, mask: np.ndarray) -> int:
    """The feasible joint action that differs from ``action`` by the fewest starts; ties go to the lowest.

    :param action: 0 to 728
    :param mask: (729,) bool, at least one True
    """
    if mask[action]:
        return action
    allowed = np.flatnonzero(mask)
    return int(allowed[np.abs(DIGITS[allowed] - DIGITS[action]).sum(axis=1).argmin()])
