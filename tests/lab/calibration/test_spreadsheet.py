"""Sheets, headers and dates of a hospital's spreadsheet."""

from __future__ import annotations

import datetime as dt
import os
import re
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hospital_sheets import HEADERS, VISIT, made_up_visits

from echo_env.lab.calibration import SpreadsheetError
from echo_env.lab.calibration.cell_log import CellLog
from echo_env.lab.calibration.spreadsheet import KNOWN, MOST_EMPTY, Spreadsheet, column_letters, read_spreadsheet

Write = Callable[..., Path]


def read(path: Path) -> tuple[Spreadsheet, dict[str, str]]:
    """A spreadsheet, and cell -> rule of its remarks."""
    log = CellLog()
    spreadsheet = read_spreadsheet(path, log)
    remarks = log.to_pandas()
    return spreadsheet, dict(zip(remarks["cell"], remarks["rule"], strict=True))


def headers_with(**changed: Any) -> list[Any]:
    """The headers with some replaced, by column letter."""
    headers: list[Any] = list(HEADERS)
    for letter, header in changed.items():
        headers["ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(letter)] = header
    return headers


def test_columns_are_found_under_the_real_headers(write_sheets: Write) -> None:
    """All 27 columns are found under the headers of the real sheets."""
    spreadsheet, rules = read(write_sheets({"Monday (Nov 27)": [VISIT]}))
    (day,) = spreadsheet.days
    assert list(day.columns) == [column.header for column in KNOWN]
    assert list(day.columns.values()) == list(range(27))
    assert (rules["G1"], rules["N1"], rules["D1"]) == ("header_spelling", "header_spaces", "header_spaces")
    assert "O1" not in rules  # well-formed
    assert day.cell(2, "actual check-in/arrival time") == "G2"


@pytest.mark.parametrize(
    ("headers", "cell", "rule", "known"),
    [
        (headers_with(G="Actual Check-In / Arrival Time"), "G1", "header_spaces", "actual check-in/arrival time"),
        (headers_with(G="actual check-in/arrivle time"), "G1", "header_spelling", "actual check-in/arrival time"),
        (headers_with(B="subspecialty/provider"), "B1", "header_variant", "subspecialty"),
        (headers_with(O="echo time in "), "O1", "header_repeated", "echo time out"),
        (headers_with(B="favourite colour"), "B1", "header_unknown", None),
        (headers_with(B="echo time out"), "O1", "header_unknown", "echo time out"),
    ],
)
def test_variants_of_headers(write_sheets: Write, headers: list[str], cell: str, rule: str, known: str | None) -> None:
    """Variants of a header are matched under their rule; unknown and repeated ones are ignored."""
    spreadsheet, rules = read(write_sheets({"Monday (Nov 27)": [VISIT]}, headers))
    assert rules[cell] == rule
    if known is not None:
        letter = "B" if rule == "header_unknown" else cell[0]
        assert column_letters(spreadsheet.days[0].columns[known]) == letter


def test_a_second_echo_in_beside_an_echo_out_is_not_read(write_sheets: Write) -> None:
    """A second 'echo time in' is ignored if the sheet has an 'echo time out'."""
    headers = headers_with(O="echo time in ", P="echo time out")
    spreadsheet, rules = read(write_sheets({"Monday (Nov 27)": [VISIT]}, headers))
    assert spreadsheet.days[0].columns["echo time out"] == 15
    assert rules["O1"] == "header_unknown"


@pytest.mark.parametrize("letter", ["A", "D", "F", "G", "M", "N", "O", "S", "T"])
def test_a_missing_column_is_named(write_sheets: Write, letter: str) -> None:
    """A missing column is refused, naming file, sheet, column and header row."""
    number = ord(letter) - ord("A")
    path = write_sheets({"Monday (Nov 27)": [VISIT], "Tuesday (Nov 28)": [VISIT]}, headers_with(**{letter: None}))
    with pytest.raises(
        SpreadsheetError,
        match=f"^hospital.xlsx: sheet 'Monday .Nov 27.' has no column '{KNOWN[number].header}' in its headers, row 1$",
    ):
        read(path)


def test_columns_that_feed_nothing_may_be_missing(write_sheets: Write) -> None:
    """Columns that the lab is not fitted to are optional."""
    spreadsheet, _ = read(write_sheets({"Monday (Nov 27)": [VISIT]}, headers_with(V=None, W=None, X=None, I=None)))
    assert "ekg in" not in spreadsheet.days[0].columns


def test_titles_above_the_headers_and_empty_rows(write_sheets: Write) -> None:
    """Title rows and empty rows are skipped, and row numbers stay those of the sheet."""
    path = write_sheets({"Monday (Nov 27)": [{}, VISIT, {}, VISIT]})
    workbook = openpyxl.load_workbook(path)
    workbook.worksheets[0].insert_rows(1, 2)
    workbook.worksheets[0]["A1"] = "Echo lab, week 48"
    workbook.save(path)
    spreadsheet, rules = read(path)
    assert list(spreadsheet.days[0].rows) == [5, 7]
    assert rules["G3"] == "header_spelling"


@pytest.mark.parametrize(
    ("name", "date"),
    [
        ("Monday (Nov 27)", dt.date(2023, 11, 27)),
        ("Tuesday (Nov28)", dt.date(2023, 11, 28)),
        ("Mon Nov 27, 2017", dt.date(2017, 11, 27)),
        ("Nov. 27", dt.date(2023, 11, 27)),
        ("Thu February 29", dt.date(2024, 2, 29)),
        ("2023-12-01", dt.date(2023, 12, 1)),
        ("Friday", None),
        ("Monday (Nov 31)", None),
        ("week 3", None),
    ],
)
def test_dates_in_the_names_of_sheets(write_sheets: Write, name: str, date: dt.date | None) -> None:
    """Dates are read from names of sheets; a missing year follows from weekday and date of saving."""
    path = write_sheets({name: [VISIT]})
    spreadsheet, rules = read(path)
    # The file was last saved on 2024-01-30, before that year's 29 February: the latest on a Thursday is 1996's.
    expected = dt.date(1996, 2, 29) if name.startswith("Thu") else date
    assert spreadsheet.days[0].date == expected
    year_is_there = any(year in name for year in ("2017", "2023"))
    assert rules.get("") == ("date_unread" if date is None else None if year_is_there else "year_from_file")


def test_sheets_of_notes_are_told_from_days(write_sheets: Write) -> None:
    """A sheet without known headers is read as notes."""
    spreadsheet, _ = read(write_sheets({"Monday (Nov 27)": [VISIT]}, notes=["6 regular echo rooms"]))
    assert [day.name for day in spreadsheet.days] == ["Monday (Nov 27)"]
    assert spreadsheet.notes == {"General Info": (("A1", "6 regular echo rooms"),)}


def test_month_or_weekday_inside_a_word_is_no_date(write_sheets: Write) -> None:
    """A month or weekday inside a word of the name does not make a day sheet."""
    path = write_sheets({"Monday (Nov 27)": [VISIT]}, notes=["x"])
    import openpyxl

    workbook = openpyxl.load_workbook(path)
    workbook["General Info"].title = "Monthly marks 5"
    workbook.save(path)
    assert list(read(path)[0].notes) == ["Monthly marks 5"]


def test_other_files_are_refused_in_one_sentence(write_sheets: Write, tmp_path: Path) -> None:
    """A file that is not a hospital's spreadsheet is refused in one sentence."""
    whole = write_sheets({"Monday (Nov 27)": [VISIT]})
    for name, content, message in (
        ("empty.xlsx", b"", "empty.xlsx is empty, but must be an Excel workbook"),
        ("text.xlsx", b"hello", "text.xlsx cannot be read as an Excel workbook"),
        ("cut.xlsx", whole.read_bytes()[:2000], "cut.xlsx cannot be read as an Excel workbook"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SpreadsheetError, match=message) as caught:
            read(tmp_path / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(SpreadsheetError, match=r"no sheet with a day's patients .* its sheets are 'Monday'"):
        read(write_sheets({"Monday": []}))
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "nowhere.xlsx")


def test_a_stray_blank_at_the_end_of_a_sheet_costs_nothing(write_sheets: Write) -> None:
    """A blank in the last row, or the last column, leaves the rows as they are, in a second and a few megabytes."""
    visits = made_up_visits(30, 1)
    expected = read(write_sheets({"Monday (Nov 27)": visits}))[0].days[0]
    path = write_sheets({"Monday (Nov 27)": [*visits, *[{}] * 2, {"pt": "Total", "expected": "38"}]})
    workbook = openpyxl.load_workbook(path)
    sheet = workbook.worksheets[0]
    for cell, value in (("A1048576", " "), ("C900000", ""), ("XFD3", " "), ("AB1048570", None)):
        sheet[cell] = value
        sheet[cell].font = openpyxl.styles.Font(bold=True)
    workbook.save(path)
    tracemalloc.start()
    begun = time.process_time()
    day = read(path)[0].days[0]
    took = time.process_time() - begun
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert took < 5
    assert most < 30e6
    last = 1 + len(visits) + 3
    assert {row: values for row, values in day.rows.items() if row != last} == expected.rows
    assert day.rows[last][0] == "Total"


def test_empty_rows_end_a_sheet_only_in_a_long_run(write_sheets: Write) -> None:
    """Visits below hundreds of empty rows are read; a sheet ends after a thousand."""
    visits = [VISIT, *[{}] * (MOST_EMPTY - 1), {**VISIT, "pt": 2}, *[{}] * (MOST_EMPTY + 1), {**VISIT, "pt": 3}]
    (day,) = read(write_sheets({"Monday (Nov 27)": visits}))[0].days
    assert [values[0] for values in day.rows.values()] == [1, 2]


def test_a_wrong_size_in_the_file_hides_no_row(write_sheets: Write) -> None:
    """All rows and columns are read, whatever size the file states for its sheet."""
    path = write_sheets({"Monday (Nov 27)": made_up_visits(5, 1)})
    expected = read(path)[0].days
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1"', parts[sheet])
    assert b'<dimension ref="A1"' in parts[sheet]
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    assert read(path)[0].days == expected


def test_letters_of_columns() -> None:
    """Column numbers become spreadsheet letters."""
    assert [column_letters(number) for number in (0, 25, 26, 51, 52, 701, 702)] == [
        "A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"
    ]  # fmt: skip


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    """A named pipe is refused at once, rather than waited for."""
    os.mkfifo(tmp_path / "week.xlsx")
    with pytest.raises(SpreadsheetError, match="is not a regular file, but must be an Excel workbook"):
        read_spreadsheet(tmp_path / "week.xlsx", CellLog())
