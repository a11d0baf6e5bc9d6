"""A workbook for a record of visits, with instructions; what is filled in reads without a column map."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import IO, NamedTuple

from echo_env.lab.calibration.reading.fields import FIELDS


class _Column(NamedTuple):
    """A column of the template.

    :param field: what it holds
    :param how: how to fill it in
    :param example: a value
    """

    field: str
    how: str
    example: object


_COLUMNS = (
    _Column("day", "date of the visit", dt.date(2026, 3, 2)),
    _Column("patient", "a number of your own; no name, no hospital number", 1),
    _Column("type", "exam type, always in the same words; at most 8 of them", "stress echo"),
    _Column("scheduled", "appointment of the exam; 'walk-in' for patients without one", dt.time(8, 30)),
    _Column("expected", "when the patient was asked to check in; may stay empty", dt.time(8, 15)),
    _Column("actual", "check-in; 'DNA' for patients who did not come", dt.time(8, 20)),
    _Column("vitals_in", "begin of the preparation, if there is one", dt.time(8, 22)),
    _Column("vitals_out", "end of the preparation", dt.time(8, 28)),
    _Column("begin", "when the exam began", dt.time(8, 35)),
    _Column("end", "when the exam ended", dt.time(9, 15)),
    _Column("room", "room of the exam", "14"),
    _Column("staff", "initials of who examined; a slash between two people", "AB"),
    _Column("status", "'cancelled' for appointments that were cancelled; else empty", None),
)
_INSTRUCTIONS = (
    "How to fill in the sheet 'visits'",
    "One row for each patient who was booked or came, whether or not there was an exam; as many days as you have.",
    "Times are clock times of 24 hours, such as 14:05. Leave a cell empty where you do not know.",
    "Rows of past days without a check-in, a begin and an end count as no-shows.",
    "A column that you do not need may be deleted, except begin, end and one of scheduled and check-in.",
    "What the lab has may be added here in words, with numbers for N: N regular echo rooms, N fetal echo room, N "
    "sonographers (only N can do fetals), N breaks of N minutes each.",
    "Then: echo-lab calibrate THIS_FILE --output my_lab.yaml --report report",
)
_WIDTH = 14


def write_template(file: IO[bytes], rows: Iterable[Mapping[str, object]] = ()) -> None:
    """Write the workbook (needs openpyxl).

    :param file: a file that is open for writing
    :param rows: visits to fill in, field -> value
    """
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font

    workbook = Workbook()
    visits = workbook.active
    visits.title = "visits"
    visits.append([FIELDS[column.field].words for column in _COLUMNS])
    visits.freeze_panes = "A2"
    for number, column in enumerate(_COLUMNS, start=1):
        head = visits.cell(1, number)
        head.font, head.alignment = Font(bold=True), Alignment(wrap_text=True, vertical="top")
        visits.column_dimensions[head.column_letter].width = _WIDTH
        kind = {dt.date: "yyyy-mm-dd", dt.time: "hh:mm"}.get(type(column.example), "General")
        visits.column_dimensions[head.column_letter].number_format = kind
    for row in rows:
        visits.append([row[column.field] for column in _COLUMNS])
    notes = workbook.create_sheet("instructions")
    for line in _INSTRUCTIONS:
        notes.append([line])
    notes.append([])
    notes.append(["column", "what it holds", "example"])
    for column in _COLUMNS:
        notes.append([FIELDS[column.field].words, column.how, column.example])
    notes["A1"].font = Font(bold=True)
    notes.column_dimensions["A"].width = 24
    workbook.save(file)
