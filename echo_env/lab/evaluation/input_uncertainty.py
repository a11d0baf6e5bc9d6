"""Both parts of an interval: what the number of days leaves open, and what the data leave open about the lab.

The labs of a bootstrap play the same days as the lab itself. The spread of their means is what not knowing the lab
amounts to, after the noise that days leave in it is taken off.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.stats import Estimate, estimate, student_quantile
from echo_env.lab.config.lab import Lab
from echo_env.lab.evaluation.comparison import Comparison

Floats = NDArray[np.float64]


class TwoParts(NamedTuple):
    """A mean with both half-widths of its 95 % interval.

    :param mean: mean over the days in the lab itself
    :param simulation: half-width for the number of days
    :param lab: half-width for not knowing the lab
    """

    mean: float
    simulation: float
    lab: float

    @property
    def half_width(self) -> float:
        """Of both together, as they are independent."""
        return math.hypot(self.simulation, self.lab)

    @property
    def whole(self) -> Estimate:
        """Mean with the interval of both."""
        return Estimate(self.mean, self.mean - self.half_width, self.mean + self.half_width, 0)

    @property
    def dominated_by_lab(self) -> bool:
        """Whether not knowing the lab is the larger part."""
        return self.lab > self.simulation

    def as_json(self) -> dict[str, float | None]:
        """Mean and half-widths, with None for nan."""
        numbers = {**self._asdict(), "half_width": self.half_width}
        return {name: None if math.isnan(number) else number for name, number in numbers.items()}


def two_parts(own: Floats, others: Sequence[Floats]) -> TwoParts:
    """Both parts of the interval of a mean.

    The variance between the labs' means has a part that comes from the days: what is left of a day in one lab when the
    mean of the day over all labs is taken off, over the number of days.

    :param own: (days,) values in the lab itself; nan is left out
    :param others: values on the same days in each of several labs, at least 2
    """
    inside = estimate(own)
    values = np.stack(others)
    means, count = _nanmean(values, axis=1), len(values)
    rest = values - _nanmean(values, axis=0)
    noise = _nanvar(rest, axis=1) / np.maximum((~np.isnan(values)).sum(axis=1), 1)
    # Taking off the mean over the labs takes off a part of the noise itself.
    between = float(_nanvar(means, axis=0)) - float(_nanmean(noise, axis=0)) * count / (count - 1)
    half = float(student_quantile(count - 1)) * math.sqrt(max(between, 0.0)) if not np.isnan(between) else math.nan
    return TwoParts(inside.mean, inside.half_width, half)


def _nanmean(values: Floats, axis: int) -> Floats:
    """Mean of the known values; nan where there are none."""
    known = ~np.isnan(values)
    number = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def _nanvar(values: Floats, axis: int) -> Floats:
    """Variance of the known values; nan for fewer than two."""
    known = ~np.isnan(values)
    number = known.sum(axis=axis)
    squares = np.where(known, values - np.expand_dims(_nanmean(values, axis), axis), 0.0) ** 2
    return np.where(number > 1, squares.sum(axis=axis) / np.maximum(number - 1, 1), np.nan)


@dataclass(frozen=True)
class InputUncertainty:
    """Policies compared in a lab, and in labs that it might be as well.

    :param comparison: in the lab itself
    :param labs: in each lab of the bootstrap, on days of the same seed
    :param held: fields that are the same in all of them, because they were edited
    """

    comparison: Comparison
    labs: tuple[Comparison, ...]
    held: tuple[str, ...] = ()

    def mean(self, policy: str, metric: str) -> TwoParts:
        """Mean of a metric, with both parts of its interval."""
        return two_parts(self.comparison.values[policy][metric], [lab.values[policy][metric] for lab in self.labs])

    def paired(self, policy: str, metric: str) -> TwoParts:
        """Mean paired difference to the reference, with both parts."""
        return two_parts(
            _difference(self.comparison, policy, metric), [_difference(c, policy, metric) for c in self.labs]
        )

    def sentence(self, metric: str) -> str:
        """Which part dominates the interval of a metric, over all policies.

        :param metric: name of the metric
        """
        parts = [self.mean(policy, metric) for policy in self.comparison.values]
        return dominates(metric, parts, len(self.labs), self.comparison.days)

    def as_json(self) -> dict[str, Any]:
        """All numbers as nested dicts."""
        of, others = self.comparison, self.comparison.others
        return {
            "labs": len(self.labs),
            "held": list(self.held),
            "policies": {p: {m: self.mean(p, m).as_json() for m in of.metrics} for p in of.values},
            "paired": {p: {m: self.paired(p, m).as_json() for m in of.metrics} for p in others},
        }


def _difference(comparison: Comparison, policy: str, metric: str) -> Floats:
    return comparison.values[policy][metric] - comparison.values[comparison.reference][metric]


def dominates(metric: str, parts: Sequence[TwoParts], labs: int, days: int) -> str:
    """A sentence that says which part of an interval is the larger one.

    :param metric: name of the metric
    :param parts: of each policy
    :param labs: number of labs
    :param days: number of days
    """
    known = [part for part in parts if not math.isnan(part.half_width)]
    if not known:
        return f"{metric}: no interval, because too few days have a value."
    simulation, lab = max(part.simulation for part in known), max(part.lab for part in known)
    if simulation == lab == 0:
        return f"{metric}: the same on all days and in all labs."
    both = f"±{lab:.3g} for not knowing the lab, from {labs} labs; ±{simulation:.3g} for {days} days"
    if lab > simulation:
        return (
            f"{metric}: not knowing the lab dominates ({both}): more recorded visits would help, more days would not."
        )
    return f"{metric}: the number of days dominates ({both}): more days would help."


def with_bootstrap(
    comparison: Comparison, labs: Sequence[Lab], held: tuple[str, ...], play: Callable[[Lab], Comparison]
) -> InputUncertainty:
    """Play the labs of a bootstrap beside the lab itself.

    :param comparison: in the lab itself
    :param labs: of the bootstrap, at least 2
    :param held: fields that are the same in all of them
    :param play: lab -> the same policies compared on days of the same seed
    """
    return InputUncertainty(comparison, tuple(play(lab) for lab in labs), held)
