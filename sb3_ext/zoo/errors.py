"""Errors for users: one sentence that says what is wrong and what is allowed."""

from collections.abc import Iterable
from difflib import get_close_matches


class UsageError(ValueError):
    """The user's command or setting is invalid; the message is one sentence for them."""


def unknown(what: str, given: str, allowed: Iterable[str]) -> str:
    """
    The sentence for a name that is not known.

    :param what: What the name should have been one of, for instance "algorithm"
    :param given: The name as given
    :param allowed: The names that are known
    :return: a sentence with the nearest match, if there is one, and all names that are allowed
    """
    names = sorted(allowed)
    near = get_close_matches(given, names, n=1)
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    return f"Unknown {what} '{given}'{hint}: choose from {', '.join(names)}."


def first_line(error: BaseException) -> str:
    """
    What an exception says, cut to one line.

    :param error: The exception
    :return: its first line, or its type where it says nothing
    """
    lines = str(error).strip().splitlines()
    return lines[0].strip() if lines else type(error).__name__
