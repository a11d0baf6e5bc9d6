"""Clock times as minutes after midnight."""

from __future__ import annotations

import re

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def read_clock(text: str) -> int:
    """``"08:15"`` -> 495.

    :param text: hours (0 to 23), a colon, and two digits of minutes
    :raises ValueError: it is of another form
    """
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return int(match[1]) * 60 + int(match[2])


def clock_text(minute: int) -> str:
    """``495`` -> ``"08:15"``.

    :param minute: after midnight
    """
    hour, rest = divmod(int(minute), 60)
    return f"{hour:02d}:{rest:02d}"
