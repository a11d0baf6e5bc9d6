"""The figures of a sweep (needs matplotlib and pandas)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from echo_env.common.figures import write_figure
from echo_env.lab.sweep.axes import Axis
from echo_env.lab.sweep.results import SweepResults, left_out

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_figures(directory: Path, results: SweepResults, metrics: Sequence[str]) -> list[Path]:
    """Write all figures of a sweep as PNG and PDF.

    :param directory: target folder, created if missing
    :param results: the sweep
    :param metrics: metrics to draw
    :return: the PNG files
    """
    return [write_figure(figure, directory, name) for name, figure in sweep_figures(results, metrics).items()]


def sweep_figures(results: SweepResults, metrics: Sequence[str]) -> dict[str, Figure]:
    """Response curves of each field and, in a grid, of each pair of fields; a tornado chart for each metric.

    :param results: the sweep
    :param metrics: metrics to draw; pairs of fields show the first one only
    """
    axes = results.sweep.axes
    figures = {f"response_{_plain(axis)}": response_figure(results, axis, metrics) for axis in axes}
    if results.sweep.mode == "grid":
        for pair in itertools.combinations(axes, 2):
            along, lines = sorted(pair, key=lambda axis: (-axis.field.is_numeric, -len(axis.values)))
            figure = two_fields_figure(results, along, lines, metrics[0])
            figures[f"{metrics[0]}_{_plain(along)}_by_{_plain(lines)}"] = figure
    return figures | {f"tornado_{metric}": tornado_figure(results, metric) for metric in metrics}


def response_figure(results: SweepResults, axis: Axis, metrics: Sequence[str]) -> Figure:
    """One row of panels a metric: the policies' means and their differences to the reference."""
    from matplotlib.figure import Figure

    from echo_env.lab.sweep import plots

    columns = 1 + bool(results.others)
    figure = Figure(figsize=(5.2 * columns, 3.0 * len(metrics) + 0.4), layout="constrained")
    panels = figure.subplots(len(metrics), columns, squeeze=False, sharex=True)
    for row, metric in zip(panels, metrics, strict=True):
        plots.response_curve(results, axis, metric, row[0])
        if results.others:
            plots.response_difference(results, axis, metric, row[1])
    for ax in panels[:-1].ravel():
        ax.set_xlabel("")
    figure.suptitle(_title(results), fontsize=11)
    return figure


def two_fields_figure(results: SweepResults, axis: Axis, other: Axis, metric: str) -> Figure:
    """One panel a policy, on a common scale, up to three in a row."""
    from matplotlib.figure import Figure

    from echo_env.lab.sweep import plots

    columns = min(len(results.policies), 2 if len(results.policies) in (2, 4) else 3)
    lines = -(-len(results.policies) // columns)
    figure = Figure(figsize=(5.2 * columns, 3.6 * lines + 0.4), layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False, sharey=True).ravel().tolist()
    for ax, policy in zip(panels, results.policies, strict=False):
        plots.curves_of_two(results, axis, other, policy, metric, ax)
    for ax in panels[1 : len(results.policies)]:
        legend = ax.get_legend()
        if legend is not None:
            legend.remove()
    for ax in panels[len(results.policies) :]:
        ax.set_axis_off()
    meaning = results.metrics[metric].meaning
    figure.suptitle(f"{meaning[0].upper()}{meaning[1:]}: {_title(results)}", fontsize=11)
    return figure


def tornado_figure(results: SweepResults, metric: str) -> Figure:
    """One panel a policy, up to three in a row, with the fields in a common order."""
    from matplotlib.figure import Figure

    from echo_env.lab.sweep import plots

    columns = min(len(results.policies), 3)
    lines = -(-len(results.policies) // columns)
    # No lower than what the text beside it needs.
    size = (2.4 + 4.2 * columns, max(0.42 * len(results.sweep.axes) + 1.2, 2.6) * lines + 0.4)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True).ravel().tolist()
    for ax, policy in zip(panels, results.policies, strict=False):
        plots.tornado(results, policy, metric, ax)
        if (legend := ax.get_legend()) is not None:
            legend.remove()
        ax.set_title("", loc="left")
        ax.set_title(policy, fontsize=10)
        ax.label_outer()
        ax.set_xlabel("")
    for ax in panels[len(results.policies) :]:
        ax.set_axis_off()
    handles = {str(patch.get_label()): patch for ax in panels for patch in plots.sides_shown(ax)}
    if handles:
        figure.legend(handles=list(handles.values()), loc="outside right upper", fontsize=8, frameon=False)
    meaning = results.metrics[metric].meaning
    figure.suptitle(
        f"What matters most to the {meaning}: {results.sweep.base.name}, {results.days:,} days", fontsize=11
    )
    not_seen = ", ".join(results.metrics[name].meaning for name in left_out(metric))
    unit = results.metrics[metric].unit
    figure.supxlabel(f"Mean difference to the base lab with 95 % interval ({unit})\nLeft out: {not_seen}", fontsize=10)
    return figure


def _title(results: SweepResults) -> str:
    from echo_env.lab.plots.style import mean_of_days

    return f"{results.sweep.base.name}, {mean_of_days(results.days)}"


def _plain(axis: Axis) -> str:
    """A field's path in the characters of a file name."""
    return re.sub(r"[^A-Za-z0-9]+", "_", axis.path).strip("_")
