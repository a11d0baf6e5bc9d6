"""What people write into cells instead of times: marks and yes or no, in English, German, French and Spanish."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

YES = "yes y true t 1 ja j wahr oui o vrai sí si s verdadero"
NO = "no n false f 0 nein falsch non faux falso"
NO_SHOW = """no show|no-show|noshow|ns|dna|did not attend|didn't attend|failed to attend|fta|not arrived|
nicht erschienen|nicht gekommen|non venu|non venue|pas venu|pas venue|absent|absente|
no acudió|no se presentó|no asistió|ausente"""
CANCELLED = """cancelled|canceled|cancellation|cancel|canc|cxl|cx|rescheduled|rebooked|abgesagt|storniert|verschoben|
annulé|annulée|annule|reporté|reportée|cancelado|cancelada|anulado|anulada|aplazado|aplazada"""
WALK_IN = """walk-in|walk in|walkin|add-on|add on|addon|unscheduled|emergency|ungeplant|ohne termin|notfall|
sans rendez-vous|urgence|sin cita|urgencia"""
BLANK = frozenset(("", "-", "--", "\u2013", "\u2014", "nan", "nat", "none", "null"))
"""Texts of cells that hold nothing; exports write some of them."""


def _phrases(text: str) -> list[str]:
    return [phrase.strip() for phrase in text.split("|")]


def _pattern(phrases: Iterable[str]) -> re.Pattern[str]:
    """Any of the phrases as whole words."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, phrases))})(?!\w)")


@dataclass(frozen=True)
class Words:
    """The words of a file: the usual ones, and those that its owner has named.

    :param yes: more words for yes, in lower case
    :param no: more words for no
    :param no_show: more marks of patients who did not come
    :param cancelled: more marks of appointments that were cancelled
    """

    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    no_show: tuple[str, ...] = ()
    cancelled: tuple[str, ...] = ()
    _marks: dict[str, re.Pattern[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # The owner's own words come first: "DNA" may be a test, and "x" a patient who did not come.
        own = {"no_show": self.no_show, "cancelled": self.cancelled}
        usual = {"no_show": NO_SHOW, "cancelled": CANCELLED, "walk_in": WALK_IN}
        marks = {f"{name}, own": _pattern(words) for name, words in own.items() if words}
        object.__setattr__(self, "_marks", marks | {name: _pattern(_phrases(text)) for name, text in usual.items()})

    def mark(self, text: str) -> str:
        """``no_show``, ``cancelled`` or ``walk_in``; empty for any other text.

        :param text: the text of a cell in lower case
        """
        found = (name for name, pattern in self._marks.items() if pattern.search(text))
        return next(found, "").partition(",")[0]

    def yes_or_no(self, value: object) -> bool | None:
        """Read a cell of a yes-or-no column; an empty cell counts as no, and anything else gives None.

        :param value: the value of the cell
        """
        text = "" if value is None else str(value).strip().lower().removesuffix(".0")
        if text in self.yes or text in self.no:
            return text in self.yes
        return True if text in YES.split() else False if text in NO.split() or text in BLANK else None


USUAL = Words()
"""The words of a file whose owner has named none."""
