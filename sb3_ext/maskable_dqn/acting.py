"""Epsilon-greedy choice among the feasible actions."""

import numpy as np
import torch as th
from gymnasium import spaces
from stable_baselines3.common.type_aliases import PyTorchObs

from sb3_ext.common.actions import ActionParts
from sb3_ext.common.masks import as_masks
from sb3_ext.common.observations import Observations, as_observation, count_of, some_of
from sb3_ext.maskable_dqn.fast_path import FastActor
from sb3_ext.maskable_dqn.policies import MaskableDQNPolicy


class NetworkActor:
    """
    The greedy choice of any network. It is that of ``policy.predict``, without the checks that a user's observations
    need: they take longer than a small network's forward pass.

    :param policy: Whose online network decides
    """

    def __init__(self, policy: MaskableDQNPolicy) -> None:
        self.policy = policy
        self._parts = ActionParts(policy.action_space, type(policy).__name__)
        space = policy.observation_space
        by_key = space.spaces if isinstance(space, spaces.Dict) else {"": space}
        self._shapes = {key: part.shape for key, part in by_key.items()}

    def choose(self, observations: Observations, masks: np.ndarray) -> np.ndarray:
        """
        The best feasible actions.

        :param observations: (n_envs, *obs_shape), or a dictionary of such arrays
        :param masks: (n_envs, n_actions) bool, every row with a True
        :return: (n_envs,) or (n_envs, n_parts) int64, from 0
        """
        policy = self.policy
        if not self._is_as_the_network_takes_it(observations) or not _is_inherited(policy):
            return self._parts.from_env(policy.predict(observations, action_masks=masks)[0])
        policy.set_training_mode(False)
        device = policy.device

        def tensor(part: np.ndarray) -> th.Tensor:
            # A copy, as predict makes it: a network may overwrite its input.
            return th.as_tensor(np.array(part), device=device)

        if isinstance(observations, dict):
            tensors: PyTorchObs = {key: tensor(part) for key, part in observations.items()}
        else:
            tensors = tensor(observations)
        with th.no_grad():
            chosen: np.ndarray = policy._predict(tensors, True, th.as_tensor(masks, device=device)).cpu().numpy()
        return chosen

    def _is_as_the_network_takes_it(self, observations: Observations) -> bool:
        """Whether there are several observations, and pictures among them have their channels first."""
        by_key = observations if isinstance(observations, dict) else {"": observations}
        return by_key.keys() == self._shapes.keys() and all(
            isinstance(part, np.ndarray) and part.shape[1:] == self._shapes[key] for key, part in by_key.items()
        )


def _is_inherited(policy: MaskableDQNPolicy) -> bool:
    """Whether a policy predicts as :class:`MaskableDQNPolicy` does."""
    return (
        getattr(policy.predict, "__func__", None) is MaskableDQNPolicy.predict
        and getattr(policy.obs_to_tensor, "__func__", None) is MaskableDQNPolicy.obs_to_tensor
    )


class EpsilonGreedy:
    """
    The epsilon-greedy choice of a policy. Actions are (n_envs,) int, or (n_envs, n_parts) where they are vectors,
    from 0, and masks (n_envs, n_actions) bool; see :class:`~sb3_ext.common.actions.ActionParts`.

    :param policy: Whose online network decides
    """

    def __init__(self, policy: MaskableDQNPolicy) -> None:
        self.policy = policy
        self.parts = ActionParts(policy.action_space, type(policy).__name__)
        self._actor = FastActor(policy, NetworkActor(policy).choose)

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
