"""Parsing one cell of a hospital's sheet: a time with or without a date, a length, a mark, or unreadable."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, NamedTuple

from echo_env.lab.calibration.reading.dates import read_date
from echo_env.lab.calibration.reading.grids import text_of
from echo_env.lab.calibration.reading.words import BLANK as BLANK_TEXTS
from echo_env.lab.calibration.reading.words import USUAL, Words

TIME, NOT_DONE, SOME_MARK, BLANK, UNREAD = "time", "not done", "mark", "blank", "unread"
NO_SHOW, CANCELLED, WALK_IN = "no_show", "cancelled", "walk_in"
"""Contents of a cell: a time; ``X`` or ``N/A``; another mark; empty; unreadable; marks with a meaning of their own."""

DAY_MIN = 1440
HOURS, POINTS = "hours", "points"
"""What the numbers of a column may be: 8.25 is a quarter past eight, or 8 hours and 25 minutes."""
NOT_DONE_TEXTS = frozenset(("x", "n/a", "na"))
_ERRORS = ("#VALUE!", "#REF!", "#N/A", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!")
_HALF = r"(?:\s*(?P<half>[ap])\.?\s?(?:m\.?)?)?"
_CLOCKS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?P<h>\d{{1,2}})\s?[:.,h]\s?(?P<m>\d{{2}})(?::(?P<s>\d{{2}})(?:[.,]\d+)?)?(?:\s?(?:uhr|hrs?|h|min))?{_HALF}",
        rf"(?P<h>\d{{1,2}})(?P<m>\d{{2}})(?:\s?(?:uhr|hrs?|h))?{_HALF}",
        r"(?P<h>\d{1,2})\s?(?:uhr|h)(?:\s?(?P<m>\d{2}))?",
        r"(?P<h>\d{1,2})\s?(?P<half>[ap])\.?\s?m\.?",
    )
)
"""``8:45``, ``8.45``, ``8h45``, ``08:45:00``, ``1:30 pm``; ``0845``; ``8h``, ``8 Uhr 45``; ``8 am``."""
_ZONE = re.compile(r"\s?(?:z|[+-]\d{2}:?\d{2})$")
_SERIAL = re.compile(r"\d{1,5}[.,]\d{3,}|0[.,](?:25|5|75)")
_FIRST_SERIAL, _LAST_SERIAL = 20_000, 80_000
"""Days since 1900 of 1954 and 2119: numbers between them are dates in cells without a date's format."""
_LENGTH = re.compile(r"(?:(\d+)\s?(?:h|hrs?|hours?|std\.?)\s?)?(?:(\d+(?:\.\d+)?)\s?(?:m|min\.?|mins|minutes?)?)?")


class SheetCell(NamedTuple):
    """A parsed cell of a time column.

    :param content: one of the contents above, such as :data:`TIME`
    :param minute: minutes after midnight, or a duration in minutes; None unless ``content`` is a time
    :param rule: name of the rule that was applied; empty for a well-formed cell
    :param date: the date that stands beside the time
    :param sure: whether half a day cannot be missing: the cell says am, pm or a date
    """

    content: str
    minute: int | None = None
    rule: str = ""
    date: dt.date | None = None
    sure: bool = False


