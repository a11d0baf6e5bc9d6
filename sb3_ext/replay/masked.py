"""Replay buffer that stores the action mask of the next state and the discount of each step."""

from typing import Any

import numpy as np
import torch as th
from gymnasium import spaces
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.vec_env import VecNormalize

from sb3_ext.common.actions import ActionParts
from sb3_ext.common.masks import INFO_KEY, as_rows
from sb3_ext.common.observations import Observations
from sb3_ext.common.transitions import TRUNCATED_KEY
from sb3_ext.replay.records import as_observations, observation_type, shaped, warn_of_memory, write_observations
from sb3_ext.replay.samples import MaskableReplayBufferSamples, ReplayBatch


class MaskableReplayBuffer(ReplayBuffer):
    """
    Uniform replay with masks: ``infos[i]["action_mask"]`` given to :meth:`add` must be the mask of the state
    that ``next_obs[i]`` is. Masks are kept packed, 8 actions a byte.

    Every step carries its own discount, ``gamma ** elapsed``: with an ``elapsed_key`` a step may stand for
    several units of time. Returns over ``n_steps`` are computed when sampling. They stay within one
    environment's transitions and stop at the end of an episode, at the newest transition, and where the
    environment was reset between two trainings (:meth:`end_trajectories`).

    A transition is one record in ``records``, and the arrays that SB3's buffer has are views of its fields: reading
    a transition then takes one memory access instead of ten. Of ``Dict`` observations every key is a field, and
    ``observations`` and ``next_observations`` are dictionaries of views, as SB3's ``DictReplayBuffer`` has them.

    All randomness comes from the buffer's own generator, which is pickled with it.

    :param buffer_size: Transitions to keep, over all environments
    :param observation_space: Observation space, or an unnested ``Dict`` of such
    :param action_space: Discrete, MultiDiscrete or MultiBinary action space. Actions are kept as numbers from 0, also
        where those of the environment begin elsewhere.
    :param device: PyTorch device of the samples
    :param n_envs: Number of parallel environments
    :param optimize_memory_usage: Keep each observation once, as the next one of the transition before it. As in SB3,
        ``handle_timeout_termination`` must then be False, since the next transition overwrites the last state of an
        episode; and so does a reset, which therefore counts as the end of one.
    :param handle_timeout_termination: Whether to bootstrap beyond a truncated episode
    :param n_steps: Steps of the return, at least 1
    :param gamma: Discount per unit of time, in [0, 1]
    :param elapsed_key: Entry of ``info`` with the units of time that the step took; None: every step takes one
    :param seed: Seed of the buffer's generator
    :param compiled: Whether prioritized draws use Numba where it is installed; they are the same to the bit
    """

    #: Whether :meth:`add` needs masks; MaskableDQN sets it to what it was told, and a missing mask is then all True.
    use_masking: bool = True
    #: (buffer_size, n_envs), with the fields named below
    records: np.ndarray
    #: (buffer_size, n_envs, *obs_shape), or a dictionary of such arrays
    observations: Observations  # type: ignore[assignment]
    next_observations: Observations  # type: ignore[assignment]
    #: (buffer_size, n_envs, n_bytes) uint8, masks of the next states, 8 actions a byte
    packed_masks: np.ndarray
    #: (buffer_size, n_envs) float32, where nothing follows: ``dones`` that are not ``timeouts``
    terminals: np.ndarray
    #: (buffer_size, n_envs) float32, by which the value of the next state counts
    discounts: np.ndarray
    #: (buffer_size, n_envs) bool, where the next row of the same environment does not continue this one
    ends: np.ndarray

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
        compiled: bool = True,
    ) -> None:
        name = type(self).__name__
        if optimize_memory_usage and handle_timeout_termination:
            raise ValueError(
                f"{name}: optimize_memory_usage must be False where handle_timeout_termination is True: the last "
                "states of truncated episodes would be lost."
            )
        parts = ActionParts(action_space, name)
        if n_steps < 1:
            raise ValueError(f"{name}: n_steps must be at least 1, not {n_steps}.")
        if not 0.0 <= gamma <= 1.0:
            raise ValueError(f"{name}: gamma must be in [0, 1], not {gamma}.")
        # Not the parent's own, which would make its arrays and knows no Dict.
        super(ReplayBuffer, self).__init__(buffer_size, observation_space, action_space, device, n_envs=n_envs)
        # Two hold one transition where memory is saved.
        self.buffer_size = max(buffer_size // n_envs, 2 if optimize_memory_usage else 1)
        self.optimize_memory_usage = optimize_memory_usage
        self.handle_timeout_termination = handle_timeout_termination
        self.parts = parts
        self.n_actions = parts.n_choices
        self.n_steps = n_steps
        self.gamma = gamma
        self.elapsed_key = elapsed_key
        self.compiled = compiled
        self.rng = np.random.default_rng(seed)
        self._allocate()

    def _allocate(self) -> None:
        observation, number, flag = observation_type(self.observation_space), np.dtype(np.float32), np.dtype(np.bool_)
        fields = [
            ("observations", *observation),
            ("next_observations", *observation),
            ("actions", np.dtype(self.action_space.dtype), (self.action_dim,)),
            ("rewards", number, ()),
            ("dones", number, ()),
            ("timeouts", number, ()),
            ("terminals", number, ()),
            ("discounts", number, ()),
            ("packed_masks", np.dtype(np.uint8), ((self.n_actions + 7) // 8,)),
            ("ends", flag, ()),
        ]
        if self.optimize_memory_usage:
            del fields[1]
        record = np.dtype(fields, align=True)
        warn_of_memory(record.itemsize * self.buffer_size * self.n_envs)
        self.records = np.zeros((self.buffer_size, self.n_envs), dtype=record)
        self._show_fields()

    def _show_fields(self) -> None:
        for name in self.records.dtype.names or ():
            field = self.records[name]
            setattr(self, name, as_observations(field) if name.endswith("observations") else field)

    def __getstate__(self) -> dict[str, Any]:
        # The views would be pickled as arrays of their own.
        names = self.records.dtype.names or ()
        return {name: value for name, value in self.__dict__.items() if name not in names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if "parts" not in state:  # pickled by an earlier version
            self.parts = ActionParts(self.action_space, type(self).__name__)
        self._show_fields()

    def add(
        self,
        obs: Observations,
        next_obs: Observations,
        action: np.ndarray,
        reward: np.ndarray,
        done: np.ndarray,
        infos: list[dict[str, Any]],
    ) -> None:
        """
        Store one transition of each environment.

        :param obs: (n_envs, *obs_shape), or a dictionary of such arrays
        :param next_obs: (n_envs, *obs_shape), or a dictionary, the true next state, also where the episode ended
        :param action: (n_envs,) or (n_envs, n_parts) int, from 0
        :param reward: (n_envs,) float
        :param done: (n_envs,) bool, terminated or truncated
        :param infos: of each environment; ``action_mask``, (n_actions,) bool, is that of ``next_obs``, and may be left
            out where the state is terminal
        :raises ValueError: a mask is missing, or leaves no action though the episode goes on
        """
        elapsed = None
        if self.elapsed_key is not None:
            told = [info.get(self.elapsed_key) for info in infos]
            # A missing entry becomes nan, which is refused below.
            elapsed = np.array(told, dtype=np.float64)
        truncated = np.array([info.get(TRUNCATED_KEY, False) for info in infos])
        masks = self._masks_of(infos, np.asarray(done, dtype=bool), truncated)
        self.add_step(obs, next_obs, action, reward, done, truncated, masks, elapsed)

    def add_step(
        self,
        obs: Observations,
        next_obs: Observations,
        actions: np.ndarray,
        rewards: np.ndarray,
        dones: np.ndarray,
        truncated: np.ndarray,
        next_masks: np.ndarray,
        elapsed: np.ndarray | None = None,
    ) -> None:
        """
        Store one transition of each environment, as :meth:`add` does, from arrays instead of dictionaries.

        :param obs: (n_envs, *obs_shape), or a dictionary of such arrays
        :param next_obs: (n_envs, *obs_shape), or a dictionary, the true next state, also where the episode ended
        :param actions: (n_envs,) or (n_envs, n_parts) int, from 0
        :param rewards: (n_envs,) float
        :param dones: (n_envs,) bool, terminated or truncated
        :param truncated: (n_envs,) bool, where the episode was cut off in a state that is not terminal
        :param next_masks: (n_envs, n_actions) bool, of ``next_obs``; where the episode was truncated in a state without
            any feasible action, nothing can follow, and the state counts as terminal
        :param elapsed: (n_envs,) units of time the step took, at least 0; needed if there is an ``elapsed_key``
        """
        position = self.pos
        # First, since it may raise an error, which must not leave half a transition.
        self.discounts[position] = self._discounts_of(elapsed)
        write_observations(self.observations, position, obs)
        if self.optimize_memory_usage:
            write_observations(self.observations, (position + 1) % self.buffer_size, next_obs)
        else:
            write_observations(self.next_observations, position, next_obs)
        self.actions[position] = shaped(actions, self.actions.shape[1:])
        self.rewards[position] = rewards
        self.dones[position] = dones
        bootstrapped = np.asarray(truncated, dtype=bool) & self.handle_timeout_termination
        if np.asarray(dones).any():
            stuck = np.asarray(dones, dtype=bool) & ~self.parts.has_action(next_masks)
            next_masks, bootstrapped = next_masks | stuck[:, None], bootstrapped & ~stuck
        self.timeouts[position] = bootstrapped
        self.terminals[position] = self.dones[position] * (1.0 - self.timeouts[position])
        self.packed_masks[position] = np.packbits(next_masks, axis=1)
        self.ends[position] = dones
        self.pos += 1
        if self.pos == self.buffer_size:
            self.full = True
            self.pos = 0

    def _masks_of(self, infos: list[dict[str, Any]], done: np.ndarray, truncated: np.ndarray) -> np.ndarray:
        given = [info.get(INFO_KEY) for info in infos]
        for i, mask in enumerate(given):
            if mask is None and self.use_masking and not (done[i] and not truncated[i]):
                raise ValueError(
                    f"{type(self).__name__}.add(): infos[{i}] has no {INFO_KEY!r}, which must be the mask of next_obs "
                    "(sb3_ext.ActionMaskInfo writes it)."
                )
        every = np.ones(self.n_actions, dtype=bool)
        masks = as_rows([every if mask is None else mask for mask in given], self.n_actions)
        wrong = np.flatnonzero(~done & ~self.parts.has_action(masks))
        if len(wrong):
            raise ValueError(
                f"{type(self).__name__}.add(): infos[{wrong[0]}][{INFO_KEY!r}] must have at least one feasible action, "
                "since the episode goes on."
            )
        return masks

    def _discounts_of(self, elapsed: np.ndarray | None) -> float | np.ndarray:
        if self.elapsed_key is None:
            return self.gamma
        if elapsed is None or not np.all(elapsed >= 0):
            key = self.elapsed_key
            raise ValueError(f"info[{key!r}] must be the units of time the step took, at least 0, not {elapsed}.")
        return self.gamma ** np.asarray(elapsed, dtype=np.float64)

    def end_trajectories(self) -> None:
        """Mark that the next transition does not follow the last one: the environments were reset."""
        if self.size() > 0:
            self.ends[self.pos - 1] = True
            if self.optimize_memory_usage:
                self.dones[self.pos - 1] = self.terminals[self.pos - 1] = 1.0

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
        return self.gather(self._rows(self.rng.integers(self._n_rows(), size=batch_size)), env)

    def _get_samples(self, batch_inds: np.ndarray, env: VecNormalize | None = None) -> MaskableReplayBufferSamples:  # type: ignore[override]
        """The transitions at positions (B,), each of an environment that is drawn, as SB3's buffers give them."""
        envs = self.rng.integers(self.n_envs, size=len(batch_inds))
        return self.gather(np.asarray(batch_inds) * self.n_envs + envs, env).to_samples(self.device)

    def n_positions(self) -> int:
        """How many of the newest positions hold transitions, of every environment."""
        # The observations of the oldest have been overwritten by the next ones of the newest.
        return self.size() - int(self.optimize_memory_usage and self.full)

    def _n_rows(self) -> int:
        n_rows = self.n_positions() * self.n_envs
        if n_rows == 0:
            raise ValueError(f"{type(self).__name__}: nothing can be drawn while no transition is stored.")
        return n_rows

    def _rows(self, numbers: np.ndarray) -> np.ndarray:
        """The rows of numbers from 0 to :meth:`_n_rows`."""
        if self.optimize_memory_usage and self.full:
            return np.asarray((numbers + (self.pos + 1) * self.n_envs) % self.records.size)
        return numbers

    def gather(
        self, rows: np.ndarray, env: VecNormalize | None = None, weights: np.ndarray | None = None
    ) -> ReplayBatch:
        """
        The transitions of given rows.

        :param rows: (B,) int, position * n_envs + environment
        :param env: Environment that normalizes observations and rewards
        :param weights: (B,) float32, importance weights, or None if drawn uniformly
        :return: the batch
        """
        records = self.records.reshape(-1)
        first = last = records.take(rows)
        last_rows = rows
        if self.n_steps == 1:
            rewards, discounts = self._normalize_reward(first["rewards"], env), first["discounts"]
        else:
            last_rows, rewards, discounts = self._returns(rows, env)
            last = records.take(last_rows)
        return ReplayBatch(
            observations=self._normalize_obs(as_observations(first["observations"]), env),
            actions=first["actions"][:, 0] if self.parts.is_number else first["actions"],
            next_observations=self._normalize_obs(self.next_observations_of(last_rows, last), env),
            terminals=last["terminals"],
            rewards=rewards,
            discounts=discounts,
            next_action_masks=np.unpackbits(last["packed_masks"], axis=1, count=self.n_actions).view(np.bool_),
            rows=rows,
            weights=weights,
        )

    def next_observations_of(self, rows: np.ndarray, records: np.ndarray) -> Observations:
        """
        The observations that transitions led to, as the environments gave them.

        :param rows: (B,) int, of the transitions
        :param records: (B,), theirs
        :return: (B, *obs_shape), or a dictionary of such arrays
        """
        if not self.optimize_memory_usage:
            return as_observations(records["next_observations"])
        every = self.records.reshape(-1)
        return as_observations(every.take((rows + self.n_envs) % every.size)["observations"])

    def _returns(self, rows: np.ndarray, env: VecNormalize | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The last row of each return (B,), the returns (B,), and the discounts of what follows (B,)."""
        # (B, n_steps); one position further is n_envs rows further, so the environment stays the same.
        steps = (rows[:, None] + self.n_envs * np.arange(self.n_steps)) % self.ends.size
        newest = (self.pos - 1) % self.buffer_size
        stops = self.ends.reshape(-1)[steps] | (steps // self.n_envs == newest)
        counts = np.ones_like(stops)
        counts[:, 1:] = ~np.logical_or.accumulate(stops[:, :-1], axis=1)
        rewards = self._normalize_reward(self.rewards.reshape(-1)[steps], env)
        through = np.cumprod(np.where(counts, self.discounts.reshape(-1)[steps], 1.0), axis=1)
        rewards[:, 1:] *= through[:, :-1]
        last_rows = steps[np.arange(len(rows)), counts.sum(axis=1) - 1]
        returns = np.where(counts, rewards, 0.0).sum(axis=1)
        return last_rows, returns.astype(np.float32), through[:, -1].astype(np.float32)
