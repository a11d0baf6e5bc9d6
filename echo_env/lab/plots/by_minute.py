"""The average day, minute by minute (figures 4 to 9, 13, and 25 to 44 of the appendix)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from echo_env.common.figures import off_the_scale
from echo_env.lab.config import LabConfig
from echo_env.lab.plots.style import (
    axes_or_new,
    band_alpha,
    class_labels,
    class_line,
    clock_axis,
    group_labels,
    group_look,
    legend,
    mean_and_band,
    mean_of_days,
    name_axes,
    policy_line,
    thousands,
    type_labels,
    type_looks,
)
from echo_env.lab.simulation.patient import CLASSES_PER_TYPE
from echo_env.lab.simulation.penalty import penalty_points
from echo_env.lab.simulation.trace import Trace

Floats = NDArray[np.float64]

_MOST_SQUASHED_LINES = 4.0
"""Lines from 0 upwards may differ so many times."""


def waiting_by_class(traces: Sequence[Trace], ax: Axes | None = None, band: str = "interval") -> Axes:
    """Patients waiting, by class: mean over days with a band.

    :param traces: days of one lab under one policy, at least one
    :param ax: where to draw
    :param band: one of :data:`~echo_env.lab.plots.style.BANDS`
    """
    ax = axes_or_new(ax)
    counts = _counts(traces)
    for kind, label in enumerate(class_labels(traces[0].config)):
        _line_with_band(ax, counts[:, :, kind], label, class_line(kind), band=band)
    _finish(ax, traces[0], f"Patients waiting, {mean_of_days(len(traces), band)}", "Patients waiting (mean number)")
    return ax


def waiting_by_type(traces: Sequence[Trace], ax: Axes | None = None) -> Axes:
    """Patients waiting, by exam type: mean over days with its 95 % band.

    :param traces: days of one lab under one policy, at least one
    :param ax: where to draw
    """
    ax = axes_or_new(ax)
    counts, config = _counts(traces), traces[0].config
    looks = type_looks(config)
    for k, label in enumerate(type_labels(config)):
        own = counts[:, :, CLASSES_PER_TYPE * k : CLASSES_PER_TYPE * (k + 1)].sum(axis=2)
        _line_with_band(ax, own, label, looks[k].line, bands=len(looks))
    _finish(ax, traces[0], f"Patients waiting, {mean_of_days(len(traces))}", "Patients waiting (mean number)")
    return ax


def free_rooms(traces: Sequence[Trace], ax: Axes | None = None, band: str = "interval") -> Axes:
    """Free rooms, by group: mean over days with a band. Those that are cleaned or closed are not free.

    Parameters as for :func:`waiting_by_class`.
    """
    config, ax = traces[0].config, axes_or_new(ax)
    columns = config.plan.room_columns
    _free(traces, ax, columns, CLASSES_PER_TYPE * len(config.plan.types), group_labels(config, "room"), "rooms", band)
    return ax


def free_sonographers(traces: Sequence[Trace], ax: Axes | None = None, band: str = "interval") -> Axes:
    """Free members of staff, by group: mean over days with a band. Those absent, off duty, on break or at lunch are not
    free.

    Parameters as for :func:`waiting_by_class`.
    """
    config, ax = traces[0].config, axes_or_new(ax)
    plan, what = config.plan, "sonographers" if isinstance(config, LabConfig) else "staff"
    first = CLASSES_PER_TYPE * len(plan.types) + len(plan.room_columns)
    _free(traces, ax, plan.staff_columns, first, group_labels(config, "staff"), what, band)
    return ax


def penalty_by_minute(traces: Mapping[str, Sequence[Trace]], ax: Axes | None = None) -> Axes:
    """Penalty of each minute: mean over days with its 95 % band, a line for each policy (figure 13).

    :param traces: policy -> its days, of one lab, at least one
    :param ax: where to draw
    """
    ax = axes_or_new(ax)
    days = next(iter(traces.values()))
    for number, (policy, played) in enumerate(traces.items()):
        points = penalties(played)
        _line_with_band(ax, points, policy, policy_line(number), first_marker=13 * number, bands=len(traces))
    _leave_off(ax)
    _finish(ax, days[0], f"Penalty by minute, {mean_of_days(len(days))}", "Penalty (mean points a minute)")
    return ax


def penalty_since_opening(traces: Mapping[str, Sequence[Trace]], ax: Axes | None = None) -> Axes:
    """Penalty accrued since opening: mean over days with its 95 % band, a line for each policy (figure 13).

    :param traces: policy -> its days, of one lab, at least one
    :param ax: where to draw
    """
    ax = axes_or_new(ax)
    days = next(iter(traces.values()))
    for number, (policy, played) in enumerate(traces.items()):
        points = np.cumsum(penalties(played), axis=1)
        _line_with_band(ax, points, policy, policy_line(number), first_marker=13 * number, bands=len(traces))
    _leave_off(ax)
    _finish(ax, days[0], f"Penalty since opening, {mean_of_days(len(days))}", "Penalty so far (mean points)")
    thousands(ax, "y")
    return ax


def _leave_off(ax: Axes) -> None:
    """End the scale below lines that would squash all others, and say so in the legend."""
    lines = [line for line in ax.get_lines() if not str(line.get_label()).startswith("_")]
    highest = {str(line.get_label()): float(np.max(line.get_ydata())) for line in lines}
    off = off_the_scale({name: (0.0, high) for name, high in highest.items()}, base=(0.0,), most=_MOST_SQUASHED_LINES)
    if off:
        ax.set_ylim(0, 1.15 * max(high for name, high in highest.items() if name not in off) or 1.0)
        for line in lines:
            if line.get_label() in off:
                line.set_label(f"{line.get_label()}: up to {highest[str(line.get_label())]:,.0f}, off the scale")


def penalties(traces: Sequence[Trace]) -> Floats:
    """(days, minutes) float64, points of each minute.

    :param traces: days of one lab, at least one
    """
    return np.array([penalty_points(trace.config, trace.minute_units.T).total for trace in traces])


def _free(
    traces: Sequence[Trace],
    ax: Axes,
    columns: Sequence[int],
    first: int,
    labels: Sequence[str],
    what: str,
    band: str,
) -> None:
    """A line for each group, in the order of the config.

    :param columns: group of each column of counts
    :param first: the first of these columns
    :param labels: of the groups
    """
    counts = _counts(traces)
    for group, label in enumerate(labels):
        own = counts[:, :, first + columns.index(group)]
        _line_with_band(ax, own, label, group_look(traces[0].config, group).line, bands=len(labels), band=band)
    _finish(ax, traces[0], f"Free {what}, {mean_of_days(len(traces), band)}", f"Free {what} (mean number)")


def _counts(traces: Sequence[Trace]) -> NDArray[np.int64]:
    """(days, minutes, counts) int64, as in :attr:`~echo_env.lab.simulation.trace.Trace.minutes`."""
    return np.stack([trace.minutes for trace in traces])


def _line_with_band(
    ax: Axes,
    values: NDArray[Any],
    label: str,
    style: dict[str, Any],
    first_marker: int = 0,
    bands: int = 1,
    band: str = "interval",
) -> None:
    """The mean as a line, with a band; (days, minutes)."""
    mean, half = mean_and_band(values, band)
    minutes = np.arange(values.shape[1])
    ax.plot(minutes, mean, label=label, linewidth=1.4, markevery=(first_marker, 60), **style)
    ax.fill_between(minutes, mean - half, mean + half, color=style["color"], alpha=band_alpha(bands), linewidth=0)


def _finish(ax: Axes, trace: Trace, title: str, y: str) -> None:
    name_axes(ax, f"{trace.config.name}: {title}", "", y)
    clock_axis(ax, trace.config.hours)
    ax.set_ylim(bottom=0)
    legend(ax)
