"""The axes of a sweep: fields with their values, parsed from ``FIELD=VALUES``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

from echo_env.lab.config import ConfigError
from echo_env.lab.config.lab import Lab
from echo_env.lab.sweep.fields import changed, find_field
from echo_env.lab.sweep.kinds import Field, Kind
from echo_env.lab.sweep.labels import labels_of

MOST_VALUES = 1_000
"""Largest number of values of a range."""


@dataclass(frozen=True)
class Axis:
    """A field and its values in a sweep.

    :param field: the field
    :param values: at least one, all different; ascending if the field is numeric
    :param own: the base lab's value
    :param labels: short names of the values that are long to write, see :mod:`~echo_env.lab.sweep.labels`
    """

    field: Field
    values: tuple[Any, ...]
    own: Any
    labels: Mapping[Any, str] = dataclass_field(default_factory=dict)

    @property
    def path(self) -> str:
        """Dotted path of the field."""
        return self.field.path

    def label(self, value: Any) -> str:
        """A value as short text, unique among the axis's values: for tables and figures."""
        return self.labels.get(value) or self.field.write(value)

    @property
    def home(self) -> Any:
        """Value at which the field is held while others vary: the base lab's, or else the nearest in the sweep."""
        if self.own in self.values:
            return self.own
        return min(self.values, key=lambda value: abs(value - self.own)) if self.field.is_numeric else self.values[0]


def read_axis(text: str, config: Lab) -> Axis:
    """Parse ``FIELD=VALUES``: ``rooms.non_fetal=3:7`` is that field with 3, 4, 5, 6 and 7.

    Values are separated by commas. Numbers may be given as ranges with both ends included: ``a:b`` in steps of 1
    (whole numbers), ``a:b:step``.

    :param text: the specification as typed
    :param config: the lab
    :raises ConfigError: not of this form, an unknown field, or an invalid value
    """
    path, equals, values = (part.strip() for part in text.partition("="))
    if not equals or not path:
        raise ConfigError(f"sweep has {text!r}, but takes FIELD=VALUES, as in rooms.non_fetal=3:7")
    field = find_field(path, config)
    # Commas inside brackets separate the entries of one value.
    items = re.findall(r"(?:\[[^\]]*\]|[^,])+", values)
    found = [value for item in items for value in _values(field, item.strip())]
    if not found or len(items) != len(re.sub(r"\[[^\]]*\]", "", values).split(",")):
        raise ConfigError(f"{path} has an empty value in {values!r}, but needs values such as 3:7 or 3,5")
    twice = next((value for value in found if found.count(value) > 1), None)
    if twice is not None:
        raise ConfigError(f"{path} has {field.write(twice)} twice, but must have each value once")
    own = field.own(config)
    merged = _merged(field, sorted(found) if field.is_numeric else found, own, config)
    return Axis(field, merged, own, labels_of(field, merged, own, config))


def _values(field: Field, item: str) -> list[Any]:
    """The values of one item: a single value or a range."""
    if not field.is_numeric or ":" not in item:
        return [field.read(item)]
    ends = [field.read(part) for part in item.split(":")]
    if len(ends) > 3:
        raise ConfigError(f"{field.path} has the range {item!r}, but ranges are a:b or a:b:step")
    first, last, step = ends if len(ends) == 3 else (*ends, 1)
    if len(ends) == 2 and (first % 1 or last % 1):
        raise ConfigError(f"{field.path} has the range {item!r}, but between such numbers it needs a step: a:b:step")
    if step <= 0:
        raise ConfigError(f"{field.path} has the range {item!r} with step {step:g}, but the step must be above 0")
    if first > last:
        raise ConfigError(f"{field.path} has the range {item!r}, which is empty, because {first:g} is above {last:g}")
    count = math.floor((last - first) / step + 1e-9) + 1
    if count > MOST_VALUES:
        raise ConfigError(f"{field.path} has {count:,} values in {item!r}, but must have at most {MOST_VALUES:,}")
    if field.kind is Kind.WHOLE:
        return [first + i * step for i in range(count)]
    # Rounded, so that three steps of 0.1 are 0.3.
    return [float(f"{first + i * step:.12g}") for i in range(count)]


def _merged(field: Field, values: Sequence[Any], own: Any, config: Lab) -> tuple[Any, ...]:
    """The values; those of a derived field that leave the lab unchanged, however written, become its own value."""
    if not field.derived:
        return tuple(values)
    return tuple(dict.fromkeys(own if _changes_nothing(field.path, value, config) else value for value in values))


def _changes_nothing(path: str, value: Any, config: Lab) -> bool:
    try:
        return changed(config, {path: value}) == config
    except ConfigError:
        return False
