"""How transitions are laid out in memory: one record each, with the observations as fields."""

import warnings
from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.preprocessing import get_obs_shape

from sb3_ext.common.observations import Observations

try:
    import psutil  # type: ignore[import-untyped]
except ImportError:  # one of SB3's extras
    psutil = None


def observation_type(space: spaces.Space[Any]) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """
    What one observation is in a record.

    :param space: Observation space
    :return: dtype and shape; of a ``Dict`` a dtype with a field for each key
    :raises ValueError: a key of the ``Dict`` holds more keys
    """
    if not isinstance(space, spaces.Dict):
        return np.dtype(space.dtype), _shape_of(space)
    nested = [key for key, part in space.items() if isinstance(part, spaces.Dict | spaces.Tuple)]
    if nested:
        raise ValueError(
            f"observation_space must be an unnested Dict of arrays, and {nested[0]!r} is {space[nested[0]]}."
        )
    return np.dtype([(key, part.dtype, _shape_of(part)) for key, part in space.items()], align=True), ()


def _shape_of(space: spaces.Space[Any]) -> tuple[int, ...]:
    shape = get_obs_shape(space)
    assert isinstance(shape, tuple)
    return shape


def as_observations(field: np.ndarray) -> Observations:
    """
    The observations in a field of records.

    :param field: (..., *obs_shape), or (...) with a field for each key
    :return: the field itself, or a dictionary with a view for each key
    """
    names = field.dtype.names
    return field if names is None else {name: field[name] for name in names}


def write_observations(stored: Observations, position: int, given: Observations) -> None:
    """
    Write the observations of all environments into one position of a buffer.

    :param stored: (buffer_size, n_envs, *obs_shape), or a dictionary of such arrays
    :param position: Which
    :param given: (n_envs, *obs_shape), or a dictionary; numbers of ``Discrete`` spaces may be (n_envs,)
    """
    if isinstance(stored, dict):
        assert isinstance(given, dict)
        for key, part in stored.items():
            part[position] = shaped(given[key], part.shape[1:])
    else:
        stored[position] = shaped(given, stored.shape[1:])


def shaped(given: Any, shape: tuple[int, ...]) -> np.ndarray:
    """
    Values in a shape, which they mostly have already: ``np.reshape`` takes longer than writing a few numbers.

    :param given: Array, or what can be made one
    :param shape: Wanted
    :return: the values in it
    """
    values = np.asarray(given)
    return values if values.shape == shape else values.reshape(shape)


def warn_of_memory(n_bytes: int) -> None:
    """
    Warn, as SB3 does, of a buffer that does not fit into memory.

    :param n_bytes: What the whole buffer will take
    """
    available = float("inf") if psutil is None else psutil.virtual_memory().available
    if n_bytes > available:
        warnings.warn(
            "This system does not have apparently enough memory to store the complete "
            f"replay buffer {n_bytes / 1e9:.2f}GB > {available / 1e9:.2f}GB",
            stacklevel=2,
        )
