"""Fields that can be swept: the config's own, by dotted path, and a few derived ones.

A derived field changes several config fields in one documented way, so that a question such as "five more
appointments a day" is the sweep of one number: see :data:`DERIVED`.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

import yaml

from echo_env.common.words import nearest
from echo_env.lab.config import KINDS, ConfigError, Hours, LabConfig
from echo_env.lab.config.clock import clock_text, read_clock
from echo_env.lab.sweep import book


class Kind(StrEnum):
    """Type of a field's values; the text states what is allowed."""

    WHOLE = "a whole number"
    NUMBER = "a number"
    YES_NO = "true or false"
    TEXT = "a word"
    CLOCK = "a clock time such as 17:30"
    TIMES = "a list of clock times such as [08:15,09:15]"
    FILE = "a lab whose appointments are used (a preset or a YAML file), or own"


@dataclass(frozen=True)
class Field:
    """A property of a lab that can be swept.

    :param path: dotted path, such as ``rooms.non_fetal``
    :param kind: type of its values
    :param own: lab -> its value of the field
    :param meaning: meaning of a derived field, one line
    """

    path: str
    kind: Kind
    own: Callable[[LabConfig], Any]
    meaning: str = ""

    @property
    def is_numeric(self) -> bool:
        """Whether its values are numbers on a ratio scale."""
        return self.kind in (Kind.WHOLE, Kind.NUMBER)

    def read(self, text: str) -> Any:
        """Parse a value.

        :raises ConfigError: not of this field's kind
        """
        try:
            return _READERS[self.kind](text.strip())
        except (ValueError, TypeError):
            raise ConfigError(f"{self.path} has {text.strip()!r}, but must be {self.kind}") from None

    def write(self, value: Any) -> str:
        """A value as text that :meth:`read` parses, except for the brackets of a list."""
        if self.kind is Kind.CLOCK:
            return clock_text(value)
        if self.kind is Kind.TIMES:
            return " ".join("null" if time is None else clock_text(time) for time in value)
        if self.kind is Kind.YES_NO:
            return str(value).lower()
        return f"{value:.12g}" if isinstance(value, float) else str(value)


OWN = book.OWN

DERIVED = {
    field.path: field
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


def find_field(path: str, config: LabConfig) -> Field:
    """Look up a field by its path.

    :param path: the path as typed
    :param config: the lab
    :raises ConfigError: no such field; suggests the nearest
    """
    fields = {**_plain_fields(config), **DERIVED}
    if path in fields:
        return fields[path]
    near = nearest(path, fields)
    # A last component that is unique, such as absence_rate, is suggested with its section.
    near = [known for known in fields if known.rpartition(".")[2] == path] or near
    inside = [known for known in fields if path and known.startswith(f"{path}.")]
    if inside:
        raise ConfigError(f"{path} is a section of the lab, not a field; it has {', '.join(inside)}")
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(fields)}"
    raise ConfigError(f"{path} is no field of the lab that can be swept: {hint}")


def _plain_fields(config: LabConfig) -> dict[str, Field]:
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


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _yes_no(text: str) -> bool:
    value = yaml.safe_load(text)
    if not isinstance(value, bool):
        raise ValueError(text)
    return value


def _word(text: str) -> str:
    if not text:
        raise ValueError(text)
    return text


def _minutes(text: str) -> int:
    return read_clock(text.strip(" '\""))


def _times(text: str) -> tuple[int | None, ...]:
    if not (text.startswith("[") and text.endswith("]")):
        raise ValueError(text)
    return tuple(None if time == "null" else _minutes(time) for time in text[1:-1].replace(",", " ").split())


_READERS: dict[Kind, Callable[[str], Any]] = {
    Kind.WHOLE: int,
    Kind.NUMBER: _number,
    Kind.YES_NO: _yes_no,
    Kind.TEXT: _word,
    Kind.CLOCK: _minutes,
    Kind.TIMES: _times,
    Kind.FILE: _word,
}


def changed(config: LabConfig, values: Mapping[str, Any]) -> LabConfig:
    """A lab with other values, all set at once; derived fields are applied in the order of :data:`DERIVED`.

    :param config: the lab
    :param values: path -> value, as :meth:`Field.read` returns them
    :raises ConfigError: the result is not a valid lab
    """
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
