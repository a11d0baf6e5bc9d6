"""Rooms, staff and breaks, extracted from a file's sheets of notes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from echo_env.lab.calibration.visits import Notes

_NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8}
_NUMBER = rf"(\d+|{'|'.join(_NUMBERS)})"
_PATTERNS = {
    "rooms.non_fetal": rf"\b{_NUMBER}\s+(?:regular|non-?\s?fetal)\s+(?:echo\s+)?rooms?\b",
    "rooms.fetal": rf"\b{_NUMBER}\s+fetal\s+(?:echo\s+)?rooms?\b",
    "staff": rf"\b{_NUMBER}\s+sonographers?\b",
    "staff.fetal": rf"\bonly\s+{_NUMBER}\s+(?:of\s+(?:them|these)\s+)?can\s+do\s+fetals?\b",
}
_BREAKS = re.compile(rf"\b{_NUMBER}\s+(\d+)[\s-]*min(?:ute)?s?\s+(?:lunch\s+)?(breaks?|lunch)\b", re.IGNORECASE)


class Noted(NamedTuple):
    """A number found in the notes.

    :param value: the number
    :param where: sheet and cell, such as ``General Info!A1``
    :param text: the words that contain it
    """

    value: int
    where: str
    text: str

    @property
    def quoted(self) -> str:
        """The words and their cell."""
        return f"'{self.text}' ({self.where})"


def resources_noted(notes: Notes) -> dict[str, Noted]:
    """Resources stated in the notes: ``rooms.fetal``, ``rooms.non_fetal``, ``staff`` (all), ``staff.fetal``,
    ``breaks.number``, ``breaks.minutes``, ``lunch.minutes``; those that are not stated are left out.

    Each is the number in the first phrase such as ``6 regular echo rooms``, ``1 fetal echo room``,
    ``6 sonographers``, ``only 4 can do fetals``, ``two 15 minute breaks``. A single break of at least 20 minutes
    beside other breaks, or one that is called lunch, is lunch.

    :param notes: sheets without visits
    """
    cells = {f"{sheet}!{cell}": text for sheet, texts in notes.items() for cell, text in texts}
    found: dict[str, Noted] = {}
    for where, text in cells.items():
        for name, pattern in _PATTERNS.items():
            match = re.search(pattern, text, re.IGNORECASE)
            if match and name not in found:
                found[name] = Noted(_value(match[1]), where, match[0])
    return found | _breaks_noted(cells)


def _breaks_noted(cells: Mapping[str, str]) -> dict[str, Noted]:
    each = [(where, match) for where, text in cells.items() for match in _BREAKS.finditer(text)]
    lunch = [one for one in each if _is_lunch(one[1], alone=len(each) == 1)]
    breaks = [one for one in each if one not in lunch]
    found: dict[str, Noted] = {}
    if lunch:
        where, match = lunch[0]
        found["lunch.minutes"] = Noted(int(match[2]), where, match[0])
    if breaks:
        where, match = max(breaks, key=lambda one: _value(one[1][1]))
        found["breaks.number"] = Noted(_value(match[1]), where, match[0])
        found["breaks.minutes"] = Noted(int(match[2]), where, match[0])
    return found


def _is_lunch(match: re.Match[str], alone: bool) -> bool:
    called = "lunch" in match[0].lower()
    return called or (_value(match[1]) == 1 and int(match[2]) >= 20 and not alone)


def _value(word: str) -> int:
    return _NUMBERS.get(word.lower()) or int(word)
