"""Comparisons as tables on a terminal (needs rich)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from echo_env.common.tables import cell, new_console, new_table, print_table
from echo_env.pathways.bounds.shares import Shares
from echo_env.pathways.evaluation.comparison import Comparison, HospitalSize
from echo_env.pathways.simulation.metrics import METRICS

CAPTION = "mean ± half of the 95 % interval over draws"

NAMES = {
    "utility": "utility",
    "worst_utility": "- of the worst off",
    "final_success": "final success",
    "finished": "finished (share)",
    "finish_steps": "time to finish (steps)",
    "needs_had": "needs met",
    "waiting_steps": "waiting (steps)",
    "utilisation": "utilisation (share)",
    "dead": "dead (share)",
}
"""Metric -> its name in tables."""

Write = Callable[[Comparison, HospitalSize, str], str]


def print_comparison(
    comparison: Comparison, title: str, console: Console | None = None, shares: Shares | None = None
) -> None:
    """Print, for each number of resources, utility, differences, and all metrics for the largest number of patients.

    :param comparison: the comparison
    :param title: heading of all tables
    :param console: console to print to; by default standard output
    :param shares: utilities relative to the bound, for a further table
    """
    console = console or new_console()
    console.print(escape(title), style="bold")
    for resources in comparison.resources:
        for make, names in (
            (utility_table, comparison.policies),
            (advantage_table, comparison.others),
            (metric_table, comparison.policies),
        ):
            if names:
                print_table(console, make(comparison, resources, names))
        if shares is not None:
            print_table(console, share_table(shares, resources))


def share_table(shares: Shares, resources: int) -> Table:
    """One row for each number of patients: the bound on utility, and the utilities relative to it.

    :param shares: utilities relative to the bound
    :param resources: number of resources
    """
    caption = (
        "mean utility over mean bound ± half of the 95 % interval over draws;\n"
        "no policy exceeds 1, apart from the random draws of the trials"
    )
    table = new_table(f"share of the upper bound, {resources} resources", caption)
    for name in ("patients", "bound", "exact optima", *shares.comparison.policies):
        table.add_column(escape(name), justify="right", overflow="fold")
    for own, found in shares.bounds.items():
        if own.resources == resources:
            parts = [cell(shares.share(own, name)) for name in shares.comparison.policies]
            optima = f"{found.optima} of {len(found.values)}"
            table.add_row(str(own.patients), cell(shares.bound(own)), optima, *parts)
    return table


def utility_table(comparison: Comparison, resources: int, policies: Sequence[str]) -> Table:
    """One row for each number of patients: mean utility, interval, and standard deviation over draws.

    :param comparison: the comparison
    :param resources: number of resources
    :param policies: policies of the columns
    """
    caption = f"{CAPTION} (standard deviation)"
    return _by_patients(comparison, resources, policies, f"utility, {resources} resources", caption, _level)


def advantage_table(comparison: Comparison, resources: int, policies: Sequence[str]) -> Table:
    """One row for each number of patients: paired differences, in bold where the interval excludes 0.

    :param comparison: the comparison
    :param resources: number of resources
    :param policies: policies of the columns
    """
    heading = f"utility of {comparison.reference} minus that of others, {resources} resources"
    return _by_patients(comparison, resources, policies, heading, f"{CAPTION}, common random numbers", _advantage)


def metric_table(comparison: Comparison, resources: int, policies: Sequence[str]) -> Table:
    """One row for each metric, for the largest number of patients.

    :param comparison: the comparison
    :param resources: number of resources
    :param policies: policies of the columns
    """
    patients = max(cell.patients for cell in comparison.values if cell.resources == resources)
    table = new_table(f"all metrics, {resources} resources, {patients} patients", CAPTION)
    table.add_column("metric")
    for name in policies:
        table.add_column(escape(name), justify="right", overflow="fold")
    for metric in METRICS:
        row = [cell(comparison.mean(HospitalSize(resources, patients), name, metric)) for name in policies]
        table.add_row(NAMES.get(metric, metric), *row)
    return table


def _by_patients(
    comparison: Comparison, resources: int, policies: Sequence[str], title: str, caption: str, write: Write
) -> Table:
    """One row for each number of patients, one column for each policy."""
    table = new_table(title, caption)
    table.add_column("patients", justify="right")
    for name in policies:
        table.add_column(escape(name), justify="right", overflow="fold")
    for own in comparison.values:
        if own.resources == resources:
            table.add_row(str(own.patients), *(write(comparison, own, name) for name in policies))
    return table


def _level(comparison: Comparison, own: HospitalSize, policy: str) -> str:
    """Mean utility, interval and standard deviation."""
    sd = comparison.sd(own, policy, "utility")
    return cell(comparison.mean(own, policy, "utility")) + ("" if math.isnan(sd) else f" ({sd:.3f})")


def _advantage(comparison: Comparison, own: HospitalSize, policy: str) -> str:
    """Paired difference, in bold where its interval excludes 0."""
    value = comparison.advantage(own, policy, "utility")
    text = cell(value, sign="+")
    return f"[bold]{text}[/bold]" if value.low > 0 or value.high < 0 else text
