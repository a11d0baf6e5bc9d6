"""The loops of prioritized replay: compiled where Numba is installed, in numpy otherwise."""

import functools
import importlib
import importlib.util
from types import ModuleType


@functools.cache
def load_kernels(compiled: bool = True) -> ModuleType:
    """
    The functions ``refresh``, ``find`` and ``draw``, which give the same numbers to the bit in either module.

    They are written twice because one text serves one of the two badly. A draw of 1,024 transitions out of 100,000
    takes 0.14 ms with compiled loops and 0.8 ms with numpy on whole levels. The loops without Numba take 0.05 s, which
    would make a training several times as slow; the numpy text compiled takes three times as long as the loops.

    :param compiled: Whether to use Numba where it is installed; importing it takes a second
    :return: :mod:`sb3_ext.replay.compiled_kernels` or :mod:`sb3_ext.replay.numpy_kernels`
    """
    use_numba = compiled and importlib.util.find_spec("numba") is not None
    return importlib.import_module(f"sb3_ext.replay.{'compiled' if use_numba else 'numpy'}_kernels")
