"""What-if figures: response to one field, to two fields, and the relative importance of fields."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from echo_env.common.figures import (
    BLUE,
    ORANGE,
    axes_or_new,
    band_alpha,
    legend,
    name_axes,
    off_the_scale,
    policy_line,
    thousands,
)
from echo_env.common.stats import Estimate
from echo_env.lab.sweep.axes import Axis
from echo_env.lab.sweep.fields import Kind
from echo_env.lab.sweep.grid import Cell
from echo_env.lab.sweep.labels import in_words
from echo_env.lab.sweep.report import held_in_words
from echo_env.lab.sweep.results import RANKED, Effect, SweepResults

SIDES = ((BLUE, "lower than in the base lab"), (ORANGE, "higher than in the base lab"))
"""Colours of a tornado chart's bars, and what they mean."""


def response_curve(results: SweepResults, axis: Axis, metric: str = RANKED, ax: Axes | None = None) -> Axes:
    """Mean of a metric against one field, one line a policy; the base lab's value is dotted.

    :param results: the sweep
    :param axis: the field; the others are held as in :meth:`~echo_env.lab.sweep.grid.Sweep.held`
    :param metric: one of the metrics of the sweep
    :param ax: axes to draw on; new ones by default
    """
    ax, ranges = axes_or_new(ax), {}
    cells = results.sweep.along(axis)
    for number, policy in enumerate(results.policies):
        means = [results.mean(cell, policy, metric) for cell in cells]
        _line(ax, axis, cells, means, policy, number, number, len(results.policies))
        ranges[policy] = _range(means)
    _scale(ax, ranges)
    unit, meaning = results.metrics[metric].unit, results.metrics[metric].meaning
    _finish(ax, results, (axis,), cells, f"{meaning[0].upper()}{meaning[1:]}", f"Mean ({unit})")
    return ax


def response_difference(results: SweepResults, axis: Axis, metric: str = RANKED, ax: Axes | None = None) -> Axes:
    """Paired differences of the policies to the reference in each cell, against one field.

    :param results: a sweep with at least two policies
    :param axis: the field
    :param metric: one of the metrics of the sweep
    :param ax: axes to draw on; new ones by default
    """
    ax, ranges = axes_or_new(ax), {}
    cells = results.sweep.along(axis)
    for place, policy in enumerate(results.others):
        number = results.policies.index(policy)
        means = [results.minus_reference(cell, policy, metric) for cell in cells]
        _line(ax, axis, cells, means, policy, number, place, len(results.others))
        ranges[policy] = _range(means)
    ax.axhline(0, color="0.3", linewidth=1, zorder=0)
    _scale(ax, ranges, base=(0.0,))
    unit = results.metrics[metric].unit
    _finish(ax, results, (axis,), cells, f"Minus {results.reference}, on the same days", f"Mean difference ({unit})")
    return ax


def curves_of_two(
    results: SweepResults, axis: Axis, other: Axis, policy: str, metric: str = RANKED, ax: Axes | None = None
) -> Axes:
    """Mean of a metric under one policy against one field, one line for each value of another.

    :param results: a sweep with a full grid
    :param axis: the field on the x axis
    :param other: the field that distinguishes the lines
    :param policy: name of the policy
    :param metric: one of the metrics of the sweep
    :param ax: axes to draw on; new ones by default
    """
    ax = axes_or_new(ax)
    sweep = results.sweep
    every: dict[int, Cell] = {}
    for number, value in enumerate(other.values):
        cells = sweep.along(axis, {**sweep.held(axis, other), other.path: value})
        means = [results.mean(cell, policy, metric) for cell in cells]
        _line(ax, axis, cells, means, f"{other.path}={_value(other, value)}", number, number, len(other.values))
        every |= {cell.number: cell for cell in cells}
    unit = results.metrics[metric].unit
    _finish(ax, results, (axis, other), list(every.values()), policy, f"Mean ({unit})")
    return ax


