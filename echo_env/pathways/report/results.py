"""A comparison as files: a summary, and one row for each size, policy and draw."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from echo_env.common.files import number_text, text_cell, written_whole
from echo_env.common.results import SUMMARY, write_summary
from echo_env.pathways.evaluation.comparison import Comparison
from echo_env.pathways.simulation.metrics import METRICS

__all__ = ["DRAWS", "SUMMARY", "summary", "write_draws", "write_summary"]

DRAWS = "draws.csv"


def write_draws(folder: Path, comparison: Comparison) -> None:
    """Write ``draws.csv``: ``resources``, ``patients``, ``policy``, ``draw``, then the metrics (means over trials).

    Undefined values (nan) are empty.

    :param folder: folder of the comparison
    :param comparison: the comparison
    """
    with written_whole(folder / DRAWS) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["resources", "patients", "policy", "draw", *METRICS])
        writer.writerows(_rows(comparison))


def _rows(comparison: Comparison) -> Iterator[list[Any]]:
    for size in comparison.values:
        for name in comparison.policies:
            columns = [comparison.by_draw(size, name, metric).tolist() for metric in METRICS]
            for draw, row in enumerate(zip(*columns, strict=True)):
                yield [size.resources, size.patients, text_cell(name), draw, *map(number_text, row)]


def summary(comparison: Comparison, env: str, **more: Any) -> dict[str, Any]:
    """Content of ``summary.json`` and ``--json``: means, intervals and standard deviations over draws, differences.

    :param comparison: the comparison
    :param env: name of the hospital
    :param more: further entries
    """
    return {
        "env": env,
        **comparison.to_dict(),
        "metrics": {name: {"unit": unit, "meaning": meaning} for name, (unit, meaning) in METRICS.items()},
        "config": asdict(comparison.config),
        **more,
    }
