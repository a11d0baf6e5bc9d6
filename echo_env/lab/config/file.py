"""Lab configs as YAML: clock times become minutes; all else is :mod:`echo_env.common.config_file`'s."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from echo_env.common import config_file
from echo_env.common.config_file import ConfigError

PACKAGE = "echo_env.lab"

_CLOCK = re.compile(r"^([01]?\d|2[0-3]):([0-5]\d)$")


def preset_names() -> list[str]:
    """Names of the labs that ship with the package."""
    return config_file.preset_names(PACKAGE)


def read_config(source: str | Path) -> dict[str, Any]:
    """Read a preset or a YAML file into nested dicts, ``base`` resolved and clock times as minutes.

    :param source: preset name or path
    :raises ConfigError: no such preset or file, or the file is not YAML of the expected form
    """
    raw = config_file.read_layers(PACKAGE, source)
    _clock_times_to_minutes(raw)
    return raw


def _clock_times_to_minutes(data: dict[str, Any]) -> None:
    """Turn the clock times of ``hours`` and ``appointments`` into minutes, in place.

    ``opening``, ``closing`` and ``end`` become minutes after midnight and since opening; appointments
    become minutes since opening.
    """
    hours = data.get("hours")
    if not isinstance(hours, dict):
        return
    opening = _clock("hours.opening", hours.pop("opening")) if "opening" in hours else hours.get("opening_min")
    if opening is None:
        raise ConfigError("hours.opening is missing; give it as a clock time such as '08:00'")
    hours["opening_min"] = opening
    for name in ("closing", "end"):
        if name in hours:
            hours[f"{name}_min"] = _clock(f"hours.{name}", hours.pop(name)) - opening
    appointments = data.get("appointments")
    if not isinstance(appointments, dict):
        return
    for kind in ("fetal", "non_fetal"):
        times = appointments.get(kind)
        if isinstance(times, list):
            path = f"appointments.{kind}"
            appointments[kind] = tuple(_since_opening(path, time, opening) for time in times)


def _since_opening(path: str, time: Any, opening: int) -> int:
    minute = _clock(path, time) - opening
    if minute < 0:
        raise ConfigError(f"{path} has {time!r}, which is before the lab opens")
    return minute


def _clock(path: str, value: Any) -> int:
    """``"08:15"`` -> 495. YAML itself reads an unquoted 10:30 as 630, which is the same minute."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1440:
        return value
    match = _CLOCK.match(value) if isinstance(value, str) else None
    if match is None:
        raise ConfigError(f"{path} is {value!r}, but must be a clock time such as '08:15'")
    return int(match[1]) * 60 + int(match[2])