def tornado(results: SweepResults, policy: str, metric: str = RANKED, ax: Axes | None = None) -> Axes:
    """Tornado chart: the range of a metric over the values of each field alone, relative to the base lab.

    A bar extends from the lowest to the highest mean, labelled with the field's values; whiskers are 95 % intervals
    of the paired differences to the base lab. Fields are ordered by their span under the reference, so that charts of
    several policies can be compared.

    :param results: the sweep
    :param policy: name of the policy
    :param metric: one of the metrics of the sweep
    :param ax: axes to draw on; new ones by default
    """
    order = [effect.axis for effect in results.effects(results.reference, metric)]
    effects = [results.effect(axis, policy, metric) for axis in order]
    ax = axes_or_new(ax, 8, 0.55 * len(effects) + 1.6)
    for row, effect in enumerate(effects):
        _bar(ax, row, results, effect)
    ax.axvline(0, color="0.3", linewidth=1, zorder=4)
    unit, meaning = results.metrics[metric].unit, results.metrics[metric].meaning
    title = f"{meaning[0].upper()}{meaning[1:]}: {policy}"
    name_axes(
        ax,
        title,
        f"Mean difference to the base lab with 95 % interval ({unit})",
        "What is changed, one at a time\n(value of the base lab)",
    )
    names = [f"{in_words(axis.field)}: {_value(axis, axis.own)}" for axis in order]
    ax.set_yticks(range(len(effects)), names)
    ax.set_ylim(len(effects) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    ax.margins(x=0.25)
    if not any(effect.span.mean for effect in effects):
        # Without data limits, the scale would be that of rounding errors.
        ax.update_datalim([(-1, 0), (1, 0)])
        ax.autoscale_view()
    thousands(ax, "x")
    side_legend(ax)
    return ax


def sides_shown(ax: Axes) -> list[Patch]:
    """Entries of a legend for the colours that bars of a tornado chart have.

    :param ax: of the chart
    """
    drawn = {to_hex(patch.get_facecolor()) for patch in ax.patches}
    return [Patch(color=colour, label=words) for colour, words in SIDES if to_hex(colour) in drawn]


def side_legend(ax: Axes) -> None:
    """Say above a tornado chart what its colours mean.

    :param ax: of the chart
    """
    if handles := sides_shown(ax):
        ax.legend(handles=handles, fontsize=8, frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1.0, 1.0),
                  borderaxespad=0.1)  # fmt: skip
        ax.set_title(ax.get_title(), fontsize=10, loc="left")


def _bar(ax: Axes, row: int, results: SweepResults, effect: Effect) -> None:
    """A bar from the lowest to the highest mean, in the colours of :data:`SIDES`."""
    low, high = (_from_base(results, cell, effect) for cell in (effect.lowest, effect.highest))
    (below, _), (above, _) = SIDES
    for colour, left, right in ((below, low.mean, min(high.mean, 0)), (above, max(low.mean, 0), high.mean)):
        if left < right:
            ax.barh(row, right - left, left=left, color=colour, height=0.6, zorder=2)
    if effect.span.mean == 0:
        ax.annotate("no difference", (0, row), (5, 0), textcoords="offset points", va="center", fontsize=8)
        return
    for end, cell, side in ((low, effect.lowest, "right"), (high, effect.highest, "left")):
        if cell.number:
            ax.errorbar(end.mean, row, xerr=end.half_width, color="0.2", capsize=3, linewidth=1, zorder=3)
        # Beyond the whiskers of both ends, which may cross.
        ends = [value for own in (low, high) for value in own[:3] if not np.isnan(value)]
        place = min(ends) if side == "right" else max(ends)
        text = _value(effect.axis, cell.values[effect.axis.path])
        offset = (-5 if side == "right" else 5, 0)
        ax.annotate(text, (place, row), offset, textcoords="offset points", ha=side, va="center", fontsize=8,
                    zorder=5, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5})  # fmt: skip


def _value(axis: Axis, value: Any) -> str:
    """A value's label, broken into lines that leave room for the data."""
    return "\n".join(textwrap.wrap(axis.label(value), 18))


