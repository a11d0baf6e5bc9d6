"""Replay buffer that stores the action mask of the next state and the discount of each step."""

from typing import Any, NamedTuple

import numpy as np
import torch as th
from gymnasium import spaces
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.vec_env import VecNormalize


class MaskableReplayBufferSamples(NamedTuple):
    """
    A drawn batch of B transitions, as tensors; columns are (B, 1), as SB3 has them.

    The first six are SB3's ``ReplayBufferSamples``. ``next_action_masks`` is (B, n_actions) bool, ``weights``
    (B, 1) float or None, ``rows`` a numpy array for ``update_priorities``.
    """

    observations: th.Tensor
    actions: th.Tensor
    next_observations: th.Tensor
    dones: th.Tensor
    rewards: th.Tensor
    discounts: th.Tensor
    next_action_masks: th.Tensor
    weights: th.Tensor | None
    rows: np.ndarray


class ReplayBatch(NamedTuple):
    """
    A drawn batch of B transitions, as numpy arrays.

    With n-step returns, what is said of the next state is said of the last one of the n steps.
    """

    #: (B, *obs_shape), normalized if the environment normalizes
    observations: np.ndarray
    #: (B,) int
    actions: np.ndarray
    #: (B, *obs_shape)
    next_observations: np.ndarray
    #: (B,) float32, 1 where the next state is terminal; a truncated episode has 0
    terminals: np.ndarray
    #: (B,) float32, discounted sum over the n steps
    rewards: np.ndarray
    #: (B,) float32, by which the value of the next state counts
    discounts: np.ndarray
    #: (B, n_actions) bool, what the next state offers; all True if it is terminal
    next_action_masks: np.ndarray
    #: (B,) int, rows of the buffer: position * n_envs + environment
    rows: np.ndarray
    #: (B,) float32, importance weights, or None if drawn uniformly
    weights: np.ndarray | None = None

    def to_samples(self, device: th.device | str = "cpu") -> MaskableReplayBufferSamples:
        """
        The same batch as tensors.

        :param device: where to; on the CPU nothing is copied
        :return: the batch
        """

        def tensor(array: np.ndarray) -> th.Tensor:
            return th.from_numpy(array).to(device)

        return MaskableReplayBufferSamples(
            observations=tensor(self.observations),
            actions=tensor(self.actions[:, None]),
            next_observations=tensor(self.next_observations),
            dones=tensor(self.terminals[:, None]),
            rewards=tensor(self.rewards[:, None]),
            discounts=tensor(self.discounts[:, None]),
            next_action_masks=tensor(self.next_action_masks),
            weights=None if self.weights is None else tensor(self.weights[:, None]),
            rows=self.rows,
        )


