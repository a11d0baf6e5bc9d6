"""The Lagrangian relaxation behind the bounds: the cheapest day of each sonographer at given prices.

A clairvoyant plan is a schedule for each sonographer: which patients, when, with the breaks that follow the exams.
Three kinds of limits couple the schedules: one exam a patient, the fetal-capable rooms, and all rooms. Relaxed, they
are priced instead, so that the cheapest schedule of each sonographer is found separately and exactly, by dynamic
programming over the minute and the number of exams done, as far as that number still decides about a break.

Needs numba.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.jit import njit
from echo_env.lab.config import LabConfig
from echo_env.lab.day import Day
from echo_env.lab.simulation.breaks import break_thresholds, breaks_taken
from echo_env.lab.simulation.waiting_cost import waiting_points

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Relaxed(NamedTuple):
    """Solution of the relaxation at given prices.

    :param value: a lower bound on the cost of every plan, points
    :param excess: (n + 2 T,) float64, excess over each limit, a supergradient of the value
    """

    value: float
    excess: Floats


class PathProblem:
    """A day with perfect information: n patients who arrive, S sonographers present, T minutes.

    The cost of a plan is that of serving nobody, plus the change that each exam makes: the waiting it saves and, under
    ``every_pair``, the idle term of the pair that it keeps busy. With m the lesser of rooms and sonographers, the idle
    pairs are at least m less the busy ones and less m / S for each sonographer on break, with equality where there
    are no more sonographers than rooms. The idle term of ``while_waiting`` is left out, which only lowers the cost.

    :param config: the lab
    :param day: its random draws, all of them known
    """

    def __init__(self, config: LabConfig, day: Day) -> None:
        comes, present = np.flatnonzero(day.arrival >= 0), np.flatnonzero(day.present)
        self.minutes, self.patients = config.hours.end_min, len(comes)
        self.rooms, self.rooms_fetal = config.rooms.total, config.rooms.fetal
        self.fetal: Bools = day.fetal[comes]
        self.capable: Bools = present < config.sonographers.fetal
        self._arrival, self._exam_min = day.arrival[comes], day.exam_whole_min[comes]
        self._breaks, self._last = _break_minutes(config, day, present)
        paid = waiting_points(config, day.scheduled[comes], self._arrival)
        self._idle = config.penalty.idle if config.penalty.idle_rule == "every_pair" else 0.0
        pairs = min(self.rooms, len(present))
        self.nobody_served = float(paid[:, -1].sum() + self._idle * pairs * self.minutes)
        self.gain: Floats = paid[:, :-1] - paid[:, -1:]
        """(n, T) float64, points that an exam beginning in a minute adds to the cost; charges may be added."""
        self.start = np.arange(self.minutes)
        self.end: Ints = np.minimum(self.start + self._exam_min[:, None], self.minutes)
        """(n, T) int64, when an exam that begins in a minute ends, at most T."""
        self._break_price = self._idle * pairs / max(len(present), 1)
        staff, states = self._breaks.shape
        self.value: Floats = np.zeros((staff, self.minutes + 1, states))
        """(S, T + 1, states) float64, cost-to-go of each sonographer's day at the last prices, points."""
        self._choice: Ints = np.zeros((staff, self.minutes, states), dtype=np.int64)

    @property
    def limits(self) -> Bools:
        """(n + 2 T,) bool, limits that could be exceeded at all: patients, fetal-capable rooms, rooms."""
        kinds = (True, self.capable.sum() > self.rooms_fetal, len(self.capable) > self.rooms)
        return np.repeat(kinds, (self.patients, self.minutes, self.minutes))

    def solve(self, prices: Floats) -> Relaxed:
        """The cheapest schedule of every sonographer.

        :param prices: (n + 2 T,) float64, nonnegative: points for an exam of each patient, for each minute of a
            fetal-capable room, for each minute of a room
        """
        once, fetal_room, room = np.split(prices, [self.patients, self.patients + self.minutes])
        plain, fetal = (_summed(price - self._idle) for price in (room, room + fetal_room))
        busy = np.where(self.fetal[:, None], fetal[self.end] - fetal[self.start], plain[self.end] - plain[self.start])
        gain = np.ascontiguousarray(self.gain + once[:, None] + busy)
        value = self.nobody_served - once.sum() - self.rooms_fetal * fetal_room.sum() - self.rooms * room.sum()
        excess = np.zeros(len(prices))
        served, busy_fetal, busy_all = np.split(excess, [self.patients, self.patients + self.minutes])
        for s in range(len(self.capable)):
            known = self._breaks[s], int(self._last[s])
            mine = ~self.fetal | self.capable[s]
            _cheapest_day(
                gain, mine, self._arrival, self._exam_min, *known, self._break_price, self.value[s], self._choice[s]
            )
            value += self.value[s, 0, 0]
            _add_up(self._choice[s], self.fetal, self._exam_min, *known, served, busy_fetal, busy_all)
        served -= 1
        busy_fetal -= self.rooms_fetal
        busy_all -= self.rooms
        return Relaxed(float(value), excess)


