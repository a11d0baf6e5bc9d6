"""What the staff know of a lab in the middle of a day, as the compiled engine holds it."""

from __future__ import annotations

import numpy as np

from echo_env.lab.compiled import batch, layout
from echo_env.lab.compiled.layout import Labs, Rules
from echo_env.lab.compiled.rules import kept_of
from echo_env.lab.day import NO_SHOW, REBOOKED, Book
from echo_env.lab.simulation.duties import RoomStatus, Status
from echo_env.lab.simulation.patient import WaitingPatient
from echo_env.lab.simulation.view import LabView


def known_lab(view: LabView, book: Book, rules: Rules) -> Labs:
    """The arrays of one lab that hold what a view shows. What it does not show is blank.

    :param view: the lab
    :param book: its patients
    :param rules: its rules
    """
    labs, rule = batch.make_labs(view.config, 1), rules.numbers
    cell, parts = labs.lab[0], layout.parts_of(labs.lab, rules)
    cell[:] = kept_of(view.config).blank
    waiting, committed = view.waiting(), view.committed
    cell[layout.MINUTE] = view.minute
    _write_patients(view, book, parts.patients[0])
    ready = _write_ready(view, parts.patients[0], waiting + committed)
    # Where patients stand in the list of those who come by when they are ready, and exams in that of exams.
    cell[layout.NEXT_READY], cell[layout.EXAMS] = ready, ready - len(waiting) - len(committed)
    roster = rule[rule[layout.OF_ROSTER] :]
    cell[layout.NEXT_ROSTER] = np.argmax(roster > view.minute)
    _write_queues(waiting, cell, parts.patients[0], rule)
    if not rule[layout.NESTED]:
        _write_committed(view, cell, rule)
    for kind, reservation in view.reservations.items():
        cell[layout.KEPT] |= 1 << kind
        cell[[rule[layout.AT_KEPT_SINCE] + kind, rule[layout.AT_KEPT_UNTIL] + kind]] = reservation
    _write_staff(view, parts.staff[0])
    _write_rooms(view, parts.rooms[0])
    batch.settle_labs(np.zeros(1, dtype=np.int64), labs, rules)
    return labs


def _write_committed(view: LabView, cell: layout.Ints, rule: layout.Wide) -> None:
    left, pending = rule[layout.AT_LEFT], [entry.patient for entry in view.committed]
    cell[left : rule[layout.AT_PENDING]] = view.starts_left(in_all=True)
    cell[rule[layout.AT_PENDING] : rule[layout.AT_PENDING] + len(pending)] = pending
    cell[layout.PENDING] = len(pending)


def _write_patients(view: LabView, book: Book, patients: layout.Ints) -> None:
    types = view.config.plan.types
    patients[:, layout.TYPE], patients[:, layout.SCHEDULED] = book.exam_type, book.scheduled
    # Who should be in the book and is not was rebooked.
    patients[:, layout.ARRIVAL] = np.where(book.unscheduled, NO_SHOW, REBOOKED)
    patients[:, layout.UNSCHEDULED] = book.unscheduled
    for patient, exam_type, scheduled in view.appointments:
        patients[patient, layout.TYPE], patients[patient, layout.SCHEDULED] = exam_type, scheduled
        patients[patient, layout.ARRIVAL] = NO_SHOW
        patients[patient, layout.DUE] = scheduled - types[exam_type].check_in_lead_min
    for patient in range(len(patients)):
        arrival = view.arrival_min(patient)
        if arrival is not None:
            patients[patient, layout.ARRIVAL] = arrival
            if book.unscheduled[patient]:
                patients[patient, [layout.SCHEDULED, layout.DUE]] = arrival


def _write_ready(view: LabView, patients: layout.Ints, waiting: list[WaitingPatient]) -> int:
    """Mark who is ready, and what is known of those who wait; returns how many are ready."""
    arrived = patients[:, layout.ARRIVAL] >= 0
    patients[:, layout.READY] = patients[:, layout.ARRIVAL]
    preparing = list(view.preparing)
    patients[preparing, layout.READY] = view.minute + 1
    for entry in waiting:
        patients[entry.patient, [layout.CLASS, layout.SINCE]] = entry.patient_class, entry.since_min
    return int(arrived.sum()) - len(preparing)


def _write_queues(waiting: list[WaitingPatient], cell: layout.Ints, patients: layout.Ints, rule: layout.Wide) -> None:
    for patient, kind in ((entry.patient, entry.patient_class) for entry in waiting):
        head, tail = rule[layout.AT_HEAD] + kind, rule[layout.AT_TAIL] + kind
        last = cell[tail]
        patients[patient, [layout.BEFORE, layout.BEHIND]] = last, -1
        if last < 0:
            cell[head] = patient
        else:
            patients[last, layout.BEHIND] = patient
        cell[tail] = patient
        cell[layout.COUNTS + kind] += 1


def _write_staff(view: LabView, staff: layout.Ints) -> None:
    plan = view.config.plan
    for s in range(len(staff)):
        since, status = view.break_since(s) or 0, view.status(s)
        staff[s, layout.STATUS], staff[s, layout.BUSY_SINCE] = status, since
        staff[s, layout.BEGUN], staff[s, layout.BREAKS_LEFT] = view.exams_begun(s), view.breaks_left(s)
        staff[s, layout.LUNCH_LEFT], staff[s, layout.PLANNED] = view.lunch_left(s), view.planned_taken(s)
        lunch = plan.staff_groups[plan.staff_group[s]].lunch
        if status == Status.AT_LUNCH and lunch is not None:
            staff[s, layout.UNTIL] = min(since + lunch.minutes, int(plan.duty_until[s]))
    for patient, room, s, start in view.running_exams:
        staff[s, [layout.PATIENT, layout.ROOM, layout.BUSY_SINCE]] = patient, room, start


def _write_rooms(view: LabView, rooms: layout.Ints) -> None:
    plan = view.config.plan
    for room in range(len(rooms)):
        rooms[room, layout.USE] = view.room_status(room)
        if view.room_status(room) == RoomStatus.CLEANING:
            turnover = plan.room_groups[plan.room_group[room]].turnover_min
            rooms[room, layout.CLEAN_AT] = (view.cleaning_since(room) or 0) + turnover
