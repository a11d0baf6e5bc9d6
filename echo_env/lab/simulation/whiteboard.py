"""The whiteboard: what the staff know in this minute, and nothing else.

The simulator writes on it; policies, observations and masks read it through a :class:`LabView`. Neither
holds a reference to the :class:`~echo_env.lab.day.day.Day`, so the future is out of reach by construction.
"""

from __future__ import annotations

from bisect import insort
from enum import IntEnum

import numpy as np

from echo_env.lab.config import LabConfig
from echo_env.lab.simulation.patient import (
    Appointment,
    PatientClass,
    RunningExam,
    Start,
    WaitingPatient,
    patient_class,
    waits_since,
)


class Status(IntEnum):
    """What a sonographer is doing."""

    FREE = 0
    IN_EXAM = 1
    ON_BREAK = 2
    ABSENT = 3


class Whiteboard:
    """State of the lab as its staff see it.

    :param config: the lab
    :param appointments: the appointment book, by patient number
    :param present: which sonographers came today
    """

    def __init__(self, config: LabConfig, appointments: tuple[Appointment, ...], present: list[bool]) -> None:
        self.config = config
        self.appointments = appointments
        self.minute = 0
        self.arrived = [False] * len(appointments)
        self.queues: tuple[list[WaitingPatient], ...] = tuple([] for _ in PatientClass)
        self.waiting: dict[int, WaitingPatient] = {}
        self.room_free = [True] * config.rooms.total
        self.status = [Status.FREE if there else Status.ABSENT for there in present]
        self.exams_begun = [0] * len(present)
        self.breaks_left = [config.breaks.number] * len(present)
        self.break_since: dict[int, int] = {}
        self.running: dict[int, RunningExam] = {}
        fetal = config.sonographers.fetal
        # Free rooms (non-fetal, fetal-capable), free sonographers, sonographers on break, kept as counts
        # because every minute asks for them.
        self.free = [config.rooms.non_fetal, config.rooms.fetal, sum(present[fetal:]), sum(present[:fetal])]
        self.on_break = [0, 0]

    def arrive(self, patient: int) -> None:
        """A patient enters the waiting room."""
        _, fetal, scheduled = self.appointments[patient]
        margin = self.config.arrival.on_time_margin_min
        kind = PatientClass(patient_class(fetal, scheduled, self.minute, self.minute, margin))
        entry = WaitingPatient(waits_since(scheduled, self.minute), patient, kind, scheduled, self.minute)
        self.arrived[patient] = True
        self.waiting[patient] = entry
        insort(self.queues[kind], entry)

    def become_on_time(self, patient: int) -> None:
        """An early patient's appointment has come near."""
        entry = self._leave_queue(patient)
        kind = PatientClass.FETAL_ON_TIME if entry.fetal else PatientClass.NON_FETAL_ON_TIME
        self.waiting[patient] = entry._replace(patient_class=kind)
        insort(self.queues[kind], self.waiting[patient])

    def begin_exam(self, start: Start) -> WaitingPatient:
        """A patient leaves the waiting room for an exam; returns the patient's entry."""
        entry = self._leave_queue(start.patient)
        del self.waiting[start.patient]
        self.room_free[start.room] = False
        self.free[start.room < self.config.rooms.fetal] -= 1
        self.status[start.sonographer] = Status.IN_EXAM
        self.free[2 + self._fetal_capable(start.sonographer)] -= 1
        self.exams_begun[start.sonographer] += 1
        self.running[start.sonographer] = RunningExam(*start, self.minute)
        return entry

    def end_exam(self, sonographer: int, breaks: int) -> None:
        """An exam ends: its room is free, and its sonographer is free or takes ``breaks`` breaks at once."""
        exam = self.running.pop(sonographer)
        self.room_free[exam.room] = True
        self.free[exam.room < self.config.rooms.fetal] += 1
        if breaks:
            self.status[sonographer] = Status.ON_BREAK
            self.breaks_left[sonographer] -= breaks
            self.break_since[sonographer] = self.minute
            self.on_break[self._fetal_capable(sonographer)] += 1
        else:
            self._set_free(sonographer)

    def end_break(self, sonographer: int) -> None:
        """A sonographer is back."""
        del self.break_since[sonographer]
        self.on_break[self._fetal_capable(sonographer)] -= 1
        self._set_free(sonographer)

    def waiting_counts(self) -> tuple[int, ...]:
        """Patients waiting, by :class:`PatientClass`."""
        return tuple(map(len, self.queues))

    def can_start(self) -> bool:
        """Whether anybody could be given a room and a sonographer now."""
        rooms_n, rooms_b, staff_n, staff_b = self.free
        queues = self.queues
        if rooms_b and staff_b and (queues[0] or queues[1] or queues[2]):
            return True
        return bool((rooms_n or rooms_b) and (staff_n or staff_b) and (queues[3] or queues[4] or queues[5]))

    def _leave_queue(self, patient: int) -> WaitingPatient:
        entry = self.waiting[patient]
        self.queues[entry.patient_class].remove(entry)
        return entry

    def _set_free(self, sonographer: int) -> None:
        self.status[sonographer] = Status.FREE
        self.free[2 + self._fetal_capable(sonographer)] += 1

    def _fetal_capable(self, sonographer: int) -> bool:
        return sonographer < self.config.sonographers.fetal


