"""Days of labs with exam types, unscheduled patients, preparation and staff on call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from echo_env.common.config_model import build
from echo_env.lab import ConfigError, LabConfig, sample_days
from echo_env.lab.config import GeneralLabConfig
from echo_env.lab.day import NO_SHOW, NOBODY, TURNED_AWAY, appointment_book, check_day, most_exams, stack_days

LEAST_P = 1e-3
"""Samples count as of a law unless they are rarer than this. Seeds are fixed, so it holds or not."""
DAYS = 4000

DATA: dict[str, Any] = {
    "name": "clinic",
    "hours": {"opening_min": 480, "closing_min": 200, "end_min": 260},
    "exam": {"shape": 12, "mean_min": 20, "shortest_min": 5, "longest_min": 60},
    "arrival": {"no_show_rate": 0.2, "model": "empirical", "offsets_min": [-10, 0, 25]},
    "exam_types": {
        "scan": {
            "appointments": [120, None, 60, 120],
            "check_in_lead_min": 15,
            "preparation": {"minutes": 12},
        },
        "urgent": {
            "appointments": [60],
            "arrival": {"no_show_rate": 0, "model": "empirical", "offsets_min": [3]},
            "exam": {"shape": 4, "mean_min": 50, "shortest_min": 40, "longest_min": 90},
        },
        "walk_in": {
            "appointments": [],
            "unscheduled": {0: 1.5, 60: 6.0, 180: 3.0},
            "preparation": {"shape": 2, "mean_min": 6, "shortest_min": 0, "longest_min": 20},
        },
    },
    "room_groups": {"rooms": {"count": 3}},
    "staff_groups": {
        "doctors": {"count": 2, "absence_rate": 0.5, "always_present": 1},
        "nurses": {
            "count": 3,
            "absence_rate": 0.3,
            "on_call": {"count": 2, "from_min": 30},
            "breaks": {"number": 1, "minutes": 10, "last_probability": 0.5},
        },
    },
}
CLINIC = build(GeneralLabConfig, DATA)
BOOK = appointment_book(CLINIC.plan)
CLINIC_DAYS = sample_days(CLINIC, DAYS, seed=51)


def test_patients_stand_by_time_then_by_type_and_hour() -> None:
    """Patients with an appointment come first, by minute and type; then those who may come, by type, hour and place."""
    booked = ~BOOK.unscheduled
    assert BOOK.scheduled[booked].tolist() == [60, 60, 120, 120]
    assert BOOK.exam_type[booked].tolist() == [0, 1, 0, 0]
    assert BOOK.place[booked].tolist() == [2, 0, 0, 3]
    assert (BOOK.exam_type[4:] == 2).all()
    assert (BOOK.hours[0].begin, BOOK.hours[0].first) == (0, 4)
    for hour, mean in zip(BOOK.hours, (1.5, 6.0, 3.0), strict=True):
        assert BOOK.place[hour.first : hour.first + hour.most].tolist() == list(range(hour.most))
        assert stats.poisson(mean).sf(hour.most) <= 1e-9 < stats.poisson(mean).sf(hour.most - 1)


def test_arrivals_are_around_the_expected_check_in() -> None:
    """Patients come around their appointment less the lead of their type, by the law of their type."""
    arrival = CLINIC_DAYS.arrival
    assert set(arrival[:, 0].tolist()) == {NO_SHOW, 35, 45, 70}
    assert set(arrival[:, 1].tolist()) == {63}
    assert set(arrival[:, 2].tolist()) == set(arrival[:, 3].tolist()) == {NO_SHOW, 95, 105, 130}
    for p in (0, 2, 3):
        observed = np.unique(arrival[:, p], return_counts=True)[1]
        assert stats.chisquare(observed, DAYS * np.array([0.2, *(0.8 / 3,) * 3])).pvalue > LEAST_P
    table = np.histogram2d(arrival[:, 2], arrival[:, 3], bins=[-2, 0, 100, 110, 200])[0]
    assert stats.chi2_contingency(table).pvalue > LEAST_P


@pytest.mark.parametrize(("number", "mean"), [(0, 1.5), (1, 6.0), (2, 3.0)])
def test_unscheduled_patients_come_by_hour(number: int, mean: float) -> None:
    """The number that comes in an hour is Poisson, and the minutes are uniform in it, up to closing."""
    hour = BOOK.hours[number]
    columns = slice(hour.first, hour.first + hour.most)
    arrival, scheduled = CLINIC_DAYS.arrival[:, columns], CLINIC_DAYS.scheduled[:, columns]
    comes = arrival != NOBODY
    # Whoever comes has the first places.
    assert np.array_equal(comes, np.arange(hour.most) < comes.sum(axis=1)[:, None])
    law = stats.poisson(mean)
    # Rare numbers count as one.
    most = int(law.isf(0.01))
    observed = np.bincount(np.minimum(comes.sum(axis=1), most), minlength=most + 1)
    expected = DAYS * np.append(law.pmf(np.arange(most)), law.sf(most - 1))
    assert stats.chisquare(observed, expected).pvalue > LEAST_P
    minutes = np.bincount(scheduled[comes] - hour.begin, minlength=60)
    assert len(minutes) == 60
    assert stats.chisquare(minutes).pvalue > LEAST_P
    late = comes & (scheduled > 200)
    assert np.array_equal(arrival == TURNED_AWAY, late)
    assert late.any() == (number == 2)
    assert np.array_equal(arrival[comes & ~late], scheduled[comes & ~late])
    assert (scheduled[~comes] == -1).all()


def test_lengths_follow_the_law_of_the_type() -> None:
    """Exams and preparations follow the laws of the type: fixed, of one's own, or none."""
    exam, prep, kind = CLINIC_DAYS.exam_min, CLINIC_DAYS.prep_min, CLINIC_DAYS.exam_type
    assert set(prep[:, kind == 0].ravel().tolist()) == {12}
    assert not prep[:, kind == 1].any()
    for minutes, law, edges in (
        (prep[:, kind == 2], stats.gamma(2, scale=3), np.array([0, *range(1, 17), 20])),
        (exam[:, kind == 1], stats.gamma(4, scale=12.5), np.array([40, *range(45, 90, 5), 90])),
        (exam[:, kind == 2], stats.gamma(12, scale=20 / 12), np.array([5, *range(10, 36), 60])),
    ):
        share = np.diff(law.cdf(edges))
        observed = np.histogram(minutes, bins=edges + 0.5)[0]
        assert observed.sum() == minutes.size
        assert stats.chisquare(observed, share / share.sum() * minutes.size).pvalue > LEAST_P


