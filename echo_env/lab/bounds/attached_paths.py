"""The cheapest day of each sonographer where exam lengths belong to sonographers, softly and exactly, with gradients.

Costs that depend on the patient only through the kind of exam and the minute in which it begins are brought together
first: per kind and minute, the least cost over the patients who have come. What is left for a sonographer is a dynamic
program over the minute and the number of exams begun.

With a temperature above 0 every minimum of costs c is replaced by ``-tau log(sum(exp(-c / tau)))``, which is lower and
smooth; the shares with which each choice is made are its gradient. Needs numba.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.jit import njit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FETAL, OTHER = 0, 1
"""Kinds of exam, as exam types of the lab."""


class Costs(NamedTuple):
    """What a relaxed day charges, for n patients, S sonographers who begin N exams at most, T minutes.

    :param start: (n, T) float64, points for beginning a patient's exam in a minute, price of the patient included
    :param busy: (2, T + 1) float64, points for the minutes before each one during which an exam of that kind holds its
        room
    :param rest: points for a minute of break
    :param length_rate: (T,) float64, points for a minute by which an exam begun then is longer than expected
    :param break_rate: (T,) float64, points for a minute by which the break after it is longer than expected
    """

    start: Floats
    busy: Floats
    rest: float
    length_rate: Floats
    break_rate: Floats


class Attached(NamedTuple):
    """What belongs to sonographers.

    :param capable: (S,) bool, who can do fetal exams
    :param length: (S, N, 2) int64, whole minutes of the n-th exam if it is of that kind
    :param pause: (S, N) int64, minutes of break after it
    :param expected_pause: (S, N) float64, mean of the break given those taken before
    :param expected_length: (2, T) float64, mean minutes of an exam begun in each minute, up to the end of the day
    """

    capable: Bools
    length: Ints
    pause: Ints
    expected_pause: Floats
    expected_length: Floats


class Shares(NamedTuple):
    """How often the cheapest days do something, each sonographer's counted: the gradient of the value by its costs.

    :param start: (n, T) float64, exams of a patient that begin in a minute
    :param busy: (2, T) float64, exams of a kind under way
    """

    start: Floats
    busy: Floats


@njit
def solve_day(costs: Costs, attached: Attached, kind: Ints, arrival: Ints, tau: float, shares: Shares) -> float:
    """The cheapest days of all sonographers together; adds to the shares.

    :param costs: what is charged
    :param attached: what belongs to sonographers
    :param kind: (n,) int64, kind of each patient's exam
    :param arrival: (n,) int64
    :param tau: temperature, points; 0 for exact minima
    :param shares: added to
    :return: points, the change in cost against serving nobody
    """
    minutes = costs.start.shape[1]
    least, first = _least_by_kind(costs.start, kind, arrival, tau)
    begun = np.zeros((2, minutes))
    ends = np.zeros((2, minutes + 1))
    total = 0.0
    for s in range(len(attached.capable)):
        total += _one_day(costs, attached, s, least, tau, begun, ends)
    for k in range(2):
        under_way = 0.0
        for t in range(minutes):
            under_way += begun[k, t] - ends[k, t]
            shares.busy[k, t] += under_way
    for p in range(len(kind)):
        k = kind[p]
        for t in range(arrival[p], minutes):
            if begun[k, t] > 0:
                if tau > 0:
                    shares.start[p, t] += begun[k, t] * _share(costs.start[p, t] - least[k, t], tau)
                elif first[k, t] == p:
                    shares.start[p, t] += begun[k, t]
    return total


@njit
def _share(above: float, tau: float) -> float:
    return math.exp(-above / tau) if above < 40 * tau else 0.0


@njit
def _least_by_kind(start: Floats, kind: Ints, arrival: Ints, tau: float) -> tuple[Floats, Ints]:
    """(2, T) the least cost of beginning an exam of a kind in each minute, and whose it is."""
    minutes = start.shape[1]
    least, first = np.full((2, minutes), np.inf), np.full((2, minutes), -1)
    for p in range(len(kind)):
        for t in range(arrival[p], minutes):
            if start[p, t] < least[kind[p], t]:
                least[kind[p], t], first[kind[p], t] = start[p, t], p
    if tau > 0:
        total = np.zeros((2, minutes))
        for p in range(len(kind)):
            for t in range(arrival[p], minutes):
                total[kind[p], t] += _share(start[p, t] - least[kind[p], t], tau)
        for k in range(2):
            for t in range(minutes):
                if total[k, t] > 0:
                    least[k, t] -= tau * math.log(total[k, t])
    return least, first


@njit
def _one_day(
    costs: Costs,
    attached: Attached,
    s: int,
    least: Floats,
    tau: float,
    begun: Floats,
    ends: Floats,
) -> float:
    """The cheapest day of sonographer s; adds to exams begun and ended, by kind and minute."""
    minutes = least.shape[1]
    length, pause = attached.length[s], attached.pause[s]
    earliest = _earliest(length, pause, minutes)
    exams = len(earliest)
    value = np.zeros((exams + 1, minutes + 1))
    # Shares of the two kinds; what is left of 1 is to let a minute pass.
    choice = np.zeros((exams, minutes, 2))
    costs_of = np.empty(2)
    for n in range(exams - 1, -1, -1):
        over = pause[n] - attached.expected_pause[s, n]
        for t in range(minutes - 1, earliest[n] - 1, -1):
            stay = value[n, t + 1]
            best = stay
            for k in range(2):
                costs_of[k] = np.inf
                if (k == FETAL and not attached.capable[s]) or least[k, t] == np.inf:
                    continue
                end = min(t + length[n, k], minutes)
                back = min(end + pause[n], minutes)
                c = least[k, t] + costs.busy[k, end] - costs.busy[k, t] + costs.rest * (back - end)
                c += costs.length_rate[t] * (end - t - attached.expected_length[k, t]) + costs.break_rate[t] * over
                costs_of[k] = c + value[n + 1, back]
                best = min(best, costs_of[k])
            if tau > 0:
                total = _share(stay - best, tau)
                for k in range(2):
                    if costs_of[k] < np.inf:
                        choice[n, t, k] = _share(costs_of[k] - best, tau)
                        total += choice[n, t, k]
                value[n, t] = best - tau * math.log(total)
                choice[n, t, 0] /= total
                choice[n, t, 1] /= total
            else:
                value[n, t] = best
                if best < stay:
                    choice[n, t, 0 if costs_of[0] == best else 1] = 1.0
    weight = np.zeros((exams + 1, minutes + 1))
    weight[0, 0] = 1.0
    for n in range(exams):
        for t in range(earliest[n], minutes):
            here = weight[n, t]
            if here == 0:
                continue
            stay = here
            for k in range(2):
                w = here * choice[n, t, k]
                if w == 0:
                    continue
                end = min(t + length[n, k], minutes)
                weight[n + 1, min(end + pause[n], minutes)] += w
                begun[k, t] += w
                ends[k, end] += w
                stay -= w
            weight[n, t + 1] += max(stay, 0.0)
    return value[0, 0]


@njit
def _earliest(length: Ints, pause: Ints, minutes: int) -> Ints:
    """Earliest minutes in which a sonographer can begin exam 1, 2, ..., as far as they are before the end."""
    at = np.zeros(len(length), np.int64)
    begin, count = 0, 0
    for n in range(len(length)):
        if begin >= minutes:
            break
        at[n], count = begin, n + 1
        begin += min(length[n, 0], length[n, 1]) + pause[n]
    return at[:count]