class MaskableReplayBuffer(ReplayBuffer):
    """
    Uniform replay with masks: ``infos[i]["action_mask"]`` given to :meth:`add` must be the mask of the state
    that ``next_obs[i]`` is. Masks are kept packed, 8 actions a byte.

    Every step carries its own discount, ``gamma ** elapsed``: with an ``elapsed_key`` a step may stand for
    several units of time. Returns over ``n_steps`` are put together when sampling. They stay within one
    environment's transitions and stop at the end of an episode, at the newest transition, and where the
    environment was reset between two trainings (:meth:`end_trajectories`).

    All randomness comes from the buffer's own generator, which is pickled with it.

    :param buffer_size: Transitions to keep, over all environments
    :param observation_space: Observation space; dictionaries are not supported
    :param action_space: Discrete action space
    :param device: PyTorch device of the samples
    :param n_envs: Number of parallel environments
    :param optimize_memory_usage: Not supported
    :param handle_timeout_termination: Whether the value beyond a truncated episode counts
    :param n_steps: Steps of the return, at least 1
    :param gamma: Discount per unit of time, in [0, 1]
    :param elapsed_key: Entry of ``info`` with the units of time that the step took; None: every step takes one
    :param seed: Seed of the buffer's generator
    """

    def __init__(
        self,
        buffer_size: int,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        device: th.device | str = "auto",
        n_envs: int = 1,
        optimize_memory_usage: bool = False,
        handle_timeout_termination: bool = True,
        n_steps: int = 1,
        gamma: float = 0.99,
        elapsed_key: str | None = None,
        seed: int | np.random.SeedSequence | None = None,
    ) -> None:
        name = type(self).__name__
        if optimize_memory_usage:
            raise ValueError(f"{name}: optimize_memory_usage must be False; True is not supported.")
        if not isinstance(action_space, spaces.Discrete) or int(action_space.start) != 0:
            raise ValueError(f"{name}: action_space must be Discrete starting at 0, not {action_space}.")
        if isinstance(observation_space, spaces.Dict):
            raise ValueError(f"{name}: observation_space must not be a Dict, which is not supported.")
        if n_steps < 1:
            raise ValueError(f"{name}: n_steps must be at least 1, not {n_steps}.")
        if not 0.0 <= gamma <= 1.0:
            raise ValueError(f"{name}: gamma must be in [0, 1], not {gamma}.")
        super().__init__(
            buffer_size,
            observation_space,
            action_space,
            device,
            n_envs=n_envs,
            handle_timeout_termination=handle_timeout_termination,
        )
        self.n_actions = int(action_space.n)
        self.n_steps = n_steps
        self.gamma = gamma
        self.elapsed_key = elapsed_key
        self.rng = np.random.default_rng(seed)
        shape = (self.buffer_size, self.n_envs)
        self.packed_masks = np.zeros((*shape, (self.n_actions + 7) // 8), dtype=np.uint8)
        self.discounts = np.zeros(shape, dtype=np.float32)
        # Where the next row of the same environment does not go on with this one.
        self.ends = np.zeros(shape, dtype=bool)

    def add(
        self,
        obs: np.ndarray,
        next_obs: np.ndarray,
        action: np.ndarray,
        reward: np.ndarray,
        done: np.ndarray,
        infos: list[dict[str, Any]],
    ) -> None:
        """
        Store one transition of each environment.

        :param obs: (n_envs, *obs_shape)
        :param next_obs: (n_envs, *obs_shape), the true next state, also where the episode ended
        :param action: (n_envs,) or (n_envs, 1) int
        :param reward: (n_envs,) float
        :param done: (n_envs,) bool, terminated or truncated
        :param infos: of each environment; ``action_mask``, (n_actions,) bool, is that of ``next_obs``
        """
        position = self.pos
        super().add(obs, next_obs, action, reward, done, infos)
        masks = [info["action_mask"] for info in infos]
        self.packed_masks[position] = np.packbits(masks, axis=1)
        if self.elapsed_key is None:
            self.discounts[position] = self.gamma
        else:
            self.discounts[position] = self._elapsed_discounts(infos, self.elapsed_key)
        self.ends[position] = done

    def _elapsed_discounts(self, infos: list[dict[str, Any]], key: str) -> np.ndarray:
        elapsed = [info.get(key) for info in infos]
        if any(units is None or units < 0 for units in elapsed):
            raise ValueError(f"info[{key!r}] must be the units of time the step took, at least 0, not {elapsed}.")
        return self.gamma ** np.asarray(elapsed, dtype=np.float64)

    def end_trajectories(self) -> None:
        """Say that what is added next does not follow what was added last: the environments were reset."""
        if self.size() > 0:
            self.ends[self.pos - 1] = True

    def sample(self, batch_size: int, env: VecNormalize | None = None) -> MaskableReplayBufferSamples:  # type: ignore[override]
        """
        Draw a batch as tensors.

        :param batch_size: Number of transitions
        :param env: Environment that normalizes observations and rewards
        :return: the batch
        """
        return self.draw(batch_size, env).to_samples(self.device)

    def draw(self, batch_size: int, env: VecNormalize | None = None) -> ReplayBatch:
        """
        Draw a batch as numpy arrays, uniformly and with replacement.

        :param batch_size: Number of transitions
        :param env: Environment that normalizes observations and rewards
        :return: the batch
        """
        return self.gather(self.rng.integers(self._n_rows(), size=batch_size), env)

    def _n_rows(self) -> int:
        n_rows = self.size() * self.n_envs
        if n_rows == 0:
            raise ValueError(f"{type(self).__name__}: nothing can be drawn while no transition is stored.")
        return n_rows

    def gather(self, rows: np.ndarray, env: VecNormalize | None = None) -> ReplayBatch:
        """
        The transitions of given rows.

        :param rows: (B,) int, position * n_envs + environment
        :param env: Environment that normalizes observations and rewards
        :return: the batch
        """
        last_rows, rewards, discounts = self._returns(rows, env)
        terminals = self._take(self.dones, last_rows)
        if self.handle_timeout_termination:
            terminals *= 1.0 - self._take(self.timeouts, last_rows)
        packed = self._take(self.packed_masks, last_rows)
        return ReplayBatch(
            observations=self._normalize_obs(self._take(self.observations, rows), env),  # type: ignore[arg-type]
            actions=self._take(self.actions, rows)[:, 0],
            next_observations=self._normalize_obs(self._take(self.next_observations, last_rows), env),  # type: ignore[arg-type]
            terminals=terminals,
            rewards=rewards,
            discounts=discounts,
            next_action_masks=np.unpackbits(packed, axis=1, count=self.n_actions).view(np.bool_),
            rows=rows,
        )

    @staticmethod
    def _take(stored: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Rows of an array (buffer_size, n_envs, ...)."""
        return stored.reshape(-1, *stored.shape[2:]).take(rows, axis=0)

    def _returns(self, rows: np.ndarray, env: VecNormalize | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The last row of each return (B,), the returns (B,), and the discounts of what follows (B,)."""
        if self.n_steps == 1:
            rewards = self._normalize_reward(self._take(self.rewards, rows), env)
            return rows, rewards, self._take(self.discounts, rows)
        # (B, n_steps); one position further is n_envs rows further, so the environment stays the same.
        steps = (rows[:, None] + self.n_envs * np.arange(self.n_steps)) % self.ends.size
        newest = (self.pos - 1) % self.buffer_size
        stops = self._take(self.ends, steps) | (steps // self.n_envs == newest)
        counts = np.ones_like(stops)
        counts[:, 1:] = ~np.logical_or.accumulate(stops[:, :-1], axis=1)
        rewards = self._normalize_reward(self._take(self.rewards, steps), env)
        through = np.cumprod(np.where(counts, self._take(self.discounts, steps), 1.0), axis=1)
        rewards[:, 1:] *= through[:, :-1]
        last_rows = steps[np.arange(len(rows)), counts.sum(axis=1) - 1]
        returns = np.where(counts, rewards, 0.0).sum(axis=1)
        return last_rows, returns.astype(np.float32), through[:, -1].astype(np.float32)
