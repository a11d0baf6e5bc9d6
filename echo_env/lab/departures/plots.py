"""Figures of two policies along the same states (figure 17)."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from echo_env.lab.config import Hours
from echo_env.lab.plots.by_minute import penalties
from echo_env.lab.plots.style import BLUE, ORANGE, axes_or_new, clock_axis, name_axes, policy_line
from echo_env.lab.simulation.trace import Trace

_COLUMNS = ("time", "waiting", "free", "followed_begins", "other_begins")
_WIDTHS = (7, 24, 30, 23, 23, 15, 15, 15)
"""Width of each column in characters; the last three columns are points."""
_BOLD = 3
"""So many characters fewer fit into a heading."""
_LINE_INCHES = 0.165

Row = list[str]


def immediate_penalties(differences: pd.DataFrame, hours: Hours, ax: Axes | None = None) -> Axes:
    """Penalty of the minutes in which two policies act differently, after each one's decision.

    :param differences: as :func:`~echo_env.lab.departures.state_by_state.state_by_state` gives them
    :param hours: those of the lab
    :param ax: where to draw
    """
    ax = axes_or_new(ax, 9, 2.2)
    minute = differences["minute"].to_numpy()
    ax.vlines(minute, differences["followed_penalty"], differences["other_penalty"], color="0.7", linewidth=1)
    for number, role in enumerate(("followed", "other")):
        style = {**policy_line(number), "linestyle": "", "markersize": 6}
        if number:
            style["markerfacecolor"] = "none"
        label = f"{_name(differences, role)} ({'plays the day' if number == 0 else 'compared'})"
        ax.plot(minute, differences[f"{role}_penalty"], label=label, clip_on=False, **style)
    name_axes(ax, "Penalty of the minutes in which they act differently", "", "Penalty of the\nminute (points)")
    clock_axis(ax, hours, every_min=60)
    ax.set_ylim(0, max(1.0, 1.2 * differences[["followed_penalty", "other_penalty"]].max().max()))
    ax.legend(fontsize=8)
    return ax


def consequences(differences: pd.DataFrame, hours: Hours, ax: Axes | None = None) -> Axes:
    """What each of these decisions leads to: by the end of the day, the other's decision against the one made.

    A decision that looks dear in its minute may be cheap by the end of the day, and the other way round.

    :param differences: as :func:`~echo_env.lab.departures.state_by_state.state_by_state` gives them
    :param hours: those of the lab
    :param ax: where to draw
    """
    ax = axes_or_new(ax, 9, 2.2)
    minute, points = differences["minute"].to_numpy(), differences["by_the_end"].to_numpy()
    followed, other = _name(differences, "followed"), _name(differences, "other")
    sides = ((points < 0, BLUE, "cheaper"), (points > 0, ORANGE, "dearer"), (points == 0, "0.5", "no difference"))
    for own, colour, words in sides:
        if own.any():
            label = f"{other}'s decision is {words}" if colour != "0.5" else words
            ax.vlines(minute[own], 0, points[own], color=colour, linewidth=2)
            ax.plot(minute[own], points[own], "o", color=colour, markersize=4, label=f"{label} ({own.sum()})")
    ax.axhline(0, color="0.3", linewidth=1, zorder=0)
    title = f"By the end of the day, if {other} decided in that minute alone and {followed} from then on"
    name_axes(ax, title, "", "Change of the day's\npenalty (points)")
    clock_axis(ax, hours, every_min=60)
    if not points.any():
        ax.set_ylim(-1, 1)
    ax.legend(fontsize=8)
    return ax


def penalties_of_the_day(trace: Trace, differences: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Penalty of every minute of a day for two policies, each after its own decision in the same states.

    :param trace: the day under the policy that plays it
    :param differences: of this day, as :func:`~echo_env.lab.departures.state_by_state.state_by_state` gives them
    :param ax: where to draw
    """
    ax = axes_or_new(ax, 11, 3)
    own = penalties([trace])[0]
    other = own.copy()
    minute = differences["minute"].to_numpy(dtype=np.int64)
    other[minute] = differences["other_penalty"]
    every = np.arange(len(own))
    style = [{key: policy_line(number)[key] for key in ("color", "linestyle")} for number in range(2)]
    roles = (("followed", "plays the day"), ("other", "in the same states"))
    labels = [f"{_name(differences, role)} ({what})" for role, what in roles]
    ax.step(every, other, where="post", label=labels[1], linewidth=1.2, **{**style[1], "linestyle": "-"})
    ax.step(every, own, where="post", label=labels[0], linewidth=1.2, **{**style[0], "linestyle": "-"})
    ax.plot(minute, other[minute], "s", color=style[1]["color"], markersize=5, label="they act differently")
    title = f"{trace.config.name}: penalty of every minute in the states of {_name(differences, 'followed')}"
    name_axes(ax, title, "", "Penalty (points a minute)")
    clock_axis(ax, trace.config.hours, every_min=60)
    ax.set_ylim(0, max(1.0, 1.08 * max(own.max(), other.max())))
    ax.legend(fontsize=8)
    return ax


