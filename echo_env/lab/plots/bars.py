"""What a day's Gantt chart shows, as bars: rooms and members of staff by time, and who waits when."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from echo_env.lab.config.lab import Lab
from echo_env.lab.config.plan import NEVER, LabPlan
from echo_env.lab.day.book import appointment_book
from echo_env.lab.plots.style import by_punctuality, class_labels
from echo_env.lab.simulation.patient import Punctuality, class_of, on_time_from, punctuality, ready_minute
from echo_env.lab.simulation.trace import ExamRecord, Trace

BREAK, ABSENT, LUNCH, OFF_DUTY = "break", "absent", "lunch", "off duty"
CLOSED, CLEANING, NOT_READY = "room closed", "room cleaned", "not ready yet"

FULL, HALF = 0.84, 0.5
"""Heights of bars in rows of rooms and staff."""

_MOST_WALK_IN_ROWS = 24


class Bar(NamedTuple):
    """A rectangle of the chart: ``row`` is its middle, ``begin`` and ``end`` are minutes since opening."""

    row: float
    begin: int
    end: int
    height: float


class Rows(NamedTuple):
    """Where things stand in the chart, from the top down: rooms, members of staff, patients with an appointment, and
    patients without one. A room's row is 1 high.

    :param rooms: how many
    :param sonographers: members of staff
    :param booked: patients with an appointment
    :param walk_ins: rows for patients without one, who take them in turn
    """

    rooms: int
    sonographers: int
    booked: int
    walk_ins: int = 0

    @property
    def patients(self) -> int:
        """Rows of patients."""
        return self.booked + self.walk_ins

    @property
    def patient_height(self) -> float:
        """Height of a patient's row."""
        return max(0.32, 0.7 * (self.rooms + self.sonographers) / self.patients)

    def sonographer(self, number: int) -> float:
        """Row of a member of staff; that of a room is its number."""
        return self.rooms + 0.6 + number

    def patient(self, number: int) -> float:
        """Row of a patient with an appointment; higher numbers are rows of those without one."""
        return self.rooms + self.sonographers + 0.8 + (number + 0.5) * self.patient_height

    @property
    def bottom(self) -> float:
        """Below the last row."""
        return self.patient(self.patients) - 0.2 * self.patient_height


def rows_of(config: Lab) -> Rows:
    """The rows that a lab needs.

    :param config: the lab
    """
    return _rows_of(config.plan)


@lru_cache(maxsize=64)
def _rows_of(plan: LabPlan) -> Rows:
    book = appointment_book(plan)
    expected = sum(number for kind in plan.types for _, number in kind.unscheduled)
    # On a day with more of them some share a row, hours apart.
    walk_ins = min(math.ceil(expected), _MOST_WALK_IN_ROWS)
    return Rows(len(plan.room_group), len(plan.staff_group), int((~book.unscheduled).sum()), walk_ins)


def grounds(config: Lab) -> list[str]:
    """What a chart of a lab can show apart from patients, in the order in which it is drawn.

    :param config: the lab
    """
    plan = config.plan
    found = {
        CLOSED: any(group.closed for group in plan.room_groups),
        OFF_DUTY: any(group.shift or group.on_call for group in plan.staff_groups),
        ABSENT: True,
        BREAK: True,
        LUNCH: any(group.lunch for group in plan.staff_groups),
        CLEANING: any(group.turnover_min for group in plan.room_groups),
        NOT_READY: True,
    }
    return [name for name, there in found.items() if there]


