"""Utility of the auction in the episodes of environments with given seeds: the reference of trained agents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.utils.seeding import np_random

from echo_env.pathways.envs.resets import load_config
from echo_env.pathways.evaluation.engines import play_trials

AUCTION = "auction"
"""The paper's method."""


def auction_utilities(env_kwargs: Mapping[str, Any], seeds: Sequence[int], episodes: Sequence[int]) -> np.ndarray:
    """Utility of the auction in the episodes that environments have after ``reset(seed=...)``.

    :param env_kwargs: arguments of the environments
    :param seeds: seed of each environment
    :param episodes: number of episodes of each environment
    :return: (sum of ``episodes``,) float64, by environment, then by episode
    """
    from echo_env.pathways import make_policy, sample_instance, sample_luck

    sizes = ("patients", "resources", "max_patients")
    config = load_config(env_kwargs.get("config", "baseline"), *(env_kwargs.get(name) for name in sizes))
    policy, utilities = make_policy(AUCTION, config), []
    for seed, count in zip(seeds, episodes, strict=True):
        rng = np_random(seed)[0]
        for _ in range(count):
            instance = sample_instance(config, rng)
            utilities.append(play_trials(instance, [sample_luck(instance, rng)], policy)[0].utility)
    return np.array(utilities)
