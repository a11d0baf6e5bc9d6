"""Hard checks of a record, and of a record against a lab."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from workbooks import ENGLISH, table, text_clock, visits, with_no_shows, write_csv, write_xlsx

from echo_env.lab.calibration import ColumnMap, read_visits
from echo_env.lab.calibration.checks import CHECKS, Finding, check_lab, check_visits, refused
from echo_env.lab.calibration.visits import Visits
from echo_env.lab.config import load_lab

RECORD = visits()
COLUMNS = ColumnMap(**ENGLISH)
LAB = load_lab("baseline").replace(rooms__fetal=2)


def read(folder: Path, rows: Sequence[Sequence[Any]], **more: Any) -> Visits:
    """A table, written and read."""
    return read_visits(write_xlsx(folder / "log.xlsx", {"log": rows} | more), COLUMNS)


def names(findings: Sequence[Finding]) -> list[str]:
    """The checks that have found something."""
    return [finding.check for finding in findings]


def test_a_sound_record_passes(tmp_path: Path) -> None:
    """A sound record of a lab raises no finding."""
    sound = read(tmp_path, table(with_no_shows(RECORD), ENGLISH))
    assert check_visits(sound) == []
    assert check_lab(sound, LAB) == []


@pytest.mark.parametrize(
    ("column", "value", "check", "words"),
    [
        ("begin", "soon", "unread", "10 of 30 cells of 'begin' cannot be read, such as 'soon' (log!G3, log!G6"),
        ("day", "Xmas", "unread", "10 of 30 cells of 'day' cannot be read, such as 'Xmas' (log!A3, log!A6"),
        ("scheduled", None, "appointments", "Of 10 of 30 rows nobody knows whether an exam was booked (log!E3, log!E6"),
        ("begin", 17 * 60, "order", "10 of 30 exams end before they begin (log!H3, log!H6"),
        ("actual", 17 * 60, "order", "10 of 30 exams begin before the check-in (log!G3"),
    ],
)
def test_columns_that_are_not_what_they_should_be(
    tmp_path: Path, column: str, value: Any, check: str, words: str
) -> None:
    """A third of a column that is wrong is found with its cells."""
    record = [visit | ({column: value} if k % 3 == 1 and value != "soon" else {}) for k, visit in enumerate(RECORD)]
    rows = table(record, ENGLISH)
    if value == "soon":
        for row in rows[2::3]:
            row[6] = value
    finding = next(one for one in check_visits(read(tmp_path, rows)) if one.check == check)
    assert words in finding.sentence
    assert finding.count == len(finding.cells) == 10
    assert finding.sentence.endswith("and 5 more).")


def test_exams_on_top_of_each_other(tmp_path: Path) -> None:
    """A table of three days that is read as one has exams in rooms that are taken."""
    columns = {field: header for field, header in ENGLISH.items() if field != "day"}
    path = write_csv(tmp_path / "log.csv", table(visits(4, 24), columns, text_clock("%H:%M")))
    found = check_visits(read_visits(path, ColumnMap(**columns)))
    assert names(found) == ["days", "overlaps"]
    assert found[0].sentence == (
        "'log' has no date, and its rows go back in time 3 times, like several days (log!D26, log!D50, log!D74)."
    )


def test_sheets_with_other_columns(tmp_path: Path) -> None:
    """A column that some sheets lack is named with the sheets."""
    later = table(visits(8)[50:], ENGLISH)
    (found,) = check_visits(read(tmp_path, table(RECORD, ENGLISH), other=[row[:-1] for row in later]))
    assert found.sentence == "1 of 2 sheets have no column for 'staff' (other)."


def test_too_many_types(tmp_path: Path) -> None:
    """More exam types than a lab can have are named."""
    (found,) = check_visits(read(tmp_path, table(visits(types=list("abcdefghi")), ENGLISH)))
    assert (found.check, found.count) == ("types", 9)
    assert "at most 8 exam types, but there are 9: a, b, c" in found.sentence


def test_a_lab_that_is_smaller_than_what_was_seen(tmp_path: Path) -> None:
    """Rooms, people, hours and volume of a record are held against the lab."""
    busy = visits(3, 40)
    for k, visit in enumerate(busy):
        visit |= {"room": f"R{k % 9}", "staff": f"P{k % 7}", "end": visit["begin"] + 50}
    record = read(tmp_path, table(busy, ENGLISH))
    of_all, of_fetal, of_staff = check_lab(record, load_lab("scarce"))
    assert "On 3 of 3 days exams took place in more rooms than the lab has, 4: 9 on 2026-03-02" in of_all.sentence
    assert "days fetal exams took place in more rooms than the lab has for them, 1: 9 on" in of_fetal.sentence
    assert "On 3 of 3 days more people examined than the lab has, 3: 7 on 2026-03-02" in of_staff.sentence
    late = load_lab("scarce").replace(
        hours__opening_min=720, hours__closing_min=60, hours__end_min=60, appointments={"fetal": [0], "non_fetal": [0]}
    )
    found = {finding.check: finding.sentence for finding in check_lab(record, late)}
    assert "exams begin outside the hours of the lab, 12:00 to 13:00 (log!G2" in found["hours"]
    assert "40 exams are booked on 2026-03-02, but the rooms of the lab can hold 5 of 50 minutes" in found["volume"]


def test_findings_are_accepted_by_name() -> None:
    """Accepted checks no longer refuse; unknown names are refused."""
    findings = [Finding("unread", "a.", (), 1), Finding("order", "b.", (), 1)]
    assert names(refused(findings, ["unread"])) == ["order"]
    assert refused(findings, list(CHECKS)) == []
    with pytest.raises(ValueError, match=r"--accept is 'oder' \(did you mean order\?\), but must be one of unread, "):
        refused(findings, ["oder"])


def test_rows_without_a_type_and_rows_that_are_there_twice(tmp_path: Path) -> None:
    """Exam types that are missing, and a sheet that was copied, are found."""
    record = [visit | {"type": None} if k % 10 == 0 else visit for k, visit in enumerate(RECORD)]
    (found,) = check_visits(read(tmp_path, table(record, ENGLISH)))
    assert found.sentence == "3 of 30 rows have no exam type (log!C2, log!C12, log!C22)."
    rows = table(RECORD, ENGLISH)
    found_ = check_visits(read(tmp_path, rows, copy=rows))
    assert names(found_) == ["overlaps", "duplicates"]
    assert found_[1].sentence.startswith("30 of 60 exams are on the sheets twice (copy!G2, copy!G3")
