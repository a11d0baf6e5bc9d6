"""Mornings of a lab: who is there, who is in the book, what has been decided, and how the day goes once it opens."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config import GeneralLabConfig, as_general
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import REBOOKED, Day, Days, appointment_book, stack_days
from echo_env.lab.decisions.numbers import ObservedNumber
from echo_env.lab.policies.rule_action import compiled_rule, tiered_rule
from echo_env.lab.simulation.metrics import DayResults, day_results, joined_results
from echo_env.lab.simulation.penalty import UNITS
from echo_env.lab.simulation.simulator import simulate

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CROWDED_MIN = 60
"""How crowded the book is at an appointment: appointments in so many minutes from then on."""
MOST_LOAD = 5.0
"""Largest load shown."""


class Decided(NamedTuple):
    """What has been decided on B mornings.

    :param rebooked: (B, P) bool, whom the lab rebooks
    :param there: (B, S) bool, who comes: regular members who are not absent, and those who have been called
    """

    rebooked: Bools
    there: Bools


def lab_of_mornings(config: Lab) -> GeneralLabConfig:
    """A lab whose absence plan is to be decided in the morning: that of its file is left out.

    :param config: the lab
    """
    general = as_general(config)
    # An empty plan is one too: the lab knows the metric of who is rebooked.
    plans = {f"exam_types__{name}__rebook_when_absent": {1: ()} for name in general.exam_types}
    return general.replace(**plans)


def morning_numbers(config: GeneralLabConfig) -> list[ObservedNumber]:
    """What is observed of a morning, by group of staff, by exam type, and of the lab.

    :param config: the lab
    """
    groups = [
        ObservedNumber(f"{group.name}_{what}", 1, 1)
        for group in config.plan.staff_groups
        for what in ("present", "absent", "called")
    ]
    kinds = [
        ObservedNumber(f"{kind.name}_{what}", 1, MOST_LOAD if what == "load" else 1)
        for kind in config.plan.types
        for what in ("in_book", "load", "rebooked")
    ]
    return [*groups, *kinds, ObservedNumber("rebooked", 1, 1)]


class Mornings:
    """B mornings of a lab.

    Actions are 0 to K - 1, rebook one more patient of that exam type; K, call a member on call in; K + 1, open.

    :param config: of :func:`lab_of_mornings`
    :param count: how many, B
    :param policy: name of the rule by which exams begin, one that serves by class
    :param most_rebooked: so many patients are rebooked on one morning at most
    :raises ValueError: an unknown policy, or one that does not serve by class
    """

    def __init__(self, config: GeneralLabConfig, count: int, policy: str, most_rebooked: int) -> None:
        plan, book = config.plan, appointment_book(config.plan)
        self.config, self.most_rebooked = config, most_rebooked
        self.rule = tiered_rule(config, policy, "policy")
        self.compiled = importlib.util.find_spec("numba") is not None
        self.types, self._groups = len(plan.types), len(plan.staff_groups)
        self.actions = self.types + 2
        self._booked = ~book.unscheduled
        self._of_type = (book.exam_type == np.arange(self.types)[:, None]) & self._booked
        ahead = book.scheduled[None, :] - book.scheduled[:, None]
        self._soon = ((ahead >= 0) & (ahead < CROWDED_MIN) & self._booked).astype(np.int64)
        self._scheduled = book.scheduled
        can = np.array([group.can for group in plan.staff_groups])
        rooms = np.array([[group.can, group.count] for group in plan.room_groups])
        bits = np.arange(self.types)[:, None]
        self._staff_can = (can[plan.staff_group] >> bits & 1).astype(np.float64)
        self._rooms_for = ((rooms[:, 0] >> bits & 1) * rooms[:, 1]).sum(axis=1)
        self._expected, self._minutes = plan.expected_min, plan.closing_min
        self._in_group = (plan.staff_group == np.arange(self._groups)[:, None]).astype(np.int64)
        self._on_call, self._group = plan.on_call, plan.staff_group
        self.decided = Decided(
            np.zeros((count, len(book)), dtype=np.bool_), np.zeros((count, len(plan.staff_group)), dtype=np.bool_)
        )
        self._days: list[Day | None] = [None] * count

    def begin(self, which: Sequence[int], days: Sequence[Day]) -> None:
        """Begin mornings: nobody is rebooked, and nobody has been called.

        :param which: numbers of the mornings
        :param days: a day for each
        """
        for i, day in zip(which, days, strict=True):
            self._days[i] = day
            self.decided.rebooked[i] = False
            self.decided.there[i] = day.present & ~self._on_call

    def decide(self, which: int, action: int) -> None:
        """Rebook or call in.

        Of a type the appointment is rebooked from which on the book is most crowded: in the hour that it begins most
        patients of all types are booked who have not been rebooked. Of several it is the latest, and the first of those
        at one time. Called is the first who can be of the group in which most absent members are not replaced yet, the
        first of several groups.

        :param which: number of the morning
        :param action: a feasible one but the last
        """
        rebooked, there = self.decided.rebooked[which], self.decided.there[which]
        if action < self.types:
            left = self._of_type[action] & ~rebooked
            crowd = self._soon @ ~rebooked
            candidates = np.flatnonzero(left)
            order = np.lexsort((-candidates, self._scheduled[candidates], crowd[candidates]))
            rebooked[candidates[order[-1]]] = True
        else:
            missing = self._in_group @ (~there & ~self._on_call) - self._in_group @ (there & self._on_call)
            free = np.flatnonzero(~there & self._on_call)
            there[free[np.argmax(missing[self._group[free]])]] = True

    def counts(self) -> tuple[Ints, Ints]:
        """(B,) int64, how many patients have been rebooked, and how many members called in."""
        rebooked, there = self.decided
        return rebooked.sum(axis=1), (there & self._on_call).sum(axis=1)

    def masks(self) -> Bools:
        """(B, actions) bool, what is feasible."""
        rebooked, there = self.decided
        mask = np.ones((len(rebooked), self.actions), dtype=np.bool_)
        more = rebooked.sum(axis=1) < self.most_rebooked
        mask[:, : self.types] = (~rebooked).astype(np.int64) @ self._of_type.T > 0
        mask[:, : self.types] &= more[:, None]
        mask[:, self.types] = (~there & self._on_call).any(axis=1)
        return mask

    def observe(self) -> NDArray[np.float32]:
        """(B, numbers) float32, those of :func:`morning_numbers`."""
        rebooked, there = self.decided
        regular, called = there & ~self._on_call, there & self._on_call
        count, on_call = self._in_group @ ~self._on_call, self._in_group @ self._on_call
        present = regular @ self._in_group.T / np.maximum(count, 1)
        absent = (count - regular @ self._in_group.T) / np.maximum(count, 1)
        called_in = called @ self._in_group.T / np.maximum(on_call, 1)
        own = self._of_type.sum(axis=1)
        gone = rebooked.astype(np.int64) @ self._of_type.T
        capacity = self._minutes * np.minimum(there @ self._staff_can.T, self._rooms_for)
        load = np.minimum((own - gone) * self._expected / np.maximum(capacity, 1e-9), MOST_LOAD)
        groups = np.stack([present, absent, called_in], axis=2).reshape(len(there), -1)
        kinds = np.stack([(own - gone) / np.maximum(own, 1), load, gone / self.most_rebooked], axis=2)
        total = rebooked.sum(axis=1, keepdims=True) / self.most_rebooked
        return np.concatenate([groups, kinds.reshape(len(there), -1), total], axis=1).astype(np.float32)

    def rates(self, which: Sequence[int]) -> Floats:
        """(n,) the highest absence rate of a group on some mornings.

        :param which: numbers of the mornings
        """
        return np.array([np.max(self._day(i).absence_rate, initial=0.0) for i in which])

    def play(self, which: Sequence[int], planned: bool = True) -> DayResults:
        """What happens on the days of some mornings under the rule.

        :param which: numbers of the mornings
        :param planned: whether what was decided is done; if not, nobody is rebooked, and nobody on call comes
        """
        days = [self._decided_day(i) if planned else self._undecided_day(i) for i in which]
        rates = self.rates(which)
        if not self.compiled:
            results = joined_results([day_results(simulate(self.config, day, self.rule)) for day in days])
            return results._replace(absence_rate=rates)
        return self._play_compiled(stack_days(days), rates)

    def _play_compiled(self, days: Days, rates: Floats) -> DayResults:
        from echo_env.lab.compiled import batch

        count = len(days)
        labs = batch.make_labs(self.config, count)
        batch.begin_days(self.config, labs, np.arange(count), days)
        nothing = np.zeros((count, 0, UNITS), dtype=np.int64)
        batch.run_days(labs, batch.rules_of(self.config), compiled_rule(self.config, self.rule, "policy"), nothing)
        return batch.results_of(self.config, labs, np.arange(count), rates)

    def _day(self, which: int) -> Day:
        day = self._days[which]
        assert day is not None
        return day

    def _decided_day(self, which: int) -> Day:
        return _with(self._day(which), self.decided.there[which], self.decided.rebooked[which])

    def _undecided_day(self, which: int) -> Day:
        day = self._day(which)
        return _with(day, day.present & ~self._on_call, np.zeros(day.arrival.shape, dtype=np.bool_))


def _with(day: Day, there: Bools, rebooked: Bools) -> Day:
    """A day with other members of staff and other patients rebooked."""
    unplanned = day.arrival if day.unplanned_arrival is None else day.unplanned_arrival
    return replace(
        day,
        arrival=np.where(rebooked, REBOOKED, unplanned),
        absence_draw=there.astype(np.float64),
        absence_rate=0.5,
        on_call=np.zeros(there.shape, dtype=np.bool_),
        rebook_from=None,
        unplanned_arrival=None,
    )
