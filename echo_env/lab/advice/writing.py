"""Boards as files: that of a lab in the middle of a day, and an empty one to begin with."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from echo_env.common.files.csv_cells import text_cell
from echo_env.lab.advice.board import (
    ABSENT,
    BREAK,
    CANCELLED,
    COLUMNS,
    DONE,
    EXPECTED,
    IN_EXAM,
    LUNCH,
    OFF_DUTY,
    PREPARING,
    PRESENT,
    WAITING,
)
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import appointment_book
from echo_env.lab.simulation.duties import Status
from echo_env.lab.simulation.patient import Appointment
from echo_env.lab.simulation.trace import ExamRecord
from echo_env.lab.simulation.view import LabView
from echo_env.lab.simulation.whiteboard import Whiteboard

_STAFF = {Status.ON_BREAK: BREAK, Status.AT_LUNCH: LUNCH, Status.ABSENT: ABSENT, Status.OFF_DUTY: OFF_DUTY}

_HELP = """\
# The board of {lab} for echo-lab advise. Lines that begin with # are not read; columns may be left out or empty.
# Ids are yours to choose: take numbers that do not say who a patient is. Times are clock times such as 10:40.
# record   patient, room or staff
# type     the exam type of a patient ({types}),
#          the group of a room ({rooms}) or of a member of staff ({staff})
# state    of a patient: expected, preparing, waiting, in exam, done, cancelled (will not be examined today);
#          of staff: present, break, lunch, absent, off duty; who is not listed is absent. Rooms have none
# scheduled, arrived   of patients; without an appointment scheduled is empty. Yours replace the lab's appointments
# room, staff, since   of a patient in exam or done: where, with whom, and when the exam began
# until    of a patient who is done: when the exam ended
# since, until   of staff on a break or at lunch: when it began, and when it ends if that is known
# exams, breaks, planned_breaks, lunch   of staff, if known: exams begun, breaks by chance and planned breaks taken
#          today, the one under way included, and yes if lunch is over. Exams are else counted on the board
"""


def template(config: Lab) -> str:
    """The board of a lab at opening, everybody expected and present, with instructions.

    :param config: the lab
    """
    plan, book = config.plan, appointment_book(config.plan)
    lines = zip(book.exam_type.tolist(), book.scheduled.tolist(), book.unscheduled.tolist(), strict=True)
    appointments = tuple(Appointment(n, kind, minute) for n, (kind, minute, none) in enumerate(lines) if not none)
    view = LabView(Whiteboard(config, appointments, book.exam_type.tolist(), (~plan.on_call).tolist()))
    names = {
        "types": [own.name for own in plan.types],
        "rooms": [own.name for own in plan.room_groups],
        "staff": [own.name for own in plan.staff_groups],
    }
    head = _HELP.format(lab=config.name, **{key: ", ".join(own) for key, own in names.items()})
    return head + board_text(view, ())


def board_text(view: LabView, exams: Iterable[ExamRecord]) -> str:
    """A lab in the middle of a day as a board. Ids are numbers from 1 on, of patients those of the book.

    :param view: the lab
    :param exams: exams begun so far
    """
    buffer = io.StringIO()
    table = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
    table.writeheader()
    for row in (*_rooms(view), *_staff(view), *_patients(view, exams)):
        table.writerow({column: text_cell(str(value)) for column, value in row.items() if value is not None})
    return buffer.getvalue()


def _rooms(view: LabView) -> list[dict[str, Any]]:
    plan = view.config.plan
    return [
        {"record": "room", "id": room + 1, "type": plan.room_groups[group].name}
        for room, group in enumerate(plan.room_group.tolist())
    ]


def _staff(view: LabView) -> list[dict[str, Any]]:
    plan, clock, rows = view.config.plan, view.config.hours.clock, []
    for member, number in enumerate(plan.staff_group.tolist()):
        group, since = plan.staff_groups[number], view.break_since(member)
        row = {"record": "staff", "id": member + 1, "type": group.name}
        row["state"] = _STAFF.get(view.status(member), PRESENT)
        row["since"] = None if since is None else clock(since)
        if row["state"] != ABSENT:
            row["exams"] = view.exams_begun(member)
            row["breaks"] = group.breaks.number - view.breaks_left(member) if group.breaks.number else None
            row["planned_breaks"] = view.planned_taken(member) if group.breaks.planned else None
            row["lunch"] = None if group.lunch is None else "no" if view.lunch_left(member) else "yes"
        rows.append(row)
    return rows


def _patients(view: LabView, exams: Iterable[ExamRecord]) -> list[dict[str, Any]]:
    clock, rows = view.config.hours.clock, []
    book, begun = appointment_book(view.config.plan), {exam.patient: exam for exam in exams}
    there = {line.patient for line in view.appointments}
    running = {exam.patient: exam for exam in view.running_exams}
    waiting, preparing = {entry.patient for entry in view.waiting()}, view.preparing
    for patient in range(view.patients):
        arrival, unscheduled = view.arrival_min(patient), bool(book.unscheduled[patient])
        if unscheduled and arrival is None:
            continue
        row: dict[str, Any] = {"record": "patient", "id": patient + 1}
        row["type"] = view.config.plan.types[view.exam_type(patient)].name
        row["scheduled"] = None if unscheduled else clock(int(book.scheduled[patient]))
        row["arrived"] = None if arrival is None else clock(arrival)
        if arrival is None:
            row["state"] = EXPECTED if patient in there else CANCELLED
        elif patient in running:
            own = running[patient]
            row |= {"state": IN_EXAM, **_exam(own.room, own.sonographer), "since": clock(own.start_min)}
        elif patient in waiting or patient in preparing:
            row["state"] = WAITING if patient in waiting else PREPARING
        else:
            record = begun[patient]
            row |= {"state": DONE, **_exam(record.room, record.sonographer)}
            row |= {"since": clock(record.start_min), "until": clock(record.end_min)}
        rows.append(row)
    return rows


def _exam(room: int, member: int) -> Mapping[str, int]:
    return {"room": room + 1, "staff": member + 1}
