"""Speed of MaskableDQN against SB3's DQN, and of both engines of the lab under an algorithm.

Seconds are CPU seconds of this one-threaded process, so that other load on the machine matters less.
Both algorithms run in turns on the same environment with the same network, batch size and update frequency
(96 x 96, batch 32, an update every 4 steps). By default the environment is synthetic: 13 inputs, 729
actions of which about one in six is feasible, and nearly no dynamics, so that the algorithm is what is timed.

    python benchmarks/dqn_speed.py --steps 20000 --repeats 5
    python benchmarks/dqn_speed.py --env EchoLab-v0 --import-module echo_env
    python benchmarks/dqn_speed.py --vector

``--vector`` trains on 256 labs of the vector env and on 8 single ones in a DummyVecEnv, with as many gradient steps
per environment step: MaskableDQN 128 x 128 with prioritized replay, one of batch 256 every 64 steps; MaskablePPO
with the policy that computes feasible actions only, 128 x 128, 4 epochs of batch 1,024 over 2,048 steps.

Rows are appended to ``dqn_speed.csv`` beside this file.
"""

import os

# Before numpy is imported: torch is not the only library that would start a thread on every core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import importlib
import statistics
import time
from typing import Any

import gymnasium as gym
import numpy as np
import torch as th
from record import append_row
from stable_baselines3 import DQN
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

from sb3_ext import MaskableDQN, MaskablePPO
from sb3_ext.common.vec_env import GymnasiumVecEnv

N_INPUTS, N_ACTIONS, EPISODE = 13, 729, 660
SETTINGS: dict[str, Any] = {
    "buffer_size": 100_000,
    "learning_starts": 500,
    "batch_size": 32,
    "train_freq": 4,
    "target_update_interval": EPISODE,
    "policy_kwargs": {"net_arch": [96, 96]},
    "device": "cpu",
    "seed": 0,
}


