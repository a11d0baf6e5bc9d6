"""Metrics by exam type and by group, worked out by hand; both engines give the same."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from general_days import day_of, general_lab
from random_labs import random_lab

from echo_env.lab import Day, Lab, load_lab, make_policy, metrics_of, sample_days, simulate
from echo_env.lab.day import NO_SHOW, NOBODY, TURNED_AWAY, appointment_book, stack_days
from echo_env.lab.simulation.metrics import METRICS, day_metrics, day_results, joined_results, metrics_table
from echo_env.lab.simulation.metrics.patient_numbers import percentiles

ENGINES = ("simpy", "compiled")


def numbers(engine: str, config: Lab, day: Day) -> dict[str, float]:
    """The day's metrics under policy 2, by one of the engines."""
    policy = make_policy("policy_2", config)
    if engine == "simpy":
        return day_metrics(simulate(config, day, policy))
    pytest.importorskip("numba")
    from echo_env.lab.evaluation.engines import play_days

    table = metrics_table(config, play_days(config, policy, stack_days([day])))
    return {name: values.item() for name, values in table.items()}


def assert_has(found: dict[str, float], expected: dict[str, float]) -> None:
    """Some of the metrics are these numbers."""
    assert {name: found[name] for name in expected} == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("engine", ENGINES)
def test_waits_of_everybody_who_came(engine: str) -> None:
    """Those left waiting count up to the end of the day, also in the percentile, and as not begun in time."""
    kinds: dict[str, Any] = {"scan": {"appointments": [0, 20, 60, 200]}, "walk_in": {"unscheduled": {60: 0.01}}}
    penalty = {"turned_away": 7.0, "left_waiting": 11.0, "staff_overtime": 0.5}
    config = general_lab(kinds, {"rooms": {"count": 1}}, {"staff": {"count": 1}}, penalty=penalty)
    # Closing at 240, end of the day at 300; one room and one member of staff. Patient 0 is examined from 0 to 50.
    # Patient 1 comes 10 minutes early, waits from 20 to 50, and is examined until 90. The walk-in comes at 70, waits 20
    # minutes, until 120. Patient 2 comes 15 minutes late at 75, waits 45 minutes to 120, and is examined until 300.
    # Patient 3 comes at 205 and is left at 300, after 95 minutes. Another walk-in is turned away.
    people = len(appointment_book(config.plan))
    arrival, exam = np.full(people, NOBODY), np.full(people, 30)
    arrival[[0, 1, 2, 3, 4, 5]] = 0, 10, 75, 205, 70, TURNED_AWAY
    exam[[0, 1, 2, 3, 4]] = 50, 40, 180, 10, 30
    found = numbers(engine, config, day_of(config, arrival.tolist(), exam.tolist()))
    assert_has(
        found,
        {
            "wait_min": 95 / 4, "wait_scan_min": 25, "wait_walk_in_min": 20,
            "overall_wait_min": 190 / 5, "overall_wait_scan_min": 170 / 4, "overall_wait_walk_in_min": 20,
            # Of 0, 20, 30, 45, 95: three fifths of the way from the fourth to the fifth; of four, 0.7 of it.
            "p90_wait_min": 75, "p90_wait_scan_min": 80, "p90_wait_walk_in_min": 20,
            "within_15_min": 1 / 5, "within_15_min_scan": 1 / 4, "within_15_min_walk_in": 0,
            "within_30_min": 3 / 5, "within_30_min_scan": 2 / 4, "within_30_min_walk_in": 1,
            "start_minus_schedule_min": 30, "start_minus_schedule_scan_min": 30,
            "start_minus_schedule_walk_in_min": math.nan,
            "check_in_wait_min": (0 + 40 + 45 + 95 + 20) / 5,
            "served": 4, "left_waiting": 1, "left_waiting_scan": 1, "left_waiting_walk_in": 0,
            "turned_away": 1, "no_show": 0,
            "penalty_turned_away": 7, "penalty_left_waiting": 11, "penalty_staff_overtime": 30,
            "room_utilisation": 1, "sonographer_utilisation": 1, "overtime_min": 60, "staff_overtime_h": 1, "paid_h": 5,
        },
    )  # fmt: skip
    assert found["penalty"] == found["waiting_penalty"] + 48


