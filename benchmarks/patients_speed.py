"""What a day costs by the number of its patients, on the compiled engine, with rooms and staff scaled alike.

python benchmarks/patients_speed.py

A lab of the paper's baseline, every appointment, room and sonographer 1, 10 and 100 times. Times are processor time per
patient, in microseconds, the best of several passes: a cost that grows linearly gives a constant. Rows are appended to
patients_speed.csv.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from record import append_row

from echo_env.lab import LabConfig, make_policy, sample_days
from echo_env.lab.compiled import batch
from echo_env.lab.simulation.penalty import UNITS
from echo_env.lab.simulation.policy import TieredPolicy


def scaled(times: int) -> LabConfig:
    """The baseline lab, so many times as large."""
    base = LabConfig.load("baseline")
    book, rooms, staff = base.appointments, base.rooms, base.sonographers
    return base.replace(
        appointments__fetal=book.fetal * times,
        appointments__non_fetal=book.non_fetal * times,
        rooms__fetal=rooms.fetal * times,
        rooms__non_fetal=rooms.non_fetal * times,
        sonographers__fetal=staff.fetal * times,
        sonographers__non_fetal=staff.non_fetal * times,
    )


def best(function: Callable[[], object], repeats: int) -> float:
    """Processor seconds of the fastest of several calls."""
    seconds = []
    for _ in range(repeats):
        begin = time.process_time()
        function()
        seconds.append(time.process_time() - begin)
    return min(seconds)


def measure(times: int, patients: int, repeats: int) -> dict[str, float]:
    """Microseconds per patient of drawing days, of putting them into labs, and of playing them under policy 2.

    :param times: how many times as large the lab is
    :param patients: how many patients to measure, in days of this lab
    :param repeats: passes
    """
    config = scaled(times)
    a_day = len(config.appointments)
    count = max(patients // a_day, 2)
    rule = make_policy("policy_2", config)
    assert isinstance(rule, TieredPolicy)
    days, labs, rules = sample_days(config, count, 1), batch.make_labs(config, count), batch.rules_of(config)
    tiers, nothing = batch.tiers_of(rule.tiers), np.zeros((count, 0, UNITS), dtype=np.int64)
    every = np.arange(count)

    def begun_and_played() -> None:
        batch.begin_days(config, labs, every, days)
        batch.run_days(labs, rules, tiers, nothing)

    begun_and_played()
    begin = best(lambda: batch.begin_days(config, labs, every, days), repeats)
    both = best(begun_and_played, repeats)
    draw = best(lambda: sample_days(config, count, 1), repeats)
    micro = 1e6 / (count * a_day)
    return {
        "patients_a_day": a_day,
        "draw_us": draw * micro,
        "begin_us": begin * micro,
        "play_us": (both - begin) * micro,
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=60_000, help="how many patients to measure at each size")
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    for times in (1, 10, 100):
        row = measure(times, arguments.patients, arguments.repeats)
        print(", ".join(f"{name} {value:.3g}" for name, value in row.items()))
        append_row("patients_speed", row)


if __name__ == "__main__":
    main()
