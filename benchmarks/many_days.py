"""What a comparison of very many days needs: memory that does not grow with them, and time that grows in proportion.

    python benchmarks/many_days.py --days 10000 100000 1000000

Each comparison is a command in a process of its own: ``evaluate.py --output DIR --format parquet`` of three rules in
the scarce lab. A row is appended to ``many_days.csv`` beside this file: the most memory that the process held at a
time, CPU seconds, and size of the file. What is read back is compared to the bit: with the same days at the beginning,
in the middle and at the end, played anew, and with the means of ``summary.json``, by pandas, Polars and DuckDB alike.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
import pandas as pd
import polars as pl
from record import append_row

from echo_env.lab import load_lab, make_policy, sample_days
from echo_env.lab.evaluation.comparison import CHUNK
from echo_env.lab.evaluation.engines import play_days
from echo_env.lab.simulation.metrics import metrics_table

ROOT = Path(__file__).resolve().parents[1]
ENV_ID, LAB, RULES, SEED = "EchoLabScarce-v0", "scarce", ("policy_2", "policy_1", "fetal_first"), 7


def measured(days: int, folder: Path) -> dict[str, float]:
    """The command, and what it needed.

    :param days: of the comparison
    :param folder: for its files
    """
    command = [sys.executable, str(ROOT / "evaluate.py"), "--env", ENV_ID, "--policies", *RULES, "--days", str(days)]
    command += ["--seed", str(SEED), "--output", str(folder), "--format", "parquet"]
    with open(folder.parent / "printed.txt", "w") as printed:
        streams = [(os.POSIX_SPAWN_DUP2, printed.fileno(), to) for to in (1, 2)]
        process = os.posix_spawn(sys.executable, command, os.environ, file_actions=streams)
        _, status, used = os.wait4(process, 0)
    if status:
        raise RuntimeError((folder.parent / "printed.txt").read_text())
    size = (folder / "days.parquet").stat().st_size
    cpu_s = used.ru_utime + used.ru_stime
    # Kilobytes on Linux.
    return {"peak_mib": used.ru_maxrss / 1024, "cpu_s": cpu_s, "cpu_us_a_day": 1e6 * cpu_s / days, "mib": size / 2**20}


def check(days: int, folder: Path) -> None:
    """Compare what was written with days played anew, and among three readers.

    :param days: of the comparison
    :param folder: with its files
    :raises RuntimeError: they differ
    """
    path, config = folder / "days.parquet", load_lab(LAB)
    summary = json.loads((folder / "summary.json").read_text())["policies"]
    for rule in RULES:
        own = pd.read_parquet(path, filters=[("policy", "==", rule)])
        if own["day"].tolist() != list(range(days)):
            raise RuntimeError(f"{rule}: days are not 0 to {days - 1}, each once")
        for first in {0, days // 2 // CHUNK * CHUNK, max(days - CHUNK, 0)}:
            drawn = sample_days(config, min(CHUNK, days), SEED, first)
            anew = metrics_table(config, play_days(config, make_policy(rule, config), drawn))
            for name, values in anew.items():
                if own[name].to_numpy()[first : first + len(values)].tobytes() != values.tobytes():
                    raise RuntimeError(f"{rule}: {name} differs in the days from {first} on")
        for name, found in summary[rule].items():
            if found["mean"] is not None and not math.isclose(np.nanmean(own[name]), found["mean"], rel_tol=1e-12):
                raise RuntimeError(f"{rule}: the mean of {name} differs from that of summary.json")
        penalty = own["penalty"].to_numpy()
        lazily = pl.scan_parquet(path).filter(pl.col("policy") == rule).sort("day").select("penalty").collect()
        asked = f"SELECT penalty FROM '{path}' WHERE policy = '{rule}' ORDER BY day"
        for other in (lazily["penalty"].to_numpy(), duckdb.sql(asked).fetchnumpy()["penalty"]):
            if np.asarray(other).tobytes() != penalty.tobytes():
                raise RuntimeError(f"{rule}: another reader reads other penalties")


def main(tokens: Sequence[str] | None = None) -> None:
    """Run the command.

    :param tokens: the command line
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], help="%(default)s")
    for days in parser.parse_args(tokens).days:
        with TemporaryDirectory() as place:
            folder = Path(place) / "results"
            row = {"days": days, "rules": len(RULES), **measured(days, folder)}
            check(days, folder)
        append_row("many_days", row)
        print(row, flush=True)


if __name__ == "__main__":
    main()
