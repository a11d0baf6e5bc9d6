"""A what-if study as a page."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from echo_env.common.tables import Grid
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import sample_days
from echo_env.lab.evaluation.comparison import Comparison
from echo_env.lab.report.page.charts import Mark, Point, lines
from echo_env.lab.report.page.comparison import NOT_CHECKED
from echo_env.lab.report.page.day_chart import day_section, middling
from echo_env.lab.report.page.measures import WAIT, compared, interval_chart, paid_with, who_gains
from echo_env.lab.report.page.page import Chart, Experiment, Page, Section
from echo_env.lab.report.page.words import (
    COMPARED,
    LOWER_IS_BETTER,
    capital,
    changed,
    label,
    listed,
    spoken,
    with_interval,
)
from echo_env.lab.simulation.policy import Policy
from echo_env.lab.simulation.simulator import simulate
from echo_env.lab.sweep.axes import Axis
from echo_env.lab.sweep.grid import Cell
from echo_env.lab.sweep.results import RANKED, SweepResults, UncertainSweep

BASE, BEST = "the lab as it is", "the best that was tried"
_MOST_ROWS = 200


def sweep_page(
    results: SweepResults,
    make: Callable[[Lab], Mapping[str, Policy]],
    command: str,
    lab: str,
    uncertain: UncertainSweep | None = None,
) -> Page:
    """The page.

    :param results: the sweep
    :param make: lab -> policies for it
    :param command: the command line
    :param lab: what the command calls the lab
    :param uncertain: the sweep with labs that this might be as well
    """
    sweep, axes = results.sweep, results.sweep.axes
    cell, policy = results.best(RANKED)
    comparison = _best_against_base(results, cell, policy)
    fields = [field_words(axis.path) for axis in axes]
    sections = _against_base(results, cell, policy, comparison)
    sections += [*_responses(results), _cells(results)]
    if uncertain is not None:
        told = tuple(uncertain.sentences(WAIT))
        sections.append(Section("uncertainty", "What if the lab is not exactly so?", (), told))
    sections.append(_day(results, cell, policy, make))
    return Page(
        title=f"{spoken(sweep.base.name)}: what if",
        question=f"What would other values of {listed(fields)} do to waits in the lab {spoken(sweep.base.name)}?",
        answer=_answer(results, cell, policy, comparison),
        picture=_effects(results),
        config=sweep.base,
        experiment=Experiment(
            purpose=f"To see what waits would be with other values of {listed(fields)}.",
            command=command,
            lab=lab,
            days=results.days,
            seed=results.seed,
            scenarios=tuple(
                f"{field_words(axis.path)}: {listed([axis.label(value) for value in axis.values])}" for axis in axes
            ),
            outputs=(
                "Waits of patients, shares begun in time, overtime, patients sent home or left waiting, and cost "
                "where the lab has prices."
            ),
            estimation=(
                "Means over days with Student's 95 % intervals; differences to the lab as it is are paired by day."
            ),
            data=f"The lab file {lab}, with the values above.",
        ),
        likeness=NOT_CHECKED,
        sections=tuple(sections),
        rules=tuple(results.policies),
        warnings=_warnings(results),
    )


def field_words(path: str) -> str:
    """A field as people write it: ``rooms: non-fetal``.

    :param path: dotted
    """
    return spoken(path.replace(".", ": "))


def cell_words(results: SweepResults, cell: Cell[Lab]) -> str:
    """A lab of the sweep as people write it: ``rooms: non-fetal 4``.

    :param results: the sweep
    :param cell: one of its cells
    """
    if not cell.number:
        return BASE
    away = [axis for axis in results.sweep.axes if cell.values[axis.path] != axis.own]
    return listed([f"{field_words(axis.path)} {axis.label(cell.values[axis.path])}" for axis in away]) if away else BASE


def _best_against_base(results: SweepResults, cell: Cell[Lab], policy: str) -> Comparison:
    """The lab as it is under the reference, and the best cell under its best policy, as a comparison."""
    values = {BASE: results.comparisons[0].values[results.reference]}
    if cell.number or policy != results.reference:
        values[BEST] = results.comparisons[cell.number].values[policy]
    engines = dict.fromkeys(values, "")
    return Comparison(results.sweep.base.name, results.seed, values, engines, BASE, results.metrics)


def _against_base(results: SweepResults, cell: Cell[Lab], policy: str, comparison: Comparison) -> list[Section]:
    if BEST not in comparison.values:
        return []
    text = f"{capital(BEST)} is {_name(results, cell)} under {spoken(policy)}."
    section = compared(comparison, f"{capital(BASE)} and {BEST}, measure by measure")
    return [replace(section, texts=(text,)), who_gains(comparison)]


def _answer(results: SweepResults, cell: Cell[Lab], policy: str, comparison: Comparison) -> tuple[str, str]:
    days, under = f"{results.days:,} simulated days", f"under {spoken(policy)}"
    if BEST not in comparison.values:
        wait = with_interval(comparison.mean(BASE, WAIT))
        return (
            f"Nothing that was tried makes patients wait less than {BASE}, where they wait {wait} minutes on average "
            f"{under}, over {days}.",
            _matters(results),
        )
    shift, told = comparison.paired(BEST, WAIT), with_interval(comparison.mean(BEST, WAIT))
    against = f"{changed(shift, 'minutes')} {'than in' if shift.excludes_zero else 'against'} {BASE}"
    if results.others:
        against += f" under {spoken(results.reference)}"
    first = (
        f"Patients wait least in {_name(results, cell)} {under}: {told} minutes on average, {against} (95 % intervals "
        "in "
        f"brackets, over {days})."
    )
    return first, f"{_matters(results)} In the best, {paid_with(comparison, BEST)}."


def _name(results: SweepResults, cell: Cell[Lab]) -> str:
    return f"a lab with {cell_words(results, cell)}" if cell.number else BASE


def _matters(results: SweepResults) -> str:
    effects = results.effects(results.reference, WAIT)
    first = next((own for own in effects if not math.isnan(own.span.mean)), None)
    if first is None or first.span.mean == 0:
        return "None of the values changes the wait."
    axis = first.axis
    ends = [axis.label(cell.values[axis.path]) for cell in (first.lowest, first.highest)]
    return (
        f"{'Most of it depends on' if len(effects) > 1 else 'It depends on'} {field_words(axis.path)}: between "
        f"{ends[0]} (shortest waits) and {ends[1]} (longest) there are {with_interval(first.span)} minutes."
    )


def _effects(results: SweepResults) -> Chart:
    """Each value by itself against the lab as it is, under the reference."""
    marks = [
        Mark(
            f"{field_words(axis.path)} {axis.label(cell.values[axis.path])}",
            results.minus_base(cell, results.reference, WAIT),
        )
        for axis in results.sweep.axes
        for cell in results.sweep.along(axis)
        if cell.number
    ]
    title = "What each change does to waits"
    note = (
        f"Minutes per patient against {BASE}, under {spoken(results.reference)}, on the same days: {LOWER_IS_BETTER}. "
        "Lines are 95 % intervals."
    )
    return interval_chart(marks, f"Minutes per patient, minus {BASE} ({LOWER_IS_BETTER})", title, note, zero=True)


def _responses(results: SweepResults) -> list[Section]:
    axes = [axis for axis in results.sweep.axes if len(results.sweep.along(axis)) > 1]
    charts = tuple(_response(results, axis) for axis in axes)
    text = f"One field at a time, the others as in {BASE} or as near to it as the values that were tried."
    return [Section("responses", "Field by field", (text,), (), charts)] if charts else []


def _response(results: SweepResults, axis: Axis) -> Chart:
    cells, title = results.sweep.along(axis), f"Minutes waited by {field_words(axis.path)}"
    number = axis.field.is_numeric

    def at(cell: Cell[Lab]) -> float | str:
        return float(cell.values[axis.path]) if number else axis.label(cell.values[axis.path])

    points = [
        Point(at(cell), results.mean(cell, policy, WAIT), spoken(policy))
        for policy in results.policies
        for cell in cells
    ]
    rows = [
        (
            axis.label(cell.values[axis.path]),
            *(with_interval(results.mean(cell, policy, WAIT)) for policy in results.policies),
        )
        for cell in cells
    ]
    heads = (field_words(axis.path), *map(spoken, results.policies))
    alt = (
        f"{title}: "
        + "; ".join(f"{row[0]}: {row[1]}" for row in rows)
        + f" minutes under {spoken(results.policies[0])}."
    )
    own = axis.label(axis.own)
    return Chart(
        title,
        alt,
        lines(points, capital(field_words(axis.path)), "Minutes waited"),
        Grid(title, heads, rows),
        f"Today it is {own}.",
    )


def _cells(results: SweepResults) -> Section:
    metrics = [name for name in COMPARED if name in results.metrics]
    units = {name: results.metrics[name].unit for name in metrics}

    def cells(cell: Cell[Lab], policy: str) -> list[str]:
        return [with_interval(results.mean(cell, policy, name), units[name]) for name in metrics]

    rows = [
        (cell_words(results, cell), spoken(policy), *cells(cell, policy))
        for cell in results.sweep.cells
        for policy in results.policies
    ]
    caption = f"Means over {results.days:,} days, in brackets their 95 % intervals."
    if len(rows) > _MOST_ROWS:
        caption += f" The first {_MOST_ROWS} of {len(rows)} rows; sweep.csv of --output has all."
    heads = ("lab", "rule", *(capital(label(name, results.metrics[name])) for name in metrics))
    grid = Grid("every lab that was played", heads, rows[:_MOST_ROWS], caption)
    fields = [
        f"{capital(field_words(axis.path))}: {axis.field.meaning}." for axis in results.sweep.axes if axis.field.meaning
    ]
    short = Grid("waits in every lab", heads[:5], [row[:5] for row in grid.rows], caption)
    return Section(
        "labs",
        "Every lab that was played",
        (),
        tuple(fields),
        (),
        (short,),
        (grid._replace(title="Every measure of every lab"),),
    )


def _warnings(results: SweepResults) -> tuple[str, ...]:
    if any(axis.path.startswith("penalty.") for axis in results.sweep.axes):
        return ("Weights of points were changed too: labs with different weights cannot be ranked by points.",)
    return ()


def _day(results: SweepResults, cell: Cell[Lab], policy: str, make: Callable[[Lab], Mapping[str, Policy]]) -> Section:
    base = results.sweep.base

    def of(lab: Lab, name: str) -> Policy:
        return next(own for own in make(lab).values() if own.name == name)

    number = middling(results.values(results.sweep.cells[0], results.reference, RANKED))
    named = []
    shown = [(BASE, base, results.reference)]
    if cell.number or policy != results.reference:
        shown.append((cell_words(results, cell), cell.config, policy))
    for name, lab, rule in shown:
        (day,) = sample_days(lab, 1, results.seed, number)
        named.append((f"{spoken(rule)}, {name}", simulate(lab, day, of(lab, rule))))
    return day_section(named)
