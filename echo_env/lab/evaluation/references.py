"""Rewards of a rule on the days that environments play after a seeded reset: the reference in training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from echo_env.lab.config.lab import Lab
from echo_env.lab.day import draw_days
from echo_env.lab.evaluation.comparison import choose_engine
from echo_env.lab.policies.base import make_policy
from echo_env.lab.simulation.metrics import metrics_table
from echo_env.lab.simulation.simulator import simulate


def rule_rewards(config: Lab, name: str, seeds: Sequence[int], episodes: Sequence[int]) -> np.ndarray:
    """Minus the penalty of a rule on the days that environments play after a reset with a seed.

    :param config: the lab
    :param name: name of the rule
    :param seeds: seed of each environment
    :param episodes: number of days of each environment
    :return: (days,) float64, by environment and then by day
    """
    policy, rngs = make_policy(name, config), [np.random.default_rng(seed) for seed in seeds]
    days = draw_days(config, [rng for rng, count in zip(rngs, episodes, strict=True) for _ in range(count)])
    if choose_engine(policy, "auto") == "simpy":
        return np.array([-simulate(config, day, policy).penalty.total for day in days])
    from echo_env.lab.evaluation.engines import play_days

    return -metrics_table(config, play_days(config, policy, days))["penalty"]
