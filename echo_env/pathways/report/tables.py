"""Comparisons as tables on a terminal (needs rich)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from echo_env.common.tables import cell, new_console, new_table, print_table
from echo_env.pathways.bounds.shares import Shares
from echo_env.pathways.evaluation.comparison import Cell, Comparison
from echo_env.pathways.simulation.metrics import METRICS

CAPTION = "mean ± half of the 95 % interval over draws"
_NAME, _WIDTH = 14, 24

NAMES = {
    "utility": "utility",
    "worst_utility": "- of the worst off",
    "final_success": "success in the end",
    "finished": "finished (share)",
    "finish_steps": "time to finish (steps)",
    "needs_had": "needs had",
    "waiting_steps": "waiting (steps)",
    "utilisation": "utilisation (share)",
    "dead": "dead (share)",
}
"""Metric -> what tables call it."""

Write = Callable[[Comparison, Cell, str], str]


def print_comparison(
    comparison: Comparison, title: str, console: Console | None = None, shares: Shares | None = None
) -> None:
    """Print, for each number of resources, utility, differences in utility, and every metric for most patients.

    :param comparison: what the policies did
    :param title: above all tables
    :param console: where; by default standard output
    :param shares: of what is possible, a further table
    """
    console = console or new_console()
    # As many policies beside each other as there is room for.
    size = max((console.width - _NAME) // _WIDTH, 1)
    console.print(escape(title), style="bold")
    for resources in comparison.resources:
        for make, names in (
            (utility_table, comparison.policies),
            (advantage_table, comparison.others),
            (metric_table, comparison.policies),
        ):
            for k in range(0, len(names), size):
                table = make(comparison, resources, names[k : k + size])
                print_table(console, table)
        if shares is not None:
            print_table(console, share_table(shares, resources))


def share_table(shares: Shares, resources: int) -> Table:
    """A row for each number of patients: the bound on utility, and which share of it policies reach.

    :param shares: of what is possible
    :param resources: number of resources
    """
    caption = (
        "mean utility over mean bound ± half of the 95 % interval over draws; "
        "but for the luck of the trials no policy can have more than 1"
    )
    table = new_table(f"share of what is possible, {resources} resources", caption)
    for name in ("patients", "bound", "of these optima", *shares.comparison.policies):
        table.add_column(escape(name), justify="right", overflow="fold")
    for own, found in shares.bounds.items():
        if own.resources == resources:
            parts = [cell(shares.share(own, name)) for name in shares.comparison.policies]
            optima = f"{found.optima} of {len(found.values)}"
            table.add_row(str(own.patients), cell(shares.bound(own)), optima, *parts)
    return table


def utility_table(comparison: Comparison, resources: int, policies: Sequence[str]) -> Table:
    """A row for each number of patients: mean utility, interval, and standard deviation over draws.

    :param comparison: what the policies did
    :param resources: number of resources
    :param policies: the columns
    """
    caption = f"{CAPTION} (standard deviation)"
    return _by_patients(comparison, resources, policies, f"utility, {resources} resources", caption, _level)


def advantage_table(comparison: Comparison, resources: int, policies: Sequence[str]) -> Table:
    """A row for each number of patients: the reference minus each policy, draw by draw; bold where it is not 0.

    :param comparison: what the policies did
    :param resources: number of resources
    :param policies: the columns
    """
    heading = f"utility of {comparison.reference} minus that of others, {resources} resources"
    return _by_patients(comparison, resources, policies, heading, f"{CAPTION}, same draws and luck", _advantage)


def metric_table(comparison: Comparison, resources: int, policies: Sequence[str]) -> Table:
    """A row for each metric, for the largest number of patients.

    :param comparison: what the policies did
    :param resources: number of resources
    :param policies: the columns
    """
    patients = max(cell.patients for cell in comparison.values if cell.resources == resources)
    table = new_table(f"every metric, {resources} resources, {patients} patients", CAPTION)
    table.add_column("metric")
    for name in policies:
        table.add_column(escape(name), justify="right", overflow="fold")
    for metric in METRICS:
        row = [cell(comparison.mean(Cell(resources, patients), name, metric)) for name in policies]
        table.add_row(NAMES.get(metric, metric), *row)
    return table


def _by_patients(
    comparison: Comparison, resources: int, policies: Sequence[str], title: str, caption: str, write: Write
) -> Table:
    table = new_table(title, caption)
    table.add_column("patients", justify="right")
    for name in policies:
        table.add_column(escape(name), justify="right", overflow="fold")
    for own in comparison.values:
        if own.resources == resources:
            table.add_row(str(own.patients), *(write(comparison, own, name) for name in policies))
    return table


def _level(comparison: Comparison, own: Cell, policy: str) -> str:
    sd = comparison.sd(own, policy, "utility")
    return cell(comparison.mean(own, policy, "utility")) + ("" if math.isnan(sd) else f" ({sd:.3f})")


def _advantage(comparison: Comparison, own: Cell, policy: str) -> str:
    value = comparison.advantage(own, policy, "utility")
    text = cell(value, sign="+")
    return f"[bold]{text}[/bold]" if value.low > 0 or value.high < 0 else text
