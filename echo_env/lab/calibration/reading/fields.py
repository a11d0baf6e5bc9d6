"""What columns hold, and the headers under which they are known: the paper's, the template's, and the fields' names."""

from __future__ import annotations

from typing import NamedTuple


class Meaning(NamedTuple):
    """What a column holds.

    :param words: in words, for messages and guesses
    :param holds: ``date``, ``text``, ``yes_no``, ``moment`` (a clock time), ``spell`` (a clock time at which an
        interval starts or ends), ``length`` (a duration), ``people`` or ``status``
    """

    words: str
    holds: str


FIELDS = {
    "day": Meaning("day", "date"),
    "session": Meaning("session", "text"),
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


def holds(column: str) -> str:
    """What a column holds, see :class:`Meaning`.

    :param column: a field, or a known header that is none
    """
    return FIELDS[column].holds if column in FIELDS else _PAPER[column]


def feeds(column: str) -> bool:
    """Whether the lab is fitted to a column: to all fields.

    :param column: a field, a known header that is none, or empty
    """
    return column in FIELDS
