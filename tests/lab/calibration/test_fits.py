"""Fitted distributions against closed forms, brute force, and samples from known distributions."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize, stats

from echo_env.lab.calibration.fits import Fit, Fitter, GoodnessOfFit, distance_to, likelihood_ratio_p, share_of
from echo_env.lab.calibration.fitting.laws.maximum_likelihood import (
    arrival_law,
    exam_law,
    log_likelihood,
    tens_above,
    tens_below,
)
from echo_env.lab.config import Arrival, ExamLaw, LabConfig
from echo_env.lab.day.laws import arrival_offsets, duration_probability, exam_minutes, offset_probability

PAPER = LabConfig.load("baseline").arrival
TRUE = replace(PAPER, late_share=0.6, late_mean_min=18.0, early_mean_min=25.0, early_max_min=80.0)
GAMMA = ExamLaw(shape=7.0, mean_min=49.0, shortest_min=20.0, longest_min=90.0)


def drawn_offsets(law: Arrival, count: int, seed: int) -> np.ndarray:
    """Arrival offsets as the simulator draws them, whole minutes."""
    side, offset = np.random.default_rng(seed).random((2, count))
    return np.ceil(arrival_offsets(law, side, offset)).astype(np.int64)


def drawn_lengths(law: ExamLaw, count: int, seed: int) -> np.ndarray:
    """Exam durations in whole minutes."""
    return np.rint(exam_minutes(law, np.random.default_rng(seed).random(count))).astype(np.int64)


def test_wilsons_interval_by_its_formula() -> None:
    """The interval of a proportion is Wilson's."""
    share, n, z = 14 / 111, 111, stats.norm.ppf(0.975)
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    found = share_of(14, 111)
    assert (found.share, found.low, found.high) == pytest.approx((share, middle - half, middle + half))
    assert share_of(0, 5).low == 0
    assert math.isnan(share_of(0, 0).share)


def test_arrival_fit_maximises_the_rounded_likelihood() -> None:
    """The arrival fit maximises the likelihood of offsets rounded as in the simulator."""
    seen = drawn_offsets(TRUE, 200, seed=1)
    law = arrival_law(seen, PAPER)

    def minus_log_likelihood(parameters: np.ndarray) -> float:
        late, early = np.exp(parameters)
        other = replace(PAPER, late_share=law.late_share, late_mean_min=late, early_mean_min=early, early_max_min=80.0)
        return -float(np.log(offset_probability(other, seen) - offset_probability(other, seen - 1)).sum())

    best = optimize.minimize(minus_log_likelihood, np.log([10.0, 10.0]), method="Nelder-Mead").x
    assert law.late_share == (seen > 0).mean()
    assert (law.late_mean_min, law.early_mean_min) == pytest.approx(tuple(np.exp(best)), rel=1e-3)
    assert law.early_max_min == 80


def test_the_mean_delay_in_closed_form() -> None:
    """The fitted mean delay, rounded up, reproduces the sample mean."""
    law = arrival_law(np.array([1, 2, 3, 10, -1]), PAPER)
    # Exponential delays rounded up have the mean 1 / (1 - exp(-1 / m)).
    assert 1 / (1 - math.exp(-1 / law.late_mean_min)) == pytest.approx(4)


def test_sides_without_observations_keep_the_base_mean() -> None:
    """A side without observations keeps the base's mean."""
    late, early = arrival_law(np.array([5, 9]), PAPER), arrival_law(np.array([-5, 0]), PAPER)
    assert (late.late_share, late.early_mean_min, late.early_max_min) == (1.0, 5.0, 60.0)
    assert (early.late_share, early.late_mean_min) == (0.0, 10.0)
    assert arrival_law(np.array([1, 1, 0]), PAPER).late_mean_min == 0


@pytest.mark.parametrize(
    ("above", "expected"), [((60, 59), 60), ((60, 60), 70), ((60, 79), 80), ((60, 80), 90), ((150, 120), 150)]
)
def test_bounds_are_widened_to_the_next_ten(above: tuple[float, float], expected: float) -> None:
    """Upper bounds are raised to the next multiple of ten above the largest observation."""
    assert tens_above(*above) == expected


@pytest.mark.parametrize(
    ("below", "expected"), [((20, 20), 20), ((20, 15), 10), ((20, 10), 0), ((20, 5), 0), ((0, 0), 0)]
)
def test_lower_bounds_too(below: tuple[float, float], expected: float) -> None:
    """Lower bounds are lowered to the next multiple of ten below the smallest observation, at least 0."""
    assert tens_below(*below) == expected


def test_exams_without_truncation_as_scipy_fits_them() -> None:
    """Without truncation the fit equals scipy's maximum-likelihood gamma."""
    seen = drawn_lengths(ExamLaw(7.0, 49.0, 0.0, 1440.0), 76, seed=2)
    shape, _, scale = stats.gamma.fit(seen, floc=0)
    law = exam_law(seen, 0.0, 1440.0)
    assert (law.shape, law.mean_min) == pytest.approx((shape, shape * scale), rel=1e-3)


def test_truncated_exams_by_brute_force() -> None:
    """The truncated fit equals that of a generic optimiser, and so does its likelihood."""
    seen = drawn_lengths(GAMMA, 300, seed=3)
    law = exam_law(seen, 20.0, 90.0)

    def minus_log_likelihood(parameters: np.ndarray) -> float:
        shape, mean = parameters
        gamma = stats.gamma(shape, scale=mean / shape)
        return -float(gamma.logpdf(seen).sum() - len(seen) * np.log(gamma.cdf(90) - gamma.cdf(20)))

    bounds = [(1.0, 30.0), (20.0, 120.0)]
    best = optimize.minimize(minus_log_likelihood, (5.0, 40.0), bounds=bounds, method="L-BFGS-B").x
    assert (law.shape, law.mean_min) == pytest.approx(tuple(best), rel=2e-3)
    assert -log_likelihood(law, seen) == pytest.approx(minus_log_likelihood(np.array([law.shape, law.mean_min])))


