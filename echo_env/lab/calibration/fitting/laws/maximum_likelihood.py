"""Maximum-likelihood estimates: arrival times in whole minutes, exam durations as a truncated gamma distribution."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from echo_env.lab.config.chance import Arrival, ExamLaw
from echo_env.lab.day.laws import duration_density

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def tens_above(bound: float, largest: float) -> float:
    """The upper bound, raised if an observation reaches it to the next multiple of ten above the largest one.

    :param bound: the bound so far
    :param largest: largest observation
    """
    return bound if largest < bound else 10.0 * (math.floor(largest / 10) + 1)


def tens_below(bound: float, smallest: float) -> float:
    """The lower bound, lowered if an observation lies below it to the next multiple of ten below (at least 0).

    :param bound: the bound so far
    :param smallest: smallest observation
    """
    return bound if smallest >= bound else 10.0 * max(math.ceil(smallest / 10) - 1, 0)


def arrival_law(offsets: Ints, base: Arrival) -> Arrival:
    """Maximum-likelihood arrival distribution, given that the simulator rounds minutes up (section 3.2).

    A recorded delay of k >= 1 minutes is one in (k - 1, k], and a recorded lead of k one in [k, k + 1). Leads are
    truncated at the base's bound or, if a longer one was observed, at the next multiple of ten.

    :param offsets: (n,) int64, check-in minus expected check-in, whole minutes
    :param base: supplies the parameters that are not fitted, and the mean of a side without observations
    """
    late, lead = offsets[offsets > 0], -offsets[offsets <= 0]
    late_mean, early_mean, early_max = base.late_mean_min, base.early_mean_min, base.early_max_min
    if len(late):
        # An exponential delay with mean m, rounded up, is geometric with mean 1 / (1 - exp(-1 / m)).
        mean = float(late.mean())
        late_mean = -1 / math.log1p(-1 / mean) if mean > 1 else 0.0
    if len(lead):
        early_max = tens_above(early_max, float(lead.max()))
        early_mean = _truncated_geometric_mean(float(lead.mean()), early_max)
    return dataclasses.replace(
        base, late_share=len(late) / len(offsets), late_mean_min=late_mean, early_mean_min=early_mean,
        early_max_min=early_max,
    )  # fmt: skip


def _truncated_geometric_mean(mean: float, longest: float) -> float:
    """Mean, before truncation, of the exponential lead whose whole minutes have the given mean; minutes."""

    def minus_log_likelihood(log_m: float) -> float:
        m = math.exp(log_m)
        return mean / m - math.log(-math.expm1(-1 / m)) + math.log(-math.expm1(-longest / m))

    found = optimize.minimize_scalar(minus_log_likelihood, bounds=(math.log(0.05), math.log(1e4)), method="bounded")
    return math.exp(found.x)


def exam_law(minutes: Ints, shortest_min: float, longest_min: float) -> ExamLaw:
    """Maximum-likelihood truncated gamma distribution (section 3.3).

    :param minutes: (n,) int64, durations within the interval, minutes
    :param shortest_min: lower end of the interval, minutes
    :param longest_min: upper end, minutes
    """
    mean, mean_log = float(minutes.mean()), float(np.log(minutes).mean())

    def minus_log_likelihood(parameters: Floats) -> float:
        shape, scale = math.exp(parameters[0]), math.exp(parameters[1] - parameters[0])
        ends = special.gammainc(shape, np.array([shortest_min, longest_min]) / scale)
        within = max(float(ends[1] - ends[0]), 1e-300)
        log_density = (shape - 1) * mean_log - mean / scale - shape * math.log(scale) - math.lgamma(shape)
        return math.log(within) - log_density

    # Start from the moments; a sample without variance would have an infinite shape.
    variance = max(float(minutes.var()), (mean / 99) ** 2)
    found = optimize.minimize(
        minus_log_likelihood, np.log([mean**2 / variance, mean]), method="Nelder-Mead",
        bounds=[(math.log(0.05), math.log(1e4)), (math.log(mean / 10), math.log(mean * 10))],
        options={"xatol": 1e-5, "fatol": 1e-9},
    )  # fmt: skip
    shape, mean_min = np.exp(found.x).tolist()
    return ExamLaw(shape, mean_min, shortest_min, longest_min)


def log_likelihood(law: ExamLaw, minutes: Ints) -> float:
    """Log-likelihood of durations.

    :param law: distribution of exam durations
    :param minutes: (n,) durations, minutes
    """
    return float(np.log(duration_density(law, minutes)).sum())
