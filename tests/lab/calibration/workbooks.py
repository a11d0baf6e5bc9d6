"""Small records of made-up visits in the formats that clinics keep: a list of visits, written in many ways."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import openpyxl
from hospital_sheets import HEADERS, LETTERS, set_saved

Visit = dict[str, Any]
"""``day`` (a date), ``patient``, ``type``, ``room``, ``staff``, ``came``, and minutes after midnight: ``expected``,
``scheduled``, ``actual``, ``begin``, ``end``."""

MONDAY = dt.date(2026, 3, 2)
SAVED = "2026-04-01"
_ODF = "urn:oasis:names:tc:opendocument:xmlns"
ENGLISH = {
    "day": "Visit date", "patient": "MRN", "type": "Procedure", "expected": "Arrive by", "scheduled": "Appt",
    "actual": "Checked in", "begin": "Scan start", "end": "Scan end", "room": "Scanner", "staff": "Tech",
}  # fmt: skip
GERMAN = {
    "day": "Datum", "patient": "Pat.-Nr.", "type": "Untersuchungsart", "scheduled": "Termin", "actual": "Ankunft",
    "begin": "Beginn", "end": "Ende", "room": "Raum", "staff": "MTA",
}  # fmt: skip


def visits(days: int = 3, a_day: int = 10, seed: int = 1, types: Sequence[str] = ("fetal", "non_fetal")) -> list[Visit]:
    """Visits every quarter of an hour from 08:00, or as close as fits before 16:00, in two rooms; all came."""
    rng = np.random.default_rng(seed)
    made = []
    for day in range(days):
        for number in range(a_day):
            scheduled = 480 + (450 * number // a_day) // 5 * 5
            actual = scheduled - 15 + int(rng.integers(-20, 15))
            begin = max(scheduled, actual + 5) + int(rng.integers(0, 10))
            end = begin + int(rng.integers(20, 60))
            made.append({
                "day": MONDAY + dt.timedelta(day // 5 * 7 + day % 5), "patient": str(100 * (day + 1) + number),
                "type": types[number % len(types)], "expected": scheduled - 15, "scheduled": scheduled,
                "actual": actual, "begin": begin, "end": end, "room": f"R{number % 4}",
                "staff": ("AB", "CD", "EF")[number % 3], "came": "yes",
            })  # fmt: skip
    return made


def with_no_shows(record: Iterable[Visit], every: int = 3) -> list[Visit]:
    """Every third patient did not come."""
    nothing = {"actual": None, "begin": None, "end": None, "room": "", "staff": "", "came": "no"}
    return [visit | nothing if k % every == every - 1 else visit for k, visit in enumerate(record)]


def clock(minute: int | None) -> dt.time | None:
    """As a workbook holds it."""
    return None if minute is None else dt.time(minute // 60, minute % 60)


def text_clock(pattern: str) -> Callable[[int | None], str]:
    """As text, by a pattern such as ``%H:%M``; an empty text for no time."""
    return lambda minute: "" if minute is None else dt.time(minute // 60, minute % 60).strftime(pattern)


def table(
    record: Sequence[Visit], headers: Mapping[str, str], time: Callable[[int | None], Any] = clock, **cells: Any
) -> list[list[Any]]:
    """The rows of one table, headers first.

    :param record: the visits
    :param headers: field -> header; fields without one are left out
    :param time: how a time is written
    :param cells: field -> function of a visit, for cells that are written in another way
    """

    def cell(visit: Visit, field: str) -> Any:
        if field in cells:
            return cells[field](visit)
        value = visit.get(field)
        return time(value) if field in ("expected", "scheduled", "actual", "begin", "end") else value

    return [list(headers.values()), *([cell(visit, field) for field in headers] for visit in record)]


def write_xlsx(path: Path, sheets: Mapping[str, Sequence[Sequence[Any]]]) -> Path:
    """Write a workbook of tables: name of a sheet -> its rows."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for title, rows in sheets.items():
        sheet = workbook.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    workbook.save(path)
    set_saved(path, SAVED)
    return path


def write_csv(path: Path, rows: Iterable[Sequence[Any]], delimiter: str = ",", encoding: str = "utf8") -> Path:
    """Write a table as text."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def write_ods(path: Path, sheets: Mapping[str, Sequence[Sequence[Any]]]) -> Path:
    """Write an OpenDocument sheet, with times as times and dates as dates."""

    def cell(value: Any) -> str:
        if value is None or value == "":
            return "<table:table-cell/>"
        if isinstance(value, dt.time):
            kind, value = "time", f"PT{value.hour:02d}H{value.minute:02d}M00S"
        elif isinstance(value, dt.date):
            kind = "date"
        else:
            return (
                f'<table:table-cell office:value-type="string"><text:p>{escape(str(value))}</text:p></table:table-cell>'
            )
        return f'<table:table-cell office:value-type="{kind}" office:{kind}-value="{value}"/>'

    tables = "".join(
        f'<table:table table:name="{escape(name)}">'
        + "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
        + "</table:table>"
        for name, rows in sheets.items()
    )
    names = " ".join(f'xmlns:{n}="{_ODF}:{n}:1.0"' for n in ("office", "table", "text"))
    content = f"<office:document-content {names}><office:body><office:spreadsheet>{tables}</office:spreadsheet>"
    meta = f'<office:document-meta {names} xmlns:dc="http://purl.org/dc/elements/1.1/"><office:meta><dc:date>{SAVED}'
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", f'<m:manifest xmlns:m="{_ODF}:manifest:1.0"/>')
        archive.writestr("content.xml", f"{content}</office:body></office:document-content>")
        archive.writestr("meta.xml", f"{meta}T12:00:00</dc:date></office:meta></office:document-meta>")
    return path


def whiteboard(record: Sequence[Visit], **cells: Any) -> dict[str, list[list[Any]]]:
    """The paper's sheets: one for each day, with its headers and a blank where nothing is known."""
    names = {"pt": "patient", "expected": "expected", "actual": "actual", "scheduled": "scheduled"}
    names |= {"echo_in": "begin", "echo_out": "end", "who": "staff", "room": "room"}
    own = {"fetal": lambda visit: "YES" if visit["type"] == "fetal" else None, **cells}
    sheets: dict[str, list[list[Any]]] = {}
    for visit in record:
        rows = sheets.setdefault(f"{visit['day']:%A (%b %d)}", [list(HEADERS)])
        row: list[Any] = [None] * len(HEADERS)
        for short, field in names.items():
            value = visit[field]
            row[ord(LETTERS[short]) - ord("A")] = clock(value) if isinstance(value, int) else value or None
        for short, write in own.items():
            row[ord(LETTERS[short]) - ord("A")] = write(visit)
        rows.append(row)
    return sheets
