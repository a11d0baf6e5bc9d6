"""Speed of prioritized replay: a draw and the update of its priorities, against SB3's uniform draw alone.

Capacity 100,000, full, 13 float32 inputs, 729 actions. All buffers take turns of a fraction of a second in one
run, and what counts are the ratios within a turn, since the speed of a shared machine varies over minutes.
cpprb's and tianshou's prioritized buffers take part if they are installed. They store no masks, as SB3's does not,
and give numpy arrays, where SB3's and "ours" make tensors; "numpy arrays" is what MaskableDQN takes.
Seconds are CPU seconds of this one-threaded process.

    python benchmarks/replay_speed.py --turns 15

Rows are appended to ``replay_speed.csv`` beside this file.
"""

import os

# Before numpy is imported: torch is not the only library that would start a thread on every core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import gymnasium as gym
import numpy as np
import torch as th
from record import append_row
from stable_baselines3.common.buffers import ReplayBuffer

from sb3_ext import PrioritizedReplayBuffer

CAPACITY, N_INPUTS, N_ACTIONS = 100_000, 13, 729
SPACES = gym.spaces.Box(0.0, 1.0, (N_INPUTS,), np.float32), gym.spaces.Discrete(N_ACTIONS)
Calls = dict[str, Callable[[], object]]


def filled(buffer: ReplayBuffer) -> Any:
    rng = np.random.default_rng(0)
    observation = rng.random((1, N_INPUTS), dtype=np.float32)
    infos = [{"action_mask": rng.random(N_ACTIONS) < 1 / 6}]
    for _ in range(buffer.buffer_size):
        buffer.add(observation, observation, np.zeros(1, int), np.ones(1), np.zeros(1), infos)
    return buffer


def errors_of(batch_size: int) -> Callable[[], np.ndarray]:
    """TD errors that differ from call to call."""
    table = np.abs(np.random.default_rng(0).standard_normal((64, batch_size))).astype(np.float32)
    turn = iter(range(10**12))
    return lambda: table[next(turn) % len(table)]


def own(batch_size: int) -> Calls:
    uniform = filled(ReplayBuffer(CAPACITY, *SPACES, device="cpu"))
    compiled, plain = (
        filled(PrioritizedReplayBuffer(CAPACITY, *SPACES, device="cpu", seed=0, compiled=compiled))
        for compiled in (True, False)
    )
    errors = errors_of(batch_size)
    return {
        "SB3, uniform, sample only": lambda: uniform.sample(batch_size),
        "ours": lambda: compiled.update_priorities(compiled.sample(batch_size).rows, errors()),
        "ours, numpy arrays": lambda: compiled.update_priorities(compiled.draw(batch_size).rows, errors()),
        "ours without Numba": lambda: plain.update_priorities(plain.sample(batch_size).rows, errors()),
    }


def with_cpprb(batch_size: int) -> Calls:
    from cpprb import PrioritizedReplayBuffer as Theirs

    shapes = {"obs": {"shape": N_INPUTS}, "next_obs": {"shape": N_INPUTS}, "act": {"dtype": np.int64}}
    buffer = Theirs(CAPACITY, {**shapes, "rew": {}, "done": {}}, alpha=0.6)
    ones = np.ones(CAPACITY, dtype=np.float32)
    inputs = np.ones((CAPACITY, N_INPUTS), dtype=np.float32)
    buffer.add(obs=inputs, next_obs=inputs, act=ones, rew=ones, done=ones)
    errors = errors_of(batch_size)

    def call() -> None:
        buffer.update_priorities(buffer.sample(batch_size, beta=0.4)["indexes"], errors())

    return {"cpprb": call}


def with_tianshou(batch_size: int) -> Calls:
    from tianshou.data import Batch
    from tianshou.data import PrioritizedReplayBuffer as Theirs

    buffer = Theirs(CAPACITY, alpha=0.6, beta=0.4)
    inputs = np.ones(N_INPUTS, dtype=np.float32)
    row = {"obs": inputs, "act": 0, "rew": 1.0, "terminated": False, "truncated": False, "obs_next": inputs}
    for _ in range(CAPACITY):
        buffer.add(Batch(**row, info={}))
    errors = errors_of(batch_size)

    def call() -> None:
        buffer.update_weight(buffer.sample(batch_size)[1], errors())

    return {"tianshou": call}


def seconds_per_call(call: Callable[[], object], seconds: float) -> float:
    n_calls, begin = 0, time.process_time()
    while time.process_time() - begin < seconds:
        for _ in range(50):
            call()
        n_calls += 50
    return (time.process_time() - begin) / n_calls


def time_batches(batch_size: int, turns: int, seconds: float) -> list[tuple[str, float]]:
    """Calls a second of each buffer, and the median ratio to SB3's within a turn."""
    calls = own(batch_size)
    for module, make in (("cpprb", with_cpprb), ("tianshou", with_tianshou)):
        if find_spec(module) is None:
            print(f"{module} is not installed")
        else:
            calls |= make(batch_size)
    timed: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(turns + 1):
        for name, call in calls.items():
            took = seconds_per_call(call, seconds)
            if turn > 0:  # The first is for compiling, and for memory to be touched.
                timed[name].append(took)
    reference, rows = timed["SB3, uniform, sample only"], []
    for name, took in timed.items():
        ratio = statistics.median(a / b for a, b in zip(reference, took, strict=True))
        rows += [
            (f"batch {batch_size}: {name}, calls/s", 1.0 / statistics.median(took)),
            (f"batch {batch_size}: {name}, ratio to SB3", ratio),
        ]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=15, help="turns of all buffers")
    parser.add_argument("--seconds", type=float, default=0.3, help="CPU seconds of each in a turn")
    parser.add_argument("--no-csv", action="store_true", help="print only")
    args = parser.parse_args()
    th.set_num_threads(1)
    for batch_size in (32, 256):
        for quantity, value in time_batches(batch_size, args.turns, args.seconds):
            print(f"{quantity}: {value:.4g}")
            if not args.no_csv:
                append_row("replay_speed", {"quantity": quantity, "value": value})


if __name__ == "__main__":
    main()
