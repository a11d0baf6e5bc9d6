"""Figures of a sweep (need matplotlib)."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from echo_env.common.figures import axes_or_new, band_alpha, legend, name_axes, policy_line, write_figure
from echo_env.common.stats import Estimate
from echo_env.pathways.sweep.cells import Axis, Cell
from echo_env.pathways.sweep.fields import write
from echo_env.pathways.sweep.report import UTILITY
from echo_env.pathways.sweep.results import SweepResults

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PANELS = 6
"""Panels of a figure: combinations of values of the other fields."""
_TITLE = 80
"""Characters of a line above a panel."""


def write_figures(directory: Path, results: SweepResults) -> list[Path]:
    """Write two figures for each field, as PNG and PDF: utility, and differences where there are several policies.

    :param directory: target folder, created if missing
    :param results: the sweep
    :return: the PNG files
    """
    return [write_figure(figure, directory, name) for name, figure in sweep_figures(results).items()]


def sweep_figures(results: SweepResults) -> dict[str, Figure]:
    """Name -> figure.

    :param results: the sweep
    """
    figures = {}
    for axis in results.sweep.axes:
        lines = results.sweep.along(axis)[:MOST_PANELS]
        if not lines:
            continue
        plain = re.sub(r"[^A-Za-z0-9]+", "_", axis.path)
        figures[f"utility_by_{plain}"] = _panels(results, axis, lines, utility_along)
        if results.others:
            figures[f"advantage_by_{plain}"] = _panels(results, axis, lines, advantage_along)
    return figures


def utility_along(results: SweepResults, axis: Axis, cells: Sequence[Cell], ax: Axes | None = None) -> Axes:
    """Mean utility of each policy against a field, with 95 % bands.

    :param results: the sweep
    :param axis: the field
    :param cells: cells that differ in this field only, in order
    :param ax: axes to draw on; new ones by default
    """
    ax = axes_or_new(ax)
    for place, name in enumerate(results.policies):
        _line(
            ax, axis, cells, [results.mean(cell, name, UTILITY) for cell in cells], name, place, len(results.policies)
        )
    name_axes(ax, f"Utility, {_draws(results)}", _x_name(axis), "Utility (mean success, 0 to 1)")
    return _finish(ax, axis, cells)


def advantage_along(results: SweepResults, axis: Axis, cells: Sequence[Cell], ax: Axes | None = None) -> Axes:
    """The reference's utility minus that of each other policy, paired, with 95 % bands; above 0 it is better.

    Parameters as for :func:`utility_along`.
    """
    ax = axes_or_new(ax)
    for name in results.others:
        values = [results.advantage(cell, name, UTILITY) for cell in cells]
        label = f"{results.reference} minus {name}"
        _line(ax, axis, cells, values, label, results.policies.index(name), len(results.policies))
    ax.axhline(0, color="0.3", linewidth=1)
    name_axes(ax, f"Differences, {_draws(results)}", _x_name(axis), "Difference in utility (success, 0 to 1)")
    return _finish(ax, axis, cells)


def _panels(
    results: SweepResults, axis: Axis, lines: Sequence[tuple[str, list[Cell]]], draw: Callable[..., Axes]
) -> Figure:
    """A panel for each combination of the other fields."""
    from matplotlib.figure import Figure

    columns = min(len(lines), 2)
    rows = -(-len(lines) // columns)
    figure = Figure(figsize=(7.2 * columns, 4.4 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel().tolist()
    for ax, (fixed, cells) in zip(axes, lines, strict=False):
        draw(results, axis, cells, ax)
        ax.get_legend().remove()
        if fixed:
            ax.set_title("\n".join([ax.get_title(), *textwrap.wrap(fixed, _TITLE)]), fontsize=10)
    for ax in axes[len(lines) :]:
        ax.set_axis_off()
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 3 * columns), fontsize=8)
    return figure


def _line(
    ax: Axes, axis: Axis, cells: Sequence[Cell], values: Sequence[Estimate], label: str, number: int, policies: int
) -> None:
    style = policy_line(number)
    x = np.array(_places(axis, cells))
    mean, low, high = (np.array([value[k] for value in values]) for k in range(3))
    if axis.is_numeric:
        ax.plot(x, mean, label=label, linewidth=1.4, **style)
        ax.fill_between(x, low, high, color=style["color"], alpha=band_alpha(policies), linewidth=0)
    else:
        aside = 0.08 * (number - (policies - 1) / 2)
        half = np.nan_to_num((high - low) / 2)
        ax.errorbar(x + aside, mean, half, label=label, capsize=3, **{**style, "linestyle": ""})


def _places(axis: Axis, cells: Sequence[Cell]) -> list[Any]:
    return [cell.values[axis.path] if axis.is_numeric else place for place, cell in enumerate(cells)]


def _x_name(axis: Axis) -> str:
    return f"{axis.path.replace('_', ' ')} (base hospital: {write(axis.own)})"


def _draws(results: SweepResults) -> str:
    draws, trials = results.comparisons[0].shape
    return f"{draws:,} draws of {trials:,} trials, 95 % band"


def _finish(ax: Axes, axis: Axis, cells: Sequence[Cell]) -> Axes:
    if axis.is_numeric:
        ax.axvline(axis.own, color="0.4", linewidth=1, linestyle=":", zorder=0)
    else:
        ax.set_xticks(range(len(cells)), [write(cell.values[axis.path]) for cell in cells])
        ax.set_xlim(-0.5, len(cells) - 0.5)
    legend(ax)
    return ax