class SyntheticMaskedEnv(gym.Env[np.ndarray, np.int64]):
    """Random observations and masks out of a table: an environment that takes hardly any time."""

    def __init__(self) -> None:
        self.observation_space = gym.spaces.Box(0.0, 1.0, (N_INPUTS,), np.float32)
        self.action_space = gym.spaces.Discrete(N_ACTIONS)
        rng = np.random.default_rng(0)
        self._observations = rng.random((EPISODE + 1, N_INPUTS), dtype=np.float32)
        self._masks = rng.random((EPISODE + 1, N_ACTIONS)) < 1 / 6
        self._t = 0

    def action_masks(self) -> np.ndarray:
        """(729,) bool."""
        return self._masks[self._t]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode."""
        self._t = 0
        return self._observations[0], {}

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """One step of 660."""
        self._t += 1
        return self._observations[self._t], -float(action) / N_ACTIONS, self._t == EPISODE, False, {}


class NearestOffered(gym.ActionWrapper[np.ndarray, np.int64, np.int64]):
    """Lets an algorithm without masks run on an environment that refuses infeasible actions."""

    def action(self, action: np.int64) -> np.int64:
        """The feasible action with the closest number."""
        feasible = np.flatnonzero(self.get_wrapper_attr("action_masks")())
        return feasible[np.abs(feasible - action).argmin()]


def make_env(env_id: str | None, masked: bool) -> gym.Env[Any, Any]:
    if env_id is None:
        return SyntheticMaskedEnv()
    env = gym.make(env_id)
    return env if masked else NearestOffered(env)


def steps_per_second(algorithm: type[DQN], env_id: str | None, steps: int) -> float:
    model = algorithm("MlpPolicy", make_env(env_id, algorithm is MaskableDQN), **SETTINGS)
    model.learn(SETTINGS["learning_starts"] + 500)  # Warm-up, and the first updates.
    begin = time.process_time()
    model.learn(steps, reset_num_timesteps=False)
    return steps / (time.process_time() - begin)


def make_labs(vector: bool) -> VecEnv:
    settings: dict[str, Any] = {"clock": "event", "idling": False}
    if vector:
        return GymnasiumVecEnv(gym.make_vec("EchoLabScarce-v0", num_envs=256, **settings))
    return DummyVecEnv([lambda: gym.make("EchoLabScarce-v0", **settings)] * 8)


def make_dqn(vector: bool) -> BaseAlgorithm:
    return MaskableDQN(
        "MlpPolicy",
        make_labs(vector),
        batch_size=256,
        learning_starts=1024,
        train_freq=1 if vector else 8,
        gradient_steps=4 if vector else 1,
        target_update_interval=5000,
        elapsed_key="elapsed_min",
        policy_kwargs={"net_arch": [128, 128]},
        device="cpu",
        seed=0,
    )


def make_ppo(vector: bool) -> BaseAlgorithm:
    return MaskablePPO(
        "OfferedMlpPolicy",
        make_labs(vector),
        n_steps=8 if vector else 256,
        batch_size=1024,
        n_epochs=4,
        policy_kwargs={"net_arch": [128, 128]},
        device="cpu",
        seed=0,
    )


def lab_steps_per_second(model: BaseAlgorithm, steps: int) -> float:
    model.learn(2048)  # Warm-up, compilation, and the first updates.
    begin = time.process_time()
    model.learn(steps, reset_num_timesteps=False)
    return steps / (time.process_time() - begin)


def time_vector(steps: int, repeats: int) -> list[tuple[str, float]]:
    """Environment steps a second on either engine, in turns, and the median of the ratios of the turns."""
    importlib.import_module("echo_env")
    rows = []
    for name, make in (("MaskableDQN", make_dqn), ("MaskablePPO", make_ppo)):
        vector, single = [], []
        for turn in range(repeats):
            vector.append(lab_steps_per_second(make(True), steps))
            single.append(lab_steps_per_second(make(False), max(steps // 8, 4096)))
            print(f"turn {turn + 1}: {name}, vector env {vector[-1]:.0f}/s, single envs {single[-1]:.0f}/s")
        rows += [
            (f"{name}: 256 labs of the vector env, steps/s", statistics.median(vector)),
            (f"{name}: 8 single labs, steps/s", statistics.median(single)),
            (f"{name}: ratio", statistics.median(a / b for a, b in zip(vector, single, strict=True))),
        ]
    return rows


def time_learning(env_id: str | None, steps: int, repeats: int) -> list[tuple[str, float]]:
    """Steps a second of both algorithms, in turns, and the median of the ratios of the turns."""
    ours, theirs = [], []
    for turn in range(repeats):
        theirs.append(steps_per_second(DQN, env_id, steps))
        ours.append(steps_per_second(MaskableDQN, env_id, steps))
        print(f"turn {turn + 1}: DQN {theirs[-1]:.0f}/s, MaskableDQN {ours[-1]:.0f}/s")
    name = env_id or "synthetic"
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    return [
        (f"{name}: SB3 DQN steps/s", statistics.median(theirs)),
        (f"{name}: MaskableDQN steps/s", statistics.median(ours)),
        (f"{name}: ratio", ratio),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", help="id of a registered environment with action_masks(); default: synthetic")
    parser.add_argument("--import-module", help="module to import first, which registers the id")
    parser.add_argument("--steps", type=int, default=20_000, help="timed environment steps of each run")
    parser.add_argument("--repeats", type=int, default=3, help="turns of both algorithms")
    parser.add_argument("--vector", action="store_true", help="time the vector env against single ones instead")
    parser.add_argument("--no-csv", action="store_true", help="print only")
    args = parser.parse_args()
    th.set_num_threads(1)
    if args.import_module:
        importlib.import_module(args.import_module)
    rows = time_vector(args.steps, args.repeats) if args.vector else time_learning(args.env, args.steps, args.repeats)
    for quantity, value in rows:
        print(f"{quantity}: {value:.4g}")
    if not args.no_csv:
        for quantity, value in rows:
            append_row("dqn_speed", {"quantity": quantity, "value": value})


if __name__ == "__main__":
    main()
