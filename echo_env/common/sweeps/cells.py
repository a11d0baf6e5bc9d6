"""The cells of a sweep: a base config and its variants."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from echo_env.common.config_model import ConfigError
from echo_env.common.sweeps.values import MOST_CELLS, check_mode


class SweptField(Protocol):
    """A field and its values in a sweep."""

    @property
    def path(self) -> str:
        """Dotted path of the field."""

    @property
    def values(self) -> tuple[Any, ...]:
        """At least one, all different."""

    @property
    def own(self) -> Any:
        """The base config's value."""

    def label(self, value: Any) -> str:
        """A value as short text."""


ConfigT = TypeVar("ConfigT")
AxisT = TypeVar("AxisT", bound=SweptField)


@dataclass(frozen=True)
class Cell(Generic[ConfigT]):
    """One config of a sweep.

    :param number: number of the cell; 0 is the base config
    :param values: path of each axis -> value
    :param config: the config
    """

    number: int
    values: dict[str, Any]
    config: ConfigT


@dataclass(frozen=True)
class SweptCells(Generic[ConfigT, AxisT]):
    """A base config and its variants.

    :param base: the base config
    :param axes: the fields that vary
    :param mode: one of :data:`~echo_env.common.sweeps.values.MODES`
    :param cells: the base config, then its variants
    """

    base_name: ClassVar[str] = "base"

    base: ConfigT
    axes: tuple[AxisT, ...]
    mode: str
    cells: tuple[Cell[ConfigT], ...]

    def name(self, cell: Cell[ConfigT]) -> str:
        """``rooms.non_fetal=4, exam.mean_min=50``; one at a time, only the changed field; the base's for cell 0.

        :param cell: one of the cells
        """
        if cell.number == 0:
            return self.base_name
        shown = [axis for axis in self.axes if self.mode == "grid" or cell.values[axis.path] != axis.own]
        return ", ".join(f"{axis.path}={axis.label(cell.values[axis.path])}" for axis in shown)


def check_size(mode: str, wanted: Sequence[str], axes: Sequence[SweptField]) -> None:
    """Refuse a sweep before its cells are made.

    :param mode: as typed
    :param wanted: the fields as typed
    :param axes: what they are
    :raises ConfigError: no such mode, nothing to sweep, a field twice, or too many cells
    """
    check_mode(mode)
    if not wanted:
        raise ConfigError("sweep is empty, but must have at least one FIELD=VALUES")
    paths = [axis.path for axis in axes]
    if len(set(paths)) < len(paths):
        raise ConfigError(f"sweep has {max(paths, key=paths.count)} twice, but must have each field once")
    counts = [len(axis.values) for axis in axes]
    number = math.prod(counts) if mode == "grid" else sum(counts)
    if number > MOST_CELLS:
        raise ConfigError(f"sweep has {number:,} cells, but must have at most {MOST_CELLS:,}")


def make_cells(
    base: ConfigT, axes: Sequence[SweptField], mode: str, vary: Callable[[dict[str, Any]], ConfigT], what: str
) -> tuple[Cell[ConfigT], ...]:
    """The base config and all variants that differ from it.

    :param base: the base config
    :param axes: the fields that vary
    :param mode: ``grid``: all combinations of values; ``one_at_a_time``: all fields but one as in the base config
    :param vary: path -> value, to the config with these
    :param what: a config is, for messages: ``lab``
    :raises ConfigError: a config that is not valid (names the cell), or none that differs
    """
    own = {axis.path: axis.own for axis in axes}
    cells = [Cell(0, own, base)]
    for values in _combinations(axes, mode):
        config = _varied(vary, values, axes, what)
        if own | values != own and config != base:
            cells.append(Cell(len(cells), own | values, config))
    if len(cells) == 1:
        raise ConfigError(f"sweep changes nothing: every cell is the {what} as it is")
    return tuple(cells)


def _combinations(axes: Sequence[SweptField], mode: str) -> Iterator[dict[str, Any]]:
    if mode == "grid":
        for values in itertools.product(*(axis.values for axis in axes)):
            yield {axis.path: value for axis, value in zip(axes, values, strict=True)}
        return
    for axis in axes:
        for value in axis.values:
            yield {axis.path: value}


def _varied(
    vary: Callable[[dict[str, Any]], ConfigT], values: dict[str, Any], axes: Sequence[SweptField], what: str
) -> ConfigT:
    try:
        return vary(values)
    except ConfigError as error:
        shown = [axis for axis in axes if axis.path in values]
        name = ", ".join(f"{axis.path}={axis.label(values[axis.path])}" for axis in shown)
        raise ConfigError(f"cell {name} is not a valid {what}: {error}") from None
