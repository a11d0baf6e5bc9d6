"""Lab configs as YAML: presets, inheritance, and errors that name the field."""

from __future__ import annotations

import dataclasses
import difflib
import re
import typing
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import yaml

T = TypeVar("T")

OPTIONAL = MappingProxyType({"optional": True})
"""Metadata of a field that a file may leave out, because without it nothing is assumed that the file does not say."""

_CLOCK = re.compile(r"^([01]?\d|2[0-3]):([0-5]\d)$")


class ConfigError(ValueError):
    """A config that cannot be used; the message is one sentence for the person who wrote it."""


def preset_names() -> list[str]:
    """Names of the labs that ship with the package."""
    folder = resources.files("echo_env.lab") / "presets"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def read_config(source: str | Path) -> dict[str, Any]:
    """Read a preset or a YAML file into nested dicts, ``base`` resolved and clock times as minutes.

    :param source: preset name or path
    :raises ConfigError: no such preset or file, or the file is not YAML of the expected form
    """
    raw = _resolve_base(_parse(source), seen=(str(source),))
    _clock_times_to_minutes(raw)
    return raw


def build(cls: type[T], data: dict[str, Any], path: str = "") -> T:
    """Make a config dataclass from nested dicts, checking names and types on the way.

    A field of a file must be there: silence is not taken for the default (use ``base`` for that), but for fields
    that are :data:`OPTIONAL`.

    :param cls: the dataclass
    :param data: its fields
    :param path: where in the file we are, for messages
    :raises ConfigError: unknown, missing or ill-typed field
    """
    hints = typing.get_type_hints(cls)
    fields = dataclasses.fields(cls)  # type: ignore[arg-type]
    names = [f.name for f in fields]
    for name in data:
        if name not in names:
            near = difflib.get_close_matches(str(name), names, n=1)
            hint = f" (did you mean {path}{near[0]}?)" if near else ""
            raise ConfigError(f"{path}{name} is no known field{hint}; allowed here: {', '.join(names)}")
    missing = [f.name for f in fields if f.name not in data and not f.metadata.get("optional")]
    if missing:
        raise ConfigError(
            f"{path}{missing[0]} is missing; give it, or begin the file with 'base: baseline' to inherit it"
        )
    values = {}
    for name, value in data.items():
        section = next((kind for kind in _kinds(hints[name]) if dataclasses.is_dataclass(kind)), None)
        if section is not None and not (value is None and type(None) in _kinds(hints[name])):
            if not isinstance(value, dict):
                raise ConfigError(f"{path}{name} is {value!r}, but must be a section with fields of its own")
            value = build(section, value, f"{path}{name}.")
        values[name] = value
    return cls(**values)


def _kinds(hint: Any) -> tuple[type, ...]:
    """``X | None`` -> (X, NoneType); a type alone -> (it,)."""
    return tuple(kind for kind in typing.get_args(hint) or (hint,) if isinstance(kind, type))


def _parse(source: str | Path) -> dict[str, Any]:
    """The YAML text of a preset or file as a dict."""
    name = str(source)
    if name in preset_names():
        text = (resources.files("echo_env.lab") / "presets" / f"{name}.yaml").read_text(encoding="utf8")
    elif Path(name).is_file():
        try:
            text = Path(name).read_text(encoding="utf8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"config file {name!r} cannot be read as text: {error}") from None
    else:
        near = difflib.get_close_matches(name, preset_names(), n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise ConfigError(f"config {name!r} is neither a file nor a preset{hint}; presets: {', '.join(preset_names())}")
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"config {name!r} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"config {name!r} must be a YAML mapping of sections, not {type(data).__name__}")
    return data


def _resolve_base(data: dict[str, Any], seen: tuple[str, ...]) -> dict[str, Any]:
    """Lay the file's own fields over those of its ``base``."""
    base = data.pop("base", None)
    if base is None:
        return data
    if str(base) in seen:
        raise ConfigError(f"base is {base!r}, but that inherits from this config itself")
    merged = _resolve_base(_parse(base), (*seen, str(base)))
    for name, value in data.items():
        if isinstance(value, dict) and isinstance(merged.get(name), dict):
            merged[name] = {**merged[name], **value}
        else:
            merged[name] = value
    return merged


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
