"""A sweep as files and on a terminal."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from echo_env.common.files import number_text, text_cell, written_whole
from echo_env.common.results import SUMMARY, write_summary
from echo_env.common.stats import Estimate
from echo_env.common.tables import cell as number
from echo_env.common.tables import new_console, new_table, print_table
from echo_env.pathways.simulation.metrics import METRICS
from echo_env.pathways.sweep.cells import Cell
from echo_env.pathways.sweep.fields import write
from echo_env.pathways.sweep.results import SweepResults

__all__ = ["LONG", "SUMMARY", "print_sweep", "summary", "sweep_table", "write_long", "write_summary"]

LONG = "sweep.csv"
UTILITY = "utility"
_INTERVAL = ("mean", "ci95_low", "ci95_high")


def write_long(folder: Path, results: SweepResults) -> None:
    """Write ``sweep.csv``: one row for each cell, policy and metric.

    Columns: ``cell`` (0 is the base hospital), ``label``, one for each field, ``policy``, ``metric``, ``unit``,
    ``draws``, then, each with its 95 % interval, the mean, the difference to the base hospital under the same policy,
    and the paired difference of the reference to the policy in the same cell.

    :param folder: where
    :param results: the sweep
    """
    axes, draws = results.sweep.axes, results.comparisons[0].shape[0]
    numbers = [f"{name}{part}" for name in ("", "minus_base_", "reference_minus_") for part in _INTERVAL]
    with written_whole(folder / LONG) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["cell", "label", *(axis.path for axis in axes), "policy", "metric", "unit", "draws", *numbers])
        for cell in results.sweep.cells:
            values = [text_cell(write(cell.values[axis.path])) for axis in axes]
            first = [cell.number, text_cell(results.sweep.name(cell)), *values]
            writer.writerows([*first, *row[:3], draws, *row[3:]] for row in _rows(results, cell))


def _rows(results: SweepResults, cell: Cell) -> Iterator[list[Any]]:
    for policy in results.policies:
        for metric, (unit, _) in METRICS.items():
            base = results.minus_base(cell, policy, metric) if cell.number else None
            other = results.advantage(cell, policy, metric) if policy in results.others else None
            every = [results.mean(cell, policy, metric), base, other]
            yield [text_cell(policy), metric, unit, *(text for value in every for text in _texts(value))]


def _texts(value: Estimate | None) -> list[str]:
    return [number_text(own) for own in (value[:3] if value is not None else (math.nan,) * 3)]


def summary(results: SweepResults, env: str, **more: Any) -> dict[str, Any]:
    """Content of ``summary.json`` and ``--json``.

    :param results: the sweep
    :param env: name of the hospital
    :param more: further entries
    """
    sweep = results.sweep
    cells = [
        {"label": sweep.name(cell), "values": cell.values, "comparison": results.comparisons[cell.number].to_dict()}
        for cell in sweep.cells
    ]
    return {
        "env": env,
        "fields": [{"path": axis.path, "values": axis.values, "own": axis.own} for axis in sweep.axes],
        "mode": sweep.mode,
        "cells": cells,
        "metrics": {name: {"unit": unit, "meaning": meaning} for name, (unit, meaning) in METRICS.items()},
        "config": asdict(sweep.base),
        **more,
    }


def print_sweep(results: SweepResults, title: str, console: Console | None = None) -> None:
    """Print utility of every policy in every cell, and the reference's advantage over the others.

    :param results: the sweep
    :param title: heading of all tables
    :param console: where; by default standard output
    """
    console = console or new_console()
    console.print(escape(title), style="bold")
    print_table(console, sweep_table(results, advantage=False))
    if results.others:
        print_table(console, sweep_table(results, advantage=True))


def _row_name(results: SweepResults, cell: Cell) -> str:
    """Name of a cell; in a grid, the base hospital's values too."""
    sweep = results.sweep
    if cell.number or sweep.mode != "grid":
        return sweep.name(cell)
    return f"{sweep.name(cell)}: {', '.join(f'{axis.path}={write(axis.own)}' for axis in sweep.axes)}"


def sweep_table(results: SweepResults, advantage: bool) -> Table:
    """A row for each cell, a column for each policy.

    :param results: the sweep
    :param advantage: the reference's utility minus that of the others, bold where the interval excludes 0; else the
        utility of all
    """
    caption = "mean ± half of the 95 % interval over draws"
    title = f"utility of {results.reference} minus that of others" if advantage else "utility"
    table = new_table(title, f"{caption}, common random numbers" if advantage else caption)
    table.add_column("hospital", overflow="fold")
    policies = results.others if advantage else results.policies
    for name in policies:
        table.add_column(escape(name), justify="right", overflow="fold")
    for cell in results.sweep.cells:
        values = [(results.advantage if advantage else results.mean)(cell, name, UTILITY) for name in policies]
        texts = [number(value, "+" if advantage else "") for value in values]
        bold = [f"[bold]{text}[/bold]" if advantage and value.excludes_zero else text
                for text, value in zip(texts, values, strict=True)]  # fmt: skip
        table.add_row(escape(_row_name(results, cell)), *bold)
    return table
