"""Infos of many labs at once, in Gymnasium's form: an array for each key, and a mask ``_key`` of whom it is about."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config.lab import Lab
from echo_env.lab.simulation.metrics import DayResults, metrics_table, told_metrics
from echo_env.lab.simulation.penalty import PenaltyParts

Kind = TypeVar("Kind", bound=np.generic)


def with_masks(told: dict[str, Any], whom: NDArray[np.bool_]) -> dict[str, Any]:
    """Add masks to arrays, also to those in dictionaries among them.

    :param told: arrays by name
    :param whom: (B,) bool, whom they are about; all masks are this array
    """
    info: dict[str, Any] = {}
    for name, values in told.items():
        info[name] = with_masks(values, whom) if isinstance(values, dict) else values
        info[f"_{name}"] = whom
    return info


def only(values: NDArray[Kind], which: NDArray[np.int64]) -> NDArray[Kind]:
    """A copy in which the rows of all other labs are zero.

    :param values: (B, ...)
    :param which: (n,) the labs
    """
    rows = np.zeros_like(values)
    rows[which] = values[which]
    return rows


def penalty_table(parts: PenaltyParts) -> NDArray[np.float64]:
    """(8, B) float64, the penalty and its parts.

    :param parts: (B,) each
    """
    return np.array([parts.total, *parts])


def penalty_info(table: NDArray[np.float64]) -> dict[str, Any]:
    """The entries ``penalty`` and ``penalty_parts``.

    :param table: see :func:`penalty_table`; they are its rows
    """
    return {"penalty": table[0], "penalty_parts": dict(zip(PenaltyParts._fields, table[1:], strict=True))}


def metrics_info(config: Lab, results: DayResults, which: NDArray[np.int64], count: int) -> dict[str, Any]:
    """The metrics of days that have ended, with masks; a mean over nobody is left out.

    :param config: the lab
    :param results: of n days
    :param which: (n,) in which labs
    :param count: how many labs there are, B
    """
    table = metrics_table(config, results, told_metrics(config))
    values = np.array(list(table.values()))
    known = ~np.isnan(values)
    rows, whom = np.zeros((len(table), count)), np.zeros((len(table), count), dtype=np.bool_)
    rows[:, which], whom[:, which] = np.where(known, values, 0.0), known
    info: dict[str, Any] = {}
    for name, row, its, somebody in zip(table, rows, whom, known.any(axis=1).tolist(), strict=True):
        if somebody:
            info[name], info[f"_{name}"] = row, its
    return info
