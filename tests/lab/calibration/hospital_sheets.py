"""Synthetic hospital sheets, written cell by cell, and the path of the real week, where available."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Mapping, Sequence
from itertools import count as count_from
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl

HEADERS = [
    "pt", "subspecialty", "chemopatient (yes/no)", "fetal (yes/no)", "research  (yes/no)",
    "expected check-in/arrival time", "actual check in/arival time", "pt>10 min late  (yes/no)", "vitals in ",
    "vitals out", "vitals duration", "met vitals cycle time (yes/no)", "echo scheduled time", "echo time in ",
    "echo time out", "echo duration", "met echo cycle time (yes/no)", "echo start late >10 min (yes/no)",
    "sonographer", "echo room number", "echo teaching case (yes/no)", "ekg in", "ekg out", "ekg duration",
    "clinic scheduled", "patient in clinic room", "late to clin appt >10 (yes/no)",
]  # fmt: skip
"""The headers of the real sheets, misspellings included."""

LETTERS = {
    "pt": "A", "fetal": "D", "expected": "F", "actual": "G", "late": "H", "vitals_in": "I", "vitals_out": "J",
    "scheduled": "M", "echo_in": "N", "echo_out": "O", "length": "P", "who": "S", "room": "T", "ekg_in": "V",
    "clinic": "Y",
}  # fmt: skip
"""Short names of columns -> their letters."""

VISIT = {
    "pt": 1, "expected": "08:15", "actual": "08:20", "scheduled": "08:30", "echo_in": "08:35", "echo_out": "09:15",
    "who": "AB", "room": 14,
}  # fmt: skip
"""A well-formed row: 5 minutes late, an exam of 40 minutes."""

NOTES = ["6 regular echo rooms", "1 fetal echo room", "A total of 6 sonographers (only 4 can do fetals)"]

WEEK = Path(__file__).parents[4] / "shared" / "data" / "whiteboard_week.xlsx"

Rows = Sequence[Mapping[str, Any]]


def as_cell(value: Any) -> Any:
    """``08:15`` -> the time; any other value unchanged."""
    if isinstance(value, str) and re.fullmatch(r"\d\d:\d\d", value):
        return dt.time.fromisoformat(value)
    return value


def write_workbook(
    path: Path,
    sheets: Mapping[str, Rows],
    headers: Sequence[Any] = HEADERS,
    notes: Sequence[str] = (),
    saved: str = "2024-01-30",
) -> Path:
    """Write a workbook: name of a sheet -> rows, by short column names or letters."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for title, rows in sheets.items():
        sheet = workbook.create_sheet(title)
        sheet.append(list(headers))
        for number, row in enumerate(rows, start=2):
            for column, value in row.items():
                sheet[f"{LETTERS.get(column, column)}{number}"] = as_cell(value)
    if notes:
        sheet = workbook.create_sheet("General Info")
        for number, note in enumerate(notes, start=1):
            sheet[f"A{number}"] = note
    workbook.save(path)
    set_saved(path, saved)
    return path


def set_saved(path: Path, day: str) -> None:
    """Set the date on which a workbook was last saved."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    core = parts["docProps/core.xml"].decode()
    parts["docProps/core.xml"] = re.sub(r"(<dcterms:modified[^>]*>)[^<]*", rf"\g<1>{day}T12:00:00Z", core).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)


def clock_text(minute: int) -> str:
    """495 -> ``08:15``."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def made_up_visits(count: int, seed: int) -> list[dict[str, Any]]:
    """Visits of one day: every fourth is fetal, an eighth are no-shows, exams take 20 to 80 minutes in a free room."""
    rng = np.random.default_rng(seed)
    free_from: dict[int, int] = {}
    rows = []
    for number in range(count):
        due = 8 * 60 + 15 * (number // 2)
        row: dict[str, Any] = {"pt": 1000 * seed + number, "expected": clock_text(due)}
        row |= {"fetal": "YES" if number % 4 == 0 else None, "scheduled": clock_text(due + 15)}
        if number % 8 == 7:
            row |= {"actual": "N/A", "echo_in": "X", "echo_out": "X"}
        else:
            came = due + int(rng.integers(-20, 40))
            begin, length = max(came, due + 15) + 3, int(rng.integers(20, 80))
            row |= {"actual": clock_text(came), "echo_in": clock_text(begin), "echo_out": clock_text(begin + length)}
            room = next(room for room in count_from(14 if number % 4 == 0 else 19) if free_from.get(room, 0) <= begin)
            free_from[room] = begin + length
            row |= {"who": "AB", "room": room}
        rows.append(row)
    return rows
