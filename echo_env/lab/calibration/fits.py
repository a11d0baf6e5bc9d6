"""Distributions fitted to observations: maximum likelihood, bootstrap intervals, goodness of fit.

Check-ins and durations on the sheets are whole minutes. The arrival distribution is fitted with the simulator's
rounding, so that simulated check-ins are distributed like the observed ones; exam durations are used unrounded.
"""

from __future__ import annotations

import math
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
Interval = tuple[float, float]
LawT = TypeVar("LawT", Arrival, ExamLaw)

LEAST_ROWS = 10
"""Smallest sample that a distribution is fitted to."""
_LEAST_RESAMPLES = 20
_MOST_RESAMPLES = 100_000


@dataclass(frozen=True)
class Share:
    """A proportion with its 95 % Wilson interval.

    :param count: numerator
    :param of: denominator
    :param low: lower end of the interval of the proportion
    :param high: upper end
    """

    count: int
    of: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """The proportion; nan if the denominator is 0."""
        return self.count / self.of if self.of else math.nan


def share_of(count: int, of: int) -> Share:
    """A proportion with its interval.

    :param count: numerator
    :param of: denominator
    """
    if not of:
        return Share(0, 0, math.nan, math.nan)
    interval = stats.binomtest(count, of).proportion_ci(0.95, method="wilson")
    return Share(count, of, float(interval.low), float(interval.high))


class GoodnessOfFit(NamedTuple):
    """Kolmogorov-Smirnov distance with its p-value.

    :param distance: largest difference between the distribution functions at whole minutes
    :param p: parametric-bootstrap p-value: the share of samples drawn from the distribution whose distance is at
        least as large; where the parameters were estimated, they are re-estimated on each sample
    """

    distance: float
    p: float


@dataclass(frozen=True)
class Fit(Generic[LawT]):
    """A distribution fitted to a sample.

    :param sample: (n,) int64, observations, minutes
    :param law: the fitted distribution
    :param intervals: parameter -> 95 % bootstrap interval (percentiles)
    :param fit: goodness of fit
    """

    sample: Ints
    law: LawT
    intervals: dict[str, Interval]
    fit: GoodnessOfFit


ARRIVAL_PARAMETERS = ("late_share", "late_mean_min", "early_mean_min", "early_max_min")
EXAM_PARAMETERS = ("shape", "mean_min")


class Fitter:
    """Fits distributions; holds the random generator that bootstrap and tests draw from.

    :param rng: random generator
    :param resamples: bootstrap samples for each interval and each p-value
    :raises ValueError: too few resamples, or more than memory holds
    """

    def __init__(self, rng: np.random.Generator, resamples: int = 1000) -> None:
        if not _LEAST_RESAMPLES <= resamples <= _MOST_RESAMPLES:
            allowed = f"a whole number of at least {_LEAST_RESAMPLES} and at most {_MOST_RESAMPLES:,}"
            raise ValueError(f"resamples is {resamples!r}, but must be {allowed}")
        self._rng, self._resamples = rng, resamples

    def arrival(self, offsets: ArrayLike, base: Arrival) -> Fit[Arrival]:
        """Fit the paper's arrival distribution; see :func:`arrival_law`.

        :param offsets: (n,) check-in minus expected check-in, whole minutes
        :param base: supplies the parameters that are not fitted
        """
        sample = np.asarray(offsets, dtype=np.int64)

        def draw(law: Arrival) -> Ints:
            side, offset = self._rng.random((2, len(sample)))
            return np.ceil(arrival_offsets(law, side, offset)).astype(np.int64)

        return self._fit(sample, lambda seen: arrival_law(seen, base), draw, offset_probability, ARRIVAL_PARAMETERS)

    def exam(self, minutes: ArrayLike, shortest_min: float, longest_min: float) -> Fit[ExamLaw]:
        """Fit a gamma distribution truncated to an interval; see :func:`exam_law`.

        :param minutes: (n,) durations, minutes
        :param shortest_min: lower end of the interval, minutes
        :param longest_min: upper end, minutes
        """
        sample = np.asarray(minutes, dtype=np.int64)

        def draw(law: ExamLaw) -> Ints:
            return np.rint(exam_minutes(law, self._rng.random(len(sample)))).astype(np.int64)

        def at_most(law: ExamLaw, minute: ArrayLike) -> Floats:
            # A recorded duration of 30 minutes stands for 29.5 to 30.5.
            return duration_probability(law, np.asarray(minute) + 0.5)

        def fitted(seen: Ints) -> ExamLaw:
            return exam_law(seen, shortest_min, longest_min)

        return self._fit(sample, fitted, draw, at_most, EXAM_PARAMETERS)

    def _fit(
        self,
        sample: Ints,
        fitted: Callable[[Ints], LawT],
        draw: Callable[[LawT], Ints],
        at_most: Callable[[LawT, ArrayLike], Floats],
        parameters: tuple[str, ...],
    ) -> Fit[LawT]:
        """The fit, its intervals by nonparametric bootstrap, its p-value by parametric bootstrap."""
        law = fitted(sample)
        rows = self._rng.integers(len(sample), size=(self._resamples, len(sample)))
        laws = [fitted(sample[row]) for row in rows]
        values = np.array([[getattr(one, name) for name in parameters] for one in laws])
        low, high = np.quantile(values, [0.025, 0.975], axis=0).tolist()
        distance = distance_to(sample, partial(at_most, law))
        drawn = [draw(law) for _ in range(self._resamples)]
        again = [distance_to(one, partial(at_most, fitted(one))) for one in drawn]
        p = (sum(other >= distance for other in again) + 1) / (self._resamples + 1)
        intervals = dict(zip(parameters, zip(low, high, strict=True), strict=True))
        return Fit(sample, law, intervals, GoodnessOfFit(distance, p))

    def arrival_test(self, offsets: Ints, law: Arrival) -> GoodnessOfFit:
        """Goodness of fit of a fixed arrival distribution, one that was not estimated from the sample.

        :param offsets: (n,) check-in minus expected check-in, whole minutes
        :param law: the fixed distribution
        """
        return self._test(offsets, lambda u: np.ceil(arrival_offsets(law, *u)), lambda x: offset_probability(law, x), 2)

    def exam_test(self, minutes: Ints, law: ExamLaw) -> GoodnessOfFit:
        """As :meth:`arrival_test`, for exam durations.

        :param minutes: (n,) durations, minutes
        :param law: the fixed distribution
        """

        def draw(uniforms: Floats) -> Floats:
            return np.rint(exam_minutes(law, uniforms[0]))

        return self._test(minutes, draw, lambda x: duration_probability(law, x + 0.5), 1)

    def _test(
        self, sample: Ints, draw: Callable[[Floats], Floats], at_most: Callable[[Floats], Floats], uniforms: int
    ) -> GoodnessOfFit:
        """Monte-Carlo p-value; ``draw`` maps (uniforms, n) uniform numbers to a sample of n."""
        distance = distance_to(sample, at_most)
        drawn = (draw(self._rng.random((uniforms, len(sample)))) for _ in range(self._resamples))
        further = sum(distance_to(one.astype(np.int64), at_most) >= distance for one in drawn)
        return GoodnessOfFit(distance, (further + 1) / (self._resamples + 1))


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

    :param pooled: fit to the whole sample
    :param parts: fits to its parts
    """
    several = list(parts)
    gain = sum(log_likelihood(part.law, part.sample) for part in several) - log_likelihood(pooled.law, pooled.sample)
    return float(stats.chi2.sf(2 * max(gain, 0), len(EXAM_PARAMETERS) * (len(several) - 1)))
