"""Drawing days: uniform numbers by identity, turned into minutes by the laws of the lab.

This module is the only user of randomness in the lab. Every patient and every member of staff has numbers of their own
(see :mod:`~echo_env.lab.day.uniforms`), and inverse distribution functions turn these into minutes. So moving, adding
or removing an appointment, a room or a member of staff leaves the luck of everybody else as it was, and changing a law
moves the quantities that it governs alone (common random numbers).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config.lab import Lab
from echo_env.lab.config.plan import NEVER, LabPlan
from echo_env.lab.day.book import Hour, appointment_book
from echo_env.lab.day.day import NO_SHOW, NOBODY, TURNED_AWAY, Day, Days, with_rebooking
from echo_env.lab.day.laws import arrival_offsets
from echo_env.lab.day.numbers import DayNumbers, Numbers, policy_seeds
from echo_env.lab.day.thresholds import MinuteTable, minute_table
from echo_env.lab.day.uniforms import day_keys

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Words = NDArray[np.uint64]
Columns = slice | Ints
Law = TypeVar("Law")
Kind = TypeVar("Kind", bound=np.generic)

_HOUR_MIN = 60
_DRAWERS = 32


def sample_day(config: Lab, rng: np.random.Generator) -> Day:
    """Draw one day.

    :param config: the lab
    :param rng: generator, moved on by one day; every day of any lab takes one number of it
    """
    return draw_days(config, [rng])[0]


def sample_days(config: Lab, count: int, seed: int, first: int = 0) -> Days:
    """Days ``first`` to ``first + count - 1`` of an evaluation with ``seed``.

    Day k is the same day whatever ``first`` and ``count`` are, and is no day of an ``env.reset(seed=...)``, whatever
    the seeds: evaluation days are never training days.

    :param config: the lab
    :param count: how many
    :param seed: of the evaluation, not negative
    :param first: number of the first one
    """
    return _drawer(config.plan)(day_keys(seed, first, count))


def draw_days(config: Lab, rngs: Sequence[np.random.Generator]) -> Days:
    """Draw a day from each of several generators.

    :param config: the lab
    :param rngs: generators, each moved on by one day
    """
    keys = [rng.integers(2**64, dtype=np.uint64) for rng in rngs]
    return _drawer(config.plan)(np.array(keys, dtype=np.uint64))


@lru_cache(maxsize=_DRAWERS)
def _drawer(plan: LabPlan) -> _Drawer:
    """What all days of a lab share."""
    return _Drawer(plan)


class _Drawer:
    """Draws the days of a lab.

    :param plan: of the lab
    """

    def __init__(self, plan: LabPlan) -> None:
        book = self._book = appointment_book(plan)
        self._closing = plan.closing_min
        self._on_call, self._staff_group = _frozen(plan.on_call), _frozen(plan.staff_group)
        # Of these members absence is not decided by chance.
        self._sure = np.flatnonzero(plan.never_absent | plan.on_call)
        self._absence_rate = _absence_rate(plan)
        leads = np.array([kind.check_in_lead_min for kind in plan.types], dtype=np.int64)
        # The expected check-in; unscheduled patients get their minute later.
        self._due = book.scheduled - leads[book.exam_type]
        booked = ~book.unscheduled
        self._arrivals = _by_law([kind.arrival for kind in plan.types], book.exam_type, booked)
        self._exams = [
            (minute_table(law, 1), columns)
            for law, columns in _by_law([kind.exam for kind in plan.types], book.exam_type)
        ]
        self._preparations = [
            (minute_table(law), columns)
            for law, columns in _by_law([kind.preparation for kind in plan.types], book.exam_type)
        ]
        self._numbers = DayNumbers(plan)
        self._rebook_from = _rebook_from(plan)

    def __call__(self, keys: Words) -> Days:
        """Draw a day of each key.

        :param keys: (n,) uint64
        """
        numbers = self._numbers(keys)
        numbers.absence[:, self._sure] = 1.0
        scheduled, arrival = self._book.scheduled, self._arrival_minutes(numbers)
        if self._book.hours:
            scheduled = np.repeat(scheduled[None], len(keys), axis=0)
            for hour, count in zip(self._book.hours, numbers.hours.T, strict=True):
                self._let_come(hour, count, numbers.offset, scheduled, arrival)
        days = Days(
            scheduled=scheduled,
            exam_type=self._book.exam_type,
            arrival=arrival,
            exam_min=_by_column(self._exams, numbers.exam, arrival.shape),
            prep_min=_by_column(self._preparations, numbers.preparation, arrival.shape),
            unscheduled=self._book.unscheduled,
            absence_draw=numbers.absence,
            break_draw=numbers.breaks,
            absence_rate=self._absence_rate,
            on_call=self._on_call,
            staff_group=self._staff_group,
            policy_seed=policy_seeds(keys),
        )
        if self._rebook_from is None:
            return days
        return with_rebooking(replace(days, rebook_from=self._rebook_from, unplanned_arrival=arrival))

    def _arrival_minutes(self, numbers: Numbers) -> Ints:
        """Arrival minutes of patients with an appointment, (n, P) (section 3.2)."""
        minute = np.zeros(numbers.show.shape, dtype=np.int64)
        for law, columns in self._arrivals:
            show, side, offset = (part[:, columns] for part in (numbers.show, numbers.side, numbers.offset))
            came = np.ceil(self._due[columns] + arrival_offsets(law, side, offset))
            np.maximum(came, 0, out=came)
            came[came > self._closing] = TURNED_AWAY
            came[show < law.no_show_rate] = NO_SHOW
            minute[:, columns] = came
        return minute

    def _let_come(self, hour: Hour, count: Floats, place: Floats, scheduled: Ints, arrival: Ints) -> None:
        """Fill in the minutes of those who come in an hour without an appointment.

        :param count: (n,) draws, for how many come
        :param place: (n, P) draws, for the minute of each
        :param scheduled: (n, P)
        :param arrival: (n, P)
        """
        columns = slice(hour.first, hour.first + hour.most)
        comes = np.arange(hour.most) < np.searchsorted(hour.at_most, count)[:, None]
        minute = np.maximum(hour.begin + (place[:, columns] * _HOUR_MIN).astype(np.int64), 0)
        scheduled[:, columns] = np.where(comes, minute, -1)
        arrival[:, columns] = np.where(comes, np.where(minute > self._closing, TURNED_AWAY, minute), NOBODY)


def _absence_rate(plan: LabPlan) -> float | Floats:
    """One rate if it is the same in all groups that have regular members, else that of each member."""
    rates = {group.absence_rate for group in plan.staff_groups if group.count}
    return rates.pop() if len(rates) == 1 else _frozen(plan.absence_rates)


def _rebook_from(plan: LabPlan) -> Ints | None:
    """(P,) how many must be absent for each patient of the book to be rebooked; None without an absence plan."""
    if not plan.rebooks:
        return None
    book = appointment_book(plan)
    thresholds = np.full(len(book), NEVER)
    for kind, own in enumerate(plan.types):
        if own.rebook_from:
            columns = np.flatnonzero((book.exam_type == kind) & ~book.unscheduled)
            # Patients whom a proposal adds to the book are behind those of the plan.
            known = columns[book.place[columns] < len(own.rebook_from)]
            thresholds[known] = np.array(own.rebook_from)[book.place[known]]
    return _frozen(thresholds)


def _by_law(laws: Sequence[Law | None], exam_type: Ints, whose: Bools | None = None) -> list[tuple[Law, Columns]]:
    """Each law with the columns of the patients who follow it.

    :param laws: of each exam type, None without one
    :param exam_type: (P,)
    :param whose: (P,) bool, whom they concern
    """
    found = []
    for law in dict.fromkeys(laws):
        if law is not None:
            follows = np.isin(exam_type, [kind for kind, own in enumerate(laws) if own == law])
            if whose is not None:
                follows &= whose
            # Of all columns a slice is a view.
            found.append((law, slice(None) if follows.all() else np.flatnonzero(follows)))
    return found


def _by_column(tables: Sequence[tuple[MinuteTable, Columns]], draws: Floats, shape: tuple[int, ...]) -> Ints:
    """Whole minutes, (n, P), from as many draws; 0 for patients without a law.

    :param shape: (n, P)
    """
    if len(tables) == 1 and isinstance(tables[0][1], slice):
        return tables[0][0](draws)
    minutes = np.zeros(shape, dtype=np.int64)
    for table, columns in tables:
        minutes[:, columns] = table(draws[:, columns])
    return minutes


def _frozen(array: NDArray[Kind]) -> NDArray[Kind]:
    """A copy that cannot be written to: days share it."""
    copy = array.copy()
    copy.flags.writeable = False
    return copy
