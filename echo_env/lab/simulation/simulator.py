"""One day of the lab in SimPy: the reference model. Written to be read; the compiled engine must equal it."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any, cast

import simpy
from simpy.events import EventPriority

from echo_env.lab.config.lab import Lab
from echo_env.lab.config.plan import NEVER
from echo_env.lab.day import TURNED_AWAY, Day, check_day
from echo_env.lab.simulation.allocation import named
from echo_env.lab.simulation.breaks import break_thresholds, breaks_taken
from echo_env.lab.simulation.duties import RoomStatus, Status, next_duty
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
from echo_env.lab.simulation.policy import Policy, SequentialPolicy
from echo_env.lab.simulation.trace import BreakRecord, ExamRecord, HandoverRecord, Trace
from echo_env.lab.simulation.view import LabView
from echo_env.lab.simulation.whiteboard import Whiteboard

# Order of events inside a minute: exams, breaks and lunches that end, by member of staff; rooms that have been cleaned;
# what shifts, lunch, planned breaks and the rooms' hours change; patients who are ready, by number; early patients who
# become on time, by number. SimPy keeps priority 0 for the start of a process.
_ENDS, _CLEAN, _ROSTER, _ARRIVES, _BECOMES_ON_TIME = 1, 10_000, 20_000, 30_000, 1_000_000


class Moment(simpy.Event):
    """A whole minute of the day, with a stated place among the other events of that minute."""

    def __init__(self, clock: simpy.Environment, minute: int, order: int) -> None:
        super().__init__(clock)
        self._ok = True
        self._value = None
        # Any whole number orders events; SimPy's own type names only the two it uses itself.
        clock.schedule(self, priority=cast(EventPriority, order), delay=minute - clock.now)


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
        book = zip(day.exam_type.tolist(), day.scheduled.tolist(), day.unscheduled.tolist(), strict=True)
        appointments = tuple(
            Appointment(number, kind, minute)
            for number, (kind, minute, unscheduled) in enumerate(book)
            if not unscheduled
        )
        self.board = Whiteboard(config, appointments, day.exam_type.tolist(), day.present.tolist())
        self.view = LabView(self.board)
        self.over = False
        self.units = (0,) * UNITS
        """Penalty units so far: see :func:`~echo_env.lab.simulation.penalty.penalty_points`."""
        self._idle_rule = idle_rule_index(config)
        self._weights = [kind.weight for kind in plan.types]
        self._groups = [plan.staff_groups[group] for group in plan.staff_group]
        self._break_thresholds = [break_thresholds(group.breaks).tolist() for group in self._groups]
        self._duty_from, self._duty_until = plan.duty_from.tolist(), plan.duty_until.tolist()
        self._overtime_from = plan.overtime_from.tolist()
        self._rows: list[tuple[int, ...]] = []
        self._exam_min = day.exam_whole_min.tolist()
        self._exams: list[ExamRecord] = []
        self._breaks: list[BreakRecord] = []
        self._lunches: list[BreakRecord] = []
        self._handovers: list[HandoverRecord] = []
        self._ends: dict[int, int] = {}
        self._clock = simpy.Environment()
        self._clock.process(self._door())
        if plan.has_roster:
            self._clock.process(self._roster())
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
            self._ends[start.patient] = end
            self._clock.process(self._exam(start.patient, start.sonographer, end))
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

    def advance(self, at_most: int | None = None) -> None:
        """Let time pass, to the next minute in which something happens or could be decided.

        :param at_most: go no further than this minute, later than now
        """
        if self.board.pending:
            self.start(named(self.view, self.board.pending))
        minute = self.board.minute + 1
        if not self.board.can_start():
            minute = int(min(self._clock.peek(), self.config.hours.end_min))
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
            *(self.config, self.day, self._exams, self._breaks, self._rows, self.units),
            *(self._lunches, self._handovers),
        )

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles hold: the day, the starts and the minute, since generators cannot be copied."""
        starts = [(exam.start_min, Start(exam.patient, exam.room, exam.sonographer)) for exam in self._exams]
        minute = self.board.minute
        pending = [entry.patient for entry in self.board.pending]
        return {"config": self.config, "day": self.day, "starts": starts, "minute": minute, "pending": pending}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Play the copy up to the minute of the original."""
        Simulator.__init__(self, state["config"], state["day"])
        for minute, start in state["starts"]:
            self._advance_to(minute)
            self.start([start])
        self._advance_to(state["minute"])
        for patient in state["pending"]:
            self.board.commit(patient)

    def _advance_to(self, minute: int) -> None:
        while self.board.minute < minute:
            self.advance(minute)

    def _door(self) -> Generator[simpy.Event, None, None]:
        """Patients come in, by minute and then by number."""
        arrivals = enumerate(self.day.arrival.tolist())
        prep, scheduled = self.day.prep_min.tolist(), self.day.scheduled.tolist()
        kinds = self.board.exam_types
        for arrival, number in sorted((arrival, number) for number, arrival in arrivals if arrival >= 0):
            yield Moment(self._clock, arrival, _ARRIVES + number)
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
        yield Moment(self._clock, ready, _ARRIVES + number)
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
        yield Moment(self._clock, near, _BECOMES_ON_TIME + number)
        if number in self.board.waiting:
            self.board.become_on_time(number)

    def _exam(self, patient: int, member: int, end: int) -> Generator[simpy.Event, None, None]:
        """Ends at the first whole minute that is not before its end; a break may follow."""
        yield Moment(self._clock, end, _ENDS + member)
        running = self.board.running.get(member)
        if running is None or running.patient != patient:
            # Handed over to a colleague, whose process ends it.
            return
        self.board.end_exam(member)
        if running.room in self.board.cleaning_since:
            self._clock.process(self._cleaning(running.room))
        self._released(member, after_exam=True)

    def _cleaning(self, room: int) -> Generator[simpy.Event, None, None]:
        """A room is cleaned after an exam."""
        turnover = self._plan.room_groups[self._plan.room_group[room]].turnover_min
        yield Moment(self._clock, self.board.minute + turnover, _CLEAN + room)
        self.board.end_cleaning(room)
        self._check_roster_soon()

    def _absence(self, member: int, back: int) -> Generator[simpy.Event, None, None]:
        """A break or a lunch."""
        yield Moment(self._clock, back, _ENDS + member)
        self.board.end_break(member)
        self._released(member)

    def _released(self, member: int, after_exam: bool = False) -> None:
        """Say what a member of staff does who has nothing to do now."""
        board, group, now = self.board, self._groups[member], self.board.minute
        until, duty = self._duty_until[member], self._duty(member)
        breaks = 0
        if duty == Status.FREE and after_exam:
            draw = self.day.break_draw[member, board.exams_begun[member] - 1]
            breaks = breaks_taken(board.breaks_left[member], draw, self._break_thresholds[member])
        if duty == Status.OFF_DUTY:
            board.go_home(member)
        elif duty == Status.AT_LUNCH:
            board.go_to_lunch(member)
            self._go_away(member, min(now + (group.lunch.minutes if group.lunch else 0), until), self._lunches)
        elif duty == Status.ON_BREAK:
            board.take_planned_break(member)
            self._go_away(member, min(now + group.breaks.minutes, until), self._breaks)
        elif breaks:
            board.take_break(member, breaks)
            self._go_away(member, min(now + breaks * group.breaks.minutes, until), self._breaks)
        else:
            board.be_free(member)
        self._check_roster_soon()

    def _duty(self, member: int) -> int:
        """Where a member of staff goes who has nothing to do."""
        board, group = self.board, self._groups[member]
        lunch, planned, taken = group.lunch, group.breaks.planned, board.planned_taken[member]
        begin, latest, at_once = (lunch.begin_min, lunch.latest_min, lunch.at_once) if lunch else (NEVER, NEVER, 0)
        return next_duty(
            board.minute,
            self._duty_until[member],
            int(board.lunch_left[member]),
            begin,
            latest,
            board.at_lunch[self._plan.staff_group[member]],
            at_once,
            planned[taken] if taken < len(planned) else NEVER,
        )

    def _go_away(self, member: int, back: int, records: list[BreakRecord]) -> None:
        records.append(BreakRecord(member, self.board.minute, back))
        self._clock.process(self._absence(member, back))

    def _roster(self) -> Generator[simpy.Event, None, None]:
        """Minutes in which shifts, lunch, planned breaks or the rooms' hours may change something."""
        for minute in (0, *self._plan.roster_minutes.tolist()):
            yield Moment(self._clock, minute, _ROSTER)
            self._check_roster()

    def _check_roster_soon(self) -> None:
        """Check the roster in this minute, after everything that ends."""
        if self._plan.has_roster:
            moment = Moment(self._clock, self.board.minute, _ROSTER)
            moment.callbacks.append(lambda event: self._check_roster())

    def _check_roster(self) -> None:
        """Shifts that begin or end, lunch and breaks that are due, exams that are handed over, and the rooms' hours."""
        board, now = self.board, self.board.minute
        for member, status in enumerate(board.status):
            comes = status == Status.OFF_DUTY and self._duty_from[member] <= now < self._duty_until[member]
            if comes or (status == Status.FREE and self._duty(member) != Status.FREE):
                self._released(member)
        for member, group in enumerate(self._groups):
            if group.hands_over and board.status[member] == Status.IN_EXAM and now >= self._duty_until[member]:
                self._hand_over(member)
        board.open_and_close_rooms()

    def _hand_over(self, member: int) -> None:
        """An exam under way at the end of a shift goes to a free colleague who can do it, if there is one."""
        board = self.board
        patient = board.running[member].patient
        kind = self.board.exam_types[patient]
        able = [
            (group.can.bit_count(), board.exams_begun[colleague], colleague)
            for colleague, group in enumerate(self._groups)
            if board.status[colleague] == Status.FREE and group.can >> kind & 1
        ]
        if able:
            *_, colleague = min(able)
            board.hand_over(member, colleague)
            self._handovers.append(HandoverRecord(patient, member, colleague, board.minute))
            self._clock.process(self._exam(patient, colleague, self._ends[patient]))

    def _catch_up(self) -> None:
        """Process every event due by now."""
        while self._clock.peek() <= self.board.minute:
            self._clock.step()

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
        name = self._plan.types[kind].name
        if not view.room_types(room) >> kind & 1:
            return f"patient {patient} needs a room for {name} exams"
        if not self._groups[member].can >> kind & 1:
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
    # Looked up once: a protocol's attributes take as long as a minute of the day.
    next_class = policy.next_class if isinstance(policy, SequentialPolicy) else None
    while not lab.over:
        if next_class is not None:
            while lab.board.can_start() and (kind := next_class(lab.view)) is not None:
                lab.commit(kind)
        elif lab.board.can_start():
            lab.start(policy.decide(lab.view))
        lab.advance()
    return lab.trace()
