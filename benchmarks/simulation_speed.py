"""How fast a day is, on one core: drawing days, both engines under policy 2, single environments, the vector one.

python benchmarks/simulation_speed.py
python benchmarks/simulation_speed.py --against ../older_checkout

Figures are the best of several measurements: whatever else the machine does makes them smaller only. With ``--against``
another checkout is measured in the same run, in turn with this one, and gets a row of its own.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from record import append_row

import echo_env  # noqa: F401
from echo_env.lab import LabConfig, make_policy, sample_days, simulate
from echo_env.lab.compiled import batch
from echo_env.lab.envs.env import EchoLabEnv
from echo_env.lab.policies import policy_2

LABS = 256


def drawn_a_second(preset: str, days: int) -> float:
    """Days drawn in a CPU second, many at once."""
    config = LabConfig.load(preset)
    begin = time.process_time()
    sample_days(config, days, seed=1)
    return days / (time.process_time() - begin)


def days_a_second(preset: str, days: int) -> float:
    """Days simulated in a CPU second under policy 2, drawing them included."""
    config = LabConfig.load(preset)
    policy = make_policy("policy_2", config)
    begin = time.process_time()
    for day in sample_days(config, days, seed=1):
        simulate(config, day, policy)
    return days / (time.process_time() - begin)


def compiled_days_a_second(preset: str, days: int) -> float:
    """Days simulated in a CPU second by the compiled engine under policy 2, drawing them left out."""
    config = LabConfig.load(preset)
    labs = batch.make_labs(config, days)
    batch.begin_days(config, labs, np.arange(days), sample_days(config, days, seed=1))
    nothing = np.zeros((days, 0, 7), dtype=np.int64)
    tiers = batch.tiers_of(policy_2(config).tiers)
    begin = time.process_time()
    batch.run_days(labs, batch.rules_of(config), tiers, nothing)
    return days / (time.process_time() - begin)


def steps_a_second(clock: str, days: int, **kwargs: Any) -> float:
    """Steps of the scarce env in a CPU second, with masks and observations; random actions."""
    env = gym.make("EchoLabScarce-v0", clock=clock, **kwargs).unwrapped
    rng = np.random.default_rng(0)
    steps = 0
    begin = time.process_time()
    for seed in range(days):
        _, info = env.reset(seed=seed)
        over = False
        while not over:
            _, _, over, _, info = env.step(rng.choice(np.flatnonzero(info["action_mask"])))
            steps += 1
    return steps / (time.process_time() - begin)


def vector_steps_a_second(clock: str, steps: int, **kwargs: Any) -> float:
    """Steps of all labs in a CPU second, with masks, observations, infos and new days; random actions."""
    env: Any = gym.make_vec("EchoLabScarce-v0", num_envs=LABS, clock=clock, **kwargs).unwrapped
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    spent = 0.0
    for _ in range(steps):
        # Choosing is no part of what is measured.
        mask = env.action_masks()
        actions = (mask * rng.random(mask.shape, dtype=np.float32)).argmax(axis=1)
        begin = time.process_time()
        env.step(actions)
        spent += time.process_time() - begin
    return LABS * steps / spent


def measurements(days: int, starts: bool) -> dict[str, Callable[[], float]]:
    """What is measured, by column.

    :param days: how many days
    :param starts: whether environments have the actions ``start``; older ones do not
    """
    found: dict[str, Callable[[], float]] = {}
    for preset in ("baseline", "scarce"):
        found[f"drawn_days_per_s_{preset}"] = lambda p=preset: drawn_a_second(p, 10 * days)
        found[f"simpy_days_per_s_{preset}"] = lambda p=preset: days_a_second(p, days)
        found[f"compiled_days_per_s_{preset}"] = lambda p=preset: compiled_days_a_second(p, 10 * days)
    kinds: list[dict[str, Any]] = [{"idling": True}, {"idling": False}]
    kinds += [{"idling": True, "actions": "start"}] if starts else []
    for clock in ("minute", "event"):
        for kind in kinds:
            name = f"{clock}_{kind.get('actions', 'joint')}_{'idling' if kind['idling'] else 'non_idling'}"
            found[f"env_steps_per_s_{name}"] = lambda c=clock, k=kind: steps_a_second(c, max(days // 10, 1), **k)
            found[f"vector_steps_per_s_{name}_{LABS}_labs"] = lambda c=clock, k=kind: vector_steps_a_second(c, 700, **k)
    return found


def measure(days: int) -> dict[str, float]:
    """Measure everything once; what is compiled has been compiled, or loaded, before."""
    starts = "actions" in inspect.signature(EchoLabEnv).parameters
    row = {}
    for name, own in measurements(days, starts).items():
        if name.startswith(("drawn", "compiled", "vector")):
            own()
        row[name] = own()
    return row


def measured_elsewhere(checkout: Path, days: int) -> dict[str, float]:
    """The same with the package of another checkout."""
    command = [sys.executable, __file__, "--days", str(days), "--print-json"]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(checkout)}, stdout=subprocess.PIPE, check=True)
    row: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return row


def best(rows: list[dict[str, float]]) -> dict[str, float]:
    """The largest figure of each column."""
    return {name: max(row[name] for row in rows) for name in rows[0]}


def main() -> None:
    """Measure, print, and add a row for each checkout to simulation_speed.csv."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--against", type=Path, help="another checkout, measured in turn with this one")
    parser.add_argument("--print-json", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.print_json:
        print(json.dumps(measure(arguments.days)))
        return
    checkouts = [Path(__file__).resolve().parents[1], *filter(None, [arguments.against])]
    found: dict[Path, list[dict[str, float]]] = {checkout: [] for checkout in checkouts}
    for _ in range(arguments.repeats):
        for checkout, rows in found.items():
            rows.append(measured_elsewhere(checkout.resolve(), arguments.days))
    report(found)


def report(found: dict[Path, list[dict[str, float]]]) -> None:
    """Print a column for each checkout, and how this one compares; and add the rows."""
    own, *others = [best(rows) for rows in found.values()]
    for name, value in own.items():
        compared = "".join(f"{other[name]:>12.0f}{value / other[name]:>8.2f}" for other in others if name in other)
        print(f"{name:<55}{value:>12.0f}{compared}")
    for checkout, row in zip(found, (own, *others), strict=True):
        append_row("simulation_speed", {"checkout": commit_of(checkout), **dict.fromkeys(own, ""), **row})


def commit_of(checkout: Path) -> str:
    """The commit of a checkout, and whether files differ from it."""
    command = ["git", "-C", str(checkout), "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