def _summed(price: Floats) -> Floats:
    """(T + 1,) cumulative cost of the minutes before each minute."""
    return np.concatenate([[0.0], np.cumsum(price)])


def _break_minutes(config: LabConfig, day: Day, present: Ints) -> tuple[Ints, Ints]:
    """Minutes of break after each exam, which the day has decided.

    :return: (S, states) int64, after exam number 1, 2, ...; and (S,) int64, the number of exams from which on there
        is none
    """
    law, count = config.breaks, len(day.scheduled)
    thresholds = break_thresholds(law).tolist()
    taken = np.zeros((len(present), count + 1), dtype=np.int64)
    for row, s in enumerate(present):
        left = law.number
        for n, draw in enumerate(day.break_draw[s]):
            taken[row, n] = breaks_taken(left, draw, thresholds)
            left -= taken[row, n]
    last = np.array([np.flatnonzero(row)[-1] + 1 if row.any() else 0 for row in taken], dtype=np.int64)
    return taken[:, : last.max(initial=0) + 1] * law.minutes, last


@njit
def _cheapest_day(
    gain: Floats,
    mine: Bools,
    arrival: Ints,
    exam_min: Ints,
    breaks: Ints,
    last: int,
    break_price: float,
    value: Floats,
    choice: Ints,
) -> None:
    """Backward recursion: fill cost-to-go and best action for each minute and number of exams done.

    A patient may be scheduled more than once: this is what the prices of patients are for.
    """
    minutes = len(choice)
    for n in range(last + 1):
        value[minutes, n] = 0.0
    for t in range(minutes - 1, -1, -1):
        for n in range(last + 1):
            value[t, n], choice[t, n] = value[t + 1, n], -1
        for p in range(len(arrival)):
            if arrival[p] > t or not mine[p]:
                continue
            end = min(t + exam_min[p], minutes)
            for n in range(last + 1):
                back = min(end + breaks[n], minutes)
                cost = gain[p, t] - break_price * (back - end) + value[back, min(n + 1, last)]
                if cost < value[t, n]:
                    value[t, n], choice[t, n] = cost, p


@njit
def _add_up(
    choice: Ints,
    fetal: Bools,
    exam_min: Ints,
    breaks: Ints,
    last: int,
    served: Floats,
    busy_fetal: Floats,
    busy_all: Floats,
) -> None:
    """Add a sonographer's schedule to the exams of each patient and the rooms in use in each minute."""
    minutes, t, n = len(choice), 0, 0
    while t < minutes:
        p = choice[t, n]
        if p < 0:
            t += 1
            continue
        end = min(t + exam_min[p], minutes)
        served[p] += 1
        for minute in range(t, end):
            busy_all[minute] += 1
            if fetal[p]:
                busy_fetal[minute] += 1
        t, n = min(end + breaks[n], minutes), min(n + 1, last)
