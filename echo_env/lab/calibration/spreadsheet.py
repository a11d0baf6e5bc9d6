"""Reading a hospital's spreadsheet: one sheet a day, with columns located by their headers, and sheets of notes.

The format is that of the week which the paper is based on (section 2): one row a patient and 27 columns, nine of
which the lab is fitted to. :mod:`~echo_env.lab.calibration.rows` interprets the rows.
"""

from __future__ import annotations

import calendar
import datetime as dt
import difflib
import hashlib
import io
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from echo_env.lab.calibration.cell_log import CellLog, Remark


class SpreadsheetError(ValueError):
    """A file that cannot be read as a hospital's spreadsheet; the message is one sentence for its owner."""


class Column(NamedTuple):
    """A known column.

    :param header: standard name: lower case, single spaces, without '(yes/no)'
    :param holds: ``patient``, ``text``, ``yes_no``, ``moment`` (a clock time), ``spell`` (a clock time at which an
        interval starts or ends), ``length`` (a duration), ``people`` or ``room``
    :param needed: whether the lab is fitted to it, so that every day sheet must have it
    """

    header: str
    holds: str
    needed: bool = False


KNOWN = (
    Column("pt", "patient", True),
    Column("subspecialty", "text"),
    Column("chemopatient", "yes_no"),
    Column("fetal", "yes_no", True),
    Column("research", "yes_no"),
    Column("expected check-in/arrival time", "moment", True),
    Column("actual check-in/arrival time", "moment", True),
    Column("pt>10 min late", "yes_no"),
    Column("vitals in", "spell"),
    Column("vitals out", "spell"),
    Column("vitals duration", "length"),
    Column("met vitals cycle time", "yes_no"),
    Column("echo scheduled time", "moment", True),
    Column("echo time in", "spell", True),
    Column("echo time out", "spell", True),
    Column("echo duration", "length"),
    Column("met echo cycle time", "yes_no"),
    Column("echo start late >10 min", "yes_no"),
    Column("sonographer", "people", True),
    Column("echo room number", "room", True),
    Column("echo teaching case", "yes_no"),
    Column("ekg in", "spell"),
    Column("ekg out", "spell"),
    Column("ekg duration", "length"),
    Column("clinic scheduled", "moment"),
    Column("patient in clinic room", "moment"),
    Column("late to clin appt >10", "yes_no"),
)
"""The columns of the paper's day sheets (table 1)."""

BY_HEADER = {column.header: column for column in KNOWN}
VARIANTS = {
    "subspecialty/provider": "subspecialty",
    "pt number": "pt",
    "patient": "pt",
    "echo room": "echo room number",
}
"""Variant header -> standard name."""
Sheet = dict[int, tuple[Any, ...]]
"""Row number, from 1, -> its values."""
MOST_EMPTY = 1_000
"""Empty rows in succession after which a sheet ends: a stray blank far below would make it a million rows long."""
_LEAST_HEADERS = 5
"""Known headers that make a sheet a day sheet, whatever its name."""
_HEADER_AMONG = 10
"""Rows searched for the headers: title rows may precede them."""
_LEAST_LIKENESS = 0.9
"""Least similarity (``difflib`` ratio) of a misspelt header."""
_WEEKDAYS = tuple(name.lower() for name in calendar.day_name)
_MONTHS = tuple(name.lower() for name in calendar.month_name[1:])


@dataclass(frozen=True)
class DaySheet:
    """The sheet of one day.

    :param name: name of the sheet
    :param date: its date, if the name contains one
    :param columns: known header -> column number, from 0
    :param rows: row number, from 1, -> its values; rows without any are left out
    """

    name: str
    date: dt.date | None
    columns: dict[str, int]
    rows: dict[int, tuple[Any, ...]]

    def cell(self, row: int, header: str) -> str:
        """Reference of a cell, such as ``G7``.

        :param row: number of the row, from 1
        :param header: known header of the column
        """
        return f"{column_letters(self.columns[header])}{row}"


@dataclass(frozen=True)
class Spreadsheet:
    """The contents of a file.

    :param name: name of the file
    :param sha256: digest of its bytes
    :param days: the day sheets
    :param notes: all other sheets: name -> (cell reference, text) of every cell with text
    """

    name: str
    sha256: str
    days: tuple[DaySheet, ...]
    notes: dict[str, tuple[tuple[str, str], ...]]


