"""Files, sheets, headers and dates of a hospital's record."""

from __future__ import annotations

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

from echo_env.lab.calibration import ColumnsGuessed, SheetError, read_visits
from echo_env.lab.calibration.reading.columns import known_layout
from echo_env.lab.calibration.reading.fields import _PAPER, KNOWN
from echo_env.lab.calibration.reading.grids import MOST_EMPTY, column_letters, read_book
from echo_env.lab.calibration.visits import Visits

Write = Callable[..., Path]


def read(path: Path) -> tuple[Visits, dict[str, str]]:
    """The visits of a file, and cell -> rule of its remarks."""
    visits = read_visits(path)
    remarks = visits.log.to_pandas()
    return visits, dict(zip(remarks["cell"], remarks["rule"], strict=True))


def headers_with(**changed: Any) -> list[Any]:
    """The headers with some replaced, by column letter."""
    headers: list[Any] = list(HEADERS)
    for letter, header in changed.items():
        headers["ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(letter)] = header
    return headers


def test_columns_are_found_under_the_real_headers() -> None:
    """All 27 columns are found under the headers of the real sheets, and variants are logged."""
    layout = known_layout("Monday", {1: tuple(HEADERS)})
    assert layout is not None
    assert list(layout.columns) == [KNOWN[header] for header in _PAPER]
    assert list(layout.columns.values()) == list(range(27))
    rules = {remark.cell: remark.rule for remark in layout.remarks}
    assert (rules["G1"], rules["N1"], rules["D1"]) == ("header_spelling", "header_spaces", "header_spaces")
    assert "O1" not in rules  # well-formed


@pytest.mark.parametrize(
    ("headers", "cell", "rule", "column"),
    [
        (headers_with(G="Actual Check-In / Arrival Time"), "G1", "header_spaces", "actual"),
        (headers_with(G="actual check-in/arrivle time"), "G1", "header_spelling", "actual"),
        (headers_with(T="echo room"), "T1", "header_variant", "room"),
        (headers_with(O="echo time in "), "O1", "header_repeated", "end"),
        (headers_with(B="favourite colour"), "B1", "header_unknown", None),
        (headers_with(B="echo time out"), "O1", "header_unknown", "end"),
    ],
)
def test_variants_of_headers(write_sheets: Write, headers: list[str], cell: str, rule: str, column: str | None) -> None:
    """Variants of a header are matched under their rule; unknown and repeated ones are ignored."""
    visits, rules = read(write_sheets({"Monday (Nov 27)": [VISIT]}, headers))
    assert rules[cell] == rule
    if column is not None:
        letter = "B" if rule == "header_unknown" else cell[0]
        assert visits.columns["Monday (Nov 27)"][column] == letter


def test_a_second_echo_in_beside_an_echo_out_is_not_read(write_sheets: Write) -> None:
    """A second 'echo time in' is ignored if the sheet has an 'echo time out'."""
    headers = headers_with(O="echo time in ", P="echo time out")
    visits, rules = read(write_sheets({"Monday (Nov 27)": [VISIT]}, headers))
    assert visits.columns["Monday (Nov 27)"]["end"] == "P"
    assert rules["O1"] == "header_unknown"


def test_missing_columns_are_named_all_at_once(write_sheets: Write) -> None:
    """A sheet that lacks columns is refused once, with file, sheet, row, and all that it lacks."""
    headers = headers_with(N=None, O=None, P=None, G=None, M=None)
    path = write_sheets({"Monday (Nov 27)": [VISIT], "Tuesday (Nov 28)": [VISIT]}, headers)
    with pytest.raises(
        SheetError,
        match=r"^hospital.xlsx: sheet 'Monday .Nov 27.' has no column for begin of the exam and for end of the exam or "
        r"length of the exam and for scheduled or check-in; its headers, row 1, are 'pt', 'subspecialty',",
    ):
        read(path)


@pytest.mark.parametrize("letter", ["A", "D", "F", "G", "I", "J", "M", "P", "S", "T"])
def test_columns_that_a_lab_can_do_without_may_be_missing(write_sheets: Write, letter: str) -> None:
    """Only begin, end and one of appointment and check-in are needed; what is missing is empty."""
    visits, _ = read(write_sheets({"Monday (Nov 27)": [VISIT, VISIT]}, headers_with(**{letter: None})))
    assert visits.table["exam_min"].tolist() == [40, 40]
    assert visits.types == (("exam",) if letter == "D" else ("non_fetal",))


def test_a_missing_column_under_another_header_is_not_passed_over(write_sheets: Write) -> None:
    """Where a known column is missing and an unknown header is like it, the guess has to be confirmed."""
    path = write_sheets({"Monday (Nov 27)": [VISIT]}, headers_with(G="Arrival Time", T="Raum"))
    with pytest.raises(ColumnsGuessed, match="actual is 'Arrival Time', room is 'Raum'") as caught:
        read(path)
    assert caught.value.columns["begin"] == "echo time in"


def test_titles_above_the_headers_and_empty_rows(write_sheets: Write) -> None:
    """Title rows and empty rows are skipped, and row numbers stay those of the sheet."""
    path = write_sheets({"Monday (Nov 27)": [{}, VISIT, {}, VISIT]})
    workbook = openpyxl.load_workbook(path)
    workbook.worksheets[0].insert_rows(1, 2)
    workbook.worksheets[0]["A1"] = "Echo lab, week 48"
    workbook.save(path)
    visits, rules = read(path)
    assert visits.table["row"].tolist() == [5, 7]
    assert visits.cell(1, "actual") == "Monday (Nov 27)!G7"
    assert rules["G3"] == "header_spelling"


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("Monday (Nov 27)", "2023-11-27"),
        ("Tuesday (Nov28)", "2023-11-28"),
        ("Mon Nov 27, 2017", "2017-11-27"),
        ("Nov. 27", "2023-11-27"),
        ("Thu February 29", "1996-02-29"),
        ("2023-12-01", "2023-12-01"),
        ("27.11.2023", "2023-11-27"),
        ("27.11.", "2023-11-27"),
        ("Friday", None),
        ("Monday (Nov 31)", None),
        ("week 3", None),
    ],
)
def test_dates_in_the_names_of_sheets(write_sheets: Write, name: str, day: str | None) -> None:
    """Dates are read from names of sheets; a missing year follows from weekday and date of saving."""
    visits, rules = read(write_sheets({name: [VISIT]}))
    # The file was last saved on 2024-01-30, before that year's 29 February: the latest on a Thursday is 1996's.
    assert visits.days == (day or name,)
    year_is_there = any(year in name for year in ("2017", "2023"))
    assert rules.get("") == ("date_unread" if day is None else None if year_is_there else "year_from_file")


