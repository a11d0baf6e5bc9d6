"""Means with confidence intervals, and how many days are enough."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats


class Estimate(NamedTuple):
    """A mean with its 95 % confidence interval.

    :param mean: of the values; nan if there is none
    :param low: lower end of the interval; nan with fewer than two values
    :param high: upper end
    :param n: how many values
    """

    mean: float
    low: float
    high: float
    n: int

    @property
    def half_width(self) -> float:
        """Half the interval's width."""
        return (self.high - self.low) / 2

    def as_json(self) -> dict[str, object]:
        """``{"mean", "ci95": [low, high]}``, with None for nan."""
        mean, low, high = (None if math.isnan(x) else x for x in (self.mean, self.low, self.high))
        return {"mean": mean, "ci95": [low, high]}


def estimate(values: ArrayLike) -> Estimate:
    """Mean and Student's 95 % interval of independent values; nan values are left out.

    :param values: (n,)
    """
    sample = np.asarray(values, dtype=np.float64)
    sample = sample[~np.isnan(sample)]
    n = len(sample)
    if n == 0:
        return Estimate(math.nan, math.nan, math.nan, 0)
    mean = float(sample.mean())
    if n == 1:
        return Estimate(mean, math.nan, math.nan, 1)
    half = float(stats.t.ppf(0.975, n - 1) * sample.std(ddof=1) / math.sqrt(n))
    return Estimate(mean, mean - half, mean + half, n)


def paired_difference(values: ArrayLike, reference: ArrayLike) -> Estimate:
    """Mean of ``values - reference`` on the same days, with its interval.

    :param values: (n,)
    :param reference: (n,), of the same days in the same order
    """
    return estimate(np.asarray(values, dtype=np.float64) - np.asarray(reference, dtype=np.float64))


def over_seeds(means: ArrayLike, day_half_widths: ArrayLike) -> Estimate:
    """Mean over trainings that were all evaluated on the same days, with an interval over both seeds and days.

    The days are common to all trainings, so more trainings do not make the error that comes from them smaller: the
    half-width is ``sqrt(a^2 + b^2)``, with ``a`` Student's half-width of the mean of the trainings and ``b`` the mean
    half-width over the days. That is on the safe side: what chance of the days is not common to all counts twice.

    :param means: (S,) mean of each training over the days
    :param day_half_widths: (S,) half-width of each of these means, over the days
    :return: with one training, the interval over the days
    """
    seeds, half = estimate(means), float(np.mean(np.asarray(day_half_widths, dtype=np.float64)))
    if seeds.n > 1:
        half = math.hypot(seeds.half_width, half)
    return Estimate(seeds.mean, seeds.mean - half, seeds.mean + half, seeds.n)


def days_needed(difference: Estimate) -> float:
    """How many days would make the interval of a difference just exclude 0; inf if the mean is 0.

    :param difference: as measured on some days
    """
    if difference.mean == 0 or math.isnan(difference.half_width):
        return math.inf
    return math.ceil(difference.n * (difference.half_width / difference.mean) ** 2)
