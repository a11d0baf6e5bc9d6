"""Goodness of fit: Kolmogorov-Smirnov distances with p-values by parametric bootstrap.

Check-ins and durations on sheets are whole minutes. The arrival distribution is fitted with the simulator's rounding,
so that simulated check-ins are distributed like the observed ones; exam durations are used unrounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from echo_env.lab.calibration.fitting.laws.maximum_likelihood import arrival_law, exam_law, log_likelihood
from echo_env.lab.config.chance import Arrival, ExamLaw
from echo_env.lab.day.laws import arrival_offsets, duration_probability, exam_minutes, offset_probability

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LawT = TypeVar("LawT", Arrival, ExamLaw)

_EXAM_PARAMETERS = 2
"""Shape and mean."""


class GoodnessOfFit(NamedTuple):
    """Kolmogorov-Smirnov distance with its p-value.

    :param distance: largest difference between the distribution functions at whole minutes
    :param p: parametric-bootstrap p-value: the share of samples drawn from the fitted distribution, with parameters
        estimated again on each, whose distance is at least as large
    """

    distance: float
    p: float


@dataclass(frozen=True)
class Fit(Generic[LawT]):
    """A distribution fitted to a sample.

    :param sample: (n,) int64, observations, minutes
    :param law: the fitted distribution
    :param fit: goodness of fit
    """

    sample: Ints
    law: LawT
    fit: GoodnessOfFit


def fit_arrival(offsets: Ints, base: Arrival, rng: np.random.Generator, resamples: int) -> Fit[Arrival]:
    """Fit the paper's arrival distribution, see :func:`~.maximum_likelihood.arrival_law`.

    :param offsets: (n,) int64, check-in minus expected check-in, whole minutes
    :param base: supplies the parameters that are not fitted
    :param rng: random generator
    :param resamples: samples of the parametric bootstrap
    """

    def draw(law: Arrival) -> Ints:
        side, offset = rng.random((2, len(offsets)))
        return np.ceil(arrival_offsets(law, side, offset)).astype(np.int64)

    return _fit(offsets, lambda seen: arrival_law(seen, base), draw, offset_probability, resamples)


def fit_exam(minutes: Ints, bounds: tuple[float, float], rng: np.random.Generator, resamples: int) -> Fit[ExamLaw]:
    """Fit a gamma distribution truncated to an interval, see :func:`~.maximum_likelihood.exam_law`.

    :param minutes: (n,) int64, durations, minutes
    :param bounds: ends of the interval, minutes
    :param rng: random generator
    :param resamples: samples of the parametric bootstrap
    """

    def draw(law: ExamLaw) -> Ints:
        return np.rint(exam_minutes(law, rng.random(len(minutes)))).astype(np.int64)

    def at_most(law: ExamLaw, minute: ArrayLike) -> Floats:
        # A recorded duration of 30 minutes stands for 29.5 to 30.5.
        return duration_probability(law, np.asarray(minute) + 0.5)

    return _fit(minutes, lambda seen: exam_law(seen, *bounds), draw, at_most, resamples)


def _fit(
    sample: Ints,
    fitted: Callable[[Ints], LawT],
    draw: Callable[[LawT], Ints],
    at_most: Callable[[LawT, ArrayLike], Floats],
    resamples: int,
) -> Fit[LawT]:
    law = fitted(sample)
    distance = distance_to(sample, partial(at_most, law))
    drawn = (draw(law) for _ in range(resamples))
    further = sum(distance_to(one, partial(at_most, fitted(one))) >= distance for one in drawn)
    return Fit(sample, law, GoodnessOfFit(distance, (further + 1) / (resamples + 1)))


def distance_to(sample: Ints, at_most: Callable[[Floats], Floats]) -> float:
    """Kolmogorov-Smirnov distance of a sample of whole minutes from a distribution function.

    :param sample: (n,) whole minutes
    :param at_most: minutes -> distribution function at these minutes
    """
    minutes = np.arange(sample.min() - 1, sample.max() + 1)
    seen = np.searchsorted(np.sort(sample), minutes, side="right") / len(sample)
    return float(np.abs(seen - at_most(minutes.astype(np.float64))).max())


def likelihood_ratio_p(pooled: Fit[ExamLaw], parts: Iterable[Fit[ExamLaw]]) -> float:
    """p-value of the likelihood-ratio test (Wilks) that all parts of a sample have one distribution.

    :param pooled: fit to the union of the parts
    :param parts: fits to its parts
    """
    several = list(parts)
    gain = sum(log_likelihood(part.law, part.sample) for part in several) - log_likelihood(pooled.law, pooled.sample)
    return float(stats.chi2.sf(2 * max(gain, 0), _EXAM_PARAMETERS * (len(several) - 1)))
