"""Appointments of a typical day, and resources stated in notes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hospital_sheets import VISIT, clock_text

from echo_env.lab.calibration.fitting.book import typical_book
from echo_env.lab.calibration.fitting.resources.notes import resources_noted
from echo_env.lab.calibration.reading import read_visits
from echo_env.lab.calibration.visits import Visits

Write = Callable[..., Path]


def visits(*minutes: int, **more: Any) -> list[dict[str, Any]]:
    """Rows with a scheduled echo, expected at the given minutes."""
    return [
        {"pt": k, "expected": clock_text(m), "scheduled": clock_text(m + 15), "actual": "X", **more}
        for k, m in enumerate(minutes)
    ]


LEADS = {"fetal": 15, "non_fetal": 15}
MONDAY, TUESDAY = "2023-11-27", "2023-11-28"


def record_of(path: Path) -> Visits:
    """The record."""
    return read_visits(path)


def test_mean_number_at_times_in_use(write_sheets: Write) -> None:
    """The typical day has the mean number of appointments, at times in use."""
    sheets = {
        "Monday (Nov 27)": visits(480, 540, 600) + visits(495, fetal="YES"),
        "Tuesday (Nov 28)": visits(480, 540, 700) + visits(555, fetal="YES"),
    }
    found = typical_book(record_of(write_sheets(sheets)), LEADS)
    # Non-fetal together 480, 480, 540, 540, 600, 700, three a day: ranks 1, 3 and 5 of 0 to 5.
    assert found.times == {"fetal": (570,), "non_fetal": (495, 555, 715)}
    assert found.counts[MONDAY] == {"fetal": 1, "non_fetal": 3}
    assert (found.used, found.incomplete, found.left_out) == ((MONDAY, TUESDAY), (), 0)


def test_days_that_are_the_same_are_the_typical_day(write_sheets: Write) -> None:
    """Identical days average to themselves."""
    times = (480, 510, 510, 540, 615, 900)
    sheets = dict.fromkeys(("Monday (Nov 27)", "Tuesday (Nov 28)", "Wednesday (Nov 29)"), visits(*times))
    appointments = tuple(minute + 15 for minute in times)
    assert typical_book(record_of(write_sheets(sheets)), LEADS).times == {"non_fetal": appointments}


def test_incomplete_sheets_are_not_counted(write_sheets: Write) -> None:
    """Incomplete sheets are left out unless there are no others."""
    whole = visits(*range(480, 780, 30))
    half = [*visits(480), *({"pt": 100 + k, "expected": "09:00"} for k in range(9))]
    found = typical_book(record_of(write_sheets({"Monday (Nov 27)": whole, "Tuesday (Nov 28)": half})), LEADS)
    assert (found.used, found.incomplete) == ((MONDAY,), (TUESDAY,))
    assert len(found.times["non_fetal"]) == 10
    alone = typical_book(record_of(write_sheets({"Tuesday (Nov 28)": half})), LEADS)
    assert (alone.used, alone.incomplete) == ((TUESDAY,), (TUESDAY,))


def test_one_sheet_as_it_is(write_sheets: Write) -> None:
    """A single sheet's appointments are used unchanged; an unknown sheet is refused."""
    sheets = {"Monday (Nov 27)": visits(480), "Tuesday (Nov 28)": visits(480, 500, 500), "Friday (Dec 1)": [VISIT]}
    record = record_of(write_sheets(sheets))
    for name in ("Tuesday (Nov 28)", TUESDAY):
        assert typical_book(record, LEADS, name).times["non_fetal"] == (495, 515, 515)
    with pytest.raises(ValueError, match=r"day is 'Sunday', but must be a day with appointments: 2023-11-27"):
        typical_book(record, LEADS, "Sunday")


def test_rows_without_a_time_or_a_kind_are_left_out(write_sheets: Write) -> None:
    """Rows without a known time or kind are left out and counted."""
    rows = [*visits(480, 540), *visits(600, fetal="maybe"), *visits(660, expected=None)]
    found = typical_book(record_of(write_sheets({"Monday (Nov 27)": rows})), LEADS)
    assert (found.times["non_fetal"], found.left_out) == ((495, 555, 675), 1)


@pytest.mark.parametrize(
    ("notes", "expected"),
    [
        (["6 regular echo rooms", "1 fetal echo room"], {"rooms.non_fetal": 6, "rooms.fetal": 1}),
        (["Two fetal rooms and 3 non-fetal rooms"], {"rooms.non_fetal": 3, "rooms.fetal": 2}),
        (["A total of 6 sonographers are dedicated (only 4 can do fetals)+ 2 are deployed"],
         {"staff": 6, "staff.fetal": 4}),
        (["5 sonographers, only two of them can do fetal"], {"staff": 5, "staff.fetal": 2}),
        (["a 30 minute break and two 15 minute breaks"],
         {"breaks.number": 2, "breaks.minutes": 15, "lunch.minutes": 30}),
        (["one 20-min break"], {"breaks.number": 1, "breaks.minutes": 20}),
        (["0 fetal echo rooms"], {"rooms.fetal": 0}),
        (["rooms: several", "sonographers: enough"], {}),
        (["6 regular echo rooms", "7 regular echo rooms"], {"rooms.non_fetal": 6}),
    ],
)  # fmt: skip
def test_resources_in_words(notes: list[str], expected: dict[str, int]) -> None:
    """Numbers of rooms, sonographers and breaks are extracted from phrases, with their source."""
    cells = tuple((f"A{number}", text) for number, text in enumerate(notes, start=1))
    found = resources_noted({"General Info": cells})
    assert {name: noted.value for name, noted in found.items()} == expected
    for noted in found.values():
        assert noted.where.startswith("General Info!A")
        assert noted.text in " ".join(notes)