def test_sheets_of_notes_are_told_from_days(write_sheets: Write) -> None:
    """A sheet without known headers is read as notes, also with a month or weekday inside a word of its name."""
    path = write_sheets({"Monday (Nov 27)": [VISIT]}, notes=["6 regular echo rooms"])
    assert read(path)[0].notes == {"General Info": (("A1", "6 regular echo rooms"),)}
    workbook = openpyxl.load_workbook(path)
    workbook["General Info"].title = "Monthly marks 5"
    workbook.save(path)
    visits, _ = read(path)
    assert (list(visits.notes), len(visits.table)) == (["Monthly marks 5"], 1)


def test_other_files_are_refused_in_one_sentence(write_sheets: Write, tmp_path: Path) -> None:
    """A file that is not a record of visits is refused in one sentence."""
    whole = write_sheets({"Monday (Nov 27)": [VISIT]})
    for name, content, message in (
        ("empty.xlsx", b"", "empty.xlsx is empty, but must be an Excel workbook"),
        ("text.xlsx", b"hello", "text.xlsx cannot be read as an Excel workbook"),
        ("text.ods", b"hello", "text.ods cannot be read as an Excel workbook"),
        ("cut.xlsx", whole.read_bytes()[:2000], "cut.xlsx cannot be read as an Excel workbook"),
        ("secret.xlsx", b"\xd0\xcf" + "EncryptedPackage".encode("utf-16-le"), "secret.xlsx is protected by a password"),
        ("prose.csv", b"Dear all,\nplease find\n", "prose.csv has no sheet with visits .* its sheets are 'prose'"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SheetError, match=message) as caught:
            read(tmp_path / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(SheetError, match=r"no sheet with visits .* its sheets are 'Monday'"):
        read(write_sheets({"Monday": []}))
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "nowhere.xlsx")


def test_a_stray_blank_at_the_end_of_a_sheet_costs_nothing(write_sheets: Write) -> None:
    """A blank in the last row, or the last column, leaves the rows as they are, in a second and a few megabytes."""
    visits = made_up_visits(30, 1)
    expected = read_book(write_sheets({"Monday (Nov 27)": visits})).sheets["Monday (Nov 27)"]
    path = write_sheets({"Monday (Nov 27)": [*visits, *[{}] * 2, {"pt": "Total", "expected": "38"}]})
    workbook = openpyxl.load_workbook(path)
    sheet = workbook.worksheets[0]
    for cell, value in (("A1048576", " "), ("C900000", ""), ("XFD3", " "), ("AB1048570", None)):
        sheet[cell] = value
        sheet[cell].font = openpyxl.styles.Font(bold=True)
    workbook.save(path)
    tracemalloc.start()
    begun = time.process_time()
    rows = read_book(path).sheets["Monday (Nov 27)"]
    took = time.process_time() - begun
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert took < 5
    assert most < 30e6
    last = 1 + len(visits) + 3
    assert {row: values for row, values in rows.items() if row != last} == expected
    assert rows[last][0] == "Total"
    table, rules = read(path)
    assert (len(table.table), rules[f"A{last}"]) == (30, "total_row")


def test_empty_rows_end_a_sheet_only_in_a_long_run(write_sheets: Write) -> None:
    """Visits below hundreds of empty rows are read; a sheet ends after a thousand."""
    visits = [VISIT, *[{}] * (MOST_EMPTY - 1), {**VISIT, "pt": 2}, *[{}] * (MOST_EMPTY + 1), {**VISIT, "pt": 3}]
    assert read(write_sheets({"Monday (Nov 27)": visits}))[0].table["patient"].tolist() == ["1", "2"]


def test_a_wrong_size_in_the_file_hides_no_row(write_sheets: Write) -> None:
    """All rows and columns are read, whatever size the file states for its sheet."""
    path = write_sheets({"Monday (Nov 27)": made_up_visits(5, 1)})
    expected = read_book(path).sheets
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1"', parts[sheet])
    assert b'<dimension ref="A1"' in parts[sheet]
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    assert read_book(path).sheets == expected


def test_letters_of_columns() -> None:
    """Column numbers become spreadsheet letters."""
    assert [column_letters(number) for number in (0, 25, 26, 51, 52, 701, 702)] == [
        "A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"
    ]  # fmt: skip


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    """A named pipe is refused at once, rather than waited for."""
    os.mkfifo(tmp_path / "week.xlsx")
    with pytest.raises(SheetError, match="is not a regular file, but must be an Excel workbook"):
        read_visits(tmp_path / "week.xlsx")
