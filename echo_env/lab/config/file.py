"""Lab configs as YAML: what is special about them is that hours and appointments are clock times."""

from __future__ import annotations

from typing import Any

from echo_env.common import config_file
from echo_env.common.config_file import ConfigError
from echo_env.common.config_model import Loc, check_number
from echo_env.common.words import did_you_mean
from echo_env.lab.config.clock import read_clock

PACKAGE = "echo_env.lab"

HOURS = ("opening", "closing", "end")
"""Clock times of ``hours`` in a file."""


def preset_names() -> list[str]:
    """Names of the labs that ship with the package."""
    return config_file.preset_names(PACKAGE)


def clock_times_to_minutes(data: dict[str, Any]) -> None:
    """Turn the clock times of ``hours`` and ``appointments`` into minutes, in place.

    ``opening`` becomes minutes after midnight; ``closing``, ``end`` and appointments become minutes since opening.

    :param data: the fields of a file
    :raises ConfigError: something else than a clock time, or an appointment before opening
    """
    hours = data.get("hours")
    if not isinstance(hours, dict):
        return
    known = [*HOURS, *(f"{name}_min" for name in HOURS)]
    for name in hours:
        if name not in known:
            hint = did_you_mean(name, known, "hours.")
            raise ConfigError(f"hours.{name} is no known field{hint}; allowed here: {', '.join(HOURS)}")
    twice = next((name for name in HOURS if name in hours and f"{name}_min" in hours), None)
    if twice is not None:
        raise ConfigError(
            f"hours.{twice}_min is {hours[f'{twice}_min']!r}, but the file or its base gives hours.{twice} as well, "
            f"{hours[twice]!r}: give hours.{twice} alone, a clock time",
        )
    opening = _minutes(("hours", "opening"), hours.pop("opening")) if "opening" in hours else hours.get("opening_min")
    if opening is None:
        raise ConfigError("hours.opening is missing; give it as a clock time such as '08:00'")
    hours["opening_min"] = opening
    check_number("hours.opening_min", opening, 0, 1439, whole=True)
    for name in ("closing", "end"):
        if name in hours:
            hours[f"{name}_min"] = _minutes(("hours", name), hours.pop(name)) - opening
    appointments = data.get("appointments")
    if not isinstance(appointments, dict):
        return
    for kind in ("fetal", "non_fetal"):
        times = appointments.get(kind)
        if isinstance(times, list):
            appointments[kind] = [
                _since_opening(("appointments", kind, number), time, opening) for number, time in enumerate(times)
            ]


def _since_opening(loc: Loc, time: Any, opening: int) -> int:
    minute = _minutes(loc, time) - opening
    if minute < 0:
        raise ConfigError(f"{loc[0]}.{loc[1]} has {time!r}, which is before the lab opens", loc)
    return minute


def _minutes(loc: Loc, value: Any) -> int:
    """A clock time as minutes after midnight."""
    try:
        return read_clock(value)
    except (TypeError, ValueError):
        message = f"{loc[0]}.{loc[1]} is {value!r}, but must be a clock time such as '08:15'"
        raise ConfigError(message, loc) from None