def test_absence_goes_by_group() -> None:
    """Each group has its own absence rate, and whoever is always present is not absent at any rate."""
    absent = ~CLINIC_DAYS.present
    assert not absent[:, 0].any()
    assert abs(absent[:, 1].mean() - 0.5) < 4 * 0.5 / np.sqrt(DAYS)
    assert abs(absent[:, 2:5].mean() - 0.3) < 4 * np.sqrt(0.21 / 3 / DAYS)
    assert CLINIC_DAYS.with_absence_rate(1.0).present[0].tolist() == [True, *[False] * 4, True, True]
    assert CLINIC_DAYS.with_absence_rate(0.0)[0].present.tolist() == [*[True] * 5, False, False]


@pytest.mark.parametrize(
    ("draws", "called"),
    [
        ((1, 1, 0.9, 0.9, 0.9, 1, 1), (False, False)),
        ((1, 0, 0.9, 0.9, 0.9, 1, 1), (False, False)),
        ((1, 1, 0.9, 0.1, 0.9, 1, 1), (True, False)),
        ((1, 0, 0.1, 0.1, 0.9, 1, 1), (True, True)),
        ((1, 1, 0.1, 0.1, 0.1, 1, 1), (True, True)),
    ],
)
def test_who_is_on_call_comes_for_absent_members_of_the_group(
    draws: tuple[float, ...], called: tuple[bool, bool]
) -> None:
    """As many of those on call come as regular members of their group are absent, the first ones first."""
    day = replace(CLINIC_DAYS[0], absence_draw=np.array(draws, dtype=np.float64))
    assert tuple(day.present[5:].tolist()) == called
    assert np.array_equal(stack_days([day, CLINIC_DAYS[1]]).present, [day.present, CLINIC_DAYS[1].present])


def test_breaks_are_drawn_for_those_who_have_them() -> None:
    """Members without breaks by chance have draws of 1, which is no break; the others uniform ones."""
    assert (CLINIC_DAYS.break_draw[:, :2] == 1).all()
    assert stats.kstest(CLINIC_DAYS.break_draw[:200, 2:].ravel(), "uniform").pvalue > LEAST_P


def test_stacked_days_are_the_days() -> None:
    """Days put together one by one are those that were drawn together."""
    stacked = stack_days(list(CLINIC_DAYS[:5]))
    for name in ("scheduled", "arrival", "exam_min", "prep_min", "break_draw", "present"):
        assert np.array_equal(getattr(stacked, name), getattr(CLINIC_DAYS, name)[:5])
    assert stacked.policy_seed == CLINIC_DAYS.policy_seed[:5]


def test_a_long_day_needs_no_more_breaks_than_minutes() -> None:
    """Nobody begins more exams than a day has minutes, so no more draws for breaks are made."""
    config = LabConfig.load("scarce").replace(appointments__non_fetal=tuple(range(500)) * 2)
    assert most_exams(config.plan) == config.hours.end_min
    day = sample_days(config, 1, seed=1)[0]
    assert day.break_draw.shape == (config.sonographers.total, config.hours.end_min)
    check_day(config, day)


def test_a_day_with_a_type_that_the_lab_does_not_have_is_refused() -> None:
    """An exam type that the lab does not have is refused by its number."""
    day = CLINIC_DAYS[0]
    with pytest.raises(ConfigError, match=r"day.exam_type has 3, but the lab 'clinic' has the exam types 0 to 2"):
        check_day(CLINIC, replace(day, exam_type=np.where(day.exam_type == 1, 3, day.exam_type)))
