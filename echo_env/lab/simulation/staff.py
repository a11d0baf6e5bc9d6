"""What members of staff and rooms do besides what is decided: ends of exams, breaks, lunch, shifts, cleaning, hours."""

from __future__ import annotations

from collections.abc import Generator

import simpy

from echo_env.lab.config.plan import NEVER
from echo_env.lab.day import Day
from echo_env.lab.simulation.breaks import break_thresholds, breaks_taken
from echo_env.lab.simulation.duties import Status, next_duty
from echo_env.lab.simulation.moment import CLEAN, ENDS, ROSTER, Moment
from echo_env.lab.simulation.trace import BreakRecord, HandoverRecord
from echo_env.lab.simulation.whiteboard import Whiteboard


class Staff:
    """The processes of members of staff and of rooms.

    :param clock: of the day
    :param board: the whiteboard they write on
    :param day: its random draws
    """

    def __init__(self, clock: simpy.Environment, board: Whiteboard, day: Day) -> None:
        plan = board.plan
        self._clock, self._board, self._plan = clock, board, plan
        self._break_draw = day.break_draw
        self._groups = [plan.staff_groups[group] for group in plan.staff_group]
        self._break_thresholds = [break_thresholds(group.breaks).tolist() for group in self._groups]
        self._duty_from, self._duty_until = plan.duty_from.tolist(), plan.duty_until.tolist()
        self._ends: dict[int, int] = {}
        self._looks_again = -1
        self.breaks: list[BreakRecord] = []
        """Breaks by chance and planned ones, in the order in which they began."""
        self.lunches: list[BreakRecord] = []
        """In the order in which they began."""
        self.handovers: list[HandoverRecord] = []
        """In order."""
        if plan.has_roster:
            clock.process(self._roster())

    def examine(self, patient: int, member: int, end: int) -> None:
        """An exam has begun.

        :param patient: whose
        :param member: who does it
        :param end: minute in which it ends
        """
        self._ends[patient] = end
        self._clock.process(self._exam(patient, member, end))

    def _exam(self, patient: int, member: int, end: int) -> Generator[simpy.Event, None, None]:
        """Ends at the first whole minute that is not before its end; a break may follow."""
        yield Moment(self._clock, end, ENDS + member)
        running = self._board.running.get(member)
        if running is None or running.patient != patient:
            # Handed over to a colleague, whose process ends it.
            return
        self._board.end_exam(member)
        if running.room in self._board.cleaning_since:
            self._clock.process(self._cleaning(running.room))
        self._released(member, after_exam=True)

    def _cleaning(self, room: int) -> Generator[simpy.Event, None, None]:
        """A room is cleaned after an exam."""
        turnover = self._plan.room_groups[self._plan.room_group[room]].turnover_min
        yield Moment(self._clock, self._board.minute + turnover, CLEAN + room)
        self._board.end_cleaning(room)
        self._check_roster_soon()

    def _absence(self, member: int, back: int) -> Generator[simpy.Event, None, None]:
        """A break or a lunch."""
        yield Moment(self._clock, back, ENDS + member)
        self._board.end_break(member)
        self._released(member)

    def _released(self, member: int, after_exam: bool = False) -> None:
        """Say what a member of staff does who has nothing to do now."""
        board, group, now = self._board, self._groups[member], self._board.minute
        until, duty = self._duty_until[member], self._duty(member, self._is_wanted(member))
        breaks = 0
        if duty == Status.FREE and after_exam:
            draw = self._break_draw[member, board.exams_begun[member] - 1]
            breaks = breaks_taken(board.breaks_left[member], draw, self._break_thresholds[member])
        if duty == Status.OFF_DUTY:
            board.go_home(member)
        elif duty == Status.AT_LUNCH:
            board.go_to_lunch(member)
            self._go_away(member, min(now + (group.lunch.minutes if group.lunch else 0), until), self.lunches)
        elif duty == Status.ON_BREAK:
            board.take_planned_break(member)
            self._go_away(member, min(now + group.breaks.minutes, until), self.breaks)
        elif breaks:
            board.take_break(member, breaks)
            self._go_away(member, min(now + breaks * group.breaks.minutes, until), self.breaks)
        else:
            board.be_free(member)
        self._check_roster_soon()

    def _is_wanted(self, member: int) -> bool:
        return self._plan.puts_off and self._board.is_wanted(member)

    def _duty(self, member: int, wanted: bool) -> int:
        """Where a member of staff goes who has nothing to do, if a patient waits for them or if not."""
        board, group = self._board, self._groups[member]
        lunch, planned, taken = group.lunch, group.breaks.planned, board.planned_taken[member]
        begin, latest, at_once = (lunch.begin_min, lunch.latest_min, lunch.at_once) if lunch else (NEVER, NEVER, 0)
        lunch_put_off = lunch is not None and lunch.put_off
        return next_duty(
            board.minute,
            self._duty_until[member],
            int(board.lunch_left[member]),
            begin,
            latest,
            board.at_lunch[self._plan.staff_group[member]],
            at_once,
            lunch_put_off,
            planned[taken] if taken < len(planned) else NEVER,
            group.breaks.put_off_min,
            wanted,
        )

    def _go_away(self, member: int, back: int, records: list[BreakRecord]) -> None:
        records.append(BreakRecord(member, self._board.minute, back))
        self._clock.process(self._absence(member, back))

    def _roster(self) -> Generator[simpy.Event, None, None]:
        """Minutes in which shifts, lunch, planned breaks or the rooms' hours may change something."""
        for minute in (0, *self._plan.roster_minutes.tolist()):
            yield Moment(self._clock, minute, ROSTER)
            self._check_roster()

    def _check_roster_soon(self) -> None:
        """Check the roster in this minute, after everything that ends."""
        if self._plan.has_roster:
            moment = Moment(self._clock, self._board.minute, ROSTER)
            moment.callbacks.append(lambda event: self._check_roster())

    def _check_roster(self) -> None:
        """Shifts that begin or end, lunch and breaks that are due, exams that are handed over, and the rooms' hours."""
        board, now = self._board, self._board.minute
        for member, status in enumerate(board.status):
            comes = status == Status.OFF_DUTY and self._duty_from[member] <= now < self._duty_until[member]
            if comes or (status == Status.FREE and self._duty(member, self._is_wanted(member)) != Status.FREE):
                self._released(member)
        for member, group in enumerate(self._groups):
            if group.hands_over and board.status[member] == Status.IN_EXAM and now >= self._duty_until[member]:
                self._hand_over(member)
        board.open_and_close_rooms()
        if self._plan.puts_off:
            self._look_again()

    def _look_again(self) -> None:
        """Check the roster in the next minute if anybody who is free puts off a lunch or a break."""
        soon = self._board.minute + 1
        free = (member for member, status in enumerate(self._board.status) if status == Status.FREE)
        if self._looks_again < soon and any(self._duty(member, wanted=False) != Status.FREE for member in free):
            self._looks_again = soon
            moment = Moment(self._clock, soon, ROSTER)
            moment.callbacks.append(lambda event: self._check_roster())

    def _hand_over(self, member: int) -> None:
        """An exam under way at the end of a shift goes to a free colleague who can do it, if there is one."""
        board = self._board
        patient = board.running[member].patient
        kind = self._board.exam_types[patient]
        able = [
            (group.can.bit_count(), board.exams_begun[colleague], colleague)
            for colleague, group in enumerate(self._groups)
            if board.status[colleague] == Status.FREE and group.can >> kind & 1
        ]
        if able:
            *_, colleague = min(able)
            board.hand_over(member, colleague)
            self.handovers.append(HandoverRecord(patient, member, colleague, board.minute))
            self._clock.process(self._exam(patient, colleague, self._ends[patient]))
