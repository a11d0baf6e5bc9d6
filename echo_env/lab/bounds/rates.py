"""Charges for knowing how long exams and breaks will be, and their rates, regressed on redrawn days.

Whoever begins an exam in minute t is charged ``rate(t)`` for each minute by which the exam is longer than expected,
and another rate for the break after it. A policy that does not know lengths and breaks beforehand is charged nothing
on average, whatever the rates and whatever else it knows, since the decision to begin says nothing of either. So the
mean cost of the best plans with charges is a lower bound on the mean penalty of all such policies (information
relaxation with a dual penalty: Brown, Smith and Sun, 2010). The rates must not depend on the lengths and breaks of the
day; its arrivals and absences they may depend on.

A planner who knows the lengths profits least from them if the rates are what a minute more or less is worth. That is
estimated by linear regression: of the penalty under ``fetal_first``, over days with the same arrivals and absences
and redrawn lengths and breaks, on the surplus minutes of the exams that begin in each part of the day.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.jit import njit
from echo_env.lab.config import LabConfig
from echo_env.lab.day import Day, Days, stack_days, whole_minutes
from echo_env.lab.day.laws import exam_minutes
from echo_env.lab.evaluation.engines import play_days
from echo_env.lab.policies.base import make_policy
from echo_env.lab.simulation.breaks import break_thresholds, breaks_taken, expected_break
from echo_env.lab.simulation.metrics import DayResults
from echo_env.lab.simulation.penalty import penalty_points

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DRAWS = 1000
"""Redrawn days of a regression."""
_KNOT_MIN = 60
"""Minutes between the knots of a rate, which is linear in between."""
_RIDGE = 1e-3
"""Ridge penalty, as a share of the mean square of a regressor: parts of the day in which nothing begins have rate 0."""
_STREAM = 3
"""Second word of the seed of redrawn days."""
_breaks_taken = njit(breaks_taken)


class Rates(NamedTuple):
    """Points charged for a minute by which something is longer than expected, by the minute in which the exam begins.

    :param length: (T,) float64, of the exam
    :param pause: (T,) float64, of the break after it
    """

    length: Floats
    pause: Floats

    @classmethod
    def none(cls, minutes: int) -> Rates:
        """Nothing is charged.

        :param minutes: of the day, T
        """
        return cls(*np.zeros((2, minutes)))


def rates_of(config: LabConfig, day: Day, expected_length: Floats, draws: int = DRAWS) -> Rates:
    """Regressed rates of a day; they depend on its arrivals and absences alone.

    :param config: the lab
    :param day: its random draws
    :param expected_length: (2, T) float64, mean minutes of an exam begun in each minute, by kind
    :param draws: redrawn days
    """
    days = redrawn_lengths(config, day, draws)
    results = play_days(config, make_policy("fetal_first", config), days)
    penalty = np.asarray(penalty_points(config, results.units.T).total, dtype=np.float64)
    surplus = surplus_minutes(config, results, days.break_draw, expected_length)
    parts = _parts_of_the_day(config.hours.end_min)
    regressors = (surplus @ parts).reshape(draws, -1)
    # Their means are 0.
    square = regressors.T @ regressors
    ridge = _RIDGE * np.trace(square) / len(square) + np.finfo(float).tiny
    worth = np.linalg.solve(square + ridge * np.eye(len(square)), regressors.T @ (penalty - penalty.mean()))
    # What a longer exam costs anyway is not charged again, but given back.
    return Rates(*-(worth.reshape(2, -1) @ parts.T))


def redrawn_lengths(config: LabConfig, day: Day, draws: int) -> Days:
    """Days with the same arrivals and absences, and other exam lengths and breaks.

    :param config: the lab
    :param day: the day
    :param draws: how many
    """
    rng = np.random.default_rng([day.policy_seed, _STREAM])
    uniform = rng.random((draws, len(day.arrival)))
    fetal, other = (whole_minutes(exam_minutes(config.exam.law_of(fetal=kind), uniform)) for kind in (True, False))
    length, breaks = np.where(day.fetal, fetal, other), rng.random((draws, *day.break_draw.shape))
    return stack_days([replace(day, exam_min=a, break_draw=b) for a, b in zip(length, breaks, strict=True)])


def charged(
    config: LabConfig, results: DayResults, break_draw: Floats, expected_length: Floats, rates: Rates
) -> Floats:
    """(days,) float64, what the plans of some days are charged, points; its mean is 0 if the policy knew no lengths.

    :param config: the lab
    :param results: of the days
    :param break_draw: (days, S, N), their draws of breaks
    :param expected_length: (2, T) float64, mean minutes of an exam begun in each minute, by kind
    :param rates: of the charges
    """
    surplus = surplus_minutes(config, results, break_draw, expected_length)
    points: Floats = np.einsum("dgt,gt->d", surplus, np.stack(rates))
    return points


def surplus_minutes(config: LabConfig, results: DayResults, break_draw: Floats, expected_length: Floats) -> Floats:
    """(days, 2, T) float64, minutes by which exams begun in each minute, and breaks after them, exceed their means.

    :param config: the lab
    :param results: of the days
    :param break_draw: (days, S, N), their draws of breaks
    :param expected_length: (2, T) float64, mean minutes of an exam begun in each minute, by kind
    """
    law = config.breaks
    surplus = np.zeros((len(results.start), 2, config.hours.end_min))
    expected = np.array([expected_break(law, left) for left in range(law.number + 1)])
    order = np.argsort(results.start, axis=1, kind="stable")
    _add_surplus(
        order, results.start, results.end, results.sonographer, results.exam_type, break_draw,
        break_thresholds(law), expected, law.minutes, expected_length, surplus,
    )  # fmt: skip
    return surplus


@njit
def _add_surplus(
    order: Ints,
    start: Ints,
    end: Ints,
    sonographer: Ints,
    kind: Ints,
    break_draw: Floats,
    thresholds: Floats,
    expected_break: Floats,
    break_min: int,
    expected_length: Floats,
    surplus: Floats,
) -> None:
    """Add up :func:`surplus_minutes`; ``order`` has the patients of each day by the minute in which they begin."""
    members, minutes = break_draw.shape[1], surplus.shape[2]
    for day in range(len(start)):
        begun = np.zeros(members, np.int64)
        left = np.full(members, len(thresholds) - 1)
        for p in order[day]:
            t = start[day, p]
            if t < 0:
                continue
            s = sonographer[day, p]
            surplus[day, 0, t] += min(end[day, p], minutes) - t - expected_length[kind[day, p], t]
            taken = _breaks_taken(left[s], break_draw[day, s, begun[s]], thresholds)
            surplus[day, 1, t] += taken * break_min - expected_break[left[s]]
            left[s] -= taken
            begun[s] += 1


def _parts_of_the_day(minutes: int) -> Floats:
    """(T, knots) float64, weights of the knots between which rates are linear."""
    count = max(math.ceil(minutes / _KNOT_MIN), 1) + 1
    knots, every = np.linspace(0, minutes, count), np.eye(count)
    return np.stack([np.interp(np.arange(minutes), knots, own) for own in every], axis=1)
