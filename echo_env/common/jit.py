"""Compiled functions where numba is installed (``pip install 'echo-lab-rl[fast]'``); the same in Python where not."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])

_ROOMS = ("compiled", "simulation", "decisions")
"""Folders with functions that are compiled into others'."""

try:
    import numba
except ModuleNotFoundError:

    def njit(function: Function) -> Function:
        """The function as it is."""
        return function

else:

    @cache
    def _sources() -> tuple[int, int, int]:
        """Of the rooms that hold what is compiled: the number of files, and sums of their sizes and times of change."""
        root = Path(__file__).parents[1]
        files = [path.stat() for room in _ROOMS for path in root.rglob(f"{room}/**/*.py")]
        return len(files), sum(file.st_size for file in files), sum(file.st_mtime_ns for file in files)

    def njit(function: Function) -> Function:
        """The function compiled at its first call, and kept on disk until the package changes.

        Division by zero gives inf or nan, as in numpy.
        """
        compiled = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
        # Numba looks at the function's own file alone, though what it calls from others is compiled into it.
        kept = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
        if kept is not None and hasattr(kept, "_source_stamp"):
            kept._source_stamp = (kept._source_stamp, _sources())
            try:
                kept._load_index()
            except Exception:  # what cannot be unpickled any more was kept by another version
                with contextlib.suppress(OSError):
                    kept.flush()
        return cast(Function, compiled)
