"""Learning curves (figures 12, 18 and 21)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from echo_env.lab.plots.style import BLUE, VERMILLION, axes_or_new, name_axes, thousands

Floats = NDArray[np.float64]

WINDOW = 50
"""Days of the moving mean."""


def moving_mean(values: Floats, window: int = WINDOW) -> Floats:
    """(n,) float64, mean of each value and those before it, ``window`` in all; of fewer at the beginning.

    :param values: (n,)
    :param window: how many
    """
    sums = np.concatenate([[0.0], np.cumsum(values)])
    last = np.arange(1, len(values) + 1)
    first = np.maximum(last - window, 0)
    return np.asarray((sums[last] - sums[first]) / (last - first))


def log_penalty(penalty: Floats, window: int = WINDOW) -> Floats:
    """(n,) float64, natural logarithm of the moving mean of penalties, -inf where that is 0.

    :param penalty: (n,) points of each day, at least 0
    :param window: days of the moving mean
    """
    # Sums of what is 0 may be off by rounding.
    mean = np.maximum(moving_mean(penalty, window), 0.0)
    mean[mean < 1e-9 * penalty.max(initial=1.0)] = 0.0
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(mean))


def learning_curve(
    penalty: Floats, absence_rate: Floats, title: str, restarts: Sequence[int] = (), ax: Axes | None = None
) -> Axes:
    """log(-R) of each day of a training, R being the day's reward, and on a second axis the absence rate of the day.

    :param penalty: (n,) points of each day, which is -R
    :param absence_rate: (n,) probability that a sonographer is absent
    :param title: of the chart
    :param restarts: days on which exploration begins anew
    :param ax: where to draw
    """
    ax = axes_or_new(ax, 8.5, 4.2)
    days, curve = np.arange(1, len(penalty) + 1), log_penalty(penalty)
    shown = np.isfinite(curve)
    ax.plot(days, np.where(shown, curve, np.nan), color=BLUE, linewidth=1.0, label=f"log(-R), {WINDOW}-day mean")
    if not shown.all():
        low = curve[shown].min() if shown.any() else 0.0
        label = f"no penalty in {WINDOW} days"
        ax.plot(days[~shown], np.full((~shown).sum(), low - 0.4), "|", color=BLUE, markersize=5, label=label)
    for number, day in enumerate(restarts):
        label = "exploration begins anew" if number == 0 else "_"
        ax.axvline(day, color="0.4", linestyle=":", linewidth=1.2, label=label)
    name_axes(ax, title, "Day of training (number)", "log(-R) (natural logarithm of points a day)")
    ax.set_xlim(0, max(len(penalty), 2))
    thousands(ax, "x")
    rates = ax.twinx()
    rates.plot(days, absence_rate, color=VERMILLION, linestyle="--", linewidth=1.4, label="absence rate (right)")
    rates.set_ylim(0, 1)
    rates.set_ylabel("Absence rate of sonographers (probability)", color=VERMILLION)
    rates.tick_params(axis="y", colors=VERMILLION)
    rates.spines[["top", "left"]].set_visible(False)
    lines = [handle for own in (ax, rates) for handle in own.get_legend_handles_labels()[0]]
    ax.figure.legend(handles=lines, loc="outside lower center", ncols=len(lines), fontsize=8)
    return ax
