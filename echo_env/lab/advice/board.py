"""The board as a file: a CSV with a row for each patient, room and member of staff."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from echo_env.common.words import did_you_mean
from echo_env.lab.config.clock import read_clock
from echo_env.lab.config.lab import Lab

COLUMNS = (
    "record", "id", "type", "state", "scheduled", "arrived", "room", "staff", "since", "until", "exams", "breaks",
    "planned_breaks", "lunch",
)  # fmt: skip
NEEDED = ("record", "id", "type")
TIMES = ("scheduled", "arrived", "since", "until")
NUMBERS = ("exams", "breaks", "planned_breaks")

EXPECTED, PREPARING, WAITING, IN_EXAM, DONE, CANCELLED = (
    "expected", "preparing", "waiting", "in exam", "done", "cancelled",
)  # fmt: skip
PRESENT, BREAK, LUNCH, ABSENT, OFF_DUTY = "present", "break", "lunch", "absent", "off duty"
STATES = {
    "patient": (EXPECTED, PREPARING, WAITING, IN_EXAM, DONE, CANCELLED),
    "room": ("",),
    "staff": (PRESENT, BREAK, LUNCH, ABSENT, OFF_DUTY),
}
"""Kind of row -> its states; the first one if a row has none."""

LONGEST_CELL = 100
MOST_ROWS = 5000


class Finding(NamedTuple):
    """What is inconsistent on a board.

    :param row: line of the file
    :param column: name of the column; empty for a row as a whole
    :param sentence: what is wrong
    """

    row: int
    column: str
    sentence: str

    def __str__(self) -> str:
        place = f"row {self.row}, column {self.column}" if self.column else f"row {self.row}"
        return f"{place}: {self.sentence}"


class BoardError(ValueError):
    """A board that cannot be so; the message names every inconsistency.

    :param name: of the board, for the message
    :param findings: the inconsistencies, at least one
    """

    def __init__(self, name: str, findings: list[Finding]) -> None:
        self.findings = sorted(findings)
        super().__init__(f"{name}: {'; '.join(map(str, self.findings))}")


@dataclass
class Row:
    """A row of the board; times are minutes since opening, None where a cell is empty.

    :param row: line of the file
    :param record: ``patient``, ``room`` or ``staff``
    :param id: of the patient, room or member of staff; no name is needed
    :param type: number of the exam type, or of the group of rooms or staff; -1 if there is no such one
    :param state: one of :data:`STATES`
    """

    row: int
    record: str
    id: str
    type: int = -1
    state: str = ""
    scheduled: int | None = None
    arrived: int | None = None
    room: str = ""
    staff: str = ""
    since: int | None = None
    until: int | None = None
    exams: int | None = None
    breaks: int | None = None
    planned_breaks: int | None = None
    lunch: bool | None = None
    unreadable: set[str] = field(default_factory=set)
    """Columns whose cells could not be read, and of which no more need be said."""


class Board(NamedTuple):
    """The rows of a board.

    :param patients: in the order of the file, as the others
    :param rooms: rooms
    :param staff: members of staff
    """

    patients: list[Row]
    rooms: list[Row]
    staff: list[Row]


def read_rows(text: str, config: Lab, name: str = "the board") -> tuple[Board, list[Finding]]:
    """Read the cells of a board.

    :param text: the file's
    :param config: the lab, which says what types and groups there are
    :param name: of the board, for messages
    :return: the rows, and what could not be read
    :raises ValueError: it is no such table at all
    """
    board, findings = Board([], [], []), []
    lists = {"patient": board.patients, "room": board.rooms, "staff": board.staff}
    for number, cells in _table(text, name):
        record = cells["record"].casefold()
        if record not in lists:
            allowed = f"{', '.join(lists)}{did_you_mean(record, lists)}"
            findings.append(Finding(number, "record", f"is {cells['record']!r}, but must be one of {allowed}"))
            continue
        reader = _Cells(number, record, cells, config)
        lists[record].append(reader.row())
        findings += reader.findings
    return board, findings


def _table(text: str, name: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows as column -> cell, with their lines in the file; empty lines and those that begin with # are left out."""
    lines = text.removeprefix("\ufeff").splitlines()
    kept = [(number, line) for number, line in enumerate(lines, 1) if line.strip(" ,;\t") and line.strip()[0] != "#"]
    if not kept:
        raise ValueError(f"{name} is empty, but must have a line of column names: {', '.join(COLUMNS)}")
    if len(kept) > MOST_ROWS:
        raise ValueError(f"{name} has {len(kept):,} rows, but must have at most {MOST_ROWS:,}")
    delimiter = max(",;\t", key=kept[0][1].count)
    head = [cell.strip().casefold() for cell in _cells(kept[0][1], delimiter, name)]
    missing = [column for column in NEEDED if column not in head]
    if missing:
        raise ValueError(f"{name} has no column {missing[0]!r}; its columns are {', '.join(COLUMNS)}")
    unknown = [column for column in head if column and column not in COLUMNS]
    if unknown:
        hint = did_you_mean(unknown[0], COLUMNS)
        raise ValueError(f"{name} has a column {unknown[0][:LONGEST_CELL]!r}{hint}; known: {', '.join(COLUMNS)}")
    if len(set(head)) < len([column for column in head if column]):
        raise ValueError(f"{name} has a column twice: {', '.join(head)}")
    for number, line in kept[1:]:
        cells = [cell.strip() for cell in _cells(line, delimiter, name)]
        yield number, dict.fromkeys(COLUMNS, "") | dict(zip(head, cells, strict=False))


