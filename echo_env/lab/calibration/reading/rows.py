"""One row of a sheet as a visit; every cell that is not well-formed is logged.

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
    CANCELLED,
    NO_SHOW,
    NOT_DONE,
    TIME,
    UNREAD,
    WALK_IN,
    SheetCell,
    clock,
    read_length,
    read_time,
)
from echo_env.lab.calibration.reading.columns import LATE_FLAG, feeds, holds
from echo_env.lab.calibration.reading.dates import date_of_cell
from echo_env.lab.calibration.reading.grids import column_letters, text_of
from echo_env.lab.calibration.reading.habits import Habits
from echo_env.lab.calibration.reading.hours import into_hours
from echo_env.lab.calibration.reading.words import Words
from echo_env.lab.calibration.visits import MINUTES

_AGAIN = 3
"""Cells that repeat the header of their column in a row that is no visit."""
_AHEAD = 30
"""Minutes from check-in to exam beyond which the check-in may be for something else."""
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
        self._sheet, self._number, self._log, self._values = sheet, number, log, values
        self._found = {name: values[k] if k < len(values) else None for name, k in sheet.columns.items()}
        self._cells: dict[str, SheetCell] = {}
        self.day = above
        """The day of the visit; before the row has been read, that of the row above."""

    def record(self) -> dict[str, Any] | None:
        """The row of the table; None if all known columns are empty, or if it holds totals."""
        self._note_cells_without_header()
        filled = [name for name in self._found if self._text(name)]
        if not filled:
            return None
        if _TOTALS.fullmatch(self._text(filled[0]).rstrip(":")):
            self.note(filled[0], "total_row")
            return None
        if sum(self._text(name) == self._sheet.headers[self._sheet.columns[name]] for name in filled) >= _AGAIN:
            self.note(filled[0], "header_again")
            return None
        patient, kind = self._patient(), self._type()
        self._move_right()
        self._parse()
        self._set_day()
        clocks = {} if self._sheet.all_hours else self._clocks()
        for name, cell in into_hours(clocks, self._sheet.habits.twelve_hours).items():
            self._cells[name] = cell
            self.note(name, cell.rule, "" if cell.minute is None else clock(cell.minute))
        mark = self._mark()
        unscheduled = mark == WALK_IN or bool(self._sheet.words.yes_or_no(self._found.get("unscheduled")))
        # Where there is no column for it, nobody has an appointment.
        unscheduled |= not (self.has("scheduled") or self.has("expected"))
        booked = "no" if unscheduled or mark == CANCELLED else self._booked()
        came = "no" if mark in (CANCELLED, NO_SHOW) else self._came()
        exam_min = self._exam_length(due=booked == "yes" and came == "yes")
        offset_min = self._offset() if booked == "yes" and came == "yes" else None
        day = self.day.isoformat() if self.day else self._sheet.name
        return {
            "day": day, "sheet": self._sheet.name, "row": self._number, "patient": patient,
            "type": kind, **{name: self._minute(name) for name in MINUTES},
            "room": self._text("room"), "staff": self._people(), "booked": booked, "came": came,
            "unscheduled": unscheduled, "offset_min": offset_min, "exam_min": exam_min,
        }  # fmt: skip

    def cell(self, name: str) -> str:
        """Reference of a cell, such as ``G7``.

        :param name: its column
        """
        return f"{column_letters(self._sheet.columns[name])}{self._number}"

    def empty_after_booking(self) -> bool:
        """Whether nothing tells what became of an appointment."""
        # Rooms and staff are often planned ahead.
        told = ("actual", "vitals_in", "vitals_out", "begin", "end", "length", "status")
        return not any(self._text(name) for name in told)

    def note(self, name: str, rule: str, becomes: str = "") -> None:
        """Log a cell, if the sheet has its column.

        :param name: its column
        :param rule: name of the rule that was applied
        :param becomes: what the cell is read as
        """
        if name not in self._sheet.columns:
            return
        found: Any = self._found[name]
        shown = found.strftime("%H:%M") if isinstance(found, (dt.time, dt.datetime)) else text_of(found)
        self._log.add(Remark(self._sheet.name, self.cell(name), name, shown, rule, becomes, feeds(name)))

    def _text(self, name: str) -> str:
        return text_of(self._found.get(name))

    def _cell(self, name: str) -> SheetCell:
        return self._cells.get(name, _BLANK)

    def _minute(self, name: str) -> int | None:
        return self._cell(name).minute

    def has(self, name: str) -> bool:
        """Whether the sheet has a column.

        :param name: its name
        """
        return name in self._sheet.columns

    def _clocks(self) -> dict[str, SheetCell]:
        """The clock times of the row."""
        return {name: cell for name, cell in self._cells.items() if cell.minute is not None and holds(name) != "length"}

    def _note_cells_without_header(self) -> None:
        for number, value in enumerate(self._values):
            if number not in self._sheet.headers and text_of(value):
                cell = f"{column_letters(number)}{self._number}"
                self._log.add(Remark(self._sheet.name, cell, "", text_of(value), "no_header"))

    def _patient(self) -> str:
        patient = self._text("patient")
        if not patient:
            patient = f"{self._sheet.name}!{self._number}"
            self.note("patient", "no_patient", patient)
        return patient

    def _type(self) -> str:
        """The exam type as a lab file names it, empty where it is unknown; also checks all yes-or-no cells."""
        for name in self._found:
            if holds(name) == "yes_no" and self._sheet.words.yes_or_no(self._found[name]) is None:
                self.note(name, "not_yes_no")
        if self.has("type"):
            text = self._text("type")
            return self._sheet.types.get(text) or slug(text)
        if not self.has("fetal"):
            return "exam"
        return {True: "fetal", False: "non_fetal", None: ""}[self._sheet.words.yes_or_no(self._found["fetal"])]

    def _people(self) -> str:
        people = self._text("staff")
        if "/" in people:
            self.note("staff", "two_people", people)
        return people

    def _read(self, name: str) -> SheetCell:
        sheet, kind = self._sheet, holds(name)
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
                if cell.rule and (self._sheet.typed or cell.rule != "time_as_text"):
                    self.note(name, cell.rule, "" if cell.minute is None else clock(cell.minute))

    def _set_day(self) -> None:
        """The day of the visit; times of other days are not used."""
        dates = {name: cell.date for name, cell in self._cells.items() if cell.date and cell.content == TIME}
        likely = Counter(dates.values()).most_common(1)
        if self._text("day"):
            day = date_of_cell(self._found["day"], self._sheet.habits.day_first)
            if day is None:
                self.note("day", "date_unread")
        elif likely:
            day = likely[0][0]
        elif self.has("day") and self.day is not None:
            day = self.day
            self.note("day", "day_above", day.isoformat())
        else:
            day = self._sheet.date
        self.day = day
        for name, date in dates.items():
            if date != day:
                self._cells[name] = SheetCell(UNREAD, None, "other_day")
                self.note(name, "other_day")

    def _mark(self) -> str:
        """What the row is marked as: ``no_show``, ``cancelled``, ``walk_in``, or empty."""
        status = self._sheet.words.mark(self._text("status").lower())
        marks = [status, *(self._cell(name).content for name in ("scheduled", "expected", "actual", "begin", "end"))]
        mark = next((mark for mark in (CANCELLED, NO_SHOW, WALK_IN) if mark in marks), "")
        if mark in (CANCELLED, NO_SHOW) and self._begun():
            self.note("status" if status == mark else "actual", "mark_but_came")
            return ""
        return mark

    def _begun(self) -> bool:
        """Whether there is a time of the patient being there."""
        return TIME in (self._cell(name).content for name in ("actual", "begin", "end"))

    def _booked(self) -> str:
        """Whether an exam was booked: ``yes``, ``no`` or ``unknown``."""
        names = [name for name in ("scheduled", "expected") if self.has(name)]
        for name in names:
            if self._cell(name).content == BLANK:
                self.note(name, "blank")
        content = self._cell(names[0]).content
        # A mark that says whether the patient came stands in place of the time of an appointment.
        return "yes" if content in (TIME, NO_SHOW, CANCELLED) else "no" if content == NOT_DONE else "unknown"

    def _came(self) -> str:
        """Whether the patient came, that is, checked in or had an exam: ``yes``, ``no`` or ``unknown``."""
        if self._begun():
            return "yes"
        first = "actual" if self.has("actual") else "begin"
        content = self._cell(first).content
        if content == BLANK:
            self.note(first, "blank")
        return "no" if content == NOT_DONE else "unknown"

    def _exam_length(self, due: bool) -> int | None:
        """End minus begin of the exam, minutes; None where it cannot be determined.

        :param due: whether the patient should have had an exam, so that empty cells are logged
        """
        begin, length = self._minute("begin"), self._minute("length")
        if not self.has("end"):
            if begin is not None and length:
                self._cells["end"] = SheetCell(TIME, begin + length)
            elif due:
                self.note("length" if begin is not None else "begin", "blank")
        else:
            for name in ("begin", "end") if due else ():
                if self._cell(name).content == BLANK:
                    self.note(name, "blank")
        end = self._minute("end")
        if begin is None or end is None:
            if begin is not None:
                self.note("end", "out_missing")
            if end is not None:
                self.note("begin", "in_missing")
            return None
        if end <= begin:
            self.note("end", "out_before_in")
            return None
        if self.has("end") and length not in (None, end - begin):
            self.note("length", "length_differs", clock(end - begin))
        return end - begin

    def _offset(self) -> int | None:
        """Check-in minus when the patient was asked to check in, minutes; None where it cannot be determined."""
        asked = "expected" if self.has("expected") else "scheduled"
        expected, actual, begin = self._minute(asked), self._minute("actual"), self._minute("begin")
        scheduled = self._minute("scheduled")
        if expected is None or actual is None:
            return None
        if scheduled is not None and scheduled - expected > _AHEAD:
            self.note(asked, "check_in_long_before_exam", clock(expected))
        if begin is not None and begin < actual:
            self.note("actual", "exam_before_check_in")
            return None
        return actual - expected


def slug(text: str) -> str:
    """A value as the name of an exam type in a lab file: ``MRI head/neck`` -> ``mri_head_neck``.

    :param text: the value
    """
    name = "_".join(re.findall(r"[a-z0-9]+", text.lower().translate(str.maketrans("äöüéèáíóñ", "aoueeaion"))))
    return f"type_{name}" if name[:1].isdigit() else name
