"""Replacing names in rl_zoo3 and SB3, which have no hooks, for as long as one of their functions runs."""

import contextlib
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from stable_baselines3.common import base_class, off_policy_algorithm
from stable_baselines3.common.vec_env import VecNormalize

from sb3_ext.common.saving import save_model_whole, save_pickle_whole, save_statistics_whole, saved_whole


@contextlib.contextmanager
def replaced(owner: object, **attributes: Any) -> Iterator[None]:
    """
    Replace attributes of a module or class within a context.

    :param owner: The module or class
    :param attributes: New values by name
    """
    # A name that the owner does not have, such as that of a builtin in a module, is removed again.
    originals = {name: getattr(owner, name) for name in attributes if hasattr(owner, name)}
    try:
        for name, value in attributes.items():
            setattr(owner, name, value)
        yield
    finally:
        for name in attributes:
            if name in originals:
                setattr(owner, name, originals[name])
            else:
                delattr(owner, name)


def save_arrays_whole(file: Any, *arrays: Any, savez: Callable[..., None], **named: Any) -> None:
    """NumPy's ``savez``, under a temporary name that is then renamed; to an open file as it is."""
    if not isinstance(file, str | os.PathLike):
        savez(file, *arrays, **named)
        return
    path = os.fspath(file)
    with saved_whole(path if path.endswith(".npz") else f"{path}.npz", "") as whole:
        savez(whole, *arrays, **named)


@contextlib.contextmanager
def saving_whole() -> Iterator[None]:
    """
    Have models of every algorithm, replay buffers, ``VecNormalize`` and the log of evaluations saved under temporary
    names, then renamed.
    """
    with (
        replaced(base_class, save_to_zip_file=save_model_whole),
        replaced(off_policy_algorithm, save_to_pkl=save_pickle_whole),
        replaced(VecNormalize, save=save_statistics_whole),
        # SB3's EvalCallback calls it by this name, and writes all evaluations anew each time.
        replaced(np, savez=partial(save_arrays_whole, savez=np.savez)),
    ):
        yield
