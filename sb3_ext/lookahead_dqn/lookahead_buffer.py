"""Memory of states with the returns of several of their actions."""

from typing import Any, NamedTuple

import numpy as np
import torch as th
from gymnasium import spaces
from stable_baselines3.common.buffers import BaseBuffer
from stable_baselines3.common.vec_env import VecNormalize

from sb3_ext.maskable_dqn.continuing import check_same_spaces


class LookaheadSamples(NamedTuple):
    """
    A drawn batch of B states with up to K actions each.

    ``observations`` is (B, *obs_shape), ``actions`` (B, K) int64, ``advantages`` (B, K) float, the return of an
    action minus the mean over the actions of its state, ``known`` (B, K) bool, which of the K places are used.
    """

    observations: th.Tensor
    actions: th.Tensor
    advantages: th.Tensor
    known: th.Tensor


class LookaheadBuffer(BaseBuffer):
    """
    The newest states with the advantages of their actions, drawn uniformly and with replacement.

    Where more than ``most_actions`` returns of a state are known, a uniform random subset of that size is kept.
    All randomness comes from the buffer's own generator, which is pickled with it.

    :param buffer_size: States to keep
    :param observation_space: Observation space; dictionaries are not supported
    :param action_space: Discrete action space
    :param device: PyTorch device of the samples
    :param most_actions: Actions to keep of a state, at least 2
    :param seed: Seed of the buffer's generator
    """

    def __init__(
        self,
        buffer_size: int,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        device: th.device | str = "auto",
        most_actions: int = 16,
        seed: int | np.random.SeedSequence | None = None,
    ) -> None:
        if isinstance(observation_space, spaces.Dict):
            raise ValueError("LookaheadBuffer: observation_space must not be a Dict, which is not supported.")
        if buffer_size < 1 or most_actions < 2:
            raise ValueError(
                f"LookaheadBuffer: buffer_size must be at least 1 and most_actions at least 2, "
                f"not {buffer_size} and {most_actions}."
            )
        super().__init__(buffer_size, observation_space, action_space, device)
        assert isinstance(observation_space.shape, tuple)
        most_actions = min(most_actions, int(action_space.n))  # type: ignore[attr-defined]
        self.rng = np.random.default_rng(seed)
        self.observations = np.zeros((buffer_size, *observation_space.shape), dtype=observation_space.dtype)
        self.actions = np.zeros((buffer_size, most_actions), dtype=np.int64)
        self.advantages = np.zeros((buffer_size, most_actions), dtype=np.float32)
        self.known = np.zeros((buffer_size, most_actions), dtype=np.bool_)

    def add_returns(self, observations: np.ndarray, returns: np.ndarray) -> int:
        """
        Store states with known returns of at least two actions; the others hold no information on differences.

        :param observations: (n, *obs_shape)
        :param returns: (n, n_actions) float, nan where not known
        :return: how many states were stored
        """
        known = ~np.isnan(returns)
        chosen = np.flatnonzero(known.sum(axis=1) >= 2)
        actions, kept = self._some_actions(known[chosen])
        values = np.where(kept, np.take_along_axis(returns[chosen], actions, axis=1), 0.0)
        means = values.sum(axis=1, keepdims=True) / kept.sum(axis=1, keepdims=True)
        places = (self.pos + np.arange(len(chosen))) % self.buffer_size
        self.observations[places] = observations[chosen]
        self.actions[places] = actions
        self.advantages[places] = np.where(kept, values - means, 0.0)
        self.known[places] = kept
        self.full = self.full or self.pos + len(chosen) >= self.buffer_size
        self.pos = (self.pos + len(chosen)) % self.buffer_size
        return len(chosen)

    def _some_actions(self, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Actions (n, K) and which of them are known: all known ones, or K of them at random."""
        most = self.actions.shape[1]
        keys = np.where(known, 0.0, 2.0)
        crowded = known.sum(axis=1) > most
        keys[crowded] += self.rng.random((int(crowded.sum()), known.shape[1]))
        actions = np.argsort(keys, axis=1, kind="stable")[:, :most]
        return actions, np.take_along_axis(known, actions, axis=1)

    def resized(self, fresh: "LookaheadBuffer") -> "LookaheadBuffer":
        """
        This buffer in the size of another one.

        :param fresh: An empty buffer
        :return: this buffer itself where the sizes are the same, else ``fresh``, filled with the newest states
        :raises ValueError: the spaces differ, or the number of actions that are kept of a state
        """
        check_same_spaces(self, fresh)
        ours, theirs = self.actions.shape[1], fresh.actions.shape[1]
        if ours != theirs:
            raise ValueError(f"The replay buffer was filled with most_actions {ours}, which cannot be {theirs} now.")
        if self.buffer_size == fresh.buffer_size:
            return self
        count = min(self.size(), fresh.buffer_size)
        newest = (self.pos - count + np.arange(count)) % self.buffer_size
        for name in ("observations", "actions", "advantages", "known"):
            getattr(fresh, name)[:count] = getattr(self, name)[newest]
        fresh.rng = self.rng
        fresh.pos, fresh.full = count % fresh.buffer_size, count == fresh.buffer_size
        return fresh

    def end_trajectories(self) -> None:
        """Nothing to do when the environment is reset: states are independent of each other."""

    def _get_samples(self, batch_inds: np.ndarray, env: VecNormalize | None = None) -> LookaheadSamples:  # type: ignore[override]
        observations = self._normalize_obs(self.observations[batch_inds], env)
        assert isinstance(observations, np.ndarray)
        return LookaheadSamples(
            self.to_torch(observations),
            self.to_torch(self.actions[batch_inds]),
            self.to_torch(self.advantages[batch_inds]),
            self.to_torch(self.known[batch_inds]),
        )

    def sample(self, batch_size: int, env: VecNormalize | None = None) -> LookaheadSamples:
        """
        Draw a batch.

        :param batch_size: Number of states
        :param env: Environment that normalizes observations
        :return: the batch
        """
        if self.size() == 0:
            raise ValueError("LookaheadBuffer: nothing can be drawn while no state is stored.")
        return self._get_samples(self.rng.integers(self.size(), size=batch_size), env)
