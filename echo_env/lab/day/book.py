"""Who may come on a day: patients with an appointment, and as many without one as may come."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from echo_env.lab.config.plan import LabPlan

Ints = NDArray[np.int64]

MOST_LIKELY = 1 - 1e-9
"""Numbers of unscheduled patients are truncated at this quantile, so that a day has room for all of them."""

_BOOKS = 256


class Hour(NamedTuple):
    """Unscheduled patients of a type in an hour.

    :param exam_type: their type
    :param begin: first minute of the hour, since opening
    :param first: number of the first of them; the others follow
    :param at_most: (most + 1,) float64, probability that at most 0, 1, ... of them come, up to 1
    """

    exam_type: int
    begin: int
    first: int
    at_most: NDArray[np.float64]

    @property
    def most(self) -> int:
        """How many may come."""
        return len(self.at_most) - 1


@dataclass(frozen=True, eq=False)
class Book:
    """The patients of every day of a lab, numbered from 0.

    Those with an appointment come first, by its minute and then by type; then those who may come without one, by type,
    hour and place.

    :param scheduled: (P,) int64, appointment, minutes since opening, -1 for who has none
    :param exam_type: (P,) int64
    :param place: (P,) int64, place in the list of the type's appointments, or among those of the hour: with type and
        hour it says who a patient is, whatever else is in the book
    :param unscheduled: (P,) bool, who has no appointment
    :param hours: hours in which patients may come without an appointment
    """

    scheduled: Ints
    exam_type: Ints
    place: Ints
    unscheduled: NDArray[np.bool_]
    hours: tuple[Hour, ...]

    def __len__(self) -> int:
        return len(self.scheduled)


@lru_cache(maxsize=_BOOKS)
def appointment_book(plan: LabPlan) -> Book:
    """The patients of every day of a lab; its arrays cannot be written to.

    :param plan: of the lab
    """
    lines = sorted(
        (minute, kind, place)
        for kind, of_type in enumerate(plan.types)
        for place, minute in enumerate(of_type.scheduled)
        if minute is not None
    )
    hours: list[Hour] = []
    count = len(lines)
    for kind, of_type in enumerate(plan.types):
        for begin, mean in of_type.unscheduled:
            hours.append(Hour(kind, begin, count, _at_most(mean)))
            lines += [(-1, kind, place) for place in range(hours[-1].most)]
            count = len(lines)
    columns = np.array(lines, dtype=np.int64).reshape(-1, 3).T.copy()
    unscheduled = columns[0] < 0
    for array in (columns, unscheduled, *(hour.at_most for hour in hours)):
        array.flags.writeable = False
    scheduled, exam_type, place = columns
    return Book(scheduled, exam_type, place, unscheduled, tuple(hours))


def most_exams(plan: LabPlan) -> int:
    """How many exams a member of staff may begin in a day: exams take a minute at least.

    :param plan: of the lab
    """
    return min(len(appointment_book(plan)), plan.end_min)


def _at_most(mean: float) -> NDArray[np.float64]:
    """Distribution function of a Poisson number, up to the quantile at which it is truncated."""
    numbers = np.arange(int(mean + 12 * np.sqrt(mean) + 24))
    at_most = np.asarray(scipy.special.pdtr(numbers, mean))
    most = int(np.searchsorted(at_most, MOST_LIKELY))
    return np.append(at_most[:most], 1.0)
