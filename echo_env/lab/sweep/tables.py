"""A sweep on a terminal (needs rich)."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from echo_env.common.stats import Estimate
from echo_env.common.tables import cell, new_console, new_table, print_table
from echo_env.lab.evaluation.tables import CAPTION
from echo_env.lab.simulation.metrics import metric_labels
from echo_env.lab.sweep.axes import Axis
from echo_env.lab.sweep.grid import Cell
from echo_env.lab.sweep.report import held_in_words
from echo_env.lab.sweep.results import SweepResults, UncertainSweep, left_out

_NAME, _FIELDS, _POLICY, _NUMBER = 30, 60, 18, 20
"""Largest width of a cell's name, of all field columns together, of a policy, and of a heading above numbers: in 100
columns they leave room for numbers."""

_SHARED = (
    "All cells share their random numbers with the base lab: patients and members of staff whom two labs have in "
    "common have the same luck in both."
)
_CAPACITY = ("rooms", "sonographers", "appointments", "room_groups", "staff_groups", "exam_types")
"""Sections in which changes make rooms and staff idle."""


def print_sweep(results: SweepResults, metrics: Sequence[str], title: str, console: Console | None = None) -> None:
    """Print all cells, the effects of the fields, and notes on how to read them.

    :param results: the sweep
    :param metrics: metrics to show; differences are shown for the first one only
    :param title: title of the first table
    :param console: console to print to; by default standard output
    """
    console = console or new_console()
    names = len(results.sweep.axes) if results.sweep.mode == "grid" else 1
    print_table(console, cell_table(results, metrics, title), heads=names + 1)
    print_table(console, effect_table(results, metrics[0]), heads=2)
    for sentence in sentences(results, metrics[0]):
        console.print(f"- {escape(sentence)}", highlight=False)


def print_uncertainty(found: UncertainSweep, metric: str, console: Console | None = None) -> None:
    """Print both parts of the intervals of a metric, and which of them dominates.

    :param found: a sweep with the labs of the bootstrap
    :param metric: the metric
    :param console: console to print to; by default standard output
    """
    console = console or new_console()
    results, name = found.results, metric_names(found.results)[metric]
    title = f"input uncertainty of {name}: {len(found.labs)} labs of the bootstrap, the same days"
    table = new_table(title, "the last columns: both parts of the half-width of the difference (base lab: of the mean)")
    table.add_column("cell", overflow="fold", max_width=_NAME)
    table.add_column("policy", overflow="fold", max_width=_POLICY)
    for heading in (name, "minus base lab", "days", "the lab"):
        table.add_column("\n".join(textwrap.wrap(heading, _NUMBER)), justify="right")
    for tried in _in_order(results):
        for number, policy in enumerate(results.policies):
            part = found.minus_base(tried, policy, metric) if tried.number else found.mean(tried, policy, metric)
            other = cell(part.whole, sign="+") if tried.number else ""
            halves = [f"± {half:.3g}" for half in (part.simulation, part.lab)]
            head = "" if number else escape(results.sweep.name(tried))
            table.add_row(head, escape(policy), cell(found.mean(tried, policy, metric).whole), other, *halves)
    print_table(console, table)
    for sentence in found.sentences(metric):
        console.print(f"- {escape(sentence)}", highlight=False)


def cell_table(results: SweepResults, metrics: Sequence[str], title: str) -> Table:
    """One row for each cell and policy; a grid has one column for each field."""
    sweep, names = results.sweep, metric_names(results)
    grid = sweep.mode == "grid"
    table = new_table(title, CAPTION)
    headings = [axis.path for axis in sweep.axes] if grid else ["cell"]
    width = max(min(_FIELDS // len(headings) - 2, _POLICY), 8) if grid else _NAME
    for heading in headings:
        table.add_column(_broken(heading), justify="right" if grid else "left", overflow="fold", max_width=width)
    table.add_column("policy", overflow="fold", max_width=_POLICY)
    others = [f"minus {results.reference}"] if results.others else []
    for heading in (names[metrics[0]], "minus base lab", *others, *(names[name] for name in metrics[1:])):
        table.add_column("\n".join(textwrap.wrap(heading, _NUMBER)), justify="right", no_wrap=True)
    for tried in _in_order(results):
        for number, policy in enumerate(results.policies):
            # The cell is named in its first row only.
            head = ["" if number else text for text in _head(results, tried)]
            row = [*head, escape(policy), *_numbers(results, tried, policy, metrics)]
            table.add_row(*row, end_section=number == len(results.policies) - 1 > 0)
    return table


def _in_order(results: SweepResults) -> list[Cell]:
    """Cells in the order of their values, with the base lab in its place; one at a time, in their own order."""
    sweep = results.sweep
    if sweep.mode != "grid" or any(axis.own not in axis.values for axis in sweep.axes):
        return list(sweep.cells)
    return sorted(sweep.cells, key=lambda tried: [axis.values.index(tried.values[axis.path]) for axis in sweep.axes])


def _head(results: SweepResults, tried: Cell) -> list[str]:
    """Name of a cell; in a grid, its values, in bold for the base lab."""
    sweep = results.sweep
    if sweep.mode != "grid":
        name = sweep.name(tried)
        return [escape(name if len(name) <= _NAME else name.replace("=", "=\n", 1))]
    texts = [escape(axis.label(tried.values[axis.path])) for axis in sweep.axes]
    return texts if tried.number else [f"[bold]{text}[/bold]" for text in texts]


def _numbers(results: SweepResults, tried: Cell, policy: str, metrics: Sequence[str]) -> list[str]:
    """Mean of the first metric, its differences, and means of the other metrics."""
    first = metrics[0]
    texts = [cell(results.mean(tried, policy, first))]
    texts += [difference(results.minus_base(tried, policy, first)) if tried.number else "base lab"]
    if results.others:
        other = policy in results.others
        texts.append(difference(results.minus_reference(tried, policy, first)) if other else "")
    return texts + [cell(results.mean(tried, policy, metric)) for metric in metrics[1:]]


def difference(value: Estimate) -> str:
    """A difference, in bold where its interval excludes 0."""
    text = cell(value, sign="+")
    return f"[bold]{text}[/bold]" if value.low > 0 or value.high < 0 else text


def effect_table(results: SweepResults, metric: str) -> Table:
    """One row for each field and policy, ordered by the size of the effect."""
    sweep, name = results.sweep, metric_names(results)[metric]
    held = {axis.path: held_in_words(sweep, axis) for axis in sweep.axes}
    caption = "each field alone, the others as in the base lab"
    if any(words != "base lab" for words in held.values()):
        caption = "each field alone, the others as in the base lab or as stated"
    names = metric_names(results)
    caption += f";\nleft out: {', '.join(names[other] for other in left_out(metric))}"
    caption += ";\nelasticity: percentage change of the metric per percent of the field, between the values in brackets"
    table = new_table(f"what matters most: {name}", caption)
    table.add_column("field", overflow="fold", max_width=_NAME)
    table.add_column("policy", overflow="fold", max_width=_POLICY)
    for heading in ("base\nvalue", "lowest\nat", "highest\nat"):
        table.add_column(heading, justify="right", overflow="fold", max_width=_POLICY)
    for heading in ("highest\nminus lowest", "elasticity\n(between)"):
        table.add_column(heading, justify="right", no_wrap=True)
    for effect in results.effects(results.reference, metric):
        for number, policy in enumerate(results.policies):
            table.add_row(
                *_effect_head(effect.axis, held[effect.axis.path], number),
                escape(policy),
                "" if number else escape(effect.axis.label(effect.axis.own)),
                *_effect_numbers(results, effect.axis, policy, metric),
                end_section=number == len(results.policies) - 1 > 0,
            )
    return table


def _effect_head(axis: Axis, held: str, number: int) -> list[str]:
    """Name of the field, in its first row only, with the values of the others where they are not the base lab's."""
    if number:
        return [""]
    return [escape(_broken(axis.path) if held == "base lab" else f"{_broken(axis.path)} ({held})")]


