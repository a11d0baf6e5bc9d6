"""The rows of all day sheets in one tidy table; every cell that is not well-formed is logged.

Repairs are made within a row, by the rules of :mod:`~echo_env.lab.calibration.cell_log`; nothing is imputed from
other rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from echo_env.lab.calibration.cell_log import CellLog, Remark
from echo_env.lab.calibration.cells import BLANK, NOT_DONE, TIME, UNREAD, SheetCell, clock, read_time, read_yes_no
from echo_env.lab.calibration.spreadsheet import BY_HEADER, DaySheet, Spreadsheet, column_letters

if TYPE_CHECKING:
    import pandas as pd

EXPECTED, ACTUAL = "expected check-in/arrival time", "actual check-in/arrival time"
SCHEDULED, ECHO_IN, ECHO_OUT = "echo scheduled time", "echo time in", "echo time out"
LATE_FLAG, VITALS_IN, VITALS_OUT = "pt>10 min late", "vitals in", "vitals out"

TABLE = {
    "sheet": "name of the sheet",
    "row": "row number on the sheet",
    "patient": "patient number",
    "date": "date, where the name of the sheet contains one",
    "kind": "fetal or non-fetal, or unknown",
    "expected": "expected check-in, minutes after midnight",
    "actual": "check-in, minutes after midnight",
    "scheduled": "scheduled echo, minutes after midnight",
    "echo_in": "start of the echo, minutes after midnight",
    "echo_out": "end of the echo, minutes after midnight",
    "room": "echo room",
    "sonographer": "initials of the sonographer",
    "has_echo": "whether an echo was scheduled: yes, no, or unknown",
    "came": "whether the patient came: yes, no, or unknown",
    "offset_min": "check-in minus expected check-in, minutes; negative if early",
    "exam_min": "echo out minus echo in, minutes",
}
"""Column of the tidy table -> meaning."""
MINUTES = ("expected", "actual", "scheduled", "echo_in", "echo_out")
"""The columns that are clock times."""

_EARLIEST, _LATEST, _HALF_DAY = 6 * 60, 20 * 60, 12 * 60
_AROUND = 60
"""A time shifted by half a day must be within this many minutes of the range of the row's other times."""
_CHECK_IN_AHEAD = 30
"""Minutes from check-in to scheduled echo beyond which the check-in may be for something else."""
_TIMES = (EXPECTED, ACTUAL, SCHEDULED, ECHO_IN, ECHO_OUT)


