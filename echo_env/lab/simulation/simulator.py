"""One day of the lab in SimPy: the reference model. Written to be read; the compiled engine must equal it."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

import simpy

from echo_env.lab.config.lab import Lab
from echo_env.lab.day import REBOOKED, TURNED_AWAY, Day, check_day
from echo_env.lab.simulation.allocation import named
from echo_env.lab.simulation.duties import RoomStatus, Status
from echo_env.lab.simulation.moment import ARRIVES, BECOMES_ON_TIME, Moment
from echo_env.lab.simulation.patient import (
    CLASSES_PER_TYPE,
    Appointment,
    Punctuality,
    Start,
    as_start,
    on_time_from,
    punctuality,
    ready_minute,
)
from echo_env.lab.simulation.penalty import UNITS, idle_rule_index, penalty_units
from echo_env.lab.simulation.policy import Keep, Policy, SequentialPolicy
from echo_env.lab.simulation.staff import Staff
from echo_env.lab.simulation.trace import ExamRecord, Trace
from echo_env.lab.simulation.view import LabView
from echo_env.lab.simulation.whiteboard import Whiteboard


class Simulator:
    """Plays a day minute by minute; the caller makes the decisions.

    >>> lab = Simulator(config, day)  # doctest: +SKIP
    >>> while not lab.over:
    ...     lab.start(decide(lab.view))
    ...     lab.advance()

    It can be copied and pickled in the middle of a day.

    :param config: the lab
    :param day: its random draws
    :raises ConfigError: the day was drawn for another lab
    """

    def __init__(self, config: Lab, day: Day) -> None:
        check_day(config, day)
        self.config = config
        self.day = day
        plan = self._plan = config.plan
        in_book = (~day.unscheduled & (day.arrival != REBOOKED)).tolist()
        book = zip(day.exam_type.tolist(), day.scheduled.tolist(), in_book, strict=True)
        appointments = tuple(
            Appointment(number, kind, minute) for number, (kind, minute, there) in enumerate(book) if there
        )
        self.board = Whiteboard(config, appointments, day.exam_type.tolist(), day.present.tolist())
        self.view = LabView(self.board)
        self.over = False
        self.units = (0,) * UNITS
        """Penalty units so far: see :func:`~echo_env.lab.simulation.penalty.penalty_points`."""
        self._idle_rule = idle_rule_index(config)
        self._weights = [kind.weight for kind in plan.types]
        self._overtime_from = plan.overtime_from.tolist()
        self._first_overtime = min(self._overtime_from, default=plan.end_min)
        self._rows: list[tuple[int, ...]] = []
        self._exam_min = day.exam_whole_min.tolist()
        self._exams: list[ExamRecord] = []
        self._clock = simpy.Environment()
        self._clock.process(self._door())
        self._staff = Staff(self._clock, self.board, day)
        self._catch_up()

    def start(self, starts: Iterable[tuple[int, int, int]]) -> None:
        """Carry out this minute's decision.

        :param starts: who begins an exam, where and with whom: :class:`~echo_env.lab.simulation.patient.Start` or plain
            (patient, room, sonographer)
        :raises ValueError: a start that is not possible; those before it in the list have been made
        """
        for start in map(as_start, starts):
            self._check(start)
            entry = self.board.begin_exam(start)
            end = self.board.minute + self._exam_min[start.patient]
            self._exams.append(ExamRecord(*start, self.board.minute, end, entry.patient_class))
            self._staff.examine(start.patient, start.sonographer, end)
        self._catch_up()

    def commit(self, kind: int) -> None:
        """Commit a start: whoever has waited longest in a class begins in this minute.

        Room and member of staff are named at once where that can hide no other start, else when time passes.

        :param kind: the class
        :raises ValueError: nobody of the class waits, or no start of its type is left in this minute
        """
        queue = self.board.queues[kind]
        if not queue or not self.board.can_start_type(kind // CLASSES_PER_TYPE):
            raise ValueError(f"no exam of class {kind} can be started at {self.config.hours.clock(self.board.minute)}")
        entry = queue[0]
        if self._plan.nested:
            self.start(named(self.view, [entry]))
        else:
            self.board.commit(entry.patient)

    def keep(self, kind: int, minutes: int) -> None:
        """Begin a reservation: for some minutes no exam of another type that is committed takes the last free room or
        the last free member of staff that can do a type.

        It ends earlier as soon as somebody of the type waits for whom a room and a member are free. Whoever calls
        :meth:`start` names rooms and members and is not held to it.

        :param kind: the exam type
        :param minutes: how long at the most, at least 1
        """
        self.board.keep(kind, minutes)

    def advance(self, at_most: int | None = None) -> None:
        """Let time pass, to the next minute in which something happens or could be decided.

        :param at_most: go no further than this minute, later than now
        """
        if self.board.pending:
            self.start(named(self.view, self.board.pending))
        minute = self.board.minute + 1
        if not self.board.can_start():
            minute = int(min(self._clock.peek(), self.config.hours.end_min))
            minute = min([minute, *(kept.until_min for kept in self.board.reservations.values())])
        if at_most is not None:
            minute = min(minute, at_most)
        self._charge(minute)
        self.board.minute = minute
        self.over = minute >= self.config.hours.end_min
        if self.over:
            self._close()
        else:
            self._catch_up()

    def trace(self) -> Trace:
        """What has happened so far."""
        return Trace(
            *(self.config, self.day, self._exams, self._staff.breaks, self._rows, self.units),
            *(self._staff.lunches, self._staff.handovers),
        )

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles hold: the day, the starts and the minute, since generators cannot be copied."""
        starts = [(exam.start_min, Start(exam.patient, exam.room, exam.sonographer)) for exam in self._exams]
        minute = self.board.minute
        pending = [entry.patient for entry in self.board.pending]
        day = {"config": self.config, "day": self.day, "starts": starts, "minute": minute, "pending": pending}
        return {**day, "reservations": self.board.reservations}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Play the copy up to the minute of the original."""
        Simulator.__init__(self, state["config"], state["day"])
        for minute, start in state["starts"]:
            self._advance_to(minute)
            self.start([start])
        self._advance_to(state["minute"])
        for patient in state["pending"]:
            self.board.commit(patient)
        self.board.reservations.update(state["reservations"])

    def _advance_to(self, minute: int) -> None:
        while self.board.minute < minute:
            self.advance(minute)

    def _door(self) -> Generator[simpy.Event, None, None]:
        """Patients come in, by minute and then by number."""
        arrivals = enumerate(self.day.arrival.tolist())
        prep, scheduled = self.day.prep_min.tolist(), self.day.scheduled.tolist()
        kinds = self.board.exam_types
        for arrival, number in sorted((arrival, number) for number, arrival in arrivals if arrival >= 0):
            yield Moment(self._clock, arrival, ARRIVES + number)
            self.board.check_in(number)
            early = int(self._plan.types[kinds[number]].may_begin_early)
            ready = ready_minute(arrival, prep[number], scheduled[number], early)
            if ready > arrival:
                self.board.prepare(number)
                self._clock.process(self._preparation(number, ready))
            else:
                self._become_ready(number)

    def _preparation(self, number: int, ready: int) -> Generator[simpy.Event, None, None]:
        """A patient is prepared, or waits for an appointment that the exam may not begin before."""
        yield Moment(self._clock, ready, ARRIVES + number)
        self._become_ready(number)

    def _become_ready(self, number: int) -> None:
        scheduled = int(self.day.scheduled[number])
        law = self._plan.types[self.board.exam_types[number]]
        lead = 0 if self.day.unscheduled[number] else law.check_in_lead_min
        margin = law.arrival.on_time_margin_min
        self.board.become_ready(number, scheduled, margin, lead)
        if punctuality(self.board.waiting[number].patient_class) == Punctuality.EARLY:
            self._clock.process(self._early_patient(number, on_time_from(scheduled - lead, margin)))

    def _early_patient(self, number: int, near: int) -> Generator[simpy.Event, None, None]:
        """Becomes on time when the appointment is near, if not in an exam by then."""
        yield Moment(self._clock, near, BECOMES_ON_TIME + number)
        if number in self.board.waiting:
            self.board.become_on_time(number)

    def _catch_up(self) -> None:
        """Process every event due by now."""
        while self._clock.peek() <= self.board.minute:
            self._clock.step()
        if self.board.reservations:
            self.board.end_reservations()

    def _charge(self, until: int) -> None:
        """Record the minutes from now up to ``until``, in which the state is constant, and their penalty units."""
        board, begin = self.board, self.board.minute
        waiting, pairs = board.waiting_counts(), min(sum(board.free_rooms), sum(board.free_staff))
        startable = board.startable
        counts = (*waiting, *board.free_rooms, *board.free_staff, *board.on_break, startable)
        if not self._rows or self._rows[-1][1:] != counts:
            self._rows.append((begin, *counts))
        paid = list(self.units)
        closing = min(max(self.config.hours.closing_min, begin), until)
        for minutes, after_closing in ((closing - begin, False), (until - closing, True)):
            if minutes:
                units = penalty_units(self._idle_rule, after_closing, waiting, self._weights, pairs, startable)
                for number, count in enumerate(units):
                    paid[number] += minutes * count
        if until > self._first_overtime:
            for member in board.running:
                paid[-1] += max(until - max(begin, self._overtime_from[member]), 0)
        self.units = tuple(paid)

    def _close(self) -> None:
        """The day is over: count who was turned away, and who came and was not examined."""
        came = int((self.day.arrival >= 0).sum())
        turned_away = int((self.day.arrival == TURNED_AWAY).sum())
        paid = self.units
        self.units = (*paid[:4], paid[4] + turned_away, paid[5] + came - len(self._exams), paid[6])

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
            raise ValueError(f"{start} at {self.config.hours.clock(board.minute)} is not possible: {reason}")

    def _why_not_able(self, patient: int, room: int, member: int) -> str:
        """Why a room and a member of staff cannot do a patient's exam; empty if they can."""
        kind, view = self.board.exam_types[patient], self.view
        name = self._plan.types[kind].name.replace("_", "-")
        if not view.room_types(room) >> kind & 1:
            return f"patient {patient} needs a room for {name} exams"
        if not self.board.staff_can[member] >> kind & 1:
            return f"patient {patient} needs somebody who can do {name} exams"
        if not view.staff_types(member) >> kind & 1:
            return f"sonographer {member} begins no {name} exam that is expected to end after the shift"
        return ""


def simulate(config: Lab, day: Day, policy: Policy) -> Trace:
    """Play a whole day under a policy.

    :param config: the lab
    :param day: its random draws
    :param policy: decides in every minute in which an exam can begin
    """
    lab = Simulator(config, day)
    policy.begin_day(lab.view, day.policy_seed)
    return play_on(lab, policy)


def play_on(lab: Simulator, policy: Policy) -> Trace:
    """Play the rest of a day under a policy.

    :param lab: the day so far
    :param policy: whose day has begun
    """
    # Looked up once: a protocol's attributes take as long as a minute of the day.
    next_class = policy.next_class if isinstance(policy, SequentialPolicy) else None
    while not lab.over:
        if next_class is not None:
            while lab.board.can_start() and (step := next_class(lab.view)) is not None:
                if isinstance(step, Keep):
                    lab.keep(*step)
                else:
                    lab.commit(step)
        elif lab.board.can_start():
            lab.start(policy.decide(lab.view))
        lab.advance()
    return lab.trace()
