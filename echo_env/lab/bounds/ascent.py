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
# A patient's price is of the order of the sum of the prices of an exam's minutes.
_MINUTE_SCALE = 1 / 200
_PROGRESS = 1e-5
_SHORTEST_STEP = 1e-3


class Ascent(NamedTuple):
    """The best prices that were found.

    :param value: points, the bound
    :param to_go: (T + 1,) float64, points of the rest of a sonographer's day from each minute on at these prices,
        mean over sonographers
    """

    value: float
    to_go: Floats


def reachable(config: LabConfig, day: Day) -> Trace:
    """What can be had on a day: what ``fetal_first`` makes of it."""
    return simulate(config, day, make_policy("fetal_first", config))


def ascend(problem: PathProblem, target: float, steps: int) -> Ascent:
    """Raise the bound by changing prices, with Polyak's step length and deflected directions.

    Each change is the excess of the limits (demand raises prices) plus a share of the last change; steps become
    shorter when the bound has not risen for a while.

    :param problem: what is to be bounded
    :param target: points, no less than the best bound, for the length of steps
    :param steps: how many changes
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
