"""From a board to the state of the engines at a minute."""

from __future__ import annotations

import copy
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from echo_env.lab.advice.board import (
    ABSENT,
    BREAK,
    CANCELLED,
    DONE,
    IN_EXAM,
    LUNCH,
    OFF_DUTY,
    PREPARING,
    WAITING,
    Board,
    BoardError,
    Row,
    read_rows,
)
from echo_env.lab.advice.checks import hour_of, inconsistencies
from echo_env.lab.config import LabConfig
from echo_env.lab.config.lab import Lab
from echo_env.lab.config.short_form import Appointments
from echo_env.lab.day import appointment_book
from echo_env.lab.simulation.patient import Appointment, Start
from echo_env.lab.simulation.whiteboard import Whiteboard


class Standing(NamedTuple):
    """How a lab stands at a minute.

    :param config: the lab, with the appointments of the board
    :param whiteboard: the state
    :param patients: number -> id on the board
    :param rooms: ids by number
    :param staff: ids by number; of who is not on the board the group and the number
    :param back_min: member of staff -> known end of a break or lunch, minutes since opening
    """

    config: Lab
    whiteboard: Whiteboard
    patients: dict[int, str]
    rooms: list[str]
    staff: list[str]
    back_min: dict[int, int]


def read_standing(text: str, config: Lab, at: int, name: str = "the board") -> Standing:
    """Read a board, check it, and put it into the state of the engines.

    :param text: the file's
    :param config: the lab; where the board has other appointments, these count
    :param at: now, minutes since opening
    :param name: of the board, for messages
    :raises BoardError: names all inconsistencies, by row and column
    :raises ValueError: it is no such table at all
    """
    board, findings = read_rows(text, config, name)
    findings += inconsistencies(board, config, at)
    if findings:
        raise BoardError(name, findings)
    return standing_of(board, with_book_of(board, config), at)


def with_book_of(board: Board, config: Lab) -> Lab:
    """The lab with the appointments of a board.

    :param board: the rows
    :param config: the lab; returned as it is if its appointments are these
    """
    plan = config.plan
    today = Counter((row.scheduled, row.type) for row in board.patients if row.scheduled is not None)
    usual = Counter((minute, kind) for kind, own in enumerate(plan.types) for minute in own.scheduled)
    if today == Counter({key: count for key, count in usual.items() if key[0] is not None}):
        return config
    books = [
        tuple(sorted(m for m, k in today.elements() if k == kind and m is not None)) for kind in range(len(plan.types))
    ]
    if isinstance(config, LabConfig):
        return config.replace(appointments=Appointments(*books))
    changes: dict[str, Any] = {}
    for own, book in zip(plan.types, books, strict=True):
        changes[f"exam_types__{own.name}__appointments"] = book
        if own.rebook_from:
            # Who was rebooked this morning is on the board.
            changes[f"exam_types__{own.name}__rebook_when_absent"] = {}
    return config.replace(**changes)


def standing_of(board: Board, config: Lab, at: int) -> Standing:
    """The state of the engines that a board shows.

    :param board: consistent rows
    :param config: the lab, with the appointments of the board
    :param at: now, minutes since opening
    """
    numbers = _numbers(board, config)
    rooms = _places(board.rooms, [own.count for own in config.plan.room_groups])
    members = _places(board.staff, [own.members for own in config.plan.staff_groups])
    there = [own is not None and own.state != ABSENT for own in members]
    book = appointment_book(config.plan)
    gone = {number for row, number in numbers if row.state == CANCELLED and row.arrived is None}
    appointments = tuple(
        Appointment(number, int(book.exam_type[number]), int(book.scheduled[number]))
        for number in range(len(book))
        if not book.unscheduled[number] and number not in gone
    )
    whiteboard = Whiteboard(config, appointments, book.exam_type.tolist(), there)
    writer = _Writer(whiteboard, config, at, _index(rooms), _index(members))
    writer.exams(numbers)
    for number, own in enumerate(members):
        if own is not None:
            writer.member(number, own)
    writer.running_and_waiting(numbers)
    writer.count_exams(board, members)
    whiteboard.minute = at
    whiteboard.open_and_close_rooms()
    back = {number: own.until for number, own in enumerate(members) if own is not None and own.until is not None}
    groups = [config.plan.staff_groups[group].name for group in config.plan.staff_group]
    staff = [f"{groups[n]} {n + 1}" if own is None else own.id for n, own in enumerate(members)]
    ids = {number: row.id for row, number in numbers}
    return Standing(config, whiteboard, ids, [own.id if own else "" for own in rooms], staff, back)


def copied(whiteboard: Whiteboard) -> Whiteboard:
    """A copy of a state; the lab is shared."""
    config = whiteboard.config
    return copy.deepcopy(whiteboard, {id(config): config, id(whiteboard.plan): whiteboard.plan})


