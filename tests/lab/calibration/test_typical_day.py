"""Appointments of a typical day, and resources stated in notes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hospital_sheets import VISIT, clock_text

from echo_env.lab.calibration.calibration import tidy_table
from echo_env.lab.calibration.notes import resources_noted
from echo_env.lab.calibration.reading import read_visits
from echo_env.lab.calibration.typical_day import typical_day

Write = Callable[..., Path]


def visits(*minutes: int, **more: Any) -> list[dict[str, Any]]:
    """Rows with a scheduled echo, expected at the given minutes."""
    return [
        {"pt": k, "expected": clock_text(m), "scheduled": clock_text(m + 15), "actual": "X", **more}
        for k, m in enumerate(minutes)
    ]


def table_of(path: Path) -> Any:
    """The tidy table."""
    return tidy_table(read_visits(path))


def test_mean_number_at_times_in_use(write_sheets: Write) -> None:
    """The typical day has the mean number of appointments, at times in use."""
    sheets = {
        "Monday (Nov 27)": visits(480, 540, 600) + visits(495, fetal="YES"),
        "Tuesday (Nov 28)": visits(480, 540, 700) + visits(555, fetal="YES"),
    }
    found = typical_day(table_of(write_sheets(sheets)))
    # Non-fetal together 480, 480, 540, 540, 600, 700, three a day: ranks 1, 3 and 5 of 0 to 5.
    assert found.times == {"fetal": (555,), "non-fetal": (480, 540, 700)}
    assert found.counts["Monday (Nov 27)"] == {"fetal": 1, "non-fetal": 3}
    assert (found.used, found.incomplete, found.left_out) == (tuple(sheets), (), 0)


def test_days_that_are_the_same_are_the_typical_day(write_sheets: Write) -> None:
    """Identical days average to themselves."""
    times = (480, 510, 510, 540, 615, 900)
    sheets = dict.fromkeys(("Monday (Nov 27)", "Tuesday (Nov 28)", "Wednesday (Nov 29)"), visits(*times))
    assert typical_day(table_of(write_sheets(sheets))).times == {"fetal": (), "non-fetal": times}


def test_incomplete_sheets_are_not_counted(write_sheets: Write) -> None:
    """Incomplete sheets are left out unless there are no others."""
    whole = visits(*range(480, 780, 30))
    half = [*visits(480), *({"pt": 100 + k, "expected": "09:00"} for k in range(9))]
    found = typical_day(table_of(write_sheets({"Monday (Nov 27)": whole, "Tuesday (Nov 28)": half})))
    assert (found.used, found.incomplete) == (("Monday (Nov 27)",), ("Tuesday (Nov 28)",))
    assert len(found.times["non-fetal"]) == 10
    alone = typical_day(table_of(write_sheets({"Tuesday (Nov 28)": half})))
    assert (alone.used, alone.incomplete) == (("Tuesday (Nov 28)",), ("Tuesday (Nov 28)",))


def test_one_sheet_as_it_is(write_sheets: Write) -> None:
    """A single sheet's appointments are used unchanged; an unknown sheet is refused."""
    sheets = {"Monday (Nov 27)": visits(480), "Tuesday (Nov 28)": visits(480, 500, 500), "Friday (Dec 1)": [VISIT]}
    table = table_of(write_sheets(sheets))
    assert typical_day(table, "Tuesday (Nov 28)").times["non-fetal"] == (480, 500, 500)
    with pytest.raises(ValueError, match=r"day is 'Sunday', but must be a sheet with scheduled echoes: Monday"):
        typical_day(table, "Sunday")


def test_rows_without_a_time_or_a_kind_are_left_out(write_sheets: Write) -> None:
    """Rows without a known time or kind are left out and counted."""
    rows = [*visits(480, 540), *visits(600, fetal="maybe"), *visits(660, expected=None)]
    found = typical_day(table_of(write_sheets({"Monday (Nov 27)": rows})))
    assert (found.times["non-fetal"], found.left_out) == ((480, 540), 2)


@pytest.mark.parametrize(
    ("notes", "expected"),
    [
        (["6 regular echo rooms", "1 fetal echo room"], {"rooms.non_fetal": 6, "rooms.fetal": 1}),
        (["Two fetal rooms and 3 non-fetal rooms"], {"rooms.non_fetal": 3, "rooms.fetal": 2}),
        (["A total of 6 sonographers are dedicated (only 4 can do fetals)+ 2 are deployed"],
         {"sonographers": 6, "sonographers.fetal": 4}),
        (["5 sonographers, only two of them can do fetal"], {"sonographers": 5, "sonographers.fetal": 2}),
        (["a 30 minute break and two 15 minute breaks"], {"breaks.number": 2, "breaks.minutes": 15}),
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