class LabView:
    """What a policy may see: the whiteboard, read-only.

    Rooms and sonographers are numbers; the fetal-capable ones come first. Times are minutes since opening.
    """

    __slots__ = ("_board",)

    def __init__(self, board: Whiteboard) -> None:
        self._board = board

    @property
    def config(self) -> LabConfig:
        """The lab."""
        return self._board.config

    @property
    def minute(self) -> int:
        """Now."""
        return self._board.minute

    @property
    def appointments(self) -> tuple[Appointment, ...]:
        """The appointment book, by patient number."""
        return self._board.appointments

    def has_arrived(self, patient: int) -> bool:
        """Whether a patient has come in, by now."""
        return self._board.arrived[patient]

    @property
    def waiting_counts(self) -> tuple[int, ...]:
        """Patients waiting, by :class:`PatientClass`."""
        return self._board.waiting_counts()

    def waiting(self, *classes: PatientClass) -> list[WaitingPatient]:
        """Patients waiting, of these classes (of any, if none is named), longest wait first."""
        queues = self._board.queues
        return sorted([entry for kind in classes or PatientClass for entry in queues[kind]])

    def free_rooms(self, fetal: bool) -> list[int]:
        """Free rooms that are (or are not) fetal-capable, lowest number first."""
        first = self._board.config.rooms.fetal
        free = self._board.room_free
        return [room for room in (range(first) if fetal else range(first, len(free))) if free[room]]

    def free_sonographers(self, fetal: bool) -> list[int]:
        """Free sonographers who are (or are not) fetal-capable, fewest exams first, then lowest number."""
        board = self._board
        first = board.config.sonographers.fetal
        numbers = range(first) if fetal else range(first, len(board.status))
        free = [number for number in numbers if board.status[number] == Status.FREE]
        return sorted(free, key=board.exams_begun.__getitem__)

    @property
    def free_counts(self) -> tuple[int, int, int, int]:
        """Free rooms (non-fetal, fetal-capable), then free sonographers (the same)."""
        free = self._board.free
        return free[0], free[1], free[2], free[3]

    @property
    def on_break_counts(self) -> tuple[int, int]:
        """Sonographers on break (non-fetal, fetal-capable)."""
        return self._board.on_break[0], self._board.on_break[1]

    def status(self, sonographer: int) -> Status:
        """What a sonographer is doing."""
        return self._board.status[sonographer]

    def exams_begun(self, sonographer: int) -> int:
        """How many exams a sonographer has begun today."""
        return self._board.exams_begun[sonographer]

    def breaks_left(self, sonographer: int) -> int:
        """How many breaks a sonographer still has."""
        return self._board.breaks_left[sonographer]

    def break_since(self, sonographer: int) -> int | None:
        """Since when a sonographer is on break, if so."""
        return self._board.break_since.get(sonographer)

    @property
    def running_exams(self) -> list[RunningExam]:
        """Exams under way, by sonographer."""
        return [self._board.running[number] for number in sorted(self._board.running)]

    @property
    def present(self) -> np.ndarray:
        """(S,) bool, which sonographers are there today."""
        return np.array([status != Status.ABSENT for status in self._board.status])