@pytest.mark.parametrize("engine", ENGINES)
def test_an_early_start_is_in_time(engine: str) -> None:
    """An exam that begins before its appointment counts as begun in time, and lowers the mean of starts."""
    kinds = {"scan": {"appointments": [60, 100, 150]}}
    config = general_lab(kinds, {"rooms": {"count": 1}}, {"staff": {"count": 1}})
    # Taken at 40, 20 minutes early, until 116; the next 16 minutes late; the third does not come.
    found = numbers(engine, config, day_of(config, [40, 100, NO_SHOW], [76, 10, 10]))
    expected = {"start_minus_schedule_min": -2, "within_15_min": 0.5, "within_30_min": 1, "overall_wait_min": 8}
    assert_has(found, {**expected, "no_show": 1, "check_in_wait_min": 8})


@pytest.mark.parametrize("engine", ENGINES)
def test_nobody_came(engine: str) -> None:
    """Means, percentiles and shares over nobody are nan; staff who came are paid all the same."""
    config = general_lab({"scan": {"appointments": [60]}}, {"rooms": {"count": 1}}, {"staff": {"count": 1}})
    found = numbers(engine, config, day_of(config, [NO_SHOW], [10]))
    nobody = ("overall_wait_min", "p90_wait_min", "within_15_min", "start_minus_schedule_min", "check_in_wait_min")
    assert all(math.isnan(found[name]) for name in nobody)
    assert_has(found, {"paid_h": 4, "staff_overtime_h": 0, "room_utilisation": 0, "left_waiting": 0})


@pytest.mark.parametrize("engine", ENGINES)
def test_work_overtime_pay_and_cost_by_group(engine: str) -> None:
    """A handover divides the work; overtime is paid and priced at its factor, beside shifts and open rooms."""
    early = {"count": 1, "shift": {"from_min": 0, "until_min": 60, "hand_over": True}}
    staff = {
        "early": {**early, "price_per_hour": 40.0, "overtime_factor": 1.5},
        "late": {"count": 1, "price_per_hour": 30.0},
        "unable": {"count": 1, "exam_types": ["other"]},
    }
    kinds = {"scan": {"appointments": [20, 40]}, "other": {"appointments": [200]}}
    config = general_lab(kinds, {"rooms": {"count": 3, "price_per_hour": 2.0}, "none": {"count": 0}}, staff)
    # Member 0 does patient 0 from 20 to 75, 15 minutes of it after the shift; member 1 patient 1 from 40 to 75, and
    # then the rest of patient 0, to 100.
    found = numbers(engine, config, day_of(config, [20, 40, NO_SHOW], [80, 35, 10]))
    assert_has(
        found,
        {
            "handovers": 1,
            "staff_overtime_h": 0.25, "staff_overtime_early_h": 0.25, "staff_overtime_late_h": 0,
            "paid_h": 9.25, "paid_early_h": 1.25, "paid_late_h": 4, "paid_unable_h": 4,
            "staff_utilisation_early": 55 / 75, "staff_utilisation_late": 60 / 300, "staff_utilisation_unable": 0,
            "sonographer_utilisation": 115 / 675,
            "room_utilisation": 115 / 900, "room_utilisation_rooms": 115 / 900, "room_utilisation_none": math.nan,
            # 40 for the shift, 15 for overtime, 120 for member 1, and 24 for three rooms in four hours.
            "cost": 40 + 15 + 120 + 24,
        },
    )  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
def test_late_and_missed_lunches(engine: str) -> None:
    """A lunch is late if it begins after the last minute from which it fits, and missed if it does not begin."""
    staff = {
        "staff": {"count": 2, "lunch": {"from_min": 60, "until_min": 100, "minutes": 30, "at_once": 1}},
        "others": {"count": 1, "exam_types": ["none"]},
        "evening": {
            **{"count": 1, "exam_types": ["none"], "absence_rate": 0.5, "on_call": {"count": 1, "from_min": 200}},
            "lunch": {"from_min": 60, "until_min": 100, "minutes": 30},
        },
    }
    kinds = {"scan": {"appointments": [50, 50, 90]}, "none": {}}
    config = general_lab(kinds, {"rooms": {"count": 2}}, staff)
    draws = np.array([1.0, 1.0, 1.0, 0.0, 1.0])
    # Lunch fits from 60 to 70; the exams end at 85 and 90. Who is called at 200 has no lunch to miss.
    found = numbers(engine, config, day_of(config, [50, 50, 90], [35, 40, 10], absence_draw=draws))
    assert_has(found, {"lunches_late": 2, "lunches_late_staff": 2, "lunches_late_evening": 0, "lunches_missed": 0})
    assert "lunches_late_others" not in found
    # Lunch at 70 fits; the other member's exam lasts until the end of the day.
    found = numbers(engine, config, day_of(config, [50, 50, NO_SHOW], [250, 20, 10], absence_draw=draws))
    assert_has(found, {"lunches_late": 0, "lunches_missed": 1})


