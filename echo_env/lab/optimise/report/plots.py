"""Figures of a proposal: the front, both books, waits by hour, and who gains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from echo_env.common.figures import BLACK, BLUE, ORANGE, axes_or_new, name_axes
from echo_env.lab.config.lab import Lab
from echo_env.lab.optimise.gains import MOVED, Gain, Gains
from echo_env.lab.optimise.proposal import Proposal
from echo_env.lab.plots.style import clock_axis, type_labels, type_looks
from echo_env.lab.simulation.metrics import metric_labels, metrics_of

BEFORE, AFTER = "as it is", "proposed"
_GRID_MIN = 15


def front(proposal: Proposal, ax: Axes | None = None) -> Axes:
    """Change of the objective by number of changes, with simultaneous 95 % intervals.

    :param proposal: at least one step
    :param ax: where to draw
    """
    ax = axes_or_new(ax)
    effects = [step.effects[proposal.objective] for step in proposal.front]
    numbers = [step.number for step in proposal.front]
    mean = np.array([own.mean for own in effects])
    half = np.array([own.half_width for own in effects])
    ax.errorbar(numbers, mean, half, fmt="o", color=BLUE, capsize=3, label="found, with 95 % interval")
    step, smallest = proposal.step, proposal.smallest
    for own, marker, label in ((smallest, "s", "smallest with 80 % of the gain"), (step, "D", "proposed")):
        if own is not None:
            effect = own.effects[proposal.objective].mean
            ax.plot(own.number, effect, marker, color=ORANGE, markersize=8, label=label, zorder=3)
    ax.axhline(0, color="0.4", linewidth=1, zorder=0)
    ax.set_xlim(0, 1.05 * max(numbers) + 0.2)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    unit = (
        metrics_of(proposal.lab)[proposal.objective].unit if proposal.objective in metric_labels(proposal.lab) else ""
    )
    label = metric_labels(proposal.lab).get(proposal.objective, proposal.objective)
    name_axes(ax, f"{proposal.config.name}: gain by number of changes, {proposal.days:,} held-out days",
              "Number of changes", f"Change of {label}" + (f" ({unit} a day)" if unit == "points" else ""))  # fmt: skip
    ax.legend(fontsize=8)
    return ax


def books(config: Lab, old: Lab, new: Lab, ax: Axes | None = None) -> Axes:
    """Appointments by time, those of today above the line and those proposed below it.

    :param config: the lab, for names and hours
    :param old: the lab with today's book
    :param new: with the proposed one
    :param ax: where to draw
    """
    ax = axes_or_new(ax, 8, 4)
    highest = 0
    for sign, lab in ((1, old), (-1, new)):
        bottom: Counter[int] = Counter()
        for own, look, label in zip(lab.plan.types, type_looks(config), type_labels(config), strict=True):
            times = Counter(minute for minute in own.scheduled if minute is not None)
            at = sorted(times)
            ax.bar(at, [sign * times[minute] for minute in at], 0.7 * _GRID_MIN, [bottom[m] for m in at],
                   color=look.colour, hatch=look.hatch, edgecolor=BLACK, linewidth=0.5,
                   label=label if sign > 0 else None)  # fmt: skip
            for minute in at:
                bottom[minute] += sign * times[minute]
        highest = max(highest, *map(abs, bottom.values()))
    ax.axhline(0, color=BLACK, linewidth=1)
    name_axes(ax, f"{config.name}: appointments as they are (above) and as proposed (below)", "", "Appointments")
    clock_axis(ax, config.hours, 60)
    ax.set_xlim(-_GRID_MIN, config.hours.end_min)
    ticks = np.arange(-highest, highest + 1)
    ax.set_yticks(ticks, [str(abs(tick)) for tick in ticks.tolist()])
    ax.set_ylim(-highest - 0.5, highest + 0.5)
    ax.legend(fontsize=8, loc="upper right")
    return ax


def waits_by_hour(config: Lab, gains: Gains, ax: Axes | None = None) -> Axes:
    """Mean wait by the hour in which patients arrive, with and without the proposal.

    :param config: the lab
    :param gains: of a proposal
    :param ax: where to draw
    """
    ax = axes_or_new(ax)
    for waits, colour, dashes, label in ((gains.before, BLACK, "--", BEFORE), (gains.after, BLUE, "-", AFTER)):
        middle = np.array(waits.begins) + 30
        mean = np.array([own.mean for own in waits.wait])
        half = np.array([own.half_width for own in waits.wait])
        ax.plot(middle, mean, color=colour, linestyle=dashes, marker="o", markersize=4, label=label)
        ax.fill_between(middle, mean - half, mean + half, color=colour, alpha=0.15, linewidth=0)
    name_axes(ax, f"{config.name}: wait of patients who arrive in each hour, with 95 % band", "", "Mean wait (minutes)")
    clock_axis(ax, config.hours)
    ax.set_ylim(bottom=0)
    ax.legend(fontsize=8)
    return ax


def who_gains(config: Lab, gains: Gains) -> Figure:
    """Change of the wait by exam type, for those who move and those who stay, and by hour of today's appointment.

    :param config: the lab
    :param gains: of a proposal
    """
    labels = dict(zip((own.name for own in config.plan.types), type_labels(config), strict=True))
    by_type = [(f"{labels[gain.who]}{MOVED[gain.moved]}", gain) for gain in gains.by_type]
    by_hour = [(f"{gain.who} to {_an_hour_later(config, gain.who)}", gain) for gain in gains.by_hour]
    lines = len(by_type) + len(by_hour)
    figure = Figure(figsize=(7.5, 1.6 + 0.3 * lines), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[max(len(by_type), 1), max(len(by_hour), 1)])
    _changes(above, by_type, f"{config.name}: change of the wait, by exam type")
    _changes(below, by_hour, "by the hour of today's appointment")
    below.set_xlabel("Minutes for one patient, with 95 % interval; left of 0 is less waiting")
    return figure


def _an_hour_later(config: Lab, clock: str) -> str:
    hour, minute = clock.split(":")
    return f"{(int(hour) + 1) % 24:02d}:{minute}"


def _changes(ax: Axes, lines: Sequence[tuple[str, Gain]], title: str) -> None:
    for place, (_, gain) in enumerate(lines):
        colour = BLUE if gain.change.mean <= 0 else ORANGE
        ax.barh(place, gain.change.mean, 0.6, xerr=gain.change.half_width, color=colour, ecolor=BLACK, capsize=2)
    texts = [f"{name} ({gain.patients:.1f} a day)" for name, gain in lines]
    ax.set_yticks(range(len(lines)), texts, fontsize=8)
    ax.invert_yaxis()
    ax.axvline(0, color=BLACK, linewidth=1)
    name_axes(ax, title, "", "")
