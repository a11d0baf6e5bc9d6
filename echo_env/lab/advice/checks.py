"""What cannot be so on a board, in words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise

from echo_env.common.words import did_you_mean
from echo_env.lab.advice.board import (
    ABSENT,
    BREAK,
    CANCELLED,
    DONE,
    EXPECTED,
    IN_EXAM,
    LUNCH,
    OFF_DUTY,
    PREPARING,
    WAITING,
    Board,
    Finding,
    Row,
)
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import appointment_book

CAME = (PREPARING, WAITING, IN_EXAM, DONE)
"""States of patients who must have come."""


def inconsistencies(board: Board, config: Lab, at: int) -> list[Finding]:
    """What cannot be so at a minute.

    :param board: the rows
    :param config: the lab
    :param at: minutes since opening
    """
    check = _Checks(board, config, at)
    return [
        *check.ids(),
        *(found for row in board.patients for found in check.patient(row)),
        *(found for row in board.staff for found in check.member(row)),
        *check.groups(),
        *check.two_at_once(),
        *check.without_appointment(),
    ]


class _Checks:
    """The checks of one board; parameters as :func:`inconsistencies`."""

    def __init__(self, board: Board, config: Lab, at: int) -> None:
        self._board, self._config, self._at = board, config, at
        self._clock = config.hours.clock
        self._rooms = {row.id: row for row in board.rooms}
        self._staff = {row.id: row for row in board.staff}

    def ids(self) -> Iterator[Finding]:
        """Each id stands on the board once."""
        for what, rows in (
            ("patient", self._board.patients),
            ("room", self._board.rooms),
            ("staff", self._board.staff),
        ):
            first: dict[str, Row] = {}
            for row in rows:
                if not row.id:
                    continue
                before = first.setdefault(row.id, row)
                if before is row:
                    continue
                label = f"{what} {row.id}"
                if row.state == before.state == IN_EXAM and row.room != before.room:
                    said = f"{label} is in room {before.room} in row {before.row} and in room {row.room} here"
                    yield Finding(row.row, "room", said)
                else:
                    yield Finding(row.row, "id", f"{label} is in row {before.row} already")

    def patient(self, row: Row) -> Iterator[Finding]:
        """Times, and what a state needs and what it forbids."""
        yield from self._times(row, ("arrived", "since", *(("until",) if row.state == DONE else ())))
        who = f"patient {row.id}"
        if row.state in CAME and row.arrived is None and "arrived" not in row.unreadable:
            yield Finding(row.row, "arrived", f"is empty, but {who} is {_state(row)} and must have come")
        if row.state == EXPECTED and row.arrived is not None:
            yield Finding(row.row, "arrived", f"is {self._clock(row.arrived)}, but {who} is still expected")
        absent = row.state == EXPECTED or (row.state == CANCELLED and row.arrived is None)
        if absent and row.scheduled is None and "scheduled" not in row.unreadable:
            yield Finding(row.row, "scheduled", f"is empty, but {who} is {row.state}, which needs an appointment")
        if row.state in (IN_EXAM, DONE):
            yield from self._exam(row, who)
        elif row.state in CAME or row.state == EXPECTED:
            for column, value in (("room", row.room), ("staff", row.staff)):
                if value:
                    yield Finding(row.row, column, f"is {value}, but {who} is {_state(row)}, not in an exam")
            if row.since is not None:
                yield Finding(
                    row.row, "since", f"is {self._clock(row.since)}, but {who} is {_state(row)}, not in an exam"
                )

    def _exam(self, row: Row, who: str) -> Iterator[Finding]:
        needed = [("room", row.room), ("staff", row.staff), ("since", row.since)]
        needed += [("until", row.until)] if row.state == DONE else []
        for column, value in needed:
            if value in ("", None) and column not in row.unreadable:
                yield Finding(row.row, column, f"is empty, but {who} is {_state(row)}")
        if row.since is not None and row.arrived is not None and row.since < row.arrived:
            begun, came = self._clock(row.since), self._clock(row.arrived)
            yield Finding(row.row, "since", f"is {begun}, but {who} came only at {came}")
        if row.since is not None and row.until is not None and row.until <= row.since:
            times = f"is {self._clock(row.until)}, but the exam of {who} began at {self._clock(row.since)}"
            yield Finding(row.row, "until", times)
        for column, value, known in (("room", row.room, self._rooms), ("staff", row.staff, self._staff)):
            if value and value not in known:
                hint = did_you_mean(value, known)
                yield Finding(row.row, column, f"is {value}, but the board has no such row with record {column}{hint}")
        yield from self._able(row, who)

    def _able(self, row: Row, who: str) -> Iterator[Finding]:
        """Room and member can do the exam, and the member is there."""
        if row.type < 0:
            return
        plan, room, member = self._config.plan, self._rooms.get(row.room), self._staff.get(row.staff)
        kind = plan.types[row.type].name
        if room is not None and room.type >= 0 and not plan.room_groups[room.type].can >> row.type & 1:
            yield Finding(row.row, "room", f"is {row.room}, in which no {kind} exam can be done, but {who} has one")
        if member is None:
            return
        if member.type >= 0 and not plan.staff_groups[member.type].can >> row.type & 1:
            yield Finding(row.row, "staff", f"is {row.staff}, who can do no {kind} exam, but {who} has one")
        if member.state == ABSENT or (row.state == IN_EXAM and member.state in (BREAK, LUNCH, OFF_DUTY)):
            state = {BREAK: "on break", LUNCH: "at lunch"}.get(member.state, member.state)
            yield Finding(
                row.row, "staff", f"is {row.staff}, who is {state} according to row {member.row}, but examines {who}"
            )

    def _times(self, row: Row, columns: Iterable[str]) -> Iterator[Finding]:
        for column in columns:
            minute = getattr(row, column)
            if minute is not None and minute > self._at:
                yield Finding(row.row, column, f"is {self._clock(minute)}, which is after {self._clock(self._at)}, now")

    def member(self, row: Row) -> Iterator[Finding]:
        """Breaks, lunch and numbers of members of staff."""
        yield from self._times(row, ["since"])
        who = f"member of staff {row.id}"
        if row.state in (BREAK, LUNCH):
            if row.since is None and row.until is None and not row.unreadable & {"since", "until"}:
                yield Finding(row.row, "since", f"is empty, as is until, but {who} is away: give one of them")
            if row.until is not None and row.until <= self._at:
                yield Finding(row.row, "until", f"is {self._clock(row.until)}, so {who} is back by now")
        elif row.since is not None or row.until is not None:
            column = "since" if row.since is not None else "until"
            yield Finding(row.row, column, f"has a time, but {who} is {row.state}, on no break and not at lunch")
        if row.type < 0:
            return
        group = self._config.plan.staff_groups[row.type]
        if row.state == LUNCH and group.lunch is None:
            yield Finding(row.row, "state", f"is lunch, but the group {group.name} has no lunch in the lab")
        for column, most in (("breaks", group.breaks.number), ("planned_breaks", len(group.breaks.planned))):
            value = getattr(row, column)
            if value is not None and value > most:
                yield Finding(row.row, column, f"is {value}, but each of the group {group.name} has {most} in a day")
        begun = sum(own.staff == row.id for own in self._board.patients if own.state in (IN_EXAM, DONE))
        if row.exams is not None and row.exams < begun:
            yield Finding(row.row, "exams", f"is {row.exams}, but {who} has begun {begun} exams on this board")

    def groups(self) -> Iterator[Finding]:
        """As many rooms as the lab has, and no more members of staff."""
        plan = self._config.plan
        rooms = [(own.name, own.count) for own in plan.room_groups]
        staff = [(own.name, own.members) for own in plan.staff_groups]
        for what, rows, groups in (("rooms", self._board.rooms, rooms), ("staff", self._board.staff, staff)):
            found = Counter(row.type for row in rows)
            for group, (name, size) in enumerate(groups):
                last = max((row.row for row in rows if row.type == group), default=1)
                # Who is not on the board is absent; a room cannot be.
                if found[group] > size or (found[group] < size and what == "rooms"):
                    yield Finding(last, "type", f"the board has {found[group]} {what} {name}, but the lab has {size}")

    def two_at_once(self) -> Iterator[Finding]:
        """No room and no member of staff has two exams at the same time."""
        exams = [row for row in self._board.patients if row.state in (IN_EXAM, DONE) and row.since is not None]
        for column in ("room", "staff"):
            own: dict[str, list[Row]] = defaultdict(list)
            for row in exams:
                if getattr(row, column):
                    own[getattr(row, column)].append(row)
            for name, rows in own.items():
                rows.sort(key=lambda row: (row.since or 0, row.state == IN_EXAM, row.until or 0))
                for one, other in pairwise(rows):
                    if one.id != other.id and (one.state == IN_EXAM or (one.until or 0) > (other.since or 0)):
                        yield Finding(other.row, column, self._both(column, name, one, other))

    def _both(self, column: str, name: str, one: Row, other: Row) -> str:
        if one.state == other.state == IN_EXAM:
            word = f"is {name}, in which" if column == "room" else f"is {name}, with whom"
            return f"{word} patient {one.id} of row {one.row} is as well"
        until = f"had patient {one.id} until {self._clock(one.until)}" if one.until else f"has patient {one.id}"
        return (
            f"is {name}, which {until} (row {one.row}), but patient {other.id} began at {self._clock(other.since or 0)}"
        )

    def without_appointment(self) -> Iterator[Finding]:
        """Patients without an appointment are of a type and hour in which the lab has such patients."""
        came: Counter[int] = Counter()
        hours = appointment_book(self._config.plan).hours
        for row in self._board.patients:
            if row.scheduled is not None or row.arrived is None or row.type < 0 or "scheduled" in row.unreadable:
                continue
            number = hour_of(self._config, row.type, row.arrived)
            came[number] += 1
            if number < 0 or came[number] > hours[number].most:
                kind, when = self._config.plan.types[row.type].name, self._clock(row.arrived)
                yield Finding(
                    row.row,
                    "scheduled",
                    f"is empty, but the lab knows of no such {kind} patient without an appointment at {when}; "
                    "give the time of arrival",
                )


def hour_of(config: Lab, exam_type: int, minute: int) -> int:
    """The hour of patients without an appointment that a minute is in; -1 if the lab has none then.

    :param config: the lab
    :param exam_type: number of the type
    :param minute: since opening
    """
    for number, hour in enumerate(appointment_book(config.plan).hours):
        if hour.exam_type == exam_type and hour.begin <= minute < hour.begin + 60:
            return number
    return -1


def _state(row: Row) -> str:
    return {IN_EXAM: "in an exam", DONE: "done"}.get(row.state, row.state)
