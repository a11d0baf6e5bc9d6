"""What a single cell of a whiteboard says: a time, a mark, or nothing that can be read."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, NamedTuple

TIME, NOT_DONE, SOME_MARK, BLANK, UNREAD = "time", "not done", "mark", "blank", "unread"
"""What a cell is: a time; ``X`` or ``N/A``; another mark; empty; none of these."""

_NOT_DONE = {"x", "n/a", "na"}
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([ap])?\.?(?:m\.?)?", re.IGNORECASE)
_ERRORS = ("#VALUE!", "#REF!", "#N/A", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!")
_DAY_MIN = 1440


class Cell(NamedTuple):
    """A cell that should tell a time.

    :param is_a: what it is, such as :data:`TIME`
    :param minute: after midnight, or of a length; None unless it is a time
    :param rule: by which rule it was read; empty if it stands there as it should
    """

    is_a: str
    minute: int | None = None
    rule: str = ""


def read_time(value: Any, *, spell: bool = False) -> Cell:
    """A cell that should tell a clock time or a length of time.

    :param value: as openpyxl gives it
    :param spell: whether it tells the begin or the end of something, not a moment
    """
    if isinstance(value, (dt.time, dt.datetime)):
        return _of_seconds(value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6)
    if isinstance(value, dt.timedelta):
        return _of_seconds(value.total_seconds())
    if isinstance(value, float) and 0 <= value < 1:
        return _of_seconds(value * 86400)  # a time without a time's format is a fraction of the day
    return _of_text("" if value is None else str(value).strip(), spell)


def _of_seconds(seconds: float) -> Cell:
    minute = round(seconds / 60)
    if not 0 <= minute < _DAY_MIN:
        return Cell(UNREAD, None, "not_a_time")
    return Cell(TIME, minute, "" if abs(seconds - 60 * minute) < 1 else "seconds")


def _of_text(text: str, spell: bool) -> Cell:
    mark = text.lower()
    if not text:
        return Cell(BLANK)
    if mark in _NOT_DONE:
        return Cell(NOT_DONE, None, "mark_not_done")
    if mark == "p":
        return Cell(SOME_MARK, None, "mark_p")
    if mark == "?":
        return Cell(UNREAD, None, "mark_unknown")
    if text.upper() in _ERRORS:
        return Cell(UNREAD, None, "formula_error")
    times = [_clock_minute(part.strip()) for part in text.split("/")]
    if None in times:
        return Cell(UNREAD, None, "not_a_time")
    if len(times) == 1:
        return Cell(TIME, times[0], "time_as_text")
    return Cell(UNREAD, None, "two_spells") if spell else Cell(TIME, times[0], "two_times")


def _clock_minute(text: str) -> int | None:
    """``8:45``, ``08:45:00``, ``1:30 pm`` -> minutes after midnight; None if it is no clock time."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    hour, minute, half = int(match[1]), int(match[2]), (match[4] or "").lower()
    if minute > 59 or hour > (12 if half else 23) or (half and hour == 0):
        return None
    return (hour % 12 + (12 if half == "p" else 0) if half else hour) * 60 + minute


def read_yes_no(value: Any) -> bool | None:
    """Yes or no; an empty cell is a no, None is neither.

    :param value: as openpyxl gives it
    """
    text = "" if value is None else str(value).strip().lower()
    return {"yes": True, "y": True, "no": False, "n": False, "": False}.get(text)


def clock(minute: int) -> str:
    """495 -> ``08:15``.

    :param minute: after midnight
    """
    return f"{minute // 60:02d}:{minute % 60:02d}"
