"""How steady deep Q-learning is on CartPole-v1 and others, by what is switched on: SB3's DQN beside MaskableDQN.

Hyperparameters are rl-zoo's for SB3's DQN, the same for all. The greedy policy is evaluated on 10 episodes every tenth
of the training; a row has the mean of the last three evaluations, the last one, and the best one. Trainings that the
table has at this commit are not run again.

    python benchmarks/stability.py --seeds 20
    python benchmarks/stability.py --seeds 20 --envs CartPole-v1 --variants sb3_dqn default
    python benchmarks/stability.py --table

Rows are appended to ``stability.csv`` beside this file.
"""

import os

# Before numpy is imported: torch is not the only library that would start a thread on every core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import csv
import itertools
import time
from collections import defaultdict
from typing import Any

import gymnasium as gym
import numpy as np
import torch as th
from record import FOLDER, append_row, commit
from sb3_contrib.common.wrappers import ActionMasker
from stable_baselines3 import DQN
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.evaluation import evaluate_policy

from sb3_ext import MaskableDQN

TABLE = "stability"
EVALUATIONS, EPISODES = 10, 10
ENVS: dict[str, dict[str, Any]] = {
    "CartPole-v1": {
        "steps": 50_000, "learning_rate": 2.3e-3, "batch_size": 64, "buffer_size": 100_000, "learning_starts": 1000,
        "gamma": 0.99, "target_update_interval": 10, "train_freq": 256, "gradient_steps": 128,
        "exploration_fraction": 0.16, "exploration_final_eps": 0.04, "policy_kwargs": {"net_arch": [256, 256]},
    },
    "LunarLander-v3": {
        "steps": 100_000, "learning_rate": 6.3e-4, "batch_size": 128, "buffer_size": 50_000, "learning_starts": 0,
        "gamma": 0.99, "target_update_interval": 250, "train_freq": 4, "gradient_steps": -1,
        "exploration_fraction": 0.12, "exploration_final_eps": 0.1, "policy_kwargs": {"net_arch": [256, 256]},
    },
}  # fmt: skip
"""Environment -> rl-zoo's hyperparameters for DQN."""
NO_LIMITS = {"min_priority": 1e-8, "max_priority": 1e8}
VARIANTS: dict[str, dict[str, Any]] = {
    "sb3_dqn": {},
    "plain": {"double_q": False, "prioritized_replay": False},
    "double": {"double_q": True, "prioritized_replay": False},
    "per": {"double_q": False, "prioritized_replay": True},
    "default": {},
    "no_limits": {"replay_buffer_kwargs": NO_LIMITS},
    "beta_1": {"replay_buffer_kwargs": {"beta": 1.0}},
    "beta_stays": {"replay_buffer_kwargs": {"beta_increment": 0.0}},
    "no_limits_beta_1": {"replay_buffer_kwargs": {**NO_LIMITS, "beta": 1.0}},
    "alpha_0.3": {"replay_buffer_kwargs": {"alpha": 0.3}},
    "weights_not_normalized": {"replay_buffer_kwargs": {"normalize_weights": False}},
    "low_first_priority": {"replay_buffer_kwargs": {"max_priority": 1.0}},
}
"""What is switched on; ``default`` is MaskableDQN as it is: double Q-learning and prioritized replay."""


class Evaluate(BaseCallback):
    """Evaluates the greedy policy at even distances.

    :param env_id: environment
    :param every: steps between two evaluations
    :param seed: of the evaluation
    """

    def __init__(self, env_id: str, every: int, seed: int) -> None:
        super().__init__()
        self.env, self.every, self.seed = gym.make(env_id), every, seed
        self.returns: list[float] = []

    def _on_step(self) -> bool:
        if self.num_timesteps >= self.every * (len(self.returns) + 1):
            self.env.reset(seed=self.seed)
            mean, _ = evaluate_policy(self.model, self.env, EPISODES, deterministic=True, warn=False)
            self.returns.append(float(mean))
        return True


def every_action(env: gym.Env[Any, Any]) -> np.ndarray:
    """All actions are feasible."""
    return np.ones(env.action_space.n, dtype=bool)  # type: ignore[attr-defined]


def train(env_id: str, variant: str, seed: int) -> list[float]:
    """Train, and return the mean returns of the evaluations.

    :param env_id: environment
    :param variant: what is switched on
    :param seed: of the training
    """
    settings = dict(ENVS[env_id])
    steps = settings.pop("steps")
    env: gym.Env[Any, Any] = gym.make(env_id)
    callback = Evaluate(env_id, steps // EVALUATIONS, 10_000 + seed)
    if variant == "sb3_dqn":
        model: DQN = DQN("MlpPolicy", env, seed=seed, device="cpu", **settings)
    else:
        masked = ActionMasker(env, every_action)
        model = MaskableDQN("MlpPolicy", masked, seed=seed, device="cpu", **settings, **VARIANTS[variant])
    model.learn(steps, callback)
    return callback.returns


def done() -> set[tuple[str, str, str]]:
    """(environment, variant, seed) of the rows of this commit."""
    path = FOLDER / f"{TABLE}.csv"
    if not path.exists():
        return set()
    with path.open(encoding="utf8") as file:
        return {(row["env"], row["variant"], row["seed"]) for row in csv.DictReader(file) if row["commit"] == commit()}


def print_table() -> None:
    """Mean over seeds with its standard error, and how many seeds end well."""
    groups: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    with (FOLDER / f"{TABLE}.csv").open(encoding="utf8") as file:
        for row in csv.DictReader(file):
            groups[row["env"], row["variant"]].append((float(row["last_three"]), float(row["last"])))
    print("| environment | variant | seeds | last three | last | lowest quarter of last three |")
    print("| --- | --- | --- | --- | --- | --- |")
    for (env, variant), rows in groups.items():
        three, last = np.array(rows).T
        errors = [1.96 * own.std(ddof=1) / len(own) ** 0.5 if len(own) > 1 else float("nan") for own in (three, last)]
        print(f"| {env} | {variant} | {len(rows)} | {three.mean():.0f} ± {errors[0]:.0f} | "
              f"{last.mean():.0f} ± {errors[1]:.0f} | {np.quantile(three, 0.25):.0f} |")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20, help="trainings of each variant")
    parser.add_argument("--envs", nargs="+", default=["CartPole-v1"], choices=list(ENVS))
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--table", action="store_true", help="print the table of all rows instead")
    args = parser.parse_args()
    if args.table:
        print_table()
        return
    th.set_num_threads(1)
    known = done()
    # Seed by seed, so that a training that is stopped has as many seeds of each variant.
    for seed, env_id, variant in itertools.product(range(args.seeds), args.envs, args.variants):
        if (env_id, variant, str(seed)) in known:
            continue
        begun = time.process_time()
        returns = train(env_id, variant, seed)
        row = {
            "env": env_id, "variant": variant, "seed": seed, "last_three": float(np.mean(returns[-3:])),
            "last": returns[-1], "best": max(returns), "cpu_s": time.process_time() - begun,
            "returns": " ".join(f"{value:.0f}" for value in returns),
        }  # fmt: skip
        append_row(TABLE, row)
        print(row, flush=True)


if __name__ == "__main__":
    main()
