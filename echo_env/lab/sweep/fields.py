"""Fields that can be swept: the config's own, by dotted path, and a few derived ones.

A derived field changes several config fields in one documented way, so that a question such as "five more
appointments a day" is the sweep of one number: see :data:`DERIVED`.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal

from echo_env.common.words import nearest
from echo_env.lab.config import KINDS, ConfigError, GeneralLabConfig, Hours, Lab, LabConfig
from echo_env.lab.sweep import book
from echo_env.lab.sweep.general_fields import changed_general, general_fields, left_out
from echo_env.lab.sweep.kinds import Field, Kind

OWN = book.OWN
_MOST_LISTED = 60

DERIVED = {
    field.path: dataclasses.replace(field, derived=True)
    for field in (
        Field(
            "appointments.template",
            Kind.FILE,
            lambda config: OWN,
            "the appointment book of another lab, at its clock times",
        ),
        Field(
            "appointments.fetal_per_day",
            Kind.WHOLE,
            lambda config: len(config.appointments.times("fetal")),
            "number of fetal appointments, spread evenly over the times of the template",
        ),
        Field(
            "appointments.non_fetal_per_day",
            Kind.WHOLE,
            lambda config: len(config.appointments.times("non_fetal")),
            "number of non-fetal appointments, likewise",
        ),
        Field(
            "appointments.per_day",
            Kind.WHOLE,
            lambda config: len(config.appointments),
            "number of appointments of both kinds, in the proportions of the template",
        ),
        Field(
            "appointments.scale",
            Kind.NUMBER,
            lambda config: 1.0,
            "multiple of the template's number of appointments, rounded",
        ),
        Field(
            "hours.opening",
            Kind.CLOCK,
            lambda config: config.hours.opening_min,
            "opening time; appointments, closing and end keep their clock times",
        ),
        Field("hours.closing", Kind.CLOCK, lambda config: _clock(config, "closing_min")),
        Field("hours.end", Kind.CLOCK, lambda config: _clock(config, "end_min")),
    )
}
"""Path -> derived field. Those of the appointments are applied to the template in this order."""


def _clock(config: LabConfig, name: str) -> int:
    return config.hours.opening_min + int(getattr(config.hours, name))


def find_field(path: str, config: Lab) -> Field:
    """Look up a field by its path.

    :param path: the path as typed
    :param config: the lab
    :raises ConfigError: no such field; suggests the nearest
    """
    fields = general_fields(config) if isinstance(config, GeneralLabConfig) else {**_plain_fields(config), **DERIVED}
    if path in fields:
        return fields[path]
    if isinstance(config, GeneralLabConfig) and (missing := left_out(path, config)):
        raise ConfigError(f"{path} cannot be swept, because the lab has no {missing}: give it in the file of the lab")
    near = nearest(path, fields)
    # A last component that is unique, such as absence_rate, is suggested with its section.
    near = [known for known in fields if known.rpartition(".")[2] == path] or near
    inside = [known for known in fields if path and known.startswith(f"{path}.")]
    if inside:
        raise ConfigError(f"{path} is a section of the lab, not a field; it has {', '.join(inside)}")
    if near:
        hint = f"did you mean {' or '.join(near)}?"
    elif len(fields) <= _MOST_LISTED:
        hint = f"there are {', '.join(fields)}"
    else:
        hint = f"there are fields of {', '.join(dict.fromkeys(known.rpartition('.')[0] for known in fields))}"
    raise ConfigError(f"{path} is no field of the lab that can be swept: {hint}")


def _plain_fields(config: Any) -> dict[str, Field]:
    """The config's own fields of every section, except its name."""
    found: dict[str, Field] = {}

    def walk(part: Any, prefix: str) -> None:
        hints = typing.get_type_hints(type(part))
        for name in (field.name for field in dataclasses.fields(part)):
            value, path = getattr(part, name), f"{prefix}{name}"
            if dataclasses.is_dataclass(value):
                walk(value, f"{path}.")
            elif (kind := _kind_of(hints[name], prefix)) is not None and path != "name":
                found[path] = Field(path, kind, _getter(path, kind))

    walk(config, "")
    return found