def _from_base(results: SweepResults, cell: Cell, effect: Effect) -> Estimate:
    """Paired difference to the base lab, exactly 0 for the base lab itself."""
    if cell.number == 0:
        return Estimate(0.0, 0.0, 0.0, results.days)
    return results.minus_base(cell, effect.policy, effect.metric)


def _line(
    ax: Axes,
    axis: Axis,
    cells: Sequence[Cell],
    means: Sequence[Estimate],
    label: str,
    number: int,
    place: int,
    lines: int,
) -> None:
    """A line with its band or, for a field that is not numeric, points with whiskers, offset by policy.

    :param number: number of the line style
    :param place: position among the lines
    :param lines: number of lines
    """
    style = policy_line(number)
    x, mean = np.array(_places(axis, cells)), np.array([value.mean for value in means])
    low, high = (np.array([value[k] for value in means]) for k in (1, 2))
    if axis.field.is_numeric:
        ax.plot(x, mean, label=label, linewidth=1.4, **style)
        ax.fill_between(x, low, high, color=style["color"], alpha=band_alpha(lines), linewidth=0)
    else:
        aside = 0.12 * (place - (lines - 1) / 2)
        half = np.nan_to_num((high - low) / 2)
        ax.errorbar(x + aside, mean, half, label=label, capsize=3, **{**style, "linestyle": ":"})


def _range(means: Sequence[Estimate]) -> tuple[float, float]:
    """Lowest and highest end of a line's intervals, or of its means where it has none."""
    values = [value for own in means for value in own[:3] if np.isfinite(value)]
    return (min(values), max(values)) if values else (np.nan, np.nan)


def _scale(ax: Axes, ranges: dict[str, tuple[float, float]], base: tuple[float, ...] = ()) -> None:
    """Leave lines off the scale that would squash all others, and say so in the legend."""
    off = off_the_scale(ranges, base)
    if not off:
        return
    on = [*base, *(end for name, ends in ranges.items() if name not in off and np.isfinite(ends).all() for end in ends)]
    room = 0.15 * (max(on) - min(on)) or 1.0
    ax.set_ylim(min(on) - room, max(on) + room)
    artists: list[Any] = [*ax.get_lines(), *ax.containers]
    for artist in artists:
        name = str(artist.get_label())
        if name in off:
            low, high = ranges[name]
            artist.set_label(f"{name}: {low:,.0f} to {high:,.0f}, off the scale")


def _places(axis: Axis, cells: Sequence[Cell]) -> list[float]:
    """Positions of cells on the x axis."""
    if axis.field.is_numeric:
        return [cell.values[axis.path] for cell in cells]
    return [float(place) for place in range(len(cells))]


def _finish(
    ax: Axes, results: SweepResults, moving: tuple[Axis, ...], cells: Sequence[Cell], title: str, y: str
) -> None:
    """Axis names, ticks, the base lab's value and a legend; the first of the moving fields is on the x axis."""
    axis = moving[0]
    name_axes(ax, title, _x_name(results, moving), y)
    thousands(ax, "y")
    if not axis.field.is_numeric:
        texts = [_value(axis, cell.values[axis.path]) for cell in cells]
        longest = max(len(line) for text in texts for line in text.split("\n"))
        ax.set_xticks(range(len(texts)), texts, rotation=20 if longest > 8 else 0)
        ax.set_xlim(-0.5, len(texts) - 0.5)
    else:
        ax.axvline(axis.own, color="0.4", linewidth=1, linestyle=":", zorder=0)
        if axis.field.kind is Kind.WHOLE:
            ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    legend(ax)


def _x_name(results: SweepResults, moving: tuple[Axis, ...]) -> str:
    """Name of the x axis: its field, the base lab's value, and the fields held elsewhere."""
    axis, held = moving[0], held_in_words(results.sweep, *moving)
    own = f"base lab: {_value(axis, axis.own)}"
    words = own if held == "base lab" else f"{own}; {held}"
    dotted = "; dotted: base lab" if axis.field.is_numeric else ""
    return f"{in_words(axis.field)}\n({words}{dotted})"
