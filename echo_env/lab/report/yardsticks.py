"""Yardsticks beside a comparison: lower bounds on the penalty of any policy, and decision times."""

from __future__ import annotations

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
from echo_env.lab.bounds.bounds import Bounds, find_bounds
from echo_env.lab.config import LabConfig
from echo_env.lab.evaluation.comparison import Comparison
from echo_env.lab.evaluation.decision_times import DecisionTime, measure_decisions
from echo_env.lab.simulation.policy import Policy

if TYPE_CHECKING:
    from rich.table import Table

BOUNDS = "bounds.csv"
TIMES = "decision_times.json"
GRANTED = {"clairvoyant": "clairvoyant", "lengths_unknown": "lengths unknown"}
"""Bound -> what tables call it."""


@dataclass(frozen=True)
class Yardsticks:
    """Lower bounds and decision times on a comparison's first days.

    :param bounds: lower bounds; None if they were not asked for
    :param times: policy -> its decision times; empty if they were not asked for
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
        from echo_env.common.tables import new_console, print_table

        console = new_console()
        if self.bounds:
            print_table(console, bound_table(comparison, self.bounds))
        if self.times:
            print_table(console, time_table(self.times))


def find_yardsticks(
    config: LabConfig, policies: Mapping[str, Policy], seed: int, bound_days: int, timed_days: int
) -> Yardsticks:
    """Find lower bounds, and time decisions, on the first days of a comparison.

    :param config: the lab
    :param policies: those compared
    :param seed: seed of the days
    :param bound_days: number of days to find bounds for, 0 for none
    :param timed_days: number of days to time decisions on, 0 for none
    """
    bounds = find_bounds(config, bound_days, seed) if bound_days else None
    by_name = {policy.name: policy for policy in policies.values()}
    times = measure_decisions(config, by_name, timed_days, seed) if timed_days else {}
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

    from echo_env.common.tables import cell, new_table

    days, reference = len(bounds.clairvoyant), comparison.values[comparison.reference]["penalty"]
    table = new_table(
        f"lower bounds, first {days} days",
        f"gap closed: share of the gap between {comparison.reference} and the bound, which may be out of reach\n"
        "clairvoyant: a planner who knows the whole day in advance; lengths unknown: all but the exam durations",
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

    from echo_env.common.tables import new_table

    table = new_table("time to decide", "milliseconds on this machine, SimPy engine")
    table.add_column("policy", overflow="fold", max_width=45)
    for heading in ("decisions a day", "mean (ms)", "95th percentile (ms)"):
        table.add_column(heading, justify="right")
    for name, time in times.items():
        table.add_row(escape(name), f"{time.decisions:.1f}", f"{time.mean_ms:.3f}", f"{time.p95_ms:.3f}")
    return table
