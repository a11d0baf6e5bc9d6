"""What-if questions: how a lab responds to one field, to two at once, and which field matters most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from echo_env.lab.metrics import METRICS
from echo_env.lab.plots.style import (
    BLUE,
    ORANGE,
    axes_or_new,
    band_alpha,
    legend,
    mean_of_days,
    name_axes,
    policy_line,
    thousands,
)
from echo_env.lab.sweep.fields import Kind
from echo_env.lab.sweep.grid import Axis, Cell
from echo_env.lab.sweep.report import held_in_words
from echo_env.lab.sweep.results import Effect, SweepResults
from echo_env.stats import Estimate


def response_curve(results: SweepResults, axis: Axis, metric: str = "penalty", ax: Axes | None = None) -> Axes:
    """A metric's mean against one field, a line for each policy; the base lab's value dotted.

    :param results: the sweep
    :param axis: the field; the others are held where :meth:`~echo_env.lab.sweep.grid.Sweep.held` says
    :param metric: one of :data:`~echo_env.lab.metrics.METRICS`
    :param ax: where to draw
    """
    ax = axes_or_new(ax)
    cells = results.sweep.along(axis)
    for number, policy in enumerate(results.policies):
        means = [results.mean(cell, policy, metric) for cell in cells]
        _line(ax, axis, cells, means, policy, number, len(results.policies))
    unit, meaning = METRICS[metric]
    _finish(ax, results, axis, cells, f"{meaning[0].upper()}{meaning[1:]}", f"Mean ({unit})")
    return ax


def response_difference(results: SweepResults, axis: Axis, metric: str = "penalty", ax: Axes | None = None) -> Axes:
    """Each policy minus the reference on the same days of each cell, against one field.

    :param results: a sweep with at least two policies
    :param axis: the field
    :param metric: one of :data:`~echo_env.lab.metrics.METRICS`
    :param ax: where to draw
    """
    ax = axes_or_new(ax)
    cells = results.sweep.along(axis)
    for policy in results.others:
        number = results.policies.index(policy)
        means = [results.minus_reference(cell, policy, metric) for cell in cells]
        _line(ax, axis, cells, means, policy, number, len(results.others))
    ax.axhline(0, color="0.3", linewidth=1)
    unit, _ = METRICS[metric]
    _finish(ax, results, axis, cells, f"Minus {results.reference}, on the same days", f"Mean difference ({unit})")
    return ax


def curves_of_two(
    results: SweepResults, axis: Axis, other: Axis, policy: str, metric: str = "penalty", ax: Axes | None = None
) -> Axes:
    """A metric's mean against one field, a line for each value of another one, under one policy.

    :param results: a sweep of a full grid
    :param axis: the field along x
    :param other: the field of the lines
    :param policy: who decides
    :param metric: one of :data:`~echo_env.lab.metrics.METRICS`
    :param ax: where to draw
    """
    ax = axes_or_new(ax)
    sweep = results.sweep
    every: dict[int, Cell] = {}
    for number, value in enumerate(other.values):
        cells = sweep.along(axis, {**sweep.held(axis, other), other.path: value})
        means = [results.mean(cell, policy, metric) for cell in cells]
        _line(ax, axis, cells, means, f"{other.path}={other.field.write(value)}", number, len(other.values))
        every |= {cell.number: cell for cell in cells}
    unit, _ = METRICS[metric]
    _finish(ax, results, axis, list(every.values()), policy, f"Mean ({unit})")
    return ax


def tornado(results: SweepResults, policy: str, metric: str = "penalty", ax: Axes | None = None) -> Axes:
    """How far each field alone moves a metric away from the base lab, what moves it furthest on top.

    A bar reaches from the lowest to the highest mean over the field's values, which are written at its ends;
    whiskers are 95 % intervals of the differences to the base lab.

    :param results: the sweep
    :param policy: who decides
    :param metric: one of :data:`~echo_env.lab.metrics.METRICS`
    :param ax: where to draw
    """
    effects = results.effects(policy, metric)
    ax = axes_or_new(ax, 8, 0.55 * len(effects) + 1.6)
    for row, effect in enumerate(effects):
        low, high = (_from_base(results, cell, effect) for cell in (effect.lowest, effect.highest))
        for end, cell, colour, side in ((low, effect.lowest, BLUE, "right"), (high, effect.highest, ORANGE, "left")):
            ax.barh(row, end.mean, color=colour, height=0.6, zorder=2)
            ax.errorbar(end.mean, row, xerr=end.half_width, color="0.2", capsize=3, linewidth=1, zorder=3)
            text = effect.axis.field.write(cell.values[effect.axis.path])
            place = (end.low if side == "right" else end.high) if cell.number else end.mean
            offset = (-5 if side == "right" else 5, 0)
            ax.annotate(text, (place, row), offset, textcoords="offset points", ha=side, va="center", fontsize=8)
    ax.axvline(0, color="0.3", linewidth=1, zorder=4)
    unit, meaning = METRICS[metric]
    title = f"What matters most to {meaning}: {policy}, {results.sweep.base.name}, {mean_of_days(results.days)}"
    name_axes(ax, title.replace("band", "interval"), f"Difference to the base lab ({unit})", "Field, alone")
    ax.set_yticks(range(len(effects)), [_with_own(effect) for effect in effects])
    ax.set_ylim(len(effects) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    ax.margins(x=0.15)
    thousands(ax, "x")
    return ax


def _from_base(results: SweepResults, cell: Cell, effect: Effect) -> Estimate:
    if cell.number == 0:
        return Estimate(0.0, 0.0, 0.0, results.days)
    return results.minus_base(cell, effect.policy, effect.metric)


def _with_own(effect: Effect) -> str:
    return f"{effect.axis.path}\n(own: {effect.axis.field.write(effect.axis.own)})"


def _line(
    ax: Axes, axis: Axis, cells: Sequence[Cell], means: Sequence[Estimate], label: str, number: int, lines: int
) -> None:
    """A line with its band; where the field is no number, points with whiskers."""
    style = policy_line(number)
    x, mean = np.array(_places(axis, cells)), np.array([value.mean for value in means])
    low, high = (np.array([value[k] for value in means]) for k in (1, 2))
    if axis.field.is_numeric:
        ax.plot(x, mean, label=label, linewidth=1.4, **style)
        ax.fill_between(x, low, high, color=style["color"], alpha=band_alpha(lines), linewidth=0)
    else:
        aside = 0.12 * (number - (lines - 1) / 2)
        half = np.nan_to_num((high - low) / 2)
        ax.errorbar(x + aside, mean, half, label=label, capsize=3, **{**style, "linestyle": ":"})


def _places(axis: Axis, cells: Sequence[Cell]) -> list[float]:
    """Where cells are on the x axis."""
    if axis.field.is_numeric:
        return [cell.values[axis.path] for cell in cells]
    return [float(place) for place in range(len(cells))]


def _finish(ax: Axes, results: SweepResults, axis: Axis, cells: Sequence[Cell], title: str, y: str) -> None:
    """Names, ticks, the base lab's value and a legend."""
    name_axes(ax, title, _x_name(results, axis), y)
    thousands(ax, "y")
    if not axis.field.is_numeric:
        texts = [axis.field.write(cell.values[axis.path]) for cell in cells]
        texts = [text if len(text) <= 18 else f"{text[:15]}..." for text in texts]
        ax.set_xticks(range(len(texts)), texts, rotation=20 if max(map(len, texts)) > 8 else 0)
        ax.set_xlim(-0.5, len(texts) - 0.5)
    else:
        ax.axvline(axis.own, color="0.4", linewidth=1, linestyle=":", zorder=0)
        if axis.field.kind is Kind.WHOLE:
            ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    legend(ax)


def _x_name(results: SweepResults, axis: Axis) -> str:
    held = held_in_words(results.sweep, axis)
    own = f"base lab: {axis.field.write(axis.own)}"
    if results.sweep.mode == "grid" and held != "base lab":
        own += f"; {held}"
    return f"{axis.path} ({own})"
