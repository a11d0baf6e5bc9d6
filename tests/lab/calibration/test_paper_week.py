"""The paper's own week as it is read; its data does not ship with the package."""

from __future__ import annotations

import pytest
from hospital_sheets import WEEK

from echo_env.lab.calibration import read_visits
from echo_env.lab.calibration.checks import check_lab, check_visits
from echo_env.lab.calibration.visits import Visits
from echo_env.lab.config import load_lab


@pytest.fixture(scope="module")
def week() -> Visits:
    """The week."""
    if not WEEK.is_file():
        pytest.skip(f"{WEEK.name} is not at hand")
    return read_visits(WEEK)


@pytest.mark.parametrize(
    ("column", "count", "total"),
    [
        ("expected", 183, 123_995), ("actual", 134, 90_457), ("scheduled", 111, 75_045), ("begin", 80, 55_155),
        ("end", 76, 55_506), ("offset_min", 94, 249), ("exam_min", 76, 3_741),
    ],
)  # fmt: skip
def test_times(week: Visits, column: str, count: int, total: int) -> None:
    """Each column of times has the values that the first reader of these sheets found, cell for cell."""
    values = week.table[column].dropna()
    assert (len(values), values.sum()) == (count, total)


def test_patients(week: Visits) -> None:
    """Bookings, attendance and types are those that the first reader found."""
    counts = {column: week.table[column].value_counts().to_dict() for column in ("booked", "came", "type")}
    assert counts == {
        "booked": {"yes": 111, "no": 54, "unknown": 19},
        "came": {"yes": 134, "no": 41, "unknown": 9},
        "type": {"non_fetal": 151, "fetal": 33},
    }
    booked = week.table[week.table["booked"] == "yes"]
    assert (booked["came"] == "no").sum() == 14
    assert week.days == tuple(f"2023-{day}" for day in ("11-27", "11-28", "11-29", "11-30", "12-01"))


def test_cells(week: Visits) -> None:
    """As many cells as ever are repaired, kept, dropped and unread."""
    assert week.log.by_action() == {"repaired": 97, "kept": 12, "dropped": 411, "unread": 54}


def test_vitals(week: Visits) -> None:
    """Vitals that were entered one column too far left are read as moved, and lie in the hours."""
    vitals = week.table[["vitals_in", "vitals_out"]]
    assert (vitals.notna().sum() == [101, 101]).all()
    both = vitals.dropna()
    assert (both["vitals_out"] - both["vitals_in"]).between(0, 45).all()


def test_checks(week: Visits) -> None:
    """The record itself is sound; it contradicts the resources that its notes state."""
    assert check_visits(week) == []
    rooms, staff = check_lab(week, load_lab("echo_week"))
    assert rooms.sentence.startswith("On 3 of 4 days fetal exams took place in more rooms than the lab has for them, 1")
    assert staff.sentence.startswith("On 4 of 5 days more people examined than the lab has, 6: 7 on 2023-11-27")
