"""The whiteboard: the state of the lab in this minute, as its staff see it, and nothing else.

The simulator writes on it; policies, observations and masks read it through a
:class:`~echo_env.lab.simulation.view.LabView`. Neither holds a reference to the :class:`~echo_env.lab.day.day.Day`, so
the future is out of reach by construction.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from echo_env.lab.config.lab import Lab
from echo_env.lab.config.plan import NEVER
from echo_env.lab.simulation.capacity import (
    commit_start,
    count_beside,
    count_left,
    effective_types,
    kept_back,
    starts_left,
)
from echo_env.lab.simulation.duties import RoomStatus, Status, is_closed
from echo_env.lab.simulation.patient import (
    CLASSES_PER_TYPE,
    Appointment,
    Punctuality,
    RunningExam,
    Start,
    WaitingPatient,
    class_of,
    waits_since,
)


class Reservation(NamedTuple):
    """The last free room and the last free member of staff who can do an exam type are kept for it.

    :param since_min: when this began
    :param until_min: when it ends at the latest
    """

    since_min: int
    until_min: int


class Whiteboard:
    """State of the lab as its staff see it.

    :param config: the lab
    :param appointments: the appointment book, by patient number
    :param exam_types: exam type of everybody who may come, those without an appointment included
    :param present: which members of staff come today
    """

    def __init__(
        self, config: Lab, appointments: tuple[Appointment, ...], exam_types: list[int], present: list[bool]
    ) -> None:
        plan = config.plan
        self.config, self.plan = config, plan
        self.appointments = appointments
        self.minute = 0
        self.exam_types = exam_types
        self.arrival: list[int | None] = [None] * len(exam_types)
        self.preparing: dict[int, int] = {}
        self.queues: tuple[list[WaitingPatient], ...] = tuple([] for _ in range(CLASSES_PER_TYPE * len(plan.types)))
        self.waiting: dict[int, WaitingPatient] = {}
        self.pending: list[WaitingPatient] = []
        self.room_status = [RoomStatus.FREE] * len(plan.room_group)
        self.cleaning_since: dict[int, int] = {}
        begins = plan.duty_from.tolist()
        self.status = [
            Status.ABSENT if not there else Status.OFF_DUTY if begin else Status.FREE
            for there, begin in zip(present, begins, strict=True)
        ]
        self.exams_begun = [0] * len(present)
        groups = [plan.staff_groups[group] for group in plan.staff_group]
        self.breaks_left = [group.breaks.number for group in groups]
        self.planned_taken = [0] * len(present)
        self.lunch_left = [
            bool(group.lunch and begin <= group.lunch.latest_min) for group, begin in zip(groups, begins, strict=True)
        ]
        self.break_since: dict[int, int] = {}
        self.running: dict[int, RunningExam] = {}
        self._room_column = [plan.room_columns.index(group) for group in plan.room_group.tolist()]
        self._staff_column = [plan.staff_columns.index(group) for group in plan.staff_group.tolist()]
        # Kept as counts by group, in the plan's order of columns, because every minute asks for them.
        self.free_rooms, self.free_staff = [0] * len(plan.room_columns), [0] * len(plan.staff_columns)
        self.on_break = [0] * len(plan.staff_columns)
        for column in self._room_column:
            self.free_rooms[column] += 1
        for status, column in zip(self.status, self._staff_column, strict=True):
            self.free_staff[column] += status == Status.FREE
        self.at_lunch: Counter[int] = Counter()
        self._rooms_can = [plan.room_groups[group].can for group in plan.room_columns]
        self._staff_can = tuple(plan.staff_groups[group].can for group in plan.staff_columns)
        self._known: dict[tuple[tuple[int, ...], ...], tuple[int, list[int]]] = {}
        self._expected = plan.expected_min.tolist()
        self._starts_until = plan.starts_until.tolist()
        self.staff_can = [group.can for group in groups]
        self.room_can = [plan.room_groups[group].can for group in plan.room_group]
        self.room_order = sorted(range(len(self.room_can)), key=lambda room: self.room_can[room].bit_count())
        self.staff_size = [can.bit_count() for can in self.staff_can]
        self._left = [0] * (1 << len(plan.types))
        self.reservations: dict[int, Reservation] = {}
        self._startable = 0
        self._counted_at = -1

    def check_in(self, patient: int) -> None:
        """A patient has come."""
        self.arrival[patient] = self.minute

    def prepare(self, patient: int) -> None:
        """A patient is prepared for the exam, or waits for the appointment that it may not begin before."""
        self.preparing[patient] = self.minute

    def become_ready(self, patient: int, scheduled: int, margin: int, lead: int) -> None:
        """A patient who has come enters the queue.

        :param patient: number
        :param scheduled: appointment; the arrival of a patient who has none
        :param margin: minutes off the expected check-in that still count as on time
        :param lead: minutes by which the expected check-in is before the appointment
        """
        arrival = self.arrival[patient]
        assert arrival is not None
        self.preparing.pop(patient, None)
        kind = int(class_of(self.exam_types[patient], scheduled - lead, arrival, self.minute, margin))
        entry = WaitingPatient(waits_since(scheduled, arrival), patient, kind, scheduled, arrival)
        self.waiting[patient] = entry
        insort(self.queues[kind], entry)

    def become_on_time(self, patient: int) -> None:
        """An early patient's appointment has come near."""
        entry = self._leave_queue(patient)
        kind = entry.patient_class - Punctuality.EARLY
        self.waiting[patient] = entry._replace(patient_class=kind)
        insort(self.queues[kind], self.waiting[patient])

    def commit(self, patient: int) -> None:
        """A start is counted; its room and its member of staff are named when time passes."""
        commit_start(self.waiting[patient].exam_type, self.left_in_all)
        self.pending.append(self._leave_queue(patient))
        del self.waiting[patient]

    def keep(self, kind: int, minutes: int) -> None:
        """For some minutes no exam of another type takes the last free room or member of staff for a type."""
        self.reservations[kind] = Reservation(self.minute, self.minute + minutes)

    def end_reservations(self) -> None:
        """Reservations whose minutes are over end, as do those of types of which somebody can begin now."""
        possible = self.open_types(kept=0)
        for kind, reservation in list(self.reservations.items()):
            if self.minute >= reservation.until_min or possible >> kind & 1:
                del self.reservations[kind]

    def begin_exam(self, start: Start) -> WaitingPatient:
        """A patient leaves the queue, or those who are committed, for an exam; returns the patient's entry."""
        patient, room, member = start
        if patient in self.waiting:
            entry = self._leave_queue(patient)
            del self.waiting[patient]
        else:
            entry = next(entry for entry in self.pending if entry.patient == patient)
            self.pending.remove(entry)
        self._set_room(room, RoomStatus.IN_USE)
        self._set_status(member, Status.IN_EXAM)
        self.exams_begun[member] += 1
        self.running[member] = RunningExam(patient, room, member, self.minute)
        return entry

    def end_exam(self, member: int) -> RunningExam:
        """An exam ends: its room is free or is cleaned; what its member of staff does is to be said."""
        exam = self.running.pop(member)
        turnover = self.plan.room_groups[self.plan.room_group[exam.room]].turnover_min
        self._set_room(exam.room, RoomStatus.CLEANING if turnover else RoomStatus.FREE)
        if turnover:
            self.cleaning_since[exam.room] = self.minute
        return exam

    def end_cleaning(self, room: int) -> None:
        """A room has been cleaned."""
        del self.cleaning_since[room]
        self._set_room(room, RoomStatus.FREE)

    def take_break(self, member: int, breaks: int) -> None:
        """A member of staff begins a break, ``breaks`` of those by chance at once; 0 for a planned one."""
        self.breaks_left[member] -= breaks
        self.break_since[member] = self.minute
        self._set_status(member, Status.ON_BREAK)

    def take_planned_break(self, member: int) -> None:
        """A member of staff begins the planned breaks that are due, as one."""
        planned = self.plan.staff_groups[self.plan.staff_group[member]].breaks.planned
        self.planned_taken[member] = sum(time <= self.minute for time in planned)
        self.take_break(member, 0)

    def go_to_lunch(self, member: int) -> None:
        """A member of staff begins lunch."""
        self.lunch_left[member] = False
        self.break_since[member] = self.minute
        self._set_status(member, Status.AT_LUNCH)

    def end_break(self, member: int) -> None:
        """A break or lunch is over; what the member of staff does is to be said."""
        del self.break_since[member]

    def be_free(self, member: int) -> None:
        """A member of staff has nothing to do."""
        self._set_status(member, Status.FREE)

    def go_home(self, member: int) -> None:
        """A member of staff's shift is over."""
        self._set_status(member, Status.OFF_DUTY)

    def hand_over(self, member: int, colleague: int) -> RunningExam:
        """A colleague goes on with an exam, and the member of staff goes home."""
        exam = self.running.pop(member)._replace(sonographer=colleague)
        self.running[colleague] = exam
        self.exams_begun[colleague] += 1
        self._set_status(colleague, Status.IN_EXAM)
        self.go_home(member)
        return exam

    def open_and_close_rooms(self) -> None:
        """Rooms with hours of their own: idle ones are closed, and closed ones opened."""
        for room, group in enumerate(self.plan.room_group.tolist()):
            closed = is_closed(self.minute, self.plan.room_groups[group].closed)
            if closed and self.room_status[room] == RoomStatus.FREE:
                self._set_room(room, RoomStatus.CLOSED)
            elif not closed and self.room_status[room] == RoomStatus.CLOSED:
                self._set_room(room, RoomStatus.FREE)

    def waiting_counts(self) -> tuple[int, ...]:
        """Patients waiting, by class."""
        return tuple(map(len, self.queues))

    @property
    def left(self) -> list[int]:
        """Starts left in this minute beside what is kept, by set of exam types."""
        return self._left_beside(self._kept) if self.reservations else self.left_in_all

    @property
    def left_in_all(self) -> list[int]:
        """Starts left in this minute, by set of exam types: see :func:`~.capacity.count_left`."""
        self._count()
        return self._left

    def open_types(self, kept: int | None = None) -> int:
        """Bit set of the types of those who wait of which one can be started now; see
        :meth:`~echo_env.lab.simulation.view.LabView.open_types`."""
        reserved = self._kept if kept is None else kept
        left = self._left_beside(reserved) if reserved else self.left_in_all
        types = 0
        for k in range(len(self._expected)):
            if any(self.queues[3 * k : 3 * k + 3]) and starts_left(k, left) > 0:
                types |= 1 << k
        return types

    def kept_back(self, kinds: Sequence[int], kept: int | None = None) -> tuple[int, int]:
        """See :meth:`~echo_env.lab.simulation.view.LabView.kept_back`; ``kept`` is a bit set of types with a
        reservation, by default those that have one."""
        types = self._kept if kept is None else kept
        if not types:
            return 0, 0
        begun, (staff, staff_can) = self._begun(kinds), self._free_members()
        return (
            kept_back(types, begun, self.free_rooms, self._rooms_can),
            kept_back(types, begun, staff, staff_can),
        )

    @property
    def startable(self) -> int:
        """Bit set of the exam types for which an idle room and an idle member of staff exist."""
        self._count()
        return self._startable

    def staff_types(self, member: int) -> int:
        """Bit set of the exam types that a free member of staff may begin now."""
        can, until = self.staff_can[member], self._starts_until[member]
        return can if until == NEVER else effective_types(can, self.minute, until, self._expected)

    def is_wanted(self, member: int) -> bool:
        """Whether a patient waits whom a free member of staff may begin to examine now, if there is a room."""
        types = self.staff_types(member)
        return any(queue and types >> kind // CLASSES_PER_TYPE & 1 for kind, queue in enumerate(self.queues))

    def can_start_type(self, kind: int) -> bool:
        """Whether an exam of a type could be started in this minute, if somebody waits for it."""
        return starts_left(kind, self.left) > 0

    def can_start(self) -> bool:
        """Whether anybody who waits could be given a room and a member of staff now."""
        if not self.waiting:
            return False
        queues, left = self.queues, self.left
        for k in range(len(self._expected)):
            if (queues[3 * k] or queues[3 * k + 1] or queues[3 * k + 2]) and starts_left(k, left) > 0:
                return True
        return False

    @property
    def _kept(self) -> int:
        """Bit set of the types with a reservation."""
        return sum(1 << kind for kind in self.reservations)

    def _begun(self, kinds: Sequence[int]) -> list[int]:
        """Starts of each type."""
        counts = Counter(kinds)
        return [counts[k] for k in range(len(self._expected))]

    def _left_beside(self, kept: int) -> list[int]:
        """Starts left in this minute, by set of exam types, beside what is kept for some types."""
        kinds = [entry.exam_type for entry in self.pending]
        left, (staff, staff_can) = [0] * (1 << len(self._expected)), self._free_members()
        rooms_held, staff_held = self.kept_back(kinds, kept)
        count_beside(
            *(rooms_held, staff_held, self._begun(kinds)),
            *(self.free_rooms, self._rooms_can, staff, staff_can, left),
        )
        return left

    def _free_members(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """How many members of staff are free, and what these may begin now, by kind."""
        if not self.plan.limits_starts:
            return tuple(self.free_staff), self._staff_can
        there = [member for member, status in enumerate(self.status) if status == Status.FREE]
        kinds = sorted(Counter(map(self.staff_types, there)).items())
        return tuple(count for _, count in kinds), tuple(can for can, _ in kinds)

    def _count(self) -> None:
        """Count what is left, if that is not known of this minute."""
        if self._counted_at == self.minute:
            return
        staff, staff_can = self._free_members()
        # Few different states occur in a day, and each many times.
        key = tuple(self.free_rooms), staff, staff_can
        if key not in self._known:
            left = [0] * (1 << len(self.plan.types))
            self._known[key] = count_left(key[0], self._rooms_can, staff, staff_can, left), left
        self._startable, left = self._known[key]
        self._left = left.copy()
        for entry in self.pending:
            commit_start(entry.exam_type, self._left)
        self._counted_at = self.minute

    def _leave_queue(self, patient: int) -> WaitingPatient:
        entry = self.waiting[patient]
        self.queues[entry.patient_class].remove(entry)
        return entry

    def _set_room(self, room: int, status: RoomStatus) -> None:
        column = self._room_column[room]
        self.free_rooms[column] += (status == RoomStatus.FREE) - (self.room_status[room] == RoomStatus.FREE)
        self.room_status[room] = status
        self._counted_at = -1

    def _set_status(self, member: int, status: Status) -> None:
        before, column = self.status[member], self._staff_column[member]
        self.free_staff[column] += (status == Status.FREE) - (before == Status.FREE)
        away = (Status.ON_BREAK, Status.AT_LUNCH)
        self.on_break[column] += (status in away) - (before in away)
        self.at_lunch[self.plan.staff_group[member]] += (status == Status.AT_LUNCH) - (before == Status.AT_LUNCH)
        self.status[member] = status
        self._counted_at = -1
