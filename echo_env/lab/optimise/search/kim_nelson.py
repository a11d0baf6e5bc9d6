"""Which of several systems has the lowest mean, at a stated confidence: Kim and Nelson's fully sequential procedure.

S.-H. Kim and B. L. Nelson, *A fully sequential procedure for indifference-zone selection in simulation*, ACM TOMACS
11(3), 2001: section 3, with c = 1. Systems may be played on the same days: the procedure allows any dependence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Play = Callable[[int, int, int], Floats]
"""(system, number of the first day, number of days) -> (days,) costs."""


@dataclass(frozen=True)
class Selection:
    """The outcome.

    :param best: number of the system chosen
    :param days: days that the longest-lived systems were played on
    :param alpha: the chosen one is the best with a probability of at least 1 - alpha, if it is better by ``delta``
    :param delta: differences smaller than this do not matter
    :param means: (k,) mean cost of each system over the days that it was played on
    :param sure: whether one was left; else days ran out, and the one with the lowest mean was taken
    """

    best: int
    days: int
    alpha: float
    delta: float
    means: tuple[float, ...]
    sure: bool


def select(
    play: Play, systems: int, delta: float, alpha: float = 0.05, first: int = 100, step: int = 100, most: int = 50_000
) -> Selection:
    """Play systems day by day and drop those that are worse, until one is left.

    :param play: plays a system
    :param systems: how many there are
    :param delta: indifference zone, in units of the cost; above 0
    :param alpha: allowed probability of a wrong choice
    :param first: days on which variances are estimated, at least 2
    :param step: days between comparisons; comparing less often is valid
    :param most: days after which the one with the lowest mean is taken
    :raises ValueError: delta is not above 0, or no system
    """
    if systems < 1 or delta <= 0:
        raise ValueError(f"there are {systems} systems and delta is {delta!r}, but must be at least 1 and above 0")
    costs = [play(system, 0, first) for system in range(systems)]
    alive = list(range(systems))
    factor = squared_h(systems, first, alpha)
    spread = np.array([[float(np.var(a - b, ddof=1)) for b in costs] for a in costs])
    days = first
    while len(alive) > 1:
        means = {system: float(costs[system].mean()) for system in alive}
        alive = [own for own in alive if not _beaten(own, alive, means, spread, factor, delta, days)]
        if len(alive) == 1 or days >= most:
            break
        for system in alive:
            costs[system] = np.concatenate([costs[system], play(system, days, step)])
        days += step
    best = min(alive, key=lambda system: float(costs[system].mean()))
    return Selection(best, days, alpha, delta, tuple(float(own.mean()) for own in costs), len(alive) == 1)


def squared_h(systems: int, first: int, alpha: float) -> float:
    """The constant h^2 of the procedure.

    :param systems: how many there are
    :param first: days on which variances are estimated
    :param alpha: allowed probability of a wrong choice
    """
    if systems < 2:
        return 0.0
    eta = ((2 * alpha / (systems - 1)) ** (-2 / (first - 1)) - 1) / 2
    return float(2 * eta * (first - 1))


def _beaten(
    own: int, alive: Sequence[int], means: dict[int, float], spread: Floats, factor: float, delta: float, days: int
) -> bool:
    """Whether some other system is better by more than chance and indifference leave open."""
    for other in alive:
        margin = max(0.0, delta / (2 * days) * (factor * float(spread[own, other]) / delta**2 - days))
        if other != own and means[own] - means[other] > margin:
            return True
    return False