def _numbers(board: Board, config: Lab) -> list[tuple[Row, int]]:
    """Rows of patients and their numbers in the book: those of an appointment by row, likewise those of an hour."""
    book = appointment_book(config.plan)
    seats: dict[tuple[int, int], Iterator[int]] = {}
    by_time: dict[tuple[int, int], list[int]] = defaultdict(list)
    for number in range(len(book)):
        if not book.unscheduled[number]:
            by_time[int(book.scheduled[number]), int(book.exam_type[number])].append(number)
    seats = {key: iter(own) for key, own in by_time.items()}
    walk_ins = [iter(range(hour.first, hour.first + hour.most)) for hour in book.hours]
    found = []
    for row in board.patients:
        if row.scheduled is not None:
            found.append((row, next(seats[row.scheduled, row.type])))
        elif row.arrived is not None:
            found.append((row, next(walk_ins[hour_of(config, row.type, row.arrived)])))
    return found


def _places(rows: list[Row], sizes: list[int]) -> list[Row | None]:
    """Rows by number, group by group and in a group in their order; None where there is none."""
    found: list[Row | None] = []
    for group, size in enumerate(sizes):
        own = [row for row in rows if row.type == group]
        found += own + [None] * (size - len(own))
    return found


def _index(rows: list[Row | None]) -> dict[str, int]:
    return {row.id: number for number, row in enumerate(rows) if row is not None}


class _Writer:
    """Writes rows on a whiteboard, each thing in its own minute.

    :param whiteboard: the whiteboard, as at opening
    :param config: the lab
    :param at: now
    :param rooms: id -> number
    :param members: id -> number
    """

    def __init__(
        self, whiteboard: Whiteboard, config: Lab, at: int, rooms: dict[str, int], members: dict[str, int]
    ) -> None:
        self._board, self._plan, self._at = whiteboard, config.plan, at
        self._rooms, self._members = rooms, members

    def exams(self, numbers: list[tuple[Row, int]]) -> None:
        """Arrivals, and the exams after which a room is still being cleaned."""
        done = []
        in_use = {row.room for row, _ in numbers if row.state == IN_EXAM}
        for row, number in numbers:
            self._board.arrival[number] = row.arrived
            if row.state == DONE and row.until is not None and row.room not in in_use:
                room = self._plan.room_groups[self._plan.room_group[self._rooms[row.room]]]
                if row.until + room.turnover_min > self._at and room.turnover_min:
                    done.append((row, number))
        for row, number in done:
            self._begin(row, number)
            self._board.minute = row.until or 0
            self._board.end_exam(self._members[row.staff])

    def member(self, number: int, row: Row) -> None:
        """What a member of staff does, and has had."""
        board, group = self._board, self._plan.staff_groups[self._plan.staff_group[number]]
        board.breaks_left[number] = group.breaks.number - (row.breaks or 0)
        planned = group.breaks.planned
        # A planned break whose time has passed counts as taken where nothing is said.
        passed = sum(time < self._at for time in planned)
        board.planned_taken[number] = passed if row.planned_breaks is None else row.planned_breaks
        if row.state == ABSENT:
            return
        minutes = group.breaks.minutes if row.state == BREAK else group.lunch.minutes if group.lunch else 0
        since = row.since if row.since is not None else max((row.until or 0) - minutes, 0)
        board.minute = min(since, self._at)
        if row.state == BREAK:
            board.take_break(number, 0)
        elif row.state == LUNCH:
            board.go_to_lunch(number)
        elif row.state == OFF_DUTY:
            board.go_home(number)
        else:
            board.be_free(number)
        if row.lunch is not None and group.lunch is not None:
            board.lunch_left[number] = not row.lunch and row.state != LUNCH

    def running_and_waiting(self, numbers: list[tuple[Row, int]]) -> None:
        """Who waits, is prepared or is examined."""
        board = self._board
        for row, number in numbers:
            if row.state == IN_EXAM:
                self._begin(row, number)
        for row, number in numbers:
            early = row.scheduled is not None and row.scheduled > self._at
            may = self._plan.types[row.type].may_begin_early or not early
            if row.state == PREPARING or (row.state == WAITING and not may):
                board.minute = row.arrived or 0
                board.prepare(number)
            elif row.state == WAITING:
                board.minute = self._at
                self._queue(row, number)

    def count_exams(self, board: Board, members: list[Row | None]) -> None:
        """How many exams each member has begun."""
        begun = Counter(row.staff for row in board.patients if row.state in (IN_EXAM, DONE))
        for number, own in enumerate(members):
            if own is not None:
                self._board.exams_begun[number] = begun[own.id] if own.exams is None else own.exams

    def _begin(self, row: Row, number: int) -> None:
        self._board.minute = row.since or 0
        self._queue(row, number)
        self._board.begin_exam(Start(number, self._rooms[row.room], self._members[row.staff]))

    def _queue(self, row: Row, number: int) -> None:
        law = self._plan.types[row.type]
        lead = 0 if row.scheduled is None else law.check_in_lead_min
        scheduled = row.arrived or 0 if row.scheduled is None else row.scheduled
        self._board.become_ready(number, scheduled, law.arrival.on_time_margin_min, lead)