def test_known_parameters_are_recovered() -> None:
    """Fits to large samples recover the true parameters within their intervals."""
    fitter = Fitter(np.random.default_rng(0), resamples=40)
    arrival = fitter.arrival(drawn_offsets(TRUE, 4000, seed=4), PAPER)
    exam = fitter.exam(drawn_lengths(GAMMA, 4000, seed=5), 20.0, 90.0)
    for fit, law in ((arrival, TRUE), (exam, GAMMA)):
        for name, (low, high) in fit.intervals.items():
            # The samples are large, so that intervals are narrow; half a width beyond allows for their 5 %.
            margin = (high - low) / 2
            assert low - margin <= getattr(law, name) <= high + margin, name
            assert high - low < 0.3 * abs(getattr(law, name))
        assert fit.fit.p > 0.02
    assert arrival.law.no_show_rate == PAPER.no_show_rate


def test_bootstrap_intervals_have_asymptotic_widths() -> None:
    """Bootstrap intervals have their asymptotic widths."""
    seen = drawn_offsets(replace(PAPER, late_share=0.5, late_mean_min=20.0), 1000, seed=6)
    fit = Fitter(np.random.default_rng(1), resamples=400).arrival(seen, PAPER)
    low, high = fit.intervals["late_share"]
    assert (high - low) / 2 == pytest.approx(1.96 * math.sqrt(0.25 / 1000), rel=0.15)
    low, high = fit.intervals["late_mean_min"]
    assert (high - low) / 2 == pytest.approx(1.96 * 20 / math.sqrt((seen > 0).sum()), rel=0.2)


@pytest.mark.slow
def test_p_values_of_fits_are_uniform_under_the_true_model() -> None:
    """With estimated parameters, p-values are uniform under the true model and small under a wrong one."""
    fitter = Fitter(np.random.default_rng(2), resamples=40)
    exams = [fitter.exam(drawn_lengths(GAMMA, 60, seed), 20.0, 90.0).fit.p for seed in range(20)]
    arrivals = [fitter.arrival(drawn_offsets(TRUE, 60, seed), PAPER).fit.p for seed in range(60)]
    for ps in (exams, arrivals):
        assert stats.kstest(ps, "uniform").pvalue > 1e-3
    assert fitter.exam(np.repeat([30, 80], 50), 20.0, 90.0).fit.p < 0.05
    assert fitter.arrival(np.repeat([-20, 20], 50), PAPER).fit.p < 0.05


def test_p_values_of_fixed_distributions_are_uniform_under_the_true_model() -> None:
    """With fixed parameters, p-values are uniform under the true model and small under a wrong one."""
    fitter = Fitter(np.random.default_rng(3), resamples=100)
    exams = [fitter.exam_test(drawn_lengths(GAMMA, 94, seed), GAMMA).p for seed in range(60)]
    arrivals = [fitter.arrival_test(drawn_offsets(TRUE, 94, seed), TRUE).p for seed in range(60)]
    for ps in (exams, arrivals):
        assert stats.kstest(ps, "uniform").pvalue > 1e-3
    assert fitter.arrival_test(drawn_offsets(TRUE, 94, seed=7), PAPER).p < 0.02
    assert fitter.exam_test(drawn_lengths(GAMMA, 94, seed=8), ExamLaw(12.0, 60.0, 20.0, 150.0)).p < 0.02


def test_kolmogorov_smirnov_distance_by_hand() -> None:
    """The distance equals hand-computed and brute-force values."""
    # Of 1, 2, 2 and 5 none, a quarter, three quarters, ..., all are at most 0, 1, 2, ..., 5; the law has x / 10.
    assert distance_to(np.array([2, 5, 1, 2]), lambda x: x / 10) == pytest.approx(max(0.75 - 0.2, 1 - 0.5))
    # As scipy has it for a law of whole minutes, at the jumps.
    seen = drawn_lengths(GAMMA, 50, seed=9)
    at = np.unique(seen)
    by_hand = max(abs((seen <= m).mean() - float(duration_probability(GAMMA, m))) for m in range(at[0] - 1, at[-1] + 1))
    assert distance_to(seen, lambda x: duration_probability(GAMMA, x)) == pytest.approx(by_hand)


def test_likelihood_ratio_of_two_kinds() -> None:
    """The likelihood-ratio test rejects different kinds and is uniform for equal ones."""

    def plain(minutes: np.ndarray) -> Fit[ExamLaw]:
        return Fit(minutes, exam_law(minutes, 0.0, 300.0), {}, GoodnessOfFit(0.0, 1.0))

    short, long = (drawn_lengths(ExamLaw(7.0, mean, 0.0, 300.0), 200, seed) for mean, seed in ((40, 10), (55, 11)))
    assert likelihood_ratio_p(plain(np.concatenate([short, long])), [plain(short), plain(long)]) < 1e-6
    ps = []
    for seed in range(30):
        parts = np.split(drawn_lengths(ExamLaw(7.0, 45.0, 0.0, 300.0), 120, 100 + seed), [40])
        ps.append(likelihood_ratio_p(plain(np.concatenate(parts)), map(plain, parts)))
    assert stats.kstest(ps, "uniform").pvalue > 1e-3


def test_too_few_resamples_are_refused() -> None:
    """Fewer than 20 bootstrap samples are refused."""
    with pytest.raises(ValueError, match="resamples is 3, but must be a whole number of at least 20"):
        Fitter(np.random.default_rng(0), resamples=3)
