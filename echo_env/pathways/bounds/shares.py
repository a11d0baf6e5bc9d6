"""Utility of policies relative to the upper bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.parallel import Jobs, map_in_order
from echo_env.common.stats import Estimate, estimate
from echo_env.pathways.bounds.bounds import bound_utility
from echo_env.pathways.bounds.optimum import MOST_STATES, joint_states
from echo_env.pathways.evaluation.comparison import Comparison, HospitalSize
from echo_env.pathways.instance.instance import sample_draw

Floats = NDArray[np.float64]


class Bounds(NamedTuple):
    """Bounds of the draws of a size.

    :param values: (draws,) float64, upper bounds on the expected utility of every policy
    :param optima: number of them that are the exact optimum
    """

    values: Floats
    optima: int


@dataclass(frozen=True)
class Shares:
    """Utilities relative to the bounds, on the draws of a comparison.

    :param comparison: the comparison
    :param bounds: size -> bounds of its draws
    """

    comparison: Comparison
    bounds: dict[HospitalSize, Bounds]

    def bound(self, size: HospitalSize) -> Estimate:
        """Mean bound of a size."""
        return estimate(self.bounds[size].values)

    def share(self, size: HospitalSize, policy: str) -> Estimate:
        """Mean utility over mean bound, with the interval of a ratio of means over draws (delta method).

        :param size: a size of the comparison
        :param policy: of the comparison
        """
        utility, bound = self.comparison.by_draw(size, policy, "utility"), self.bounds[size].values
        ratio = float(utility.mean() / bound.mean())
        scatter = estimate((utility - ratio * bound) / bound.mean())
        return Estimate(ratio, ratio + scatter.low, ratio + scatter.high, scatter.n)

    def to_dict(self) -> list[dict[str, Any]]:
        """Bounds and shares of every size, for JSON."""
        return [
            {
                **size._asdict(),
                "bound": self.bound(size).as_json(),
                "optima": own.optima,
                "share_of_bound": {name: self.share(size, name).as_json() for name in self.comparison.policies},
            }
            for size, own in self.bounds.items()
        ]


class BoundOfDraw:
    """Computes the bound of a draw, and whether it is the exact optimum.

    :param comparison: the comparison whose draws are bounded
    """

    def __init__(self, comparison: Comparison) -> None:
        self._config, self._seed = comparison.config, comparison.seed

    def __call__(self, task: tuple[HospitalSize, int]) -> tuple[float, bool]:
        """The bound for a task (size, number of the draw)."""
        size, draw = task
        config = self._config.replace(resources=size.resources, patients=size.patients)
        instance = sample_draw(config, self._seed, draw)
        return bound_utility(instance), joint_states(instance) <= MOST_STATES


def find_shares(comparison: Comparison, jobs: Jobs = 1, progress: Callable[[int], None] | None = None) -> Shares:
    """Compute the bound of every draw of a comparison.

    :param comparison: the comparison
    :param jobs: number of processes, or a cluster's workers
    :param progress: called with the number of draws just completed
    :raises ValueError: pathways can change, so that no bound is available
    """
    draws, _ = comparison.shape
    tasks = [(size, draw) for size in comparison.values for draw in range(draws)]
    found = map_in_order(BoundOfDraw(comparison), tasks, jobs, lambda task, bound: progress(1) if progress else None)
    bounds = {}
    for k, size in enumerate(comparison.values):
        own = found[k * draws : (k + 1) * draws]
        bounds[size] = Bounds(np.array([value for value, _ in own]), sum(optimum for _, optimum in own))
    return Shares(comparison, bounds)
