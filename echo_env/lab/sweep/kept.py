"""Cache of simulated days, so that an interrupted sweep resumes where it stopped.

The days of one policy in one lab are one file, named by a digest of everything that they depend on, so that results of
different settings are never mixed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from echo_env.common.files.tables import CSV, FORMATS, read_numbers, table_written
from echo_env.common.files.whole import remove_left_behind
from echo_env.lab.config.lab import Lab
from echo_env.lab.simulation.metrics import metrics_of
from echo_env.lab.simulation.policy import Policy

FOLDER = "cells"

Table = dict[str, NDArray[np.float64]]
"""Metric -> (days,)."""


def file_name(config: Lab, policy: Policy, days: int, seed: int, engine: str, kind: str = CSV) -> str:
    """Path of the cached days of a policy in a lab, relative to the folder of the sweep.

    :param config: the lab
    :param policy: identified by its name and, if it has one (as trained models do), its ``fingerprint``
    :param days: number of days
    :param seed: seed of the days
    :param engine: engine that simulates them
    :param kind: of the file, one of :data:`~echo_env.common.files.tables.FORMATS`
    """
    settings = {
        "version": _version(),
        "lab": asdict(cast(Any, config)),
        # Cells kept by versions whose seeds named other days are not taken.
        "luck": "by identity",
        "policy": [policy.name, getattr(policy, "fingerprint", "")],
        "days": days,
        "seed": seed,
        "engine": engine,
        "metrics": list(metrics_of(config)),
    }
    return f"{FOLDER}/{hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:24]}.{kind}"


def _version() -> str:
    """Version of this package: another version may give other numbers."""
    try:
        return version("echo-lab-rl")
    except PackageNotFoundError:
        return ""


def write_table(path: Path, table: Table) -> None:
    """Write days: one row a day, a column for each metric, nothing for nan."""
    with table_written(path, (), list(table)) as write:
        write(table, len(next(iter(table.values()))))


def read_table(path: Path, days: int, metrics: Sequence[str]) -> Table:
    """Read days back, equal to the bit.

    :param path: file written by :func:`write_table`
    :param days: expected number of days
    :param metrics: expected metrics
    :raises ValueError: the file has been edited or damaged
    """
    try:
        table = read_numbers(path)
        if list(table) != list(metrics) or any(len(values) != days for values in table.values()):
            raise ValueError(path)
    except ValueError:
        raise ValueError(f"{path} is damaged or edited: delete it, and its days are simulated again") from None
    return table


def others(folder: Path, names: Iterable[str]) -> list[str]:
    """Cached files in a folder other than the given ones: days of other settings."""
    kept = {f"{FOLDER}/{path.name}" for kind in FORMATS for path in (folder / FOLDER).glob(f"*.{kind}")}
    return sorted(kept - set(names))


def remove_half_written(folder: Path, names: Iterable[str]) -> None:
    """Remove what a killed process has left of cached files while it wrote them.

    :param folder: folder of the sweep
    :param names: the cached files, from :func:`file_name`
    """
    if (folder / FOLDER).is_dir():
        remove_left_behind(folder / FOLDER, [Path(name).name for name in names])
