"""The transitions of a step of a vectorized environment, as arrays."""

from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from sb3_ext.common.observations import Observations

# Entry of ``info`` by which SB3 tells a truncated episode from a terminated one.
TRUNCATED_KEY = "TimeLimit.truncated"


def truncations(dones: np.ndarray, infos: list[dict[str, Any]]) -> np.ndarray:
    """
    Where an episode was cut off in a state that is not terminal.

    :param dones: (n_envs,) bool
    :param infos: of each environment
    :return: (n_envs,) bool
    """
    truncated = np.zeros(len(dones), dtype=bool)
    if not dones.any():
        return truncated
    for i in np.flatnonzero(dones):
        truncated[i] = infos[i].get(TRUNCATED_KEY, False)
    return truncated


def true_next_observations(
    new_obs: Observations, dones: np.ndarray, infos: list[dict[str, Any]], normalizer: VecNormalize | None
) -> Observations:
    """
    The observations that the step led to, also where the next episode has already begun.

    :param new_obs: (n_envs, *obs_shape), as the environments gave them, or a dictionary of such arrays
    :param dones: (n_envs,) bool
    :param infos: of each environment
    :param normalizer: by which ``terminal_observation`` is normalized
    :return: new_obs itself where no episode ended, else a copy
    """
    if not dones.any():
        return new_obs
    ended = [i for i in np.flatnonzero(dones) if infos[i].get("terminal_observation") is not None]
    if isinstance(new_obs, dict):
        next_parts = {key: np.array(part) for key, part in new_obs.items()}
        for i in ended:
            last = infos[i]["terminal_observation"]
            last = last if normalizer is None else normalizer.unnormalize_obs(last)
            for key, part in next_parts.items():
                part[i] = last[key]
        return next_parts
    next_obs = np.array(new_obs)
    for i in ended:
        next_obs[i] = infos[i]["terminal_observation"]
        if normalizer is not None:
            next_obs[i] = normalizer.unnormalize_obs(next_obs[i])
    return next_obs


def elapsed_units(env: VecEnv, key: str | None, dones: np.ndarray, infos: list[dict[str, Any]]) -> np.ndarray | None:
    """
    The units of time that the step took, from a VecEnv's ``step_values`` if it has them, else from ``infos``.

    :param env: the vectorized environment
    :param key: entry of ``info``, or None if time does not matter
    :param dones: (n_envs,) bool
    :param infos: of each environment
    :return: (n_envs,) float64, nan where the environment did not say; or None
    """
    if key is None:
        return None
    step_values = getattr(env, "step_values", None)
    if step_values is not None and all(key in infos[i] for i in (0, *np.flatnonzero(dones))):
        return np.asarray(step_values(key), dtype=np.float64)
    return np.array([info.get(key) for info in infos], dtype=np.float64)
