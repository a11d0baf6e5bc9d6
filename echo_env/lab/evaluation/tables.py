"""Comparisons as tables on a terminal (needs rich)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from echo_env.common.tables import cell, new_console, new_table, print_table, table_width
from echo_env.lab.config.lab import Lab
from echo_env.lab.evaluation.comparison import Comparison
from echo_env.lab.evaluation.input_uncertainty import InputUncertainty
from echo_env.lab.simulation.metrics import BY_TYPE, metric_labels

CAPTION = "mean ± half-width of the 95 % interval; differences are paired by day"
_NAME, _CELL = 28, 19

HEADLINE = "waiting_penalty"
"""The metric whose differences stand in the first table: the penalty without its idle part, which is most of a day's
points and almost the same whatever the policy."""
SHORT = ("wait_min", "left_waiting", HEADLINE)
"""Metrics of the first table; in a wide window also the wait of the first exam type."""


def print_comparison(comparison: Comparison, config: Lab, title: str, console: Console | None = None) -> None:
    """Print a summary, then every metric, then every paired difference to the reference.

    :param comparison: the comparison
    :param config: the lab
    :param title: of the first table
    :param console: where; by default standard output
    """
    console = console or new_console()
    names = metric_labels(config)
    # As many policies beside each other as there is room for.
    size = max((console.width - _NAME) // _CELL, 1)
    first_type = next((name for name, metric in comparison.metrics.items() if metric.section == BY_TYPE), "wait_min")
    tables = [short_table(comparison, names, title, (*SHORT, first_type))]
    if table_width(tables[0], console) > console.width:
        tables = [short_table(comparison, names, title, SHORT)]
    for make, policies in ((metric_table, list(comparison.values)), (difference_table, comparison.others)):
        tables += [make(comparison, names, policies[k : k + size]) for k in range(0, len(policies), size)]
    for table in tables:
        print_table(console, table)


def short_table(comparison: Comparison, names: dict[str, str], title: str, shown: Sequence[str]) -> Table:
    """The summary: a row for each policy with its main metrics.

    :param comparison: the comparison
    :param names: metric -> label
    :param title: of the table
    :param shown: metrics, before the difference in the waiting part
    """
    table = new_table(
        title, f"{CAPTION};\nthose shown are of the waiting part; days needed: for the interval to exclude 0"
    )
    table.add_column("policy", overflow="fold", max_width=30)
    for heading in (*(names[metric] for metric in shown), f"minus {comparison.reference}", "days needed"):
        table.add_column(heading, justify="right")
    for name in comparison.values:
        cells = [cell(comparison.mean(name, metric)) for metric in shown]
        if name in comparison.others:
            cells += [_difference(comparison, name, HEADLINE), _days(comparison.days_needed(name, HEADLINE))]
        table.add_row(escape(name), *cells)
    return table


def metric_table(comparison: Comparison, names: dict[str, str], policies: Sequence[str]) -> Table:
    """A row for each metric, a column for each policy.

    :param comparison: the comparison
    :param names: metric -> label
    :param policies: the columns
    """
    table = _metrics_by_policy("every metric", policies)
    ends = _ends_of_sections(comparison)
    for metric in comparison.metrics:
        cells = [cell(comparison.mean(name, metric)) for name in policies]
        table.add_row(names[metric], *cells, end_section=metric in ends)
    table.add_row("engine", *(comparison.engines[name] for name in policies))
    return table


def difference_table(comparison: Comparison, names: dict[str, str], policies: Sequence[str]) -> Table:
    """The same for paired differences to the reference; metrics in which no policy differs are left out.

    :param comparison: the comparison
    :param names: metric -> label
    :param policies: the columns
    """
    table = _metrics_by_policy(f"minus {comparison.reference}", policies)
    ends = _ends_of_sections(comparison)
    for metric in comparison.metrics:
        if any(comparison.paired(name, metric).mean for name in comparison.others):
            cells = [_difference(comparison, name, metric) for name in policies]
            table.add_row(names[metric], *cells, end_section=metric in ends)
    return table


def print_uncertainty(found: InputUncertainty, config: Lab, console: Console | None = None) -> None:
    """Print both parts of the intervals of the main metrics, and which of them dominates.

    :param found: policies in the lab and in labs that it might be as well
    :param config: the lab
    :param console: where; by default standard output
    """
    console = console or new_console()
    print_table(console, uncertainty_table(found, metric_labels(config), SHORT))
    for metric in SHORT:
        console.print(f"- {escape(found.sentence(metric))}", highlight=False)
    if found.held:
        held = ", ".join(found.held)
        console.print(f"- Edited since the lab was fitted, and the same in all labs: {escape(held)}.", highlight=False)


def uncertainty_table(found: InputUncertainty, names: dict[str, str], metrics: Sequence[str]) -> Table:
    """A row for each policy and metric: the mean with its whole interval, and both parts of the half-width.

    :param found: policies in the lab and in labs that it might be as well
    :param names: metric -> label
    :param metrics: those shown
    """
    title = f"input uncertainty: {len(found.labs)} labs of the bootstrap, the same days"
    table = new_table(title, "mean ± half-width of the 95 % interval, and both parts of the half-width")
    for heading in ("policy", "metric"):
        table.add_column(heading, overflow="fold", max_width=30)
    for heading in ("both", "days", "not knowing the lab", f"minus {found.comparison.reference}"):
        table.add_column(heading, justify="right")
    for name in found.comparison.values:
        for number, metric in enumerate(metrics):
            part = found.mean(name, metric)
            other = cell(found.paired(name, metric).whole, sign="+") if name in found.comparison.others else ""
            halves = [f"± {half:.3g}" for half in (part.simulation, part.lab)]
            row = [escape(name) if number == 0 else "", names[metric], cell(part.whole), *halves, other]
            table.add_row(*row, end_section=number == len(metrics) - 1)
    return table


def _ends_of_sections(comparison: Comparison) -> set[str]:
    """The last metric of each section."""
    return set({metric.section: name for name, metric in comparison.metrics.items()}.values())


def _metrics_by_policy(title: str, policies: Sequence[str]) -> Table:
    table = new_table(title)
    table.add_column("")
    for name in policies:
        table.add_column(escape(name), justify="right", overflow="fold", max_width=_CELL)
    return table


def _difference(comparison: Comparison, policy: str, metric: str) -> str:
    """A paired difference, bold where its interval excludes 0."""
    value = comparison.paired(policy, metric)
    text = cell(value, sign="+")
    return f"[bold]{text}[/bold]" if value.excludes_zero else text


def _days(days: float) -> str:
    return "-" if math.isinf(days) else f"{days:,.0f}"
