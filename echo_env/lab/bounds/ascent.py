"""Good prices for a relaxed day: a deflected subgradient ascent with Polyak's step length (Camerini et al., 1975)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config import LabConfig
from echo_env.lab.day import Day
from echo_env.lab.policies.base import make_policy
from echo_env.lab.simulation.simulator import simulate
from echo_env.lab.simulation.trace import Trace

if TYPE_CHECKING:
    from echo_env.lab.bounds.paths import PathProblem

Floats = NDArray[np.float64]

_DEFLECTION = 0.85
_PATIENCE, _SHRINK = 15, 0.7
# A patient's price is of the order of the summed prices of the minutes of an exam.
_MINUTE_SCALE = 1 / 200
_PROGRESS = 1e-5
_SHORTEST_STEP = 1e-3


class Ascent(NamedTuple):
    """Result at the best prices found.

    :param value: the bound, points
    :param to_go: (T + 1,) float64, cost-to-go of a sonographer's day from each minute on, points, mean over
        sonographers
    """

    value: float
    to_go: Floats


def reachable(config: LabConfig, day: Day) -> Trace:
    """A feasible plan of the day, that of ``fetal_first``: an upper bound."""
    return simulate(config, day, make_policy("fetal_first", config))


def ascend(problem: PathProblem, target: float, steps: int) -> Ascent:
    """Maximise the bound over prices, by Polyak's step length and deflected directions.

    Each direction is the excess of the limits (a supergradient) plus a share of the last direction; steps are
    shortened when the bound has not risen for a while.

    :param problem: the relaxed day
    :param target: points, at least the best bound, for Polyak's step length
    :param steps: maximum number of steps
    """
    patients = problem.patients
    scale = np.where(np.arange(patients + 2 * problem.minutes) < patients, 1.0, _MINUTE_SCALE) * problem.limits
    prices, change = np.zeros((2, len(scale)))
    best, to_go, length, waited = -np.inf, np.zeros(problem.minutes + 1), 1.0, 0
    for _ in range(steps):
        relaxed = problem.solve(prices)
        waited += 1
        if relaxed.value > best + _PROGRESS * abs(best if np.isfinite(best) else 0.0):
            waited, to_go = 0, problem.value.mean(axis=(0, 2)) if len(problem.value) else to_go
        best = max(best, relaxed.value)
        if waited >= _PATIENCE:
            length, waited = length * _SHRINK, 0
        # A price of 0 cannot fall.
        change = np.where((prices <= 0) & (relaxed.excess < 0), 0.0, relaxed.excess) + _DEFLECTION * change
        norm = float(scale @ change**2)
        if norm == 0 or length < _SHORTEST_STEP or best >= target:
            break
        prices = np.maximum(prices + length * max(target - relaxed.value, 1.0) / norm * scale * change, 0.0)
    return Ascent(best, to_go)
