"""Learning curves (figures 12, 18 and 21)."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from echo_env.lab.plots.style import BLUE, VERMILLION, axes_or_new, name_axes, thousands

_PENALTY_COLUMNS = {"penalty": 1, "metrics/penalty": 1, "r": -1}
"""Column -> sign, in order of preference."""
_ABSENCE_COLUMNS = ("absence_rate", "metrics/absence_rate", "curriculum/absence_rate")


def training_days(log: pd.DataFrame) -> pd.DataFrame:
    """Days of a training, from a log with a line for each day (or for the mean of several).

    A Stable-Baselines3 monitor file is read with ``pandas.read_csv("0.monitor.csv", skiprows=1)``: its column
    ``r`` is minus the penalty where the env's reward is. TensorBoard's scalars go by their own names.

    :param log: has ``penalty``, ``metrics/penalty`` or ``r``; may have ``absence_rate`` (or ``metrics/absence_rate``,
        ``curriculum/absence_rate``) and ``day``, by default the number of the line, from 1
    :return: columns ``day``, ``penalty`` (points) and, if it is known, ``absence_rate``
    :raises ValueError: no column tells the penalty
    """
    penalty = next((name for name in _PENALTY_COLUMNS if name in log), None)
    if penalty is None:
        raise ValueError(
            f"training log has columns {', '.join(map(str, log.columns))}, "
            f"but needs one of {', '.join(_PENALTY_COLUMNS)}"
        )
    day = log["day"].to_numpy() if "day" in log else range(1, len(log) + 1)
    days = pd.DataFrame({"day": day, "penalty": _PENALTY_COLUMNS[penalty] * log[penalty].to_numpy()})
    absence = next((name for name in _ABSENCE_COLUMNS if name in log), None)
    return days if absence is None else days.assign(absence_rate=log[absence].to_numpy())


def learning_curve(training: pd.DataFrame, window: int = 50, ax: Axes | None = None) -> Axes:
    """Mean penalty of the last days against the day, on a log scale.

    :param training: see :func:`training_days`
    :param window: how many days the mean is taken over
    :param ax: where to draw
    :raises ValueError: no column tells the penalty
    """
    ax = axes_or_new(ax)
    days = training_days(training)
    mean = days["penalty"].rolling(window).mean()
    ax.plot(days["day"], mean, color=BLUE, linewidth=1)
    name_axes(ax, f"Learning curve: mean of the last {window} days", "Day of training (number)",
              "Penalty a day (points, log scale)")  # fmt: skip
    # A lab in which nothing need cost anything has zeros, which no logarithm shows.
    if (mean.dropna() > 0).all():
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.yaxis.set_minor_formatter(NullFormatter())
    else:
        ax.set_yscale("symlog", linthresh=1.0)
    thousands(ax, "x")
    thousands(ax, "y")
    return ax


def absence_rate_curve(training: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Absence rate of the sonographers against the day: the curriculum of appendix A.4.1.

    :param training: see :func:`training_days`
    :param ax: where to draw
    :raises ValueError: the log does not tell it
    """
    days = training_days(training)
    if "absence_rate" not in days:
        raise ValueError(f"training log does not tell the absence rate: none of {', '.join(_ABSENCE_COLUMNS)} is there")
    ax = axes_or_new(ax, 7, 2)
    ax.plot(days["day"], days["absence_rate"], color=VERMILLION, linewidth=1.4)
    name_axes(ax, "Sonographers' absence rate", "Day of training (number)", "Absence rate\n(probability)")
    ax.set_ylim(0, 1)
    thousands(ax, "x")
    return ax
