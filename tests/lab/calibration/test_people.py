"""Shifts and lunch, from the working days of members of staff."""

from __future__ import annotations

import pandas as pd
import pytest
from lab_weeks import by_the_clock
from simulated_visits import visits_of

from echo_env.lab import load_lab
from echo_env.lab.calibration.fitting.choices import Choices
from echo_env.lab.calibration.fitting.points import fit_points
from echo_env.lab.calibration.fitting.resources.people import (
    WorkingDay,
    lunch_seen,
    names_in,
    two_shifts,
    working_days,
)
from echo_env.lab.calibration.visits import Visits


@pytest.fixture(scope="module")
def unit() -> Visits:
    """Twenty days of an MRI unit with an early, a middle and a late shift and 30 minutes of lunch."""
    return by_the_clock(visits_of(load_lab("mri_unit"), 20, 1), 1)


def test_a_name_beside_another_counts_if_it_also_stands_alone() -> None:
    """Of two in a cell, those seen alone were there; if neither is, both are one."""
    assert names_in(["AB", "AB/CD", "EF/GH"]) == {"AB": ("AB",), "AB/CD": ("AB",), "EF/GH": ("EF/GH",)}


def test_working_days_have_the_exams_of_one_person_on_one_day() -> None:
    """Exams by begin; an exam without an end counts with its begin."""
    rows = [("2026-03-02", "AB", 600, 630), ("2026-03-02", "AB", 500, None), ("2026-03-03", "AB", 510, 540)]
    table = pd.DataFrame(rows, columns=["day", "staff", "begin", "end"]).astype({"begin": "Int64", "end": "Int64"})
    first, second = working_days(table)
    assert (first.day, first.begins.tolist(), first.ends.tolist()) == ("2026-03-02", [500, 600], [500, 630])
    assert (second.day, second.first, second.last) == ("2026-03-03", 510, 540)


def test_two_shifts_are_seen(unit: Visits) -> None:
    """First and last exams of an early and a late shift fall into two groups."""
    shifts = two_shifts(working_days(unit.table[unit.table["begin"].notna()]))
    assert shifts is not None
    assert abs(shifts.early[0] - 7 * 60) <= 15
    assert abs(shifts.late[0] - 13 * 60) <= 30
    assert shifts.early[1] < shifts.late[1]


def test_a_lunch_is_seen_where_everybody_has_one(unit: Visits) -> None:
    """A gap of half an hour that nobody works without, inside the windows of the lab."""
    lunch = lunch_seen(working_days(unit.table[unit.table["begin"].notna()]))
    assert lunch is not None
    assert lunch.minutes == 30
    assert 11 * 60 <= lunch.window[0] < lunch.window[1] <= 15 * 60


def test_shifts_and_lunch_are_in_the_lab(unit: Visits) -> None:
    """Groups are by exam types and shift, each with lunch inside its shift, and the sources say so."""
    points = fit_points(unit, Choices(resamples=20))
    groups = points.config.staff_groups
    assert {name.rpartition("_")[2] for name in groups} == {"early", "late"}
    assert all(group.shift is not None for group in groups.values())
    assert any(group.lunch is not None and group.lunch.minutes == 30 for group in groups.values())
    assert {"shift", "lunch"} <= set(points.frame.sources)


def test_people_who_come_at_any_time_have_no_shifts_and_no_lunch() -> None:
    """An even spread of first exams is not two shifts, and gaps all day long are no lunch."""
    days = []
    for number in range(60):
        begins = pd.array(range(480 + 3 * number, 960, 75)).to_numpy("int64")
        days.append(WorkingDay(str(number), "AB", begins, begins + 40))
    assert two_shifts(days) is None
    assert lunch_seen(days) is None
    assert two_shifts(days[:5]) is None
