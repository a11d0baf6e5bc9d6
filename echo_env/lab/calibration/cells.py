"""Parsing one cell of a hospital sheet: a time, a mark, or unreadable."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, NamedTuple

TIME, NOT_DONE, SOME_MARK, BLANK, UNREAD = "time", "not done", "mark", "blank", "unread"
"""Contents of a cell: a time; ``X`` or ``N/A``; another mark; empty; unreadable."""

_NOT_DONE = {"x", "n/a", "na"}
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([ap])?\.?(?:m\.?)?", re.IGNORECASE)
_ERRORS = ("#VALUE!", "#REF!", "#N/A", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!")
_DAY_MIN = 1440


class SheetCell(NamedTuple):
    """A parsed cell of a time column.

    :param content: one of :data:`TIME`, :data:`NOT_DONE`, :data:`SOME_MARK`, :data:`BLANK`, :data:`UNREAD`
    :param minute: minutes after midnight, or a duration in minutes; None unless ``content`` is a time
    :param rule: name of the rule that was applied; empty for a well-formed cell
    """

    content: str
    minute: int | None = None
    rule: str = ""


def read_time(value: Any, *, spell: bool = False) -> SheetCell:
    """Parse a cell of a time column (clock time or duration).

    :param value: the cell's value as openpyxl returns it
    :param spell: True in a column of starts or ends of an interval, where two times in one cell cannot be resolved
    """
    if isinstance(value, (dt.time, dt.datetime)):
        return _of_seconds(value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6)
    if isinstance(value, dt.timedelta):
        return _of_seconds(value.total_seconds())
    if isinstance(value, float) and 0 <= value < 1:
        return _of_seconds(value * 86400)  # a time in a cell without a time format is a fraction of a day
    return _of_text("" if value is None else str(value).strip(), spell)


def _of_seconds(seconds: float) -> SheetCell:
    minute = round(seconds / 60)
    if not 0 <= minute < _DAY_MIN:
        return SheetCell(UNREAD, None, "not_a_time")
    return SheetCell(TIME, minute, "" if abs(seconds - 60 * minute) < 1 else "seconds")


def _of_text(text: str, spell: bool) -> SheetCell:
    mark = text.lower()
    if not text:
        return SheetCell(BLANK)
    if mark in _NOT_DONE:
        return SheetCell(NOT_DONE, None, "mark_not_done")
    if mark == "p":
        return SheetCell(SOME_MARK, None, "mark_p")
    if mark == "?":
        return SheetCell(UNREAD, None, "mark_unknown")
    if text.upper() in _ERRORS:
        return SheetCell(UNREAD, None, "formula_error")
    times = [_clock_minute(part.strip()) for part in text.split("/")]
    if None in times:
        return SheetCell(UNREAD, None, "not_a_time")
    if len(times) == 1:
        return SheetCell(TIME, times[0], "time_as_text")
    return SheetCell(UNREAD, None, "two_spells") if spell else SheetCell(TIME, times[0], "two_times")


def _clock_minute(text: str) -> int | None:
    """``8:45``, ``08:45:00``, ``1:30 pm`` -> minutes after midnight; None for anything else."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    hour, minute, half = int(match[1]), int(match[2]), (match[4] or "").lower()
    if minute > 59 or hour > (12 if half else 23) or (half and hour == 0):
        return None
    return (hour % 12 + (12 if half == "p" else 0) if half else hour) * 60 + minute


def read_yes_no(value: Any) -> bool | None:
    """Parse a yes-or-no cell; an empty cell counts as no, anything else that is neither yes nor no gives None.

    :param value: the cell's value as openpyxl returns it
    """
    text = "" if value is None else str(value).strip().lower()
    return {"yes": True, "y": True, "no": False, "n": False, "": False}.get(text)


def clock(minute: int) -> str:
    """495 -> ``08:15``.

    :param minute: minutes after midnight
    """
    return f"{minute // 60:02d}:{minute % 60:02d}"
