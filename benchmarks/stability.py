"""How steady deep Q-learning is on CartPole-v1 and others, by what is switched on: SB3's DQN beside MaskableDQN.

Hyperparameters are rl-zoo's for SB3's DQN, the same for all. In the second half of a training the greedy policy is
evaluated 25 times on the same 10 episodes. A row has the mean of these evaluations, of the three at 80, 90 and 100 % of
the training, the last one, and all of them. Trainings that the table has are not run again.

    python benchmarks/stability.py --seeds 20
    python benchmarks/stability.py --seeds 20 --envs CartPole-v1 --variants sb3_dqn double_per
    python benchmarks/stability.py --table

The variants ``tianshou*`` need tianshou (measured with 2.0.1), LunarLander-v3 needs Box2D and pygame. Rows are appended
to ``stability.csv`` beside this file.
"""

import os

# Before numpy is imported: torch is not the only library that would start a thread on every core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import importlib.util
import itertools
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch as th
from sb3_contrib.common.wrappers import ActionMasker
from stable_baselines3 import DQN

from sb3_ext import MaskableDQN
from sb3_ext.replay import LOSS_ADJUSTED

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.record import append_row, read_rows
from benchmarks.stability_evaluation import Episodes, Evaluate

TABLE = "stability"
EVALUATIONS, EPISODES = 25, 10
MASKED = "masked"
COLUMNS = ("environment", "variant", "seeds", "second half", "lower quartile", "minus SB3's DQN, by seed", "last three",
           "last", "CPU s")  # fmt: skip
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
    # Not in rl-zoo: SB3's own settings but for what a training this short needs.
    "Taxi-v4": {
        "steps": 50_000, "learning_rate": 1e-3, "batch_size": 64, "buffer_size": 50_000, "learning_starts": 1000,
        "gamma": 0.99, "target_update_interval": 500, "train_freq": 4, "gradient_steps": 1,
        "exploration_fraction": 0.2, "exploration_final_eps": 0.05, "policy_kwargs": {"net_arch": [64, 64]},
    },
}  # fmt: skip
"""Environment -> rl-zoo's hyperparameters for DQN."""


def per(double_q: bool = True, **buffer: Any) -> dict[str, Any]:
    """Settings of MaskableDQN with prioritized replay, and of its replay buffer."""
    return {"double_q": double_q, "prioritized_replay": True, "replay_buffer_kwargs": buffer}


NO_LIMITS = {"min_priority": 1e-8, "max_priority": 1e8}
VARIANTS: dict[str, dict[str, Any]] = {
    "sb3_dqn": {},
    "plain": {"double_q": False, "prioritized_replay": False},
    "double": {"double_q": True, "prioritized_replay": False},
    "per": per(double_q=False),
    "double_per": per(),
    MASKED: {"double_q": False, "prioritized_replay": False},
    "masked_double_per": per(),
    "tianshou": {},
    "no_limits": per(**NO_LIMITS),
    "beta_1": per(beta=1.0),
    "beta_0.4": per(beta_increment=0.0),
    "no_limits_beta_1": per(**NO_LIMITS, beta=1.0),
    "alpha_0.3": per(alpha=0.3),
    "weights_not_normalized": per(normalize_weights=False),
    "low_first_priority": per(max_priority=1.0),
    "loss_adjusted": per(**LOSS_ADJUSTED),
    "loss_adjusted_single": per(double_q=False, **LOSS_ADJUSTED),
}
"""What is switched on in MaskableDQN; ``tianshou`` is an independent double DQN with prioritized replay."""


def make_env(env_id: str, masked: bool) -> gym.Env[Any, Any]:
    """An environment for trainings.

    :param env_id: environment
    :param masked: whether it has ``action_masks()``, from the ``action_mask`` that Gymnasium's own environments have
    """
    env: gym.Env[Any, Any] = gym.make(env_id, disable_env_checker=True)
    return ActionMasker(env, lambda own: own.unwrapped.action_mask(own.unwrapped.s).astype(bool)) if masked else env