def read_spreadsheet(path: str | Path, log: CellLog) -> Spreadsheet:
    """Read a hospital's spreadsheet (needs openpyxl): the stored values, not the formulas.

    :param path: an Excel workbook (.xlsx)
    :param log: receives remarks on headers and names of sheets
    :raises SpreadsheetError: not a workbook, no day sheet, or a day sheet lacks a needed column
    :raises OSError: the file cannot be opened
    """
    if Path(path).exists() and not (Path(path).is_file() or Path(path).is_dir()):
        # To read a pipe would wait for somebody to write into it.
        raise SpreadsheetError(f"{path} is not a regular file, but must be an Excel workbook (.xlsx)")
    content, name = Path(path).read_bytes(), Path(path).name
    saved, sheets = _read(content, name)
    days, notes = [], {}
    for title, filled in sheets.items():
        header = _header_row(filled, _weekday_and_date(title) is not None)
        if header is not None:
            columns = _columns(name, title, header, filled[header], log)
            patients = {row: values for row, values in filled.items() if row > header}
            days.append(DaySheet(title, _date(title, saved, log), columns, patients))
        else:
            each = ((f"{column_letters(k)}{r}", _text(v)) for r, row in filled.items() for k, v in enumerate(row))
            notes[title] = tuple((cell, text) for cell, text in each if text)
    if not any(day.rows for day in days):
        found = ", ".join(map(repr, sheets))
        raise SpreadsheetError(
            f"{name} has no sheet with a day's patients (a row of headers such as 'echo scheduled time', then a row "
            f"for each patient); its sheets are {found}"
        )
    return Spreadsheet(name, hashlib.sha256(content).hexdigest(), tuple(days), notes)


def column_letters(number: int) -> str:
    """Letters of a column: 0 -> A, 26 -> AA.

    :param number: number of the column, from 0
    """
    high, low = divmod(number, 26)
    return (column_letters(high - 1) if high else "") + chr(ord("A") + low)


def _read(content: bytes, name: str) -> tuple[dt.date, dict[str, Sheet]]:
    """Parse a workbook row by row, so that its size in memory is that of its text.

    :param content: bytes of the file
    :param name: name of the file, for messages
    :return: when it was saved, today if it does not say; and the rows of each sheet that are not empty
    :raises SpreadsheetError: not a workbook
    """
    from openpyxl import load_workbook

    if not content:
        raise SpreadsheetError(f"{name} is empty, but must be an Excel workbook (.xlsx)")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # formats and validations are not used here
            workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            saved = workbook.properties.modified or dt.datetime.now()
            return saved.date(), {sheet.title: _filled_rows(sheet) for sheet in workbook.worksheets}
    except Exception:
        # Depending on where a file is damaged, openpyxl raises errors of zipfile, of the XML parser, and others.
        raise SpreadsheetError(f"{name} cannot be read as an Excel workbook (.xlsx)") from None


def _filled_rows(sheet: Any) -> Sheet:
    """The rows of a sheet that are not empty, all of one width; rows after a long run of empty ones are not read.

    :param sheet: a read-only worksheet
    """
    # The size that a file states for a sheet may be wrong.
    sheet.reset_dimensions()
    filled: Sheet = {}
    last = 0
    for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
        width = max((k for k, value in enumerate(values, start=1) if _text(value)), default=0)
        if width:
            filled[number], last = values[:width], number
        elif number - last > MOST_EMPTY:
            break
    width = max((len(values) for values in filled.values()), default=0)
    return {row: values + (None,) * (width - len(values)) for row, values in filled.items()}


def _text(value: Any) -> str:
    """A value as text without surrounding spaces; empty for None."""
    return "" if value is None else str(value).strip()


def _plain(header: Any) -> str:
    """A header in lower case, with single spaces, without '(yes/no)'."""
    return " ".join(re.sub(r"\(yes/no\)", " ", _text(header).lower()).split())


def _loose(header: str) -> str:
    """A header without spaces and hyphens."""
    return re.sub(r"[\s-]+", "", header)


