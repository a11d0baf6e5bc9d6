"""What a comparison leaves behind: a summary, and a row for each cell, policy and draw."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from echo_env.common.files import files_in, listed_files, number_text, written_whole
from echo_env.pathways.evaluation.comparison import Comparison
from echo_env.pathways.simulation.metrics import METRICS

SUMMARY = "summary.json"
DRAWS = "draws.csv"


def write_draws(folder: Path, comparison: Comparison) -> None:
    """Write ``draws.csv``: ``resources``, ``patients``, ``policy``, ``draw``, then the metrics, means over trials.

    What is nan is empty.

    :param folder: where
    :param comparison: what the policies did
    """
    with written_whole(folder / DRAWS) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["resources", "patients", "policy", "draw", *METRICS])
        writer.writerows(_rows(comparison))


def _rows(comparison: Comparison) -> Iterator[list[Any]]:
    for cell in comparison.values:
        for name in comparison.policies:
            columns = [comparison.by_draw(cell, name, metric).tolist() for metric in METRICS]
            for draw, row in enumerate(zip(*columns, strict=True)):
                yield [cell.resources, cell.patients, name, draw, *map(number_text, row)]


def summary(comparison: Comparison, env: str, **more: Any) -> dict[str, Any]:
    """What ``summary.json`` and ``--json`` hold: means, intervals and standard deviations over draws, differences.

    :param comparison: what the policies did
    :param env: what to call the hospital
    :param more: further entries
    """
    return {
        "env": env,
        **comparison.to_dict(),
        "metrics": {name: {"unit": unit, "meaning": meaning} for name, (unit, meaning) in METRICS.items()},
        "config": asdict(comparison.config),
        **more,
    }


def write_summary(folder: Path, content: dict[str, Any]) -> None:
    """Write ``summary.json``, last of all files: it lists those that are there.

    :param folder: where
    :param content: from :func:`summary`
    """
    # Before the file is begun, under a name that is not its last.
    files = sorted({*files_in(folder), SUMMARY})
    with written_whole(folder / SUMMARY) as file:
        json.dump({**content, "files": files}, file, indent=2, allow_nan=False)


def own_files(folder: Path) -> set[str]:
    """The files in a folder that an earlier comparison wrote there, as its summary says.

    :param folder: one that exists
    """
    return listed_files(folder / SUMMARY)
