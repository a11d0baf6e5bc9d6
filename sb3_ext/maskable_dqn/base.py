"""What the masked Q-learning algorithms share: masked acting, exploration, set-up, saving and loading."""

import io
import pathlib
from typing import Any, ClassVar, Self

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.noise import ActionNoise
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.save_util import load_from_pkl
from stable_baselines3.common.type_aliases import GymEnv, MaybeCallback
from stable_baselines3.common.utils import get_parameters_by_name, polyak_update
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.dqn.dqn import DQN

from sb3_ext.common.actions import ActionParts
from sb3_ext.common.masks import AllFeasible, MaskSource, check_masking_supported
from sb3_ext.common.saving import WholeSaves, save_pickle_whole
from sb3_ext.common.schedules import ExplorationClock, ExplorationSchedule, exploration_schedule
from sb3_ext.common.step_infos import StepInfos
from sb3_ext.maskable_dqn.acting import EpsilonGreedy
from sb3_ext.maskable_dqn.policies import MaskableDQNPolicy, MaskableQNetwork
from sb3_ext.maskable_dqn.reset_watch import ResetWatch, with_watch
from sb3_ext.maskable_dqn.row_policy import RowPolicy
from sb3_ext.maskable_dqn.settings import check_policy_class, warn_of_interval


