"""Warm-up before learning starts: actions of a rule, or random ones."""

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv

from sb3_ext.common.actions import ActionParts
from sb3_ext.common.masks import random_actions
from sb3_ext.common.rule_actions import check_rules_supported, rule_actions


class WarmUp:
    """
    Chooses the actions of the steps that only fill the replay buffer.

    :param rule: Name of the rule to demonstrate, as the environment knows it; ``None`` for random actions
    :param noise: Probability of a random feasible action in place of the rule's
    """

    def __init__(self, rule: str | None, noise: float) -> None:
        if not 0.0 <= noise <= 1.0:
            raise ValueError(f"demonstration_noise must be in [0, 1], not {noise}.")
        self.rule = rule
        self.noise = noise

    def check(self, env: VecEnv) -> None:
        """
        Raise an error if the environment has no rules, or actions that are not ``Discrete``.

        :param env: the vectorized environment
        """
        if self.rule is not None:
            if not isinstance(env.action_space, spaces.Discrete):
                raise ValueError(f"demonstrator must be None where actions are not Discrete, not {self.rule!r}.")
            check_rules_supported(env, f"MaskableDQN with demonstrator={self.rule!r}")

    def choose(self, env: VecEnv, masks: np.ndarray, rng: np.random.Generator, parts: ActionParts) -> np.ndarray:
        """
        The actions of one step; each environment has its own coin.

        :param env: the vectorized environment
        :param masks: (n_envs, n_actions) bool, every row with a True
        :param rng: source of coins and random actions
        :param parts: what actions are made of
        :return: (n_envs,) or (n_envs, n_parts) int64, from 0
        """
        if self.rule is None:
            return parts.random(masks, rng)
        actions = rule_actions(env, self.rule, masks, int(env.action_space.start))  # type: ignore[attr-defined]
        deviate = rng.random(len(masks)) < self.noise
        if deviate.any():
            actions[deviate] = random_actions(masks[deviate], rng)
        return actions
