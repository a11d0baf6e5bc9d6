"""Observations of a spreadsheet beside the fitted distributions and the paper's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from echo_env.common.figures import BLACK, BLUE, VERMILLION, axes_or_new, name_axes
from echo_env.lab.config import Arrival, ExamLaw, Hours
from echo_env.lab.day.laws import duration_density, duration_probability, offset_probability
from echo_env.lab.plots.style import SKY, clock_axis

Ints = NDArray[np.int64]

_BIN_MIN = 5


def fitted_arrivals(offsets: Ints, fitted: Arrival, paper: Arrival, ax: Axes | None = None) -> Axes:
    """Histogram of arrivals relative to the expected check-in, with the distributions' probabilities of each bin.

    :param offsets: (n,) check-in minus expected check-in, whole minutes
    :param fitted: the fitted distribution
    :param paper: the paper's distribution
    :param ax: axes to draw on; new ones by default
    """
    ax = axes_or_new(ax, 7, 3.8)
    low = _BIN_MIN * (int(min(offsets.min(), -30)) // _BIN_MIN)
    high = _BIN_MIN * (int(max(offsets.max(), 60)) // _BIN_MIN + 1)
    # Arrivals are rounded up to whole minutes: the bin (0, 5] contains the minutes 1 to 5.
    edges = np.arange(low, high + 1, _BIN_MIN)
    count = np.histogram(offsets, edges + 0.5)[0]
    ax.stairs(100 * count / len(offsets), edges, fill=True, color="0.8", label=f"observed: {len(offsets)} patients")
    middle = (edges[1:] + edges[:-1]) / 2
    for law, label, colour, line in ((fitted, "fitted", BLUE, "-"), (paper, "paper", VERMILLION, "--")):
        share = 100 * np.diff(offset_probability(law, edges))
        ax.plot(middle, share, color=colour, linestyle=line, marker=".", label=label)
    margin = fitted.on_time_margin_min
    ax.axvline(-margin, color="0.3", linewidth=1, linestyle=":")
    ax.axvline(margin, color="0.3", linewidth=1, linestyle=":", label=f"on time: within {margin} minutes")
    name_axes(ax, "Arrival of patients who came", "Check-in minus expected check-in (minutes)",
              f"Patients (% per {_BIN_MIN} minutes)")  # fmt: skip
    ax.legend(fontsize=8)
    return ax


def fitted_arrivals_cumulative(offsets: Ints, fitted: Arrival, paper: Arrival, ax: Axes | None = None) -> Axes:
    """Cumulative distribution of arrivals: observed, fitted and the paper's.

    :param offsets: (n,) check-in minus expected check-in, whole minutes
    :param fitted: the fitted distribution
    :param paper: the paper's distribution
    :param ax: axes to draw on; new ones by default
    """
    ax = axes_or_new(ax, 7, 3.8)
    minutes = np.arange(min(int(offsets.min()), -30) - 1, max(int(offsets.max()), 60) + 2)
    laws = {"fitted": offset_probability(fitted, minutes), "paper": offset_probability(paper, minutes)}
    _distribution_functions(ax, offsets, minutes, laws)
    name_axes(ax, "Arrival of patients who came", "Check-in minus expected check-in (minutes)", "Cumulative share (%)")
    ax.legend(fontsize=8)
    return ax


def fitted_exams(minutes: Ints, fitted: ExamLaw, paper: ExamLaw, ax: Axes | None = None) -> Axes:
    """Histogram of exam durations with the densities of the distributions.

    :param minutes: (n,) durations, minutes
    :param fitted: the fitted distribution
    :param paper: the paper's distribution
    :param ax: axes to draw on; new ones by default
    """
    ax = axes_or_new(ax, 7, 3.8)
    edges = np.arange(_BIN_MIN * (int(minutes.min()) // _BIN_MIN), minutes.max() + _BIN_MIN + 1, _BIN_MIN)
    count = np.histogram(minutes, edges - 0.5)[0]
    share = 100 * count / len(minutes)
    ax.stairs(share, edges - 0.5, fill=True, color="0.8", label=f"observed: {len(minutes)} exams")
    grid = np.linspace(0, max(float(edges[-1]), 1.0), 400)
    for law, label, colour, line in ((fitted, "fitted", BLUE, "-"), (paper, "paper", VERMILLION, "--")):
        ax.plot(grid, 100 * _BIN_MIN * duration_density(law, grid), color=colour, linestyle=line, label=label)
    ax.axvline(minutes.mean(), color=BLACK, linewidth=1, linestyle=":", label=f"observed mean: {minutes.mean():.1f}")
    name_axes(ax, "Exam durations", "Echo out minus echo in (minutes)", f"Exams (% per {_BIN_MIN} minutes)")
    ax.legend(fontsize=8)
    return ax


def fitted_exams_by_kind(
    minutes: Mapping[str, Ints], laws: Mapping[str, ExamLaw], pooled: ExamLaw, ax: Axes | None = None
) -> Axes:
    """Cumulative distributions of fetal and non-fetal exam durations: observed, fitted to each kind, and pooled.

    :param minutes: kind (``fetal``, ``non-fetal``) -> durations, minutes
    :param laws: kind -> distribution fitted to it; a kind may have none
    :param pooled: distribution fitted to all exams
    :param ax: axes to draw on; new ones by default
    """
    ax = axes_or_new(ax, 7, 3.8)
    longest = max((int(part.max()) for part in minutes.values() if len(part)), default=60)
    grid = np.arange(longest + 11)
    for kind, part in minutes.items():
        if not len(part):
            continue
        colour = VERMILLION if kind == "fetal" else SKY
        seen = 100 * np.searchsorted(np.sort(part), grid, side="right") / len(part)
        label = f"{kind}: observed ({len(part)}), mean {part.mean():.1f} minutes"
        ax.step(grid, seen, where="post", color=colour, linewidth=1, label=label)
        if kind in laws:
            at_most = 100 * duration_probability(laws[kind], grid + 0.5)
            ax.plot(grid, at_most, color=colour, linewidth=2, linestyle="--", label=f"{kind}: fitted")
    at_most = 100 * duration_probability(pooled, grid + 0.5)
    ax.plot(grid, at_most, color=BLACK, linewidth=1, linestyle=":", label="pooled: fitted")
    name_axes(ax, "Exam durations by kind", "Echo out minus echo in (minutes)", "Cumulative share (%)")
    ax.legend(fontsize=8)
    return ax


def fitted_appointments(days: Mapping[str, Mapping[str, Ints]], hours: Hours, ax: Axes | None = None) -> Axes:
    """Scheduled echoes of each sheet, one line each, and of the lab in the last line.

    :param days: name -> kind -> expected check-ins, minutes after midnight; from the top down
    :param hours: opening hours of the lab
    :param ax: axes to draw on; new ones by default
    """
    ax = axes_or_new(ax, 8, 0.8 + 0.55 * len(days))
    for line, (_, kinds) in enumerate(days.items()):
        for kind, times in kinds.items():
            at, count = np.unique(np.asarray(times, dtype=np.int64) - hours.opening_min, return_counts=True)
            height = line + (-0.17 if kind == "fetal" else 0.17)
            label = kind if line == 0 else None
            colour, marker = (VERMILLION, "D") if kind == "fetal" else (SKY, "o")
            ax.scatter(at, np.full(len(at), height), s=18 * count, label=label, color=colour, marker=marker)
    labels = [f"{name} ({sum(len(times) for times in kinds.values())})" for name, kinds in days.items()]
    name_axes(ax, "Scheduled echoes by expected check-in; larger markers are several at the same time", "", "")
    clock_axis(ax, hours, every_min=60)
    ax.set_xlim(-10, hours.closing_min + 10)
    ax.set_yticks(range(len(days)), labels)
    ax.set_ylim(len(days) - 0.5, -0.5)
    ax.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax


def _distribution_functions(ax: Axes, sample: Ints, minutes: Ints, laws: Mapping[str, NDArray[np.float64]]) -> None:
    """The empirical distribution function and those of the fitted and the paper's distribution, percent."""
    seen = 100 * np.searchsorted(np.sort(sample), minutes, side="right") / len(sample)
    ax.step(minutes, seen, where="post", color=BLACK, linewidth=1, label=f"observed: {len(sample)} patients")
    for (label, at_most), colour, line in zip(laws.items(), (BLUE, VERMILLION), ("-", "--"), strict=True):
        ax.plot(minutes, 100 * at_most, color=colour, linestyle=line, label=label)