def train(env_id: str, variant: str, seed: int, steps: int | None = None) -> list[float]:
    """Train, and return the mean returns of the evaluations.

    :param env_id: environment
    :param variant: what is switched on
    :param seed: of the training
    :param steps: how many, if not as many as rl-zoo's
    """
    settings = dict(ENVS[env_id])
    planned = settings.pop("steps")
    steps = steps or planned
    masked = variant.startswith(MASKED)
    every = steps // (2 * EVALUATIONS)
    episodes = Episodes(env_id, EPISODES, 10_000 + 100 * seed)
    if variant == "tianshou":
        from benchmarks.stability_tianshou import train_tianshou

        return train_tianshou(make_env(env_id, False), settings, steps, seed, episodes, every)
    evaluate = Evaluate(episodes, steps, every, EVALUATIONS, masked)
    common = {"policy": "MlpPolicy", "env": make_env(env_id, masked), "seed": seed, "device": "cpu", **settings}
    if variant == "sb3_dqn":
        DQN(**common).learn(steps, evaluate)
    else:
        MaskableDQN(**common, **VARIANTS[variant]).learn(steps, evaluate, use_masking=masked)
    return evaluate.returns


def mean_and_error(values: np.ndarray) -> str:
    """Mean (n,) and half of its 95 % interval."""
    error = 1.96 * values.std(ddof=1) / len(values) ** 0.5 if len(values) > 1 else float("nan")
    return f"{values.mean():.0f} ± {error:.0f}"


def print_table() -> None:
    """Means over seeds with their 95 % intervals, and the lower quartile; differences to SB3's DQN by seed."""
    groups: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(dict)
    for row in read_rows(TABLE):
        measures = [float(row[name]) for name in ("second_half", "last_three", "last", "cpu_s")]
        groups[row["env"], row["variant"]][row["seed"]] = measures
    print(f"| {' | '.join(COLUMNS)} |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for (env, variant), seeds in groups.items():
        half, three, last, cpu = np.array(list(seeds.values())).T
        reference = groups.get((env, "sb3_dqn"), {})
        differences = np.array([own[0] - reference[seed][0] for seed, own in seeds.items() if seed in reference])
        against = "" if variant == "sb3_dqn" or not len(differences) else mean_and_error(differences)
        cells = [env, variant, str(len(seeds)), mean_and_error(half), f"{np.quantile(half, 0.25):.0f}", against,
                 mean_and_error(three), mean_and_error(last), f"{cpu.mean():.0f}"]  # fmt: skip
        print("| " + " | ".join(cells) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20, help="trainings of each variant")
    parser.add_argument("--first-seed", type=int, default=0, help="seed of the first training")
    parser.add_argument("--envs", nargs="+", default=["CartPole-v1"], choices=list(ENVS))
    parser.add_argument("--variants", nargs="+", default=["sb3_dqn", "plain", "double", "per", "double_per"],
                        choices=list(VARIANTS))  # fmt: skip
    parser.add_argument("--table", action="store_true", help="print the table of all rows instead")
    args = parser.parse_args()
    if args.table:
        print_table()
        return
    th.set_num_threads(1)
    variants = [name for name in args.variants if name != "tianshou" or importlib.util.find_spec("tianshou")]
    if len(variants) < len(args.variants):
        print("tianshou is left out, since it is not installed.")
    # Seed by seed, so that a training that is stopped has as many seeds of each variant.
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    for seed, env_id, variant in itertools.product(seeds, args.envs, variants):
        if any((row["env"], row["variant"], row["seed"]) == (env_id, variant, str(seed)) for row in read_rows(TABLE)):
            continue
        begun = time.process_time()
        returns = train(env_id, variant, seed)
        row = {
            "env": env_id, "variant": variant, "seed": seed, "second_half": float(np.mean(returns)),
            "last_three": float(np.mean(returns[-1:-12:-5])), "last": returns[-1],
            "cpu_s": time.process_time() - begun, "returns": " ".join(f"{value:.0f}" for value in returns),
        }  # fmt: skip
        append_row(TABLE, row)
        print(row, flush=True)


if __name__ == "__main__":
    main()