def _effect_numbers(results: SweepResults, axis: Axis, policy: str, metric: str) -> list[str]:
    """Where the mean is lowest and highest, their difference, and the elasticity."""
    effect = results.effect(axis, policy, metric)
    ends = [escape(axis.label(tried.values[axis.path])) for tried in (effect.lowest, effect.highest)]
    found, elasticity = effect.elasticity, "-"
    if found is not None:
        elasticity = f"{difference(found.value)} ({axis.label(found.low)} to {axis.label(found.high)})"
    return [*ends, difference(effect.span), elasticity]


def _broken(path: str) -> str:
    """A long dotted path in two lines."""
    return path.replace(".", ".\n", 1) if len(path) > _NUMBER else path


def sentences(results: SweepResults, metric: str) -> list[str]:
    """Notes below the tables: the best cell, fields without effect, and how to read points and differences.

    :param results: the sweep
    :param metric: the metric shown first
    """
    sweep, name = results.sweep, metric_names(results)[metric]
    tried, policy = results.best(metric)
    mean = cell(results.mean(tried, policy, metric))
    found = [f"Lowest {name} of all cells and policies: {sweep.name(tried)} under {policy}, {mean}."]
    found.append(_beside_the_ranking(results, metric))
    found += [f"{axis.path}: {axis.field.meaning}." for axis in sweep.axes if axis.field.meaning]
    found += [
        f"{axis.path}: {axis.label(value)} is {value}."
        for axis in sweep.axes
        for value in axis.values
        if isinstance(value, str) and axis.label(value) != value
    ]
    for axis in (axis for axis in sweep.axes if len(sweep.along(axis)) > 1):
        if all(_is_nothing(results.effect(axis, policy, metric).span) for policy in results.policies):
            found.append(f"{axis.path} alone does not change {name} on any of these days.")
    return [*found, *_about_points(results, metric), _SHARED]