def _getter(path: str, kind: Kind) -> Callable[[LabConfig], Any]:
    """Lab -> its value of the field; clock times in minutes after midnight."""

    def own(config: LabConfig) -> Any:
        part: Any = config
        for name in path.split("."):
            part = getattr(part, name)
        if kind is Kind.TIMES:
            return tuple(None if time is None else time + config.hours.opening_min for time in part)
        return part

    return own


def _kind_of(hint: Any, section: str) -> Kind | None:
    """Kind of a field by its type annotation; None for fields that cannot be swept."""
    if hint in (tuple[int, ...], tuple[int | None, ...]):
        return Kind.TIMES if section == "appointments." else None
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        members = [member for member in typing.get_args(hint) if member is not type(None)]
        return _kind_of(members[0], section) if len(members) == 1 else None
    if typing.get_origin(hint) is Literal:
        return Kind.TEXT
    kinds: dict[Any, Kind] = {int: Kind.WHOLE, float: Kind.NUMBER, bool: Kind.YES_NO, str: Kind.TEXT}
    return kinds.get(hint)


def changed(config: Lab, values: Mapping[str, Any]) -> Lab:
    """A lab with other values, all set at once; derived fields are applied in the order of :data:`DERIVED`.

    :param config: the lab
    :param values: path -> value, as :meth:`Field.read` returns them
    :raises ConfigError: the result is not a valid lab
    """
    if isinstance(config, GeneralLabConfig):
        return changed_general(config, values)
    assert isinstance(config, LabConfig)
    return _changed_short(config, values)


def _changed_short(config: LabConfig, values: Mapping[str, Any]) -> LabConfig:
    sections = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    if values.get(template := "appointments.template", OWN) != OWN:
        sections["appointments"] = book.template_of(values[template], config.hours)
    _set_hours(sections, values)
    below: dict[str, dict[str, Any]] = {}
    for path, value in values.items():
        if path not in DERIVED:
            section, _, rest = path.partition(".")
            times = isinstance(value, tuple)
            below.setdefault(section, {})[rest] = book.since_opening(value, sections["hours"]) if times else value
    for section, fresh in below.items():
        sections[section] = _replaced(sections[section], fresh)
    for of_kind in KINDS:
        if (path := f"appointments.{of_kind}_per_day") in values:
            sections["appointments"] = book.with_kind(sections["appointments"], of_kind, values[path])
    if "appointments.per_day" in values:
        sections["appointments"] = book.with_total(sections["appointments"], values["appointments.per_day"])
    if "appointments.scale" in values:
        sections["appointments"] = book.scaled(sections["appointments"], values["appointments.scale"])
    return LabConfig(**sections)


def _replaced(part: Any, values: Mapping[str, Any]) -> Any:
    """A copy of a dataclass with fields changed by dotted path."""
    below: dict[str, Any] = {}
    for path, value in values.items():
        name, _, rest = path.partition(".")
        if rest:
            below.setdefault(name, {})[rest] = value
        else:
            below[name] = value
    parts = {name: dataclasses.is_dataclass(getattr(part, name)) for name in below}
    fresh = {name: _replaced(getattr(part, name), value) if parts[name] else value for name, value in below.items()}
    return dataclasses.replace(part, **fresh)


def _set_hours(sections: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Set opening, closing and end; those that are not given keep their clock times."""
    hours: Hours = sections["hours"]
    opening = values.get("hours.opening", hours.opening_min)
    closing = values.get("hours.closing", hours.opening_min + hours.closing_min)
    end = values.get("hours.end", hours.opening_min + hours.end_min)
    fresh = dataclasses.replace(hours, opening_min=opening, closing_min=closing - opening, end_min=end - opening)
    if opening != hours.opening_min:
        sections["appointments"] = book.moved(sections["appointments"], hours, fresh)
    sections["hours"] = fresh
