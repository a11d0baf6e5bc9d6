"""What a policy may see of a lab: the whiteboard, read-only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config.lab import Lab
from echo_env.lab.simulation.duties import RoomStatus, Status
from echo_env.lab.simulation.patient import Appointment, RunningExam, WaitingPatient
from echo_env.lab.simulation.whiteboard import Reservation, Whiteboard


class LabView:
    """What a policy may see: the whiteboard, read-only.

    Rooms and members of staff are numbers, group by group as in :class:`~echo_env.lab.config.plan.LabPlan`; in a lab
    of fetal and non-fetal exams the fetal-capable ones come first. Times are minutes since opening.
    """

    __slots__ = ("_board",)

    def __init__(self, board: Whiteboard) -> None:
        self._board = board

    @property
    def config(self) -> Lab:
        """The lab."""
        return self._board.config

    @property
    def minute(self) -> int:
        """Now."""
        return self._board.minute

    @property
    def appointments(self) -> tuple[Appointment, ...]:
        """The appointment book, by patient number. Patients without an appointment are not in it, nor are those who
        were rebooked to another day in the morning."""
        return self._board.appointments

    @property
    def patients(self) -> int:
        """How many patients may come today: numbers from the book's length on are those without an appointment."""
        return len(self._board.arrival)

    def exam_type(self, patient: int) -> int:
        """Exam type of a patient in the book, or of one without an appointment who has come."""
        return self._board.exam_types[patient]

    def has_arrived(self, patient: int) -> bool:
        """Whether a patient has come in, by now."""
        return self._board.arrival[patient] is not None

    def arrival_min(self, patient: int) -> int | None:
        """When a patient came, if so."""
        return self._board.arrival[patient]

    @property
    def preparing(self) -> dict[int, int]:
        """Patients who have come but are not ready, and since when."""
        return dict(self._board.preparing)

    @property
    def waiting_counts(self) -> tuple[int, ...]:
        """Patients waiting, by class."""
        return self._board.waiting_counts()

    def waiting(self, *classes: int) -> list[WaitingPatient]:
        """Patients waiting, of these classes (of any, if none is named), longest wait first."""
        queues = self._board.queues
        return sorted([entry for kind in classes or range(len(queues)) for entry in queues[kind]])

    @property
    def committed(self) -> list[WaitingPatient]:
        """Patients whose start has been committed in this minute, and whose room and member are not named yet."""
        return list(self._board.pending)

    @property
    def reservations(self) -> dict[int, Reservation]:
        """The exam types for which the last free room and the last free member of staff are kept."""
        return dict(self._board.reservations)

    def starts_left(self, in_all: bool = False) -> list[int]:
        """(2^K,) starts left in this minute, by set of exam types: see
        :func:`~echo_env.lab.simulation.capacity.count_left`.

        :param in_all: whether to count what is kept by reservations as well
        """
        return list(self._board.left_in_all if in_all else self._board.left)

    def open_types(self, kept: int | None = None) -> int:
        """Bit set of the types of those who wait of which one can be started now.

        :param kept: bit set of types with a reservation; by default those that have one
        """
        return self._board.open_types(kept)

    def kept_back(self, kinds: Sequence[int]) -> tuple[int, int]:
        """The types for which a room, and those for which a member of staff, is kept back: see
        :func:`~echo_env.lab.simulation.capacity.kept_back`.

        :param kinds: types of starts of this minute whose room and member are not named yet
        """
        return self._board.kept_back(kinds)

    def can_start_type(self, kind: int) -> bool:
        """Whether an exam of a type could be started in this minute, if somebody waits for it."""
        return self._board.can_start_type(kind)

    @property
    def idle_rooms(self) -> list[int]:
        """Free rooms: those of fewer exam types first, then the lowest number."""
        status = self._board.room_status
        return [room for room in self._board.room_order if status[room] == RoomStatus.FREE]

    @property
    def idle_staff(self) -> list[int]:
        """Free members of staff: those who may begin fewer exam types first, then who can do fewer, then fewest exams,
        then the lowest number."""
        board = self._board
        free = [member for member, status in enumerate(board.status) if status == Status.FREE]

        size, begun = board.staff_size, board.exams_begun
        if not board.plan.limits_starts:
            return sorted(free, key=lambda member: (size[member], begun[member]))

        def order(member: int) -> tuple[int, int, int]:
            return board.staff_types(member).bit_count(), size[member], begun[member]

        return sorted(free, key=order)

    def room_types(self, room: int) -> int:
        """Bit set of the exam types that can be done in a room."""
        return self._board.room_can[room]

    def staff_types(self, sonographer: int) -> int:
        """Bit set of the exam types that a free member of staff may begin now."""
        return self._board.staff_types(sonographer)

    def free_rooms(self, fetal: bool) -> list[int]:
        """In a lab of fetal and non-fetal exams: free rooms that are (or are not) fetal-capable, by number."""
        board, can = self._board, self._board.plan.room_groups
        free = (room for room, status in enumerate(board.room_status) if status == RoomStatus.FREE)
        return [room for room in free if can[board.plan.room_group[room]].can & 1 == fetal]

    def free_sonographers(self, fetal: bool) -> list[int]:
        """In such a lab: free sonographers who are (or are not) fetal-capable, fewest exams first, then the lowest
        number."""
        board, can = self._board, self._board.plan.staff_groups
        free = (member for member, status in enumerate(board.status) if status == Status.FREE)
        ours = [member for member in free if can[board.plan.staff_group[member]].can & 1 == fetal]
        return sorted(ours, key=board.exams_begun.__getitem__)

    @property
    def free_counts(self) -> tuple[int, ...]:
        """Free rooms by group, then free members of staff by group, in the plan's order of columns: in a lab of fetal
        and non-fetal exams rooms (non-fetal, fetal-capable), then sonographers (the same)."""
        return (*self._board.free_rooms, *self._board.free_staff)

    @property
    def on_break_counts(self) -> tuple[int, ...]:
        """Members of staff on break or at lunch, by group in the plan's order of columns."""
        return tuple(self._board.on_break)

    def room_status(self, room: int) -> RoomStatus:
        """What a room is used for."""
        return self._board.room_status[room]

    def cleaning_since(self, room: int) -> int | None:
        """Since when a room is cleaned, if so."""
        return self._board.cleaning_since.get(room)

    def status(self, sonographer: int) -> Status:
        """What a member of staff is doing."""
        return self._board.status[sonographer]

    def exams_begun(self, sonographer: int) -> int:
        """How many exams a member of staff has begun or taken over today."""
        return self._board.exams_begun[sonographer]

    def breaks_left(self, sonographer: int) -> int:
        """How many breaks by chance a member of staff still has."""
        return self._board.breaks_left[sonographer]

    def planned_taken(self, sonographer: int) -> int:
        """How many planned breaks of a member of staff are over or under way."""
        return self._board.planned_taken[sonographer]

    def lunch_left(self, sonographer: int) -> bool:
        """Whether a member of staff is still to have lunch."""
        return self._board.lunch_left[sonographer]

    def break_since(self, sonographer: int) -> int | None:
        """Since when a member of staff is on break or at lunch, if so."""
        return self._board.break_since.get(sonographer)

    @property
    def running_exams(self) -> list[RunningExam]:
        """Exams under way, by member of staff."""
        return [self._board.running[number] for number in sorted(self._board.running)]

    @property
    def present(self) -> NDArray[np.bool_]:
        """(S,) bool, which members of staff come today; not yet called or gone home counts as present."""
        return np.array([status != Status.ABSENT for status in self._board.status])
