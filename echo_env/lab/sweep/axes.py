"""The axes of a sweep: fields with their values, parsed from ``FIELD=VALUES``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

from echo_env.common.sweeps.values import read_values, split_specification
from echo_env.lab.config import ConfigError
from echo_env.lab.config.lab import Lab
from echo_env.lab.sweep.fields import changed, find_field
from echo_env.lab.sweep.kinds import Field, Kind
from echo_env.lab.sweep.labels import labels_of


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

    :param text: the specification as typed, values as :func:`~echo_env.common.sweeps.values.read_values` takes them
    :param config: the lab
    :raises ConfigError: not of this form, an unknown field, or an invalid value
    """
    path, values = split_specification(text, "rooms.non_fetal=3:7")
    field = find_field(path, config)
    found = read_values(path, values, field.read, field.write, field.is_numeric, field.kind is Kind.WHOLE)
    own = field.own(config)
    merged = _merged(field, sorted(found) if field.is_numeric else found, own, config)
    return Axis(field, merged, own, labels_of(field, merged, own, config))


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
