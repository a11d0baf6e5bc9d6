"""Lower bounds beside a comparison: how far above what is possible its policies are."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from echo_env.common.files import written_whole
from echo_env.common.stats import Estimate, estimate, ratio_of_sums
from echo_env.lab.bounds.bounds import Bounds
from echo_env.lab.evaluation.comparison import Comparison

if TYPE_CHECKING:
    from rich.table import Table

BOUNDS = "bounds.csv"
GRANTED = {"clairvoyant": "clairvoyant", "lengths_unknown": "lengths unknown", "attached": "attached"}
"""Bound -> what tables call it."""


def write_bounds(folder: Path, bounds: Bounds) -> None:
    """Write ``bounds.csv``: ``day``, then each bound, points.

    :param folder: where
    :param bounds: of the first days
    """
    columns = [getattr(bounds, name).tolist() for name in GRANTED]
    with written_whole(folder / BOUNDS) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["day", *GRANTED])
        writer.writerows((day, *row) for day, row in enumerate(zip(*columns, strict=True)))


def print_bounds(comparison: Comparison, bounds: Bounds) -> None:
    """Print :func:`bound_table`.

    :param comparison: what the policies did
    :param bounds: of its first days
    """
    from echo_env.common.tables import new_console, print_table

    print_table(new_console(), bound_table(comparison, bounds))


def share_closed(reference: NDArray[np.float64], paid: NDArray[np.float64], bound: NDArray[np.float64]) -> Estimate:
    """Share of the gap between a reference and a bound that a policy closes: a ratio of means, with its interval.

    (mean of reference - paid) by (mean of reference - bound), of the same days; nan where there is no gap.

    :param reference: (n,) what the reference paid, points
    :param paid: (n,) what the policy paid
    :param bound: (n,) lower bounds
    """
    return ratio_of_sums(reference - paid, reference - bound)


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
        "clairvoyant: a planner who knows the whole day in advance; lengths unknown: all but the exam durations; "
        "attached: all arrivals and absences, but neither exam durations nor breaks\n"
        f"the largest, and so the tightest, is {GRANTED[bounds.largest]}",
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
