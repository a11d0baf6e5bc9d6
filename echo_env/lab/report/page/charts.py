"""Charts of a page, with Altair: one can point at every mark, and each colour has its shape as well.

They stand in a page with everything inlined, and in an app as they are. Needs altair.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import altair as alt

from echo_env.common.stats import Estimate

WIDTH = 700
COLOURS = ("#0072B2", "#B34700", "#007A5A", "#7B3294", "#000000", "#8C5A00")
"""Told apart by colour-blind eyes, each with a contrast of 4.5 to white, which Okabe and Ito's sky and yellow lack."""
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
_GREY, _INK = "#5c5c5c", "#1a1a1a"
_ROW, _HEIGHT = 26, 260
_MOST_LETTERS = 90
_MOST_SQUASHED = 6.0
"""A bad mark that is so many times as far out as all others would squash them, and is left out of the picture."""


class Mark(NamedTuple):
    """A number with its interval.

    :param row: what it is of
    :param value: mean and interval
    :param series: what tells marks of one row apart; empty if nothing does
    """

    row: str
    value: Estimate
    series: str = ""


class Point(NamedTuple):
    """A point of a line.

    :param x: a number, or a text
    :param value: mean and interval
    :param series: the line
    """

    x: Any
    value: Estimate
    series: str = ""


def without_far(marks: Sequence[Mark]) -> tuple[list[Mark], list[Mark]]:
    """Marks that can be drawn on one scale, and bad ones that would squash them.

    Only what is far worse than all else is left out, and only if there is something to see among the rest.

    :param marks: differences to nothing, all of them on one axis; lower is better
    """
    known = [mark for mark in marks if not math.isnan(mark.value.mean)]
    kept = sorted(known, key=lambda mark: abs(mark.value.mean))
    while len(kept) > 1:
        rest, last = kept[:-1], kept[-1].value.mean
        told = any(mark.value.excludes_zero for mark in rest)
        if not told or last <= _MOST_SQUASHED * abs(rest[-1].value.mean):
            break
        kept = rest
    far = [mark for mark in known if mark not in kept]
    return [mark for mark in marks if mark not in far], far


def intervals(marks: Sequence[Mark], axis: str, zero: bool = False, width: int = WIDTH) -> alt.LayerChart:
    """A row for each name with a mark at the mean and a line for its interval.

    :param marks: at least one
    :param axis: what the horizontal axis is, with its unit
    :param zero: draw a line at zero, for differences
    :param width: of the chart, pixels
    """
    names = list(dict.fromkeys(mark.series for mark in marks))
    rows = list(dict.fromkeys(mark.row for mark in marks))
    data = alt.InlineData([_values(mark.row, mark.value, mark.series) for mark in marks])
    base = alt.Chart(data, width=width, height=max(_ROW * len(rows) * max(1, 0.7 * len(names)), 60))
    ticks = 8 if width == WIDTH else 5
    x = alt.X("mean:Q", title=axis, scale=alt.Scale(zero=zero, padding=6), axis=alt.Axis(tickCount=ticks))
    y = alt.Y("row:N", title=None, sort=rows, axis=alt.Axis(labelLimit=260, labelPadding=8, domain=False, ticks=False))
    shape = _shape(names)
    encode: dict[str, Any] = {"y": y, "color": _colour(names)}
    if len(names) > 1:
        encode["yOffset"] = alt.YOffset("series:N", sort=names)
    tooltip = _tooltip("row", axis, len(names) > 1)
    bars = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title=axis), x2="high:Q", tooltip=tooltip, **encode)
    dots = base.mark_point(filled=True, size=75, opacity=1).encode(x=x, tooltip=tooltip, **encode, **shape)
    layers = [bars, dots]
    if zero:
        line = alt.Chart(alt.InlineData([{"zero": 0}])).mark_rule(color=_GREY, strokeDash=[4, 3])
        layers = [line.encode(x=alt.X("zero:Q", title=axis)), *layers]
    return alt.layer(*layers)