def tidy_table(spreadsheet: Spreadsheet, log: CellLog) -> pd.DataFrame:
    """One row a visit (needs pandas), with the columns of :data:`TABLE`; times and durations as nullable ``Int64``.

    :param spreadsheet: the spreadsheet
    :param log: receives every cell that is repaired, unusual, not used, or unreadable
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for sheet in spreadsheet.days:
        seen: set[str] = set()
        for number in sheet.rows:
            record = _Row(sheet, number, log).record()
            if record is None:
                continue
            if record["patient"] in seen:
                cell = sheet.cell(number, "pt")
                log.add(Remark(sheet.name, cell, "pt", record["patient"], "patient_twice", record["patient"], True))
            seen.add(record["patient"])
            rows.append(record)
    table = pd.DataFrame(rows, columns=list(TABLE))
    return table.astype(dict.fromkeys((*MINUTES, "offset_min", "exam_min"), "Int64"))


class _Row:
    """One row of a day sheet, parsed and repaired.

    :param sheet: the day sheet
    :param number: row number, from 1
    :param log: receives the remarks
    """

    def __init__(self, sheet: DaySheet, number: int, log: CellLog) -> None:
        self._sheet, self._number, self._log = sheet, number, log
        values = sheet.rows[number]
        self._found = {header: values[k] if k < len(values) else None for header, k in sheet.columns.items()}
        self._cells: dict[str, SheetCell] = {}

    def record(self) -> dict[str, Any] | None:
        """The row of the tidy table; None if all known columns are empty."""
        self._note_cells_without_header()
        if not any(self._text(header) for header in self._found):
            return None
        patient, kind = self._patient(), self._kind()
        self._move_right()
        for header, value in self._found.items():
            holds = BY_HEADER[header].holds
            if holds in ("moment", "spell", "length"):
                self._cells[header] = cell = read_time(value, spell=holds == "spell")
                if cell.rule:
                    self._note(header, cell.rule, "" if cell.minute is None else clock(cell.minute))
        self._into_hours()
        has_echo, came = self._has_echo(), self._came()
        exam_min = self._exam_length(due=has_echo == "yes" and came == "yes")
        offset_min = self._offset() if has_echo == "yes" and came == "yes" else None
        times = {name: self._minute(header) for name, header in zip(MINUTES, _TIMES, strict=True)}
        date = self._sheet.date
        return {
            "sheet": self._sheet.name, "row": self._number, "patient": patient,
            "date": date.isoformat() if date else "", "kind": kind, **times,
            "room": self._text("echo room number"), "sonographer": self._people(), "has_echo": has_echo,
            "came": came, "offset_min": offset_min, "exam_min": exam_min,
        }  # fmt: skip

    def _note(self, header: str, rule: str, becomes: str = "") -> None:
        found: Any = self._found[header]
        shown = found.strftime("%H:%M") if hasattr(found, "strftime") else "" if found is None else str(found)
        cell, feeds = self._sheet.cell(self._number, header), BY_HEADER[header].needed
        self._log.add(Remark(self._sheet.name, cell, header, shown, rule, becomes, feeds))

    def _text(self, header: str) -> str:
        value = self._found[header]
        return "" if value is None else str(value).strip()

    def _minute(self, header: str) -> int | None:
        return self._cells[header].minute

    def _note_cells_without_header(self) -> None:
        headed = set(self._sheet.columns.values())
        for number, value in enumerate(self._sheet.rows[self._number]):
            if number not in headed and str(value if value is not None else "").strip():
                cell = f"{column_letters(number)}{self._number}"
                self._log.add(Remark(self._sheet.name, cell, "", str(value), "no_header"))

    def _patient(self) -> str:
        patient = self._text("pt")
        if not patient:
            patient = f"{self._sheet.name}!{self._number}"
            self._note("pt", "no_patient", patient)
        return patient

    def _kind(self) -> str:
        """``fetal``, ``non-fetal`` or ``unknown``; also checks all other yes-or-no cells."""
        for header, value in self._found.items():
            if BY_HEADER[header].holds == "yes_no" and read_yes_no(value) is None:
                self._note(header, "not_yes_no")
        return {True: "fetal", False: "non-fetal", None: "unknown"}[read_yes_no(self._found["fetal"])]

    def _people(self) -> str:
        people = self._text("sonographer")
        if "/" in people:
            self._note("sonographer", "two_people", people)
        return people

    def _move_right(self) -> None:
        """Move vitals that were entered one column too far left."""
        if not {LATE_FLAG, VITALS_IN, VITALS_OUT} <= set(self._found):
            return
        flag, begin, end = (read_time(self._found[header]) for header in (LATE_FLAG, VITALS_IN, VITALS_OUT))
        if flag.content in (TIME, NOT_DONE) and begin.content != BLANK and end.content == BLANK:
            moved = ((LATE_FLAG, VITALS_IN), (VITALS_IN, VITALS_OUT))
            for source, target in moved:
                self._note(source, "one_column_left", f"{target} ({self._sheet.cell(self._number, target)})")
            self._found[VITALS_OUT], self._found[VITALS_IN] = self._found[VITALS_IN], self._found[LATE_FLAG]
            self._found[LATE_FLAG] = None

    def _clock_times(self) -> Iterator[tuple[str, int]]:
        """(header, minutes after midnight) of every clock time in the row."""
        for header, cell in self._cells.items():
            if cell.minute is not None and BY_HEADER[header].holds != "length":
                yield header, cell.minute

    def _into_hours(self) -> None:
        """Shift times outside working hours by half a day where that fits the row; drop them where it does not."""
        inside = [minute for _, minute in self._clock_times() if _EARLIEST <= minute < _LATEST]
        for header, minute in list(self._clock_times()):
            if _EARLIEST <= minute < _LATEST:
                continue
            moved = (minute + _HALF_DAY) % (2 * _HALF_DAY)
            if inside and min(inside) - _AROUND <= moved <= max(inside) + _AROUND:
                self._cells[header] = SheetCell(TIME, moved, "half_day_slip")
                self._note(header, "half_day_slip", clock(moved))
            else:
                self._cells[header] = SheetCell(UNREAD, None, "outside_hours")
                self._note(header, "outside_hours")

    def _has_echo(self) -> str:
        """Whether an echo was scheduled: ``yes``, ``no`` or ``unknown``."""
        scheduled = self._cells[SCHEDULED]
        for header in (EXPECTED, SCHEDULED):
            if self._cells[header].content == BLANK:
                self._note(header, "blank")
        return "yes" if scheduled.content == TIME else "no" if scheduled.content == NOT_DONE else "unknown"

    def _came(self) -> str:
        """Whether the patient came, that is, checked in or had an echo: ``yes``, ``no`` or ``unknown``."""
        actual = self._cells[ACTUAL]
        if TIME in (actual.content, self._cells[ECHO_IN].content, self._cells[ECHO_OUT].content):
            return "yes"
        if actual.content == BLANK:
            self._note(ACTUAL, "blank")
        return "no" if actual.content == NOT_DONE else "unknown"

    def _exam_length(self, due: bool) -> int | None:
        """Echo out minus echo in, minutes; None where it cannot be determined.

        :param due: whether the patient should have had an echo, so that empty cells are logged
        """
        for header in (ECHO_IN, ECHO_OUT) if due else ():
            if self._cells[header].content == BLANK:
                self._note(header, "blank")
        begin, end = self._minute(ECHO_IN), self._minute(ECHO_OUT)
        if begin is None or end is None:
            if begin is not None:
                self._note(ECHO_OUT, "out_missing")
            if end is not None:
                self._note(ECHO_IN, "in_missing")
            return None
        if end <= begin:
            self._note(ECHO_OUT, "out_before_in")
            return None
        own = self._cells.get("echo duration")
        if own is not None and own.minute not in (None, end - begin):
            self._note("echo duration", "length_differs", clock(end - begin))
        return end - begin

    def _offset(self) -> int | None:
        """Check-in minus expected check-in, minutes; None where it cannot be determined."""
        expected, actual, begin = self._minute(EXPECTED), self._minute(ACTUAL), self._minute(ECHO_IN)
        scheduled = self._minute(SCHEDULED)
        if expected is None or actual is None:
            return None
        if scheduled is not None and scheduled - expected > _CHECK_IN_AHEAD:
            self._note(EXPECTED, "check_in_long_before_echo", clock(expected))
        if begin is not None and begin < actual:
            self._note(ACTUAL, "echo_before_check_in")
            return None
        return actual - expected
