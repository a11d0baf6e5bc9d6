"""Days of general labs whose every number is written by hand, and what must hold on any day of any lab."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from echo_env.common.config_model import build
from echo_env.lab import Day, GeneralLabConfig, Trace
from echo_env.lab.day import NO_SHOW, NOBODY, REBOOKED, TURNED_AWAY, appointment_book
from echo_env.lab.simulation.duties import is_closed

LAW = {"shape": 12.0, "mean_min": 30.0, "shortest_min": 10.0, "longest_min": 90.0}
ARRIVAL = {
    "no_show_rate": 0.0,
    "late_share": 0.5,
    "late_mean_min": 10.0,
    "early_mean_min": 5.0,
    "early_max_min": 60.0,
    "on_time_margin_min": 10,
}


def general_lab(
    kinds: dict[str, Any], rooms: dict[str, Any], staff: dict[str, Any], closing: int = 240, end: int = 300, **more: Any
) -> GeneralLabConfig:
    """A lab from what is special about it; times are minutes since opening.

    :param kinds: exam types
    :param rooms: room groups
    :param staff: staff groups
    :param closing: closing
    :param end: end of day
    :param more: other sections
    """
    hours = {"opening_min": 480, "closing_min": closing, "end_min": end}
    parts = {"exam_types": kinds, "room_groups": rooms, "staff_groups": staff, "arrival": ARRIVAL, "exam": LAW}
    return build(GeneralLabConfig, {"name": "by hand", "hours": hours, **parts, **more})


def day_of(config: GeneralLabConfig, arrival: Sequence[int], exam_min: Sequence[int], **changes: Any) -> Day:
    """A day from arrival minutes and exam lengths by patient number; nobody is absent, and no break is by chance.

    :param config: the lab
    :param arrival: minutes, or :data:`~echo_env.lab.day.NO_SHOW` and so on
    :param exam_min: minutes
    :param changes: other fields
    """
    book, plan = appointment_book(config.plan), config.plan
    staff = len(plan.staff_group)
    came = np.array(arrival, dtype=np.int64)
    fields: dict[str, Any] = {
        "scheduled": np.where(book.unscheduled, np.maximum(came, -1), book.scheduled),
        "exam_type": book.exam_type,
        "arrival": came,
        "exam_min": np.array(exam_min, dtype=np.int64),
        "prep_min": np.zeros(len(book), dtype=np.int64),
        "unscheduled": book.unscheduled,
        "absence_draw": np.ones(staff),
        "break_draw": np.ones((staff, len(book))),
        "absence_rate": 0.5,
        "on_call": plan.on_call,
        "staff_group": plan.staff_group,
    }
    return Day(**{**fields, **changes})


def violations(trace: Trace) -> list[str]:
    """What is wrong with a day: nothing, in any lab under any policy.

    :param trace: the day
    """
    return [*_of_patients(trace), *_of_rooms(trace), *_of_staff(trace), *_of_lunches(trace)]


def _of_patients(trace: Trace) -> list[str]:
    day, plan, found = trace.day, trace.config.plan, []
    begun = [exam.patient for exam in trace.exams]
    if len(set(begun)) < len(begun):
        found.append("somebody is examined twice")
    outcomes = [record.outcome for record in trace.patients]
    if len(outcomes) != (day.arrival != NOBODY).sum() or outcomes.count("served") != len(begun):
        found.append("patients are lost")
    if outcomes.count("no_show") != (day.arrival == NO_SHOW).sum():
        found.append("no-shows are lost")
    if outcomes.count("turned_away") != (day.arrival == TURNED_AWAY).sum():
        found.append("patients turned away are lost")
    if day.rebook_from is not None:
        absent = int((~day.present & ~day.on_call).sum())
        if not np.array_equal(day.arrival == REBOOKED, absent >= day.rebook_from):
            found.append("not those are rebooked whom the absence plan names")
    if outcomes.count("rebooked") != (day.arrival == REBOOKED).sum():
        found.append("patients rebooked are lost")
    for exam in trace.exams:
        kind = plan.types[day.exam_type[exam.patient]]
        ready = day.arrival[exam.patient] + day.prep_min[exam.patient]
        if not kind.may_begin_early and not day.unscheduled[exam.patient]:
            ready = max(ready, day.scheduled[exam.patient])
        if exam.start_min < ready or exam.end_min - exam.start_min != day.exam_whole_min[exam.patient]:
            found.append(f"patient {exam.patient} begins before being ready, or not for as long as the exam takes")
    return found


def _of_rooms(trace: Trace) -> list[str]:
    day, plan, found = trace.day, trace.config.plan, []
    for room, group in enumerate(plan.room_group.tolist()):
        law = plan.room_groups[group]
        exams = sorted((exam.start_min, exam.end_min, exam.patient) for exam in trace.exams if exam.room == room)
        for (_, end, _), (begin, _, _) in pairwise(exams):
            if begin < end + law.turnover_min:
                found.append(f"room {room} is used before it is free and clean")
        for begin, _, patient in exams:
            if not law.can >> int(day.exam_type[patient]) & 1 or is_closed(begin, law.closed):
                found.append(f"room {room} is used for what it cannot do, or while it is closed")
    return found


def _of_staff(trace: Trace) -> list[str]:
    day, plan, found = trace.day, trace.config.plan, []
    for member, group in enumerate(plan.staff_group.tolist()):
        law = plan.staff_groups[group]
        own = [(work.start_min, work.end_min) for work in trace.work if work.sonographer == member]
        away = [
            (rest.start_min, rest.end_min) for rest in (*trace.breaks, *trace.lunches) if rest.sonographer == member
        ]
        stretches = sorted(own + away)
        if any(begin < end for (_, end), (begin, _) in pairwise(stretches)):
            found.append(f"member {member} does two things at once")
        if stretches and not day.present[member]:
            found.append(f"member {member} is absent")
        if any(begin < plan.duty_from[member] for begin, _ in stretches):
            found.append(f"member {member} has not come yet")
        if any(begin >= plan.duty_until[member] for begin, _ in stretches):
            found.append(f"member {member} has gone home")
        for work in trace.work:
            kind = int(day.exam_type[work.patient])
            if work.sonographer == member and not law.can >> kind & 1:
                found.append(f"member {member} does what they cannot do")
        taken_over = {(handover.patient, handover.colleague) for handover in trace.handovers}
        for work in trace.work:
            expected = work.start_min + plan.expected_min[day.exam_type[work.patient]]
            begins = work.sonographer == member and (work.patient, member) not in taken_over
            if begins and expected > plan.starts_until[member]:
                found.append(f"member {member} begins an exam that is expected to end after the shift")
    return found


def _of_lunches(trace: Trace) -> list[str]:
    plan, found = trace.config.plan, []
    for rest in trace.lunches:
        law = plan.staff_groups[plan.staff_group[rest.sonographer]].lunch
        if law is None or rest.start_min < law.begin_min:
            found.append(f"lunch of {rest.sonographer} before its window")
        elif rest.start_min > law.latest_min and not any(
            other.sonographer == rest.sonographer and other.end_min == rest.start_min
            for other in (*trace.work, *trace.breaks)
        ):
            found.append(f"lunch of {rest.sonographer} after its window, though nothing kept them")
    if len({rest.sonographer for rest in trace.lunches}) < len(trace.lunches):
        found.append("somebody has lunch twice")
    return found
