"""``--vec-env native``: environments made by their own ``vector_entry_point``."""

import os
from collections.abc import Sequence
from typing import Any

import gymnasium as gym
from stable_baselines3.common.vec_env import VecEnv

from sb3_ext.common.vec_env import GymnasiumVecEnv
from sb3_ext.zoo.errors import UsageError, first_line


def check_native(env_id: str, hyperparams: dict[str, Any], env_kwargs: dict[str, Any]) -> None:
    """
    Check that an environment can be made by its own ``vector_entry_point``.

    :param env_id: Id of the environment
    :param hyperparams: Its hyperparameters in the config
    :param env_kwargs: Its arguments
    """
    if "max_episode_steps" in env_kwargs:
        raise UsageError("--vec-env native: max_episode_steps wraps single environments, so choose dummy or subproc.")
    if gym.spec(env_id).vector_entry_point is None:
        raise UsageError(f"--vec-env native: {env_id} has no vector_entry_point, so choose dummy or subproc.")
    if hyperparams.get("env_wrapper"):
        raise UsageError("--vec-env native: the config's env_wrapper wraps single environments, so leave one out.")


def make_native(
    env_id: str,
    env_kwargs: dict[str, Any],
    log_folder: str | None,
    info_keywords: tuple[str, ...],
    env_fns: Sequence[Any],
) -> VecEnv:
    """
    Make environments by their own ``vector_entry_point``, where ``make_vec_env`` asks for a ``VecEnv`` class.

    :param env_id: Id of the environment
    :param env_kwargs: Arguments for it
    :param log_folder: Folder for the statistics of episodes, or ``None``
    :param info_keywords: Entries of ``info`` that the statistics should hold too
    :param env_fns: Makers of single environments, of which only the number counts
    :return: the environments
    """
    try:
        # gym.make's own argument, for its checker of single environments.
        kwargs = {name: value for name, value in env_kwargs.items() if name != "disable_env_checker"}
        env = gym.make_vec(env_id, len(env_fns), vectorization_mode="vector_entry_point", **kwargs)
    except gym.error.Error as error:
        raise UsageError(f"--vec-env native: {first_line(error)}") from error
    monitor_file = None
    if log_folder is not None:
        os.makedirs(log_folder, exist_ok=True)
        # The name under which rl_zoo3's plots find it.
        monitor_file = os.path.join(log_folder, "0.monitor.csv")
    return GymnasiumVecEnv(env, monitor_file, info_keywords)
