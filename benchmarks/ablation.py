"""What each extension of deep Q-learning is worth: CartPole-v1, and Taxi-v4 with the masks that Gymnasium gives it.

Hyperparameters are the same for all variants of an environment: ``plain`` is MaskableDQN without double Q-learning and
prioritized replay, every other variant switches one thing on, and ``all`` all of them. The greedy policy is evaluated
ten times in a training, on 10 episodes; a row has the mean of all evaluations, which is high where learning is fast,
that of the last three, and the last one. Trainings that the table has at this commit are not run again.

    python benchmarks/ablation.py --seeds 5
    python benchmarks/ablation.py --seeds 20 --envs Taxi-v4 --variants plain quantile
    python benchmarks/ablation.py --table

Rows are appended to ``ablation.csv`` beside this file.
"""

import os

# Before numpy is imported: torch is not the only library that would start a thread on every core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import itertools
import time
from collections import defaultdict
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch as th
from record import append_row, commit, read_rows
from sb3_contrib.common.maskable.evaluation import evaluate_policy
from sb3_contrib.common.wrappers import ActionMasker
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

from sb3_ext import ActionMaskInfo, MaskableDQN, MaskableQRDQN

TABLE = "ablation"
EVALUATIONS, EPISODES = 10, 10
#: Environments of a training, of which each step has two updates: a step is acted upon four times less often than
#: it would be with one environment, which saves most of the time that is not spent on learning.
N_ENVS, UPDATES = 8, 2
COMMON = {
    "batch_size": 64, "learning_starts": 400, "gamma": 0.99, "train_freq": 1, "gradient_steps": UPDATES,
    "target_update_interval": 400,
}  # fmt: skip
ENVS: dict[str, dict[str, Any]] = {
    "CartPole-v1": {
        **COMMON, "steps": 10_000, "learning_rate": 2.3e-3, "buffer_size": 10_000, "exploration_fraction": 0.2,
        "exploration_final_eps": 0.04, "policy_kwargs": {"net_arch": [64, 64]},
    },
    # One input for each of 500 states: a table, were it not for the hidden layer.
    "Taxi-v4": {
        **COMMON, "steps": 16_000, "learning_rate": 2e-3, "buffer_size": 16_000, "exploration_fraction": 0.5,
        "exploration_final_eps": 0.05, "policy_kwargs": {"net_arch": [64]},
    },
}  # fmt: skip


class Variant(NamedTuple):
    """What is switched on.

    :param settings: of the algorithm
    :param policy: ``policy_kwargs`` besides those of the environment
    """

    settings: Mapping[str, Any] = MappingProxyType({})
    policy: Mapping[str, Any] = MappingProxyType({})


PLAIN = {"double_q": False, "prioritized_replay": False}
# Noise explores by itself.
NOISY = {"exploration_initial_eps": 0.0, "exploration_final_eps": 0.0}
QUANTILES = {"n_quantiles": 25}
VARIANTS = {
    "plain": Variant(),
    "double": Variant({"double_q": True}),
    "per": Variant({"prioritized_replay": True}),
    "dueling": Variant({}, {"dueling": True}),
    "n_step 3": Variant({"n_steps": 3}),
    "noisy": Variant(NOISY, {"noisy": True}),
    "quantile": Variant({}, QUANTILES),
    "all": Variant(
        {"double_q": True, "prioritized_replay": True, "n_steps": 3, **NOISY},
        {"dueling": True, "noisy": True, **QUANTILES},
    ),
}


class Evaluate(BaseCallback):
    """Evaluates the greedy policy at even distances.

    :param env_id: environment
    :param every: steps between two evaluations
    :param seed: of the evaluation
    """

    def __init__(self, env_id: str, every: int, seed: int) -> None:
        super().__init__()
        self.env = make_envs(env_id, EPISODES)
        self.every, self.seed = every, seed
        self.returns: list[float] = []

    def _on_step(self) -> bool:
        if self.num_timesteps >= self.every * (len(self.returns) + 1):
            self.env.seed(self.seed)
            mean, _ = evaluate_policy(self.model, self.env, EPISODES, warn=False)  # type: ignore[arg-type]
            self.returns.append(float(mean))
        return True


def masks_of(env: gym.Env[Any, Any]) -> np.ndarray:
    """The environment's own masks; all actions where it has none."""
    inner: Any = env.unwrapped
    if hasattr(inner, "action_mask"):
        return np.asarray(inner.action_mask(inner.s), dtype=bool)
    return np.ones(inner.action_space.n, dtype=bool)


def make_envs(env_id: str, number: int) -> DummyVecEnv:
    """Environments with ``action_masks()``, and with the mask of the last state of a truncated episode."""
    return DummyVecEnv([lambda: Monitor(ActionMaskInfo(ActionMasker(gym.make(env_id), masks_of)))] * number)


def train(env_id: str, variant: Variant, seed: int) -> list[float]:
    """Train, and return the mean returns of the evaluations.

    :param env_id: environment
    :param variant: what is switched on
    :param seed: of the training
    """
    settings = {**ENVS[env_id], **PLAIN, **variant.settings}
    settings["policy_kwargs"] = {**ENVS[env_id]["policy_kwargs"], **variant.policy}
    steps = settings.pop("steps")
    callback = Evaluate(env_id, steps // EVALUATIONS, 10_000 + seed)
    algorithm = MaskableQRDQN if "n_quantiles" in settings["policy_kwargs"] else MaskableDQN
    model = algorithm("MlpPolicy", make_envs(env_id, N_ENVS), seed=seed, device="cpu", **settings)
    model.learn(steps, callback)
    return callback.returns


def print_table() -> None:
    """Means over seeds with their standard errors, as Markdown."""
    groups: dict[tuple[str, str], list[list[float]]] = defaultdict(list)
    for row in read_rows(TABLE):
        groups[row["env"], row["variant"]].append(
            [float(row[name]) for name in ("mean", "last_three", "last", "cpu_s")]
        )
    print("| environment | variant | seeds | all evaluations | last three | last | CPU s |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for (env, variant), rows in groups.items():
        *measured, cpu_s = np.array(rows).T
        cells = [f"{own.mean():.1f} ± {own.std(ddof=1) / len(own) ** 0.5:.1f}" for own in measured if len(own) > 1]
        print(f"| {env} | {variant} | {len(rows)} | {' | '.join(cells)} | {cpu_s.mean():.0f} |")


def main() -> None:
    """Run the trainings that are missing, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, help="trainings of each variant")
    parser.add_argument("--envs", nargs="+", default=list(ENVS), choices=list(ENVS))
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--table", action="store_true", help="print the table of all rows instead")
    args = parser.parse_args()
    if args.table:
        print_table()
        return
    th.set_num_threads(1)
    known = {(row["env"], row["variant"], row["seed"]) for row in read_rows(TABLE) if row["commit"] == commit()}
    # Seed by seed, so that a run that is stopped has as many seeds of each variant.
    for seed, env_id, variant in itertools.product(range(args.seeds), args.envs, args.variants):
        if (env_id, variant, str(seed)) in known:
            continue
        begun = time.process_time()
        returns = train(env_id, VARIANTS[variant], seed)
        row = {
            "env": env_id, "variant": variant, "seed": seed, "mean": float(np.mean(returns)),
            "last_three": float(np.mean(returns[-3:])), "last": returns[-1], "cpu_s": time.process_time() - begun,
            "returns": " ".join(f"{value:.0f}" for value in returns),
        }  # fmt: skip
        append_row(TABLE, row)
        print(row, flush=True)


if __name__ == "__main__":
    main()
