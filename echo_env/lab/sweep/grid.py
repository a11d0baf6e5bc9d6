"""The cells of a sweep: its labs, and the random numbers that their days share with the base lab's."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from typing import Any

from echo_env.lab.config import ConfigError, LabConfig
from echo_env.lab.sweep.fields import DERIVED, Field, Kind, changed, find_field
from echo_env.lab.sweep.labels import labels_of

MODES = ("grid", "one_at_a_time")
MOST_VALUES = 1_000
"""Largest number of values of a range."""
MOST_CELLS = 10_000
"""Largest number of cells."""

ALL, PARTLY, NONE = "all", "partly", "none"
"""Random numbers that the days of a cell share with those of the base lab: see :func:`in_common`."""


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


@dataclass(frozen=True)
class Cell:
    """One lab of a sweep.

    :param number: number of the cell; 0 is the base lab
    :param values: path of each axis -> value
    :param config: the lab
    :param common: random numbers shared with the base lab's days: ``all``, ``partly`` or ``none``
    :param why: the reason where it is not ``all``
    """

    number: int
    values: dict[str, Any]
    config: LabConfig
    common: str
    why: str


@dataclass(frozen=True)
class Sweep:
    """A base lab and its variants.

    :param base: the base lab
    :param axes: the fields that vary
    :param mode: one of :data:`MODES`
    :param cells: the base lab, then its variants
    """

    base: LabConfig
    axes: tuple[Axis, ...]
    mode: str
    cells: tuple[Cell, ...]

    def name(self, cell: Cell) -> str:
        """``rooms.non_fetal=4, exam.mean_min=50``; one at a time, only the changed field; ``base lab`` for cell 0."""
        if cell.number == 0:
            return "base lab"
        shown = [axis for axis in self.axes if self.mode == "grid" or cell.values[axis.path] != axis.own]
        return ", ".join(f"{axis.path}={axis.label(cell.values[axis.path])}" for axis in shown)

    def held(self, *moving: Axis) -> dict[str, Any]:
        """Path -> value of the fields held fixed while ``moving`` vary.

        One at a time, that is the base lab's value; in a grid, :attr:`Axis.home`.
        """
        one = self.mode == "one_at_a_time"
        return {axis.path: axis.own if one else axis.home for axis in self.axes if axis not in moving}

    def along(self, axis: Axis, fixed: dict[str, Any] | None = None) -> list[Cell]:
        """The cells that differ in one field only, ordered by its value.

        :param axis: the field
        :param fixed: path -> value of the other fields; by default as in :meth:`held`
        """
        fixed = self.held(axis) if fixed is None else fixed
        cells = [cell for cell in self.cells if all(cell.values[path] == value for path, value in fixed.items())]
        if axis.field.is_numeric or axis.field.kind is Kind.CLOCK:
            return sorted(cells, key=lambda cell: cell.values[axis.path])
        order = [axis.own, *(value for value in axis.values if value != axis.own)]
        return sorted(cells, key=lambda cell: order.index(cell.values[axis.path]))


def make_sweep(config: LabConfig, wanted: Sequence[str], mode: str = "grid") -> Sweep:
    """Set up a sweep.

    >>> sweep = make_sweep(LabConfig.load("scarce"), ["rooms.non_fetal=3:4", "exam.mean_min=40,50"])
    >>> sweep.name(sweep.cells[1])
    'rooms.non_fetal=3, exam.mean_min=40'

    :param config: the base lab
    :param wanted: specifications ``FIELD=VALUES``, see :func:`read_axis`
    :param mode: ``grid``: all combinations of values; ``one_at_a_time``: all fields but one as in the base lab
    :raises ConfigError: nothing to sweep, an unknown field (suggests the nearest), a value of the wrong kind, an empty
        range, too many cells, or a cell that is not a valid lab (names it)
    """
    if mode not in MODES:
        raise ConfigError(f"sweep mode is {mode!r}, but must be one of {', '.join(MODES)}")
    if not wanted:
        raise ConfigError("sweep is empty, but must have at least one FIELD=VALUES")
    axes = tuple(_labelled(_own_where_the_same(read_axis(text, config), config), config) for text in wanted)
    paths = [axis.path for axis in axes]
    if len(set(paths)) < len(paths):
        raise ConfigError(f"sweep has {max(paths, key=paths.count)} twice, but must have each field once")
    counts = [len(axis.values) for axis in axes]
    number = math.prod(counts) if mode == "grid" else sum(counts)
    if number > MOST_CELLS:
        raise ConfigError(f"sweep has {number:,} cells, but must have at most {MOST_CELLS:,}")
    own = {axis.path: axis.own for axis in axes}
    cells = [Cell(0, own, config, ALL, "")]
    for values in _grid(axes) if mode == "grid" else _one_at_a_time(axes):
        lab = _lab(config, values, axes)
        if lab != config:
            cells.append(Cell(len(cells), own | values, lab, *in_common(config, lab)))
    if len(cells) == 1:
        raise ConfigError("sweep changes nothing: every cell is the lab as it is")
    return Sweep(config, axes, mode, tuple(cells))


def _own_where_the_same(axis: Axis, config: LabConfig) -> Axis:
    """Merge values of a derived field that leave the lab unchanged, however written, into its own value."""
    if axis.path not in DERIVED:
        return axis
    values = dict.fromkeys(axis.own if _changes_nothing(axis.path, value, config) else value for value in axis.values)
    return replace(axis, values=tuple(values))


def _labelled(axis: Axis, config: LabConfig) -> Axis:
    return replace(axis, labels=labels_of(axis.field, axis.values, axis.own, config))


def _changes_nothing(path: str, value: Any, config: LabConfig) -> bool:
    try:
        return changed(config, {path: value}) == config
    except ConfigError:
        return False


def _grid(axes: Sequence[Axis]) -> Iterator[dict[str, Any]]:
    for values in itertools.product(*(axis.values for axis in axes)):
        yield {axis.path: value for axis, value in zip(axes, values, strict=True)}


def _one_at_a_time(axes: Sequence[Axis]) -> Iterator[dict[str, Any]]:
    for axis in axes:
        for value in axis.values:
            yield {axis.path: value}


def _lab(config: LabConfig, values: dict[str, Any], axes: Sequence[Axis]) -> LabConfig:
    try:
        return changed(config, values)
    except ConfigError as error:
        shown = [axis for axis in axes if axis.path in values]
        name = ", ".join(f"{axis.path}={axis.field.write(values[axis.path])}" for axis in shown)
        raise ConfigError(f"cell {name} is not a valid lab: {error}") from None


def in_common(base: LabConfig, lab: LabConfig) -> tuple[str, str]:
    """Which random numbers of day k of a seed two labs share, and the reason where it is not all of them.

    A day is one row of uniform numbers (see :mod:`echo_env.lab.day.day`) whose length depends on the numbers of
    appointments and of sonographers; everything else only changes how the numbers are used.

    :param base: a lab
    :param lab: another lab
    :return: ``all``; ``partly``: no-shows, arrivals and durations by rank of appointment; or ``none``; and the reason
    """
    if len(lab.appointments) != len(base.appointments):
        return NONE, "the number of appointments differs, so all random numbers differ"
    staff = (base.sonographers.fetal, base.sonographers.non_fetal)
    if (lab.sonographers.fetal, lab.sonographers.non_fetal) != staff:
        return PARTLY, "the number of sonographers differs, so the random numbers of absences and breaks differ"
    if lab.appointments != base.appointments:
        return (
            PARTLY,
            "appointment times differ, so random numbers belong to the n-th appointment of the day, not to the patient",
        )
    return ALL, ""


def read_axis(text: str, config: LabConfig) -> Axis:
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
    return Axis(field, tuple(sorted(found) if field.is_numeric else found), field.own(config))


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
