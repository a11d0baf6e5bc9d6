"""Figures of policies on the same days (figures 10, 11, 14 to 16, 19, 20 and 22 to 24)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from echo_env.common.stats import student_quantile
from echo_env.lab.evaluation.comparison import Comparison
from echo_env.lab.plots.style import axes_or_new, band_alpha, legend, name_axes, policy_line, thousands

Floats = NDArray[np.float64]

_MOST_POINTS = 1000
"""Points drawn of a running mean."""


def daily_violins(comparison: Comparison, metric: str, ax: Axes | None = None) -> Axes:
    """Distribution of a metric over the days of each policy; median as a bar, mean as a diamond.

    :param comparison: policies on the same days
    :param metric: one of those of the comparison; days without it (nan) are left out
    :param ax: where to draw
    :raises ValueError: no such metric
    """
    unit, meaning = _metric(comparison, metric)
    names = list(comparison.values)
    ax = axes_or_new(ax, min(max(6.0, 1.3 * len(names) + 1), 12.0), 4)
    for number, name in enumerate(names):
        values = comparison.values[name][metric]
        values = values[~np.isnan(values)]
        if not len(values):
            continue
        parts = ax.violinplot(values, [number], widths=0.8, showmedians=True, showextrema=False)
        colour = policy_line(number)["color"]
        for body in parts["bodies"]:  # type: ignore[attr-defined]
            body.set(facecolor=colour, edgecolor=colour, alpha=0.5)
        parts["cmedians"].set_color("black")
        ax.plot(number, values.mean(), marker="D", color="black", markersize=5)
    title = f"{_sentence(meaning)}: {_lab_and_days(comparison)}"
    name_axes(ax, title, "Policy (name); bar: median, diamond: mean", f"Value of each day ({unit})")
    ax.set_ylim(bottom=0)
    _policy_ticks(ax, names)
    return ax


def running_mean(comparison: Comparison, metric: str = "penalty", ax: Axes | None = None) -> Axes:
    """Running mean over the days of each policy, with its 95 % band (figure 14).

    :param comparison: policies on the same days
    :param metric: one of those of the comparison
    :param ax: where to draw
    :raises ValueError: no such metric
    """
    return _running_means(comparison, metric, "", ax)


def running_difference(comparison: Comparison, metric: str = "penalty", ax: Axes | None = None) -> Axes:
    """Running mean of the paired differences to the reference, with its 95 % band.

    Parameters and errors as for :func:`running_mean`.
    """
    return _running_means(comparison, metric, comparison.reference, ax)


def paired_differences(comparison: Comparison, metric: str = "penalty", ax: Axes | None = None) -> Axes:
    """Mean paired difference of each policy to the reference, with its 95 % interval; left of 0, the penalty is lower.

    :param comparison: policies on the same days, at least two
    :param metric: one of those of the comparison
    :param ax: where to draw
    :raises ValueError: no such metric
    """
    unit, meaning = _metric(comparison, metric)
    others, places = comparison.others, list(comparison.values)
    ax = axes_or_new(ax, 6, 0.5 * len(others) + 1.6)
    for row, name in enumerate(others):
        estimate = comparison.paired(name, metric)
        style = policy_line(places.index(name))
        ax.errorbar(
            estimate.mean, row, xerr=estimate.half_width, color=style["color"], marker=style["marker"], capsize=4
        )
        half = "" if np.isnan(estimate.half_width) else f" ± {estimate.half_width:,.1f}"
        text = f"{estimate.mean:+,.1f}{half}"
        ax.annotate(text, (estimate.mean, row), (0, 7), textcoords="offset points", ha="center", fontsize=8)
    ax.axvline(0, color="0.3", linewidth=1)
    title = f"{_sentence(meaning)} minus {comparison.reference}: {_lab_and_days(comparison)}"
    name_axes(ax, title, f"Difference, mean and 95 % interval ({unit})", "Policy (name)")
    ax.set_yticks(range(len(others)), others)
    ax.set_ylim(len(others) - 0.5, -0.7)
    ax.margins(x=0.2)
    thousands(ax, "x")
    return ax


def _metric(comparison: Comparison, name: str) -> tuple[str, str]:
    """Unit and meaning."""
    if name not in comparison.metrics:
        raise ValueError(f"metric is {name!r}, but must be one of {', '.join(comparison.metrics)}")
    return comparison.metrics[name].unit, comparison.metrics[name].meaning


def _lab_and_days(comparison: Comparison) -> str:
    return f"{comparison.lab}, {comparison.days:,} day{'s' if comparison.days > 1 else ''}"


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]


def _policy_ticks(ax: Axes, names: list[str]) -> None:
    crowded = len(names) > 6 or max(map(len, names)) > 14
    ax.set_xticks(range(len(names)), names, rotation=30 if crowded else 0, ha="right" if crowded else "center")
    ax.grid(visible=False, axis="x")


def _running_means(comparison: Comparison, metric: str, minus: str, ax: Axes | None) -> Axes:
    """Running means of each policy; if a reference is given, of the paired differences to it."""
    unit, meaning = _metric(comparison, metric)
    ax = axes_or_new(ax)
    base = comparison.values[minus][metric] if minus else 0.0
    for number, (name, values) in enumerate(comparison.values.items()):
        if name != minus:
            _running(ax, values[metric] - base, name, number, len(comparison.values))
    if minus:
        ax.axhline(0, color="0.3", linewidth=1)
    what, kind = (f"{_sentence(meaning)} minus {minus}", "difference ") if minus else (_sentence(meaning), "")
    name_axes(ax, f"{what}, mean so far: {comparison.lab}", "Days simulated (number)", f"Mean {kind}so far ({unit})")
    _show_settled(ax, comparison.days)
    return ax


def _running(ax: Axes, values: Floats, label: str, number: int, policies: int) -> None:
    """Line and 95 % band of the running mean; nan values are left out."""
    expanding = pd.Series(values).expanding()
    days = np.arange(1, len(values) + 1)
    mean, seen = expanding.mean().to_numpy(), expanding.count().to_numpy()
    half = student_quantile(np.maximum(seen - 1, 1)) * expanding.sem().to_numpy()
    style = policy_line(number)
    shown = np.unique(np.linspace(0, len(days) - 1, _MOST_POINTS).astype(int))
    days, mean, half = days[shown], mean[shown], half[shown]
    ax.plot(days, mean, label=label, linewidth=1.4, markevery=max(len(days) // 8, 1), **style)
    ax.fill_between(days, mean - half, mean + half, color=style["color"], alpha=band_alpha(policies), linewidth=0)


def _show_settled(ax: Axes, days: int) -> None:
    """Set the limits of y without the first days, whose means vary most."""
    first = min(max(days // 20, 10), days)
    bands = [path.vertices for band in ax.collections for path in band.get_paths()]
    y = np.concatenate([np.asarray(xy)[np.asarray(xy)[:, 0] >= first, 1] for xy in bands]) if bands else np.array([])
    y = y[np.isfinite(y)]
    if len(y):
        room = 0.05 * (y.max() - y.min()) or 1.0
        ax.set_ylim(y.min() - room, y.max() + room)
    ax.set_xlim(1, max(days, 2))
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    thousands(ax, "x")
    thousands(ax, "y")
    legend(ax)
