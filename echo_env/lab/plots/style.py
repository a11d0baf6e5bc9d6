"""What all figures of the lab share: how classes of patients look, clock axes; and the look of all packages."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from echo_env.common.figures import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    YELLOW,
    axes_or_new,
    band_alpha,
    legend,
    name_axes,
    policy_line,
    thousands,
)
from echo_env.common.stats import mean_and_half_width
from echo_env.lab.config import Hours, LabConfig
from echo_env.lab.config.lab import Lab
from echo_env.lab.simulation.patient import Punctuality, class_label, punctuality

__all__ = [
    "BANDS",
    "BLACK",
    "BLUE",
    "GREEN",
    "ORANGE",
    "PURPLE",
    "SKY",
    "VERMILLION",
    "YELLOW",
    "Look",
    "axes_or_new",
    "band_alpha",
    "by_punctuality",
    "class_colour",
    "class_labels",
    "class_line",
    "clock_axis",
    "group_labels",
    "group_look",
    "legend",
    "mean_and_band",
    "mean_of_days",
    "name_axes",
    "policy_line",
    "thousands",
    "type_labels",
    "type_looks",
]


class Look(NamedTuple):
    """How an exam type or a group looks: as an area by colour and hatch, as a line by colour, dashes and marker.

    :param colour: of the area or the line
    :param hatch: of the area
    :param dashes: of the line
    :param marker: of the line
    """

    colour: str
    hatch: str
    dashes: str
    marker: str

    @property
    def line(self) -> dict[str, Any]:
        """As a line, for matplotlib."""
        return {"color": self.colour, "linestyle": self.dashes, "marker": self.marker, "markersize": 4}


_PAPERS = (Look(VERMILLION, "//", "-", ""), Look(SKY, "", "--", ""))
"""Fetal and non-fetal."""

_LOOKS = (
    Look(BLUE, "", "-", "o"),
    Look(ORANGE, "", "--", "s"),
    Look(GREEN, "///", "-.", "^"),
    Look(YELLOW, "", ":", "D"),
    Look(VERMILLION, "...", "-", "v"),
    Look(SKY, "xxx", "--", "P"),
    Look(BLACK, "", "-.", "X"),
    Look(PURPLE, "\\\\\\", ":", "*"),
)
"""Of any eight: those without a hatch differ in lightness, so that they can be told apart in grey print, and no two
have the same hatch otherwise."""


def type_looks(config: Lab) -> tuple[Look, ...]:
    """How each exam type of a lab looks.

    :param config: the lab
    """
    return _PAPERS if config.plan.nested_pair else _LOOKS[: len(config.plan.types)]


def group_look(config: Lab, number: int) -> Look:
    """How a group of rooms or of staff looks; more than eight begin again.

    The first ones look like none of the first exam types.

    :param config: the lab
    :param number: of the group
    """
    return _PAPERS[number] if isinstance(config, LabConfig) else _LOOKS[(number + 4) % len(_LOOKS)]


def by_punctuality(config: Lab) -> bool:
    """Whether colours of patients say how punctual they are, as in the paper's lab, and a black rim the first type.

    Labs of more than two types have a colour for each type.

    :param config: the lab
    """
    return len(config.plan.types) <= 2


def type_labels(config: Lab) -> tuple[str, ...]:
    """What figures call each exam type.

    :param config: the lab
    """
    return tuple(kind.name.replace("_", "-") for kind in config.plan.types)


def class_labels(config: Lab) -> tuple[str, ...]:
    """What figures call each class of patients: ``non-fetal on time``.

    :param config: the lab
    """
    return tuple(class_label(kind.name, when) for kind in config.plan.types for when in Punctuality)


def group_labels(config: Lab, what: str) -> tuple[str, ...]:
    """What figures call each group, by what it can do in the paper's lab, by its name in others.

    :param config: the lab
    :param what: ``room`` or ``staff``
    """
    if isinstance(config, LabConfig):
        return ("fetal-capable", "non-fetal only")
    groups = config.plan.room_groups if what == "room" else config.plan.staff_groups
    return tuple(group.name.replace("_", " ") for group in groups)


def class_colour(kind: int) -> str:
    """On time blue, late orange, early green.

    :param kind: a class of patients, in any lab
    """
    return (BLUE, ORANGE, GREEN)[punctuality(kind)]


def class_line(kind: int) -> dict[str, Any]:
    """How a line about a class looks: punctuality by colour and marker, the type by dashes.

    :param kind: a class of patients, in any lab
    """
    dashes = ("-", "--", ":", "-.")[kind // len(Punctuality) % 4]
    marker = "os^"[punctuality(kind)]
    return {"color": class_colour(kind), "linestyle": dashes, "marker": marker, "markersize": 4}


BANDS = {"interval": "95 % band", "sd": "one standard deviation"}
"""Kind of band around a mean over days -> what titles call it: the mean's interval, or how much days differ."""


def mean_of_days(days: int, band: str = "interval") -> str:
    """What a title says about the days that a mean and its band are taken over.

    :param days: how many
    :param band: one of :data:`BANDS`
    """
    return "one day" if days == 1 else f"mean of {days:,} days with {BANDS[band]}"


def mean_and_band(values: NDArray[np.float64], band: str = "interval") -> tuple[Any, Any]:
    """Mean over the first axis, and the half-width of the band around it.

    :param values: (days, ...)
    :param band: one of :data:`BANDS`
    """
    if band == "sd":
        return values.mean(axis=0), values.std(axis=0, ddof=min(1, len(values) - 1))
    return mean_and_half_width(values)


def clock_axis(ax: Axes, hours: Hours, every_min: int = 120) -> None:
    """Clock times on an x axis of minutes since opening, from opening to the end of the day; closing dotted.

    :param ax: where
    :param hours: when the lab is open
    :param every_min: minutes between two times that are written
    """
    ticks = np.arange(-hours.opening_min % 60, hours.end_min + 1, every_min)
    ax.set_xticks(ticks, [hours.clock(tick) for tick in ticks.tolist()])
    ax.set_xlim(0, hours.end_min)
    ax.set_xlabel("Time of day (hh:mm); dotted: closing")
    ax.axvline(hours.closing_min, color="0.4", linewidth=1, linestyle=":", zorder=0)
