"""Observations of several environments: an array with a row for each, or a dictionary of such arrays."""

import math
from typing import Any, TypeAlias

import numpy as np
from gymnasium import spaces

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


class FlatObservations:
    """
    Observations as vectors of numbers: a ``Box`` as it is, of a ``Dict`` its keys one after another in the order of the
    space, ``Discrete`` and ``MultiDiscrete`` parts as one column for each value, as SB3's ``CombinedExtractor`` has it.

    :param space: Observation space, for which :meth:`knows` is True
    """

    def __init__(self, space: spaces.Space[Any]) -> None:
        self._space = space
        self._parts: list[tuple[str, slice, np.ndarray | None]] = []
        width = 0
        for key, part in space.spaces.items() if isinstance(space, spaces.Dict) else ():
            sizes = _sizes_of(part)
            columns = math.prod(part.shape or ()) if sizes is None else int(sizes.sum())
            self._parts.append((key, slice(width, width + columns), sizes))
            width += columns
        #: Numbers of a vector of ``Dict`` observations.
        self.width = width

    @staticmethod
    def knows(space: spaces.Space[Any]) -> bool:
        """
        Whether observations of a space are numbers, apart from how pictures are scaled.

        :param space: Observation space
        :return: True for ``Box``, and ``Dict`` of ``Box``, ``MultiBinary``, ``Discrete`` and flat ``MultiDiscrete``
        """
        if isinstance(space, spaces.Dict):
            kinds = (spaces.Box, spaces.MultiBinary, spaces.Discrete, spaces.MultiDiscrete)
            flat = (not isinstance(part, spaces.MultiDiscrete) or part.nvec.ndim == 1 for part in space.values())
            return all(isinstance(part, kinds) for part in space.values()) and all(flat)
        return isinstance(space, spaces.Box)

    def __call__(self, observations: Observations) -> np.ndarray:
        """
        Make vectors.

        :param observations: (n, *obs_shape), or a dictionary of such arrays
        :return: (n, n_numbers) float32
        :raises ValueError: a ``Discrete`` part has a value that its space does not have
        """
        if not isinstance(observations, dict):
            return observations.reshape(len(observations), -1).astype(np.float32, copy=False)
        n = count_of(observations)
        flat = np.zeros((n, self.width), dtype=np.float32)
        for key, columns, sizes in self._parts:
            values = observations[key].reshape(n, -1)
            if sizes is None:
                flat[:, columns] = values
            else:
                _mark(flat[:, columns], values, sizes, key)
        return flat


def _sizes_of(part: spaces.Space[Any]) -> np.ndarray | None:
    """How many values each of the choices of a part has, None where it is made of numbers."""
    if isinstance(part, spaces.Discrete):
        return np.array([int(part.n)])
    return np.asarray(part.nvec) if isinstance(part, spaces.MultiDiscrete) else None


def _mark(columns: np.ndarray, values: np.ndarray, sizes: np.ndarray, key: str) -> None:
    """Write a 1 into the columns (n, sum of sizes) of the values (n, n_choices)."""
    if ((values < 0) | (values >= sizes)).any():
        raise ValueError(f"observation {key!r} must be below {sizes.tolist()} and at least 0, not {values.tolist()}.")
    columns[np.arange(len(values))[:, None], values + np.cumsum(sizes) - sizes] = 1.0