class MaskedQLearning(WholeSaves, DQN):
    """
    Base of MaskableDQN and LookaheadDQN: acts epsilon-greedily among the feasible actions and keeps, in what it saves,
    the state of its generators and of its exploration schedule.

    A subclass provides :meth:`_make_replay_buffer`, :meth:`_with_own_settings`, ``_store_transition`` and ``train``.
    It sets its own attributes before it calls this constructor, which builds the model.

    :param policy: The policy model to use: MlpPolicy or RowPolicy
    :param env: The environment to learn from (if registered in Gym, can be str)
    :param target_update_interval: as SB3's ``DQN``
    :param exploration_fraction: as SB3's ``DQN``
    :param exploration_initial_eps: as SB3's ``DQN``
    :param exploration_final_eps: as SB3's ``DQN``
    :param max_grad_norm: as SB3's ``DQN``
    :param reward_scale: Factor of the rewards in the learning target
    :param _init_setup_model: Whether or not to build the network at the creation of the instance
    :param off_policy: Arguments of SB3's ``OffPolicyAlgorithm``
    """

    #: What ``action_space`` may be.
    supported_action_spaces: ClassVar[tuple[type[spaces.Space[Any]], ...]] = (spaces.Discrete,)

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {"MlpPolicy": MaskableDQNPolicy, "RowPolicy": RowPolicy}
    #: What an environment without masks can do, for the message.
    without_masks: ClassVar[str] = ""
    #: Class that a loaded replay buffer must have.
    memory_class: ClassVar[type[Any]]
    policy: MaskableDQNPolicy
    q_net: MaskableQNetwork
    q_net_target: MaskableQNetwork
    #: An instance of :attr:`memory_class`: has ``rng`` and ``end_trajectories()``.
    replay_buffer: Any
    #: (gradient_steps,) losses of the latest call of :meth:`train`, each the mean over its batch.
    last_losses: np.ndarray

    def __init__(
        self,
        policy: str | type[MaskableDQNPolicy],
        env: GymEnv | str,
        *,
        target_update_interval: int | str,
        exploration_fraction: float,
        exploration_initial_eps: float,
        exploration_final_eps: float,
        max_grad_norm: float,
        reward_scale: float = 1.0,
        _init_setup_model: bool = True,
        **off_policy: Any,
    ) -> None:
        # Not DQN's own constructor, which allows Discrete actions only.
        super(DQN, self).__init__(
            policy,
            env,
            **({"tau": 1.0} | off_policy),
            sde_support=False,
            support_multi_env=True,
            supported_action_spaces=self.supported_action_spaces,
        )
        self.target_update_interval = target_update_interval  # type: ignore[assignment]
        self.exploration_fraction = exploration_fraction
        self.exploration_initial_eps = exploration_initial_eps
        self.exploration_final_eps = exploration_final_eps
        self.exploration_rate = 0.0
        self.max_grad_norm = max_grad_norm
        self._n_calls = 0
        self.reward_scale = reward_scale
        self.last_losses = np.zeros(0)
        self._rng: np.random.Generator | None = None
        self._rng_seed: int | None = None
        self._acting_masks: np.ndarray | None = None
        self._use_masking = True
        self.exploration = ExplorationClock()
        self._reset_watch = ResetWatch()
        if _init_setup_model:
            self._setup_model()

    def _setup_model(self) -> None:
        self._check_settings()
        # Restored below: the parent seeds all generators, but a loaded model continues with its own.
        loaded_rng = self._rng if self._rng_seed == self.seed else None
        self.replay_buffer = self._make_replay_buffer()
        # SB3 would warn that a custom class of buffer ignores n_steps; this one does not.
        given = self.replay_buffer_class, self.n_steps
        self.replay_buffer_class, self.n_steps = type(self.replay_buffer), 1
        # Not DQN's own set-up, which compares target_update_interval with a number and sets a schedule.
        super(DQN, self)._setup_model()
        self.replay_buffer_class, self.n_steps = given
        self._create_aliases()
        self.batch_norm_stats = get_parameters_by_name(self.q_net, ["running_"])
        self.batch_norm_stats_target = get_parameters_by_name(self.q_net_target, ["running_"])
        self._rng = loaded_rng or np.random.default_rng(self._seed_sequence(0))
        self._rng_seed = self.seed
        if not isinstance(self.target_update_interval, str) and 1 < self.n_envs > self.target_update_interval:
            warn_of_interval(self.n_envs, self.target_update_interval)
        self._parts = ActionParts(self.action_space, type(self).__name__)
        self._mask_source = self._make_mask_source()
        # Rebuilt from the settings, which `load` may have been told to change.
        self.exploration.schedule = self._make_exploration_schedule()
        self._chooser = EpsilonGreedy(self.policy)
        self._reset_watch = ResetWatch()

    def _check_settings(self) -> None:
        check_policy_class(self.policy_class)
        if self.env is not None:
            self._check_env(self.env)

    def _check_env(self, env: VecEnv) -> None:
        """Raise an error if an environment cannot be used; masks are asked for when a training begins."""

    def _make_mask_source(self) -> MaskSource:
        kind = MaskSource if self._use_masking else AllFeasible
        return kind(self._parts.n_choices, type(self).__name__, self._parts.begins)

    def _seed_sequence(self, purpose: int) -> np.random.SeedSequence:
        """Independent seeds: purpose 0 is for actions, 1 for the replay buffer."""
        return np.random.SeedSequence(self.seed, spawn_key=(purpose,))

    def _make_replay_buffer(self) -> Any:
        """An empty replay buffer, an instance of :attr:`memory_class`."""
        raise NotImplementedError

    def _make_exploration_schedule(self) -> ExplorationSchedule:
        return exploration_schedule(self.exploration_initial_eps, self.exploration_final_eps, self.exploration_fraction)

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
        """Replace the environment, unless it cannot be used; see SB3."""
        wrapped = self._wrap_env(env, self.verbose)
        self._check_env(wrapped)
        super().set_env(wrapped, force_reset)

    def learn(
        self,
        total_timesteps: int,
        callback: MaybeCallback = None,
        log_interval: int = 4,
        tb_log_name: str | None = None,
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
    ) -> Self:
        """
        Train; with ``reset_num_timesteps=False`` the previous training and its exploration continue; see SB3.

        :param tb_log_name: Name of the run for TensorBoard, by default that of the class
        """
        name = type(self).__name__ if tb_log_name is None else tb_log_name
        return super().learn(total_timesteps, callback, log_interval, name, reset_num_timesteps, progress_bar)

    def _setup_learn(
        self,
        total_timesteps: int,
        callback: MaybeCallback = None,
        reset_num_timesteps: bool = True,
        tb_log_name: str = "run",
        progress_bar: bool = False,
    ) -> tuple[int, BaseCallback]:
        assert self.env is not None
        if self._use_masking:
            check_masking_supported(self.env, type(self).__name__, self.without_masks)
        self._mask_source = self._make_mask_source()
        resets = reset_num_timesteps or self._last_obs is None
        if resets:
            # Maybe in the middle of an episode.
            self.replay_buffer.end_trajectories()
        prepared = super()._setup_learn(total_timesteps, callback, reset_num_timesteps, tb_log_name, progress_bar)
        self._acting_masks = None
        if resets:
            self._reset_watch.remember(self.env)
        if reset_num_timesteps or self.exploration.start is None:
            self.exploration.restart(self.num_timesteps, self._total_timesteps)
        self.exploration_rate = self.exploration.rate(self.num_timesteps)
        return prepared

    def _init_callback(self, callback: MaybeCallback, progress_bar: bool = False) -> BaseCallback:
        return super()._init_callback(with_watch(self._reset_watch, callback), progress_bar)

    def _begins_anew(self) -> bool:
        """
        Begin new episodes where a callback has reset the environment or evaluated on it: the observations and masks
        at hand, and the transition under way, then belong to episodes that are no longer played.

        :return: Whether it was so
        """
        assert self.env is not None
        if not self._reset_watch.is_disturbed(self.env):
            return False
        self.replay_buffer.end_trajectories()
        self._last_obs = self.env.reset()  # type: ignore[assignment]
        if self._vec_normalize_env is not None:
            self._last_original_obs = self._vec_normalize_env.get_original_obs()
        self._acting_masks = None
        self._reset_watch.remember(self.env)
        return True

    def _update_info_buffer(self, infos: list[dict[str, Any]], dones: np.ndarray | None = None) -> None:
        """Collect the statistics of episodes; see SB3. Those that are made when they are read have none elsewhere."""
        if not isinstance(infos, StepInfos) or dones is None:
            super()._update_info_buffer(infos, dones)

    def restart_exploration(self) -> None:
        """
        Set epsilon back to its initial value now and let it fall again, linearly over the same fraction of
        what remains of the training, or by the same factor. Between trainings it takes effect in the next one.
        """
        self.exploration.restart(self.num_timesteps, self._total_timesteps)
        # A callback calls this after the step, and _on_step() continues from here.
        self.exploration_rate = self.exploration.rate(self.num_timesteps)

    def _on_step(self) -> None:
        """Update the target network when it is due, and epsilon; called after each step."""
        self._n_calls += 1
        if self._target_is_due():
            polyak_update(self.q_net.parameters(), self.q_net_target.parameters(), self.tau)
            polyak_update(self.batch_norm_stats, self.batch_norm_stats_target, 1.0)
        self.exploration_rate = self.exploration.rate(self.num_timesteps)
        self.logger.record("rollout/exploration_rate", self.exploration_rate)

    def _target_is_due(self) -> bool:
        # Each call stands for one step of every environment.
        return self._n_calls % max(self.target_update_interval // self.n_envs, 1) == 0

    def _sample_action(
        self, learning_starts: int, action_noise: ActionNoise | None = None, n_envs: int = 1
    ) -> tuple[np.ndarray, np.ndarray]:
        assert self.env is not None
        assert self._rng is not None
        self._begins_anew()
        if self._acting_masks is None:
            self._acting_masks = self._mask_source.current(self.env)
        if self.num_timesteps < learning_starts:
            actions = self._warm_up_actions(self.env, self._acting_masks, self._rng)
        else:
            assert self._last_obs is not None
            with self.q_net.noise():
                actions = self._chooser.choose(self._last_obs, self._acting_masks, self.exploration_rate, self._rng)
        return self._parts.to_env(actions), actions

    def _warm_up_actions(self, env: VecEnv, masks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Actions (n_envs,) or (n_envs, n_parts) int64, from 0, before learning starts."""
        return self._parts.random(masks, rng)

    def predict(
        self,
        observation: np.ndarray | dict[str, np.ndarray],
        state: tuple[np.ndarray, ...] | None = None,
        episode_start: np.ndarray | None = None,
        deterministic: bool = False,
        action_masks: np.ndarray | None = None,
        *,
        use_masking: bool = True,
    ) -> tuple[np.ndarray, tuple[np.ndarray, ...] | None]:
        """
        Actions for observations, epsilon-greedy unless deterministic; see SB3.

        :param action_masks: (n_actions,) or (n_envs, n_actions) bool; without them all actions count as feasible,
            with a warning the first time, unless the model was trained without masks. Where actions are vectors a
            mask has the entries of all dimensions, one dimension after another, as sb3-contrib's
        :param use_masking: Whether masks are to be given; False: none are, and there is no warning
        :return: the actions, as SB3's: an array of shape (), or (n_envs,) for several observations; where actions are
            vectors, with one more axis. And ``state``
        """
        assert self._rng is not None
        epsilon = 0.0 if deterministic else self.exploration_rate
        if action_masks is not None and not use_masking:
            raise ValueError("action_masks must be None where use_masking is False.")
        if action_masks is None and use_masking and self._use_masking:
            self._mask_source.warn_no_masks()
        with self.q_net.noise(not deterministic):
            return self._chooser.predict(observation, action_masks, epsilon, self._rng), state

    def save_replay_buffer(self, path: str | pathlib.Path | io.BufferedIOBase) -> None:
        """Save the replay buffer under a temporary name, then rename it; see SB3."""
        assert self.replay_buffer is not None
        save_pickle_whole(path, self.replay_buffer, self.verbose)

    def load_replay_buffer(self, path: str | pathlib.Path | io.BufferedIOBase, truncate_last_traj: bool = True) -> None:
        """
        Load a replay buffer, with its generator and all that it knows of its transitions; see SB3.

        :param path: File of the pickled buffer
        :param truncate_last_traj: Without effect
        :raises ValueError: the buffer is of another class, or cannot be used with the settings of this model; what can
            be changed afterwards is as in this model
        """
        buffer = load_from_pkl(path, self.verbose)
        if not isinstance(buffer, self.memory_class):
            raise ValueError(f"The replay buffer must be a {self.memory_class.__name__}, not {type(buffer).__name__}.")
        buffer.device = self.device
        self.replay_buffer = self._with_own_settings(buffer)

    def _with_own_settings(self, loaded: Any) -> Any:
        """A replay buffer with the transitions of a loaded one, and this model's settings."""
        raise NotImplementedError

    def _excluded_save_params(self) -> list[str]:
        own = ["_acting_masks", "_chooser", "_mask_source", "_parts", "_reset_watch"]
        return [*super()._excluded_save_params(), *own]
