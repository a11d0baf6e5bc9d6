"""The cells of a sweep: its labs.

Day k of a seed has the same luck in all of them: patients and members of staff whom two labs have in common, by their
place in the lists of the config, share all random numbers.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from echo_env.common.sweeps.values import MOST_CELLS, check_mode
from echo_env.lab.config import ConfigError
from echo_env.lab.config.lab import Lab
from echo_env.lab.sweep.axes import Axis, read_axis
from echo_env.lab.sweep.fields import changed
from echo_env.lab.sweep.kinds import Kind


@dataclass(frozen=True)
class Cell:
    """One lab of a sweep.

    :param number: number of the cell; 0 is the base lab
    :param values: path of each axis -> value
    :param config: the lab
    """

    number: int
    values: dict[str, Any]
    config: Lab


@dataclass(frozen=True)
class Sweep:
    """A base lab and its variants.

    :param base: the base lab
    :param axes: the fields that vary
    :param mode: one of :data:`~echo_env.common.sweeps.values.MODES`
    :param cells: the base lab, then its variants
    """

    base: Lab
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


def make_sweep(config: Lab, wanted: Sequence[str], mode: str = "grid") -> Sweep:
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
    check_mode(mode)
    if not wanted:
        raise ConfigError("sweep is empty, but must have at least one FIELD=VALUES")
    axes = tuple(read_axis(text, config) for text in wanted)
    paths = [axis.path for axis in axes]
    if len(set(paths)) < len(paths):
        raise ConfigError(f"sweep has {max(paths, key=paths.count)} twice, but must have each field once")
    counts = [len(axis.values) for axis in axes]
    number = math.prod(counts) if mode == "grid" else sum(counts)
    if number > MOST_CELLS:
        raise ConfigError(f"sweep has {number:,} cells, but must have at most {MOST_CELLS:,}")
    own = {axis.path: axis.own for axis in axes}
    cells = [Cell(0, own, config)]
    for values in _grid(axes) if mode == "grid" else _one_at_a_time(axes):
        lab = _lab(config, values, axes)
        if lab != config:
            cells.append(Cell(len(cells), own | values, lab))
    if len(cells) == 1:
        raise ConfigError("sweep changes nothing: every cell is the lab as it is")
    return Sweep(config, axes, mode, tuple(cells))


def _grid(axes: Sequence[Axis]) -> Iterator[dict[str, Any]]:
    for values in itertools.product(*(axis.values for axis in axes)):
        yield {axis.path: value for axis, value in zip(axes, values, strict=True)}


def _one_at_a_time(axes: Sequence[Axis]) -> Iterator[dict[str, Any]]:
    for axis in axes:
        for value in axis.values:
            yield {axis.path: value}


def _lab(config: Lab, values: dict[str, Any], axes: Sequence[Axis]) -> Lab:
    try:
        return changed(config, values)
    except ConfigError as error:
        shown = [axis for axis in axes if axis.path in values]
        name = ", ".join(f"{axis.path}={axis.field.write(values[axis.path])}" for axis in shown)
        raise ConfigError(f"cell {name} is not a valid lab: {error}") from None
