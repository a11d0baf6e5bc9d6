"""Times: clock times in a file, minutes after midnight or since opening inside."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import (
    Field,
    PlainSerializer,
    PlainValidator,
    SerializationInfo,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from echo_env.common.config_model import ConfigError, section

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


CLOCK_TIME = {"type": "string", "pattern": "^([01]?[0-9]|2[0-3]):[0-5][0-9]$"}
"""JSON schema of a clock time in a file."""


def _since_opening(value: Any, info: ValidationInfo) -> int:
    """Minutes since opening: of a clock time while a file is read, and as they are otherwise."""
    opening = (info.context or {}).get("opening")
    if opening is None:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1440:
            raise ConfigError(f"is {value!r}, but must be a whole number from 0 to 1440, minutes since opening", ())
        return value
    try:
        minute = read_clock(value) - opening
    except (TypeError, ValueError):
        raise ConfigError(f"is {value!r}, but must be a clock time such as '08:15'", ()) from None
    if minute < 0:
        raise ConfigError(f"is {value!r}, which is before the lab opens at {clock_text(opening)}", ())
    return minute


def _as_clock(minute: int, info: SerializationInfo) -> Any:
    """The clock time, where opening is known."""
    opening = (info.context or {}).get("opening")
    return minute if opening is None else clock_text(opening + minute)


ClockMinute = Annotated[
    int,
    PlainValidator(_since_opening),
    PlainSerializer(_as_clock),
    WithJsonSchema({**CLOCK_TIME, "x-allowed": "a clock time such as '08:15'"}),
]
"""Minutes since opening, a clock time in a file."""


def check_length(begin: int, end: int, info: ValidationInfo) -> None:
    """Refuse a stretch of no length.

    :param begin: minutes since opening
    :param end: minutes since opening
    :param info: of the validator
    :raises ConfigError: for the section that has both
    """
    if end <= begin:
        opening = (info.context or {}).get("opening")
        said = [str(minute) if opening is None else clock_text(opening + minute) for minute in (begin, end)]
        raise ConfigError(f"is {said[0]} to {said[1]}, but must end after it begins", ())


@section("stretch")
class Stretch:
    """A stretch of the day.

    :param from_min: its first minute, since opening; opening if it is left out
    :param until_min: the minute after its last one, since opening; the end of the day if it is left out
    """

    from_min: Annotated[ClockMinute, Field(alias="from")] = 0
    until_min: Annotated[ClockMinute | None, Field(alias="until")] = None

    @model_validator(mode="after")
    def _check_order(self, info: ValidationInfo) -> Stretch:
        if self.until_min is not None:
            check_length(self.from_min, self.until_min, info)
        return self

    def ends(self, end_min: int) -> int:
        """The minute after the last one.

        :param end_min: end of the day, for a stretch that has no end of its own
        """
        return end_min if self.until_min is None else self.until_min
