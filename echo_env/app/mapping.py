"""A hospital's record, with what its columns may hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from echo_env.common.config_file import with_changes
from echo_env.common.config_model import build
from echo_env.lab.calibration.reading import ColumnsGuessed, SheetError, read_visits
from echo_env.lab.calibration.reading.column_map import ColumnMap
from echo_env.lab.calibration.reading.fields import FIELDS
from echo_env.lab.calibration.reading.grids import Book, read_book, text_of
from echo_env.lab.calibration.reading.guess import guess
from echo_env.lab.calibration.visits import Visits

_SHOWN = 8
NOT_THERE = "not on the sheet"


class Look(NamedTuple):
    """A record as far as it can be read.

    :param headers: of the columns, as they stand on the sheets
    :param columns: field -> header, from the map or guessed
    :param rows: the first rows of the first sheet of visits, as texts
    :param visits: the record, if it can be read
    :param problem: why it cannot; empty if it can
    """

    headers: list[str]
    columns: dict[str, str]
    rows: list[dict[str, str]]
    visits: Visits | None
    problem: str


def look(path: Path, columns: ColumnMap | None) -> Look:
    """Read a record.

    :param path: the file
    :param columns: which column holds what, if somebody has said so
    :raises SheetError: not a file of tables at all
    """
    book = read_book(path)
    headers, rows = _headers(book), _first_rows(book)
    given = dict(columns.headers) if columns else {}
    try:
        return Look(headers, given, rows, read_visits(path, columns), "")
    except ColumnsGuessed as error:
        return Look(headers, error.columns, rows, None, str(error))
    except SheetError as error:
        return Look(headers, given or _likeliest(book)[1], rows, None, str(error))


def _likeliest(book: Book) -> tuple[str, dict[str, str], int]:
    """The sheet that looks most like visits, what its columns may hold, and the row of its headers."""
    guesses = {name: guess(rows) for name, rows in book.sheets.items() if rows}
    name = max(guesses, key=lambda name: len(guesses[name][1]), default="")
    return (name, guesses[name][1], guesses[name][0]) if name else ("", {}, 1)


def _headers(book: Book) -> list[str]:
    found: dict[str, None] = {}
    for rows in book.sheets.values():
        if rows:
            row, columns = guess(rows)
            first = rows.get(row) or next(iter(rows.values()))
            if columns:
                found |= dict.fromkeys(text_of(value) for value in first if text_of(value))
    return list(found)


def _first_rows(book: Book) -> list[dict[str, str]]:
    sheet, columns, row = _likeliest(book)
    if not columns:
        return []
    rows = book.sheets[sheet]
    heads = [text_of(value) for value in rows[row]]
    below = [values for number, values in rows.items() if number > row][:_SHOWN]
    return [{head: _shown(value) for head, value in zip(heads, values, strict=True) if head} for values in below]


def _shown(value: Any) -> str:
    return "" if value is None else str(value)


def column_map(columns: Mapping[str, str], more: Mapping[str, Any]) -> ColumnMap:
    """The map that somebody has chosen.

    :param columns: field -> header, or :data:`NOT_THERE`
    :param more: the other fields of the map, those that are not as they would be if left out
    :raises ConfigError: a value that is not allowed
    """
    return build(ColumnMap, {**{name: head for name, head in columns.items() if head != NOT_THERE}, **more})


def map_text(columns: Mapping[str, str], more: Mapping[str, Any]) -> str:
    """The same as the text of a file for ``--columns``.

    :param columns: see :func:`column_map`
    :param more: likewise
    """
    places: dict[tuple[str | int, ...], Any] = {
        (name,): columns[name] for name in FIELDS if columns.get(name, NOT_THERE) != NOT_THERE
    }
    return with_changes("{}\n", places | {(name,): value for name, value in more.items()}).lstrip()