def day_bars(trace: Trace, until: int | None = None) -> dict[str, list[Bar]]:
    """The bars of a day by what they show: a class of patients (by its label), or one of :func:`grounds`.

    An exam is a bar in its room's row and one in that of whoever does it, divided where it is handed over; waiting is
    a bar in the patient's row, in the colour of the class at the time, so that an early patient's changes when the
    appointment comes near. Where colours say which type an exam is, bars of early patients who wait are thin.

    :param trace: the day
    :param until: show nothing after this minute, of exams under way neither when they will end
    """
    rows, labels = rows_of(trace.config), class_labels(trace.config)
    now = trace.config.hours.end_min if until is None else until
    bars: dict[str, list[Bar]] = {name: [] for name in (*labels, *grounds(trace.config))}
    kinds = {exam.patient: labels[exam.patient_class] for exam in trace.exams}
    last = math.inf if until is None else until
    for exam in trace.exams:
        if exam.start_min <= last:
            bars[kinds[exam.patient]].append(Bar(exam.room, exam.start_min, int(min(exam.end_min, last)), FULL))
    for work in trace.work:
        if work.start_min <= last:
            row = rows.sonographer(work.sonographer)
            bars[kinds[work.patient]].append(Bar(row, work.start_min, int(min(work.end_min, last)), FULL))
    for name, records in ((BREAK, trace.breaks), (LUNCH, trace.lunches)):
        for pause in records:
            if pause.start_min <= last:
                row = rows.sonographer(pause.sonographer)
                bars[name].append(Bar(row, pause.start_min, int(min(pause.end_min, last)), HALF))
    for name, bar in (*_of_rooms(trace, last), *_of_staff(trace)):
        bars[name].append(bar)
    begun = {exam.patient: exam for exam in trace.exams}
    for number, row in patient_rows(trace).items():
        for name, begin, end, share in _waits(trace, number, begun.get(number), now, labels):
            bars[name].append(Bar(rows.patient(row), begin, end, share * rows.patient_height))
    return bars


def patient_rows(trace: Trace) -> dict[int, int]:
    """Patients who came -> number of their row: those without an appointment by arrival, in turn.

    :param trace: the day
    """
    day, rows = trace.day, rows_of(trace.config)
    came = np.flatnonzero(day.arrival >= 0)
    walk_ins = sorted(came[day.unscheduled[came]].tolist(), key=lambda number: (day.arrival[number], number))
    own = {number: number for number in came[~day.unscheduled[came]].tolist()}
    return own | {number: rows.booked + place % rows.walk_ins for place, number in enumerate(walk_ins)}


def _of_rooms(trace: Trace, last: float) -> Iterator[tuple[str, Bar]]:
    """When rooms are closed or cleaned."""
    plan = trace.config.plan
    for room, group in enumerate(plan.room_group.tolist()):
        for begin, end in plan.room_groups[group].closed:
            yield CLOSED, Bar(room, begin, min(end, plan.end_min), FULL)
    for exam in trace.exams:
        turnover = plan.room_groups[plan.room_group[exam.room]].turnover_min
        if turnover and exam.end_min <= min(last, plan.end_min):
            end = min(exam.end_min + turnover, plan.end_min, last)
            yield CLEANING, Bar(exam.room, exam.end_min, int(end), HALF)


def _of_staff(trace: Trace) -> Iterator[tuple[str, Bar]]:
    """When members of staff are not here."""
    plan, rows = trace.config.plan, rows_of(trace.config)
    for member, present in enumerate(trace.day.present.tolist()):
        row, begins, ends = rows.sonographer(member), int(plan.duty_from[member]), int(plan.duty_until[member])
        if not present:
            yield (OFF_DUTY if plan.on_call[member] else ABSENT), Bar(row, 0, plan.end_min, FULL)
            continue
        if begins > 0:
            yield OFF_DUTY, Bar(row, 0, min(begins, plan.end_min), FULL)
        if ends < min(NEVER, plan.end_min):
            yield OFF_DUTY, Bar(row, ends, plan.end_min, FULL)


def _waits(
    trace: Trace, number: int, exam: ExamRecord | None, now: int, labels: tuple[str, ...]
) -> Iterator[tuple[str, int, int, float]]:
    """What a patient waits as up to now, from when to when, and the share of the row's height.

    Not ready, if that takes any time, and then one stretch, or two for somebody early who becomes on time.
    """
    day = trace.day
    kind, scheduled, arrival = int(day.exam_type[number]), int(day.scheduled[number]), int(day.arrival[number])
    law = trace.config.plan.types[kind]
    margin, lead = law.arrival.on_time_margin_min, 0 if day.unscheduled[number] else law.check_in_lead_min
    ready = ready_minute(arrival, int(day.prep_min[number]), scheduled, int(law.may_begin_early))
    end = now if exam is None else min(exam.start_min, now)
    if arrival < min(ready, end):
        yield NOT_READY, arrival, min(ready, end), 0.3
    near = min(max(on_time_from(scheduled - lead, margin), ready), end)
    for begin, stop in ((ready, near), (near, end)):
        if begin < stop:
            own = int(class_of(kind, scheduled - lead, arrival, begin, margin))
            thin = punctuality(own) == Punctuality.EARLY and not by_punctuality(trace.config)
            yield labels[own], begin, stop, 0.4 if thin else 0.8
