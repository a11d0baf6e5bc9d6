"""The cells of a sweep: its hospitals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from echo_env.common.sweeps.cells import Cell, SweptCells, check_size, make_cells
from echo_env.common.sweeps.values import read_values, split_specification
from echo_env.pathways.config import PathwaysConfig
from echo_env.pathways.sweep.fields import changed, check_field, fields_of, is_number, read, write


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

    def label(self, value: Any) -> str:
        """A value as short text."""
        return write(value)

    def place(self, value: Any) -> int:
        """Place of a value among all, the base hospital's included: in its order, or the base's first.

        :param value: one of them
        """
        if self.own in self.values:
            return self.values.index(value)
        every = (self.own, *self.values)
        return (sorted(every) if self.is_numeric and is_number(self.own) else list(every)).index(value)


@dataclass(frozen=True)
class Sweep(SweptCells[PathwaysConfig, Axis]):
    """A base hospital and its variants; see :class:`~echo_env.common.sweeps.cells.SweptCells`."""

    def along(self, axis: Axis) -> list[tuple[str, list[Cell[PathwaysConfig]]]]:
        """Lines of cells that differ in one field only, each with what it holds fixed, as words.

        :param axis: the field; each line is ordered by it
        """
        lines: dict[tuple[int, ...], list[Cell[PathwaysConfig]]] = {}
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
    axes = tuple(_axis(text, config) for text in wanted)
    check_size(mode, wanted, axes)
    return Sweep(config, axes, mode, make_cells(config, axes, mode, partial(changed, config), "hospital"))


def _axis(text: str, config: PathwaysConfig) -> Axis:
    path, values = split_specification(text, "treatment_effectiveness=0:1.2:0.2")
    check_field(path, config)
    own = fields_of(config)[path]
    numeric, whole = is_number(own), isinstance(own, int)
    found = read_values(path, values, partial(read, path), write, numeric, whole)
    return Axis(path, tuple(sorted(found) if all(map(is_number, found)) else found), own)
