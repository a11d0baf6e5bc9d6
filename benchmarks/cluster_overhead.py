"""What dealing out costs: a sweep by one process and by the workers of a local Dask cluster.

    python benchmarks/cluster_overhead.py --workers 1 2 4 --cells 40 --days 8000

A row is appended to ``cluster_overhead.csv`` beside this file for each number of workers. ``alone_s`` is the wall time
of one process, ``wall_s`` that of the workers, ``played_s`` the sum of what tasks took there, and ``overhead`` the part
of the workers' time in which they played no days: 1 - played_s / (workers * wall_s). Numbers are checked to be the same
to the bit. On a machine with fewer idle cores than workers and sender, each task takes longer than alone.

Dask has its workers give memory back to the system at once, and ask for it again with every block of days. Workers keep
it here, as docs/cluster.md says, unless ``--trim`` is given.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import dask
import numpy as np
from distributed import LocalCluster
from record import append_row

from echo_env.common.parallel import Jobs, Workers, carry_along, check_reachable
from echo_env.lab import load_lab, make_policy
from echo_env.lab.sweep.grid import make_sweep
from echo_env.lab.sweep.kept import Table
from echo_env.lab.sweep.play import Player, Task, play_sweep, tasks_of
from echo_env.lab.sweep.results import SweepResults

RULES = ("policy_2", "fetal_first")
TIME = "seconds"
# Workers do not have this file.
carry_along(__name__)


class TimedPlayer(Player):
    """Says how long tasks took wherever they were run."""

    played_s = 0.0

    def __call__(self, task: Task) -> Table:
        """Metrics of the days, simulated, and the time that took."""
        begin = time.perf_counter()
        table = super().__call__(task)
        return table | {TIME: np.array([time.perf_counter() - begin])}

    def keep(self, task: Task, table: Table) -> None:
        """Take the time out of the metrics."""
        self.played_s += float(table.pop(TIME)[0])


def swept(cells: int, days: int, jobs: Jobs) -> tuple[SweepResults, float, float]:
    """A sweep, its wall time, and the sum of its tasks' times, in seconds."""
    sweep = make_sweep(load_lab("scarce"), [f"sonographers.absence_rate=0:{(cells - 1) / 1000}:0.001"])
    tasks = tasks_of(sweep, lambda lab: [make_policy(rule, lab) for rule in RULES], days, 0)
    player = TimedPlayer(days, 0, None)
    begin = time.perf_counter()
    found = play_sweep(sweep, tasks, player, 0, jobs)
    return found, time.perf_counter() - begin, player.played_s


def same(one: SweepResults, other: SweepResults) -> bool:
    """Whether all numbers are the same to the bit."""
    return all(
        one.values(cell, rule, metric).tobytes() == other.values(cell, rule, metric).tobytes()
        for cell in one.sweep.cells
        for rule in RULES
        for metric in one.metrics
    )


def main(tokens: Sequence[str] | None = None) -> None:
    """Read the command line, and time a sweep by each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="numbers of workers: %(default)s")
    parser.add_argument("--cells", type=int, default=40, help="of the sweep: %(default)s")
    parser.add_argument("--days", type=int, default=500, help="of each cell: %(default)s")
    parser.add_argument("--trim", action="store_true", help="have workers give memory back, as Dask does by itself")
    arguments = parser.parse_args(tokens)
    if not arguments.trim:
        dask.config.set({"distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None})
    # What is compiled or loaded first is not measured.
    swept(2, 2, 1)
    alone, alone_s, _ = swept(arguments.cells, arguments.days, 1)
    for workers in arguments.workers:
        with LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster:
            jobs = Workers(backend="dask", address=cluster.scheduler_address)
            check_reachable(jobs)
            swept(2 * workers, 2, jobs)
            found, wall_s, played_s = swept(arguments.cells, arguments.days, jobs)
        if not same(alone, found):
            raise RuntimeError(f"{workers} workers give other numbers")
        row = {"workers": workers, "trim": arguments.trim, "cells": arguments.cells, "days": arguments.days}
        row |= {"alone_s": alone_s, "wall_s": wall_s, "played_s": played_s}
        row["overhead"] = 1 - played_s / (wall_s * workers)
        append_row("cluster_overhead", row)
        print(row, flush=True)


if __name__ == "__main__":
    main()
