"""What was done to a spreadsheet's cells, by rules with names: nothing is repaired or left out without one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

ACTIONS = ("repaired", "kept", "dropped", "unread")
"""Read as something else; odd, but read as it stands; readable, but not used; no way to read it."""


class Rule(NamedTuple):
    """What is done with cells of a kind.

    :param action: one of :data:`ACTIONS`
    :param sentence: which cells, and what is done with them
    """

    action: str
    sentence: str


RULES = {
    # Headers and sheets.
    "header_spaces": Rule(
        "repaired",
        "A header with other spaces, hyphens, letter case or no '(yes/no)' is the known one.",
    ),
    "header_variant": Rule("repaired", "A header on the list of known variants is the known one."),
    "header_spelling": Rule("repaired", "A header that differs from one known header by a letter or two is that one."),
    "header_repeated": Rule(
        "repaired",
        "'echo time in' a second time, right of the first and with no 'echo time out' on the sheet, is "
        "'echo time out'.",
    ),
    "header_unknown": Rule("dropped", "A column with a header that is not known is not read."),
    "no_header": Rule("dropped", "A cell in a column without a header is not read."),
    "no_patient": Rule("kept", "A row without a patient number goes by its sheet and row."),
    "patient_twice": Rule("kept", "A patient number that stands on a sheet twice is two visits."),
    "year_from_file": Rule(
        "repaired",
        "A date without a year gets the latest year, not after the file was last saved, in which it falls "
        "on the weekday named.",
    ),
    "date_unread": Rule("unread", "A sheet whose name is no date goes by its name."),
    # Single cells.
    "time_as_text": Rule("repaired", "A clock time typed as text is that time."),
    "seconds": Rule("repaired", "A time with seconds is rounded to the minute."),
    "mark_not_done": Rule(
        "dropped",
        "'X' and 'N/A' say that there is no time. As check-in of a patient with a scheduled echo: did not "
        "come. As scheduled echo: none was scheduled.",
    ),
    "mark_p": Rule("dropped", "'P' is explained nowhere on the sheets and is read as no time."),
    "mark_unknown": Rule("unread", "'?' says that there was a time which nobody knows."),
    "blank": Rule("unread", "An empty cell where a time or a mark is due says nothing: neither a visit nor a no-show."),
    "formula_error": Rule("unread", "A formula that ended in an error, such as #VALUE!, has no value."),
    "two_times": Rule("repaired", "Two times in a cell that tells one moment: the first counts."),
    "two_spells": Rule("dropped", "Two times in a cell for in or out are two spells, whose lengths cannot be told."),
    "two_people": Rule("kept", "Two sets of initials in a cell are two sonographers at one exam."),
    "not_a_time": Rule("unread", "What is neither a time nor a known mark is not read as a time."),
    "not_yes_no": Rule("unread", "What is neither yes nor no is not read as either; an empty cell is a no."),
    # Rows.
    "one_column_left": Rule(
        "repaired",
        "A time or a mark under 'pt>10 min late', with 'vitals in' filled and 'vitals out' empty, means "
        "that vitals stand one column left: they move right.",
    ),
    "half_day_slip": Rule(
        "repaired",
        "A time before 06:00 or from 20:00 on that fits between the row's other times twelve hours later or"
        " earlier is that.",
    ),
    "outside_hours": Rule("dropped", "A time before 06:00 or from 20:00 on that does not fit so is not used."),
    "echo_before_check_in": Rule(
        "dropped",
        "A check-in after the echo began cannot be when the patient came: it is not used for arrival; the exam is.",
    ),
    "out_before_in": Rule("dropped", "An echo that ends no later than it begins has no length that could be used."),
    "out_missing": Rule("dropped", "An echo that begins and has no time out has no length."),
    "in_missing": Rule("dropped", "An echo that ends and has no time in has no length."),
    "length_differs": Rule("kept", "Where the sheet's own 'echo duration' is not out minus in, out minus in counts."),
    "check_in_long_before_echo": Rule(
        "kept",
        "A check-in due more than 30 minutes before the echo may be due for something else, such as a "
        "clinic; it counts as it stands.",
    ),
}
"""Name -> rule. A cell goes by one rule: the last that applies to it."""

COLUMNS = ("sheet", "cell", "column", "found", "rule", "action", "becomes", "feeds_the_lab")


@dataclass(frozen=True)
class Remark:
    """A cell and what was done with it; the fields are :data:`COLUMNS` without what the rule tells.

    :param sheet: its sheet
    :param cell: as ``G7``; empty for the sheet itself
    :param column: the known header it stands under
    :param found: what stands there
    :param rule: name of the rule
    :param becomes: what it is read as; empty where it is not read
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
    """The remarks on a file, one for each cell at most."""

    def __init__(self) -> None:
        self._remarks: dict[tuple[str, str], Remark] = {}

    def __len__(self) -> int:
        return len(self._remarks)

    def add(self, remark: Remark) -> None:
        """Note a cell; a later rule replaces an earlier one.

        :param remark: on the cell
        :raises KeyError: there is no such rule
        """
        RULES[remark.rule]
        self._remarks.pop((remark.sheet, remark.cell), None)
        self._remarks[remark.sheet, remark.cell] = remark

    def counts(self) -> dict[str, int]:
        """Rule -> how many cells, in the order of :data:`RULES`; rules that never applied are left out."""
        count = Counter(remark.rule for remark in self._remarks.values())
        return {rule: count[rule] for rule in RULES if count[rule]}

    def by_action(self) -> dict[str, int]:
        """Action -> how many cells."""
        return {
            action: sum(n for rule, n in self.counts().items() if RULES[rule].action == action) for action in ACTIONS
        }

    def example(self, rule: str) -> Remark:
        """The first cell that goes by a rule, preferring one that feeds the lab."""
        found = [remark for remark in self._remarks.values() if remark.rule == rule]
        return max(found, key=lambda remark: remark.feeds_the_lab)

    def to_pandas(self) -> pd.DataFrame:
        """A row for each cell, sheet by sheet and row by row: :data:`COLUMNS`."""
        import pandas as pd

        sheets = list(dict.fromkeys(sheet for sheet, _ in self._remarks))
        ordered = sorted(self._remarks.values(), key=lambda remark: (sheets.index(remark.sheet), *_place(remark.cell)))
        rows: list[dict[str, Any]] = [{**vars(remark), "action": RULES[remark.rule].action} for remark in ordered]
        return pd.DataFrame(rows, columns=list(COLUMNS))


def _place(cell: str) -> tuple[int, int, str]:
    """``AA7`` -> row 7, two letters, these letters; the sheet itself comes first."""
    letters = cell.rstrip("0123456789")
    return int(cell[len(letters) :] or 0), len(letters), letters
