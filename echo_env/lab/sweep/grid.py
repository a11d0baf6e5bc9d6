"""The cells of a sweep: which labs are tried, and what their days have in common with the base lab's."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from echo_env.lab.config import ConfigError, LabConfig
from echo_env.lab.sweep.fields import DERIVED, Field, Kind, changed, find_field

MODES = ("grid", "one_at_a_time")
MOST_VALUES = 1_000
"""Values of one field."""
MOST_CELLS = 10_000

ALL, PARTLY, NONE = "all", "partly", "none"
"""What the days of a cell have in common with those of the base lab: see :func:`in_common`."""


@dataclass(frozen=True)
class Axis:
    """A field and the values that are tried.

    :param field: the field
    :param values: at least one, no two alike; ascending where the field is numeric
    :param own: what the base lab has
    """

    field: Field
    values: tuple[Any, ...]
    own: Any

    @property
    def path(self) -> str:
        """The field's."""
        return self.field.path

    @property
    def home(self) -> Any:
        """Where the field is held while another one is looked at: the base lab's value, else the nearest tried."""
        if self.own in self.values:
            return self.own
        return min(self.values, key=lambda value: abs(value - self.own)) if self.field.is_numeric else self.values[0]


@dataclass(frozen=True)
class Cell:
    """A lab that is tried.

    :param number: 0 is the base lab
    :param values: path of each axis -> value
    :param config: the lab
    :param common: what its days have in common with the base lab's
    :param why: where that is not all: the reason
    """

    number: int
    values: dict[str, Any]
    config: LabConfig
    common: str
    why: str


@dataclass(frozen=True)
class Sweep:
    """The labs that are tried.

    :param base: the lab as it is
    :param axes: what is changed
    :param mode: one of :data:`MODES`
    :param cells: the base lab, then the others
    """

    base: LabConfig
    axes: tuple[Axis, ...]
    mode: str
    cells: tuple[Cell, ...]

    def name(self, cell: Cell) -> str:
        """``rooms.non_fetal=4, exam.mean_min=50``; one at a time, only what differs; or ``base lab``."""
        if cell.number == 0:
            return "base lab"
        shown = [axis for axis in self.axes if self.mode == "grid" or cell.values[axis.path] != axis.own]
        return _name({axis.path: cell.values[axis.path] for axis in shown}, self.axes)

    def held(self, *moving: Axis) -> dict[str, Any]:
        """Path -> value of the fields that stand still while others are looked at.

        One at a time that is the base lab's value, in a grid :attr:`Axis.home`.
        """
        one = self.mode == "one_at_a_time"
        return {axis.path: axis.own if one else axis.home for axis in self.axes if axis not in moving}

    def along(self, axis: Axis, fixed: dict[str, Any] | None = None) -> list[Cell]:
        """The cells that differ only in one field, by its value.

        :param axis: the field
        :param fixed: path -> value of the others, by default as :meth:`held`
        """
        fixed = self.held(axis) if fixed is None else fixed
        cells = [cell for cell in self.cells if all(cell.values[path] == value for path, value in fixed.items())]
        if axis.field.is_numeric or axis.field.kind is Kind.CLOCK:
            return sorted(cells, key=lambda cell: cell.values[axis.path])
        order = [axis.own, *(value for value in axis.values if value != axis.own)]
        return sorted(cells, key=lambda cell: order.index(cell.values[axis.path]))


def make_sweep(config: LabConfig, wanted: Sequence[str], mode: str = "grid") -> Sweep:
    """Lay out a sweep.

    >>> sweep = make_sweep(LabConfig.load("scarce"), ["rooms.non_fetal=3:4", "exam.mean_min=40,50"])
    >>> sweep.name(sweep.cells[1])
    'rooms.non_fetal=3, exam.mean_min=40'

    :param config: the base lab
    :param wanted: ``FIELD=VALUES`` each, see :func:`read_axis`
    :param mode: ``grid``: every value with every other; ``one_at_a_time``: all but one as in the base lab
    :raises ConfigError: nothing to sweep, an unknown field (suggests the nearest), a value of another kind, an empty
        range, too many cells, or a cell that is no possible lab (names it)
    """
    if mode not in MODES:
        raise ConfigError(f"sweep mode is {mode!r}, but must be one of {', '.join(MODES)}")
    if not wanted:
        raise ConfigError("sweep is empty, but must have at least one FIELD=VALUES")
    axes = tuple(_own_where_the_same(read_axis(text, config), config) for text in wanted)
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
    """A derived field can be written in other ways than the lab's own and still change nothing: those are one."""
    if axis.path not in DERIVED:
        return axis
    values = dict.fromkeys(axis.own if _changes_nothing(axis.path, value, config) else value for value in axis.values)
    return replace(axis, values=tuple(values))


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
        raise ConfigError(f"cell {_name(values, axes)} is no possible lab: {error}") from None


def _name(values: dict[str, Any], axes: Sequence[Axis]) -> str:
    return ", ".join(f"{axis.path}={axis.field.write(values[axis.path])}" for axis in axes if axis.path in values)


def in_common(base: LabConfig, lab: LabConfig) -> tuple[str, str]:
    """What day k of a seed has in common in two labs, and where that is not all, why.

    A day is one row of uniform numbers (see :mod:`echo_env.lab.day.day`) whose length is set by the number of
    appointments and of sonographers; everything else only changes what is made of the numbers.

    :param base: a lab
    :param lab: another one
    :return: ``all``: every draw; ``partly``: who comes and how long exams take; ``none``
    """
    if len(lab.appointments) != len(base.appointments):
        return NONE, "the number of appointments differs, so all luck is drawn anew"
    staff = (base.sonographers.fetal, base.sonographers.non_fetal)
    if (lab.sonographers.fetal, lab.sonographers.non_fetal) != staff:
        return PARTLY, "the number of sonographers differs, so absences and breaks are drawn anew"
    if lab.appointments != base.appointments:
        return PARTLY, "appointments are at other times, so the n-th patient of the day keeps only the luck of the n-th"
    return ALL, ""


def read_axis(text: str, config: LabConfig) -> Axis:
    """``rooms.non_fetal=3:7`` -> the field with 3, 4, 5, 6 and 7.

    Values are separated by commas. Of numbers there are ranges, both ends included: ``a:b`` in steps of 1 (whole
    numbers), ``a:b:step``.

    :param text: as it was typed
    :param config: the lab
    :raises ConfigError: not of this form, an unknown field, or values that it cannot have
    """
    path, equals, values = (part.strip() for part in text.partition("="))
    if not equals or not path:
        raise ConfigError(f"sweep has {text!r}, but takes FIELD=VALUES, as in rooms.non_fetal=3:7")
    field = find_field(path, config)
    # Commas between brackets belong to one value.
    items = re.findall(r"(?:\[[^\]]*\]|[^,])+", values)
    found = [value for item in items for value in _values(field, item.strip())]
    if not found or len(items) != len(re.sub(r"\[[^\]]*\]", "", values).split(",")):
        raise ConfigError(f"{path} has an empty value in {values!r}, but needs values such as 3:7 or 3,5")
    twice = next((value for value in found if found.count(value) > 1), None)
    if twice is not None:
        raise ConfigError(f"{path} has {field.write(twice)} twice, but must have each value once")
    return Axis(field, tuple(sorted(found) if field.is_numeric else found), field.own(config))


def _values(field: Field, item: str) -> list[Any]:
    """One value, or those of a range."""
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
    # 0.1 + 0.1 + 0.1 is 0.3 to whoever typed it.
    return [float(f"{first + i * step:.12g}") for i in range(count)]
