"""The cells of a sweep: its hospitals."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from echo_env.common.config_model import ConfigError
from echo_env.common.sweeps.values import MOST_CELLS, check_mode, read_values, split_specification
from echo_env.pathways.config import PathwaysConfig
from echo_env.pathways.sweep.fields import changed, check_field, fields_of, is_number, read, write

BASE = "base"
"""What the hospital as it is is called."""


@dataclass(frozen=True)
class Axis:
    """A field and its values in a sweep.

    :param path: dotted path of the field
    :param values: at least one, all different; ascending if they are numbers
    :param own: the base hospital's value
    """

    path: str
    values: tuple[Any, ...]
    own: Any

    @property
    def is_numeric(self) -> bool:
        """Whether all values are numbers."""
        return all(map(is_number, self.values))

    def place(self, value: Any) -> int:
        """Place of a value among all, the base hospital's included: in its order, or the base's first.

        :param value: one of them
        """
        if self.own in self.values:
            return self.values.index(value)
        every = (self.own, *self.values)
        return (sorted(every) if self.is_numeric and is_number(self.own) else list(every)).index(value)


@dataclass(frozen=True)
class Cell:
    """One hospital of a sweep.

    :param number: number of the cell; 0 is the base hospital
    :param values: path of each axis -> value
    :param config: the hospital
    """

    number: int
    values: dict[str, Any]
    config: PathwaysConfig


@dataclass(frozen=True)
class Sweep:
    """A base hospital and its variants.

    :param base: the base hospital
    :param axes: the fields that vary
    :param mode: one of :data:`~echo_env.common.sweeps.values.MODES`
    :param cells: the base hospital, then its variants
    """

    base: PathwaysConfig
    axes: tuple[Axis, ...]
    mode: str
    cells: tuple[Cell, ...]

    def name(self, cell: Cell) -> str:
        """``resources=10, reward=completion``; one at a time, only the changed field; ``base`` for cell 0.

        :param cell: one of the cells
        """
        if cell.number == 0:
            return BASE
        shown = [axis for axis in self.axes if self.mode == "grid" or cell.values[axis.path] != axis.own]
        return ", ".join(f"{axis.path}={write(cell.values[axis.path])}" for axis in shown)

    def along(self, axis: Axis) -> list[tuple[str, list[Cell]]]:
        """Lines of cells that differ in one field only, each with what it holds fixed, as words.

        :param axis: the field; each line is ordered by it
        """
        lines: dict[tuple[int, ...], list[Cell]] = {}
        others = [other for other in self.axes if other is not axis]
        for cell in self.cells:
            lines.setdefault(tuple(other.place(cell.values[other.path]) for other in others), []).append(cell)
        found = []
        for _, cells in sorted(lines.items()):
            words = ", ".join(f"{other.path}={write(cells[0].values[other.path])}" for other in others)
            found.append((words, sorted(cells, key=lambda cell: axis.place(cell.values[axis.path]))))
        return [(words, cells) for words, cells in found if len(cells) > 1]


def make_sweep(config: PathwaysConfig, wanted: Sequence[str], mode: str = "grid") -> Sweep:
    """Set up a sweep.

    :param config: the base hospital
    :param wanted: ``FIELD=VALUES`` each, values as :func:`~echo_env.common.sweeps.values.read_values` takes them
    :param mode: ``grid``: all combinations of values; ``one_at_a_time``: all fields but one as in the base hospital
    :raises ConfigError: an unknown field or mode, a value that is not allowed, or too many cells
    """
    check_mode(mode)
    if not wanted:
        raise ConfigError("sweep is empty, but must have at least one FIELD=VALUES")
    axes = tuple(_axis(text, config) for text in wanted)
    paths = [axis.path for axis in axes]
    if len(set(paths)) < len(paths):
        raise ConfigError(f"sweep has {max(paths, key=paths.count)} twice, but must have each field once")
    counts = [len(axis.values) for axis in axes]
    number = math.prod(counts) if mode == "grid" else sum(counts)
    if number > MOST_CELLS:
        raise ConfigError(f"sweep has {number:,} cells, but must have at most {MOST_CELLS:,}")
    own = {axis.path: axis.own for axis in axes}
    cells = [Cell(0, own, config)]
    for values in _combinations(axes, mode):
        if own | values != own:
            cells.append(Cell(len(cells), own | values, _hospital(config, values)))
    if len(cells) == 1:
        raise ConfigError("sweep changes nothing: every cell is the hospital as it is")
    return Sweep(config, axes, mode, tuple(cells))


def _axis(text: str, config: PathwaysConfig) -> Axis:
    path, values = split_specification(text, "treatment_effectiveness=0:1.2:0.2")
    check_field(path, config)
    own = fields_of(config)[path]
    numeric, whole = is_number(own), isinstance(own, int)
    found = read_values(path, values, partial(read, path), write, numeric, whole)
    return Axis(path, tuple(sorted(found) if all(map(is_number, found)) else found), own)


def _combinations(axes: Sequence[Axis], mode: str) -> Iterator[dict[str, Any]]:
    if mode == "grid":
        for values in itertools.product(*(axis.values for axis in axes)):
            yield {axis.path: value for axis, value in zip(axes, values, strict=True)}
        return
    for axis in axes:
        for value in axis.values:
            yield {axis.path: value}


def _hospital(config: PathwaysConfig, values: dict[str, Any]) -> PathwaysConfig:
    try:
        return changed(config, values)
    except ConfigError as error:
        name = ", ".join(f"{path}={write(value)}" for path, value in values.items())
        raise ConfigError(f"cell {name} is not a valid hospital: {error}") from None
