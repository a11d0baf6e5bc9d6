"""Infos of gymnasium's vector environments, one dict of arrays, as SB3 wants them: one dict per environment."""

from collections.abc import Iterable
from typing import Any

import numpy as np


def with_rows(now: np.ndarray, other: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """
    A copy of an array with some rows from another.

    :param now: (n_envs, ...)
    :param other: (n_envs, ...)
    :param rows: (n_envs,) bool, which to take from ``other``
    :return: (n_envs, ...)
    """
    copied = np.array(now)
    copied[rows] = other[rows]
    return copied


def rows_of(info: dict[str, Any], n_envs: int, leave_out: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """
    The info of a ``VectorEnv`` as one dictionary per environment, with Python numbers and copies of arrays.

    :param info: Arrays by name; ``_name``, (n_envs,) bool, says of which environments they tell, by default of all
    :param n_envs: Number of environments
    :param leave_out: Names to leave out
    :return: n_envs dictionaries
    """
    rows: list[dict[str, Any]] = [{} for _ in range(n_envs)]
    fill(rows, info, leave_out)
    return rows


def fill(rows: list[dict[str, Any]], info: dict[str, Any], leave_out: tuple[str, ...]) -> None:
    """
    Write the info of a ``VectorEnv`` into one dictionary per environment.

    :param rows: n_envs dictionaries
    :param info: As in :func:`rows_of`
    :param leave_out: Names to leave out
    """
    for name, value in info.items():
        if name.startswith("_") or name in leave_out:
            continue
        told = info.get(f"_{name}")
        column = column_of(value, len(rows))
        if told is None or told.all():
            put(rows, name, column)
        else:
            for i in np.flatnonzero(told).tolist():
                rows[i][name] = column[i]


def taken(info: dict[str, Any], which: np.ndarray) -> dict[str, Any]:
    """
    The info of a ``VectorEnv`` about some of its environments.

    :param info: As in :func:`rows_of`
    :param which: (n,) int, which environments
    :return: the same of n environments
    """

    def of(value: Any) -> Any:
        if isinstance(value, dict):
            return taken(value, which)
        if isinstance(value, np.ndarray) and value.ndim > 0:
            return value[which]
        return [value[i] for i in which] if isinstance(value, list | tuple) else value

    return {name: of(value) for name, value in info.items()}


def column_of(value: Any, n_envs: int) -> list[Any]:
    """
    One entry of the info of a ``VectorEnv`` by environment.

    :param value: Dictionary as in :func:`rows_of`, or (n_envs, ...) array or list, or one thing for all
    :param n_envs: Number of environments
    :return: n_envs values
    """
    if isinstance(value, dict):
        return rows_of(value, n_envs)
    if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype != object:
        return list(value.tolist())
    if isinstance(value, np.ndarray) and value.ndim > 0:
        return list(value.copy())
    return list(value) if isinstance(value, list | tuple) else [value] * n_envs


def put(rows: list[dict[str, Any]], name: str, values: Iterable[Any]) -> None:
    """
    Write a column of values into dictionaries.

    :param rows: The dictionaries
    :param name: Under which name
    :param values: One for each
    """
    # A loop over one key at a time: twice as fast as making each dictionary of all its keys.
    for row, value in zip(rows, values, strict=True):
        row[name] = value


def row_of(batch: Any, i: int) -> Any:
    """
    One environment's part of a batch of observations.

    :param batch: (n_envs, ...) array, array of n_envs objects, or a dictionary of such arrays
    :param i: Which environment
    :return: its observation
    """
    return {key: values[i] for key, values in batch.items()} if isinstance(batch, dict) else batch[i]
