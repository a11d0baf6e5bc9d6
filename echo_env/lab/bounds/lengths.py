"""A dual penalty for knowing exam lengths, which tightens the clairvoyant bound.

A planner who knows all lengths begins with the short exams. A policy cannot: when it begins an exam, its length is
random. So each exam that begins in minute t is charged an amount whose mean is 0 for every policy that does not know
the length,

    E[g(t + D)] - g(t + d),

with d the length on this day, D a length drawn from the law of such exams, and g(t) the cost-to-go of a sonographer's
day from minute t on. A shorter exam than the mean gains time; the charge takes the gain away again. For any g that
does not depend on the lengths, the mean charge of a policy that does not know them is 0, whatever else it knows,
because d is independent of everything that the decision to begin in minute t is based on. The mean cost of the best
plans with charges is thus a lower bound on the mean penalty of such policies (information relaxation with a dual
penalty: Brown, Smith and Sun, 2010, section 2). The better g, the tighter the bound; with g = 0 it is the clairvoyant
one.

Here g is the cost-to-go that :mod:`~echo_env.lab.bounds.paths` finds at good prices, averaged over sonographers and
over a few days with the same arrivals, absences and breaks but resampled lengths. The planner thus knows all
arrivals, absences and breaks of the day, but not the lengths. To charge for arrivals as well, g would have to depend
on who has come so far, which changes as the plan goes on; knowing the breaks is worth little.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.bounds.ascent import ascend, reachable
from echo_env.lab.bounds.paths import PathProblem
from echo_env.lab.config import ExamLaw, LabConfig
from echo_env.lab.day import Day
from echo_env.lab.day.laws import duration_probability, exam_minutes

Floats = NDArray[np.float64]

DRAWS = 4
"""Days with resampled lengths that g is averaged over."""
_STEPS = 400
_STREAM = 1
"""Second word of the seed of these draws; a randomised policy is seeded by the first word alone."""


def lengths_charge(config: LabConfig, day: Day) -> Floats:
    """Charges added to the cost of exams, for knowing their lengths.

    :param config: the lab
    :param day: its random draws
    :return: (n, T) float64, points, for each patient who arrives and each minute in which the exam may begin
    """
    to_go = mean_to_go(config, day)
    minutes, comes = config.hours.end_min, day.arrival >= 0
    start = np.arange(minutes)
    end = np.minimum(start + day.exam_whole_min[comes][:, None], minutes)
    expected = {fetal: expected_to_go(config.exam.law_of(fetal=fetal), to_go) for fetal in (False, True)}
    charge: Floats = np.where(day.fetal[comes][:, None], expected[True], expected[False]) - to_go[end]
    return charge


def mean_to_go(config: LabConfig, day: Day) -> Floats:
    """(T + 1,) float64, g: mean cost-to-go of a sonographer's day with resampled lengths, points."""
    rng = np.random.default_rng([day.policy_seed, _STREAM])
    total = np.zeros(config.hours.end_min + 1)
    for _ in range(DRAWS):
        draws = rng.random(len(day.scheduled))
        fetal, other = (exam_minutes(config.exam.law_of(fetal=kind), draws) for kind in (True, False))
        another = replace(day, exam_min=np.where(day.fetal, fetal, other))
        target = reachable(config, another).penalty.total
        if target:
            total += ascend(PathProblem(config, another), target, _STEPS).to_go
    return total / DRAWS


def expected_to_go(law: ExamLaw, to_go: Floats) -> Floats:
    """(T,) float64, expected g at the end of an exam, by the minute in which it begins.

    :param law: law of its length
    :param to_go: (T + 1,) float64, g
    """
    longest = max(math.ceil(law.longest_min), 1)
    at_most = duration_probability(law, np.arange(longest + 1))
    # Exams take whole minutes, at least one.
    at_most[0] = 0.0
    minutes = len(to_go) - 1
    end = np.minimum(np.arange(minutes)[:, None] + np.arange(1, longest + 1), minutes)
    expected: Floats = to_go[end] @ np.diff(at_most)
    return expected
