"""What the auction earns in the episodes that environments play after a reset with a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.utils.seeding import np_random

from echo_env.pathways.envs.env import load_config
from echo_env.pathways.evaluation.engines import play_trials

AUCTION = "auction"
"""The paper's method."""


def auction_utilities(env_kwargs: Mapping[str, Any], seeds: Sequence[int], episodes: Sequence[int]) -> np.ndarray:
    """Utility of the auction in the episodes that environments of patient pathways play after a reset with a seed.

    :param env_kwargs: Their arguments
    :param seeds: Seed of each environment
    :param episodes: Number of episodes of each environment
    :return: (episodes,) float64, by environment and then by episode
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