def _beside_the_ranking(results: SweepResults, metric: str) -> str:
    """What the ranking leaves out: in the best cell and in the base lab."""
    names, (tried, policy) = metric_names(results), results.best(metric)
    base = results.sweep.cells[0]

    def numbers(name: str) -> str:
        there, own = (cell(results.mean(where, policy, name)) for where in (tried, base))
        return f"{names[name]} {there} {results.metrics[name].unit} a day" + (
            f" (base lab {own})" if tried.number else ""
        )

    return f"This ranking leaves out, there under {policy}: {'; '.join(map(numbers, left_out(metric)))}."


def _about_points(results: SweepResults, metric: str) -> list[str]:
    """Cautions about comparisons in points."""
    sweep = results.sweep
    if results.metrics[metric].unit != "points":
        return []
    found = []
    if any(axis.path.startswith("penalty.") for axis in sweep.axes):
        found.append("penalty.* changes the weights of points: cells with different weights cannot be ranked by them.")
    capacity = any(axis.path.split(".")[0] in _CAPACITY for axis in sweep.axes)
    if metric in ("penalty", "penalty_idle") and capacity and sweep.base.penalty.idle_rule == "every_pair":
        found.append(
            "Idle pairs of a room and a sonographer cost points here (penalty.idle_rule), so more rooms or staff can "
            "cost more although patients wait less: see the waiting part, or --sweep-metrics wait_min."
        )
    return found


def _is_nothing(span: Estimate) -> bool:
    return span.mean == 0 and span.half_width == 0


def metric_names(results: SweepResults) -> dict[str, str]:
    """Metric -> its name in tables."""
    return metric_labels(results.sweep.base)
