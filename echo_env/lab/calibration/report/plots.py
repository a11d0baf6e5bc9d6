"""What was recorded beside the fitted distributions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from echo_env.common.figures import BLACK, BLUE, axes_or_new, name_axes
from echo_env.lab.config import Arrival, ExamLaw, Hours
from echo_env.lab.day.laws import duration_density, duration_probability, offset_probability
from echo_env.lab.plots.style import Look, clock_axis

Ints = NDArray[np.int64]

_BIN_MIN = 5


def fitted_arrivals(offsets: Ints, law: Arrival, ax: Axes | None = None) -> Axes:
    """Histogram of arrivals relative to the expected check-in, with the distribution's probability of each bin.

    :param offsets: (n,) check-in minus expected check-in, whole minutes
    :param law: the fitted distribution
    :param ax: axes to draw on; new ones by default
    """
    ax = axes_or_new(ax, 7, 3.8)
    low = _BIN_MIN * (int(min(offsets.min(), -30)) // _BIN_MIN)
    high = _BIN_MIN * (int(max(offsets.max(), 60)) // _BIN_MIN + 1)
    # Arrivals are rounded up to whole minutes: the bin (0, 5] contains the minutes 1 to 5.
    edges = np.arange(low, high + 1, _BIN_MIN)
    count = np.histogram(offsets, edges + 0.5)[0]
    ax.stairs(100 * count / len(offsets), edges, fill=True, color="0.8", label=f"recorded: {len(offsets)} patients")
    middle = (edges[1:] + edges[:-1]) / 2
    ax.plot(middle, 100 * np.diff(offset_probability(law, edges)), color=BLUE, marker=".", label="fitted")
    margin = law.on_time_margin_min
    ax.axvline(-margin, color="0.3", linewidth=1, linestyle=":")
    ax.axvline(margin, color="0.3", linewidth=1, linestyle=":", label=f"on time: within {margin} minutes")
    name_axes(ax, "Arrival of patients who came", "Check-in minus expected check-in (minutes)",
              f"Patients (% per {_BIN_MIN} minutes)")  # fmt: skip
    ax.legend(fontsize=8)
    return ax


def fitted_exams(minutes: Ints, law: ExamLaw, ax: Axes | None = None) -> Axes:
    """Histogram of exam lengths with the density of the distribution.

    :param minutes: (n,) lengths, minutes
    :param law: the fitted distribution
    :param ax: axes to draw on; new ones by default
    """
    ax = axes_or_new(ax, 7, 3.8)
    edges = np.arange(_BIN_MIN * (int(minutes.min()) // _BIN_MIN), minutes.max() + _BIN_MIN + 1, _BIN_MIN)
    count = np.histogram(minutes, edges - 0.5)[0]
    share = 100 * count / len(minutes)
    ax.stairs(share, edges - 0.5, fill=True, color="0.8", label=f"recorded: {len(minutes)} exams")
    grid = np.linspace(0, max(float(edges[-1]), 1.0), 400)
    ax.plot(grid, 100 * _BIN_MIN * duration_density(law, grid), color=BLUE, label="fitted")
    ax.axvline(minutes.mean(), color=BLACK, linewidth=1, linestyle=":", label=f"recorded mean: {minutes.mean():.1f}")
    name_axes(ax, "Exam lengths", "End of the exam minus begin (minutes)", f"Exams (% per {_BIN_MIN} minutes)")
    ax.legend(fontsize=8)
    return ax


def fitted_exams_by_type(
    minutes: Mapping[str, Ints], laws: Mapping[str, ExamLaw], pooled: ExamLaw, looks: Mapping[str, Look],
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Cumulative distributions of exam lengths: recorded, fitted to each type, and pooled.

    :param minutes: exam type -> lengths, minutes
    :param laws: exam type -> distribution fitted to it; a type may have none
    :param pooled: distribution fitted to all exams
    :param looks: exam type -> how it looks
    :param ax: axes to draw on; new ones by default
    """
    ax = axes_or_new(ax, 7, 3.8)
    longest = max((int(part.max()) for part in minutes.values() if len(part)), default=60)
    grid = np.arange(longest + 11)
    for kind, part in minutes.items():
        if not len(part):
            continue
        colour, name = looks[kind].colour, kind.replace("_", "-")
        seen = 100 * np.searchsorted(np.sort(part), grid, side="right") / len(part)
        label = f"{name}: recorded ({len(part)}), mean {part.mean():.1f} minutes"
        ax.step(grid, seen, where="post", color=colour, linewidth=1, label=label)
        if kind in laws:
            at_most = 100 * duration_probability(laws[kind], grid + 0.5)
            ax.plot(grid, at_most, color=colour, linewidth=2, linestyle=looks[kind].dashes, label=f"{name}: fitted")
    at_most = 100 * duration_probability(pooled, grid + 0.5)
    ax.plot(grid, at_most, color=BLACK, linewidth=1, linestyle=":", label="all types: fitted")
    name_axes(ax, "Exam lengths by type", "End of the exam minus begin (minutes)", "Cumulative share (%)")
    ax.legend(fontsize=8)
    return ax


def fitted_appointments(
    days: Mapping[str, Mapping[str, Ints]], hours: Hours, looks: Mapping[str, Look], ax: Axes | None = None
) -> Axes:
    """Appointments of each day, one line each.

    :param days: name -> exam type -> appointments, minutes after midnight; from the top down
    :param hours: hours of the lab
    :param looks: exam type -> how it looks
    :param ax: axes to draw on; new ones by default
    """
    ax = axes_or_new(ax, 8, 0.8 + 0.55 * len(days))
    shown: set[str] = set()
    for line, kinds in enumerate(days.values()):
        for place, (kind, times) in enumerate(kinds.items()):
            if not len(times):
                continue
            at, count = np.unique(np.asarray(times, dtype=np.int64) - hours.opening_min, return_counts=True)
            height = line + 0.6 * ((place + 0.5) / len(kinds) - 0.5)
            label = None if kind in shown else kind.replace("_", "-")
            marker = looks[kind].marker or "oD"[place % 2]
            size = 18 * count
            ax.scatter(at, np.full(len(at), height), s=size, label=label, color=looks[kind].colour, marker=marker)
            shown.add(kind)
    labels = [f"{name} ({sum(len(times) for times in kinds.values())})" for name, kinds in days.items()]
    name_axes(ax, "Appointments; larger markers are several at the same time", "", "")
    clock_axis(ax, hours, every_min=60)
    ax.set_xlim(-10, hours.closing_min + 10)
    ax.set_yticks(range(len(days)), labels)
    ax.set_ylim(len(days) - 0.5, -0.5)
    ax.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax
