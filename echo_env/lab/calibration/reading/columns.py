"""Which column holds what: known headers, and the map that the owner of a sheet gives for others."""

from __future__ import annotations

import difflib
import re
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from echo_env.common.config_file import load
from echo_env.common.config_model import Name, section
from echo_env.common.words import did_you_mean
from echo_env.lab.calibration.cell_log import CellLog, Remark
from echo_env.lab.calibration.reading.grids import Rows, SheetError, column_letters, text_of
from echo_env.lab.calibration.reading.words import Words


class Meaning(NamedTuple):
    """What a column holds.

    :param words: in words, for messages and guesses
    :param holds: ``date``, ``text``, ``yes_no``, ``moment`` (a clock time), ``spell`` (a clock time at which an
        interval starts or ends), ``length`` (a duration), ``people`` or ``status``
    :param feeds: whether the lab is fitted to it
    """

    words: str
    holds: str
    feeds: bool = True


FIELDS = {
    "day": Meaning("day", "date"),
    "patient": Meaning("patient", "text"),
    "type": Meaning("exam type", "text"),
    "fetal": Meaning("fetal", "yes_no"),
    "expected": Meaning("asked to check in", "moment"),
    "actual": Meaning("check-in", "moment"),
    "scheduled": Meaning("scheduled", "moment"),
    "vitals_in": Meaning("vitals in", "spell"),
    "vitals_out": Meaning("vitals out", "spell"),
    "begin": Meaning("begin of the exam", "spell"),
    "end": Meaning("end of the exam", "spell"),
    "length": Meaning("length of the exam", "length"),
    "room": Meaning("room", "text"),
    "staff": Meaning("staff", "people"),
    "status": Meaning("status", "status"),
    "unscheduled": Meaning("unscheduled", "yes_no"),
}
"""What a visit is known by -> its meaning."""

_PAPER = {
    "pt": "patient", "subspecialty": "text", "chemopatient": "yes_no", "fetal": "fetal", "research": "yes_no",
    "expected check-in/arrival time": "expected", "actual check-in/arrival time": "actual",
    "pt>10 min late": "yes_no", "vitals in": "vitals_in", "vitals out": "vitals_out", "vitals duration": "length",
    "met vitals cycle time": "yes_no", "echo scheduled time": "scheduled", "echo time in": "begin",
    "echo time out": "end", "echo duration": "length", "met echo cycle time": "yes_no",
    "echo start late >10 min": "yes_no", "sonographer": "staff", "echo room number": "room",
    "echo teaching case": "yes_no", "ekg in": "spell", "ekg out": "spell", "ekg duration": "length",
    "clinic scheduled": "moment", "patient in clinic room": "moment", "late to clin appt >10": "yes_no",
}  # fmt: skip
"""Header of the paper's day sheets (table 1) -> field, or what a column that is no field holds."""
_OWN_LENGTH = "echo duration"
LATE_FLAG = "pt>10 min late"
KNOWN: dict[str, str] = {meaning.words: name for name, meaning in FIELDS.items()} | {name: name for name in FIELDS}
KNOWN |= {
    header: name if name in FIELDS and (name != "length" or header == _OWN_LENGTH) else header
    for header, name in _PAPER.items()
}
"""Known header in lower case, single spaces, without '(yes/no)' -> field, or itself for a column that is no field."""
VARIANTS = {"subspecialty/provider": "subspecialty", "pt number": "pt", "echo room": "echo room number"}
"""Variant header -> known one."""
LEAST_HEADERS = 5
"""Known headers that make a sheet one of visits, whatever its name."""
HEADER_AMONG = 15
"""Rows searched for the headers: title rows may precede them."""
_LEAST_LIKENESS = 0.9
"""Least similarity (``difflib`` ratio) of a misspelt header."""


def holds(column: str) -> str:
    """What a column holds, see :class:`Meaning`.

    :param column: a field, or a known header that is none
    """
    return FIELDS[column].holds if column in FIELDS else _PAPER[column]


def feeds(column: str) -> bool:
    """Whether the lab is fitted to a column.

    :param column: a field, a known header that is none, or empty
    """
    return column in FIELDS and FIELDS[column].feeds


