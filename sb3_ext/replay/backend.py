"""Whether Numba is there; without it everything works the same, only slower."""

import functools
import importlib
import importlib.util
from types import ModuleType


@functools.cache
def load_kernels() -> ModuleType | None:
    """
    The compiled loops, which are imported when first needed: Numba takes a second.

    :return: :mod:`sb3_ext.replay.kernels`, or None if Numba is not installed
    """
    if importlib.util.find_spec("numba") is None:
        return None
    return importlib.import_module("sb3_ext.replay.kernels")