@pytest.mark.parametrize("engine", ENGINES)
def test_staff_on_call(engine: str) -> None:
    """Who is on call is paid from coming on, and is not absent when nobody calls."""
    staff = {"staff": {"count": 2, "absence_rate": 0.5, "on_call": {"count": 1, "from_min": 60}}}
    config = general_lab({"scan": {"appointments": [0, 0, 50]}}, {"rooms": {"count": 3}}, staff)
    full = numbers(engine, config, day_of(config, [0, 0, 50], [100, 100, 10]))
    assert_has(full, {"absent": 0, "paid_h": 8, "sonographer_utilisation": 210 / 600})
    draws = np.array([1.0, 0.0, 1.0])
    short = numbers(engine, config, day_of(config, [0, 0, 50], [100, 100, 10], absence_draw=draws))
    # Four hours of the one who is there, three of the one who comes at 60.
    assert_has(short, {"absent": 1, "paid_h": 7, "sonographer_utilisation": 210 / 540})


@pytest.mark.parametrize("engine", ENGINES)
def test_closed_rooms_are_not_there(engine: str) -> None:
    """Closed minutes count as there only where an exam goes on, and cost nothing."""
    rooms = {"rooms": {"count": 1, "closed": [{"from_min": 10, "until_min": 50}], "price_per_hour": 6.0}}
    config = general_lab({"scan": {"appointments": [0, 20]}}, rooms, {"staff": {"count": 1}})
    # From 5 to 20, half of it while the room is closed otherwise, and from 50 to 65.
    found = numbers(engine, config, day_of(config, [5, 20], [15, 15]))
    assert_has(found, {"room_utilisation": 30 / 270, "room_utilisation_rooms": 30 / 270, "cost": 20})


def test_metrics_of_the_papers_lab_keep_their_names() -> None:
    """The paper's lab has the metrics of any lab, of its kinds and of its groups, and none of lunch or cost."""
    found = metrics_of(load_lab("scarce"))
    assert set(METRICS) < set(found)
    assert {"wait_fetal_min", "wait_non_fetal_min", "room_utilisation_fetal", "paid_non_fetal_h"} < set(found)
    assert not {"lunches_late", "handovers", "cost"} & set(found)
    assert found["wait_non_fetal_min"].meaning == "mean waiting time of non-fetal patients served"
    assert all(name == metric.name for name, metric in found.items())


def test_a_type_whose_name_is_taken() -> None:
    """An exam type may be called like a word in the name of another metric: both metrics are there."""
    config = general_lab({"late": {"appointments": [0]}}, {"rooms": {"count": 1}}, {"staff": {"count": 1}})
    found = metrics_of(config)
    assert found["wait_late_min"] == METRICS["wait_late_min"]
    assert found["wait_late_min_"].meaning == "mean waiting time of late patients served"


def test_percentiles_are_numpys() -> None:
    """The percentile over some of the patients is that of numpy for those alone."""
    rng = np.random.default_rng(0)
    values, who = rng.integers(0, 100, (50, 9)), rng.random((50, 9)) < 0.5
    found = percentiles(values, who, 0.9)
    for own, counted, number in zip(values, who, found, strict=True):
        assert number == pytest.approx(np.percentile(own[counted], 90) if counted.any() else math.nan, nan_ok=True)


def test_both_engines_give_the_same_on_random_labs() -> None:
    """All metrics of random days of random labs are equal to the bit."""
    pytest.importorskip("numba")
    from echo_env.lab.evaluation.engines import play_days

    for seed in range(12):
        config = random_lab(np.random.default_rng(seed))
        policy, days = make_policy("policy_2", config), sample_days(config, 3, seed)
        simpy = joined_results([day_results(simulate(config, day, policy)) for day in days])
        for name, own, other in zip(simpy._fields, simpy, play_days(config, policy, days), strict=True):
            assert np.array_equal(own, other), (seed, name)
        assert np.array_equal(simpy.overtime_min.sum(axis=1), simpy.units[:, 6]), seed
        table = metrics_table(config, simpy)
        for name, metric in metrics_of(config).items():
            if metric.unit == "share":
                known = table[name][~np.isnan(table[name])]
                assert ((known >= 0) & (known <= 1)).all(), (seed, name)
