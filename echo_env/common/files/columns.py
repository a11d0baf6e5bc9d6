"""Columns of numbers that arrive in parts: in memory while they are few, else in a temporary file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from tempfile import TemporaryFile
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_ROWS = 100_000
"""Longer columns are in a file, so that memory does not grow with them."""


class Columns(Mapping[str, Floats]):
    """Columns of the same length, all 0 at first.

    Those of a file are arrays that the operating system reads when they are looked at, and forgets with the array. The
    file lies where temporary files do (``TMPDIR``), and nobody else sees it.

    :param names: of the columns
    :param rows: their length
    """

    def __init__(self, names: Sequence[str], rows: int) -> None:
        self._places, self._rows = {name: place for place, name in enumerate(names)}, rows
        # Open as long as there are columns.
        self._file: Any = TemporaryFile(prefix="echo-lab-") if rows > MOST_ROWS else None  # noqa: SIM115
        self._kept = {} if self._file else {name: np.zeros(rows) for name in names}
        if self._file:
            self._file.truncate(8 * rows * len(names))

    def put(self, first: int, part: Mapping[str, Floats]) -> None:
        """Write some rows of all columns.

        :param first: number of the first row
        :param part: name -> (n,) float64
        :raises OSError: the disk is full
        """
        for name, place in self._places.items():
            own = np.ascontiguousarray(part[name], dtype=np.float64)
            if self._file:
                self._file.seek(8 * (self._rows * place + first))
                self._file.write(own)
            else:
                self._kept[name][first : first + len(own)] = own

    def __getitem__(self, name: str) -> Floats:
        if not self._file:
            return self._kept[name]
        self._file.flush()
        offset = 8 * self._rows * self._places[name]
        return np.memmap(self._file, np.float64, "r", offset, (self._rows,))

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles hold the numbers in memory."""
        return dict, ({name: np.array(own) for name, own in self.items()},)
