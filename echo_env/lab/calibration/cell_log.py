"""Audit log of a spreadsheet's cells: every repair and every omission is made by a named rule and recorded."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

ACTIONS = ("repaired", "kept", "dropped", "unread")
"""Read as another value; unusual, but read as written; readable, but not used; unreadable."""


class Rule(NamedTuple):
    """What is done with a certain kind of cell.

    :param action: one of :data:`ACTIONS`
    :param sentence: which cells it applies to, and what is done with them
    """

    action: str
    sentence: str


RULES = {
    # Headers and sheets.
    "header_spaces": Rule(
        "repaired",
        "A header that differs from a known one only in spaces, hyphens, case or '(yes/no)' is read as that one.",
    ),
    "header_variant": Rule("repaired", "A header on the list of known variants is read as its standard name."),
    "header_spelling": Rule("repaired", "A header within a letter or two of exactly one known header is read as it."),
    "header_repeated": Rule(
        "repaired",
        "A second 'echo time in' to the right of the first, on a sheet without 'echo time out', is read as "
        "'echo time out'.",
    ),
    "header_unknown": Rule("dropped", "A column with an unknown header is ignored."),
    "no_header": Rule("dropped", "A cell in a column without a header is ignored."),
    "no_patient": Rule("kept", "A row without a patient number is identified by its sheet and row."),
    "patient_twice": Rule("kept", "A patient number that appears twice on a sheet counts as two visits."),
    "year_from_file": Rule(
        "repaired",
        "A date without a year is given the latest year, up to when the file was last saved, in which it falls "
        "on the weekday given.",
    ),
    "date_unread": Rule("unread", "A sheet whose name contains no date is identified by its name."),
    # Single cells.
    "day_above": Rule("repaired", "An empty cell in the column of days stands for the day above it."),
    "other_day": Rule("dropped", "A time of another day than the visit's is not used."),
    "time_as_text": Rule("repaired", "A clock time typed as text or as a number such as 815 is read as a time."),
    "seconds": Rule("repaired", "A time with seconds is rounded to the minute."),
    "mark_not_done": Rule(
        "dropped",
        "'X' and 'N/A' mean that there is no time. In the check-in of a patient with a scheduled exam: a "
        "no-show. In the scheduled exam: none was scheduled.",
    ),
    "mark_no_show": Rule("dropped", "A mark such as 'DNA' or 'no show' means that the patient did not come."),
    "mark_cancelled": Rule("dropped", "A mark such as 'cancelled' means that no exam was booked any more."),
    "mark_walk_in": Rule("dropped", "A mark such as 'walk-in' means that the patient came without an appointment."),
    "mark_p": Rule("dropped", "'P' is not explained on the sheets and is read as no time."),
    "mark_unknown": Rule("unread", "'?' means that there was a time, but it is unknown."),
    "mark_but_came": Rule(
        "kept", "A patient who is marked as a no-show or cancelled, but has a check-in or an exam, came."
    ),
    "empty_row": Rule("repaired", "A booked patient of a past day of whom nothing else is written is a no-show."),
    "record_stops": Rule(
        "unread",
        "Where nothing is written from some row of a day on, for four booked patients or more, the record stops: they "
        "count as neither visits nor no-shows.",
    ),
    "blank": Rule("unread", "An empty cell where a time or a mark is due counts as neither a visit nor a no-show."),
    "formula_error": Rule("unread", "A formula that evaluates to an error, such as #VALUE!, has no value."),
    "two_times": Rule("repaired", "Of two times in a cell for one point in time, the first is used."),
    "two_spells": Rule("dropped", "Two times in a start or end cell are two intervals of unknown length."),
    "two_people": Rule("kept", "Two sets of initials in a cell mean two members of staff at one exam."),
    "not_a_time": Rule("unread", "A value that is neither a time nor a known mark is not read."),
    "not_yes_no": Rule("unread", "A value that is neither yes nor no is read as neither; an empty cell counts as no."),
    # Rows.
    "header_again": Rule("dropped", "A row that repeats the headers is no visit."),
    "total_row": Rule("dropped", "A row that begins with a word such as 'total' or 'mean' is no visit."),
    "one_column_left": Rule(
        "repaired",
        "A time or a mark under 'pt>10 min late', with 'vitals in' filled and 'vitals out' empty, means "
        "that the vitals were entered one column too far left: they are moved right.",
    ),
    "half_day_slip": Rule(
        "repaired",
        "A time before 06:00 or from 20:00 on that fits between the row's other times when shifted by twelve hours "
        "is shifted.",
    ),
    "morning_or_evening": Rule(
        "kept",
        "On a clock of twelve hours, a row whose times are all between 06:00 and 08:00 is read as a morning's.",
    ),
    "outside_hours": Rule("dropped", "Any other time before 06:00 or from 20:00 on is not used."),
    "exam_before_check_in": Rule(
        "dropped",
        "A check-in after the start of the exam cannot be the arrival: it is not used as one, but the exam is used.",
    ),
    "out_before_in": Rule("dropped", "An exam that ends no later than it starts has no usable duration."),
    "out_missing": Rule("dropped", "An exam with a start but no end has no duration."),
    "in_missing": Rule("dropped", "An exam with an end but no start has no duration."),
    "length_differs": Rule("kept", "Where the length on the sheet is not end minus begin, end minus begin is used."),
    "check_in_long_before_exam": Rule(
        "kept",
        "A check-in expected more than 30 minutes before the exam may belong to something else, such as a "
        "clinic visit; it is used as written.",
    ),
}
"""Name -> rule. Each cell is logged under one rule: the last that was applied to it."""

COLUMNS = ("sheet", "cell", "column", "found", "rule", "action", "becomes", "feeds_the_lab")


@dataclass(frozen=True)
class Remark:
    """A cell and what was done with it; the fields are :data:`COLUMNS` except ``action``, which follows from the rule.

    :param sheet: name of its sheet
    :param cell: reference such as ``G7``; empty for the sheet itself
    :param column: known header of its column
    :param found: text in the cell
    :param rule: name of the rule, a key of :data:`RULES`
    :param becomes: what the cell is read as; empty where it is not read
    :param feeds_the_lab: whether the lab is fitted to this column
    """

    sheet: str
    cell: str
    column: str
    found: str
    rule: str
    becomes: str = ""
    feeds_the_lab: bool = False


class CellLog:
    """The remarks on a file, at most one for each cell."""

    def __init__(self) -> None:
        self._remarks: dict[tuple[str, str], Remark] = {}

    def __len__(self) -> int:
        return len(self._remarks)

    def add(self, remark: Remark) -> None:
        """Record a cell; a later rule replaces an earlier one.

        :param remark: the cell and its rule
        :raises KeyError: the rule is not in :data:`RULES`
        """
        RULES[remark.rule]  # an unknown rule is an error in the code that logs
        self._remarks.pop((remark.sheet, remark.cell), None)
        self._remarks[remark.sheet, remark.cell] = remark

    def counts(self) -> dict[str, int]:
        """Rule -> number of cells, in the order of :data:`RULES`; rules that were never applied are left out."""
        count = Counter(remark.rule for remark in self._remarks.values())
        return {rule: count[rule] for rule in RULES if count[rule]}

    def by_action(self) -> dict[str, int]:
        """Action -> number of cells."""
        return {
            action: sum(n for rule, n in self.counts().items() if RULES[rule].action == action) for action in ACTIONS
        }

    def example(self, rule: str) -> Remark:
        """The first cell logged under a rule, preferably one in a column that the lab is fitted to."""
        found = [remark for remark in self._remarks.values() if remark.rule == rule]
        return max(found, key=lambda remark: remark.feeds_the_lab)

    def to_pandas(self) -> pd.DataFrame:
        """One row for each cell, ordered by sheet and row, with the columns of :data:`COLUMNS`."""
        import pandas as pd

        sheets = list(dict.fromkeys(sheet for sheet, _ in self._remarks))
        ordered = sorted(self._remarks.values(), key=lambda remark: (sheets.index(remark.sheet), *_place(remark.cell)))
        rows: list[dict[str, Any]] = [{**vars(remark), "action": RULES[remark.rule].action} for remark in ordered]
        return pd.DataFrame(rows, columns=list(COLUMNS))


def _place(cell: str) -> tuple[int, int, str]:
    """Sort key by row, then column: ``AA7`` -> (7, 2, "AA"); the sheet itself comes first."""
    letters = cell.rstrip("0123456789")
    return int(cell[len(letters) :] or 0), len(letters), letters
