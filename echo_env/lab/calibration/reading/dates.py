"""Dates in the names of sheets and in cells."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from echo_env.lab.calibration.reading.grids import SheetError

_WEEKDAYS = tuple(name.lower() for name in calendar.day_name)
_MONTHS = tuple(name.lower() for name in calendar.month_name[1:])
_OTHER_MONTHS = {
    "mär": 3, "mrz": 3, "mai": 5, "okt": 10, "dez": 12, "fév": 2, "avr": 4, "juin": 6, "juil": 7, "aoû": 8, "déc": 12,
    "ene": 1, "abr": 4, "ago": 8, "dic": 12,
}  # fmt: skip
"""First letters of months in German, French and Spanish where they are not those of the English ones."""
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})(?!\d)")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")
_NAMED = re.compile(r"(\d{1,2})\.?[\s-]*([^\W\d]{3,10})\.?[\s,-]*(\d{4}|\d{2})(?!\d)")
_NAMED_FIRST = re.compile(r"([^\W\d]{3,10})\.?\s*(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?!\d)")
_WEEKDAY_BEFORE = re.compile(r"^[^\W\d]{2,10}\.?,?\s+(?=\d|[^\W\d]{3,10}\.?\s*\d)")


class Dated(NamedTuple):
    """A date at the beginning of a text.

    :param date: the date
    :param rest: the text behind it
    """

    date: dt.date
    rest: str


def read_date(text: str, day_first: bool | None = None) -> Dated | None:
    """The date that a text begins with, and what follows; None if it begins with none.

    :param text: in lower case
    :param day_first: whether 03/02/2026 is 3 February; with dots it always is
    """
    if len(text) < 6:
        return None
    without = _WEEKDAY_BEFORE.sub("", text)
    return _read_date(text, day_first) or (_read_date(without, day_first) if without != text else None)


def _read_date(text: str, day_first: bool | None) -> Dated | None:
    if match := _YEAR_FIRST.match(text) or _COMPACT.match(text):
        year, month, day = (int(part) for part in match.groups())
    elif match := _YEAR_LAST.match(text):
        day, month, year = int(match[1]), int(match[3]), int(match[4])
        if match[2] != "." and day_first is False:
            day, month = month, day
    elif match := _NAMED.match(text):
        day, month, year = int(match[1]), _month(match[2]), int(match[3])
    elif match := _NAMED_FIRST.match(text):
        day, month, year = int(match[2]), _month(match[1]), int(match[3])
    else:
        return None
    try:
        date = dt.date(year + 2000 if year < 100 else year, month, day)
    except ValueError:
        return None
    return Dated(date, text[match.end() :].strip(" t,"))


def _month(name: str) -> int:
    """Number of a month by its first letters; 0 if it is none."""
    short = name[:3]
    return next((k for k, full in enumerate(_MONTHS, start=1) if full.startswith(short)), 0) or next(
        (k for start, k in _OTHER_MONTHS.items() if name.startswith(start)), 0
    )


def day_first_in(values: Iterable[tuple[str, Any]], file: str) -> bool | None:
    """Whether dates such as 03/02/2026 begin with the day; None if there are none in which it matters.

    :param values: cell reference and value of the cells in which dates may stand
    :param file: name of the file, for the message
    :raises SheetError: the dates allow both, or contradict each other
    """
    first: dict[bool, tuple[str, Any]] = {}
    open_: tuple[str, Any] | None = None
    for cell, value in values:
        match = _YEAR_LAST.match(str(value).strip()) if isinstance(value, str) else None
        if match is None or match[2] == ".":
            continue
        one, two = int(match[1]), int(match[3])
        if one > 12 or two > 12:
            first.setdefault(one > 12, (cell, value))
        elif one != two and open_ is None:
            open_ = cell, value
    remedy = "say 'date_order: day_first' or 'date_order: month_first' in the map of --columns"
    if len(first) == 2:
        (one_cell, one_value), (two_cell, two_value) = first[True], first[False]
        raise SheetError(
            f"{file}: {one_value!r} ({one_cell}) begins with the day, but {two_value!r} ({two_cell}) with the month"
        )
    if not first and open_ is not None:
        raise SheetError(f"{file}: {open_[1]!r} ({open_[0]}) may begin with the day or with the month; {remedy}")
    return next(iter(first), None)


def date_of_cell(value: Any, day_first: bool | None) -> dt.date | None:
    """The date in a cell of a column of dates; None if it is none.

    :param value: of the cell
    :param day_first: as for :func:`read_date`
    """
    if isinstance(value, (dt.date, dt.datetime)):
        return value.date() if isinstance(value, dt.datetime) else value
    if isinstance(value, str) and re.fullmatch(r"\d{5}", value.strip()):
        value = int(value)
    if isinstance(value, (int, float)) and 20_000 <= value < 80_000:
        return dt.date(1899, 12, 30) + dt.timedelta(int(value))
    if isinstance(value, (int, float)) and 19_000_101 <= value <= 21_001_231:
        value = str(int(value))
    found = read_date(str(value).strip().lower(), day_first) if value is not None else None
    return found.date if found else None


def date_in_name(name: str, saved: dt.date) -> tuple[dt.date | None, bool]:
    """The date in the name of a sheet, and whether its year was worked out from the weekday and the date of saving.

    :param name: name of the sheet
    :param saved: when the file was saved
    """
    weekday, month, day, year = weekday_and_date(name) or (None, 0, 0, None)
    # A date falls on each weekday within eleven years, 29 February within forty.
    for candidate in range(saved.year, saved.year - 40, -1) if year is None else (year,):
        try:
            date = dt.date(candidate, month, day)
        except ValueError:
            continue
        if year is not None or (date <= saved and weekday in (None, date.weekday())):
            return date, year is None
    return None, False


def weekday_and_date(name: str) -> tuple[int | None, int, int, int | None] | None:
    """Weekday, month, day and year in the name of a sheet, as far as present; None if it names no day.

    :param name: name of the sheet
    """
    words = name.lower()
    weekday = next((k for k, day in enumerate(_WEEKDAYS) if re.search(_short_or_long(day), words)), None)
    for start in range(len(words)):
        if words[start].isdigit() and not words[start - 1 : start].isdigit() and (found := read_date(words[start:])):
            return weekday, found.date.month, found.date.day, found.date.year
    if numbered := re.search(r"(?<![\d.])(\d{1,2})\.(\d{1,2})\.(?!\d)", words):
        return weekday, int(numbered[2]), int(numbered[1]), None
    for month, full in enumerate(_MONTHS, start=1):
        named = re.search(_short_or_long(full) + r"\.?\s*(\d{1,2})(?:\D+(\d{4}))?", words)
        if named:
            return weekday, month, int(named[1]), int(named[2]) if named[2] else None
    return (weekday, 0, 0, None) if weekday is not None else None


def _short_or_long(name: str) -> str:
    """Pattern of a weekday or month: ``tue``, ``tues``, ``tuesday``, but not ``tuesdays`` or ``mon`` inside a word."""
    return rf"\b(?:{'|'.join(name[:n] for n in range(len(name), 2, -1))})(?![a-z])"
