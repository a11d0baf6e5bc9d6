"""Which share of what is possible policies reach: utility over its upper bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.parallel import map_in_order
from echo_env.common.stats import Estimate, estimate
from echo_env.pathways.bounds.bounds import bound_utility
from echo_env.pathways.bounds.optimum import MOST_STATES, joint_states
from echo_env.pathways.evaluation.comparison import Cell, Comparison
from echo_env.pathways.instance.instance import sample_draw

Floats = NDArray[np.float64]


class Bounds(NamedTuple):
    """Of the draws of a cell.

    :param values: (draws,) upper bounds on the expected utility of any policy
    :param optima: how many of these are the optimum itself
    """

    values: Floats
    optima: int


@dataclass(frozen=True)
class Shares:
    """How far policies are from what is possible, on the draws of a comparison.

    :param comparison: what the policies did
    :param bounds: of each cell
    """

    comparison: Comparison
    bounds: dict[Cell, Bounds]

    def bound(self, cell: Cell) -> Estimate:
        """The mean bound of a cell."""
        return estimate(self.bounds[cell].values)

    def share(self, cell: Cell, policy: str) -> Estimate:
        """Mean utility over mean bound, with the interval of a ratio of means over draws (delta method).

        :param cell: of the comparison
        :param policy: of the comparison
        """
        utility, bound = self.comparison.by_draw(cell, policy, "utility"), self.bounds[cell].values
        ratio = float(utility.mean() / bound.mean())
        scatter = estimate((utility - ratio * bound) / bound.mean())
        return Estimate(ratio, ratio + scatter.low, ratio + scatter.high, scatter.n)

    def to_dict(self) -> list[dict[str, Any]]:
        """The numbers of every cell, for JSON."""
        return [
            {
                **cell._asdict(),
                "bound": self.bound(cell).as_json(),
                "optima": own.optima,
                "share_of_bound": {name: self.share(cell, name).as_json() for name in self.comparison.policies},
            }
            for cell, own in self.bounds.items()
        ]


class BoundOfDraw:
    """Finds the bound of a draw of a cell, and whether it is the optimum.

    :param comparison: whose draws they are
    """

    def __init__(self, comparison: Comparison) -> None:
        self._config, self._seed = comparison.config, comparison.seed

    def __call__(self, task: tuple[Cell, int]) -> tuple[float, bool]:
        """The bound of draw number ``task[1]`` of a cell."""
        cell, draw = task
        config = self._config.replace(resources=cell.resources, patients=cell.patients)
        instance = sample_draw(config, self._seed, draw)
        return bound_utility(instance), joint_states(instance) <= MOST_STATES


def find_shares(comparison: Comparison, jobs: int = 1, progress: Callable[[int], None] | None = None) -> Shares:
    """Find the bound of every draw of a comparison.

    :param comparison: what policies did
    :param jobs: how many processes share the draws
    :param progress: called with the number of draws that have just been done
    :raises ValueError: pathways change, for which no bound is known
    """
    draws, _ = comparison.shape
    tasks = [(cell, draw) for cell in comparison.values for draw in range(draws)]
    found = map_in_order(BoundOfDraw(comparison), tasks, jobs, lambda task: progress(1) if progress else None)
    bounds = {}
    for k, cell in enumerate(comparison.values):
        own = found[k * draws : (k + 1) * draws]
        bounds[cell] = Bounds(np.array([value for value, _ in own]), sum(optimum for _, optimum in own))
    return Shares(comparison, bounds)
