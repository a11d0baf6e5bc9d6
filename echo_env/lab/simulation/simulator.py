"""One day of the lab in SimPy: the reference model. Written to be read; the compiled engine must equal it."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, Any, cast

import simpy
from simpy.events import EventPriority

from echo_env.lab.config import LabConfig
from echo_env.lab.day import Day, check_day
from echo_env.lab.simulation.breaks import break_thresholds, breaks_taken
from echo_env.lab.simulation.patient import EARLY, Appointment, Start, as_start, on_time_from
from echo_env.lab.simulation.penalty import idle_rule_index, penalty_units
from echo_env.lab.simulation.trace import BreakRecord, ExamRecord, Trace
from echo_env.lab.simulation.whiteboard import LabView, Status, Whiteboard

if TYPE_CHECKING:
    from echo_env.lab.simulation.policy import Policy

# Order of events inside a minute: exams and breaks that end, by sonographer; arrivals, by patient; early
# patients who become on time, by patient. SimPy keeps priority 0 for the start of a process.
_ENDS, _ARRIVES, _BECOMES_ON_TIME = 1, 10_000, 1_000_000


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

    def __init__(self, config: LabConfig, day: Day) -> None:
        check_day(config, day)
        self.config = config
        self.day = day
        book = zip(day.fetal.tolist(), day.scheduled.tolist(), strict=True)
        appointments = tuple(Appointment(number, *line) for number, line in enumerate(book))
        self.board = Whiteboard(config, appointments, day.present.tolist())
        self.view = LabView(self.board)
        self.over = False
        self.units = (0, 0, 0, 0)
        """Penalty units of the minutes that have passed: see :func:`~echo_env.lab.simulation.penalty.penalty_units`."""
        self._idle_rule = idle_rule_index(config)
        self._break_thresholds = break_thresholds(config.breaks).tolist()
        self._rows: list[tuple[int, ...]] = []
        self._exam_min = day.exam_whole_min.tolist()
        self._exams: list[ExamRecord] = []
        self._breaks: list[BreakRecord] = []
        self._clock = simpy.Environment()
        self._clock.process(self._door())
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
            self._clock.process(self._exam(start.sonographer, end))
        self._catch_up()

    def advance(self, at_most: int | None = None) -> None:
        """Let time pass, to the next minute in which something happens or could be decided.

        :param at_most: go no further than this minute, later than now
        """
        minute = self.board.minute + 1
        if not self.board.can_start():
            minute = int(min(self._clock.peek(), self.config.hours.end_min))
        if at_most is not None:
            minute = min(minute, at_most)
        self._charge(minute)
        self.board.minute = minute
        self.over = minute >= self.config.hours.end_min
        if not self.over:
            self._catch_up()

    def trace(self) -> Trace:
        """What has happened so far."""
        return Trace(self.config, self.day, self._exams, self._breaks, self._rows, self.units)

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles hold: the day, the starts and the minute, since generators cannot be copied."""
        starts = [(exam.start_min, Start(exam.patient, exam.room, exam.sonographer)) for exam in self._exams]
        return {"config": self.config, "day": self.day, "starts": starts, "minute": self.board.minute}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Play the copy up to the minute of the original."""
        Simulator.__init__(self, state["config"], state["day"])
        for minute, start in state["starts"]:
            self._advance_to(minute)
            self.start([start])
        self._advance_to(state["minute"])

    def _advance_to(self, minute: int) -> None:
        while self.board.minute < minute:
            self.advance(minute)

    def _door(self) -> Generator[simpy.Event, None, None]:
        """Patients come in, by minute and then by number."""
        arrivals = enumerate(self.day.arrival.tolist())
        for arrival, number in sorted((arrival, number) for number, arrival in arrivals if arrival >= 0):
            yield Moment(self._clock, arrival, _ARRIVES + number)
            self.board.arrive(number)
            if self.board.waiting[number].patient_class in EARLY:
                self._clock.process(self._early_patient(number))

    def _early_patient(self, number: int) -> Generator[simpy.Event, None, None]:
        """Becomes on time when the appointment is near, if not in an exam by then."""
        scheduled = self.board.appointments[number].scheduled_min
        near = on_time_from(scheduled, self.config.arrival.on_time_margin_min)
        yield Moment(self._clock, near, _BECOMES_ON_TIME + number)
        if number in self.board.waiting:
            self.board.become_on_time(number)

    def _exam(self, sonographer: int, end: int) -> Generator[simpy.Event, None, None]:
        """Ends at the first whole minute that is not before its end; a break may follow."""
        yield Moment(self._clock, end, _ENDS + sonographer)
        draw = self.day.break_draw[sonographer, self.board.exams_begun[sonographer] - 1]
        breaks = breaks_taken(self.board.breaks_left[sonographer], draw, self._break_thresholds)
        self.board.end_exam(sonographer, breaks)
        if breaks:
            back = end + breaks * self.config.breaks.minutes
            self._breaks.append(BreakRecord(sonographer, end, back))
            yield Moment(self._clock, back, _ENDS + sonographer)
            self.board.end_break(sonographer)

    def _catch_up(self) -> None:
        """Process every event due by now."""
        while self._clock.peek() <= self.board.minute:
            self._clock.step()

    def _charge(self, until: int) -> None:
        """Record the minutes from now up to ``until``, in which the state is constant, and their penalty units."""
        board, begin = self.board, self.board.minute
        waiting, free = board.waiting_counts(), tuple(board.free)
        counts = (*waiting, *free, *board.on_break)
        if not self._rows or self._rows[-1][1:] != counts:
            self._rows.append((begin, *counts))
        closing = min(max(self.config.hours.closing_min, begin), until)
        for minutes, after_closing in ((closing - begin, False), (until - closing, True)):
            if minutes:
                on_time, late, overtime, idle = penalty_units(self._idle_rule, after_closing, waiting, free)
                paid = self.units
                self.units = (
                    paid[0] + minutes * on_time,
                    paid[1] + minutes * late,
                    paid[2] + minutes * overtime,
                    paid[3] + minutes * idle,
                )

    def _check(self, start: Start) -> None:
        """Raise for a start that is not possible, with the reason."""
        patient, room, sonographer = start
        board = self.board
        reason = ""
        if patient not in board.waiting:
            reason = f"patient {patient} is not waiting"
        elif not 0 <= room < len(board.room_free) or not board.room_free[room]:
            reason = f"room {room} is not free"
        elif not 0 <= sonographer < len(board.status) or board.status[sonographer] != Status.FREE:
            reason = f"sonographer {sonographer} is not free"
        elif board.waiting[patient].fetal and not (
            room < self.config.rooms.fetal and sonographer < self.config.sonographers.fetal
        ):
            reason = f"patient {patient} needs a fetal-capable room and sonographer"
        if reason:
            raise ValueError(f"{start} at {self.config.hours.clock(board.minute)} is not possible: {reason}")


def simulate(config: LabConfig, day: Day, policy: Policy) -> Trace:
    """Play a whole day under a policy.

    :param config: the lab
    :param day: its random draws
    :param policy: decides in every minute in which an exam can begin
    """
    lab = Simulator(config, day)
    policy.begin_day(lab.view, day.policy_seed)
    while not lab.over:
        if lab.board.can_start():
            lab.start(policy.decide(lab.view))
        lab.advance()
    return lab.trace()
