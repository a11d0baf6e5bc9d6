"""Which uniform numbers a day is made of, and whom each belongs to."""

from __future__ import annotations

from enum import IntEnum
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config.plan import LabPlan
from echo_env.lab.day.book import Book, appointment_book, most_exams
from echo_env.lab.day.uniforms import further, hashed, purpose, uniforms

Floats = NDArray[np.float64]
Words = NDArray[np.uint64]


class _Of(IntEnum):
    """Whom a number belongs to: the first part of its purpose.

    The next parts are the exam type and the place in its list; the type, the first minute of the hour, and the place;
    or the group and the place in it.
    """

    POLICY = 0
    APPOINTMENT = 1
    HOUR = 2
    UNSCHEDULED = 3
    STAFF = 4
    ON_CALL = 5


class _For(IntEnum):
    """What a number of a patient or of a member of staff is for: the last part of its purpose."""

    SHOW = 0
    SIDE = 1
    OFFSET = 2
    EXAM = 3
    PREPARATION = 4
    ABSENCE = 5
    # The break after the n-th exam has n as a further part.
    BREAK = 6


class Numbers(NamedTuple):
    """Uniform numbers of n days, float64.

    :param show: (n, P), whether a patient comes
    :param side: (n, P), early or late
    :param offset: (n, P), by how much; of an unscheduled patient which minute of the hour
    :param exam: (n, P), length of the exam
    :param preparation: (n, P), length of the preparation; (n, 0) if nobody is prepared
    :param absence: (n, S), whether a member of staff is absent
    :param breaks: (n, S, N), breaks after the exams of a member, of which there are N at most
    :param hours: (n, H), how many come in each hour in which patients come without an appointment
    """

    show: Floats
    side: Floats
    offset: Floats
    exam: Floats
    preparation: Floats
    absence: Floats
    breaks: Floats
    hours: Floats


class DayNumbers:
    """Makes the uniform numbers of days of a lab.

    :param plan: of the lab
    """

    def __init__(self, plan: LabPlan) -> None:
        book = appointment_book(plan)
        patient, staff = _patient_identities(book), _staff_identities(plan)
        self._exams = most_exams(plan)
        prepared = any(kind.preparation is not None for kind in plan.types)
        # Who has no breaks by chance needs no numbers for them.
        by_chance = np.array([group.breaks.number for group in plan.staff_groups])[plan.staff_group] > 0
        self._staff, self._breaking = len(staff), np.flatnonzero(by_chance)
        breaks = further(staff[self._breaking], _For.BREAK)
        kinds = [
            *(further(patient, use) for use in (_For.SHOW, _For.SIDE, _For.OFFSET, _For.EXAM)),
            further(patient, _For.PREPARATION) if prepared else patient[:0],
            further(staff, _For.ABSENCE),
            further(breaks[:, None], np.arange(self._exams)).ravel(),
            *(purpose(_Of.HOUR, hour.exam_type, hour.begin) for hour in book.hours),
        ]
        self._purposes = np.concatenate(kinds)
        self._ends = np.cumsum([0, *(len(kind) for kind in kinds[:7])]).tolist()

    def __call__(self, keys: Words) -> Numbers:
        """Numbers of the days of some keys; nobody else holds the arrays.

        :param keys: (n,) uint64
        """
        numbers = uniforms(keys, self._purposes)
        show, side, offset, exam, preparation, absence, breaks = (
            numbers[:, begin:end] for begin, end in pairwise(self._ends)
        )
        drawn = breaks.reshape(len(keys), len(self._breaking), self._exams)
        hours = numbers[:, self._ends[-1] :]
        return Numbers(show, side, offset, exam, preparation, absence, self._of_everybody(drawn), hours)

    def _of_everybody(self, breaks: Floats) -> Floats:
        """Numbers for breaks of all members of staff: 1, which is no break, for those who have none by chance."""
        if len(self._breaking) == self._staff:
            return breaks
        every = np.ones((len(breaks), self._staff, self._exams))
        every[:, self._breaking] = breaks
        return every


def policy_seeds(keys: Words) -> list[int]:
    """Seeds that days give to randomised policies.

    :param keys: (n,) uint64, of the days
    """
    seeds: list[int] = (hashed(keys, _POLICY)[:, 0] >> np.uint64(1)).tolist()
    return seeds


_POLICY = purpose(_Of.POLICY)


def _patient_identities(book: Book) -> Words:
    """(P,) who each patient is: by type and place, and by hour for those without an appointment."""
    who = purpose(_Of.APPOINTMENT, book.exam_type, book.place)
    for hour in book.hours:
        columns = slice(hour.first, hour.first + hour.most)
        who[columns] = purpose(_Of.UNSCHEDULED, hour.exam_type, hour.begin, book.place[columns])
    return who


def _staff_identities(plan: LabPlan) -> Words:
    """(S,) who each member is: by group, and by place among its regular members or those on call."""
    groups = [
        purpose(who, number, np.arange(count))
        for number, group in enumerate(plan.staff_groups)
        for who, count in ((_Of.STAFF, group.count), (_Of.ON_CALL, group.on_call))
    ]
    return np.concatenate(groups)
