"""Distributions of a day, and that the same seed is the same day."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from echo_env.lab import ConfigError, LabConfig, sample_day, sample_days
from echo_env.lab.day import NO_SHOW, TURNED_AWAY, check_day

CONFIG = LabConfig.load("baseline")


def test_appointments_are_those_of_figure_1() -> None:
    """The baseline template is the paper's: 9 fetal and 29 non-fetal appointments at the times of figure 1."""
    day = sample_days(CONFIG, 1, seed=0)[0]
    assert len(day.scheduled) == 38
    assert day.fetal.sum() == 9
    assert day.scheduled[day.fetal].tolist() == list(range(15, 500, 60))
    times, counts = np.unique(day.scheduled[~day.fetal], return_counts=True)
    assert times[counts == 2].tolist() == [150, 180, 210, 240, 270, 360, 390, 420, 450]
    assert set(range(0, 511, 30)) | {165, 225} == set(times.tolist())
    assert (np.diff(day.scheduled) >= 0).all()


def test_day_k_of_a_seed_is_one_day() -> None:
    """Day k of a seed is the same day alone, in a batch, and from any first day."""
    days = sample_days(CONFIG, 5, seed=11)
    assert days[3] == sample_days(CONFIG, 2, seed=11, first=2)[1]
    assert days[3] != days[2]
    assert days[3] != sample_days(CONFIG, 4, seed=12)[3]


def test_evaluation_days_are_no_training_days() -> None:
    """Evaluation days differ from the days of an env that was reset with the same seed."""
    training = np.random.default_rng(11)
    trained_on = [sample_day(CONFIG, training).break_draw[0, 0] for _ in range(50)]
    assert not set(trained_on) & {day.break_draw[0, 0] for day in sample_days(CONFIG, 50, seed=11)}


def test_arrivals_follow_section_3_2() -> None:
    """No-show rate, late share, delays and leads of sampled days follow section 3.2."""
    days = sample_days(CONFIG, 2000, seed=1)
    arrival = np.array([day.arrival for day in days])
    scheduled = days[0].scheduled
    # 76,000 patients: a band of four standard errors.
    assert abs((arrival == NO_SHOW).mean() - 0.10) < 4 * np.sqrt(0.09 / arrival.size)
    # Appointments from 09:00 to 15:00, where neither end of the day interferes.
    middle = (scheduled >= 60) & (scheduled <= 420)
    offset = (arrival - scheduled)[:, middle]
    offset = offset[arrival[:, middle] >= 0]
    # The ceiling moves offsets in (-1, 0] to 0: late is offset >= 1.
    late = offset[offset >= 1]
    assert abs(len(late) / len(offset) - 0.8) < 4 * np.sqrt(0.16 / len(offset))
    # The ceiling of an exponential is geometric with mean 1 / (1 - exp(-1/10)).
    mean = 1 / -np.expm1(-0.1)
    assert abs(late.mean() - mean) < 4 * late.std() / np.sqrt(len(late))
    early = -offset[offset <= 0]
    # The floor of an exponential lead of mean 5; its truncation at 60 matters to nobody (6e-6).
    mean = np.exp(-0.2) / -np.expm1(-0.2)
    assert abs(early.mean() - mean) < 4 * early.std() / np.sqrt(len(early))
    assert early.max() <= 60


def test_arrivals_at_the_ends_of_the_day() -> None:
    """Arrivals lie between opening and closing; whoever comes after closing is turned away."""
    days = sample_days(CONFIG.replace(arrival__late_mean_min=60.0, arrival__early_mean_min=40.0), 300, seed=2)
    arrival = np.array([day.arrival for day in days])
    assert set(arrival[arrival < 0].tolist()) == {NO_SHOW, TURNED_AWAY}
    assert arrival.max() == 540
    assert (arrival[:, 0] == 0).any()


def test_durations_follow_the_truncated_gamma() -> None:
    """Sampled exam lengths follow the truncated gamma law of section 3.3."""
    minutes = np.concatenate([day.exam_min for day in sample_days(CONFIG, 500, seed=3)])
    assert minutes.min() >= 20
    assert minutes.max() <= 150
    assert minutes.dtype == np.int64
    # Lengths rounded up: of m minutes are all above m - 1 and up to m.
    share = np.diff(stats.gamma(12, scale=45 / 12).cdf([20, *range(25, 75), 150]))
    observed = np.histogram(minutes, bins=np.array([20, *range(25, 75), 150]) + 0.5)[0]
    assert observed.sum() == len(minutes)
    assert stats.chisquare(observed, share / share.sum() * len(minutes)).pvalue > 1e-3


def test_absence_keeps_one_of_each_kind() -> None:
    """One sonographer of each kind is always present; the others are absent at the absence rate."""
    days = sample_days(CONFIG, 3000, seed=4)
    present = np.array([day.present for day in days])
    assert present[:, 0].all()
    assert present[:, 4].all()
    others = present[:, [1, 2, 3, 5]]
    assert abs((~others).mean() - 0.10) < 4 * np.sqrt(0.09 / others.size)
    assert [day.with_absence_rate(1.0).present.sum() for day in days[:3]] == [2, 2, 2]
    assert [day.with_absence_rate(0.0).present.sum() for day in days[:3]] == [6, 6, 6]


def test_absence_rate_changes_nothing_else() -> None:
    """Another absence rate changes absences alone, and whoever is absent at a low rate is absent at a higher one."""
    day = sample_days(CONFIG, 1, seed=5)[0]
    low, high = day.with_absence_rate(0.1), day.with_absence_rate(0.8)
    assert not (high.present & ~low.present).any()
    assert np.array_equal(low.arrival, high.arrival)
    assert np.array_equal(low.exam_min, high.exam_min)
    with pytest.raises(ConfigError, match=r"1\.5"):
        day.with_absence_rate(1.5)


def test_a_change_of_law_moves_only_its_own_quantity() -> None:
    """A changed parameter changes the quantity it governs and leaves all others equal (common random numbers)."""
    day, slower = (sample_days(c, 1, seed=6)[0] for c in (CONFIG, CONFIG.replace(exam__mean_min=60.0)))
    assert np.array_equal(day.arrival, slower.arrival)
    assert np.array_equal(day.break_draw, slower.break_draw)
    assert (slower.exam_min > day.exam_min).all()


def test_a_day_of_another_lab_is_refused() -> None:
    """A day with arrays of another lab's shapes is refused by name of the array."""
    with pytest.raises(ConfigError, match=r"day.absence_draw has shape \(6,\).*needs \(3,\)"):
        check_day(LabConfig.load("scarce"), sample_days(CONFIG, 1, seed=0)[0])
