"""What ``evaluate.py`` holds policies against beside each other: lower bounds, and the time they take to decide."""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from echo_env.common.files import written_whole
from echo_env.common.stats import Estimate, estimate
from echo_env.lab.bounds.bounds import Bounds, check_bounds_possible, find_bounds
from echo_env.lab.config import LabConfig
from echo_env.lab.evaluation.comparison import Comparison
from echo_env.lab.evaluation.decision_times import DecisionTime, measure_decisions
from echo_env.lab.simulation.policy import Policy

if TYPE_CHECKING:
    from rich.table import Table

BOUNDS = "bounds.csv"
TIMES = "decision_times.json"
GRANTED = {"clairvoyant": "knows all", "lengths_unknown": "lengths unknown"}
"""Bound -> what tables call it."""


@dataclass(frozen=True)
class Yardsticks:
    """What was found of a comparison's first days.

    :param bounds: lower bounds; None if they were not asked for
    :param times: policy -> what it took to decide; empty if it was not asked for
    """

    bounds: Bounds | None
    times: dict[str, DecisionTime]

    def write(self, folder: Path) -> None:
        """Write ``bounds.csv`` (day, then each bound, points) and ``decision_times.json``, as far as there are any.

        :param folder: where
        """
        if self.bounds:
            columns = [getattr(self.bounds, name).tolist() for name in GRANTED]
            with written_whole(folder / BOUNDS) as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(["day", *GRANTED])
                writer.writerows((day, *row) for day, row in enumerate(zip(*columns, strict=True)))
        if self.times:
            with written_whole(folder / TIMES) as file:
                json.dump({name: time._asdict() for name, time in self.times.items()}, file, indent=2)

    def print(self, comparison: Comparison) -> None:
        """Print a table of each.

        :param comparison: what the policies did
        """
        from rich.console import Console

        from echo_env.lab.evaluation.tables import PIPE_WIDTH, table_width

        console = Console()
        if not console.is_terminal:
            console.width = max(console.width, PIPE_WIDTH)
        tables = [bound_table(comparison, self.bounds)] if self.bounds else []
        for table in tables + ([time_table(self.times)] if self.times else []):
            console.width = max(console.width, table_width(table, console))
            console.print(table)


def add_yardstick_arguments(parser: argparse.ArgumentParser) -> None:
    """``--bound`` and ``--decision-times``."""
    parser.add_argument(
        "--bound", type=int, default=0, metavar="N", help="lower bounds on what any policy pays, on the first N days"
    )
    parser.add_argument(
        "--decision-times", type=int, default=0, metavar="N", help="how long decisions take, on the first N days"
    )


def check_yardsticks(arguments: argparse.Namespace) -> None:
    """Refuse what could only fail after all the days have been played.

    :raises ValueError: numbers of days that cannot be, or what needs numba without it
    """
    for option, days in (("--bound", arguments.bound), ("--decision-times", arguments.decision_times)):
        if not 0 <= days <= arguments.days:
            raise ValueError(f"{option} is {days}, but must be from 0 to --days, which is {arguments.days}")
        if days and arguments.sweep is not None:
            raise ValueError(f"{option} is of one lab, and does not go together with --sweep")
    if arguments.bound:
        check_bounds_possible()


def find_yardsticks(
    arguments: argparse.Namespace, config: LabConfig, policies: Mapping[str, Policy], seed: int
) -> Yardsticks:
    """What was asked for.

    :param arguments: ``bound`` and ``decision_times``, numbers of days, 0 for none
    :param config: the lab
    :param policies: those compared
    :param seed: of the days
    """
    bounds = find_bounds(config, arguments.bound, seed) if arguments.bound else None
    by_name = {policy.name: policy for policy in policies.values()}
    times = measure_decisions(config, by_name, arguments.decision_times, seed) if arguments.decision_times else {}
    return Yardsticks(bounds, times)


def share_closed(reference: NDArray[np.float64], paid: NDArray[np.float64], bound: NDArray[np.float64]) -> Estimate:
    """Share of the gap between a reference and a bound that a policy closes: a ratio of means, with its interval.

    (mean of reference - paid) by (mean of reference - bound), of the same days; the interval is that of the mean of
    its linearisation (the delta method). nan where there is no gap.

    :param reference: (n,) what the reference paid, points
    :param paid: (n,) what the policy paid
    :param bound: (n,) lower bounds
    """
    gap = float((reference - bound).mean())
    if gap == 0:
        return estimate([])
    share = float((reference - paid).mean()) / gap
    return estimate(share + (reference - paid - share * (reference - bound)) / gap)


def bound_table(comparison: Comparison, bounds: Bounds) -> Table:
    """A row for each policy and each bound: penalty, how far above the bounds, and how much of the gap is closed.

    :param comparison: what the policies did
    :param bounds: of its first days
    """
    from rich.markup import escape

    from echo_env.lab.evaluation.tables import cell, new_table

    days, reference = len(bounds.clairvoyant), comparison.values[comparison.reference]["penalty"]
    table = new_table(
        f"lower bounds, first {days} days",
        f"gap closed: share of the way from {comparison.reference} down to the bound, which nobody may be able to go\n"
        "knows all: a planner who knows the day in advance; lengths unknown: who knows all but the lengths of exams",
    )
    table.add_column("", overflow="fold", max_width=30)
    table.add_column("penalty a day", justify="right")
    found = {title: getattr(bounds, name) for name, title in GRANTED.items()}
    for title in found:
        table.add_column(f"above bound: {title}", justify="right")
        table.add_column("gap closed (%)", justify="right")
    for name, values in comparison.values.items():
        paid, cells = values["penalty"][:days], []
        for bound in found.values():
            share = share_closed(reference[:days], paid, bound)
            percent = Estimate(100 * share.mean, 100 * share.low, 100 * share.high, share.n)
            cells += [cell(estimate(paid - bound)), "" if name == comparison.reference else cell(percent)]
        table.add_row(escape(name), cell(estimate(paid)), *cells)
    for title, bound in found.items():
        table.add_row(f"bound: {title}", cell(estimate(bound)))
    return table


def time_table(times: Mapping[str, DecisionTime]) -> Table:
    """A row for each policy: decisions a day, and milliseconds for one.

    :param times: policy -> what it took
    """
    from rich.markup import escape

    from echo_env.lab.evaluation.tables import new_table

    table = new_table("time to decide", "milliseconds on this machine, SimPy engine")
    table.add_column("policy", overflow="fold", max_width=45)
    for heading in ("decisions a day", "mean (ms)", "95 % are below (ms)"):
        table.add_column(heading, justify="right")
    for name, time in times.items():
        table.add_row(escape(name), f"{time.decisions:.1f}", f"{time.mean_ms:.3f}", f"{time.p95_ms:.3f}")
    return table
