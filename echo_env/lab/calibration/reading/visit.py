"""What a row says of a visit: whether an exam was booked, whether the patient came, how long the exam took."""

from __future__ import annotations

import re
from typing import Any

from echo_env.lab.calibration.reading.cells import BLANK, CANCELLED, NO_SHOW, NOT_DONE, TIME, WALK_IN, clock
from echo_env.lab.calibration.reading.rows import Row
from echo_env.lab.calibration.visits import MINUTES

_AHEAD = 30
"""Minutes from check-in to exam beyond which the check-in may be for something else."""


def visit_of(row: Row) -> dict[str, Any] | None:
    """The row of the table, see :data:`~echo_env.lab.calibration.visits.TABLE`; None if it is no visit.

    :param row: a row that has not been read yet
    """
    if not row.is_visit():
        return None
    mark = _mark(row)
    # Where there is no column for it, nobody has an appointment.
    planned = row.has("scheduled") or row.has("expected")
    unscheduled = mark == WALK_IN or bool(row.yes_or_no("unscheduled")) or not planned
    booked = "no" if unscheduled or mark == CANCELLED else _booked(row)
    came = "no" if mark in (CANCELLED, NO_SHOW) else _came(row)
    due = booked == "yes" and came == "yes"
    exam_min, offset_min = _exam_length(row, due), _offset(row) if due else None
    return {
        "day": row.day.isoformat() if row.day else row.text("session") or row.sheet.name,
        "sheet": row.sheet.name, "row": row.number,
        "patient": _patient(row), "type": _type(row), **{name: row.minute(name) for name in MINUTES},
        "room": row.text("room"), "staff": _people(row), "booked": booked, "came": came, "unscheduled": unscheduled,
        "offset_min": offset_min, "exam_min": exam_min,
    }  # fmt: skip


def _patient(row: Row) -> str:
    patient = row.text("patient")
    if not patient:
        patient = f"{row.sheet.name}!{row.number}"
        row.note("patient", "no_patient", patient)
    return patient


def _type(row: Row) -> str:
    """The exam type as a lab file names it; empty where it is unknown."""
    if row.has("type"):
        text = row.text("type")
        return row.sheet.types.get(text) or slug(text)
    return {True: "fetal", False: "non_fetal", None: ""}[row.yes_or_no("fetal")] if row.has("fetal") else "exam"


def _people(row: Row) -> str:
    people = row.text("staff")
    if "/" in people:
        row.note("staff", "two_people", people)
    return people


def _mark(row: Row) -> str:
    """What the row is marked as: ``no_show``, ``cancelled``, ``walk_in``, or empty."""
    status = row.sheet.words.mark(row.text("status").lower())
    marks = {"status": status} | {
        name: row.content(name) for name in ("scheduled", "expected", "actual", "begin", "end")
    }
    for mark in (CANCELLED, NO_SHOW, WALK_IN):
        where = next((name for name, found in marks.items() if found == mark), "")
        if where and (mark == WALK_IN or not _begun(row)):
            return mark
        if where:
            row.note(where, "mark_but_came")
    return ""


def _begun(row: Row) -> bool:
    """Whether there is a time of the patient being there."""
    return TIME in (row.content(name) for name in ("actual", "begin", "end"))


def _booked(row: Row) -> str:
    """Whether an exam was booked: ``yes``, ``no`` or ``unknown``."""
    names = [name for name in ("scheduled", "expected") if row.has(name)]
    for name in names:
        if row.content(name) == BLANK:
            row.note(name, "blank")
    content = row.content(names[0])
    # A mark that says whether the patient came stands in place of the time of an appointment.
    return "yes" if content in (TIME, NO_SHOW, CANCELLED) else "no" if content == NOT_DONE else "unknown"


def _came(row: Row) -> str:
    """Whether the patient came, that is, checked in or had an exam: ``yes``, ``no`` or ``unknown``."""
    if _begun(row):
        return "yes"
    first = "actual" if row.has("actual") else "begin"
    content = row.content(first)
    if content == BLANK:
        row.note(first, "blank")
    return "no" if content == NOT_DONE else "unknown"


def _exam_length(row: Row, due: bool) -> int | None:
    """End minus begin of the exam, minutes; None where it cannot be determined.

    :param due: whether the patient should have had an exam, so that empty cells are logged
    """
    begin, length = row.minute("begin"), row.minute("length")
    end = row.minute("end")
    for name in ("begin", "end" if row.has("end") else "length") if due else ():
        if row.content(name) == BLANK:
            row.note(name, "blank")
    if begin is None or end is None:
        if begin is not None:
            row.note("end", "out_missing")
        if end is not None:
            row.note("begin", "in_missing")
        return None
    if end <= begin:
        row.note("end", "out_before_in")
        return None
    if row.has("end") and length not in (None, end - begin):
        row.note("length", "length_differs", clock(end - begin))
    return end - begin


def _offset(row: Row) -> int | None:
    """Check-in minus when the patient was asked to check in, minutes; None where it cannot be determined."""
    asked = "expected" if row.has("expected") else "scheduled"
    expected, actual, begin = row.minute(asked), row.minute("actual"), row.minute("begin")
    scheduled = row.minute("scheduled")
    if expected is None or actual is None:
        return None
    if scheduled is not None and scheduled - expected > _AHEAD:
        row.note(asked, "check_in_long_before_exam", clock(expected))
    if begin is not None and begin < actual:
        row.note("actual", "exam_before_check_in")
        return None
    return actual - expected


def slug(text: str) -> str:
    """A value as the name of an exam type in a lab file: ``MRI head/neck`` -> ``mri_head_neck``.

    :param text: the value
    """
    name = "_".join(re.findall(r"[a-z0-9]+", text.lower().translate(str.maketrans("äöüéèáíóñ", "aoueeaion"))))
    return f"type_{name}" if name[:1].isdigit() else name
