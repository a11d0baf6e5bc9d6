"""Which room and which member of staff a patient gets, and how the decisions of a minute are carried out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from echo_env.lab.simulation.capacity import commit_start, give, starts_left
from echo_env.lab.simulation.duties import RoomStatus, Status
from echo_env.lab.simulation.patient import CLASSES_PER_TYPE, Start, WaitingPatient, as_start
from echo_env.lab.simulation.policy import Keep, Policy, SequentialPolicy
from echo_env.lab.simulation.view import LabView
from echo_env.lab.simulation.whiteboard import Whiteboard

NextClass: TypeAlias = Callable[[LabView], int | Keep | None]
"""See :meth:`~echo_env.lab.simulation.policy.SequentialPolicy.next_class`."""


def assign(view: LabView, patients: Iterable[WaitingPatient]) -> list[Start]:
    """Give each patient in turn a free room and member of staff; skip those who cannot be given both (section 4.1).

    Those who can do the fewest exam types are used first: in the paper's lab a non-fetal exam takes non-fetal ones
    first. Among equals: the member with the fewest exams so far, then the lowest number; the room with the lowest
    number. Where capabilities cross, the first that leaves enough for all others who are to start.

    :param view: the lab
    :param patients: in order of precedence
    """
    left = view.starts_left()
    chosen = []
    for entry in patients:
        if starts_left(entry.exam_type, left) > 0:
            commit_start(entry.exam_type, left)
            chosen.append(entry)
    return named(view, chosen)


def named(view: LabView, patients: Sequence[WaitingPatient]) -> list[Start]:
    """Name a room and a member of staff for each of some patients who can start together.

    :param view: the lab
    :param patients: in the order in which they choose
    """
    if not patients:
        return []
    plan = view.config.plan
    kinds = [entry.exam_type for entry in patients]
    sets = 1 if plan.nested else 1 << len(plan.types)
    rooms_held, staff_held = view.kept_back(kinds)
    idle_rooms, idle_staff = view.idle_rooms, view.idle_staff
    rooms = _given(kinds, rooms_held, {room: view.room_types(room) for room in idle_rooms}, idle_rooms, sets)
    staff = _given(kinds, staff_held, {member: view.staff_types(member) for member in idle_staff}, idle_staff, sets)
    return [Start(entry.patient, room, member) for entry, room, member in zip(patients, rooms, staff, strict=True)]


def _given(kinds: list[int], held: int, can: dict[int, int], order: list[int], sets: int) -> list[int]:
    """A room, or a member, for each start; what is kept back is left over, as if a start of that type came last."""
    wanted = kinds + [k for k in range(held.bit_length()) if held >> k & 1]
    chosen = [-1] * len(wanted)
    give(wanted, can, order, sets, chosen)
    return chosen[: len(kinds)]


def next_class_of(policy: Policy) -> NextClass | None:
    """What a policy that decides on one start at a time is asked; None of any other.

    :param policy: the policy
    """
    return policy.next_class if isinstance(policy, SequentialPolicy) else None


class OneMinute:
    """Carries out decisions on a whiteboard, in the minute that it shows. Time passes elsewhere.

    :param board: the whiteboard
    """

    def __init__(self, board: Whiteboard) -> None:
        self.board = board
        self.view = LabView(board)

    def start(self, starts: Iterable[tuple[int, int, int]]) -> None:
        """Carry out this minute's decision.

        :param starts: who begins an exam, where and with whom: :class:`~echo_env.lab.simulation.patient.Start` or plain
            (patient, room, sonographer)
        :raises ValueError: a start that is not possible; those before it in the list have been made
        """
        for start in map(as_start, starts):
            self._check(start)
            self._begin(start)

    def commit(self, kind: int) -> None:
        """Commit a start: whoever has waited longest in a class begins in this minute.

        Room and member of staff are named at once where that can hide no other start, else when time passes.

        :param kind: the class
        :raises ValueError: nobody of the class waits, or no start of its type is left in this minute
        """
        board, queue = self.board, self.board.queues[kind]
        if not queue or not board.can_start_type(kind // CLASSES_PER_TYPE):
            raise ValueError(f"no exam of class {kind} can be started at {board.config.hours.clock(board.minute)}")
        entry = queue[0]
        if board.plan.nested:
            self.start(named(self.view, [entry]))
        else:
            board.commit(entry.patient)

    def keep(self, kind: int, minutes: int) -> None:
        """Begin a reservation: for some minutes no exam of another type that is committed takes the last free room or
        the last free member of staff that can do a type.

        It ends earlier as soon as somebody of the type waits for whom a room and a member are free. Whoever calls
        :meth:`start` names rooms and members and is not held to it.

        :param kind: the exam type
        :param minutes: how long at the most, at least 1
        """
        self.board.keep(kind, minutes)

    def decide(self, policy: Policy, next_class: NextClass | None) -> None:
        """Carry out what a policy decides in this minute.

        :param policy: the policy
        :param next_class: see :func:`next_class_of`
        """
        if next_class is not None:
            while self.board.can_start() and (step := next_class(self.view)) is not None:
                if isinstance(step, Keep):
                    self.keep(*step)
                else:
                    self.commit(step)
        elif self.board.pending:
            # What is committed holds a room and a member that have no name yet, so starts join it one at a time.
            while self.board.can_start() and (starts := policy.decide(self.view)):
                self.board.commit(as_start(starts[0]).patient)
        elif self.board.can_start():
            self.start(policy.decide(self.view))

    def name_committed(self) -> None:
        """Name rooms and members for the starts that have been committed in this minute."""
        if self.board.pending:
            self.start(named(self.view, self.board.pending))

    def _begin(self, start: Start) -> None:
        """An exam begins."""
        self.board.begin_exam(start)

    def _check(self, start: Start) -> None:
        """Raise for a start that is not possible, with the reason."""
        patient, room, sonographer = start
        board = self.board
        reason = ""
        if patient not in board.waiting and patient not in [entry.patient for entry in board.pending]:
            reason = f"patient {patient} is not waiting"
        elif not 0 <= room < len(board.room_status) or board.room_status[room] != RoomStatus.FREE:
            reason = f"room {room} is not free"
        elif not 0 <= sonographer < len(board.status) or board.status[sonographer] != Status.FREE:
            reason = f"sonographer {sonographer} is not free"
        else:
            reason = self._why_not_able(patient, room, sonographer)
        if reason:
            raise ValueError(f"{start} at {board.config.hours.clock(board.minute)} is not possible: {reason}")

    def _why_not_able(self, patient: int, room: int, member: int) -> str:
        """Why a room and a member of staff cannot do a patient's exam; empty if they can."""
        board = self.board
        kind = board.exam_types[patient]
        name = board.plan.types[kind].name.replace("_", "-")
        if not self.view.room_types(room) >> kind & 1:
            return f"patient {patient} needs a room for {name} exams"
        if not board.staff_can[member] >> kind & 1:
            return f"patient {patient} needs somebody who can do {name} exams"
        if not self.view.staff_types(member) >> kind & 1:
            return f"sonographer {member} begins no {name} exam that is expected to end after the shift"
        return ""