def read_time(
    value: Any, *, spell: bool = False, words: Words = USUAL, day_first: bool | None = None, unit: str = ""
) -> SheetCell:
    """Parse a cell of a time column.

    :param value: the cell's value
    :param spell: True in a column of starts or ends of an interval, where two times in one cell cannot be resolved
    :param words: marks of the file
    :param day_first: whether 03/02/2026 is 3 February; None where no such date stands in the file
    :param unit: :data:`HOURS` or :data:`POINTS`, where all numbers of the column are one of these
    """
    if unit and (number := _plain_number(value)) is not None:
        return _of_unit(number, unit)
    if isinstance(value, dt.datetime):
        # A time of day in a cell with a date's format is a day of 1899 or 1900.
        return _at(value.time(), value.date() if value.year > 1900 else None)
    if isinstance(value, dt.time):
        return _at(value, None)
    if isinstance(value, dt.timedelta):
        return _of_seconds(value.total_seconds())
    if isinstance(value, dt.date):
        return SheetCell(UNREAD, None, "not_a_time", value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _of_number(value)
    return _of_text(text_of(value), spell, words, day_first)


def read_length(value: Any, unit: str = "") -> SheetCell:
    """Parse a cell of a column of durations: ``0:45`` and 45 are 45 minutes.

    :param value: the cell's value
    :param unit: :data:`HOURS` where the numbers of the column are hours
    """
    if unit and (number := _plain_number(value)) is not None:
        return _of_unit(number, unit)
    text = text_of(value).lower().replace(",", ".")
    found = _LENGTH.fullmatch(text) if text else None
    if found is not None and not isinstance(value, bool):
        minutes = 60 * float(found[1] or 0) + float(found[2] or 0)
        return _of_number(minutes) if 0 < minutes < 1 else SheetCell(TIME, round(minutes))
    return read_time(value)


def _at(time: dt.time, date: dt.date | None) -> SheetCell:
    seconds = time.hour * 3600 + time.minute * 60 + time.second + time.microsecond / 1e6
    return _of_seconds(seconds)._replace(date=date, sure=date is not None)


def _of_seconds(seconds: float) -> SheetCell:
    minute = round(seconds / 60)
    if not 0 <= minute < DAY_MIN:
        return SheetCell(UNREAD, None, "not_a_time")
    return SheetCell(TIME, minute, "" if abs(seconds - 60 * minute) < 1 else "seconds")


def _plain_number(value: Any) -> float | None:
    """A number from 0 to 24, also as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(str(value).strip().replace(",", "."))
    except ValueError:
        return None
    return number if 0 <= number < 24 else None


def _of_unit(number: float, unit: str) -> SheetCell:
    """A number of a column whose numbers are hours, or hours with minutes behind the point."""
    if unit == HOURS:
        return SheetCell(TIME, round(60 * number), "time_as_text")
    return _of_clock(f"{number:.2f}", "time_as_text")


def _of_number(value: float) -> SheetCell:
    """A fraction of a day, days since 1900, or 815 and 8.15 for a quarter past eight."""
    if 0 <= value < 1 and value != int(value):
        return _of_seconds(value * 86400)
    if _FIRST_SERIAL <= value < _LAST_SERIAL:
        days, fraction = divmod(value, 1)
        date = dt.date(1899, 12, 30) + dt.timedelta(int(days))
        return _of_seconds(fraction * 86400)._replace(date=date, sure=True)
    if value >= 100 and value == int(value):
        return _of_clock(f"{int(value)}", "time_as_text")
    if value != int(value) and abs(value * 100 - round(value * 100)) < 1e-6:
        return _of_clock(f"{value:.2f}", "time_as_text")
    return SheetCell(UNREAD, None, "not_a_time")


def _of_text(text: str, spell: bool, words: Words, day_first: bool | None) -> SheetCell:
    lower = text.lower()
    mark = words.mark(lower)
    if mark:
        return SheetCell(mark, None, f"mark_{mark}")
    if lower in BLANK_TEXTS:
        return SheetCell(BLANK)
    if lower in NOT_DONE_TEXTS:
        return SheetCell(NOT_DONE, None, "mark_not_done")
    if lower == "p":
        return SheetCell(SOME_MARK, None, "mark_p")
    if lower == "?":
        return SheetCell(UNREAD, None, "mark_unknown")
    if text.upper() in _ERRORS:
        return SheetCell(UNREAD, None, "formula_error")
    if _SERIAL.fullmatch(text):
        return _of_number(float(text.replace(",", ".")))._replace(rule="time_as_text")
    dated = read_date(lower, day_first)
    if dated is not None:
        cell = _of_clock(_ZONE.sub("", dated.rest), "time_as_text")
        return cell._replace(date=dated.date, sure=True)
    cells = [_of_clock(part.strip(), "time_as_text") for part in lower.split("/")]
    if len(cells) == 1 or any(cell.content == UNREAD for cell in cells):
        return cells[0] if len(cells) == 1 else SheetCell(UNREAD, None, "not_a_time")
    return SheetCell(UNREAD, None, "two_spells") if spell else cells[0]._replace(rule="two_times")


def _of_clock(text: str, rule: str) -> SheetCell:
    """A clock time in lower case without a date."""
    match = next(filter(None, (pattern.fullmatch(text) for pattern in _CLOCKS)), None)
    if match is None:
        return SheetCell(UNREAD, None, "not_a_time")
    parts = match.groupdict()
    hour, minute, half = int(parts["h"]), int(parts.get("m") or 0), parts.get("half") or ""
    if minute > 59 or hour > (12 if half else 23) or (half and hour == 0):
        return SheetCell(UNREAD, None, "not_a_time")
    hour = hour % 12 + (12 if half == "p" else 0) if half else hour
    total = 60 * hour + minute + (int(parts.get("s") or 0) >= 30)
    return SheetCell(TIME, total, rule, sure=bool(half)) if total < DAY_MIN else SheetCell(UNREAD, None, "not_a_time")


def clock(minute: int) -> str:
    """495 -> ``08:15``.

    :param minute: minutes after midnight
    """
    return f"{minute // 60:02d}:{minute % 60:02d}"
