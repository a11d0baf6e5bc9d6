"""What all figures share: colours that colour-blind readers tell apart, line styles for grey print, clock axes."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from echo_env.lab.config import Hours
from echo_env.lab.patient import EARLY, LATE, PatientClass

# Okabe and Ito's colours.
BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
SKY, VERMILLION, BLACK = "#56B4E9", "#D55E00", "#000000"

_POLICY_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, BLACK)
_POLICY_LINES = ("-", "--", "-.", ":")
_POLICY_MARKERS = ("o", "s", "^", "D", "v")


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


def policy_line(number: int) -> dict[str, Any]:
    """How the line of the policy with this place in a comparison looks."""
    return {
        "color": _POLICY_COLOURS[number % len(_POLICY_COLOURS)],
        "linestyle": _POLICY_LINES[number % len(_POLICY_LINES)],
        "marker": _POLICY_MARKERS[number % len(_POLICY_MARKERS)],
        "markersize": 4,
    }


def axes_or_new(ax: Axes | None, width: float = 7.0, height: float = 4.0) -> Axes:
    """The axes given, or those of a new figure of that size in inches."""
    return ax if ax is not None else Figure(figsize=(width, height), layout="constrained").subplots()


def name_axes(ax: Axes, title: str, x: str, y: str) -> None:
    """Title, axis names and a light grid."""
    ax.set_title(title, fontsize=10)
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.grid(True, color="0.9", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def band_alpha(bands: int) -> float:
    """How opaque a band is among so many, which may lie on top of each other."""
    return min(0.2, 0.6 / bands)


def mean_of_days(days: int) -> str:
    """What a title says about the days that a mean and its band are taken over."""
    return "one day" if days == 1 else f"mean of {days:,} days with 95 % band"


def legend(ax: Axes) -> None:
    """A legend, beside the axes if there are many lines."""
    lines = len(ax.get_legend_handles_labels()[1])
    if lines > 6:
        ax.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    elif lines:
        ax.legend(fontsize=8)


def thousands(ax: Axes, which: str) -> None:
    """Write 10,000 for 10000 on the ``x`` or the ``y`` axis."""
    getattr(ax, f"{which}axis").set_major_formatter("{x:,.10g}")


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
