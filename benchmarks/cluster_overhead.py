"""What dealing out costs: a sweep by one process and by the workers of a local Dask cluster.

    python benchmarks/cluster_overhead.py --workers 1 2 4 --cells 40 --days 500

A row is appended to ``cluster_overhead.csv`` beside this file for each number of workers: wall time, and its share in
which workers did not play days. Numbers are checked to be the same to the bit. Needs as many idle cores as workers.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from distributed import LocalCluster
from record import append_row

from echo_env.common.parallel import Jobs, Workers, check_reachable
from echo_env.lab import load_lab, make_policy
from echo_env.lab.sweep.grid import make_sweep
from echo_env.lab.sweep.play import Player, play_sweep, tasks_of
from echo_env.lab.sweep.results import SweepResults

RULES = ("policy_2", "fetal_first")


def swept(cells: int, days: int, jobs: Jobs) -> tuple[SweepResults, float]:
    """A sweep, and its wall time in seconds."""
    sweep = make_sweep(load_lab("scarce"), [f"sonographers.absence_rate=0:{(cells - 1) / 1000}:0.001"])
    tasks = tasks_of(sweep, lambda lab: [make_policy(rule, lab) for rule in RULES], days, 0)
    begin = time.perf_counter()
    found = play_sweep(sweep, tasks, Player(days, 0, None), 0, jobs)
    return found, time.perf_counter() - begin


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
    arguments = parser.parse_args(tokens)
    # What is compiled or loaded first is not measured.
    swept(2, 2, 1)
    alone, alone_s = swept(arguments.cells, arguments.days, 1)
    for workers in arguments.workers:
        with LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster:
            jobs = Workers(backend="dask", address=cluster.scheduler_address)
            check_reachable(jobs)
            swept(2 * workers, 2, jobs)
            found, wall_s = swept(arguments.cells, arguments.days, jobs)
        if not same(alone, found):
            raise RuntimeError(f"{workers} workers give other numbers")
        overhead = 1 - alone_s / (wall_s * workers)
        row = {"workers": workers, "cells": arguments.cells, "days": arguments.days}
        row |= {"alone_s": alone_s, "wall_s": wall_s, "overhead": overhead}
        append_row("cluster_overhead", row)
        print(row, flush=True)


if __name__ == "__main__":
    main()
