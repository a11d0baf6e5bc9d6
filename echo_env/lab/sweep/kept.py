"""Cache of simulated days, so that an interrupted sweep resumes where it stopped.

The days of one policy in one lab are one file, named by a digest of everything that they depend on, so that results of
different settings are never mixed.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from echo_env.common.files import number_text, written_whole
from echo_env.common.files.whole import remove_left_behind
from echo_env.lab.config.lab import Lab
from echo_env.lab.simulation.metrics import metrics_of
from echo_env.lab.simulation.policy import Policy

FOLDER = "cells"

Table = dict[str, NDArray[np.float64]]
"""Metric -> (days,)."""


def file_name(config: Lab, policy: Policy, days: int, seed: int, engine: str) -> str:
    """Path of the cached days of a policy in a lab, relative to the folder of the sweep.

    :param config: the lab
    :param policy: identified by its name and, if it has one (as trained models do), its ``fingerprint``
    :param days: number of days
    :param seed: seed of the days
    :param engine: engine that simulates them
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
    return f"{FOLDER}/{hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:24]}.csv"


def _version() -> str:
    """Version of this package: another version may give other numbers."""
    try:
        return version("echo-lab-rl")
    except PackageNotFoundError:
        return ""


def write_table(path: Path, table: Table) -> None:
    """Write days as CSV: one row a day, a column for each metric, empty for nan."""
    with written_whole(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table)
        columns = [map(number_text, values.tolist()) for values in table.values()]
        writer.writerows(zip(*columns, strict=True))


def read_table(path: Path, days: int, metrics: Sequence[str]) -> Table:
    """Read days back, equal to the bit.

    :param path: file written by :func:`write_table`
    :param days: expected number of days
    :param metrics: expected metrics
    :raises ValueError: the file has been edited or damaged
    """
    with open(path, encoding="utf8", newline="") as file:
        header, *rows = csv.reader(file)
    try:
        numbers = np.array([[float(text or "nan") for text in row] for row in rows])
        if header != list(metrics) or numbers.shape != (days, len(metrics)):
            raise ValueError(header)
    except ValueError:
        raise ValueError(f"{path} is damaged or edited: delete it, and its days are simulated again") from None
    return dict(zip(metrics, np.ascontiguousarray(numbers.T), strict=True))


def others(folder: Path, names: Iterable[str]) -> list[str]:
    """Cached files in a folder other than the given ones: days of other settings."""
    kept = {f"{FOLDER}/{path.name}" for path in (folder / FOLDER).glob("*.csv")}
    return sorted(kept - set(names))


def remove_half_written(folder: Path, names: Iterable[str]) -> None:
    """Remove what a killed process has left of cached files while it wrote them.

    :param folder: folder of the sweep
    :param names: the cached files, from :func:`file_name`
    """
    if (folder / FOLDER).is_dir():
        remove_left_behind(folder / FOLDER, [Path(name).name for name in names])
