"""The visits that a hospital has recorded: one tidy table that knows its cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from echo_env.lab.calibration.cell_log import CellLog

TABLE = {
    "day": "date of the visit as in 2026-03-02, or the name of its sheet where the date is unknown",
    "sheet": "name of the sheet",
    "row": "row number on the sheet, from 1",
    "patient": "patient number",
    "type": "exam type, as a lab file can name it; empty where it is unknown",
    "expected": "when the patient was asked to check in, minutes after midnight",
    "actual": "check-in, minutes after midnight",
    "scheduled": "appointment of the exam, minutes after midnight",
    "vitals_in": "begin of the preparation, minutes after midnight",
    "vitals_out": "end of the preparation, minutes after midnight",
    "begin": "begin of the exam, minutes after midnight",
    "end": "end of the exam, minutes after midnight",
    "room": "room of the exam",
    "staff": "initials of who examined, with a slash between several",
    "booked": "whether an exam was booked: yes, no, or unknown; cancelled ones are not",
    "came": "whether the patient came: yes, no, or unknown",
    "unscheduled": "whether the patient came for an exam without an appointment",
    "offset_min": "check-in minus when the patient was asked to check in, minutes; negative if early",
    "exam_min": "end of the exam minus begin, minutes",
}
"""Column of the tidy table -> meaning."""
MINUTES = ("expected", "actual", "scheduled", "vitals_in", "vitals_out", "begin", "end")
"""The columns that are clock times, nullable ``Int64``; so are ``offset_min`` and ``exam_min``."""

Notes = dict[str, tuple[tuple[str, str], ...]]
"""Sheet without visits -> (reference, text) of its cells."""


@dataclass(frozen=True)
class Visits:
    """What was read of a file.

    :param name: name of the file
    :param sha256: digest of its bytes
    :param table: one row a visit, with the columns of :data:`TABLE`, by sheet and row
    :param columns: sheet -> column of the table -> letters of the column on the sheet that it was read from
    :param notes: the sheets that have no visits
    :param log: every cell that was repaired, dropped or not read
    """

    name: str
    sha256: str
    table: pd.DataFrame
    columns: dict[str, dict[str, str]]
    notes: Notes
    log: CellLog

    def cell(self, index: int, column: str) -> str:
        """Where a value stands, such as ``Monday!G7``; the sheet and the row where it was worked out.

        :param index: row of the table
        :param column: column of the table
        """
        sheet, row = self.table.at[index, "sheet"], self.table.at[index, "row"]
        letters = self.columns.get(sheet, {}).get(column)
        return f"{sheet}!{letters}{row}" if letters else f"{sheet}, row {row}"

    @property
    def days(self) -> tuple[str, ...]:
        """The days, in the order of the file."""
        return tuple(dict.fromkeys(self.table["day"]))

    @property
    def types(self) -> tuple[str, ...]:
        """The exam types in the order in which they first appear, unknown ones left out."""
        return tuple(name for name in dict.fromkeys(self.table["type"]) if name)
