"""From a file to :class:`~echo_env.lab.calibration.visits.Visits`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from echo_env.lab.calibration.cell_log import CellLog, Remark
from echo_env.lab.calibration.reading.column_map import ColumnMap
from echo_env.lab.calibration.reading.columns import Layout, known_layout, lacking, mapped_layout, refusal
from echo_env.lab.calibration.reading.dates import date_in_name, weekday_and_date
from echo_env.lab.calibration.reading.fields import FIELDS
from echo_env.lab.calibration.reading.grids import (
    MANY_SHEETS,
    Book,
    Rows,
    SheetError,
    column_letters,
    read_book,
    shown,
    text_of,
)
from echo_env.lab.calibration.reading.guess import ColumnsGuessed, guess, guess_row
from echo_env.lab.calibration.reading.habits import habits_of
from echo_env.lab.calibration.reading.rows import Row, Sheet
from echo_env.lab.calibration.reading.visit import visit_of
from echo_env.lab.calibration.visits import MINUTES, TABLE, Visits

if TYPE_CHECKING:
    import pandas as pd

_FROM = {
    "day": ("day", "session"), "type": ("type", "fetal"), "end": ("end", "length"),
    "booked": ("scheduled", "expected", "status"),
    "came": ("actual", "status", "begin"), "offset_min": ("actual",), "exam_min": ("end", "length"),
}  # fmt: skip
"""Column of the table -> the fields that it is worked out from, where they are not itself."""
_MANY_ROWS = 2_000
"""Rows from which a progress bar is shown."""
LEAST_GUESSED = 3
"""Fields that must be guessed for a sheet to be taken for one of visits."""
_LEAST_UNFILLED = 4
"""Empty rows at the end of a day from which its record is taken to stop there."""


def read_visits(
    path: str | Path, columns: ColumnMap | None = None, log: CellLog | None = None, *, progress: bool = False
) -> Visits:
    """Read a hospital's record of visits (needs pandas): a sheet for each day, or one table of several days.

    :param path: see :func:`~echo_env.lab.calibration.reading.grids.read_book`
    :param columns: which column holds what; by default the headers of the paper's sheets or of the template
    :param log: receives every cell that is repaired, unusual, not used, or unreadable; a new one by default
    :param progress: show how far it is, on a terminal
    :raises ColumnsGuessed: the headers are not known; carries a guess to confirm
    :raises SheetError: not a file of visits, or columns are missing
    :raises OSError: the file cannot be opened
    """
    book, log = read_book(path, progress), CellLog() if log is None else log
    layouts = _layouts(book, columns)
    table = _table(book, layouts, columns or ColumnMap(), log, progress)
    if table.empty:
        raise SheetError(
            f"{book.name} has no sheet with visits (a row of headers such as 'echo scheduled time', then a row for "
            f"each patient); its sheets are {', '.join(map(repr, book.sheets))}"
        )
    _check_others(book, layouts)
    letters = {name: _letters(layout) for name, layout in layouts.items()}
    notes = {name: tuple(_texts(rows)) for name, rows in book.sheets.items() if name not in layouts}
    return Visits(book.name, book.sha256, table, letters, notes, log)


def _letters(layout: Layout) -> dict[str, str]:
    """Column of the table -> letters of the column that it comes from."""
    from_ = {name: _FROM.get(name, (name,)) for name in TABLE}
    found = {name: next((one for one in each if one in layout.columns), "") for name, each in from_.items()}
    return {name: column_letters(layout.columns[one]) for name, one in found.items() if one}


def _texts(rows: Rows) -> Iterator[tuple[str, str]]:
    """Reference and text of every cell that has one."""
    for number, values in rows.items():
        for k, value in enumerate(values):
            if text_of(value):
                yield f"{column_letters(k)}{number}", text_of(value)


def _layouts(book: Book, columns: ColumnMap | None) -> dict[str, Layout]:
    """The sheets that hold visits, with their headers.

    :raises ColumnsGuessed: headers are not known, but alike to others
    :raises SheetError: a sheet lacks needed columns
    """
    if columns is not None:
        return _mapped(book, columns)
    found: dict[str, Layout] = {}
    for sheet, rows in book.sheets.items():
        layout = known_layout(sheet, rows)
        if layout is None and (weekday_and_date(sheet) is None or not rows):
            continue
        _check_known(book, sheet, rows, layout)
        if layout is not None:
            found[sheet] = layout
    return found or _guessed(book)


def _mapped(book: Book, columns: ColumnMap) -> dict[str, Layout]:
    each = {sheet: layout for sheet, rows in book.sheets.items() if (layout := mapped_layout(rows, columns))}
    # A sheet with half of the headers is one of visits whose other headers are misspelt.
    likely = {name: layout for name, layout in each.items() if 2 * len(layout.columns) >= len(columns.headers)}
    if not likely:
        closest = max(each, key=lambda name: len(each[name].columns), default=next(iter(book.sheets)))
        raise refusal(book.name, closest, each.get(closest), book.sheets[closest], columns)
    found = {name for layout in likely.values() for name in layout.columns}
    for sheet, layout in likely.items():
        if lacking(layout.columns) or set(columns.headers) - found:
            raise refusal(book.name, sheet, layout, book.sheets[sheet], columns)
    return likely


def _check_others(book: Book, layouts: dict[str, Layout]) -> None:
    """Refuse a sheet that would pass for notes although it looks like visits."""
    for sheet, rows in book.sheets.items():
        if sheet not in layouts and not lacking(guess(rows)[1]):
            raise SheetError(
                f"{book.name}: sheet {sheet!r} looks like visits, but has other headers than "
                f"{', '.join(map(repr, layouts))}; give all of them the same headers, or take it out"
            )


def _check_known(book: Book, sheet: str, rows: Rows, layout: Layout | None) -> None:
    """Refuse known headers that lack something, be it needed or likely to stand under another header."""
    known = {name: text_of(rows[layout.row][k]) for name, k in layout.columns.items()} if layout else {}
    fields = {name: header for name, header in known.items() if name in FIELDS}
    more = guess_row(rows, layout.row, layout.unknown, fields)[1] if layout else guess(rows)[1]
    lacks = lacking({**fields, **more})
    if more and not lacks:
        raise ColumnsGuessed(book.name, {**fields, **more}, set(more))
    if lacks:
        raise refusal(book.name, sheet, layout, rows, None)


def _guessed(book: Book) -> dict[str, Layout]:
    """Nothing: raises the likeliest guess, if there is any."""
    guesses = {sheet: guess(rows) for sheet, rows in book.sheets.items() if rows}
    sheet = max(guesses, key=lambda name: len(guesses[name][1]), default="")
    if not sheet or len(guesses[sheet][1]) < LEAST_GUESSED:
        return {}
    row, found = guesses[sheet]
    if lacking(found):
        raise refusal(book.name, sheet, Layout(row, dict.fromkeys(found, 0), (), {}), book.sheets[sheet], None)
    raise ColumnsGuessed(book.name, found, set(found))


def _table(book: Book, layouts: dict[str, Layout], columns: ColumnMap, log: CellLog, progress: bool) -> pd.DataFrame:
    """One row a visit."""
    import pandas as pd

    words, order = columns.words(), columns.date_order
    habits = habits_of(book.name, book.sheets, layouts, None if order is None else order == "day_first")
    rows: list[tuple[Row, dict[str, Any]]] = []
    for name, layout in shown(layouts.items(), "reading sheets", progress, MANY_SHEETS):
        layout.log(log)
        below = {number: values for number, values in book.sheets[name].items() if number > layout.row}
        date, year_is_guessed = date_in_name(name, book.saved)
        headers = {k: text_of(value) for k, value in enumerate(book.sheets[name][layout.row]) if text_of(value)}
        sheet = Sheet(
            name, date, layout.columns, headers, words, dict(columns.types), habits, columns.all_hours, book.typed
        )
        read = list(_rows(sheet, below, log, progress))
        if year_is_guessed and date is not None:
            log.add(Remark(name, "", "name of the sheet", name, "year_from_file", date.isoformat()))
        if any(row.day is None for row, _ in read):
            log.add(Remark(name, "", "name of the sheet", name, "date_unread"))
        _settle_empty(read, book.saved)
        rows += read
    table = pd.DataFrame([record for _, record in rows], columns=list(TABLE))
    return table.astype(dict.fromkeys((*MINUTES, "offset_min", "exam_min"), "Int64"))


def _rows(sheet: Sheet, below: Rows, log: CellLog, progress: bool) -> Iterator[tuple[Row, dict[str, Any]]]:
    """The visits of a sheet."""
    seen: set[tuple[str, str]] = set()
    above: dt.date | None = None
    for number, values in shown(below.items(), f"reading {sheet.name}", progress, _MANY_ROWS):
        row = Row(sheet, number, values, log, above)
        record = visit_of(row)
        if record is None:
            continue
        above = row.day
        if (record["day"], record["patient"]) in seen:
            row.note("patient", "patient_twice", record["patient"])
        seen.add((record["day"], record["patient"]))
        yield row, record


def _settle_empty(rows: list[tuple[Row, dict[str, Any]]], saved: dt.date) -> None:
    """Say of booked patients, of whom nothing else is known, whether they came."""
    days: dict[str, list[tuple[Row, dict[str, Any]]]] = {}
    for row, record in rows:
        days.setdefault(record["day"], []).append((row, record))
    for day in days.values():
        filled = [k for k, (row, _) in enumerate(day) if not row.empty_after_booking()]
        end = filled[-1] + 1 if filled else 0
        stops = end if len(day) - end >= _LEAST_UNFILLED or not filled else len(day)
        for k, (row, record) in enumerate(day):
            if record["booked"] != "yes" or record["came"] != "unknown" or not row.empty_after_booking():
                continue
            name = "actual" if row.has("actual") else "begin"
            if k >= stops:
                row.note(name, "record_stops")
            elif row.day is not None and row.day < saved:
                record["came"] = "no"
                row.note(name, "empty_row", "no-show")
