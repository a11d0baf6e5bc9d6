"""Replacing names in rl_zoo3 and SB3, which have no hooks, for as long as one of their functions runs."""

import contextlib
from collections.abc import Iterator
from typing import Any

from stable_baselines3.common import off_policy_algorithm
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecNormalize

from sb3_ext.common.saving import save_pickle_whole, save_statistics_whole
from sb3_ext.zoo.saved.plain import describing


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


@contextlib.contextmanager
def saving_whole() -> Iterator[None]:
    """
    Have models of every algorithm, replay buffers and ``VecNormalize`` saved under temporary names, then renamed.

    A model's zip also describes it, so that acting as it needs no pickle.
    """
    with (
        replaced(BaseAlgorithm, save=describing(BaseAlgorithm.save)),
        replaced(off_policy_algorithm, save_to_pkl=save_pickle_whole),
        replaced(VecNormalize, save=save_statistics_whole),
    ):
        yield
