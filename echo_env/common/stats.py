"""Means with 95 % confidence intervals, and the number of days that is enough."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class Estimate(NamedTuple):
    """A mean with its 95 % confidence interval.

    :param mean: mean of the values; nan if there are none
    :param low: lower end of the interval; nan for fewer than two values
    :param high: upper end of the interval
    :param n: number of values
    """

    mean: float
    low: float
    high: float
    n: int

    @property
    def half_width(self) -> float:
        """Half the interval's width."""
        return (self.high - self.low) / 2

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of 0."""
        return self.low > 0 or self.high < 0

    def as_json(self) -> dict[str, object]:
        """``{"mean", "ci95": [low, high]}``, with None for nan."""
        mean, low, high = (None if math.isnan(x) else x for x in (self.mean, self.low, self.high))
        return {"mean": mean, "ci95": [low, high]}


def student_quantile(freedom: ArrayLike) -> Floats:
    """The 97.5 % quantile of Student's t distribution: half a 95 % interval, in standard errors of a mean.

    :param freedom: degrees of freedom, values less one
    """
    return np.asarray(scipy.special.stdtrit(freedom, 0.975), dtype=np.float64)


def mean_and_half_width(values: Floats) -> tuple[Floats, Floats]:
    """Mean over the first axis, and the half-width of its 95 % interval (Student's; nan for fewer than two values).

    :param values: (n, ...), n at least 1, independent along the first axis
    """
    n = len(values)
    mean = np.asarray(values.mean(axis=0))
    if n < 2:
        return mean, np.full(mean.shape, np.nan)
    return mean, np.asarray(student_quantile(n - 1) * values.std(axis=0, ddof=1) / math.sqrt(n))


def estimate(values: ArrayLike) -> Estimate:
    """Mean and 95 % confidence interval (Student's) of independent values; nan values are left out.

    :param values: (n,)
    """
    sample = np.asarray(values, dtype=np.float64)
    sample = sample[~np.isnan(sample)]
    if not len(sample):
        return Estimate(math.nan, math.nan, math.nan, 0)
    mean, half = map(float, mean_and_half_width(sample))
    return Estimate(mean, mean - half, mean + half, len(sample))


def paired_difference(values: ArrayLike, reference: ArrayLike) -> Estimate:
    """Mean paired difference ``values - reference`` under common random numbers, with its interval.

    :param values: (n,)
    :param reference: (n,), of the same days in the same order
    """
    return estimate(np.asarray(values, dtype=np.float64) - np.asarray(reference, dtype=np.float64))


def ratio_of_sums(values: ArrayLike, weights: ArrayLike) -> Estimate:
    """``sum(values) / sum(weights)`` with its interval: that of the mean of its linearisation (the delta method).

    :param values: (n,), independent along the axis, such as sums over each day
    :param weights: (n,), likewise
    :return: nan where the weights sum to 0
    """
    return estimate(linearised_ratio(values, weights))


def linearised_ratio(values: ArrayLike, weights: ArrayLike) -> Floats:
    """(n,) float64 numbers whose mean is ``sum(values) / sum(weights)`` and whose variation is that of this ratio.

    :param values: (n,), independent along the axis
    :param weights: (n,), likewise
    :return: nan where the weights sum to 0
    """
    above, below = np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    size = float(below.mean()) if len(below) else 0.0
    if size == 0:
        return np.full(above.shape, np.nan)
    ratio = float(above.mean()) / size
    return np.asarray(ratio + (above - ratio * below) / size)


def simultaneous(differences: Floats, comparisons: int) -> list[Estimate]:
    """Mean paired differences with intervals that hold together at 95 % (Bonferroni).

    :param differences: (M, n)
    :param comparisons: how many intervals are given in all, at least 1
    """
    n = differences.shape[1]
    quantile = float(scipy.special.stdtrit(n - 1, 1 - 0.025 / comparisons))
    means = differences.mean(axis=1)
    halves = quantile * differences.std(axis=1, ddof=1) / math.sqrt(n)
    return [
        Estimate(float(mean), float(mean - half), float(mean + half), n)
        for mean, half in zip(means, halves, strict=True)
    ]


def over_seeds(means: ArrayLike, day_half_widths: ArrayLike) -> Estimate:
    """Mean over trainings evaluated on the same days, with an interval over both training seeds and days.

    All trainings share the days, so the error due to the days does not shrink with more trainings: the half-width is
    ``sqrt(a^2 + b^2)``, with ``a`` Student's half-width over the trainings' means and ``b`` the mean half-width over
    the days. This is conservative: day noise that the trainings do not share is counted twice.

    :param means: (S,) mean of each training over the days
    :param day_half_widths: (S,) half-width of each of these means, over the days
    :return: with a single training, the interval over the days
    """
    seeds, half = estimate(means), float(np.mean(np.asarray(day_half_widths, dtype=np.float64)))
    if seeds.n > 1:
        half = math.hypot(seeds.half_width, half)
    return Estimate(seeds.mean, seeds.mean - half, seeds.mean + half, seeds.n)


def days_needed(difference: Estimate) -> float:
    """Number of days at which the interval of a difference would just exclude 0; inf if the mean is 0.

    :param difference: measured on some number of days
    """
    if difference.mean == 0 or math.isnan(difference.half_width):
        return math.inf
    return math.ceil(difference.n * (difference.half_width / difference.mean) ** 2)
