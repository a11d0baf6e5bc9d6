"""Which figures are written for a comparison, and the files they go to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from echo_env.common.figures import off_the_scale, write_figure
from echo_env.lab.config import LabConfig
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import Days, sample_days
from echo_env.lab.departures.state_by_state import state_by_state
from echo_env.lab.evaluation.comparison import Comparison
from echo_env.lab.simulation.policy import Policy
from echo_env.lab.simulation.simulator import simulate
from echo_env.lab.simulation.trace import Trace

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Traces = dict[str, list[Trace]]
"""Policy -> its days."""


def _say_nothing(_: str) -> None:
    pass


MOST_TRACED_DAYS = 365
"""Days that are played again, minute by minute, for the figures that need more than a day's numbers: a year, as in the
paper."""
_MOST_DAYS_SEARCHED = 30
_MOST_SQUASHED_PANELS = 4.0
"""A panel may be so many times as high as all others."""
_MOST_TYPES_BY_CLASS = 2
"""Of more exam types, those who wait are shown by type: three lines for each would be too many."""
_AROUND_INCHES = 1.9
"""Height of the titles and the names of axes in the figure of states."""
_DRAWN_DAYS = 300
"""Days whose arrivals and exams are shown beside their laws: about 10,000 patients, as in the paper."""


def write_figures(
    directory: Path,
    comparison: Comparison,
    config: Lab,
    policies: Sequence[Policy],
    seed: int,
    say: Callable[[str], object] = _say_nothing,
) -> list[Path]:
    """Write every figure that makes sense for a comparison, as PNG and as PDF (needs matplotlib and pandas).

    Each file appears whole or not at all.

    :param directory: where; made if need be
    :param comparison: what the policies did
    :param config: the lab it was in
    :param policies: the policies, in the order of the comparison
    :param seed: of the days that are shown minute by minute
    :param say: is told of each figure that would be empty and is left out, in a sentence
    :return: the PNG files
    :raises ValueError: the policies are not those of the comparison
    :raises ModuleNotFoundError: says what to install
    """
    names = [policy.name for policy in policies]
    if names != list(comparison.values):
        raise ValueError(f"policies are {', '.join(names)}, but those compared are {', '.join(comparison.values)}")
    days = sample_days(config, min(comparison.days, MOST_TRACED_DAYS), seed)
    traces = {policy.name: [simulate(config, day, policy) for day in days] for policy in policies}
    figures = {
        **lab_figures(config, seed),
        **day_figures(traces),
        **comparison_figures(comparison, config, say),
        **pair_figures(config, days, traces, policies, comparison.reference, say),
    }
    return [write_figure(figure, directory, name) for name, figure in figures.items()]


def lab_figures(config: Lab, seed: int) -> dict[str, Figure]:
    """The lab itself: figures 1 to 3a of the paper; rooms and staff are four numbers, which need no chart.

    :param config: the lab
    :param seed: of the days that are shown
    """
    from echo_env.lab import plots

    days = sample_days(config, _DRAWN_DAYS, seed)
    axes = {
        "appointments": plots.appointment_schedule(config),
        "arrival_offsets": plots.arrival_offsets(config, days),
        "arrivals_of_a_day": plots.arrivals_of_a_day(config, days[0]),
        "exam_durations": plots.exam_durations(config, days),
    }
    if any(kind.unscheduled for kind in config.plan.types):
        axes["unscheduled_by_hour"] = plots.unscheduled_by_hour(config)
    return {name: _figure_of(ax) for name, ax in axes.items()}


def day_figures(traces: Traces) -> dict[str, Figure]:
    """The average day under each policy: figures 4 to 9 and 13.

    :param traces: policy -> the same days, at least one
    """
    from echo_env.lab import plots

    types = len(next(iter(traces.values()))[0].config.plan.types)
    waiting = plots.waiting_by_class if types <= _MOST_TYPES_BY_CLASS else plots.waiting_by_type
    return {
        waiting.__name__: _panels(traces, waiting),
        "free_rooms": _panels(traces, plots.free_rooms),
        "free_sonographers": _panels(traces, plots.free_sonographers),
        "penalty_by_minute": _figure_of(plots.penalty_by_minute(traces)),
    }


def comparison_figures(
    comparison: Comparison, config: Lab, say: Callable[[str], object] = _say_nothing
) -> dict[str, Figure]:
    """The days' numbers, policy by policy: figures 10, 11, 14 to 16, 19, 20, 22 to 24.

    :param comparison: what the policies did
    :param config: the lab it was in
    :param say: is told what is left out
    """
    from echo_env.lab.evaluation import plots

    types = ["fetal"] if isinstance(config, LabConfig) else [kind.name for kind in config.plan.types]
    daily = {"waiting_time": "wait_min", **{f"waiting_time_{_plain(name)}": f"wait_{name}_min" for name in types}}
    axes = {}
    for name, metric in (daily | {"workload": "workload"}).items():
        if plots.has_values(comparison, metric):
            axes[name] = plots.daily_violins(comparison, metric)
        else:
            say(f"No figure {name}: no day has a value of {comparison.metrics[metric].meaning}.")
    if len(comparison.values) > 1:
        axes["paired_differences"] = plots.paired_differences(comparison)
    return {"running_mean_penalty": _running_means(comparison), **{name: _figure_of(ax) for name, ax in axes.items()}}


def pair_figures(
    config: Lab,
    days: Days,
    traces: Traces,
    policies: Sequence[Policy],
    reference: str,
    say: Callable[[str], object] = _say_nothing,
) -> dict[str, Figure]:
    """One day under the reference, and for each policy that differs from it both on the same day.

    The day is the one whose penalty under the reference is the median; for a pair, the one closest to it on which
    they act differently.

    :param config: the lab
    :param days: its days
    :param traces: policy -> these days
    :param policies: the policies
    :param reference: name of the one that is followed
    :param say: is told what is left out
    """
    from echo_env.lab import plots

    first = next(policy for policy in policies if policy.name == reference)
    penalty = np.array([trace.penalty.total for trace in traces[first.name]])
    order = np.argsort(np.abs(penalty - np.median(penalty)), kind="stable").tolist()
    chart = plots.gantt(traces[first.name][order[0]])
    chart.set_title(f"{first.name}, {chart.get_title()}", fontsize=10)
    figures = {"one_day": _figure_of(chart)}
    for other in (policy for policy in policies if policy is not first):
        for number in order[:_MOST_DAYS_SEARCHED]:
            differences = state_by_state(config, days[number], first, other)
            if len(differences):
                figures[f"same_day_{_plain(other.name)}"] = two_days(
                    {policy.name: traces[policy.name][number] for policy in (first, other)}
                )
                totals = {policy.name: traces[policy.name][number].penalty.total for policy in (first, other)}
                figures[f"state_by_state_{_plain(other.name)}"] = state_figure(differences, config, totals)
                break
        else:
            searched = min(len(order), _MOST_DAYS_SEARCHED)
            days_looked = "the one day" if searched == 1 else f"any of {searched} days"
            say(f"No figure of {other.name} beside {first.name}: on {days_looked} they decide alike.")
    return figures


def two_days(traces: dict[str, Trace]) -> Figure:
    """The same day under several policies, one above the other.

    :param traces: policy -> its day
    """
    from matplotlib.figure import Figure

    from echo_env.lab.plots.bars import rows_of
    from echo_env.lab.plots.gantt import gantt
    from echo_env.lab.plots.gantt_looks import gantt_legend

    height = min(1.0 + 0.2 * rows_of(next(iter(traces.values())).config).bottom, 9) * len(traces)
    figure = Figure(figsize=(11, height), layout="constrained")
    axes = figure.subplots(len(traces), 1, sharex=True, squeeze=False)[:, 0]
    for ax, (name, trace) in zip(axes, traces.items(), strict=True):
        gantt(trace, ax)
        ax.set_title(f"{name}, {ax.get_title()}", fontsize=10)
        if ax is not axes[-1]:
            ax.get_legend().remove()
            ax.set_xlabel("")
    config = next(iter(traces.values())).config
    gantt_legend(axes[-1], config, list(traces.values()))
    return figure


def state_figure(differences: pd.DataFrame, config: Lab, totals: Mapping[str, float]) -> Figure:
    """Where two policies differ along the same states: what the minutes cost, what the decisions lead to, and a table
    (figure 17).

    :param differences: as :func:`~echo_env.lab.departures.state_by_state.state_by_state` gives them
    :param config: the lab
    :param totals: name of a policy -> the day's penalty where it plays the whole day, points
    """
    from matplotlib.figure import Figure

    from echo_env.lab.departures import plots as state_table

    heights = [1.5, 1.7, state_table.table_inches(state_table.table_rows(differences))]
    figure = Figure(figsize=(11, sum(heights) + _AROUND_INCHES), layout="constrained")
    above, middle, below = figure.subplots(3, 1, height_ratios=heights)
    whole = "; ".join(f"{name} {points:,.0f}" for name, points in totals.items())
    figure.suptitle(f"{config.name}, one day. Penalty where one policy plays all of it (points): {whole}", fontsize=11)
    state_table.immediate_penalties(differences, config.hours, above)
    state_table.consequences(differences, config.hours, middle)
    state_table.difference_table(differences, ax=below)
    return figure


def _panels(traces: Traces, draw: Callable[[Sequence[Trace], Axes], Axes]) -> Figure:
    """A panel for each policy, on the same scale, up to three in a row."""
    from matplotlib.figure import Figure

    columns = min(len(traces), 2 if len(traces) in (2, 4) else 3)
    lines = -(-len(traces) // columns)
    figure = Figure(figsize=(4.6 * columns + 0.6, 3.2 * lines + 0.6), layout="constrained")
    axes = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).ravel().tolist()
    for ax, (name, played) in zip(axes, traces.items(), strict=False):
        draw(played, ax)
        figure.suptitle(ax.get_title(), fontsize=11)
        ax.set_title(name, fontsize=10)
        ax.get_legend().remove()
        ax.label_outer()
    for ax in axes[len(traces) :]:
        ax.set_axis_off()
    highest = {name: (0.0, float(ax.dataLim.y1)) for name, ax in zip(traces, axes, strict=False)}
    off = off_the_scale(highest, base=(0.0,), most=_MOST_SQUASHED_PANELS)
    axes[0].set_ylim(0, 1.03 * max(high for name, (_, high) in highest.items() if name not in off) or 1)
    for name, ax in zip(traces, axes, strict=False):
        if name in off:
            ax.set_title(f"{name} (off the scale: up to {highest[name][1]:.1f})", fontsize=10)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=8)
    return figure


def _running_means(comparison: Comparison) -> Figure:
    """Mean penalty so far, and below it the differences to the first policy, if there are others."""
    from matplotlib.figure import Figure

    from echo_env.lab.evaluation import plots

    several = len(comparison.values) > 1
    figure = Figure(figsize=(7, 7 if several else 4), layout="constrained")
    axes = figure.subplots(1 + several, 1, sharex=True, squeeze=False)[:, 0]
    plots.running_mean(comparison, ax=axes[0])
    if several:
        plots.running_difference(comparison, ax=axes[1])
        axes[0].set_xlabel("")
    return figure


def _figure_of(ax: Axes) -> Figure:
    return cast("Figure", ax.figure)


def _plain(name: str) -> str:
    """A policy's name as part of a file name."""
    return re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")
