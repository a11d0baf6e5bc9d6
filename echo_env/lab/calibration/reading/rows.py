"""One row of a sheet, parsed and repaired; every cell that is not well-formed is logged.

Repairs are made within a row, by the rules of :mod:`~echo_env.lab.calibration.cell_log`; nothing is imputed from
other rows.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from echo_env.lab.calibration.cell_log import CellLog, Remark
from echo_env.lab.calibration.reading.cells import (
    BLANK,
    NOT_DONE,
    TIME,
    UNREAD,
    SheetCell,
    clock,
    read_length,
    read_time,
)
from echo_env.lab.calibration.reading.dates import date_of_cell
from echo_env.lab.calibration.reading.fields import LATE_FLAG, feeds, holds
from echo_env.lab.calibration.reading.grids import column_letters, text_of
from echo_env.lab.calibration.reading.habits import Habits
from echo_env.lab.calibration.reading.hours import into_hours
from echo_env.lab.calibration.reading.words import Words

_AGAIN = 3
"""Cells that repeat the header of their column in a row that is no visit."""
_TOTALS = re.compile(r"(?:grand )?total\w*|sum(?:me)?|gesamt\w*|average|mean|mittelwert|moyenne|promedio|suma", re.I)
_BLANK = SheetCell(BLANK)


@dataclass(frozen=True)
class Sheet:
    """What the rows of a sheet have in common.

    :param name: name of the sheet
    :param date: the date in its name
    :param columns: field, or known header that is none -> number of its column, from 0
    :param headers: number of a column -> its header, known or not
    :param words: marks of the file
    :param types: value of the column of types -> exam type
    :param habits: how the file writes times
    :param all_hours: whether times of the night are true
    :param typed: whether cells have types; in a file of text every time is text
    """

    name: str
    date: dt.date | None
    columns: dict[str, int]
    headers: dict[int, str]
    words: Words
    types: dict[str, str]
    habits: Habits
    all_hours: bool
    typed: bool


class Row:
    """One row of a sheet, parsed and repaired.

    :param sheet: the sheet
    :param number: row number, from 1
    :param values: its values
    :param log: receives the remarks
    :param above: the day of the row above it on the sheet
    """

    def __init__(
        self, sheet: Sheet, number: int, values: tuple[Any, ...], log: CellLog, above: dt.date | None = None
    ) -> None:
        self.sheet, self.number = sheet, number
        self._log, self._values = log, values
        self._found = {name: values[k] if k < len(values) else None for name, k in sheet.columns.items()}
        self._cells: dict[str, SheetCell] = {}
        self.day = above
        """The day of the visit; before the row has been read, that of the row above."""

    def is_visit(self) -> bool:
        """Read the row; False if all known columns are empty, or if it holds totals or headers."""
        self._note_cells_without_header()
        filled = [name for name in self._found if self.text(name)]
        if not filled:
            return False
        if _TOTALS.fullmatch(self.text(filled[0]).rstrip(":")):
            self.note(filled[0], "total_row")
            return False
        if sum(self.text(name) == self.sheet.headers[self.sheet.columns[name]] for name in filled) >= _AGAIN:
            self.note(filled[0], "header_again")
            return False
        self._check_yes_or_no()
        self._move_right()
        self._parse()
        self._set_day()
        clocks = {} if self.sheet.all_hours else self._clocks()
        for name, cell in into_hours(clocks, self.sheet.habits.twelve_hours).items():
            self._cells[name] = cell
            self.note(name, cell.rule, "" if cell.minute is None else clock(cell.minute))
        begin, length = self.minute("begin"), self.minute("length")
        if not self.has("end") and begin is not None and length:
            self._cells["end"] = SheetCell(TIME, begin + length)
        return True

    def cell(self, name: str) -> str:
        """Reference of a cell, such as ``G7``.

        :param name: its column
        """
        return f"{column_letters(self.sheet.columns[name])}{self.number}"

    def empty_after_booking(self) -> bool:
        """Whether nothing tells what became of an appointment."""
        # Rooms and staff are often planned ahead.
        told = ("actual", "vitals_in", "vitals_out", "begin", "end", "length", "status")
        return not any(self.text(name) for name in told)

    def note(self, name: str, rule: str, becomes: str = "") -> None:
        """Log a cell, if the sheet has its column.

        :param name: its column
        :param rule: name of the rule that was applied
        :param becomes: what the cell is read as
        """
        if name not in self.sheet.columns:
            return
        found: Any = self._found[name]
        shown = found.strftime("%H:%M") if isinstance(found, (dt.time, dt.datetime)) else text_of(found)
        self._log.add(Remark(self.sheet.name, self.cell(name), name, shown, rule, becomes, feeds(name)))

    def text(self, name: str) -> str:
        """The text of a cell; empty where the sheet has no such column.

        :param name: its column
        """
        return text_of(self._found.get(name))

    def content(self, name: str) -> str:
        """What a cell of a column of times holds.

        :param name: its column
        """
        return self._cells.get(name, _BLANK).content

    def minute(self, name: str) -> int | None:
        """The time in a cell, minutes after midnight, or a length in minutes; None where there is none.

        :param name: its column
        """
        return self._cells.get(name, _BLANK).minute

    def yes_or_no(self, name: str) -> bool | None:
        """What a cell of a yes-or-no column says; None if it is neither.

        :param name: its column
        """
        return self.sheet.words.yes_or_no(self._found.get(name))

    def has(self, name: str) -> bool:
        """Whether the sheet has a column.

        :param name: its name
        """
        return name in self.sheet.columns

    def _clocks(self) -> dict[str, SheetCell]:
        """The clock times of the row."""
        return {name: cell for name, cell in self._cells.items() if cell.minute is not None and holds(name) != "length"}

    def _note_cells_without_header(self) -> None:
        for number, value in enumerate(self._values):
            if number not in self.sheet.headers and text_of(value):
                cell = f"{column_letters(number)}{self.number}"
                self._log.add(Remark(self.sheet.name, cell, "", text_of(value), "no_header"))

    def _check_yes_or_no(self) -> None:
        for name in self._found:
            if holds(name) == "yes_no" and self.yes_or_no(name) is None:
                self.note(name, "not_yes_no")

    def _read(self, name: str) -> SheetCell:
        sheet, kind = self.sheet, holds(name)
        unit, day_first = sheet.habits.units.get(name, ""), sheet.habits.day_first
        if kind == "length":
            return read_length(self._found[name], unit)
        return read_time(self._found[name], spell=kind == "spell", words=sheet.words, day_first=day_first, unit=unit)

    def _move_right(self) -> None:
        """Move vitals that were entered one column too far left."""
        if not {LATE_FLAG, "vitals_in", "vitals_out"} <= set(self._found):
            return
        flag, begin, end = (read_time(self._found[name]) for name in (LATE_FLAG, "vitals_in", "vitals_out"))
        if flag.content in (TIME, NOT_DONE) and begin.content != BLANK and end.content == BLANK:
            for source, target in ((LATE_FLAG, "vitals_in"), ("vitals_in", "vitals_out")):
                self.note(source, "one_column_left", f"{target} ({self.cell(target)})")
            found = self._found
            found["vitals_out"], found["vitals_in"], found[LATE_FLAG] = found["vitals_in"], found[LATE_FLAG], None

    def _parse(self) -> None:
        for name in self._found:
            if holds(name) in ("moment", "spell", "length"):
                self._cells[name] = cell = self._read(name)
                # In a file of text a time can be nothing else.
                if cell.rule and (self.sheet.typed or cell.rule != "time_as_text"):
                    self.note(name, cell.rule, "" if cell.minute is None else clock(cell.minute))

    def _set_day(self) -> None:
        """The day of the visit; times of other days are not used."""
        dates = {name: cell.date for name, cell in self._cells.items() if cell.date and cell.content == TIME}
        likely = Counter(dates.values()).most_common(1)
        if self.text("day"):
            day = date_of_cell(self._found["day"], self.sheet.habits.day_first)
            if day is None:
                self.note("day", "date_unread")
        elif likely:
            day = likely[0][0]
        elif self.has("day") and self.day is not None:
            day = self.day
            self.note("day", "day_above", day.isoformat())
        else:
            day = self.sheet.date
        self.day = day
        for name, date in dates.items():
            if date != day:
                self._cells[name] = SheetCell(UNREAD, None, "other_day")
                self.note(name, "other_day")