ExamTypeName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z][A-Za-z0-9]*([_-][A-Za-z0-9]+)*$",
        json_schema_extra={"x-allowed": "a name of letters, digits and single hyphens or underscores"},
    ),
]
Listed = tuple[str, ...]


@section("values")
class Values:
    """Words that a hospital writes into cells, beside the usual ones.

    :param yes: for yes
    :param no: for no
    :param no_show: in place of a time or in the status of a patient who did not come
    :param cancelled: in place of a time or in the status of an appointment that was cancelled
    """

    yes: Listed = ()
    no: Listed = ()
    no_show: Listed = ()
    cancelled: Listed = ()


@section("")
class ColumnMap:
    """Which column holds what: field -> header, as it stands on the sheets.

    :param day: date of the visit, where the sheet holds several days and times have no dates
    :param patient: patient number
    :param type: exam type
    :param fetal: whether the exam is fetal, in place of a type
    :param expected: when the patient was asked to check in
    :param actual: check-in
    :param scheduled: appointment of the exam
    :param vitals_in: begin of the preparation
    :param vitals_out: end of the preparation
    :param begin: begin of the exam
    :param end: end of the exam
    :param length: length of the exam in minutes
    :param room: room of the exam
    :param staff: initials of who examined
    :param status: no-show, cancelled or other words
    :param unscheduled: whether the patient came without an appointment
    :param values: words of the hospital
    :param types: value of the column of types -> exam type as a lab file names it
    :param all_hours: whether times before 06:00 and from 20:00 on are true; by default they are slips
    :param date_order: which comes first in dates such as 03/02/2026, where the sheet does not show it
    """

    day: Name | None = None
    patient: Name | None = None
    type: Name | None = None
    fetal: Name | None = None
    expected: Name | None = None
    actual: Name | None = None
    scheduled: Name | None = None
    vitals_in: Name | None = None
    vitals_out: Name | None = None
    begin: Name | None = None
    end: Name | None = None
    length: Name | None = None
    room: Name | None = None
    staff: Name | None = None
    status: Name | None = None
    unscheduled: Name | None = None
    values: Values = Values()
    types: dict[str, ExamTypeName] = Field(default_factory=dict)
    all_hours: bool = False
    date_order: Literal["day_first", "month_first"] | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Field -> header, of the fields that are given."""
        return {name: header for name in FIELDS if (header := getattr(self, name)) is not None}

    def words(self) -> Words:
        """The words of the hospital."""
        own = self.values
        lower = (tuple(word.strip().lower() for word in part) for part in (own.yes, own.no, own.no_show, own.cancelled))
        return Words(*lower)


def load_columns(path: str | Path) -> ColumnMap:
    """Read a column map.

    :param path: a YAML file
    :raises ConfigError: a field or value that is not allowed; names it and its line
    :raises OSError: no such file
    """
    Path(path).read_bytes()
    return load(ColumnMap, "echo_env.lab", str(path))


class Layout(NamedTuple):
    """The headers of a sheet.

    :param row: number of their row
    :param columns: field, or known header that is none -> number of its column, from 0
    :param remarks: headers that were not read as they stand
    :param unknown: header that is not known, and no second one of a known column -> number of its column
    """

    row: int
    columns: dict[str, int]
    remarks: tuple[Remark, ...]
    unknown: dict[str, int]

    def log(self, log: CellLog) -> None:
        """Log the remarks."""
        for remark in self.remarks:
            log.add(remark)


def lacking(columns: dict[str, Any]) -> list[str]:
    """What a sheet has no columns for although a lab needs it, in words; empty if it has all.

    :param columns: the fields that it has
    """
    needs = (("begin",), ("end", "length"), ("scheduled", "actual"))
    return [" or ".join(FIELDS[name].words for name in each) for each in needs if not set(each) & set(columns)]


def known_layout(sheet: str, rows: Rows) -> Layout | None:
    """The headers of a sheet by the known ones; None if none of its first rows has enough of them.

    :param sheet: name of the sheet
    :param rows: its rows
    """
    best: Layout | None = None
    for number in list(rows)[:HEADER_AMONG]:
        layout = _known_row(sheet, number, rows[number])
        if len(layout.columns) >= LEAST_HEADERS and not lacking(layout.columns):
            return layout
        if best is None or len(layout.columns) > len(best.columns):
            best = layout
    if best is None or (len(best.columns) < LEAST_HEADERS and lacking(best.columns)):
        return None
    return best


def _known_row(sheet: str, row: int, headers: tuple[Any, ...]) -> Layout:
    columns: dict[str, int] = {}
    unknown: dict[str, int] = {}
    remarks = []
    known = [_known_header(_plain(found)) for found in headers]
    ends = any(KNOWN.get(header) == "end" for header, _ in known)
    for number, (found, (header, rule)) in enumerate(zip(headers, known, strict=True)):
        if not text_of(found):
            continue
        column = KNOWN.get(header, "")
        if column == "begin" and columns.get(column) == number - 1 and not ends:
            column, rule = "end", "header_repeated"
        if column in columns:
            column, rule = "", "header_unknown"
        if column:
            columns[column] = number
            rule = rule or ("" if found == header else "header_spaces")
        else:
            unknown.setdefault(text_of(found), number)
        if rule:
            cell = f"{column_letters(number)}{row}"
            remarks.append(Remark(sheet, cell, column, text_of(found), rule, column, feeds(column)))
    return Layout(row, columns, tuple(remarks), unknown)


def mapped_layout(rows: Rows, columns: ColumnMap) -> Layout | None:
    """The headers of a sheet by a map: its likeliest row; None if no row has any.

    :param rows: its rows
    :param columns: the map
    """
    wanted = {name: _plain(header) for name, header in columns.headers.items()}
    best: Layout | None = None
    for number in list(rows)[:HEADER_AMONG]:
        there = {_plain(value): k for k, value in reversed(list(enumerate(rows[number]))) if text_of(value)}
        found = {name: there[header] for name, header in wanted.items() if header in there}
        unknown = {text_of(rows[number][k]): k for k in there.values() if k not in found.values()}
        if best is None or len(found) > len(best.columns):
            best = Layout(number, found, (), unknown)
    return best if best is not None and best.columns else None


def refusal(file: str, sheet: str, layout: Layout | None, rows: Rows, columns: ColumnMap | None) -> SheetError:
    """What a sheet lacks, all at once.

    :param file: name of the file
    :param sheet: name of the sheet
    :param layout: its likeliest row of headers
    :param rows: its rows
    :param columns: the map, if one was given
    """
    row = layout.row if layout else next(iter(rows), 1)
    headers = [text_of(value) for value in rows.get(row, ()) if text_of(value)]
    listed = ", ".join(map(repr, headers[:30])) or "none"
    lacks = lacking(layout.columns if layout else {})
    if columns is not None:
        absent = {name: header for name, header in columns.headers.items() if not layout or name not in layout.columns}
        hints = [f"{name}: {header!r}{did_you_mean(header, headers)}" for name, header in absent.items()]
        if hints:
            return SheetError(
                f"{file}: sheet {sheet!r} lacks headers of the map: {'; '.join(hints)}; row {row} has {listed}"
            )
        return SheetError(f"{file}: the map names no column for {' and for '.join(lacks)}; row {row} has {listed}")
    return SheetError(
        f"{file}: sheet {sheet!r} has no column for {' and for '.join(lacks)}; its headers, row {row}, are {listed}; "
        "name the columns in a map and give it with --columns"
    )


def _plain(header: Any) -> str:
    """A header in lower case, with single spaces, without '(yes/no)'."""
    return " ".join(re.sub(r"\(yes/no\)", " ", text_of(header).lower()).split())


def _loose(header: str) -> str:
    """A header without spaces and hyphens."""
    return re.sub(r"[\s_-]+", "", header)


_BY_LOOSE = {_loose(known): known for known in KNOWN}


@cache
def _known_header(header: str) -> tuple[str, str]:
    """The known header that matches a plain one, and the name of the rule that matched it; empty if none does."""
    if header in KNOWN or not header:
        return header, ""
    if _loose(header) in _BY_LOOSE:
        return _BY_LOOSE[_loose(header)], "header_spaces"
    if header in VARIANTS:
        return VARIANTS[header], "header_variant"
    near = difflib.get_close_matches(_loose(header), _BY_LOOSE, n=2, cutoff=_LEAST_LIKENESS)
    return (_BY_LOOSE[near[0]], "header_spelling") if len(near) == 1 else ("", "header_unknown")
