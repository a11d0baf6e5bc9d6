"""How a Gantt chart looks: fills of its bars, names of its rows, and its legend."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.transforms import ScaledTranslation

from echo_env.lab.config import LabConfig
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import NO_SHOW, TURNED_AWAY
from echo_env.lab.plots.bars import ABSENT, BREAK, CLEANING, CLOSED, LUNCH, NOT_READY, OFF_DUTY, day_bars, grounds
from echo_env.lab.plots.style import BLACK, ORANGE, by_punctuality, class_colour, class_labels, type_labels, type_looks
from echo_env.lab.simulation.patient import CLASSES_PER_TYPE, Punctuality, punctuality
from echo_env.lab.simulation.trace import Trace

_HANDOVER = "handover"
_MARKS = ((Punctuality.LATE, "late (L): rim"), (Punctuality.EARLY, "early (E): thin wait"))
_DARK = 0.32
"""Colours of a lower luminance have white labels."""

TAKER: dict[str, Any] = {
    **{"linestyle": "", "marker": "D", "markersize": 4, "color": "black"},
    **{"markerfacecolor": "white", "zorder": 4},
}


class Fill(NamedTuple):
    """How a bar is filled and framed.

    :param face: its colour
    :param edge: of its frame and of the hatch
    :param width: of its frame
    :param hatch: of matplotlib
    """

    face: str
    edge: str = "white"
    width: float = 0.4
    hatch: str = ""


GROUND_FILLS = {
    CLOSED: Fill("0.95", "0.6", hatch="\\\\\\"),
    OFF_DUTY: Fill("0.9", "0.9"),
    ABSENT: Fill("0.95", "0.7", hatch="xx"),
    BREAK: Fill("0.88", "0.4"),
    LUNCH: Fill("0.97", "0.4", hatch="////"),
    CLEANING: Fill("white", "0.5", hatch="||||"),
    NOT_READY: Fill("0.8", "0.5"),
}


def class_fill(config: Lab, kind: int) -> Fill:
    """How the bars of a class of patients look.

    In labs of one or two types, colour says how punctual they are, and a black rim which of two types; in others
    colour and hatch say which type, and a rim that they are late.

    :param config: the lab
    :param kind: the class
    """
    number = kind // CLASSES_PER_TYPE
    if by_punctuality(config):
        rim = number == 0 and len(config.plan.types) == 2
        return Fill(class_colour(kind), *(("black", 1.2) if rim else ("white", 0.4)))
    look = type_looks(config)[number]
    if punctuality(kind) != Punctuality.LATE:
        return Fill(look.colour, hatch=look.hatch)
    # A black rim would be lost on black.
    return Fill(look.colour, ORANGE if look.colour == BLACK else "black", 1.2, look.hatch)


def gantt_legend(ax: Axes, config: Lab, traces: Sequence[Trace] | None = None) -> None:
    """What the colours and marks of a Gantt chart mean, below its clock times.

    :param ax: that of the chart
    :param config: the lab
    :param traces: the days that are shown whole, so that only what they have is named; by default what a day that is
        drawn for the lab can have
    """
    below = ax.transAxes + ScaledTranslation(0, -0.45, ax.figure.dpi_scale_trans)
    shown = _shown(traces) if traces is not None else set(grounds(config)) - _never(config) | _anybody(config)
    handles: list[Artist] = [*_class_handles(config, shown)]
    order = (BREAK, LUNCH, ABSENT, OFF_DUTY, CLOSED, CLEANING, NOT_READY)
    handles += [_patch(GROUND_FILLS[name], name) for name in order if name in shown]
    handles.append(Line2D([], [], linestyle="", marker="|", markersize=8, color="black", label="appointment"))
    if traces is not None and any(np.isin(own.day.arrival, (NO_SHOW, TURNED_AWAY)).any() for own in traces):
        handles.append(Line2D([], [], linestyle="", marker="x", markersize=5, color="black", label="was not examined"))
    if _HANDOVER in shown:
        handles.append(Line2D([], [], **{**TAKER, "linestyle": "-"}, label=_HANDOVER))
    ax.legend(
        handles=handles,
        ncols=6 if len(handles) <= 6 else min(-(-len(handles) // 2), 8),
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        bbox_transform=below,
        fontsize=8,
        frameon=False,
    )


def _shown(traces: Sequence[Trace]) -> set[str]:
    """What the bars of days show: classes of patients by their labels, and grounds."""
    bars = [day_bars(trace) for trace in traces]
    found = {name for own in bars for name, drawn in own.items() if drawn}
    return found | ({_HANDOVER} if any(trace.handovers for trace in traces) else set())


def _anybody(config: Lab) -> set[str]:
    """Every class of patients, and handovers where a lab has any."""
    hands_over = any(group.hands_over for group in config.plan.staff_groups)
    return {*class_labels(config), *([_HANDOVER] if hands_over else [])}


def _never(config: Lab) -> set[str]:
    """What no day that is drawn for a lab has, though one made by hand may."""
    groups, paper = config.plan.staff_groups, isinstance(config, LabConfig)
    happens = {
        BREAK: paper or any(group.breaks.number or group.breaks.planned for group in groups),
        ABSENT: paper or any(group.absence_rate for group in groups),
        NOT_READY: any(kind.preparation or not kind.may_begin_early for kind in config.plan.types),
    }
    return {name for name, does in happens.items() if not does}


def _class_handles(config: Lab, shown: set[str]) -> list[Patch]:
    """Of the classes that are shown."""
    names, labels = type_labels(config), class_labels(config)
    there = {kind for kind, label in enumerate(labels) if label in shown}
    whens, kinds = {punctuality(kind) for kind in there}, sorted({kind // CLASSES_PER_TYPE for kind in there})
    if by_punctuality(config):
        when = {"on time": Punctuality.ON_TIME, "late (L)": Punctuality.LATE, "early (E)": Punctuality.EARLY}
        handles = [Patch(color=class_colour(kind), label=label) for label, kind in when.items() if kind in whens]
        rim = len(names) == 2 and 0 in kinds
        return [*handles, *([_patch(Fill("white", "black", 1.5), f"{names[0]}: black rim")] if rim else [])]
    handles = [_patch(class_fill(config, CLASSES_PER_TYPE * k), names[k]) for k in kinds]
    marks = [words for when, words in _MARKS if when in whens]
    return [*handles, *([_patch(Fill("white", "black", 1.5), "; ".join(marks))] if marks else [])]


def _patch(fill: Fill, label: str) -> Patch:
    return Patch(facecolor=fill.face, edgecolor=fill.edge, linewidth=fill.width, hatch=fill.hatch or None, label=label)


def room_names(config: Lab) -> list[str]:
    """What each room's row is called, by number.

    :param config: the lab
    """
    plan = config.plan
    groups = [plan.room_groups[group].name for group in plan.room_group]
    if isinstance(config, LabConfig):
        return [f"room {n}{' (fetal)' if group == 'fetal' else ''}" for n, group in enumerate(groups)]
    return [f"{group.replace('_', ' ')} {n}" for n, group in enumerate(groups)]


def staff_names(config: Lab) -> list[str]:
    """What the row of each member of staff is called, by number.

    :param config: the lab
    """
    plan = config.plan
    groups = [plan.staff_groups[group].name for group in plan.staff_group]
    if isinstance(config, LabConfig):
        return [f"sonographer {n}{' (fetal)' if group == 'fetal' else ''}" for n, group in enumerate(groups)]
    called = plan.on_call.tolist()
    return [f"{group.replace('_', ' ')} {n}{' (on call)' if called[n] else ''}" for n, group in enumerate(groups)]


def label_colour(face: str) -> str:
    """``white`` or ``black``, which can be read on a colour."""
    return "white" if _luminance(face) < _DARK else "black"


@lru_cache(maxsize=64)
def _luminance(colour: str) -> float:
    """Relative luminance of a colour, 0 to 1."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
