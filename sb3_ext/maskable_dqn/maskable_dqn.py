"""Masked Double DQN with prioritized replay."""

import io
import pathlib
from typing import Any, ClassVar, Self

import numpy as np
import torch as th
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.noise import ActionNoise
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.type_aliases import GymEnv, MaybeCallback, Schedule
from stable_baselines3.common.utils import get_parameters_by_name, polyak_update
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.dqn.dqn import DQN

from sb3_ext.common.masks import MaskSource, check_masking_supported
from sb3_ext.common.schedules import ExplorationClock, exploration_schedule
from sb3_ext.common.transitions import elapsed_units, true_next_observations, truncations
from sb3_ext.maskable_dqn.acting import EpsilonGreedy
from sb3_ext.maskable_dqn.demonstrations import WarmUp
from sb3_ext.maskable_dqn.policies import MaskableDQNPolicy, MaskableQNetwork
from sb3_ext.maskable_dqn.relu_pass import updater_of
from sb3_ext.maskable_dqn.row_policy import RowPolicy
from sb3_ext.maskable_dqn.settings import check_classes, check_target_interval
from sb3_ext.maskable_dqn.updates import UpdateSettings, record_updates
from sb3_ext.replay import MaskableReplayBuffer, PrioritizedReplayBuffer


class MaskableDQN(DQN):
    """
    Deep Q-Network (DQN) with invalid action masking, double Q-learning and prioritized replay.

    Papers: https://arxiv.org/abs/1312.5602 (DQN), https://arxiv.org/abs/1509.06461 (double Q-learning),
    https://arxiv.org/abs/1511.05952 (prioritized replay), https://arxiv.org/abs/2006.14171 (masking).

    Only actions that the environment offers through ``action_masks()`` are taken, in the warm-up, in the random
    and in the greedy choice, and only they count where the target looks for the best next action. If the
    environment writes the mask of the state it returns into ``info["action_mask"]``
    (:class:`~sb3_ext.common.wrappers.ActionMaskInfo` does that), the mask is known also where an episode is truncated.

    A saved model goes on exactly where it was: ``load``, ``load_replay_buffer`` and
    ``learn(..., reset_num_timesteps=False)`` give, to the bit, the parameters that ``set_env`` and ``learn`` of
    the saved model would give. Of the environment nothing is saved: it is reset, which abandons the episode
    under way, and its own randomness must be seeded alike. A learning rate schedule that a callback set is the
    callback's to restore.

    :param policy: The policy model to use: MlpPolicy
    :param env: The environment to learn from (if registered in Gym, can be str), with ``action_masks()``
    :param learning_rate: The learning rate, or a function of the progress remaining (from 1 to 0)
    :param buffer_size: Transitions in the replay buffer
    :param learning_starts: how many steps of the model to collect transitions for before learning starts, by
        random actions or by ``demonstrator``
    :param batch_size: Minibatch size for each gradient update
    :param tau: the soft update coefficient ("Polyak update", between 0 and 1) default 1 for hard update
    :param gamma: the discount factor per step, or per unit of time with ``elapsed_key``; may be 1
    :param train_freq: Update the model every ``train_freq`` steps. Alternatively pass a tuple of frequency and
        unit like ``(5, "step")`` or ``(2, "episode")``.
    :param gradient_steps: How many gradient steps to do after each rollout (see ``train_freq``);
        ``-1`` means as many as steps were done in the environment during the rollout.
    :param replay_buffer_class: :class:`~sb3_ext.replay.MaskableReplayBuffer` or a subclass of it. If ``None``,
        ``prioritized_replay`` decides.
    :param replay_buffer_kwargs: Keyword arguments to pass to the replay buffer on creation, for instance
        ``{"alpha": 0.6, "normalize_weights": False}``
    :param optimize_memory_usage: Not supported
    :param n_steps: Steps of the return; works with every replay buffer above
    :param target_update_interval: update the target network every ``target_update_interval`` environment
        steps, or at the end of each episode if it is ``"episode"`` (the paper's A.4.3)
    :param exploration_fraction: fraction over which epsilon falls linearly, of the training as it was planned
        when exploration (re)started: a continued training goes on with the same line
    :param exploration_initial_eps: initial value of random action probability
    :param exploration_final_eps: final value of random action probability
    :param exploration_decay: If given, epsilon is not linear but multiplied by this factor every
        ``exploration_decay_every`` steps, down to ``exploration_final_eps`` (A.4.4: 0.99999)
    :param exploration_decay_every: Environment steps between two multiplications
    :param max_grad_norm: The maximum value for the gradient clipping
    :param double_q: The online network selects the next action, the target network evaluates it; if False the
        target network does both
    :param prioritized_replay: Prioritized instead of uniform replay (A.4.3)
    :param reward_scale: Rewards are multiplied by it in the learning target, and nowhere else: what is logged
        and what the replay buffer holds keeps the environment's unit. Priorities are in the scaled unit.
    :param elapsed_key: Entry of ``info`` that says how many units of time the step took; the step is then
        discounted by ``gamma ** info[elapsed_key]``. If ``None``, every step takes one unit.
    :param demonstrator: Name of a rule whose actions, asked of the environment's ``rule_actions(rule)``, are taken
        before learning starts. They stay in the replay buffer as long as anything else. A first epsilon below 1
        lets what was learned from them be used at once. If ``None``, actions are random.
    :param demonstration_noise: Probability of a random offered action in place of the rule's
    :param stats_window_size: Episodes over which the log averages success rate, length and reward
    :param tensorboard_log: the log location for tensorboard (if None, no logging)
    :param policy_kwargs: additional arguments to be passed to the policy on creation, see
        :class:`~sb3_ext.maskable_dqn.policies.MaskableDQNPolicy`
    :param verbose: Verbosity level: 0 for no output, 1 for info messages, 2 for debug messages
    :param seed: Seed for the pseudo random generators
    :param device: Device (cpu, cuda, ...) on which the code should be run; auto: the GPU if possible.
    :param _init_setup_model: Whether or not to build the network at the creation of the instance
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {"MlpPolicy": MaskableDQNPolicy, "RowPolicy": RowPolicy}
    policy: MaskableDQNPolicy
    q_net: MaskableQNetwork
    q_net_target: MaskableQNetwork
    replay_buffer: MaskableReplayBuffer | None
    #: (gradient_steps,) losses of the latest call of :meth:`train`, each the mean over its batch.
    last_losses: np.ndarray

    def __init__(
        self,
        policy: str | type[MaskableDQNPolicy],
        env: GymEnv | str,
        learning_rate: float | Schedule = 1e-4,
        buffer_size: int = 100_000,
        learning_starts: int = 100,
        batch_size: int = 32,
        tau: float = 1.0,
        gamma: float = 0.99,
        train_freq: int | tuple[int, str] = 4,
        gradient_steps: int = 1,
        replay_buffer_class: type[ReplayBuffer] | None = None,
        replay_buffer_kwargs: dict[str, Any] | None = None,
        optimize_memory_usage: bool = False,
        n_steps: int = 1,
        target_update_interval: int | str = 10000,
        exploration_fraction: float = 0.1,
        exploration_initial_eps: float = 1.0,
        exploration_final_eps: float = 0.05,
        exploration_decay: float | None = None,
        exploration_decay_every: int = 4,
        max_grad_norm: float = 10,
        double_q: bool = True,
        prioritized_replay: bool = True,
        reward_scale: float = 1.0,
        elapsed_key: str | None = None,
        demonstrator: str | None = None,
        demonstration_noise: float = 0.1,
        stats_window_size: int = 100,
        tensorboard_log: str | None = None,
        policy_kwargs: dict[str, Any] | None = None,
        verbose: int = 0,
        seed: int | None = None,
        device: th.device | str = "auto",
        _init_setup_model: bool = True,
    ) -> None:
        super().__init__(
            policy,
            env,
            learning_rate,
            buffer_size,
            learning_starts,
            batch_size,
            tau,
            gamma,
            train_freq,
            gradient_steps,
            replay_buffer_class=replay_buffer_class,
            replay_buffer_kwargs=replay_buffer_kwargs,
            optimize_memory_usage=optimize_memory_usage,
            n_steps=n_steps,
            target_update_interval=target_update_interval,  # type: ignore[arg-type]
            exploration_fraction=exploration_fraction,
            exploration_initial_eps=exploration_initial_eps,
            exploration_final_eps=exploration_final_eps,
            max_grad_norm=max_grad_norm,
            stats_window_size=stats_window_size,
            tensorboard_log=tensorboard_log,
            policy_kwargs=policy_kwargs,
            verbose=verbose,
            seed=seed,
            device=device,
            _init_setup_model=False,
        )
        self.exploration_decay = exploration_decay
        self.exploration_decay_every = exploration_decay_every
        self.double_q = double_q
        self.prioritized_replay = prioritized_replay
        self.reward_scale = reward_scale
        self.elapsed_key = elapsed_key
        self.demonstrator = demonstrator
        self.demonstration_noise = demonstration_noise
        self.last_losses = np.zeros(0)
        self._rng: np.random.Generator | None = None
        self._rng_seed: int | None = None
        self._acting_masks: np.ndarray | None = None
        self._episode_ended = False
        self.exploration = ExplorationClock()
        if _init_setup_model:
            self._setup_model()

    def _setup_model(self) -> None:
        self._check_settings()
        # Put back below, since the parent seeds all generators; a loaded model goes on with its own.
        loaded_rng = self._rng if self._rng_seed == self.seed else None
        self.replay_buffer = self._make_replay_buffer()
        # The algorithm's parent would warn that a given class of buffer ignores n_steps; this one does not.
        given = self.replay_buffer_class, self.n_steps
        self.replay_buffer_class, self.n_steps = type(self.replay_buffer), 1
        # Not DQN's own, which compares target_update_interval with a number and sets a schedule.
        super(DQN, self)._setup_model()
        self.replay_buffer_class, self.n_steps = given
        self._create_aliases()
        self.batch_norm_stats = get_parameters_by_name(self.q_net, ["running_"])
        self.batch_norm_stats_target = get_parameters_by_name(self.q_net_target, ["running_"])
        self._rng = loaded_rng or np.random.default_rng(self._seed_sequence(0))
        self._rng_seed = self.seed
        self._mask_source = MaskSource(int(self.action_space.n))  # type: ignore[attr-defined]
        # Built from the settings again, which `load` may have been told to change.
        self.exploration.schedule = exploration_schedule(
            self.exploration_initial_eps,
            self.exploration_final_eps,
            self.exploration_fraction,
            self.exploration_decay,
            self.exploration_decay_every,
        )
        self._chooser = EpsilonGreedy(self.policy)
        self._updater = updater_of(self.policy)

    def _check_settings(self) -> None:
        check_target_interval(self.target_update_interval)
        check_classes(self.policy_class, self.replay_buffer_class)
        self._warm_up = WarmUp(self.demonstrator, self.demonstration_noise)
        if self.env is not None:
            self._check_env(self.env)

    def _check_env(self, env: VecEnv) -> None:
        check_masking_supported(env)
        self._warm_up.check(env)

    def _seed_sequence(self, purpose: int) -> np.random.SeedSequence:
        """Independent seeds: purpose 0 is for actions, 1 for the replay buffer."""
        return np.random.SeedSequence(self.seed, spawn_key=(purpose,))

    def _make_replay_buffer(self) -> MaskableReplayBuffer:
        default = PrioritizedReplayBuffer if self.prioritized_replay else MaskableReplayBuffer
        settings = {name: getattr(self, name) for name in ("n_steps", "gamma", "elapsed_key", "optimize_memory_usage")}
        buffer_class: Any = self.replay_buffer_class or default
        return buffer_class(
            self.buffer_size,
            self.observation_space,
            self.action_space,
            device=self.device,
            n_envs=self.n_envs,
            **(settings | {"seed": self._seed_sequence(1)} | self.replay_buffer_kwargs),
        )

    def set_random_seed(self, seed: int | None = None) -> None:
        """Seed all generators, those of the model and its replay buffer included; see SB3."""
        super().set_random_seed(seed)
        if seed is None:
            return
        self.seed = self._rng_seed = seed
        self._rng = np.random.default_rng(self._seed_sequence(0))
        if self.replay_buffer is not None:
            self.replay_buffer.rng = np.random.default_rng(self._seed_sequence(1))

    def set_env(self, env: GymEnv, force_reset: bool = True) -> None:
        """Replace the environment, which needs ``action_masks()``; see SB3."""
        super().set_env(env, force_reset)
        assert self.env is not None
        self._check_env(self.env)

    def _setup_learn(
        self,
        total_timesteps: int,
        callback: MaybeCallback = None,
        reset_num_timesteps: bool = True,
        tb_log_name: str = "run",
        progress_bar: bool = False,
    ) -> tuple[int, BaseCallback]:
        assert self.replay_buffer is not None
        if reset_num_timesteps or self._last_obs is None:
            # The environment is about to be reset, maybe in the middle of an episode.
            self.replay_buffer.end_trajectories()
        prepared = super()._setup_learn(total_timesteps, callback, reset_num_timesteps, tb_log_name, progress_bar)
        self._acting_masks = None
        if reset_num_timesteps or self.exploration.start is None:
            self.exploration.restart(self.num_timesteps, self._total_timesteps)
        self.exploration_rate = self.exploration.rate(self.num_timesteps)
        return prepared

    def restart_exploration(self) -> None:
        """
        Put epsilon back to its initial value now and let it fall again, linearly over the same fraction of
        what remains of the training, or by the same factor. Between trainings it takes effect in the next one.
        """
        self.exploration.restart(self.num_timesteps, self._total_timesteps)
        # A callback calls this after the step, and _on_step() goes on from here.
        self.exploration_rate = self.exploration.rate(self.num_timesteps)

    def _on_step(self) -> None:
        """Copy the target network if it is time, and update epsilon; called after each step."""
        self._n_calls += 1
        if self._target_is_due():
            polyak_update(self.q_net.parameters(), self.q_net_target.parameters(), self.tau)
            polyak_update(self.batch_norm_stats, self.batch_norm_stats_target, 1.0)
        self.exploration_rate = self.exploration.rate(self.num_timesteps)
        self.logger.record("rollout/exploration_rate", self.exploration_rate)

    def _target_is_due(self) -> bool:
        if isinstance(self.target_update_interval, str):
            return self._episode_ended
        # Each call stands for one step of every environment.
        return self._n_calls % max(self.target_update_interval // self.n_envs, 1) == 0

    def _sample_action(
        self, learning_starts: int, action_noise: ActionNoise | None = None, n_envs: int = 1
    ) -> tuple[np.ndarray, np.ndarray]:
        assert self.env is not None
        assert self._rng is not None
        if self._acting_masks is None:
            self._acting_masks = self._mask_source.current(self.env)
        if self.num_timesteps < learning_starts:
            actions = self._warm_up.choose(self.env, self._acting_masks, self._rng)
        else:
            assert isinstance(self._last_obs, np.ndarray)
            actions = self._chooser.choose(self._last_obs, self._acting_masks, self.exploration_rate, self._rng)
        return actions, actions

    def _store_transition(
        self,
        replay_buffer: Any,
        buffer_action: np.ndarray,
        new_obs: Any,
        reward: np.ndarray,
        dones: np.ndarray,
        infos: Any,
    ) -> None:
        # Not the parent's, which hands dictionaries on: to put a mask into each would cost more than all the rest.
        assert self.env is not None
        next_masks, self._acting_masks = self._mask_source.after_step(self.env, dones, infos)
        self._episode_ended = bool(dones.any())
        normalizer, original_obs, last_obs = self._vec_normalize_env, new_obs, self._last_obs
        if normalizer is not None:
            last_obs = self._last_original_obs
            original_obs, reward = normalizer.get_original_obs(), normalizer.get_original_reward()
        next_obs = true_next_observations(original_obs, dones, infos, normalizer)
        cut, elapsed = truncations(dones, infos), elapsed_units(self.env, replay_buffer.elapsed_key, dones, infos)
        replay_buffer.add_step(last_obs, next_obs, buffer_action, reward, dones, cut, next_masks, elapsed)
        self._last_obs, self._last_original_obs = new_obs, original_obs

    def predict(
        self,
        observation: np.ndarray | dict[str, np.ndarray],
        state: tuple[np.ndarray, ...] | None = None,
        episode_start: np.ndarray | None = None,
        deterministic: bool = False,
        action_masks: np.ndarray | None = None,
    ) -> tuple[np.ndarray, tuple[np.ndarray, ...] | None]:
        """
        Actions for observations, epsilon-greedy unless deterministic; see SB3.

        :param action_masks: (n_actions,) or (n_envs, n_actions) bool; without them all actions are taken as
            offered, with a warning the first time
        :return: the actions, of shape () or (n_envs,), and ``state``
        """
        assert self._rng is not None
        epsilon = 0.0 if deterministic else self.exploration_rate
        if action_masks is None:
            self._mask_source.warn_no_masks()
        return self._chooser.predict(np.asarray(observation), action_masks, epsilon, self._rng), state

    def train(self, gradient_steps: int, batch_size: int = 100) -> None:
        """Draw ``gradient_steps`` batches from the replay buffer and update the network on each; see SB3."""
        assert self.replay_buffer is not None
        self._update_learning_rate(self.policy.optimizer)
        settings = UpdateSettings(self.double_q, self.reward_scale, self.max_grad_norm)
        self.last_losses = np.zeros(gradient_steps)
        for step in range(gradient_steps):
            batch = self.replay_buffer.draw(batch_size, env=self._vec_normalize_env)
            result = self._updater.update(batch, settings)
            self.last_losses[step] = result.loss
            if isinstance(self.replay_buffer, PrioritizedReplayBuffer):
                self.replay_buffer.update_priorities(batch.rows, result.td_errors)
        self._n_updates += gradient_steps
        record_updates(self.logger, self._n_updates, self.last_losses, result, self.replay_buffer)

    def learn(
        self,
        total_timesteps: int,
        callback: MaybeCallback = None,
        log_interval: int = 4,
        tb_log_name: str = "MaskableDQN",
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
    ) -> Self:
        """Train; with ``reset_num_timesteps=False`` the last training, and its exploration, go on; see SB3."""
        return super().learn(total_timesteps, callback, log_interval, tb_log_name, reset_num_timesteps, progress_bar)

    def load_replay_buffer(self, path: str | pathlib.Path | io.BufferedIOBase, truncate_last_traj: bool = True) -> None:
        """Load a replay buffer, with its masks, priorities and generator; see SB3."""
        super().load_replay_buffer(path, truncate_last_traj)
        if not isinstance(self.replay_buffer, MaskableReplayBuffer):
            raise ValueError(
                f"The replay buffer must be a MaskableReplayBuffer, not {type(self.replay_buffer).__name__}."
            )

    def _excluded_save_params(self) -> list[str]:
        own = ["_acting_masks", "_chooser", "_mask_source", "_updater", "_warm_up"]
        return [*super()._excluded_save_params(), *own]
