"""``--vec-env native``: environments made by their own ``vector_entry_point``."""

import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import gymnasium as gym
from gymnasium.vector import VectorEnv
from stable_baselines3.common.vec_env import VecEnv

from sb3_ext.common.vec_env import GymnasiumVecEnv
from sb3_ext.zoo.errors import UsageError, first_line

#: Attribute of a wrapper's class: the class of what does the same to a ``VectorEnv``.
VECTOR_FORM = "vector_form"


def why_not_native(env_id: str, hyperparams: Mapping[str, Any], env_kwargs: Mapping[str, Any]) -> str | None:
    """
    Why an environment cannot be made by its own ``vector_entry_point``.

    :param env_id: Id of the environment
    :param hyperparams: Its hyperparameters in the config
    :param env_kwargs: Its arguments
    :return: in words; ``None`` where it can
    """
    if "max_episode_steps" in env_kwargs:
        return "max_episode_steps wraps single environments, so choose dummy or subproc."
    if gym.spec(env_id).vector_entry_point is None:
        return f"{env_id} has no vector_entry_point, so choose dummy or subproc."
    if None in vector_wrappers(hyperparams):
        return "the config's env_wrapper wraps single environments, so leave one out."
    return None


def vector_wrappers(hyperparams: Mapping[str, Any]) -> list[Callable[[VectorEnv], VectorEnv] | None]:
    """
    The config's wrappers as they are for a ``VectorEnv``, the innermost first.

    :param hyperparams: Hyperparameters in the config; what is in ``env_wrapper`` can be imported
    :return: one for each wrapper; ``None`` for one that has no ``vector_form``
    """
    given = hyperparams.get("env_wrapper") or []
    return [_vector_form(entry) for entry in (given if isinstance(given, list) else [given])]


def _vector_form(entry: Any) -> Callable[[VectorEnv], VectorEnv] | None:
    named, kwargs = next(iter(entry.items())) if isinstance(entry, dict) else (entry, {})
    if isinstance(named, str):
        module, _, name = named.rpartition(".")
        named = getattr(importlib.import_module(module), name)
    # Its own, and not that of a class from which it inherits: it may do more.
    form: Callable[..., VectorEnv] | None = vars(named).get(VECTOR_FORM)
    return None if form is None else partial(form, **kwargs)


def make_native(
    env_id: str,
    env_kwargs: dict[str, Any],
    log_folder: str | None,
    monitor: Mapping[str, Any],
    wrappers: Sequence[Callable[[VectorEnv], VectorEnv]],
    env_fns: Sequence[Any],
) -> VecEnv:
    """
    Make environments by their own ``vector_entry_point``, where ``make_vec_env`` asks for a ``VecEnv`` class.

    :param env_id: Id of the environment
    :param env_kwargs: Arguments for it
    :param log_folder: Folder for the statistics of episodes, or ``None``
    :param monitor: Arguments of ``GymnasiumVecEnv`` for the statistics
    :param wrappers: Wrappers of the vectorized environment, the innermost first
    :param env_fns: Makers of single environments, of which only the number counts
    :return: the environments
    """
    try:
        # gym.make's own argument, for its checker of single environments.
        kwargs = {name: value for name, value in env_kwargs.items() if name != "disable_env_checker"}
        env = gym.make_vec(env_id, len(env_fns), vectorization_mode="vector_entry_point", **kwargs)
    except gym.error.Error as error:
        raise UsageError(f"--vec-env native: {first_line(error)}") from error
    for wrapper in wrappers:
        env = wrapper(env)
    monitor_file = None
    if log_folder is not None:
        os.makedirs(log_folder, exist_ok=True)
        # The name under which rl_zoo3's plots find it.
        monitor_file = os.path.join(log_folder, "0.monitor.csv")
    return GymnasiumVecEnv(env, monitor_file, **monitor)
