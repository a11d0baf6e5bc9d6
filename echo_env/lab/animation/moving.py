"""Who is where at which minute of a day, from its trace."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from echo_env.lab.animation.floor import Floor, Place
from echo_env.lab.config.plan import NEVER
from echo_env.lab.simulation.patient import CLASSES_PER_TYPE, ready_minute
from echo_env.lab.simulation.trace import Trace

GLIDE_MIN = 5.0
"""Minutes of the day in which somebody is shown to walk from one place to the next; numbers never wait for it."""


class Stop(NamedTuple):
    """From this minute on somebody is, or walks to, a place."""

    minute: int
    place: Place


class Person(NamedTuple):
    """A patient or a member of staff at a moment.

    :param place: where
    :param kind: exam type of a patient; 0 of staff
    :param marked: a patient who is late, or a member of staff who is absent or off duty
    :param pale: a patient who is not ready to be examined
    """

    place: Place
    kind: int = 0
    marked: bool = False
    pale: bool = False


class Moment(NamedTuple):
    """A floor plan at a minute.

    :param minute: since opening
    :param patients: who are there
    :param staff: all members
    :param waiting: patients waiting after the minute's decision, as the penalty counts them
    :param penalty: points paid by the end of the minute
    """

    minute: int
    patients: list[Person]
    staff: list[Person]
    waiting: int
    penalty: float


def most_waiting(trace: Trace) -> int:
    """Most patients who are in the waiting room at the same time, those not ready included.

    :param trace: a day
    """
    return 1 + max(_seat_numbers(trace).values(), default=0)


def _seat_numbers(trace: Trace) -> dict[int, int]:
    """Patients who come -> the seat they take, the first one that is free."""
    begun = {exam.patient: exam.start_min for exam in trace.exams}
    came = np.flatnonzero(trace.day.arrival >= 0).tolist()
    free, leaving, taken, seats = list[int](), list[tuple[int, int]](), 0, dict[int, int]()
    for patient in sorted(came, key=lambda number: (int(trace.day.arrival[number]), number)):
        arrival = int(trace.day.arrival[patient])
        while leaving and leaving[0][0] < arrival:
            heapq.heappush(free, heapq.heappop(leaving)[1])
        if free:
            seats[patient] = heapq.heappop(free)
        else:
            seats[patient], taken = taken, taken + 1
        heapq.heappush(leaving, (begun.get(patient, NEVER), seats[patient]))
    return seats


class Walks:
    """Everybody's way through a day.

    :param trace: the day
    :param floor: the floor plan, with seats for all who wait
    """

    def __init__(self, trace: Trace, floor: Floor) -> None:
        self.trace = trace
        self.floor = floor
        self._patients = self._ways_of_patients()
        self._staff = [self._way_of_staff(member) for member in range(len(trace.config.plan.staff_group))]

    def at(self, minute: int) -> Moment:
        """The floor plan at a minute.

        :param minute: since opening, before the end of the day
        """
        day, types = self.trace.day, self.trace.config.plan.types
        patients = []
        for number, stops in self._patients.items():
            where = _place(stops, minute)
            if where is None or where == self.floor.way_out:
                continue
            kind, arrival, scheduled = int(day.exam_type[number]), int(day.arrival[number]), int(day.scheduled[number])
            due = scheduled if day.unscheduled[number] else scheduled - types[kind].check_in_lead_min
            ready = ready_minute(arrival, int(day.prep_min[number]), scheduled, int(types[kind].may_begin_early))
            late = arrival - due > types[kind].arrival.on_time_margin_min
            patients.append(Person(where, kind, late, minute < ready))
        staff = [
            Person(_place(stops, minute) or stops[0].place, marked=self._is_off(member, minute))
            for member, stops in enumerate(self._staff)
        ]
        waiting = int(self.trace.minutes[minute, : CLASSES_PER_TYPE * len(types)].sum())
        return Moment(minute, patients, staff, waiting, float(self.trace.cumulated_penalty[minute + 1]))

    def _ways_of_patients(self) -> dict[int, list[Stop]]:
        seats, ways = _seat_numbers(self.trace), {}
        exams = {exam.patient: exam for exam in self.trace.exams}
        for patient, seat in seats.items():
            arrival = int(self.trace.day.arrival[patient])
            stops = [Stop(arrival, self.floor.door), Stop(arrival, self.floor.seats[seat])]
            if patient in exams:
                exam = exams[patient]
                stops += [Stop(exam.start_min, self.floor.on_couch(exam.room)), Stop(exam.end_min, self.floor.way_out)]
            ways[patient] = stops
        return ways

    def _way_of_staff(self, member: int) -> list[Stop]:
        """Where a member of staff goes: an exam or a break that begins when another ends comes next without a stop."""
        floor, trace = self.floor, self.trace
        away, here = floor.away[member], floor.at_work[member]
        if not trace.day.present[member]:
            return [Stop(0, away)]
        rooms = {exam.patient: exam.room for exam in trace.exams}
        spans = [(own.start_min, own.end_min, floor.beside_patient(rooms[own.patient]))
                 for own in trace.work if own.sonographer == member]  # fmt: skip
        spans += [(own.start_min, own.end_min, away) for own in (*trace.breaks, *trace.lunches)
                  if own.sonographer == member]  # fmt: skip
        plan = trace.config.plan
        begins, ends = int(plan.duty_from[member]), int(plan.duty_until[member])
        stops = [Stop(0, away if begins > 0 else here)] + ([Stop(begins, here)] if begins > 0 else [])
        for begin, end, place in sorted(spans):
            stops += [Stop(begin, place), Stop(end, away if end >= ends else here)]
        if not any(begin <= ends < end for begin, end, _ in spans) and ends < NEVER:
            stops.append(Stop(ends, away))
        return _joined(sorted(stops, key=lambda stop: stop.minute))

    def _is_off(self, member: int, minute: int) -> bool:
        """Absent, or off duty and not at an exam."""
        trace, plan = self.trace, self.trace.config.plan
        if not trace.day.present[member]:
            return True
        working = any(own.sonographer == member and own.start_min <= minute < own.end_min for own in trace.work)
        return not working and not int(plan.duty_from[member]) <= minute < int(plan.duty_until[member])


def _joined(stops: Iterable[Stop]) -> list[Stop]:
    """Stops without those that are left in the minute in which they begin, and without those that change nothing."""
    found: list[Stop] = []
    for stop in stops:
        if found and found[-1].minute == stop.minute and len(found) > 1:
            found.pop()
        if not found or found[-1].place != stop.place:
            found.append(stop)
    return found


def _place(stops: list[Stop], minute: int) -> Place | None:
    """Where somebody is, on the way from the last place but one to the last; None before the first."""
    reached = [number for number, stop in enumerate(stops) if stop.minute <= minute]
    if not reached:
        return None
    last = stops[reached[-1]]
    share = min((minute - last.minute + 1) / GLIDE_MIN, 1.0)
    if reached[-1] == 0 or share == 1.0:
        return last.place
    share *= share * (3 - 2 * share)
    (x0, y0), (x1, y1) = stops[reached[-1] - 1].place, last.place
    return x0 + share * (x1 - x0), y0 + share * (y1 - y0)
