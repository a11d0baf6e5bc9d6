"""One day of the lab in SimPy: the reference model. Written to be read; the compiled engine must equal it."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

import simpy

from echo_env.lab.config.lab import Lab
from echo_env.lab.day import REBOOKED, TURNED_AWAY, Day, check_day
from echo_env.lab.simulation.allocation import OneMinute, next_class_of
from echo_env.lab.simulation.moment import ARRIVES, BECOMES_ON_TIME, Moment
from echo_env.lab.simulation.patient import (
    Appointment,
    Punctuality,
    Start,
    on_time_from,
    punctuality,
    ready_minute,
)
from echo_env.lab.simulation.penalty import UNITS, idle_rule_index, penalty_units
from echo_env.lab.simulation.policy import Policy
from echo_env.lab.simulation.staff import Staff
from echo_env.lab.simulation.trace import ExamRecord, Trace
from echo_env.lab.simulation.whiteboard import Whiteboard


class Simulator(OneMinute):
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
        super().__init__(Whiteboard(config, appointments, day.exam_type.tolist(), day.present.tolist()))
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

    def _begin(self, start: Start) -> None:
        """An exam begins, and its end is known to the clock."""
        entry = self.board.begin_exam(start)
        end = self.board.minute + self._exam_min[start.patient]
        self._exams.append(ExamRecord(*start, self.board.minute, end, entry.patient_class))
        self._staff.examine(start.patient, start.sonographer, end)

    def start(self, starts: Iterable[tuple[int, int, int]]) -> None:
        """As in :class:`~echo_env.lab.simulation.allocation.OneMinute`."""
        super().start(starts)
        self._catch_up()

    def advance(self, at_most: int | None = None) -> None:
        """Let time pass, to the next minute in which something happens or could be decided.

        :param at_most: go no further than this minute, later than now
        """
        self.name_committed()
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
    next_class = next_class_of(policy)
    while not lab.over:
        lab.decide(policy, next_class)
        lab.advance()
    return lab.trace()
