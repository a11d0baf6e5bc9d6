"""How fast a day is, on one core: both engines under policy 2, single environments, the vector environment.

python benchmarks/simulation_speed.py
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import gymnasium as gym
import numpy as np
from record import append_row

import echo_env  # noqa: F401
from echo_env.lab import LabConfig, make_policy, sample_days, simulate
from echo_env.lab.compiled import batch
from echo_env.lab.policies import policy_2


def days_a_second(preset: str, days: int) -> float:
    """Days simulated in a CPU second under policy 2, drawing them included."""
    config = LabConfig.load(preset)
    policy = make_policy("policy_2", config)
    begin = time.process_time()
    for day in sample_days(config, days, seed=1):
        simulate(config, day, policy)
    return days / (time.process_time() - begin)


def steps_a_second(clock: str, idling: bool, days: int) -> tuple[float, float]:
    """Steps of the scarce env in a CPU second, with masks and observations, and days; random actions."""
    env = gym.make("EchoLabScarce-v0", clock=clock, idling=idling).unwrapped
    rng = np.random.default_rng(0)
    steps = 0
    begin = time.process_time()
    for seed in range(days):
        _, info = env.reset(seed=seed)
        over = False
        while not over:
            _, _, over, _, info = env.step(rng.choice(np.flatnonzero(info["action_mask"])))
            steps += 1
    seconds = time.process_time() - begin
    return steps / seconds, days / seconds


def compiled_days_a_second(preset: str, days: int) -> float:
    """Days simulated in a CPU second by the compiled engine under policy 2, drawing them left out."""
    config = LabConfig.load(preset)
    labs = batch.make_labs(config, days)
    batch.begin_days(config, labs, np.arange(days), sample_days(config, days, seed=1))
    nothing = np.zeros((days, 0, 4), dtype=np.int64)
    tiers = batch.tiers_of(policy_2(config).tiers)
    begin = time.process_time()
    batch.run_days(labs, batch.rules_of(config), tiers, nothing)
    return days / (time.process_time() - begin)


def vector_steps_a_second(clock: str, idling: bool, labs: int, steps: int) -> float:
    """Steps of all labs in a CPU second, with masks, observations, infos and new days; random actions."""
    env = gym.make_vec("EchoLabScarce-v0", num_envs=labs, clock=clock, idling=idling).unwrapped
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    spent = 0.0
    for _ in range(steps):
        # Choosing is no part of what is measured.
        actions = (env.action_masks() * rng.random((labs, 729), dtype=np.float32)).argmax(axis=1)
        begin = time.process_time()
        env.step(actions)
        spent += time.process_time() - begin
    return labs * steps / spent


def median(measure: Callable[[], float], repeats: int) -> float:
    """Median of several measurements: these machines are noisy."""
    return float(np.median([measure() for _ in range(repeats)]))


def main() -> None:
    """Measure, print, and add a row to simulation_speed.csv."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    row: dict[str, float] = {}
    for preset in ("baseline", "scarce"):
        row[f"simpy_days_per_s_{preset}"] = median(lambda p=preset: days_a_second(p, arguments.days), arguments.repeats)
        fast = [compiled_days_a_second(preset, 10 * arguments.days) for _ in range(arguments.repeats + 1)]
        # The first one compiles, or loads what was compiled before.
        row[f"compiled_days_per_s_{preset}"] = float(np.median(fast[1:]))
        row[f"ratio_{preset}"] = row[f"compiled_days_per_s_{preset}"] / row[f"simpy_days_per_s_{preset}"]
    for clock in ("minute", "event"):
        for idling in (True, False):
            name = f"{clock}_{'idling' if idling else 'non_idling'}"
            rates = [steps_a_second(clock, idling, arguments.days // 10) for _ in range(arguments.repeats)]
            row[f"env_steps_per_s_{name}"], row[f"env_days_per_s_{name}"] = np.median(rates, axis=0).tolist()
            name = f"vector_{name}"
            fast = [vector_steps_a_second(clock, idling, 256, 700) for _ in range(arguments.repeats)]
            row[f"{name}_steps_per_s_256_labs"] = float(np.median(fast))
    for name, value in row.items():
        print(f"{name:<40}{value:>10.0f}")
    append_row("simulation_speed", row)


if __name__ == "__main__":
    main()
