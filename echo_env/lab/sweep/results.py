"""Results of a sweep: cells against the base lab, policies against the reference, and the effect of each field."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echo_env.common.stats import Estimate, estimate, paired_difference
from echo_env.lab.evaluation.comparison import Comparison
from echo_env.lab.evaluation.input_uncertainty import TwoParts, dominates, two_parts
from echo_env.lab.simulation.metrics import Metric
from echo_env.lab.sweep.axes import Axis
from echo_env.lab.sweep.grid import Cell, Sweep

Floats = NDArray[np.float64]

RANKED = "waiting_penalty"
"""The metric that cells and fields are ranked by unless another one is asked for.

Not the whole penalty: most of a day's points are idle pairs, whatever is decided."""

_BESIDE = ("penalty_idle", "turned_away", "left_waiting")


def left_out(metric: str) -> tuple[str, ...]:
    """Metrics that a ranking does not see and that a change of the lab may pay with.

    :param metric: what is ranked by
    """
    return tuple(name for name in _BESIDE if name != metric and (name, metric) != ("penalty_idle", "penalty"))


@dataclass(frozen=True)
class Elasticity:
    """Percentage change of a metric per percent of change of a field.

    :param low: value of the field at the lower end
    :param high: value at the upper end
    :param value: the arc elasticity between them, with its interval
    """

    low: float
    high: float
    value: Estimate


@dataclass(frozen=True)
class Effect:
    """The effect of one field alone on a metric under a policy.

    :param axis: the field
    :param policy: name of the policy
    :param metric: name of the metric
    :param lowest: the cell with the lowest mean, among those that differ in this field only
    :param highest: the cell with the highest mean
    :param span: highest minus lowest, paired by day
    :param elasticity: around the base lab's value; None if the field is not numeric or a denominator is 0
    """

    axis: Axis
    policy: str
    metric: str
    lowest: Cell
    highest: Cell
    span: Estimate
    elasticity: Elasticity | None


@dataclass(frozen=True)
class SweepResults:
    """Metrics of the policies in every cell, on days of the same seed.

    Cells are compared by paired differences. The days of a seed are independent of each other, so the interval of a
    difference is valid also where day k of two cells shares few random numbers; it is only wider.

    :param sweep: the sweep
    :param comparisons: comparison of the policies in each cell, by number of the cell
    """

    sweep: Sweep
    comparisons: tuple[Comparison, ...]

    @property
    def policies(self) -> list[str]:
        """Names of the policies, in order."""
        return list(self.comparisons[0].values)

    @property
    def reference(self) -> str:
        """Name of the reference policy."""
        return self.comparisons[0].reference

    @property
    def others(self) -> list[str]:
        """Names of the other policies."""
        return self.comparisons[0].others

    @property
    def days(self) -> int:
        """Number of days in each cell."""
        return self.comparisons[0].days

    @property
    def seed(self) -> int:
        """Seed of the days."""
        return self.comparisons[0].seed

    @property
    def metrics(self) -> dict[str, Metric]:
        """Name -> record of each metric of the base lab that all cells have."""
        every = [comparison.metrics for comparison in self.comparisons]
        return {name: metric for name, metric in every[0].items() if all(name in own for own in every)}

    def values(self, cell: Cell, policy: str, metric: str) -> Floats:
        """(days,) float64, a metric of each day."""
        return self.comparisons[cell.number].values[policy][metric]

    def mean(self, cell: Cell, policy: str, metric: str) -> Estimate:
        """Mean of a metric with its 95 % confidence interval."""
        return estimate(self.values(cell, policy, metric))

    def minus_reference(self, cell: Cell, policy: str, metric: str) -> Estimate:
        """Paired difference of a policy and the reference in the same cell."""
        return self.comparisons[cell.number].paired(policy, metric)

    def minus_base(self, cell: Cell, policy: str, metric: str) -> Estimate:
        """Paired difference of a cell and the base lab under the same policy."""
        return self.minus(cell, self.sweep.cells[0], policy, metric)

    def minus(self, cell: Cell, other: Cell, policy: str, metric: str) -> Estimate:
        """Paired difference of two cells under the same policy."""
        return paired_difference(self.values(cell, policy, metric), self.values(other, policy, metric))

    def effect(self, axis: Axis, policy: str, metric: str) -> Effect:
        """The effect of a field alone, the others held as in :meth:`~echo_env.lab.sweep.grid.Sweep.held`.

        :param axis: the field
        :param policy: name of the policy
        :param metric: one of :attr:`metrics`
        """
        cells = self.sweep.along(axis)
        means = np.array([self.mean(cell, policy, metric).mean for cell in cells])
        # Ties go to the base lab, which needs no change.
        base = [cell.number == 0 for cell in cells]
        lowest = cells[min(range(len(cells)), key=lambda k: (np.nan_to_num(means[k], nan=math.inf), not base[k]))]
        highest = cells[max(range(len(cells)), key=lambda k: (np.nan_to_num(means[k], nan=-math.inf), base[k]))]
        span = self.minus(highest, lowest, policy, metric)
        return Effect(axis, policy, metric, lowest, highest, span, self.elasticity(axis, policy, metric))

    def effects(self, policy: str, metric: str) -> list[Effect]:
        """Effects of all fields, the largest span first."""
        effects = [self.effect(axis, policy, metric) for axis in self.sweep.axes]
        return sorted(effects, key=lambda effect: -np.nan_to_num(effect.span.mean))

    def elasticity(self, axis: Axis, policy: str, metric: str) -> Elasticity | None:
        """Arc elasticity of a metric between the values next to the base lab's on either side.

        It is taken at the midpoint of both ends: (dM / (M1 + M2)) / (dx / (x1 + x2)). The interval is by the delta
        method, from the first-order expansion in the daily pairs (M1, M2).

        :param axis: the field
        :param policy: name of the policy
        :param metric: one of :attr:`metrics`
        :return: None if the field is not numeric, has one value only, or a denominator is 0
        """
        cells = self.sweep.along(axis) if axis.field.is_numeric else []
        ends = _around(axis.own, [cell.values[axis.path] for cell in cells])
        if ends is None or sum(ends) == 0:
            return None
        (x1, x2), by_value = ends, {cell.values[axis.path]: cell for cell in cells}
        pair = np.stack([self.values(by_value[x], policy, metric) for x in ends])
        first, second = pair[:, ~np.isnan(pair).any(axis=0)]
        if not len(first) or first.mean() + second.mean() == 0:
            return None
        m1, m2 = first.mean(), second.mean()
        stretch = (x2 - x1) / (x1 + x2)
        expansion = (m2 - m1) / (m1 + m2) + 2 * (m1 * second - m2 * first) / (m1 + m2) ** 2
        return Elasticity(x1, x2, estimate(expansion / stretch))

    def best(self, metric: str) -> tuple[Cell, str]:
        """Cell and policy with the lowest mean of a metric, among the cells with the base lab's penalty weights."""
        same = [cell for cell in self.sweep.cells if cell.config.penalty == self.sweep.base.penalty]
        every = [(cell, policy) for cell in same for policy in self.policies]
        return min(every, key=lambda pair: np.nan_to_num(self.mean(pair[0], pair[1], metric).mean, nan=math.inf))


