"""How fast patient pathways are, on one core: 20 patients, 30 steps, 4 conditions.

python benchmarks/pathways_speed.py
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from record import append_row

from echo_env.pathways import PathwaysConfig, make_policy, sample_draw, simulate, trial_luck
from echo_env.pathways.compiled.kernel import REGRET
from echo_env.pathways.compiled.learning import learn_prospects
from echo_env.pathways.compiled.mdp import solve
from echo_env.pathways.evaluation.engines import play_trials


def milliseconds(work: Callable[[], object], repeats: int) -> float:
    """Median CPU time of a call; the first one, which compiles, is left out."""
    work()
    spent = []
    for _ in range(repeats):
        begin = time.process_time()
        work()
        spent.append(time.process_time() - begin)
    return 1e3 * float(np.median(spent))


def measure(resources: int, episodes: int, repeats: int) -> dict[str, float]:
    """Times of one instance, in milliseconds."""
    config = PathwaysConfig.load("baseline").replace(resources=resources, conditions=(4, 4))
    instance = sample_draw(config, 1, 0)
    lucks = [trial_luck(instance, trial) for trial in range(episodes)]
    row = {"draw_ms": milliseconds(lambda: sample_draw(config, 1, 0).model, repeats)}
    for name in ("auction", "fcfs_request"):
        policy = make_policy(name, config)
        row[f"{name}_episode_ms"] = milliseconds(lambda p=policy: play_trials(instance, lucks, p), repeats) / episodes
    auction = make_policy("auction", config)
    row["reference_episode_ms"] = milliseconds(lambda: simulate(instance, lucks[0], auction), repeats)
    chances = learn_prospects(instance, REGRET).chances
    row["solve_4_conditions_ms"] = milliseconds(lambda: solve(instance.model, chances, config.horizon), repeats)
    row["learn_chances_ms"] = milliseconds(lambda: learn_prospects(instance, REGRET), repeats)
    return row


def main() -> None:
    """Measure, print, and add a row to pathways_speed.csv for each number of resources."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resources", type=int, nargs="+", default=[4, 10])
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=15)
    arguments = parser.parse_args()
    for resources in arguments.resources:
        row = measure(resources, arguments.episodes, arguments.repeats)
        for name, value in row.items():
            print(f"{resources:>3} resources  {name:<26}{value:>10.3f}")
        append_row("pathways_speed", {"resources": resources, **row})


if __name__ == "__main__":
    main()
