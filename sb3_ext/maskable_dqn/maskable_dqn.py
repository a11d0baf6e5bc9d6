"""Masked Double DQN with prioritized replay."""

import math
from typing import Any, ClassVar, Self

import numpy as np
import torch as th
from gymnasium import spaces
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.type_aliases import GymEnv, MaybeCallback, Schedule
from stable_baselines3.common.vec_env import VecEnv

from sb3_ext.common.schedules import ExplorationSchedule, exploration_schedule
from sb3_ext.common.transitions import elapsed_units, true_next_observations, truncations
from sb3_ext.maskable_dqn.base import MaskedQLearning
from sb3_ext.maskable_dqn.continuing import with_settings_of
from sb3_ext.maskable_dqn.demonstrations import WarmUp
from sb3_ext.maskable_dqn.fast.fast_path import FastUpdater
from sb3_ext.maskable_dqn.policies import CnnPolicy, MaskableDQNPolicy, MultiInputPolicy
from sb3_ext.maskable_dqn.settings import check_buffer_class, check_finite, check_target_interval
from sb3_ext.maskable_dqn.updates import Updater, UpdateSettings, record_updates
from sb3_ext.replay import MaskableReplayBuffer, PrioritizedReplayBuffer


class MaskableDQN(MaskedQLearning):
    """
    Deep Q-Network (DQN) with invalid action masking, double Q-learning and prioritized replay.

    Papers: https://arxiv.org/abs/1312.5602 (DQN), https://arxiv.org/abs/1509.06461 (double Q-learning),
    https://arxiv.org/abs/1511.05952 (prioritized replay), https://arxiv.org/abs/2006.14171 (masking).

    Only actions that ``action_masks()`` of the environment declares feasible are taken, in the warm-up, in the random
    and in the greedy choice, and the target maximizes over them only. If the environment writes the mask of the
    state it returns into ``info["action_mask"]`` (:class:`~sb3_ext.common.wrappers.ActionMaskInfo` does that), the
    mask is known also where an episode is truncated. A mask without any feasible action is an error in the middle of
    an episode only: nothing follows a state in which an episode ended with such a mask. An environment without
    ``action_masks()`` is refused when a training begins, unless it is ``learn(use_masking=False)``.

    Actions may be ``Discrete``, from any first number on, ``MultiDiscrete`` or ``MultiBinary``. Masks count from 0.
    Where actions are vectors, masks hold the entries of all dimensions, one dimension after another, as sb3-contrib's;
    the value of an action is then the sum of the values of its entries, and each dimension is maximized on its own.

    A saved model continues exactly where it was: ``load``, ``load_replay_buffer`` and
    ``learn(..., reset_num_timesteps=False)`` give, to the bit, the parameters that ``set_env`` and ``learn`` of
    the saved model would give. Nothing is saved of the environment: it is reset, which abandons the episode
    under way, and its own randomness must be seeded alike. A learning rate schedule that a callback set must be
    restored by that callback.

    The first arguments are those of SB3's ``DQN``, in its order; those that DQN does not have are keyword-only.

    :param policy: The policy model to use: MlpPolicy, CnnPolicy, MultiInputPolicy (``Dict`` observations) or RowPolicy
    :param env: The environment to learn from (if registered in Gym, can be str)
    :param learning_rate: The learning rate, or a function of the progress remaining (from 1 to 0)
    :param buffer_size: Transitions in the replay buffer
    :param learning_starts: Steps of the model to collect transitions for before learning starts, by random
        actions or by ``demonstrator``
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
    :param optimize_memory_usage: Keep each observation once; as in SB3 only with
        ``replay_buffer_kwargs={"handle_timeout_termination": False}``
    :param n_steps: Steps of the return; works with every replay buffer above
    :param target_update_interval: update the target network every ``target_update_interval`` environment
        steps, or at the end of each episode if it is ``"episode"`` (the paper's A.4.3)
    :param exploration_fraction: fraction over which epsilon falls linearly, of the training as it was planned
        when exploration (re)started: a continued training follows the same line
    :param exploration_initial_eps: initial value of random action probability
    :param exploration_final_eps: final value of random action probability
    :param max_grad_norm: The maximum value for the gradient clipping, or None for no clipping
    :param stats_window_size: Episodes over which the log averages success rate, length and reward
    :param tensorboard_log: the log location for tensorboard (if None, no logging)
    :param policy_kwargs: additional arguments to be passed to the policy on creation, see
        :class:`~sb3_ext.maskable_dqn.policies.MaskableDQNPolicy`
    :param verbose: Verbosity level: 0 for no output, 1 for info messages, 2 for debug messages
    :param seed: Seed for the pseudo random generators
    :param device: Device (cpu, cuda, ...) on which the code should be run; auto: the GPU if possible.
    :param _init_setup_model: Whether or not to build the network at the creation of the instance
    :param exploration_decay: If given, epsilon does not fall linearly but is multiplied by this factor every
        ``exploration_decay_every`` steps, down to ``exploration_final_eps`` (A.4.4: 0.99999)
    :param exploration_decay_every: Environment steps between two multiplications
    :param double_q: The online network selects the next action, the target network evaluates it; if False the
        target network does both
    :param prioritized_replay: Prioritized instead of uniform replay (A.4.3)
    :param reward_scale: Factor of the rewards in the learning target, and nowhere else: logs and the replay buffer
        keep the environment's unit. Priorities are in the scaled unit.
    :param elapsed_key: Entry of ``info`` that says how many units of time the step took; the step is then
        discounted by ``gamma ** info[elapsed_key]``. If ``None``, every step takes one unit.
    :param demonstrator: Name of a rule whose actions, given by the environment's ``rule_actions(rule)``, are taken
        before learning starts. They stay in the replay buffer as long as any others. An initial epsilon below 1
        makes use at once of what was learned from them. If ``None``, actions are random.
    :param demonstration_noise: Probability of a random feasible action in place of the rule's
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {
        **MaskedQLearning.policy_aliases,
        "CnnPolicy": CnnPolicy,
        "MultiInputPolicy": MultiInputPolicy,
    }
    supported_action_spaces = (spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)
    without_masks = "; learn(use_masking=False) trains without masks"
    memory_class: ClassVar[type[Any]] = MaskableReplayBuffer
    replay_buffer: MaskableReplayBuffer | None

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
        max_grad_norm: float | None = 10,
        stats_window_size: int = 100,
        tensorboard_log: str | None = None,
        policy_kwargs: dict[str, Any] | None = None,
        verbose: int = 0,
        seed: int | None = None,
        device: th.device | str = "auto",
        _init_setup_model: bool = True,
        *,
        exploration_decay: float | None = None,
        exploration_decay_every: int = 4,
        double_q: bool = True,
        prioritized_replay: bool = True,
        reward_scale: float = 1.0,
        elapsed_key: str | None = None,
        demonstrator: str | None = None,
        demonstration_noise: float = 0.1,
    ) -> None:
        self.exploration_decay = exploration_decay
        self.exploration_decay_every = exploration_decay_every
        self.double_q = double_q
        self.prioritized_replay = prioritized_replay
        self.elapsed_key = elapsed_key
        self.demonstrator = demonstrator
        self.demonstration_noise = demonstration_noise
        self._episode_ended = False
        super().__init__(
            policy,
            env,
            reward_scale=reward_scale,
            learning_rate=learning_rate,
            buffer_size=buffer_size,
            learning_starts=learning_starts,
            batch_size=batch_size,
            tau=tau,
            gamma=gamma,
            train_freq=train_freq,
            gradient_steps=gradient_steps,
            replay_buffer_class=replay_buffer_class,
            replay_buffer_kwargs=replay_buffer_kwargs,
            optimize_memory_usage=optimize_memory_usage,
            n_steps=n_steps,
            target_update_interval=target_update_interval,
            exploration_fraction=exploration_fraction,
            exploration_initial_eps=exploration_initial_eps,
            exploration_final_eps=exploration_final_eps,
            # A number, as SB3 declares it.
            max_grad_norm=math.inf if max_grad_norm is None else max_grad_norm,
            stats_window_size=stats_window_size,
            tensorboard_log=tensorboard_log,
            policy_kwargs=policy_kwargs,
            verbose=verbose,
            seed=seed,
            device=device,
            _init_setup_model=_init_setup_model,
        )

    def _setup_model(self) -> None:
        super()._setup_model()
        self._updater = self._make_updater()

    def _make_updater(self) -> Updater:
        return FastUpdater(self.policy)

    def _check_settings(self) -> None:
        check_target_interval(self.target_update_interval)
        check_buffer_class(self.replay_buffer_class)
        self._warm_up = WarmUp(self.demonstrator, self.demonstration_noise)
        super()._check_settings()

    def _check_env(self, env: VecEnv) -> None:
        super()._check_env(env)
        self._warm_up.check(env)

    def _make_replay_buffer(self) -> MaskableReplayBuffer:
        default = PrioritizedReplayBuffer if self.prioritized_replay else MaskableReplayBuffer
        settings = {name: getattr(self, name) for name in ("n_steps", "gamma", "elapsed_key", "optimize_memory_usage")}
        buffer_class: Any = self.replay_buffer_class or default
        buffer: MaskableReplayBuffer = buffer_class(
            self.buffer_size,
            self.observation_space,
            self.action_space,
            device=self.device,
            n_envs=self.n_envs,
            **(settings | {"seed": self._seed_sequence(1)} | self.replay_buffer_kwargs),
        )
        return buffer

    def _with_own_settings(self, loaded: MaskableReplayBuffer) -> MaskableReplayBuffer:
        return with_settings_of(self._make_replay_buffer(), loaded)

    def _make_exploration_schedule(self) -> ExplorationSchedule:
        return exploration_schedule(
            self.exploration_initial_eps,
            self.exploration_final_eps,
            self.exploration_fraction,
            self.exploration_decay,
            self.exploration_decay_every,
        )

    def _target_is_due(self) -> bool:
        return self._episode_ended if isinstance(self.target_update_interval, str) else super()._target_is_due()

    def _warm_up_actions(self, env: VecEnv, masks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return self._warm_up.choose(env, masks, rng, self._parts)

    def _store_transition(
        self,
        replay_buffer: Any,
        buffer_action: np.ndarray,
        new_obs: Any,
        reward: np.ndarray,
        dones: np.ndarray,
        infos: Any,
    ) -> None:
        # Not the parent's, which passes dictionaries on: writing a mask into each would cost more than all the rest.
        assert self.env is not None
        check_finite("reward", reward, type(self).__name__)
        self._episode_ended = bool(dones.any())
        if self._begins_anew():
            return
        next_masks, self._acting_masks = self._mask_source.after_step(self.env, dones, infos)
        normalizer, original_obs, last_obs = self._vec_normalize_env, new_obs, self._last_obs
        if normalizer is not None:
            last_obs = self._last_original_obs
            original_obs, reward = normalizer.get_original_obs(), normalizer.get_original_reward()
        next_obs = true_next_observations(original_obs, dones, infos, normalizer)
        cut, elapsed = truncations(dones, infos), elapsed_units(self.env, replay_buffer.elapsed_key, dones, infos)
        replay_buffer.add_step(last_obs, next_obs, buffer_action, reward, dones, cut, next_masks, elapsed)
        self._last_obs, self._last_original_obs = new_obs, original_obs

    def learn(
        self,
        total_timesteps: int,
        callback: MaybeCallback = None,
        log_interval: int = 4,
        tb_log_name: str | None = None,
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
        *,
        use_masking: bool = True,
    ) -> Self:
        """
        Train; with ``reset_num_timesteps=False`` the previous training and its exploration continue; see SB3.

        :param tb_log_name: Name of the run for TensorBoard, by default that of the class
        :param use_masking: Whether to ask the environment for masks; False: all actions are feasible, as in SB3's DQN
        :raises ValueError: use_masking is True, and the environment has no ``action_masks()``
        """
        self._use_masking = use_masking
        if self.replay_buffer is not None:
            self.replay_buffer.use_masking = use_masking
        return super().learn(total_timesteps, callback, log_interval, tb_log_name, reset_num_timesteps, progress_bar)

    def train(self, gradient_steps: int, batch_size: int = 100) -> None:
        """Draw ``gradient_steps`` batches from the replay buffer and update the network on each; see SB3."""
        assert self.replay_buffer is not None
        if gradient_steps == 0:
            return
        self._update_learning_rate(self.policy.optimizer)
        settings = UpdateSettings(self.double_q, self.reward_scale, self.max_grad_norm)
        self.last_losses = np.zeros(gradient_steps)
        for step in range(gradient_steps):
            batch = self.replay_buffer.draw(batch_size, env=self._vec_normalize_env)
            result = self._updater.update(batch, settings)
            self.last_losses[step] = result.loss
            check_finite("loss", self.last_losses[step], type(self).__name__)
            if isinstance(self.replay_buffer, PrioritizedReplayBuffer):
                self.replay_buffer.update_priorities(batch.rows, result.td_errors)
        self._n_updates += gradient_steps
        record_updates(self.logger, self._n_updates, self.last_losses, result, self.replay_buffer)

    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), "_updater", "_warm_up"]
