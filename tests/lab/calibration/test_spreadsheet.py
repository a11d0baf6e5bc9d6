"""Sheets, headers and dates of a whiteboard file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from whiteboards import HEADERS, VISIT

from echo_env.lab.calibration import SpreadsheetError
from echo_env.lab.calibration.cell_log import CellLog
from echo_env.lab.calibration.spreadsheet import KNOWN, Spreadsheet, column_letters, read_spreadsheet

Write = Callable[..., Path]


def read(path: Path) -> tuple[Spreadsheet, dict[str, str]]:
    """A file, and cell -> rule of its remarks."""
    log = CellLog()
    spreadsheet = read_spreadsheet(path, log)
    remarks = log.to_pandas()
    return spreadsheet, dict(zip(remarks["cell"], remarks["rule"], strict=True))


def headers_with(**changed: Any) -> list[Any]:
    """The headers with some changed, by column letter."""
    headers: list[Any] = list(HEADERS)
    for letter, header in changed.items():
        headers["ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(letter)] = header
    return headers


def test_columns_are_found_under_the_real_headers(write_sheets: Write) -> None:
    """The week that the paper is based on could not be read."""
    spreadsheet, rules = read(write_sheets({"Monday (Nov 27)": [VISIT]}))
    (day,) = spreadsheet.days
    assert list(day.columns) == [column.header for column in KNOWN]
    assert list(day.columns.values()) == list(range(27))
    assert (rules["G1"], rules["N1"], rules["D1"]) == ("header_spelling", "header_spaces", "header_spaces")
    assert "O1" not in rules  # as it should be
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
    """A column would be lost for a typing error, or another taken for it."""
    spreadsheet, rules = read(write_sheets({"Monday (Nov 27)": [VISIT]}, headers))
    assert rules[cell] == rule
    if known is not None:
        letter = "B" if rule == "header_unknown" else cell[0]
        assert column_letters(spreadsheet.days[0].columns[known]) == letter


def test_a_second_echo_in_beside_an_echo_out_is_not_read(write_sheets: Write) -> None:
    """A time in would be taken for a time out."""
    headers = headers_with(O="echo time in ", P="echo time out")
    spreadsheet, rules = read(write_sheets({"Monday (Nov 27)": [VISIT]}, headers))
    assert spreadsheet.days[0].columns["echo time out"] == 15
    assert rules["O1"] == "header_unknown"


@pytest.mark.parametrize("letter", ["A", "D", "F", "G", "M", "N", "O", "S", "T"])
def test_a_missing_column_is_named(write_sheets: Write, letter: str) -> None:
    """A lab would be fitted to half the sheets."""
    number = ord(letter) - ord("A")
    path = write_sheets({"Monday (Nov 27)": [VISIT], "Tuesday (Nov 28)": [VISIT]}, headers_with(**{letter: None}))
    with pytest.raises(SpreadsheetError, match=f"^sheet 'Monday .Nov 27.' has no column '{KNOWN[number].header}'$"):
        read(path)


def test_columns_that_feed_nothing_may_be_missing(write_sheets: Write) -> None:
    """A hospital without an EKG column would be turned away."""
    spreadsheet, _ = read(write_sheets({"Monday (Nov 27)": [VISIT]}, headers_with(V=None, W=None, X=None, I=None)))
    assert "ekg in" not in spreadsheet.days[0].columns


def test_titles_above_the_headers_and_empty_rows(write_sheets: Write) -> None:
    """Row numbers in the log would be off, or the title taken for the headers."""
    path = write_sheets({"Monday (Nov 27)": [{}, VISIT, {}, VISIT]})
    import openpyxl

    workbook = openpyxl.load_workbook(path)
    workbook.worksheets[0].insert_rows(1, 2)
    workbook.worksheets[0]["A1"] = "Whiteboard"
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
    """Rows would be of another day."""
    path = write_sheets({name: [VISIT]})
    spreadsheet, rules = read(path)
    # The file was last saved on 2024-01-30, before that year's 29 February: that a Thursday falls on is 1996's.
    expected = dt.date(1996, 2, 29) if name.startswith("Thu") else date
    assert spreadsheet.days[0].date == expected
    year_is_there = any(year in name for year in ("2017", "2023"))
    assert rules.get("") == ("date_unread" if date is None else None if year_is_there else "year_from_file")


def test_sheets_of_notes_are_told_from_days(write_sheets: Write) -> None:
    """Notes would be taken for a day without columns."""
    spreadsheet, _ = read(write_sheets({"Monday (Nov 27)": [VISIT]}, notes=["6 regular echo rooms"]))
    assert [day.name for day in spreadsheet.days] == ["Monday (Nov 27)"]
    assert spreadsheet.notes == {"General Info": (("A1", "6 regular echo rooms"),)}


def test_the_name_of_a_month_or_day_in_a_word_makes_no_day(write_sheets: Write) -> None:
    """A sheet called 'Monthly summary' would be refused for its columns."""
    path = write_sheets({"Monday (Nov 27)": [VISIT]}, notes=["x"])
    import openpyxl

    workbook = openpyxl.load_workbook(path)
    workbook["General Info"].title = "Monthly marks 5"
    workbook.save(path)
    assert list(read(path)[0].notes) == ["Monthly marks 5"]


def test_what_is_no_whiteboard_is_refused_in_one_sentence(write_sheets: Write, tmp_path: Path) -> None:
    """A wrong file would end in a traceback of the library that reads it."""
    board = write_sheets({"Monday (Nov 27)": [VISIT]})
    for name, content, message in (
        ("empty.xlsx", b"", "empty.xlsx is empty, but must be an Excel workbook"),
        ("text.xlsx", b"hello", "text.xlsx cannot be read as an Excel workbook"),
        ("cut.xlsx", board.read_bytes()[:2000], "cut.xlsx cannot be read as an Excel workbook"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SpreadsheetError, match=message) as caught:
            read(tmp_path / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(SpreadsheetError, match=r"no sheet with a day's patients .* its sheets are 'Monday'"):
        read(write_sheets({"Monday": []}))
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "nowhere.xlsx")


def test_letters_of_columns() -> None:
    """The log would name other cells."""
    assert [column_letters(number) for number in (0, 25, 26, 51, 52, 701, 702)] == [
        "A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"
    ]  # fmt: skip
