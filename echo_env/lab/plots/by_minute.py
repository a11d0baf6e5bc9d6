"""The average day, minute by minute (figures 4 to 9, 13, and 25 to 44 of the appendix)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from echo_env.common.stats import mean_and_half_width
from echo_env.lab.plots.style import (
    axes_or_new,
    band_alpha,
    class_line,
    clock_axis,
    kind_line,
    legend,
    mean_of_days,
    name_axes,
    policy_line,
)
from echo_env.lab.simulation.patient import PatientClass
from echo_env.lab.simulation.penalty import penalty_points
from echo_env.lab.simulation.trace import COUNTS, Trace

Floats = NDArray[np.float64]


def waiting_by_class(traces: Sequence[Trace], ax: Axes | None = None) -> Axes:
    """Patients waiting, by class: mean over days with its 95 % band.

    :param traces: days of one lab under one policy, at least one
    :param ax: where to draw
    """
    ax = axes_or_new(ax)
    counts = _counts(traces)
    for kind in PatientClass:
        _line_with_band(ax, counts[:, :, kind], kind.label, class_line(kind))
    _finish(ax, traces[0], f"Patients waiting, {mean_of_days(len(traces))}", "Patients waiting (mean number)")
    return ax


def free_rooms(traces: Sequence[Trace], ax: Axes | None = None) -> Axes:
    """Free rooms, by kind: mean over days with its 95 % band.

    :param traces: days of one lab under one policy, at least one
    :param ax: where to draw
    """
    return _free(traces, "rooms", axes_or_new(ax))


def free_sonographers(traces: Sequence[Trace], ax: Axes | None = None) -> Axes:
    """Free sonographers, by kind: mean over days with its 95 % band. Those absent or on break are not free.

    :param traces: days of one lab under one policy, at least one
    :param ax: where to draw
    """
    return _free(traces, "sonographers", axes_or_new(ax))


def penalty_by_minute(traces: Mapping[str, Sequence[Trace]], ax: Axes | None = None) -> Axes:
    """Penalty of each minute: mean over days with its 95 % band, a line for each policy (figure 13).

    :param traces: policy -> its days, of one lab, at least one
    :param ax: where to draw
    """
    ax = axes_or_new(ax)
    days = next(iter(traces.values()))
    for number, (policy, played) in enumerate(traces.items()):
        points = np.array([penalty_points(trace.config, trace.minute_units.T).total for trace in played])
        _line_with_band(ax, points, policy, policy_line(number), first_marker=13 * number, bands=len(traces))
    _finish(ax, days[0], f"Penalty by minute, {mean_of_days(len(days))}", "Penalty (mean points a minute)")
    return ax


def _free(traces: Sequence[Trace], what: str, ax: Axes) -> Axes:
    counts = _counts(traces)
    for kind in ("fetal", "non_fetal"):
        label = "fetal-capable" if kind == "fetal" else "non-fetal only"
        _line_with_band(ax, counts[:, :, COUNTS.index(f"free_{what}_{kind}")], label, kind_line(kind == "fetal"))
    _finish(ax, traces[0], f"Free {what}, {mean_of_days(len(traces))}", f"Free {what} (mean number)")
    return ax


def _counts(traces: Sequence[Trace]) -> NDArray[np.int64]:
    """(days, minutes, 12) int64."""
    return np.stack([trace.minutes for trace in traces])


def _line_with_band(
    ax: Axes, values: NDArray[Any], label: str, style: dict[str, Any], first_marker: int = 0, bands: int = 1
) -> None:
    """The mean as a line and its 95 % interval as a band; (days, minutes)."""
    mean, half = mean_and_half_width(values)
    minutes = np.arange(values.shape[1])
    ax.plot(minutes, mean, label=label, linewidth=1.4, markevery=(first_marker, 60), **style)
    ax.fill_between(minutes, mean - half, mean + half, color=style["color"], alpha=band_alpha(bands), linewidth=0)


def _finish(ax: Axes, trace: Trace, title: str, y: str) -> None:
    name_axes(ax, f"{trace.config.name}: {title}", "", y)
    clock_axis(ax, trace.config.hours)
    ax.set_ylim(bottom=0)
    legend(ax)
