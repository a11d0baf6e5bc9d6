"""The infos of a step of a vectorized environment, made when they are first read."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload


class StepInfos(Sequence[dict[str, Any]]):
    """
    A list of one dictionary per environment that is made when it is first read. Making it takes as long as all else
    of a step of a single environment, and an algorithm that gets masks as arrays reads it only where an episode ends.

    :param n_envs: Number of environments
    :param make: Makes the dictionaries
    """

    def __init__(self, n_envs: int, make: Callable[[], list[dict[str, Any]]]) -> None:
        self._n_envs = n_envs
        self._make: Callable[[], list[dict[str, Any]]] | None = make
        self._rows: list[dict[str, Any]] = []

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The dictionaries."""
        if self._make is not None:
            self._rows, self._make = self._make(), None
        return self._rows

    def __len__(self) -> int:
        """Number of environments."""
        return self._n_envs

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...

    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Any]]: ...

    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        """One dictionary, or a list of several."""
        return self.rows[index]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The dictionaries."""
        return iter(self.rows)

    def __eq__(self, other: object) -> bool:
        """Whether the other is an equal list of dictionaries."""
        return self.rows == (other.rows if isinstance(other, StepInfos) else other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """As a list's."""
        return repr(self.rows)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled, it is a list."""
        return list, (self.rows,)
