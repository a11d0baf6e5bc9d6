"""Epsilon-greedy choice among the feasible actions."""

import numpy as np

from sb3_ext.common.actions import ActionParts
from sb3_ext.common.masks import as_masks
from sb3_ext.common.observations import Observations, as_observation, count_of, some_of
from sb3_ext.maskable_dqn.fast.fast_path import FastActor
from sb3_ext.maskable_dqn.policies import MaskableDQNPolicy


class EpsilonGreedy:
    """
    The epsilon-greedy choice of a policy. Actions are (n_envs,) int, or (n_envs, n_parts) where they are vectors,
    from 0, and masks (n_envs, n_actions) bool; see :class:`~sb3_ext.common.actions.ActionParts`.

    :param policy: Whose online network decides
    """

    def __init__(self, policy: MaskableDQNPolicy) -> None:
        self.policy = policy
        self.parts = ActionParts(policy.action_space, type(policy).__name__)
        self._actor = FastActor(policy)

    def greedy(self, observations: Observations, masks: np.ndarray) -> np.ndarray:
        """
        The best feasible actions.

        :param observations: (n_envs, *obs_shape), or a dictionary of such arrays
        :param masks: (n_envs, n_actions) bool, every row with a True
        :return: the actions
        """
        return self._actor.choose(observations, masks)

    def choose(
        self, observations: Observations, masks: np.ndarray, epsilon: float, rng: np.random.Generator
    ) -> np.ndarray:
        """
        A random feasible action with probability epsilon, else the best; each environment has its own coin.

        :param observations: (n_envs, *obs_shape), or a dictionary of such arrays
        :param masks: (n_envs, n_actions) bool, every row with a True
        :param epsilon: probability of a random action
        :param rng: source of coins and random actions
        :return: the actions
        """
        if epsilon == 0.0:
            # No coins: a deterministic evaluation must not advance the generator of the training.
            return self.greedy(observations, masks)
        explore = rng.random(len(masks)) < epsilon
        if explore.all():
            return self.parts.random(masks, rng)
        if not explore.any():
            return self.greedy(observations, masks)
        shape = (len(masks),) if self.parts.is_number else (len(masks), len(self.parts.sizes))
        actions = np.empty(shape, dtype=np.int64)
        actions[explore] = self.parts.random(masks[explore], rng)
        actions[~explore] = self.greedy(some_of(observations, ~explore), masks[~explore])
        return actions

    def predict(
        self,
        observation: Observations,
        action_masks: np.ndarray | None,
        epsilon: float,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """
        Epsilon-greedy actions for a user's observations and masks.

        :param observation: of one environment or of several
        :param action_masks: (n_actions,) or (n_envs, n_actions) bool, or None if all actions are feasible
        :param epsilon: probability of a random action
        :param rng: source of coins and random actions
        :return: the actions as the environment takes them, without the first axis for a single observation
        """
        observation = as_observation(observation)
        vectorized = self.policy.is_vectorized_observation(observation)
        observations = observation if vectorized else some_of(observation, None)
        n_envs = count_of(observations)
        if action_masks is None:
            action_masks = self.parts.all_feasible(n_envs)
        masks = as_masks(action_masks, self.parts.n_choices, self.parts.begins)
        if len(masks) != n_envs:
            raise ValueError(f"action_masks must be given for {n_envs} observations, not for {len(masks)}.")
        actions = self.parts.to_env(self.choose(observations, masks, epsilon, rng))
        # As SB3: an array without dimensions, not a number.
        return actions if vectorized else actions.squeeze(axis=0)
