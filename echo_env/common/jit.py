"""Compiled functions where numba is installed (``pip install 'echo-lab-rl[fast]'``); the same in Python where not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])

try:
    import numba
except ModuleNotFoundError:

    def njit(function: Function) -> Function:
        """The function as it is."""
        return function

else:

    def njit(function: Function) -> Function:
        """The function compiled at its first call, and kept on disk.

        Division by zero gives inf or nan, as in numpy.
        """
        return cast(Function, numba.njit(cache=True, nogil=True, error_model="numpy")(function))
