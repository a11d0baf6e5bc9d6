"""Observations of several environments: an array with a row for each, or a dictionary of such arrays."""

from typing import Any, TypeAlias

import numpy as np

Observations: TypeAlias = np.ndarray | dict[str, np.ndarray]
"""(n, *obs_shape), or by key of a ``Dict`` space (n, *shape of the key)."""


def count_of(observations: Observations) -> int:
    """
    Number of observations.

    :param observations: (n, *obs_shape), or a dictionary of arrays
    :return: n
    """
    return len(next(iter(observations.values())) if isinstance(observations, dict) else observations)


def some_of(observations: Observations, which: Any) -> Observations:
    """
    Some of several observations.

    :param observations: (n, *obs_shape), or a dictionary of arrays
    :param which: Index of the first axis, such as a mask of n booleans
    :return: the same of those
    """
    if isinstance(observations, dict):
        return {key: part[which] for key, part in observations.items()}
    chosen: np.ndarray = observations[which]
    return chosen


def as_observation(given: Any) -> Observations:
    """
    What a user passes to ``predict``, as arrays.

    :param given: Observation of one environment or of several
    :return: the same as an array, or as a dictionary of arrays
    :raises ValueError: it is the tuple that ``reset()`` of a Gymnasium environment returns
    """
    if isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], dict):
        raise ValueError(
            "predict() was given a tuple in place of an observation: you are probably mixing Gym API, "
            "`obs, info = env.reset()`, with SB3's VecEnv API, `obs = vec_env.reset()`."
        )
    if isinstance(given, dict):
        return {key: np.asarray(part) for key, part in given.items()}
    return np.asarray(given)
