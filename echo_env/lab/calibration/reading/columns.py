"""The headers of a sheet: known ones with their variants, or those of a map."""

from __future__ import annotations

import difflib
import re
from functools import cache
from typing import Any, NamedTuple

from echo_env.common.words import did_you_mean
from echo_env.lab.calibration.cell_log import CellLog, Remark
from echo_env.lab.calibration.reading.column_map import ColumnMap
from echo_env.lab.calibration.reading.fields import FIELDS, KNOWN, VARIANTS, feeds
from echo_env.lab.calibration.reading.grids import Rows, SheetError, column_letters, text_of

LEAST_HEADERS = 5
"""Known headers that make a sheet one of visits, whatever its name."""
HEADER_AMONG = 15
"""Rows searched for the headers: title rows may precede them."""
_LEAST_LIKENESS = 0.9
"""Least similarity (``difflib`` ratio) of a misspelt header."""


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
