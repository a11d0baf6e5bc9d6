"""The cells of a sweep: its labs.

Day k of a seed has the same luck in all of them: patients and members of staff whom two labs have in common, by their
place in the lists of the config, share all random numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from echo_env.common.sweeps.cells import Cell, SweptCells, check_size, make_cells
from echo_env.lab.config.lab import Lab
from echo_env.lab.sweep.axes import Axis, read_axis
from echo_env.lab.sweep.fields import changed
from echo_env.lab.sweep.kinds import Kind


@dataclass(frozen=True)
class Sweep(SweptCells[Lab, Axis]):
    """A base lab and its variants; see :class:`~echo_env.common.sweeps.cells.SweptCells`."""

    base_name: ClassVar[str] = "base lab"

    def held(self, *moving: Axis) -> dict[str, Any]:
        """Path -> value of the fields held fixed while ``moving`` vary.

        One at a time, that is the base lab's value; in a grid, :attr:`Axis.home`.
        """
        one = self.mode == "one_at_a_time"
        return {axis.path: axis.own if one else axis.home for axis in self.axes if axis not in moving}

    def along(self, axis: Axis, fixed: dict[str, Any] | None = None) -> list[Cell[Lab]]:
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
    axes = tuple(read_axis(text, config) for text in wanted)
    check_size(mode, wanted, axes)
    return Sweep(config, axes, mode, make_cells(config, axes, mode, partial(changed, config), "lab"))
