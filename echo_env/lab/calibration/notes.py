"""Rooms, sonographers and breaks, extracted from a spreadsheet's sheets of notes."""

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
    "sonographers": rf"\b{_NUMBER}\s+sonographers?\b",
    "sonographers.fetal": rf"\bonly\s+{_NUMBER}\s+(?:of\s+(?:them|these)\s+)?can\s+do\s+fetals?\b",
}
_BREAKS = re.compile(rf"\b{_NUMBER}\s+(\d+)[\s-]*min(?:ute)?s?\s+breaks?\b", re.IGNORECASE)


class Noted(NamedTuple):
    """A number found in the notes.

    :param value: the number
    :param where: sheet and cell, such as ``General Info!A1``
    :param text: the words that contain it
    """

    value: int
    where: str
    text: str


def resources_noted(notes: Notes) -> dict[str, Noted]:
    """Resources stated in the notes: ``rooms.fetal``, ``rooms.non_fetal``, ``sonographers`` (all),
    ``sonographers.fetal``, ``breaks.number``, ``breaks.minutes``; those that are not stated are left out.

    Each is the number in the first phrase such as ``6 regular echo rooms``, ``1 fetal echo room``,
    ``6 sonographers``, ``only 4 can do fetals``, ``two 15 minute breaks``. Where several kinds of break are stated,
    the most frequent one counts, so that a single lunch break is not taken for the lab's breaks.

    :param notes: the sheets without visits
    """
    cells = {f"{sheet}!{cell}": text for sheet, each in notes.items() for cell, text in each}
    found: dict[str, Noted] = {}
    for where, text in cells.items():
        for name, pattern in _PATTERNS.items():
            match = re.search(pattern, text, re.IGNORECASE)
            if match and name not in found:
                found[name] = Noted(_value(match[1]), where, match[0])
    return found | _breaks_noted(cells)


def _breaks_noted(cells: Mapping[str, str]) -> dict[str, Noted]:
    each = [(where, match) for where, text in cells.items() for match in _BREAKS.finditer(text)]
    if not each:
        return {}
    where, match = max(each, key=lambda one: _value(one[1][1]))
    minutes = Noted(int(match[2]), where, match[0])
    return {"breaks.number": Noted(_value(match[1]), where, match[0]), "breaks.minutes": minutes}


def _value(word: str) -> int:
    return _NUMBERS.get(word.lower()) or int(word)