@dataclass(frozen=True)
class UncertainSweep:
    """A sweep of a lab, and the same sweep of labs that it might be as well.

    :param results: of the lab itself
    :param labs: of each lab of the bootstrap, on days of the same seed, with the same cells
    :param held: fields that are the same in all of them, because they were edited
    """

    results: SweepResults
    labs: tuple[SweepResults, ...]
    held: tuple[str, ...] = ()

    def mean(self, cell: Cell, policy: str, metric: str) -> TwoParts:
        """Mean of a metric, with both parts of its interval."""
        return two_parts(
            self.results.values(cell, policy, metric), [lab.values(cell, policy, metric) for lab in self.labs]
        )

    def minus_base(self, cell: Cell, policy: str, metric: str) -> TwoParts:
        """Paired difference of a cell and the base lab, each lab of the bootstrap with its own."""

        def difference(of: SweepResults) -> Floats:
            return of.values(cell, policy, metric) - of.values(of.sweep.cells[0], policy, metric)

        return two_parts(difference(self.results), [difference(lab) for lab in self.labs])

    def sentences(self, metric: str) -> list[str]:
        """Which part dominates the intervals of a metric: of its means, and of the differences to the base lab.

        :param metric: one of the metrics
        """
        results, count, days = self.results, len(self.labs), self.results.days
        cells = results.sweep.cells
        means = [self.mean(cell, policy, metric) for cell in cells for policy in results.policies]
        others = [self.minus_base(cell, policy, metric) for cell in cells[1:] for policy in results.policies]
        said = [dominates(metric, means, count, days)]
        return [*said, dominates(f"{metric} minus base lab", others, count, days)] if others else said


def _around(own: float, values: Sequence[float]) -> tuple[float, float] | None:
    """The neighbours of ``own`` among ascending values; where it has none on one side, the two nearest values."""
    below, above = [value for value in values if value < own], [value for value in values if value > own]
    if below and above:
        return max(below), min(above)
    near: list[Any] = sorted(sorted(values, key=lambda value: abs(value - own))[:2])
    return (near[0], near[1]) if len(near) == 2 else None
