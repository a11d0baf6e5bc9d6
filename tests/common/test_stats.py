"""Means, confidence intervals, and the number of days needed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from echo_env.common.stats import days_needed, estimate, over_seeds, paired_difference, ratio_of_sums


def test_estimate_by_hand() -> None:
    """The interval is Student's: 1, 2, 3 has mean 2, sd 1, t(2) = 4.3027."""
    got = estimate([1.0, 2.0, 3.0, math.nan])
    assert got.mean == 2
    assert got.n == 3
    assert got.high - got.mean == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    assert got.as_json() == {"mean": 2.0, "ci95": [got.low, got.high]}


def test_too_few_values_give_no_interval() -> None:
    """Fewer than two values give null in JSON, not NaN."""
    assert estimate([5.0]).as_json() == {"mean": 5.0, "ci95": [None, None]}
    assert estimate([]).as_json() == {"mean": None, "ci95": [None, None]}


def test_interval_covers_95_percent_of_the_time() -> None:
    """95 % of the intervals cover the mean."""
    samples = np.random.default_rng(1).normal(3.0, 2.0, size=(4000, 10))
    covered = [estimate(sample).low <= 3.0 <= estimate(sample).high for sample in samples]
    # Band: four standard errors of a proportion.
    assert abs(np.mean(covered) - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 4000)


def test_pairing_removes_what_the_days_share() -> None:
    """Pairing removes the variation that the days share."""
    rng = np.random.default_rng(2)
    day = rng.normal(0, 1000, 100)
    got = paired_difference(day - 1 + rng.normal(0, 0.1, 100), day)
    assert got.low < -1 < got.high < -0.9


def test_days_needed() -> None:
    """The days needed follow from the interval shrinking with the square root of the days."""
    got = estimate(np.tile([0.0, 2.0], 50))
    assert days_needed(got) == math.ceil(100 * got.half_width**2)
    assert days_needed(estimate([1.0, -1.0])) == math.inf


def test_interval_over_seeds_and_days_covers_at_least_95_percent() -> None:
    """Intervals over seeds and shared days cover the mean in at least 95 % of the cases."""
    rng, seeds, days = np.random.default_rng(3), 5, 50
    covered = []
    for _ in range(2000):
        shared = rng.normal(0.0, 20.0, days)
        trainings = -100 + rng.normal(0.0, 3.0, (seeds, 1)) + shared + rng.normal(0.0, 5.0, (seeds, days))
        every = [estimate(training) for training in trainings]
        got = over_seeds([one.mean for one in every], [one.half_width for one in every])
        covered.append(got.low <= -100 <= got.high)
    assert np.mean(covered) > 0.95 - 4 * math.sqrt(0.95 * 0.05 / 2000)
    # Nor so wide that it says nothing.
    assert np.mean(covered) < 0.995


def test_one_training_has_the_interval_of_its_days() -> None:
    """A single training has the interval over its days."""
    assert over_seeds([-10.0], [4.0])[:3] == (-10.0, -14.0, -6.0)


def test_a_ratio_of_sums_has_the_interval_of_its_linearisation() -> None:
    """The mean is the ratio of the sums; with equal weights the interval is that of the mean."""
    values, weights = np.array([1.0, 4.0, 2.0, 5.0]), np.array([1.0, 2.0, 2.0, 3.0])
    assert ratio_of_sums(values, weights).mean == pytest.approx(12 / 8)
    residual = estimate(values - 1.5 * weights)
    assert ratio_of_sums(values, weights).half_width == pytest.approx(residual.half_width / 2)
    assert ratio_of_sums(values, np.full(4, 2.0)) == pytest.approx(estimate(values / 2))
    assert np.isnan(ratio_of_sums(values, np.zeros(4)).mean)
