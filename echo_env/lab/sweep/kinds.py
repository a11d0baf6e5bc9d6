"""Properties of a lab that can be swept, and how their values are written."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import yaml

from echo_env.lab.config import ConfigError
from echo_env.lab.config.clock import clock_text, read_clock

_EMPTY = "null"
"""A place of a list of times that is left empty."""


class Kind(StrEnum):
    """Type of a field's values; the text states what is allowed."""

    WHOLE = "a whole number"
    NUMBER = "a number"
    YES_NO = "true or false"
    TEXT = "a word"
    CLOCK = "a clock time such as 17:30"
    TIMES = "a list of clock times such as [08:15,09:15], null for a place left empty"
    FILE = "a lab whose appointments are used (a preset or a YAML file), or own"


@dataclass(frozen=True)
class Field:
    """A property of a lab that can be swept.

    :param path: dotted path, such as ``rooms.non_fetal``
    :param kind: type of its values
    :param own: lab -> its value of the field
    :param meaning: of a field whose path does not say it, one line
    :param derived: whether it changes several fields of the lab, or one in steps of its own
    """

    path: str
    kind: Kind
    own: Callable[[Any], Any]
    meaning: str = ""
    derived: bool = False

    @property
    def is_numeric(self) -> bool:
        """Whether its values are numbers on a ratio scale."""
        return self.kind in (Kind.WHOLE, Kind.NUMBER)

    def read(self, text: str) -> Any:
        """Parse a value.

        :raises ConfigError: not of this field's kind
        """
        try:
            return _READERS[self.kind](text.strip())
        except (ValueError, TypeError):
            raise ConfigError(f"{self.path} has {text.strip()!r}, but must be {self.kind}") from None

    def write(self, value: Any) -> str:
        """A value as text that :meth:`read` parses, except for the brackets of a list."""
        if self.kind is Kind.CLOCK:
            return clock_text(value)
        if self.kind is Kind.TIMES:
            return " ".join(_EMPTY if time is None else clock_text(time) for time in value)
        if self.kind is Kind.YES_NO:
            return str(value).lower()
        return f"{value:.12g}" if isinstance(value, float) else str(value)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _yes_no(text: str) -> bool:
    value = yaml.safe_load(text)
    if not isinstance(value, bool):
        raise ValueError(text)
    return value


def _word(text: str) -> str:
    if not text:
        raise ValueError(text)
    return text


def _minutes(text: str) -> int:
    return read_clock(text.strip(" '\""))


def _times(text: str) -> tuple[int | None, ...]:
    if not (text.startswith("[") and text.endswith("]")):
        raise ValueError(text)
    return tuple(None if time == _EMPTY else _minutes(time) for time in text[1:-1].replace(",", " ").split())


_READERS: dict[Kind, Callable[[str], Any]] = {
    Kind.WHOLE: int,
    Kind.NUMBER: _number,
    Kind.YES_NO: _yes_no,
    Kind.TEXT: _word,
    Kind.CLOCK: _minutes,
    Kind.TIMES: _times,
    Kind.FILE: _word,
}
