"""What a sweep says: each cell beside the base lab, policies beside each other, and what matters most."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echo_env.common.stats import Estimate, estimate, paired_difference
from echo_env.lab.evaluation.comparison import Comparison
from echo_env.lab.sweep.grid import Axis, Cell, Sweep

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Elasticity:
    """Percent that a metric changes for a percent that a field changes.

    :param low: value of the field from which
    :param high: up to which
    :param value: with its interval
    """

    low: float
    high: float
    value: Estimate


@dataclass(frozen=True)
class Effect:
    """What one field alone does to a metric under a policy.

    :param axis: the field
    :param policy: who decides
    :param metric: which number
    :param lowest: the cell in which its mean is lowest, of those that differ in this field only
    :param highest: the cell in which it is highest
    :param span: highest minus lowest, day by day
    :param elasticity: around the base lab's value; None where the field is no number, or something is 0
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
    """What policies did in every cell, on days of the same seed.

    Cells are compared day by day. Day k of a seed is an independent draw whatever k, so the interval of such a
    difference is right also where day k of two cells has little in common; it is only wider.

    :param sweep: the cells
    :param comparisons: of the policies in each cell, by its number
    """

    sweep: Sweep
    comparisons: tuple[Comparison, ...]

    @property
    def policies(self) -> list[str]:
        """Their names, in order."""
        return list(self.comparisons[0].values)

    @property
    def reference(self) -> str:
        """The policy that the others are compared with."""
        return self.comparisons[0].reference

    @property
    def others(self) -> list[str]:
        """The policies that are compared with it."""
        return self.comparisons[0].others

    @property
    def days(self) -> int:
        """How many days were played in each cell."""
        return self.comparisons[0].days

    @property
    def seed(self) -> int:
        """Of the days."""
        return self.comparisons[0].seed

    def values(self, cell: Cell, policy: str, metric: str) -> Floats:
        """(days,) a metric of each day."""
        return self.comparisons[cell.number].values[policy][metric]

    def mean(self, cell: Cell, policy: str, metric: str) -> Estimate:
        """Its mean."""
        return estimate(self.values(cell, policy, metric))

    def minus_reference(self, cell: Cell, policy: str, metric: str) -> Estimate:
        """A policy minus the reference in the same cell, day by day."""
        return self.comparisons[cell.number].paired(policy, metric)

    def minus_base(self, cell: Cell, policy: str, metric: str) -> Estimate:
        """A cell minus the base lab under the same policy, day by day."""
        return self.minus(cell, self.sweep.cells[0], policy, metric)

    def minus(self, cell: Cell, other: Cell, policy: str, metric: str) -> Estimate:
        """A cell minus another one under the same policy, day by day."""
        return paired_difference(self.values(cell, policy, metric), self.values(other, policy, metric))

    def effect(self, axis: Axis, policy: str, metric: str) -> Effect:
        """What a field alone does, the others as :meth:`~echo_env.lab.sweep.grid.Sweep.held`.

        :param axis: the field
        :param policy: who decides
        :param metric: one of :data:`~echo_env.lab.simulation.metrics.METRICS`
        """
        cells = self.sweep.along(axis)
        means = np.array([self.mean(cell, policy, metric).mean for cell in cells])
        # Among equals the base lab, where nothing need be changed.
        base = [cell.number == 0 for cell in cells]
        lowest = cells[min(range(len(cells)), key=lambda k: (np.nan_to_num(means[k], nan=math.inf), not base[k]))]
        highest = cells[max(range(len(cells)), key=lambda k: (np.nan_to_num(means[k], nan=-math.inf), base[k]))]
        span = self.minus(highest, lowest, policy, metric)
        return Effect(axis, policy, metric, lowest, highest, span, self.elasticity(axis, policy, metric))

    def effects(self, policy: str, metric: str) -> list[Effect]:
        """Those of all fields, the largest first."""
        effects = [self.effect(axis, policy, metric) for axis in self.sweep.axes]
        return sorted(effects, key=lambda effect: -np.nan_to_num(effect.span.mean))

    def elasticity(self, axis: Axis, policy: str, metric: str) -> Elasticity | None:
        """Percent of a metric for a percent of a field, between the values next to the base lab's on either side.

        The arc elasticity, which divides by the middle of both ends: (dM / (M1 + M2)) / (dx / (x1 + x2)). Its
        interval is that of its first-order expansion in the days' pairs (M1, M2), the delta method.

        :param axis: the field
        :param policy: who decides
        :param metric: one of :data:`~echo_env.lab.simulation.metrics.METRICS`
        :return: None where the field is no number, has one value only, or what would be divided by is 0
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
        """The cell and the policy with the lowest mean of a metric, of the cells whose points are the base lab's."""
        same = [cell for cell in self.sweep.cells if cell.config.penalty == self.sweep.base.penalty]
        every = [(cell, policy) for cell in same for policy in self.policies]
        return min(every, key=lambda pair: np.nan_to_num(self.mean(pair[0], pair[1], metric).mean, nan=math.inf))


def _around(own: float, values: Sequence[float]) -> tuple[float, float] | None:
    """The values next to one's own on either side; its own where there is none; the two nearest if it has none."""
    below, above = [value for value in values if value < own], [value for value in values if value > own]
    if below and above:
        return max(below), min(above)
    # They are in ascending order.
    near: list[Any] = sorted(sorted(values, key=lambda value: abs(value - own))[:2])
    return (near[0], near[1]) if len(near) == 2 else None
