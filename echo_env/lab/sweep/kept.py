"""Days that have been played already, kept so that a sweep that was interrupted goes on where it stopped.

The days of one policy in one lab are a file, named by a digest of all that they depend on. What is asked for under
other settings has another name, so that results of different settings cannot be mixed.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from echo_env.common.files import written_whole
from echo_env.lab.config import LabConfig
from echo_env.lab.evaluation import results
from echo_env.lab.simulation.metrics import METRICS
from echo_env.lab.simulation.policy import Policy

FOLDER = "cells"
_OURS = re.compile(rf"{FOLDER}/(\.?[0-9a-f]{{24}}\.csv)(\..+)?")
"""What we keep, and what is left of it if the machine stops in the middle of writing."""

Table = dict[str, NDArray[np.float64]]
"""Metric -> (days,)."""


def file_name(config: LabConfig, policy: Policy, days: int, seed: int, engine: str) -> str:
    """Where the days of a policy in a lab are kept, from the folder of the sweep on.

    :param config: the lab
    :param policy: told from others by its name, and by its ``fingerprint`` if it has one, as trained models do
    :param days: how many
    :param seed: which
    :param engine: what plays them
    """
    settings = {
        "version": _version(),
        "lab": asdict(config),
        "policy": [policy.name, getattr(policy, "fingerprint", "")],
        "days": days,
        "seed": seed,
        "engine": engine,
        "metrics": list(METRICS),
    }
    return f"{FOLDER}/{hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:24]}.csv"


def _version() -> str:
    """That of this package: another one may play days otherwise."""
    try:
        return version("echo-lab-rl")
    except PackageNotFoundError:
        return ""


def write_table(path: Path, table: Table) -> None:
    """Keep some days: a row for each, :data:`~echo_env.lab.simulation.metrics.METRICS`; what is nan is empty."""
    with written_whole(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(METRICS)
        columns = [map(results.number_text, table[metric].tolist()) for metric in METRICS]
        writer.writerows(zip(*columns, strict=True))


def read_table(path: Path, days: int) -> Table:
    """Read them again, to the bit.

    :param path: where :func:`write_table` kept them
    :param days: how many there must be
    :raises ValueError: the file has been changed
    """
    with open(path, encoding="utf8", newline="") as file:
        header, *rows = csv.reader(file)
    try:
        numbers = np.array([[float(text or "nan") for text in row] for row in rows])
        if header != list(METRICS) or numbers.shape != (days, len(METRICS)):
            raise ValueError(header)
    except ValueError:
        raise ValueError(f"{path} is not what a sweep kept there: delete it, and its days are played again") from None
    return dict(zip(METRICS, np.ascontiguousarray(numbers.T), strict=True))


def others(folder: Path, names: Iterable[str]) -> list[str]:
    """What is kept in a folder beside some files: days of other settings."""
    kept = {f"{FOLDER}/{path.name}" for path in (folder / FOLDER).glob("*.csv")}
    return sorted(kept - set(names))


def own_files(folder: Path) -> set[str]:
    """The files in a folder that sweeps or comparisons wrote there, also sweeps that were interrupted.

    :param folder: one that exists
    """
    kept = {f"{FOLDER}/{path.name}" for path in (folder / FOLDER).glob("*")} if (folder / FOLDER).is_dir() else set()
    return results.own_files(folder) | {name for name in kept if _OURS.fullmatch(name)}


def bring_along(old: Path, new: Path) -> None:
    """Have what is kept in one folder in another one too, where it takes no further space.

    :param old: a folder; it may not exist
    :param new: one that has nothing kept
    """
    (new / FOLDER).mkdir()
    for path in sorted((old / FOLDER).glob("*.csv")):
        try:
            os.link(path, new / FOLDER / path.name)
        except OSError:
            shutil.copyfile(path, new / FOLDER / path.name)
