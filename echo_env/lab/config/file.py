"""Lab configs as YAML: what is special about them is that hours and appointments are clock times."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from echo_env.common import config_file
from echo_env.common.config_file import ConfigError, Layers
from echo_env.common.config_model import Loc, check_number
from echo_env.common.words import did_you_mean
from echo_env.lab.config.clock import read_clock

PACKAGE = "echo_env.lab"

HOURS = ("opening", "closing", "end")
"""Clock times of ``hours`` in a file."""

GENERAL_FIELDS = ("exam_types", "room_groups", "staff_groups")
"""Fields that only labs with exam types and groups have."""

_IN_GROUPS = {
    "appointments": "exam_types",
    "rooms": "room_groups",
    "sonographers": "staff_groups",
    "breaks": "breaks of each of the staff_groups",
}
"""Fields that only labs of the paper's form have -> what says the same in the other form."""


def preset_names() -> list[str]:
    """Names of the labs that ship with the package."""
    return config_file.preset_names(PACKAGE)


class LabFile(NamedTuple):
    """A lab file, laid over its base, of the day that was asked for.

    :param layers: its fields, and where each of them stands
    :param general: whether it has exam types and groups, or the paper's form
    """

    layers: Layers
    general: bool


def read_lab_file(source: str | Path) -> LabFile:
    """Read a lab file of either form.

    :param source: name of a preset or path of a YAML file; with ``#`` and the name of a day for a file with days
    :raises ConfigError: no such file or day, no YAML of the expected form, or fields of both forms
    """
    name, day = source_and_day(str(source))
    layers = config_file.read_layers(PACKAGE, name)
    layers = _of_day(layers, name, day)
    return LabFile(layers, _is_general(layers, name))


def source_and_day(source: str) -> tuple[str, str | None]:
    """A file or preset, and the day after ``#``; a file that has a ``#`` in its name is taken as it is.

    :param source: preset, file, or either with ``#`` and a day
    """
    if "#" not in source or Path(source).is_file():
        return source, None
    name, _, day = source.rpartition("#")
    return name, day


def _of_day(layers: Layers, name: str, day: str | None) -> Layers:
    """The fields of a day laid over those of the whole file."""
    data, lines = dict(layers.data), layers.lines
    days = data.pop("days", None)
    if days is None:
        if day is not None:
            raise ConfigError(f"config '{name}#{day}' asks for a day, but {name!r} has no days", ())
        return Layers(data, lines)
    with config_file.located(lines):
        fields = _fields_of_days(days)
    listed = ", ".join(fields)
    if day is None:
        which = f"{name}#{next(iter(fields))}"
        raise ConfigError(f"config {name!r} has days, so that one must be named, as in {which!r}; days: {listed}", ())
    if day not in fields:
        raise ConfigError(f"config {name!r} has no day {day!r}{did_you_mean(day, fields)}; days: {listed}", ())
    own = {loc[2:]: line for loc, line in lines.items() if loc[:2] == ("days", day) and loc[2:]}
    if isinstance(data.get("name"), str):
        data["name"] = f"{data['name']}_{day}"
    return Layers(config_file.laid_over(data, fields[day]), {**lines, **own})


def _fields_of_days(days: Any) -> dict[str, dict[str, Any]]:
    """The fields that each day has of its own; a day that has none may be left empty."""
    if not isinstance(days, dict) or not days or not all(isinstance(own, dict | None) for own in days.values()):
        raise ConfigError(f"days is {days!r}, but must be a section with a section for each day")
    fields = {day: own or {} for day, own in days.items()}
    if any("days" in own or "base" in own for own in fields.values()):
        raise ConfigError("days has a day with a base or days of its own, but a day has the fields of a lab")
    return fields


def _is_general(layers: Layers, name: str) -> bool:
    """Whether a lab has exam types and groups; refuses one that has fields of both forms."""
    data, lines = layers
    short = [field for field in _IN_GROUPS if field in data]
    general = [field for field in GENERAL_FIELDS if field in data]
    if not (short and general):
        return bool(general)
    label = f" of preset {name}" if name in preset_names() else f" of {name}"
    inherited = {field for field in (*short, *general) if not lines.get((field,), "").endswith(label)}
    is_general = bool(inherited & set(general)) or (not inherited and "exam_types" in general)
    wrong = short if is_general else general
    field = next((field for field in wrong if field not in inherited), wrong[0])
    with config_file.located(lines):
        if is_general:
            raise ConfigError(
                f"{field} is a field of labs with fetal and non-fetal exams, but this lab has exam_types: use "
                f"{_IN_GROUPS[field]}"
            )
        raise ConfigError(
            f"{field} is a field of labs with exam_types, but this lab has {short[0]}, as labs with fetal and "
            f"non-fetal exams have: give exam_types, room_groups and staff_groups, and no base of the other form"
        )


def without_nulls(data: Any) -> Any:
    """Nested dicts without the fields that are null, which takes out what a base has; lists keep theirs.

    :param data: the fields of a file
    """
    if not isinstance(data, dict):
        return [without_nulls(entry) for entry in data] if isinstance(data, list) else data
    return {name: without_nulls(value) for name, value in data.items() if value is not None}


def clock_times_to_minutes(data: dict[str, Any]) -> None:
    """Turn the clock times of ``hours`` and ``appointments`` into minutes, in place.

    ``opening`` becomes minutes after midnight; ``closing``, ``end`` and appointments become minutes since opening.

    :param data: the fields of a file
    :raises ConfigError: something else than a clock time, or an appointment before opening
    """
    opening = hours_to_minutes(data)
    appointments = data.get("appointments")
    if opening is None or not isinstance(appointments, dict):
        return
    for kind in ("fetal", "non_fetal"):
        times = appointments.get(kind)
        if isinstance(times, list):
            appointments[kind] = [
                None if time is None else _since_opening(("appointments", kind, number), time, opening)
                for number, time in enumerate(times)
            ]


def hours_to_minutes(data: dict[str, Any]) -> int | None:
    """Turn the clock times of ``hours`` into minutes, in place.

    :param data: the fields of a file
    :return: opening, minutes after midnight; None if there is no section ``hours``
    :raises ConfigError: something else than a clock time
    """
    hours = data.get("hours")
    if not isinstance(hours, dict):
        return None
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
        elif f"{name}_min" not in hours:
            raise ConfigError(f"hours.{name} is missing; give it as a clock time such as '17:00'", ("hours",))
    return int(opening)


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
