"""A sweep as files: a long table of all numbers, the effect of each field, and a summary."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np

from echo_env.common.files import number_text, text_cell, written_whole
from echo_env.common.files.tables import PARQUET, table_written
from echo_env.common.results import SUMMARY, write_summary
from echo_env.common.stats import Estimate
from echo_env.lab.evaluation.results import DAYS
from echo_env.lab.simulation.metrics import metric_meanings
from echo_env.lab.sweep.axes import Axis
from echo_env.lab.sweep.grid import Cell, Sweep
from echo_env.lab.sweep.results import Effect, SweepResults, UncertainSweep, left_out

LONG, EFFECTS, UNCERTAINTY = "sweep.csv", "effects.csv", "input_uncertainty.csv"

__all__ = [
    "EFFECTS",
    "LONG",
    "SUMMARY",
    "UNCERTAINTY",
    "held_in_words",
    "summary",
    "write_days",
    "write_effects",
    "write_long",
    "write_summary",
    "write_uncertainty",
]

_INTERVAL = ("mean", "ci95_low", "ci95_high")


def _columns(*names: str) -> list[str]:
    """Names of the three columns of each estimate."""
    return [f"{name}_{part}" if name else part for name in names for part in _INTERVAL]


def _cells(*values: Estimate | None) -> list[str]:
    """Mean and interval of each estimate, empty for None."""
    every = [value[:3] if value is not None else (math.nan,) * 3 for value in values]
    return [number_text(number) for three in every for number in three]


def write_long(folder: Path, results: SweepResults) -> None:
    """Write ``sweep.csv``: one row for each cell, policy and metric.

    Columns: ``cell`` (0 is the base lab), ``label`` (its short name), one for each field, ``policy``, ``metric``,
    ``unit``, ``days``, then, each with its 95 % interval, the mean and the paired differences to the base lab under
    the same policy and to the reference in the same cell.
    """
    axes = results.sweep.axes
    head = ["cell", "label", *(axis.path for axis in axes), "policy", "metric", "unit", "days"]
    with written_whole(folder / LONG) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*head, *_columns("", "minus_base", "minus_reference")])
        for cell in results.sweep.cells:
            values = [axis.field.write(cell.values[axis.path]) for axis in axes]
            first = [cell.number, text_cell(results.sweep.name(cell)), *map(text_cell, values)]
            writer.writerows([*first, *row] for row in _rows(results, cell))


def _rows(results: SweepResults, cell: Cell) -> Iterator[list[Any]]:
    """One row for each policy and metric of a cell."""
    for policy in results.policies:
        for metric, record in results.metrics.items():
            mean = results.mean(cell, policy, metric)
            base = results.minus_base(cell, policy, metric) if cell.number else None
            other = results.minus_reference(cell, policy, metric) if policy in results.others else None
            yield [text_cell(policy), metric, record.unit, results.days, *_cells(mean, base, other)]


def write_days(folder: Path, results: SweepResults) -> None:
    """Write ``days.parquet``: one row for each cell, policy and day, written cell by cell.

    Columns: ``label`` (the cell's short name), one of text for each field, ``policy``, ``cell``, ``day``, then every
    metric; what a cell's lab does not have, as nan, is null.
    """
    axes, days = results.sweep.axes, np.arange(results.days)
    texts = ["label", *(axis.path for axis in axes), "policy"]
    with table_written(folder / f"{DAYS}.{PARQUET}", texts, list(results.metrics), ["cell", "day"]) as write:
        for cell in results.sweep.cells:
            values = {axis.path: axis.field.write(cell.values[axis.path]) for axis in axes}
            first: dict[str, Any] = {"label": results.sweep.name(cell), **values, "cell": cell.number, "day": days}
            for policy in results.policies:
                numbers = {metric: results.values(cell, policy, metric) for metric in results.metrics}
                write({**first, "policy": policy, **numbers}, results.days)


def write_uncertainty(folder: Path, found: UncertainSweep) -> None:
    """Write ``input_uncertainty.csv``: one row for each cell, policy and metric.

    The mean and the paired difference to the base lab have two half-widths of their 95 % interval each: for the number
    of days, and for not knowing the lab.

    :param folder: an existing folder
    :param found: a sweep with the labs of the bootstrap
    """
    results = found.results
    numbers = [f"{name}{part}" for name in ("", "minus_base_") for part in ("mean", "half_days", "half_lab")]
    with written_whole(folder / UNCERTAINTY) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["cell", "label", "policy", "metric", "unit", "labs", *numbers])
        for cell in results.sweep.cells:
            for policy in results.policies:
                for metric, record in results.metrics.items():
                    parts = [found.mean(cell, policy, metric), found.minus_base(cell, policy, metric)]
                    values = [number_text(value) for part in parts for value in part]
                    first = [cell.number, text_cell(results.sweep.name(cell)), text_cell(policy), metric, record.unit]
                    writer.writerow([*first, len(found.labs), *values])


def write_effects(folder: Path, results: SweepResults) -> None:
    """Write ``effects.csv``: one row for each policy, metric and field; see :class:`Effect`.

    ``held`` gives the values of the other fields. The metric's mean is lowest and highest at the field's values
    ``lowest`` and ``highest``; ``elasticity`` is between ``elasticity_from`` and ``elasticity_to``.
    """
    sweep = results.sweep
    head = ["policy", "metric", "unit", "field", "own", "held", "lowest", "highest", "elasticity_from", "elasticity_to"]
    with written_whole(folder / EFFECTS) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*head, *_columns("span", "elasticity")])
        for policy in results.policies:
            for metric, (_, unit, *_) in results.metrics.items():
                for effect in results.effects(policy, metric):
                    axis, found = effect.axis, effect.elasticity
                    ends = [axis.field.write(cell.values[axis.path]) for cell in (effect.lowest, effect.highest)]
                    around = [axis.field.write(x) for x in (found.low, found.high)] if found else ["", ""]
                    what = [policy, metric, unit, axis.path, axis.field.write(axis.own), held_in_words(sweep, axis)]
                    numbers = _cells(effect.span, found.value if found else None)
                    writer.writerow([*map(text_cell, [*what, *ends, *around]), *numbers])


def held_in_words(sweep: Sweep, *moving: Axis) -> str:
    """Values of the fields held fixed: ``base lab``, or those that differ from it, such as ``rooms.non_fetal=5``."""
    held = sweep.held(*moving)
    away = [axis for axis in sweep.axes if axis.path in held and held[axis.path] != axis.own]
    return ", ".join(f"{axis.path}={axis.label(held[axis.path])}" for axis in away) or "base lab"


def summary(results: SweepResults, env: str, metrics: Sequence[str], **more: Any) -> dict[str, Any]:
    """The sweep as nested dicts, for JSON.

    :param results: the sweep
    :param env: name of the environment or of the config
    :param metrics: metrics to include; ``sweep.csv`` has all of them
    :param more: further entries
    """
    sweep = results.sweep
    return {
        "env": env,
        "days": results.days,
        "seed": results.seed,
        "mode": sweep.mode,
        "reference": results.reference,
        "engines": results.comparisons[0].engines,
        "fields": {
            axis.path: {
                "own": axis.field.write(axis.own),
                "values": [axis.field.write(value) for value in axis.values],
                "meaning": axis.field.meaning,
            }
            for axis in sweep.axes
        },
        "cells": [_cell(results, cell, metrics) for cell in sweep.cells],
        "ranking": _ranking(results, metrics[0]),
        "effects": {
            policy: {metric: [_effect(effect) for effect in results.effects(policy, metric)] for metric in metrics}
            for policy in results.policies
        },
        "metrics": metric_meanings(results.metrics),
        "lab": asdict(cast(Any, sweep.base)),
        **more,
    }


def _cell(results: SweepResults, cell: Cell, metrics: Sequence[str]) -> dict[str, Any]:
    """A cell for JSON: its fields, means and differences."""

    def table(of: Any, policies: Sequence[str]) -> dict[str, Any]:
        return {name: {metric: of(cell, name, metric).as_json() for metric in metrics} for name in policies}

    fields = {axis.path: axis.field.write(cell.values[axis.path]) for axis in results.sweep.axes}
    return {
        "cell": cell.number,
        "label": results.sweep.name(cell),
        "fields": fields,
        "policies": table(results.mean, results.policies),
        "minus_base": table(results.minus_base, results.policies) if cell.number else {},
        "minus_reference": table(results.minus_reference, results.others),
    }


def _ranking(results: SweepResults, metric: str) -> dict[str, Any]:
    """The best cell and policy by a metric, and what the metric leaves out, there and in the base lab."""
    best, policy = results.best(metric)
    return {
        "metric": metric,
        "lowest": {"cell": best.number, "label": results.sweep.name(best), "policy": policy},
        "left_out": {
            name: {
                "there": results.mean(best, policy, name).as_json(),
                "base": results.mean(results.sweep.cells[0], policy, name).as_json(),
            }
            for name in left_out(metric)
        },
    }


def _effect(effect: Effect) -> dict[str, Any]:
    axis, found = effect.axis, effect.elasticity
    around = {"from": found.low, "to": found.high, **found.value.as_json()} if found else None
    return {
        "field": axis.path,
        "lowest": axis.field.write(effect.lowest.values[axis.path]),
        "highest": axis.field.write(effect.highest.values[axis.path]),
        "span": effect.span.as_json(),
        "elasticity": around,
    }
