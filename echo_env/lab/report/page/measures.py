"""What is compared, measure by measure, and who gains and who loses: the same sections whatever is compared.

Rules in one lab, or one rule in the lab as it is and as it could be: both are a
:class:`~echo_env.lab.evaluation.comparison.Comparison` of the same days.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from echo_env.common.tables import Grid
from echo_env.lab.evaluation.comparison import Comparison
from echo_env.lab.evaluation.tables import HEADLINE
from echo_env.lab.report.page.charts import Mark, intervals, panels, without_far
from echo_env.lab.report.page.page import Chart, Section
from echo_env.lab.report.page.words import (
    COMPARED,
    LOWER_IS_BETTER,
    WATCHED,
    capital,
    label,
    listed,
    scaled,
    spoken,
    with_interval,
)

WAIT = "overall_wait_min"
"""The mean wait of everybody who came."""


def best_of(comparison: Comparison) -> str:
    """The policy with the fewest points for waiting, if that is no chance; else the reference.

    :param comparison: what the policies did
    """
    better = [name for name in comparison.others if comparison.paired(name, HEADLINE).high < 0]
    return min(better, key=lambda name: comparison.mean(name, HEADLINE).mean, default=comparison.reference)


def compared(comparison: Comparison, title: str = "Every rule, measure by measure") -> Section:
    """Every measure of everything that is compared, and the differences to the reference.

    :param comparison: what is compared
    :param title: of the chart
    """
    metrics = [name for name in COMPARED if name in comparison.metrics]
    # A metric that is nothing on every day under every rule says nothing, but that it is nothing is worth a word.
    nothing = [
        name for name in metrics if not any(np.nan_to_num(own[name]).any() for own in comparison.values.values())
    ]
    shown = [name for name in metrics if name not in nothing]
    units = {name: comparison.metrics[name].unit for name in shown}
    points = [f"{capital(label(name, comparison.metrics[name]))}: none at all." for name in nothing]
    charts = [
        intervals(
            [Mark(spoken(rule), scaled(comparison.mean(rule, name), units[name])) for rule in comparison.values],
            _axis(name, comparison) + (" (%)" if units[name] == "share" else ""),
            width=270,
        )
        for name in shown
    ]
    rows = [
        (
            _axis(name, comparison),
            *(with_interval(comparison.mean(rule, name), units[name]) for rule in comparison.values),
        )
        for name in shown
    ]
    heads = ("measure", *(spoken(rule) for rule in comparison.values))
    grid = Grid(title, heads, rows, f"Mean over {comparison.days:,} days, in brackets the 95 % interval.")
    chart = Chart(
        title,
        "A small chart for each measure, with a mark for each thing compared; the table below has the same numbers.",
        panels(charts),
        grid,
        "Marks are means over days, lines their 95 % intervals. The intervals of two may overlap although one is "
        "surely better: the differences below are taken day by day on the same days, and are far more exact.",
    )
    return Section("comparison", "The comparison", (), tuple(points), (chart,), _differences(comparison, shown))


def _differences(comparison: Comparison, shown: Sequence[str]) -> tuple[Grid, ...]:
    if not comparison.others:
        return ()

    def cells(name: str) -> list[str]:
        unit = comparison.metrics[name].unit
        return [with_interval(comparison.paired(rule, name), unit, "+") for rule in comparison.others]

    rows = [(_axis(name, comparison), *cells(name)) for name in shown]
    heads = ("measure", *(f"{spoken(rule)} minus {spoken(comparison.reference)}" for rule in comparison.others))
    caption = (
        "Paired by day. Lower is better, but for the shares begun within 15 and 30 minutes, whose differences are in "
        "percentage points."
    )
    return (Grid(f"differences to {spoken(comparison.reference)}", heads, rows, caption),)


def _axis(name: str, comparison: Comparison) -> str:
    metric = comparison.metrics[name]
    return capital(label(name, metric))


def who_gains(comparison: Comparison) -> Section:
    """Waits by exam type and punctuality: the differences to the reference.

    :param comparison: what is compared
    """
    types = [name.removeprefix("overall_wait_").removesuffix("_min") for name in comparison.metrics
             if name.startswith("overall_wait_") and name != WAIT]  # fmt: skip
    measured = {spoken(name): f"overall_wait_{name}_min" for name in types if len(types) > 1}
    measured |= {"on time when examined": "wait_on_time_min", "late when examined": "wait_late_min"}
    if not comparison.others:
        marks = [Mark(who, comparison.mean(comparison.reference, name)) for who, name in measured.items()]
        chart = interval_chart(
            marks, "Minutes waited", "Minutes waited by exam and punctuality", "Means with 95 % intervals."
        )
        return Section("gains", "Who waits", (), (), (chart,))
    marks = [
        Mark(who, comparison.paired(rule, name), spoken(rule))
        for who, name in measured.items()
        for rule in comparison.others
    ]
    drawn, far = without_far(marks)
    title = f"Who gains and who loses: minutes waited, difference to {spoken(comparison.reference)}"
    differences = {
        who: [with_interval(comparison.paired(rule, name), "", "+") for rule in comparison.others]
        for who, name in measured.items()
    }
    reference = {who: with_interval(comparison.mean(comparison.reference, name)) for who, name in measured.items()}
    rows = [(who, reference[who], *differences[who]) for who in measured]
    heads = ("patients", spoken(comparison.reference), *(f"{spoken(rule)}, difference" for rule in comparison.others))
    out = sorted({f"{mark.series} ({mark.row})" for mark in far})
    chart = Chart(
        title,
        f"{title}. "
        + "; ".join(f"{mark.row} under {mark.series} {with_interval(mark.value, '', '+')}" for mark in marks)
        + ".",
        intervals(drawn, f"Minutes per patient, minus {spoken(comparison.reference)} ({LOWER_IS_BETTER})", zero=True),
        Grid(title, heads, rows),
        "Left of the line they wait less, right of it longer."
        + (f" Too far out for this picture: {listed(out)}." if out else ""),
    )
    text = _gain_words(comparison, measured)
    return Section("gains", "Who gains and who loses", (text,) if text else (), (), (chart,))


def _gain_words(comparison: Comparison, measured: dict[str, str]) -> str:
    best = best_of(comparison)
    if best == comparison.reference:
        return ""
    told = {who: comparison.paired(best, name) for who, name in measured.items()}
    gain = [f"{who} ({-own.mean:.1f} min)" for who, own in told.items() if own.high < 0]
    lose = [f"{who} ({own.mean:.1f} min)" for who, own in told.items() if own.low > 0]
    parts = [f"wait less: {listed(gain)}"] if gain else []
    parts += [f"wait longer: {listed(lose)}"] if lose else ["nobody can be shown to wait longer"]
    return f"Under {spoken(best)}, against {spoken(comparison.reference)}, {'; '.join(parts)}."


def interval_chart(
    marks: Sequence[Mark], axis: str, title: str, note: str, zero: bool = False, all_drawn: bool = True
) -> Chart:
    """Marks with their intervals, and their numbers as a table.

    :param marks: at least one, of one series
    :param axis: what the horizontal axis is
    :param title: a heading
    :param note: how to read it
    :param zero: whether they are differences to nothing
    :param all_drawn: whether even those are drawn that squash all others
    """
    sign = "+" if zero else ""
    drawn, far = (list(marks), []) if all_drawn else without_far(marks)
    told = "; ".join(f"{mark.row} {with_interval(mark.value, '', sign)}" for mark in marks)
    if far:
        out = [f"{mark.row}, {with_interval(mark.value, '', sign)}" for mark in far]
        note += f" Too far out for this picture: {'; '.join(out)}."
    return Chart(title, f"{title}: {told}.", intervals(drawn, axis, zero), marks_grid(title, marks, axis, sign), note)


def marks_grid(title: str, marks: Sequence[Mark], head: str, sign: str = "") -> Grid:
    """The numbers of marks.

    :param title: what they show
    :param marks: of one series
    :param head: of the column of numbers
    :param sign: ``+`` to show the sign of differences
    """
    return Grid(title, ("of", head), [(mark.row, with_interval(mark.value, "", sign)) for mark in marks])


def paid_with(comparison: Comparison, best: str) -> str:
    """What a gain in waiting is paid with, or that it is not.

    :param comparison: what is compared
    :param best: what gains
    """
    watched = [name for name in WATCHED if name in comparison.metrics]
    worse = [name for name in watched if comparison.paired(best, name).low > 0]
    if worse:
        rises = [
            f"{label(name, comparison.metrics[name])}, by {with_interval(comparison.paired(best, name), '', '+')}"
            for name in worse
        ]
        return f"but this rises: {'; '.join(rises)}"
    return (
        "the 90th percentile of waits, patients sent home, patients still waiting at the end of the day, and overtime "
        "do not rise beyond chance"
    )
