"""What values a setting may have: type and range, with the words for an error message."""

import math
from dataclasses import dataclass
from typing import Any

from sb3_ext.zoo.errors import UsageError


@dataclass(frozen=True)
class Number:
    """
    A number in a range.

    :param low: Lowest value
    :param high: Highest value
    :param whole: Whether it must be an int
    :param above: Whether ``low`` itself is excluded
    :param also: Values that are valid besides
    :param hint: How else it can be given, for the message
    """

    low: float = -math.inf
    high: float = math.inf
    whole: bool = False
    above: bool = False
    also: tuple[Any, ...] = ()
    hint: str = ""

    def accepts(self, value: Any) -> bool:
        """Whether a value is valid."""
        if any(type(value) is type(other) and value == other for other in self.also):
            return True
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            return False
        # Infinities are no settings either; an int may be too large for a float.
        if isinstance(value, float) and not math.isfinite(value):
            return False
        return bool(self.low < value <= self.high if self.above else self.low <= value <= self.high)

    def allowed(self) -> str:
        """What is valid, for instance "a whole number of at least 1"."""
        words = "a whole number" if self.whole else "a number"
        if math.isfinite(self.high) and math.isfinite(self.low):
            high = f"{self.high:,}" if self.whole else f"{self.high:g}"
            words += f" in {'(' if self.above else '['}{self.low:g}, {high}]"
        elif math.isfinite(self.low):
            words += f" above {self.low:g}" if self.above else f" of at least {self.low:g}"
        return " or ".join([words, *map(_shown, self.also), *([self.hint] if self.hint else [])])


@dataclass(frozen=True)
class Switch:
    """True or false."""

    def accepts(self, value: Any) -> bool:
        """Whether a value is valid."""
        return isinstance(value, bool)

    def allowed(self) -> str:
        """What is valid."""
        return "True or False"


def check_value(name: str, kind: Number | Switch, value: Any) -> None:
    """
    Check a setting.

    :param name: Its name, for the message
    :param kind: What is valid
    :param value: As given
    :raises UsageError: it is not valid
    """
    if not kind.accepts(value):
        raise UsageError(f"{name} must be {kind.allowed()}, not {_shown(value)}.")


def _shown(value: Any) -> str:
    if isinstance(value, str):
        # YAML reads 1e-4 as text: a float needs a dot, 1.0e-4.
        return f"the text '{value}'"
    return repr(value)