def difference_table(differences: pd.DataFrame, most: int = 15, ax: Axes | None = None) -> Axes:
    """The same minutes as a table: patients waiting, free resources, and the patients that each policy begins.

    :param differences: as :func:`~echo_env.lab.departures.state_by_state.state_by_state` gives them
    :param most: number of minutes shown; a line below says how many there are in all
    :param ax: where to draw
    """
    rows = table_rows(differences, most)
    ax = axes_or_new(ax, 11, table_inches(rows))
    left = np.cumsum([0, *_WIDTHS[:-1]]) / sum(_WIDTHS)
    top = 0.0
    for number, row in enumerate(rows):
        for x, cell in zip(left.tolist(), row, strict=True):
            ax.text(x, top + 0.25, cell, va="top", size=8, weight="normal" if number else "bold")
        top += _lines(row)
        ax.axhline(top, color="0.85" if number else "0.2", linewidth=0.8)
    remark = f"{len(differences)} minute{'' if len(differences) == 1 else 's'} in all"
    if len(differences) > most:
        remark += f"; the first {most} are shown"
    ax.text(0, top + 0.25, remark, va="top", size=8, color="0.4")
    ax.set_xlim(0, 1)
    ax.set_ylim(top + 1.5, 0)
    ax.set_axis_off()
    return ax


def table_rows(differences: pd.DataFrame, most: int = 15) -> list[Row]:
    """The cells of the table, headings first, with line breaks where a column is too narrow.

    :param differences: as :func:`~echo_env.lab.departures.state_by_state.state_by_state` gives them
    :param most: how many minutes
    """
    followed, other = _name(differences, "followed"), _name(differences, "other")
    titles = ["Time", "Waiting", "Free", f"{followed} begins", f"{other} begins"]
    titles += [f"{name} this minute (points)" for name in (followed, other)]
    titles += [f"{other} by the end of the day (points)"]
    rows = [titles]
    for minute in differences.head(most).to_dict("records"):
        words = [minute[name] for name in _COLUMNS]
        points = [f"{minute['followed_penalty']:g}", f"{minute['other_penalty']:g}", f"{minute['by_the_end']:+g}"]
        rows.append([*words, *points])
    return [
        [
            "\n".join(textwrap.wrap(cell, width - 1 if number else width - _BOLD, break_on_hyphens=False))
            for cell, width in zip(row, _WIDTHS, strict=True)
        ]
        for number, row in enumerate(rows)
    ]


def table_inches(rows: list[Row]) -> float:
    """Height of a table, inches.

    :param rows: as :func:`table_rows` gives them
    """
    return _LINE_INCHES * (sum(map(_lines, rows)) + 1.5)


def _lines(row: Row) -> float:
    """Height of a row in lines of text, spacing included."""
    return max(cell.count("\n") + 1 for cell in row) + 0.5


def _name(differences: pd.DataFrame, role: str) -> str:
    return str(differences[role].iloc[0]) if len(differences) else role