def _cells(line: str, delimiter: str, name: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(line), delimiter=delimiter))
    except (csv.Error, StopIteration) as error:
        raise ValueError(f"{name} is no table of cells: {error}") from None


class _Cells:
    """Reads the cells of a row.

    :param number: line of the file
    :param record: kind of row
    :param cells: column -> text
    :param config: the lab
    """

    def __init__(self, number: int, record: str, cells: dict[str, str], config: Lab) -> None:
        self._number, self._record, self._cells, self._config = number, record, cells, config
        self.findings: list[Finding] = []
        self._unreadable: set[str] = set()

    def row(self) -> Row:
        """The row; ``findings`` says what could not be read."""
        own = self._cells
        if not own["id"]:
            self._found("id", "is empty, but every patient, room and member of staff needs one")
        times = {column: self._time(column) for column in TIMES}
        numbers = {column: self._number_in(column) for column in NUMBERS}
        return Row(
            self._number, self._record, own["id"][:LONGEST_CELL], self._type(), self._state(),
            room=own["room"], staff=own["staff"], lunch=self._lunch(), unreadable=self._unreadable,
            **times, **numbers,
        )  # fmt: skip

    def _found(self, column: str, sentence: str) -> None:
        self._unreadable.add(column)
        self.findings.append(Finding(self._number, column, sentence))

    def _type(self) -> int:
        plan, text = self._config.plan, self._cells["type"]
        names = {
            "patient": [own.name for own in plan.types],
            "room": [own.name for own in plan.room_groups],
            "staff": [own.name for own in plan.staff_groups],
        }[self._record]
        plain = [_plain(name) for name in names]
        if _plain(text) in plain:
            return plain.index(_plain(text))
        what = {"patient": "exam types", "room": "groups of rooms", "staff": "groups of staff"}[self._record]
        known = ", ".join(names)
        self._found("type", f"is {text[:LONGEST_CELL]!r}, but the {what} of the lab {self._config.name!r} are {known}")
        return -1

    def _state(self) -> str:
        allowed, text = STATES[self._record], self._cells["state"]
        state = text.casefold().replace("_", " ") or allowed[0]
        if state not in allowed:
            known = "empty" if self._record == "room" else f"one of {', '.join(allowed)}"
            self._found("state", f"is {text[:LONGEST_CELL]!r}, but must be {known}{did_you_mean(state, allowed)}")
        return state

    def _time(self, column: str) -> int | None:
        text = self._cells[column]
        if not text:
            return None
        hours = self._config.hours
        try:
            # Spreadsheets write seconds as well.
            minute = read_clock(text.removesuffix(":00") if text.count(":") == 2 else text) - hours.opening_min
        except ValueError:
            self._found(column, f"is {text[:LONGEST_CELL]!r}, but must be a clock time such as 10:40")
            return None
        if column == "arrived":
            # Who comes before the lab opens is there when it opens.
            minute = max(minute, 0)
        if not 0 <= minute <= hours.end_min:
            day = f"{hours.clock(0)} to {hours.clock(hours.end_min)}"
            self._found(column, f"is {text}, but the day of the lab is {day}")
            return None
        return minute

    def _number_in(self, column: str) -> int | None:
        text = self._cells[column]
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 4):
            self._found(column, f"is {text[:LONGEST_CELL]!r}, but must be a whole number from 0 to 999")
            return None
        return int(text)

    def _lunch(self) -> bool | None:
        text = self._cells["lunch"].casefold()
        if text not in ("", "yes", "no"):
            self._found("lunch", f"is {text[:LONGEST_CELL]!r}, but must be yes if lunch is over, or no")
        return None if text not in ("yes", "no") else text == "yes"


def _plain(name: str) -> str:
    return name.casefold().replace("-", "_").replace(" ", "_")
