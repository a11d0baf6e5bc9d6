"""A sweep on a terminal (needs rich)."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from echo_env.common.stats import Estimate
from echo_env.common.tables import cell, new_console, new_table, print_table
from echo_env.lab.evaluation.tables import CAPTION, NAMES
from echo_env.lab.simulation.metrics import METRICS
from echo_env.lab.sweep.grid import ALL, NONE, PARTLY, Axis, Cell
from echo_env.lab.sweep.report import held_in_words
from echo_env.lab.sweep.results import SweepResults


def print_sweep(results: SweepResults, metrics: Sequence[str], title: str, console: Console | None = None) -> None:
    """Print every cell, what matters most, and what should be known about the days.

    :param results: the sweep
    :param metrics: those that are shown, differences of the first only
    :param title: of the first table
    :param console: where; by default standard output
    """
    console = console or new_console()
    names = len(results.sweep.axes) if results.sweep.mode == "grid" else 1
    print_table(console, cell_table(results, metrics, title), heads=names + 1)
    print_table(console, effect_table(results, metrics[0]), heads=2)
    for sentence in sentences(results, metrics[0]):
        console.print(f"- {escape(sentence)}", highlight=False)


def cell_table(results: SweepResults, metrics: Sequence[str], title: str) -> Table:
    """A row for each cell and policy."""
    sweep, names = results.sweep, metric_names(results)
    partly = any(cell.common != ALL for cell in sweep.cells)
    grid = sweep.mode == "grid"
    table = new_table(title, CAPTION)
    for heading in [axis.path for axis in sweep.axes] if grid else ["cell"]:
        table.add_column(heading, justify="right" if grid else "left", overflow="fold", max_width=44)
    table.add_column("policy", overflow="fold", max_width=30)
    differences = ["minus base lab", *([f"minus {results.reference}"] if results.others else [])]
    for heading in (names[metrics[0]], *differences, *(names[metric] for metric in metrics[1:])):
        table.add_column(heading, justify="right", no_wrap=True)
    if partly:
        table.add_column("days in common")
    for tried in _in_order(results):
        for number, policy in enumerate(results.policies):
            # What is said of the cell is said once.
            head = ["" if number else text for text in _head(results, tried)]
            row = [*head, escape(policy), *_numbers(results, tried, policy, metrics)]
            last = number == len(results.policies) - 1 > 0
            table.add_row(*row, *([tried.common] if partly else []), end_section=last)
    return table


def _in_order(results: SweepResults) -> list[Cell]:
    """The cells of a grid with the base lab in its place, if it has one; one at a time as they come."""
    sweep = results.sweep
    if sweep.mode != "grid" or any(axis.own not in axis.values for axis in sweep.axes):
        return list(sweep.cells)
    return sorted(sweep.cells, key=lambda tried: [axis.values.index(tried.values[axis.path]) for axis in sweep.axes])


def _head(results: SweepResults, tried: Cell) -> list[str]:
    """A cell's name; in a grid its values, the base lab's bold."""
    sweep = results.sweep
    if sweep.mode != "grid":
        return [escape(sweep.name(tried))]
    texts = [escape(axis.field.write(tried.values[axis.path])) for axis in sweep.axes]
    return texts if tried.number else [f"[bold]{text}[/bold]" for text in texts]


def _numbers(results: SweepResults, tried: Cell, policy: str, metrics: Sequence[str]) -> list[str]:
    first = metrics[0]
    texts = [cell(results.mean(tried, policy, first))]
    texts.append(difference(results.minus_base(tried, policy, first)) if tried.number else "base lab")
    if results.others:
        other = policy in results.others
        texts.append(difference(results.minus_reference(tried, policy, first)) if other else "")
    return texts + [cell(results.mean(tried, policy, metric)) for metric in metrics[1:]]


def difference(value: Estimate) -> str:
    """A difference, bold where its interval leaves out 0."""
    text = cell(value, sign="+")
    return f"[bold]{text}[/bold]" if value.low > 0 or value.high < 0 else text


def effect_table(results: SweepResults, metric: str) -> Table:
    """A row for each field and policy, what does most first."""
    sweep, name = results.sweep, metric_names(results)[metric]
    held = {axis.path: held_in_words(sweep, axis) for axis in sweep.axes}
    caption = "each field alone, the others as in the base lab"
    if any(words != "base lab" for words in held.values()):
        caption = "each field alone, the others as said, or else as in the base lab"
    caption += ";\nelasticity: percent of the metric for a percent of the field, between the values next to its own"
    table = new_table(f"what matters most: {name}", caption)
    for heading in ("field", "policy", "own"):
        table.add_column(heading, justify="left", overflow="fold", max_width=40)
    for heading in ("lowest at", "highest at", "highest minus lowest", "elasticity", "between"):
        table.add_column(heading, justify="right", overflow="fold", max_width=30)
    for effect in results.effects(results.reference, metric):
        for number, policy in enumerate(results.policies):
            table.add_row(
                *_effect_head(effect.axis, held[effect.axis.path], number),
                escape(policy),
                "" if number else escape(effect.axis.field.write(effect.axis.own)),
                *_effect_numbers(results, effect.axis, policy, metric),
                end_section=number == len(results.policies) - 1 > 0,
            )
    return table


def _effect_head(axis: Axis, held: str, number: int) -> list[str]:
    if number:
        return [""]
    return [escape(axis.path if held == "base lab" else f"{axis.path} ({held})")]


def _effect_numbers(results: SweepResults, axis: Axis, policy: str, metric: str) -> list[str]:
    effect = results.effect(axis, policy, metric)
    ends = [escape(axis.field.write(tried.values[axis.path])) for tried in (effect.lowest, effect.highest)]
    found = effect.elasticity
    around = ["-", ""]
    if found is not None:
        around = [difference(found.value), f"{axis.field.write(found.low)} and {axis.field.write(found.high)}"]
    return [*ends, difference(effect.span), *around]


def sentences(results: SweepResults, metric: str) -> list[str]:
    """What should be known beside the numbers: the best cell, what points are, and days that are not common.

    :param results: the sweep
    :param metric: the one that is shown first
    """
    sweep, name = results.sweep, metric_names(results)[metric]
    tried, policy = results.best(metric)
    mean = cell(results.mean(tried, policy, metric))
    found = [f"Lowest {name} of all that was tried: {sweep.name(tried)} under {policy}, {mean}."]
    found += [f"{axis.path}: {axis.field.meaning}." for axis in sweep.axes if axis.field.meaning]
    for axis in (axis for axis in sweep.axes if len(sweep.along(axis)) > 1):
        if all(_is_nothing(results.effect(axis, policy, metric).span) for policy in results.policies):
            found.append(f"{axis.path} alone makes no difference to {name} on any of these days.")
    return [*found, *_about_points(results, metric), *_about_days(results)]


def _about_points(results: SweepResults, metric: str) -> list[str]:
    """Where points do not mean what they seem to."""
    sweep = results.sweep
    if METRICS[metric][0] != "points":
        return []
    found = []
    if any(axis.path.startswith("penalty.") for axis in sweep.axes):
        found.append("penalty.* changes what points are: cells that differ in it are not better or worse for that.")
    capacity = any(axis.path.split(".")[0] in ("rooms", "sonographers", "appointments") for axis in sweep.axes)
    if metric in ("penalty", "penalty_idle") and capacity and sweep.base.penalty.idle_rule == "every_pair":
        found.append(
            "Idle pairs of a room and a sonographer cost points here (penalty.idle_rule), so more of them can cost "
            "more although patients wait less: see the waiting part, or --sweep-metrics wait_min."
        )
    return found


def _about_days(results: SweepResults) -> list[str]:
    """What the days of the cells have in common."""
    cells = results.sweep.cells
    if all(tried.common == ALL for tried in cells):
        return ["All cells were played on the same days as the base lab."]
    found = []
    for common in (PARTLY, NONE):
        for why in dict.fromkeys(tried.why for tried in cells if tried.common == common):
            count = sum(tried.why == why for tried in cells)
            found.append(
                f"Days in common with the base lab: {common}, in {count} cell{'s' if count > 1 else ''}, where {why}."
            )
    return [
        *found,
        "Where days are not all in common, intervals of differences to the base lab are as right, but wider; policies "
        "in the same cell are always compared on the same days.",
    ]


def _is_nothing(span: Estimate) -> bool:
    return span.mean == 0 and span.half_width == 0


def metric_names(results: SweepResults) -> dict[str, str]:
    """Metric -> what tables call it."""
    hours = results.sweep.base.hours
    return {metric: name.format(end=hours.clock(hours.end_min)) for metric, name in NAMES.items()}
