"""Figures of policies on the same days (figures 10, 11, 14 to 16, 19, 20 and 22 to 24)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from echo_env.common.figures import off_the_scale
from echo_env.common.stats import student_quantile
from echo_env.lab.evaluation.comparison import Comparison
from echo_env.lab.plots.style import axes_or_new, band_alpha, legend, name_axes, policy_line, thousands

Floats = NDArray[np.float64]

_MOST_POINTS = 1000
"""Points drawn of a running mean."""
_MOST_SQUASHED_DAYS = 4.0
"""Of distributions over days: they need more of the height than means do."""
_LOWER_IS_BETTER = ("penalty", "waiting_penalty", "wait_min")


def has_values(comparison: Comparison, metric: str) -> bool:
    """Whether any day of any policy has a value of a metric; without one, a figure of it would be empty.

    :param comparison: policies on the same days
    :param metric: one of those of the comparison
    """
    return any(not np.isnan(values[metric]).all() for values in comparison.values.values())


def daily_violins(comparison: Comparison, metric: str, ax: Axes | None = None) -> Axes:
    """Distribution of a metric over the days of each policy; median as a bar, mean as a diamond.

    A policy whose days would squash all others leaves the scale above, with its mean written there.

    :param comparison: policies on the same days
    :param metric: one of those of the comparison; days without it (nan) are left out
    :param ax: where to draw
    :raises ValueError: no such metric
    """
    unit, meaning = _metric(comparison, metric)
    names = list(comparison.values)
    ax = axes_or_new(ax, min(max(6.0, 1.3 * len(names) + 1), 12.0), 4)
    days = {name: own[metric][~np.isnan(own[metric])] for name, own in comparison.values.items()}
    highest = {name: (0.0, float(values.max())) for name, values in days.items() if len(values)}
    off = off_the_scale(highest, base=(0.0,), most=_MOST_SQUASHED_DAYS)
    top = 1.05 * max((high for name, (_, high) in highest.items() if name not in off), default=1.0) or 1.0
    for number, values in enumerate(days.values()):
        if not len(values):
            ax.text(number, 0.5, "no values", transform=ax.get_xaxis_transform(), ha="center", fontsize=8, color="0.4")
            continue
        parts = ax.violinplot(values, [number], widths=0.8, showmedians=True, showextrema=False)
        colour = policy_line(number)["color"]
        for body in parts["bodies"]:  # type: ignore[attr-defined]
            body.set(facecolor=colour, edgecolor=colour, alpha=0.5)
        parts["cmedians"].set_color("black")
        mean = values.mean()
        ax.plot(number, mean, marker="D", color="black", markersize=5)
        if names[number] in off:
            words = f"\u2191 {'mean' if mean > top else 'highest'} {mean if mean > top else values.max():,.1f}"
            ax.text(number, 0.98, words, transform=ax.get_xaxis_transform(), ha="center", va="top", fontsize=8,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5})  # fmt: skip
    title = f"{_sentence(meaning)}: {_lab_and_days(comparison)}"
    name_axes(ax, title, "Policy (name); bar: median, diamond: mean", f"Value of each day ({unit})")
    ax.set_ylim(0, top)
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


def running_difference(
    comparison: Comparison, metric: str = "penalty", ax: Axes | None = None, all_on_scale: bool = False
) -> Axes:
    """Running mean of the paired differences to the reference, with its 95 % band.

    Other parameters and errors as for :func:`running_mean`.

    :param all_on_scale: show all policies, even one that squashes the others
    """
    return _running_means(comparison, metric, comparison.reference, ax, all_on_scale)


def paired_differences(comparison: Comparison, metric: str = "penalty", ax: Axes | None = None) -> Axes:
    """Mean paired difference of each policy to the reference, with its 95 % interval; left of 0, the penalty is lower.

    The numbers stand to the right of the axes. A policy whose difference would squash all others leaves the scale: an
    arrow at the edge.

    :param comparison: policies on the same days, at least two
    :param metric: one of those of the comparison
    :param ax: where to draw
    :raises ValueError: no such metric
    """
    unit, meaning = _metric(comparison, metric)
    others, places = comparison.others, list(comparison.values)
    ax = axes_or_new(ax, 7, 0.5 * len(others) + 1.6)
    found = {name: comparison.paired(name, metric) for name in others}
    ends = {name: _ends(own.mean, own.half_width) for name, own in found.items()}
    off = off_the_scale(ends, base=(0.0,))
    on = [0.0, *(end for name in others if name not in off and np.isfinite(ends[name]).all() for end in ends[name])]
    room = 0.08 * (max(on) - min(on)) or 1.0
    low, high = min(on) - room, max(on) + room
    for row, (name, own) in enumerate(found.items()):
        style = {key: policy_line(places.index(name))[key] for key in ("color", "marker")}
        half = "" if np.isnan(own.half_width) else f" \u00b1 {own.half_width:,.1f}"
        text = f"{own.mean:+,.1f}{half}" if np.isfinite(own.mean) else "no values"
        if name in off:
            edge, arrow = (high, ">") if own.mean > 0 else (low, "<")
            ax.plot(edge, row, arrow, color=style["color"], markersize=9, clip_on=False)
            text += ", off the scale"
        else:
            ax.errorbar(own.mean, row, xerr=own.half_width, capsize=4, **style)
        ax.annotate(text, (1.0, row), (8, 0), xycoords=ax.get_yaxis_transform(), textcoords="offset points",
                    va="center", fontsize=8, annotation_clip=False)  # fmt: skip
    ax.axvline(0, color="0.3", linewidth=1, zorder=0)
    title = f"{_sentence(meaning)} minus {comparison.reference}: {_lab_and_days(comparison)}"
    better = "; left of 0 is better" if metric in _LOWER_IS_BETTER else ""
    name_axes(ax, title, f"Mean difference a day with 95 % interval ({unit}){better}", "Policy (name)")
    ax.set_xlim(low, high)
    ax.set_yticks(range(len(others)), others)
    ax.set_ylim(len(others) - 0.5, -0.5)
    thousands(ax, "x")
    return ax


def _ends(mean: float, half: float) -> tuple[float, float]:
    """Of an interval, or of its middle where it has none."""
    half = 0.0 if np.isnan(half) else half
    return mean - half, mean + half


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


def _running_means(
    comparison: Comparison, metric: str, minus: str, ax: Axes | None, all_on_scale: bool = False
) -> Axes:
    """Running means of each policy; if a reference is given, of the paired differences to it."""
    unit, meaning = _metric(comparison, metric)
    ax = axes_or_new(ax)
    base = comparison.values[minus][metric] if minus else 0.0
    ranges, means = {}, {}
    for number, (name, values) in enumerate(comparison.values.items()):
        if name != minus:
            _running(ax, values[metric] - base, name, number, len(comparison.values))
            ranges[name] = _settled(ax, comparison.days)
            means[name] = float(np.nanmean(values[metric] - base))
    off = [] if all_on_scale else off_the_scale(ranges, base=(0.0,) if minus else ())
    if minus:
        ax.axhline(0, color="0.3", linewidth=1, zorder=0)
    what, kind = (f"{_sentence(meaning)} minus {minus}", "difference ") if minus else (_sentence(meaning), "")
    name_axes(ax, f"{what}, mean so far: {comparison.lab}", "Days simulated (number)", f"Mean {kind}so far ({unit})")
    for line in ax.get_lines():
        if line.get_label() in off:
            line.set_label(f"{line.get_label()}: {means[str(line.get_label())]:+,.0f}, off the scale")
    _show_settled(ax, comparison.days, [ends for name, ends in ranges.items() if name not in off])
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


def _settled(ax: Axes, days: int) -> tuple[float, float]:
    """Lowest and highest value of the band drawn last, without the first days, whose means vary most."""
    first = min(max(days // 20, 10), days)
    bands = [np.asarray(path.vertices) for path in ax.collections[-1].get_paths()]
    y = np.concatenate([xy[xy[:, 0] >= first, 1] for xy in bands]) if bands else np.array([])
    y = y[np.isfinite(y)]
    return (float(y.min()), float(y.max())) if len(y) else (np.nan, np.nan)


def _show_settled(ax: Axes, days: int, ranges: list[tuple[float, float]]) -> None:
    """Set the limits of y to what is on the scale."""
    y = [end for ends in ranges for end in ends if np.isfinite(end)]
    if y:
        room = 0.05 * (max(y) - min(y)) or 1.0
        ax.set_ylim(min(y) - room, max(y) + room)
    ax.set_xlim(1, max(days, 2))
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    thousands(ax, "x")
    thousands(ax, "y")
    legend(ax)
