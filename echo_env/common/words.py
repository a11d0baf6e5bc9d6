"""Words that messages and reports share."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def in_words(number: int) -> str:
    """``2`` -> ``"two"``; large numbers in digits.

    :param number: not negative
    """
    return _NUMBERS[number] if number < len(_NUMBERS) else str(number)


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """The known name that is most like a mistyped one, in a list; empty if none is alike.

    :param name: as it was typed
    :param known: the names that exist
    """
    return difflib.get_close_matches(name, list(known), n=1)


def did_you_mean(name: str, known: Iterable[str], prefix: str = "") -> str:
    """``" (did you mean rooms?)"``, to follow a name that is unknown; empty if no known name is alike.

    >>> did_you_mean("roms", ["hours", "rooms"])
    ' (did you mean rooms?)'

    :param name: as it was typed
    :param known: the names that exist
    :param prefix: put before the known name, such as the section it belongs to
    """
    near = nearest(name, known)
    return f" (did you mean {prefix}{near[0]}?)" if near else ""