def lines(points: Sequence[Point], axis: str, value_axis: str, least: float | None = None) -> alt.LayerChart:
    """Lines of means with their intervals.

    :param points: at least one; x of texts stay in their order
    :param axis: what the horizontal axis is
    :param value_axis: what the vertical axis is, with its unit
    :param least: the smallest value that can be; intervals are cut off there
    """
    names = list(dict.fromkeys(point.series for point in points))
    numbers = all(isinstance(point.x, (int, float)) for point in points)
    xs = list(dict.fromkeys(point.x for point in points))
    data = alt.InlineData([{**_values("", point.value, point.series), "x": point.x} for point in points])
    base = alt.Chart(data, width=WIDTH, height=_HEIGHT)
    x_axis = (
        alt.Axis(labelAngle=0)
        if numbers or sum(len(str(x)) for x in xs) <= _MOST_LETTERS
        else alt.Axis(labelAngle=-40, labelLimit=220)
    )
    if numbers and len(xs) <= 12:
        x_axis = alt.Axis(labelAngle=0, values=xs, format="~g")
    x = alt.X("x:Q" if numbers else "x:N", title=axis, sort=None if numbers else xs, axis=x_axis,
              scale=alt.Scale(zero=False) if numbers else alt.Undefined)  # fmt: skip
    y = alt.Y("mean:Q", title=value_axis, scale=_from(least))
    colour, shape = {"color": _colour(names)}, _shape(names)
    tooltip = [alt.Tooltip("x:Q" if numbers else "x:N", title=axis), *_tooltip("", value_axis, len(names) > 1)]
    whiskers = base.mark_rule(strokeWidth=2, clip=least is not None).encode(
        x=x, y=alt.Y("low:Q", title=value_axis, scale=_from(least)), y2="high:Q", tooltip=tooltip, **colour
    )
    line = base.mark_line(strokeWidth=2).encode(x=x, y=y, **colour)
    dots = base.mark_point(filled=True, size=60, opacity=1).encode(x=x, y=y, tooltip=tooltip, **colour, **shape)
    return alt.layer(whiskers, line, dots)


def _from(least: float | None) -> alt.Scale:
    return alt.Scale(zero=False) if least is None else alt.Scale(domainMin=least)


def counts(points: Sequence[tuple[str, str, float]], axis: str, value_axis: str) -> alt.Chart:
    """Bars side by side.

    :param points: (place on the horizontal axis, series, number)
    :param axis: what the horizontal axis is
    :param value_axis: what the vertical axis is, with its unit
    """
    xs, names = list(dict.fromkeys(p[0] for p in points)), list(dict.fromkeys(p[1] for p in points))
    data = alt.InlineData([{"x": x, "series": series, "number": number} for x, series, number in points])
    return (
        alt.Chart(data, width=WIDTH, height=200)
        .mark_bar()
        .encode(
            x=alt.X("x:N", title=axis, sort=xs, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("number:Q", title=value_axis),
            xOffset=alt.XOffset("series:N", sort=names),
            tooltip=[
                alt.Tooltip("x:N", title=axis),
                alt.Tooltip("series:N", title=" "),
                alt.Tooltip("number:Q", title=value_axis),
            ],
            color=_colour(names),
        )
    )


def panels(charts: Sequence[Any], columns: int = 2) -> alt.ConcatChart:
    """Small charts beside each other, each with its own scale.

    :param charts: at least one
    :param columns: how many in a row
    """
    return alt.concat(*charts, columns=columns).resolve_scale(x="independent", color="shared", shape="shared")


def specification(chart: Any) -> dict[str, Any]:
    """A chart as Vega-Lite, in the look of the page.

    :param chart: of Altair
    """
    font = "Arial, Helvetica, sans-serif"
    axis = {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "labelColor": _INK}
    styled = (
        chart.configure(font=font, background="#ffffff")
        .configure_axis(**axis, titleColor=_INK, gridColor="#e3e3e3", titlePadding=8)
        .configure_legend(labelFontSize=12, titleFontSize=12, orient="bottom", labelLimit=300, columns=4)
        .configure_view(stroke=None)
        .configure_title(fontSize=13, anchor="start", color=_INK, fontWeight="normal")
    )
    found: dict[str, Any] = styled.to_dict()
    return found


def _values(row: str, value: Estimate, series: str) -> dict[str, Any]:
    own = [None if number != number else round(number, 4) for number in value[:3]]
    low, high = (own[0] if end is None else end for end in own[1:])
    return {"row": row, "series": series, "mean": own[0], "low": low, "high": high}


def _shape(names: Sequence[str]) -> dict[str, Any]:
    """The shape of marks, where there are several series."""
    if len(names) < 2:
        return {}
    scale = alt.Scale(domain=list(names), range=_cycle(SHAPES, names))
    return {"shape": alt.Shape("series:N", sort=list(names), title=None, scale=scale)}


def _colour(names: Sequence[str]) -> Any:
    """The colour of marks."""
    if len(names) < 2:
        return alt.value(COLOURS[0])
    scale = alt.Scale(domain=list(names), range=_cycle(COLOURS, names))
    return alt.Color("series:N", sort=list(names), title=None, scale=scale)


def _cycle(values: Sequence[str], names: Sequence[str]) -> list[str]:
    return [values[k % len(values)] for k in range(len(names))]


def _tooltip(row: str, axis: str, several: bool) -> list[alt.Tooltip]:
    heads = [alt.Tooltip(f"{row}:N", title=" ")] if row else []
    heads += [alt.Tooltip("series:N", title=" ")] if several else []
    ends = [alt.Tooltip(f"{name}:Q", title=title, format=",.2f")
            for name, title in (("mean", axis), ("low", "95 % from"), ("high", "95 % to"))]  # fmt: skip
    return [*heads, *ends]