def _known_header(header: str) -> tuple[str, str]:
    """The known header that matches a plain one, and the name of the rule that matched it; empty if none does."""
    if header in BY_HEADER:
        return header, ""
    by_loose = {_loose(known): known for known in BY_HEADER}
    if _loose(header) in by_loose:
        return by_loose[_loose(header)], "header_spaces"
    if header in VARIANTS:
        return VARIANTS[header], "header_variant"
    near = difflib.get_close_matches(_loose(header), by_loose, n=2, cutoff=_LEAST_LIKENESS)
    return (by_loose[near[0]], "header_spelling") if len(near) == 1 else ("", "header_unknown")


def _header_row(rows: dict[int, tuple[Any, ...]], day: bool) -> int | None:
    """Number of the header row; None in a sheet of notes.

    :param rows: the rows that are not empty
    :param day: whether the sheet is named after a day and must therefore have headers
    """
    for row in list(rows)[:_HEADER_AMONG]:
        known = {_known_header(_plain(value))[0] for value in rows[row] if _text(value)} - {""}
        if len(known) >= _LEAST_HEADERS:
            return row
    return next(iter(rows), None) if day else None


def _columns(file: str, sheet: str, row: int, headers: tuple[Any, ...], log: CellLog) -> dict[str, int]:
    """Known header -> column number.

    :raises SpreadsheetError: a needed column is missing; names file, sheet and column
    """
    columns: dict[str, int] = {}
    known = [_known_header(_plain(found)) for found in headers]
    ends = any(header == "echo time out" for header, _ in known)
    for number, (found, (header, rule)) in enumerate(zip(headers, known, strict=True)):
        if not _text(found):
            continue
        if header == "echo time in" and columns.get(header) == number - 1 and not ends:
            header, rule = "echo time out", "header_repeated"
        if header in columns:
            header, rule = "", "header_unknown"
        if header:
            columns[header] = number
            rule = rule or ("" if found == header else "header_spaces")
        if rule:
            needed = bool(header) and BY_HEADER[header].needed
            log.add(Remark(sheet, f"{column_letters(number)}{row}", header, str(found), rule, header, needed))
    missing = [column.header for column in KNOWN if column.needed and column.header not in columns]
    if missing:
        raise SpreadsheetError(f"{file}: sheet {sheet!r} has no column {missing[0]!r} in its headers, row {row}")
    return columns


def _weekday_and_date(name: str) -> tuple[int | None, int, int, int | None] | None:
    """Weekday, month, day and year in the name of a sheet, as far as present; None if it names no day."""
    words = name.lower()
    weekday = next((k for k, day in enumerate(_WEEKDAYS) if re.search(_short_or_long(day), words)), None)
    iso = re.search(r"(\d{4})-(\d{1,2})-(\d{1,2})", words)
    if iso:
        return weekday, int(iso[2]), int(iso[3]), int(iso[1])
    for month, full in enumerate(_MONTHS, start=1):
        named = re.search(_short_or_long(full) + r"\.?\s*(\d{1,2})(?:\D+(\d{4}))?", words)
        if named:
            return weekday, month, int(named[1]), int(named[2]) if named[2] else None
    return (weekday, 0, 0, None) if weekday is not None else None


def _short_or_long(name: str) -> str:
    """Pattern of a weekday or month: ``tue``, ``tues``, ``tuesday``, but not ``tuesdays`` or ``mon`` inside a word."""
    return rf"\b(?:{'|'.join(name[:n] for n in range(len(name), 2, -1))})(?![a-z])"


def _date(name: str, saved: dt.date, log: CellLog) -> dt.date | None:
    """The date in the name of a sheet; a missing year is inferred from the weekday and the date of saving."""
    weekday, month, day, year = _weekday_and_date(name) or (None, 0, 0, None)
    # A date falls on each weekday within eleven years, 29 February within forty.
    for candidate in range(saved.year, saved.year - 40, -1) if year is None else (year,):
        try:
            date = dt.date(candidate, month, day)
        except ValueError:
            continue
        if year is not None or (date <= saved and weekday in (None, date.weekday())):
            if year is None:
                log.add(Remark(name, "", "name of the sheet", name, "year_from_file", date.isoformat()))
            return date
    log.add(Remark(name, "", "name of the sheet", name, "date_unread"))
    return None
