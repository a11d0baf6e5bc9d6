"""What all figures of the lab share: how classes of patients look, clock axes; and the look of all packages."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from echo_env.common.figures import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    axes_or_new,
    band_alpha,
    legend,
    name_axes,
    policy_line,
    thousands,
)
from echo_env.lab.config import Hours
from echo_env.lab.simulation.patient import EARLY, LATE, PatientClass

__all__ = [
    "BLACK",
    "BLUE",
    "GREEN",
    "ORANGE",
    "PURPLE",
    "SKY",
    "VERMILLION",
    "axes_or_new",
    "band_alpha",
    "class_colour",
    "class_line",
    "clock_axis",
    "kind_line",
    "legend",
    "mean_of_days",
    "name_axes",
    "policy_line",
    "thousands",
]


def class_colour(kind: PatientClass) -> str:
    """On time blue, late orange, early green."""
    return ORANGE if kind in LATE else GREEN if kind in EARLY else BLUE


def class_line(kind: PatientClass) -> dict[str, Any]:
    """How a line about a class looks: punctuality by colour and marker, fetal solid and non-fetal dashed."""
    marker = "s" if kind in LATE else "^" if kind in EARLY else "o"
    return {"color": class_colour(kind), "linestyle": "-" if kind.fetal else "--", "marker": marker, "markersize": 4}


def kind_line(fetal: bool) -> dict[str, Any]:
    """How a line about fetal or non-fetal patients or resources looks."""
    return {"color": VERMILLION, "linestyle": "-"} if fetal else {"color": SKY, "linestyle": "--"}


def mean_of_days(days: int) -> str:
    """What a title says about the days that a mean and its band are taken over."""
    return "one day" if days == 1 else f"mean of {days:,} days with 95 % band"


def clock_axis(ax: Axes, hours: Hours, every_min: int = 120) -> None:
    """Clock times on an x axis of minutes since opening, from opening to the end of the day; closing dotted.

    :param ax: where
    :param hours: when the lab is open
    :param every_min: minutes between two times that are written
    """
    ticks = np.arange(-hours.opening_min % 60, hours.end_min + 1, every_min)
    ax.set_xticks(ticks, [hours.clock(tick) for tick in ticks.tolist()])
    ax.set_xlim(0, hours.end_min)
    ax.set_xlabel("Time of day (hh:mm)")
    ax.axvline(hours.closing_min, color="0.4", linewidth=1, linestyle=":", zorder=0)
