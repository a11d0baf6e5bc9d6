"""A day whose exam lengths belong to sonographers: the n-th exam of each takes so long, whoever is examined.

A policy that does not know how long an exam takes before it ends cannot tell such a day from one whose lengths belong
to patients: when an exam begins, its length is independent of all that the decision was based on, and of the law of
its kind, either way. So the law of what happens, and of the penalty, is the same under every such policy. A planner
who knows all lengths can no longer begin with the short exams, though: the next exam of a sonographer takes as long
whoever is next.

The lengths of a day are attached along the plan of ``fetal_first``: the n-th exam of a sonographer is as long as the
exam of the patient whom that sonographer examines n-th under this rule, and drawn anew if there is none. Drawn in this
order they are independent of each other, of arrivals and of breaks, so the law is that of attached lengths; and
``fetal_first`` pays the same penalty on both days, which makes comparisons with it precise.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.bounds.attached_paths import FETAL, OTHER, Attached, Costs, Shares, solve_day
from echo_env.lab.bounds.paths import Relaxed
from echo_env.lab.bounds.rates import Rates
from echo_env.lab.config import ExamLaw, LabConfig
from echo_env.lab.day import Day, whole_minutes
from echo_env.lab.day.laws import duration_probability, exam_minutes
from echo_env.lab.simulation.breaks import break_thresholds, breaks_taken, expected_break
from echo_env.lab.simulation.trace import Trace
from echo_env.lab.simulation.waiting_cost import waiting_points

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_STREAM = 2
"""Second word of the seed of lengths that are drawn anew."""


def attach(config: LabConfig, day: Day, trace: Trace) -> Attached:
    """The lengths and breaks of a day, by sonographer and number of the exam.

    :param config: the lab
    :param day: its random draws
    :param trace: the day under a policy that does not know lengths in advance, whose plan they are attached along
    :return: of S sonographers present, who begin as many exams at most as patients arrive
    """
    present, most = np.flatnonzero(day.present), int((day.arrival >= 0).sum())
    rng = np.random.default_rng([day.policy_seed, _STREAM])
    laws = tuple(config.exam.law_of(fetal=kind == FETAL) for kind in (FETAL, OTHER))
    draws, within = rng.random((2, len(present), most))
    length = np.stack([whole_minutes(exam_minutes(law, draws)) for law in laws], axis=-1)
    minutes, row, begun = day.exam_whole_min, np.cumsum(day.present) - 1, np.zeros(len(present), dtype=np.int64)
    for exam in sorted(trace.exams, key=lambda exam: exam.start_min):
        s, kind, own = row[exam.sonographer], int(day.exam_type[exam.patient]), int(minutes[exam.patient])
        n, begun[s] = begun[s], begun[s] + 1
        length[s, n, kind] = own
        length[s, n, 1 - kind] = _as_other_kind(laws[kind], laws[1 - kind], own, within[s, n])
    pause, expected = _breaks(config, day.break_draw[present][:, :most])
    expected_length = np.stack([expected_minutes(law, config.hours.end_min) for law in laws])
    return Attached(present < config.sonographers.fetal, length, pause, expected, expected_length)


def _as_other_kind(law: ExamLaw, other: ExamLaw, minutes: int, within: float) -> int:
    """How long an exam of another kind takes by the same uniform number, of which only whole minutes are known."""
    if law == other:
        return minutes
    below, above = duration_probability(law, [minutes - 1 if minutes > 1 else 0, minutes])
    return int(whole_minutes(exam_minutes(other, np.array([below + within * (above - below)])))[0])


def _breaks(config: LabConfig, draws: Floats) -> tuple[Ints, Floats]:
    """Minutes of break after each exam, (S, N), and what was to be expected given the breaks before."""
    law = config.breaks
    thresholds = break_thresholds(law).tolist()
    pause, expected = np.zeros(draws.shape, dtype=np.int64), np.zeros(draws.shape)
    for s, own in enumerate(draws.tolist()):
        left = law.number
        for n, draw in enumerate(own):
            expected[s, n] = expected_break(law, left)
            taken = breaks_taken(left, draw, thresholds)
            pause[s, n], left = taken * law.minutes, left - taken
    return pause, expected


def expected_minutes(law: ExamLaw, minutes: int) -> Floats:
    """(T,) float64, mean whole minutes of an exam begun in each minute, up to the end of the day.

    :param law: of its length
    :param minutes: minutes of the day, T
    """
    longest = max(math.ceil(law.longest_min), 1)
    at_most = duration_probability(law, np.arange(longest + 1))
    # Exams take whole minutes, at least one.
    at_most[0] = 0.0
    left = (minutes - np.arange(minutes))[:, None]
    expected: Floats = np.minimum(np.arange(1, longest + 1), left) @ np.diff(at_most)
    return expected


class AttachedProblem:
    """The relaxed day with attached lengths, all of them known: n patients who arrive, T minutes.

    Costs and limits are those of :class:`~echo_env.lab.bounds.paths.PathProblem`. Charges of mean 0 may be added: for
    the minutes by which exams and breaks are longer than expected.

    :param config: the lab
    :param day: its random draws
    :param attached: its lengths and breaks
    :param rates: of the charges; nothing is charged by default
    """

    def __init__(self, config: LabConfig, day: Day, attached: Attached, rates: Rates | None = None) -> None:
        comes = np.flatnonzero(day.arrival >= 0)
        self.minutes, self.patients, staff = config.hours.end_min, len(comes), len(attached.capable)
        self._rooms, self._rooms_fetal = config.rooms.total, config.rooms.fetal
        self._kind, self._arrival = day.exam_type[comes].astype(np.int64), day.arrival[comes].astype(np.int64)
        paid = waiting_points(config, day.scheduled[comes], self._arrival)
        self._idle = config.penalty.idle if config.penalty.idle_rule == "every_pair" else 0.0
        pairs = min(self._rooms, staff)
        self._nobody_served = float(paid[:, -1].sum() + self._idle * pairs * self.minutes)
        self.gain: Floats = paid[:, :-1] - paid[:, -1:]
        """(n, T) float64, points that an exam beginning in a minute adds to the cost."""
        self._rest = -self._idle * pairs / max(staff, 1)
        self._attached = attached
        self._rates = Rates.none(self.minutes) if rates is None else rates
        tight = (True, int(attached.capable.sum()) > self._rooms_fetal, staff > self._rooms)
        self.limits: Bools = np.repeat(tight, (self.patients, self.minutes, self.minutes))
        """(n + 2 T,) bool, limits that could be exceeded at all: patients, fetal-capable rooms, rooms."""

    def solve(self, prices: Floats, tau: float = 0.0) -> Relaxed:
        """The cheapest days of all sonographers: a lower bound at any prices and temperature.

        :param prices: (n + 2 T,) float64, nonnegative: points for an exam of each patient, for each minute of a
            fetal-capable room, for each minute of a room
        :param tau: temperature of soft minima, points; 0 for exact ones, which give the larger bound
        """
        once, fetal_room, room = np.split(prices, [self.patients, self.patients + self.minutes])
        busy = np.zeros((2, self.minutes + 1))
        np.cumsum(np.stack([room + fetal_room, room]) - self._idle, axis=1, out=busy[:, 1:])
        costs = Costs(self.gain + once[:, None], busy, self._rest, self._rates.length, self._rates.pause)
        shares = Shares(np.zeros((self.patients, self.minutes)), np.zeros((2, self.minutes)))
        value = solve_day(costs, self._attached, self._kind, self._arrival, tau, shares)
        value += self._nobody_served - once.sum()
        value -= self._rooms_fetal * fetal_room.sum() + self._rooms * room.sum()
        used = (shares.start.sum(axis=1) - 1, shares.busy[FETAL] - self._rooms_fetal)
        return Relaxed(float(value), np.concatenate([*used, shares.busy.sum(axis=0) - self._rooms]))
