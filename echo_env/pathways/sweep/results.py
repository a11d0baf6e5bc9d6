"""Policies in every hospital of a sweep, on draws of the same seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from echo_env.common.parallel import Jobs
from echo_env.common.stats import Estimate, paired_difference
from echo_env.pathways.config import ConfigError, PathwaysConfig
from echo_env.pathways.evaluation.comparison import Comparison, HospitalSize, evaluate
from echo_env.pathways.simulation.policy import Policy
from echo_env.pathways.sweep.cells import Cell, Sweep

MakePolicies = Callable[[PathwaysConfig], Sequence[str | Policy]]
"""Hospital -> the policies for it, with the same names in every hospital."""


@dataclass(frozen=True)
class SweepResults:
    """Metrics of the policies in every cell.

    Policies in one cell share all random numbers. So do draws of the same number in two cells as far as both hospitals
    ask for the same; the interval of a difference between cells is valid in any case.

    :param sweep: the sweep
    :param comparisons: comparison of the policies in each cell, by number of the cell
    """

    sweep: Sweep
    comparisons: tuple[Comparison, ...]

    @property
    def policies(self) -> list[str]:
        """Names of the policies, in order."""
        return self.comparisons[0].policies

    @property
    def reference(self) -> str:
        """Name of the reference policy."""
        return self.comparisons[0].reference

    @property
    def others(self) -> list[str]:
        """Names of the other policies."""
        return self.comparisons[0].others

    def mean(self, cell: Cell, policy: str, metric: str) -> Estimate:
        """Mean over the draws of a cell.

        :param cell: the cell
        :param policy: name of the policy
        :param metric: name of the metric
        """
        return self.comparisons[cell.number].mean(_size(cell), policy, metric)

    def advantage(self, cell: Cell, policy: str, metric: str) -> Estimate:
        """Paired difference in a cell: the reference minus a policy. Parameters as for :meth:`mean`."""
        return self.comparisons[cell.number].advantage(_size(cell), policy, metric)

    def minus_base(self, cell: Cell, policy: str, metric: str) -> Estimate:
        """Difference of a cell and the base hospital, paired by draw. Parameters as for :meth:`mean`."""
        base = self.sweep.cells[0]
        own, other = (self.comparisons[one.number].by_draw(_size(one), policy, metric) for one in (cell, base))
        return paired_difference(own, other)


def _size(cell: Cell) -> HospitalSize:
    return HospitalSize(cell.config.resources, cell.config.patients)


def play_sweep(
    sweep: Sweep,
    make: MakePolicies,
    draws: int,
    trials: int,
    seed: int,
    progress: Callable[[int], None] | None = None,
    jobs: Jobs = 1,
    reference: str = "",
) -> SweepResults:
    """Play every cell of a sweep.

    :param sweep: the sweep
    :param make: makes the policies of a cell
    :param draws: hospitals drawn for each cell
    :param trials: episodes in each
    :param seed: seed of the draws
    :param progress: called with the number of draws just completed
    :param jobs: number of processes, or a cluster's workers; the numbers are the same to the bit
    :param reference: name of the reference policy, by default the first
    :raises ValueError: a policy that is unknown or does not suit a cell (names it), or an invalid number
    """
    comparisons = []
    for cell in sweep.cells:
        try:
            policies = make(cell.config)
        except ValueError as error:
            raise ConfigError(f"cell {sweep.name(cell)}: {error}") if cell.number else error from None
        comparisons.append(
            evaluate(cell.config, policies, draws, trials, seed, progress=progress, jobs=jobs, reference=reference)
        )
    return SweepResults(sweep, tuple(comparisons))
