"""Fields of labs with exam types, room groups and staff groups: paths as in a file, and a few derived ones."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from echo_env.common.config_table import Table
from echo_env.lab.config import ConfigError, GeneralLabConfig
from echo_env.lab.config.clock import Stretch, clock_text
from echo_env.lab.config.plan import TypePlan
from echo_env.lab.sweep import book
from echo_env.lab.sweep.kinds import Field, Kind

_HOURS = {"hours.opening": "opening_min", "hours.closing": "closing_min", "hours.end": "end_min"}
_WRITTEN = {"from_min": "from", "until_min": "until"}
"""Fields that have another name in a file."""
_LISTS = ("appointments", "planned")
_TABLES = ("unscheduled", "rebook_when_absent")
"""Tables whose entries are no sections."""
_KINDS: dict[Any, Kind] = {int: Kind.WHOLE, float: Kind.NUMBER, bool: Kind.YES_NO}

_MEANINGS = {
    "room_groups.{}.count": "number of rooms",
    "room_groups.{}.turnover_min": "minutes for which a room is cleaned after an exam",
    "staff_groups.{}.count": "number of regular members",
    "staff_groups.{}.shift.from": "when the shift begins",
    "staff_groups.{}.shift.until": "when the shift ends",
    "staff_groups.{}.on_call.count": "number of members on call",
    "exam_types.{}.weight": "factor of the waiting points of the type: more than 1 makes its patients urgent",
    "exam_types.{}.per_day": "number of appointments of the type, spread evenly over those of the lab",
    "exam_types.{}.unscheduled_scale": "multiple of the expected patients of the type without an appointment",
}


def general_fields(config: GeneralLabConfig) -> dict[str, Field]:
    """The fields of a lab that can be swept, by their path.

    :param config: the lab
    """
    found = {path: Field(path, Kind.CLOCK, _reader(path)) for path in _HOURS}
    meaning = "opening time; shifts and closures from opening on still are, all else keeps its clock times"
    found["hours.opening"] = Field("hours.opening", Kind.CLOCK, _reader("hours.opening"), meaning)
    for path, kind in _walk(config, ""):
        found[path] = Field(path, kind, _reader(path), _meaning(path))
    for name, own in config.exam_types.items():
        path = f"exam_types.{name}"
        if any(time is not None for time in own.appointments):
            found[f"{path}.per_day"] = _derived(f"{path}.per_day", Kind.WHOLE)
        if own.unscheduled:
            found[f"{path}.unscheduled_scale"] = _derived(f"{path}.unscheduled_scale", Kind.NUMBER)
    return found


def left_out(path: str, config: GeneralLabConfig) -> str:
    """The first section on the way to a field that the lab does not have, though labs may have it; empty if none.

    :param path: as typed
    :param config: the lab
    """
    part: Any = config
    names = path.split(".")
    for place, name in enumerate(names[:-1]):
        part = part.get(name, _UNKNOWN) if isinstance(part, Table) else getattr(part, name, _UNKNOWN)
        if part is None and place:
            return ".".join(names[: place + 1])
        if part is None or part is _UNKNOWN:
            return ""
    return ""


_UNKNOWN = object()


def changed_general(config: GeneralLabConfig, values: Mapping[str, Any]) -> GeneralLabConfig:
    """A lab with other values, all set at once; a field's own value leaves it as it is, inherited where it was.

    :param config: the lab
    :param values: path -> value, as :meth:`Field.read` returns them
    :raises ConfigError: the result is not a valid lab
    """
    fields = general_fields(config)
    new = {path: value for path, value in values.items() if fields[path].own(config) != value}
    if not new:
        return config
    opening = new.get("hours.opening", config.hours.opening_min)
    ends = {name: new.get(f"hours.{name}", config.hours.opening_min + getattr(config.hours, f"{name}_min")) - opening
            for name in ("closing", "end")}  # fmt: skip
    by = opening - config.hours.opening_min
    changes: dict[str, Any] = {}
    if by:
        for name in ("exam_types", "room_groups", "staff_groups"):
            changes[name] = _earlier(getattr(config, name), by, name)
    if any(path in _HOURS for path in new):
        changes |= {"hours__opening_min": opening}
        changes |= {f"hours__{name}_min": minute for name, minute in ends.items()}
    for path, value in new.items():
        if path not in _HOURS:
            changes |= _change(config, path, value, opening, fields[path].kind)
    return config.replace(**changes)


def _change(config: GeneralLabConfig, path: str, value: Any, opening: int, kind: Kind) -> dict[str, Any]:
    """A value as :meth:`GeneralLabConfig.replace` takes it."""
    names = path.split(".")
    if names[-1] == "per_day":
        own = config.exam_types[names[1]].appointments
        return {f"exam_types__{names[1]}__appointments": book.with_count(own, value, path)}
    if names[-1] == "unscheduled_scale":
        if value < 0:
            raise ConfigError(f"{path} is {value!r}, but must be a number of at least 0")
        hours = config.exam_types[names[1]].unscheduled
        return {f"exam_types__{names[1]}__unscheduled": {minute: value * number for minute, number in hours.items()}}
    if kind is Kind.TIMES:
        value = tuple(None if time is None else _since(time, opening, path) for time in value)
    elif kind is Kind.CLOCK:
        value = _since(value, opening, path)
    stored = {written: name for name, written in _WRITTEN.items()}
    return {"__".join(stored.get(name, name) for name in names): value}


def _since(minute: int, opening: int, path: str) -> int:
    if minute < opening:
        raise ConfigError(f"{path} has {clock_text(minute)}, which is before the lab opens at {clock_text(opening)}")
    return minute - opening


def _earlier(part: Any, by: int, path: str) -> Any:
    """A section with all its times so many minutes earlier, so that a lab that opens later keeps its clock times.

    Stretches that begin at opening still do.
    """

    def moved(minute: int | None) -> int | None:
        if minute is not None and minute < by:
            raise ConfigError(f"{path} has a time before the new opening: it must be moved first")
        return None if minute is None else minute - by

    if isinstance(part, Table):
        return {name: _earlier(own, by, f"{path}.{name}") for name, own in part.items()}
    values = {field.name: getattr(part, field.name) for field in dataclasses.fields(part)}
    for name, value in values.items():
        if name in _LISTS:
            values[name] = tuple(moved(minute) for minute in value)
        elif name == "unscheduled":
            values[name] = {moved(minute): number for minute, number in value.items()}
        elif name == "rebook_when_absent":
            values[name] = {absent: tuple(moved(minute) for minute in times) for absent, times in value.items()}
        elif name == "closed":
            values[name] = tuple(_earlier(stretch, by, f"{path}.{name}") for stretch in value)
        elif name in _WRITTEN and not (isinstance(part, Stretch) and name == "from_min" and value == 0):
            values[name] = moved(value)
        elif dataclasses.is_dataclass(value):
            values[name] = _earlier(value, by, f"{path}.{name}")
    return values


def _walk(part: Any, prefix: str) -> Iterator[tuple[str, Kind]]:
    """Path and kind of the fields of a section and the sections in it."""
    if isinstance(part, Table):
        for name, own in part.items():
            yield from _walk(own, f"{prefix}{name}.")
        return
    hints = typing.get_type_hints(type(part))
    for name in (field.name for field in dataclasses.fields(part)):
        value, path = getattr(part, name), f"{prefix}{_WRITTEN.get(name, name)}"
        if path in ("name", "hours"):
            continue
        if dataclasses.is_dataclass(value) or (isinstance(value, Table) and name not in _TABLES):
            yield from _walk(value, f"{path}.")
        elif name in _LISTS or name in _WRITTEN:
            yield path, Kind.TIMES if name in _LISTS else Kind.CLOCK
        elif (kind := _kind(hints[name])) is not None and not _inherits_nothing(path, value):
            yield path, kind


def _kind(hint: Any) -> Kind | None:
    """Kind of a field by its type; None for fields that cannot be swept."""
    options = [option for option in typing.get_args(hint) if option is not type(None)]
    if typing.get_origin(hint) is Literal:
        return Kind.TEXT
    return _KINDS.get(options[0] if len(options) == 1 else hint)


def _inherits_nothing(path: str, value: Any) -> bool:
    """Whether a field has no value, nor one that it inherits: a law shared by all types that says nothing of it, or an
    optional number."""
    return value is None and not (path.startswith("exam_types.") and path.split(".")[2] in ("exam", "arrival"))


def _reader(path: str) -> typing.Callable[[GeneralLabConfig], Any]:
    """Lab -> its value of a field; clock times in minutes after midnight."""

    def own(config: GeneralLabConfig) -> Any:
        opening, end = config.hours.opening_min, config.hours.end_min
        if path in _HOURS:
            return opening if path == "hours.opening" else opening + getattr(config.hours, _HOURS[path])
        names = path.split(".")
        if names[0] == "exam_types" and names[2] in ("exam", "arrival", "per_day", "unscheduled_scale"):
            return _of_type(_type(config, names[1]), names[2:])
        part: Any = config
        for name in names:
            stored = next((known for known, written in _WRITTEN.items() if written == name), name)
            part = part[name] if isinstance(part, Table) else getattr(part, stored)
        if names[-1] in _LISTS:
            return tuple(None if time is None else time + opening for time in part)
        if names[-1] in _WRITTEN.values():
            return opening + (end if part is None else part)
        return part

    return own


def _type(config: GeneralLabConfig, name: str) -> TypePlan:
    return config.plan.types[list(config.exam_types).index(name)]


def _of_type(kind: TypePlan, names: list[str]) -> Any:
    """A number of an exam type, inherited or not."""
    if names[0] == "per_day":
        return sum(time is not None for time in kind.scheduled)
    return 1.0 if names[0] == "unscheduled_scale" else getattr(getattr(kind, names[0]), names[1])


def _derived(path: str, kind: Kind) -> Field:
    return Field(path, kind, _reader(path), _meaning(path), derived=True)


def _meaning(path: str) -> str:
    names = path.split(".")
    words = _MEANINGS.get(".".join([names[0], "{}", *names[2:]]), "") if len(names) > 2 else ""
    return f"{names[1].replace('_', ' ')}: {words}" if words else ""
