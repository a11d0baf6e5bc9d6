"""Policy iteration by simulation, for MaskableDQN's network."""

from typing import Any, ClassVar

import numpy as np
import torch as th
from stable_baselines3.common.noise import ActionNoise
from stable_baselines3.common.type_aliases import GymEnv, Schedule
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from sb3_ext.common.masks import check_masking_supported
from sb3_ext.lookahead_dqn.lookahead_buffer import LookaheadBuffer
from sb3_ext.maskable_dqn.base import MaskedQLearning
from sb3_ext.maskable_dqn.policies import MaskableDQNPolicy, masked_argmax
from sb3_ext.maskable_dqn.settings import check_finite

#: Name of the environment's method that continues episodes from copies of its states.
METHOD_NAME = "action_returns"


class LookaheadDQN(MaskedQLearning):
    """
    Learns MaskableDQN's network from simulated continuations instead of bootstrapped targets.

    Where an environment can be continued from a copy of its state, the return of *every* feasible action can be
    simulated: take it, then follow a base policy to the end of the episode, with common random numbers for all
    actions. The network learns the differences between the actions of a state, in which most of that randomness
    cancels out; acting greedily on it is then one step of policy improvement over the base policy (rollout and
    rollout policy iteration: Bertsekas, "Rollout, Policy Iteration, and Distributed Reinforcement Learning", 2020;
    Lagoudakis and Parr, "Reinforcement Learning as Classification", 2003). The base policy is at first a rule that
    the environment knows by name and, from ``base_steps`` on, the greedy policy of the target network: policy
    iteration.

    Besides ``action_masks()`` the environment needs a method ``action_returns(choose, rule)``: the sum of rewards to
    the end of the episode for each feasible action, (n_envs, n_actions) float, nan where not known. After the first
    action ``choose(observations, masks) -> actions`` decides or, where that is None, the rule. The method may use
    knowledge of the rest of the episode. The learned policy does not: it sees observations only.

    Saved models are loaded, used and evaluated like MaskableDQN's; ``predict`` is the same. Action values are
    learned up to a constant that is common to all actions of a state.

    The first arguments are those of SB3's ``DQN``, in its order; all others are keyword-only.

    :param policy: The policy model to use: MlpPolicy or RowPolicy
    :param env: The environment to learn from, vectorized, with ``action_masks()`` and ``action_returns()``
    :param learning_rate: The learning rate, or a function of the progress remaining (from 1 to 0)
    :param buffer_size: States to keep in memory
    :param learning_starts: Steps of the model to collect states for before learning starts
    :param batch_size: States in each minibatch
    :param base: Name of the rule that is the base policy at first, as the environment knows it; required
    :param base_steps: Environment steps after which the network itself becomes the base policy
    :param target_update_interval: Environment steps between two copies to the target network from then on
    :param most_actions: Maximum number of actions of a state to keep
    :param train_freq: Update the model every ``train_freq`` steps
    :param gradient_steps: How many gradient steps to do after each rollout (see ``train_freq``)
    :param exploration_fraction: fraction of the training over which epsilon falls
    :param exploration_initial_eps: initial value of random action probability
    :param exploration_final_eps: final value of random action probability
    :param max_grad_norm: The maximum value for the gradient clipping
    :param reward_scale: Factor of the returns in the learning target
    :param stats_window_size: Episodes over which the log averages
    :param tensorboard_log: the log location for tensorboard (if None, no logging)
    :param policy_kwargs: see :class:`~sb3_ext.maskable_dqn.policies.MaskableDQNPolicy`
    :param verbose: Verbosity level: 0 for no output, 1 for info messages, 2 for debug messages
    :param seed: Seed for the pseudo random generators
    :param device: Device (cpu, cuda, ...) on which the code should be run; auto: the GPU if possible.
    :param _init_setup_model: Whether or not to build the network at the creation of the instance
    :raises ValueError: no base is given, or the environment lacks one of the two methods
    """

    memory_class: ClassVar[type[Any]] = LookaheadBuffer
    replay_buffer: LookaheadBuffer

    def __init__(
        self,
        policy: str | type[MaskableDQNPolicy],
        env: GymEnv | str,
        learning_rate: float | Schedule = 1e-3,
        buffer_size: int = 100_000,
        learning_starts: int = 10_000,
        batch_size: int = 1024,
        *,
        # None only while a saved model is loaded, which sets it afterwards.
        base: str | None = None,
        base_steps: int = 100_000,
        target_update_interval: int = 100_000,
        most_actions: int = 16,
        train_freq: int = 1,
        gradient_steps: int = 2,
        exploration_fraction: float = 0.1,
        exploration_initial_eps: float = 1.0,
        exploration_final_eps: float = 0.1,
        max_grad_norm: float = 1.0,
        reward_scale: float = 1.0,
        stats_window_size: int = 100,
        tensorboard_log: str | None = None,
        policy_kwargs: dict[str, Any] | None = None,
        verbose: int = 0,
        seed: int | None = None,
        device: th.device | str = "auto",
        _init_setup_model: bool = True,
    ) -> None:
        self.base = base
        self.base_steps = base_steps
        self.most_actions = most_actions
        super().__init__(
            policy,
            env,
            reward_scale=reward_scale,
            learning_rate=learning_rate,
            buffer_size=buffer_size,
            learning_starts=learning_starts,
            batch_size=batch_size,
            train_freq=train_freq,
            gradient_steps=gradient_steps,
            target_update_interval=target_update_interval,
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
            _init_setup_model=_init_setup_model,
        )

    def _check_settings(self) -> None:
        if not isinstance(self.base, str):
            raise ValueError(f"LookaheadDQN: base must be the name of a rule of the environment, not {self.base!r}.")
        super()._check_settings()

    def _check_env(self, env: VecEnv) -> None:
        super()._check_env(env)
        check_masking_supported(env, type(self).__name__)
        if not env.has_attr(METHOD_NAME):
            raise ValueError(
                f"LookaheadDQN needs an environment with a method {METHOD_NAME}(), which is missing: only some "
                "vector environments can be continued from copies of their states."
            )

    def _make_replay_buffer(self) -> LookaheadBuffer:
        return LookaheadBuffer(
            self.buffer_size,
            self.observation_space,
            self.action_space,
            self.device,
            most_actions=self.most_actions,
            seed=self._seed_sequence(1),
        )

    def _with_own_settings(self, loaded: LookaheadBuffer) -> LookaheadBuffer:
        return loaded.resized(self._make_replay_buffer())

    def _target_is_due(self) -> bool:
        # Each call stands for one step of every environment.
        since = self._n_calls - max(self.base_steps // self.n_envs, 1)
        return since >= 0 and since % max(int(self.target_update_interval) // self.n_envs, 1) == 0

    def _sample_action(
        self, learning_starts: int, action_noise: ActionNoise | None = None, n_envs: int = 1
    ) -> tuple[np.ndarray, np.ndarray]:
        chosen = super()._sample_action(learning_starts, action_noise, n_envs)
        assert self.env is not None
        choose = None if self.num_timesteps < self.base_steps else self._continue
        returns = np.stack(self.env.env_method(METHOD_NAME, choose, self.base))
        normalizer = self._vec_normalize_env
        observations = self._last_obs if normalizer is None else normalizer.get_original_obs()
        assert isinstance(observations, np.ndarray)
        self.replay_buffer.add_returns(observations, returns)
        return chosen

    @th.no_grad()
    def _continue(self, observations: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """The target network's greedy choice."""
        if self._vec_normalize_env is not None:
            observations = self._vec_normalize_env.normalize_obs(observations)  # type: ignore[assignment]
        values = self.policy.q_net_target(th.as_tensor(observations, device=self.device))
        return masked_argmax(values, th.as_tensor(masks, device=self.device))[:, 0].cpu().numpy()

    def _store_transition(
        self,
        replay_buffer: Any,
        buffer_action: np.ndarray,
        new_obs: Any,
        reward: np.ndarray,
        dones: np.ndarray,
        infos: Any,
    ) -> None:
        # The returns of the state were stored when its action was chosen.
        assert self.env is not None
        check_finite("reward", reward, type(self).__name__)
        if self._begins_anew():
            return
        _, self._acting_masks = self._mask_source.after_step(self.env, dones, infos)
        self._last_obs = new_obs

    def train(self, gradient_steps: int, batch_size: int = 1024) -> None:
        """Draw ``gradient_steps`` batches of states from memory and update the network on each; see SB3."""
        if self.replay_buffer.size() == 0 or gradient_steps == 0:
            return
        self._update_learning_rate(self.policy.optimizer)
        self.last_losses = np.zeros(gradient_steps)
        for step in range(gradient_steps):
            self.last_losses[step] = self._update(batch_size, self._vec_normalize_env)
            check_finite("loss", self.last_losses[step], type(self).__name__)
        self._n_updates += gradient_steps
        self.logger.record("train/n_updates", self._n_updates, exclude="tensorboard")
        self.logger.record("train/loss", self.last_losses.mean())
        self.logger.record("train/states", self.replay_buffer.size())

    def _update(self, batch_size: int, env: VecNormalize | None) -> float:
        """One gradient step on the squared error of the differences between the actions of a state."""
        samples = self.replay_buffer.sample(batch_size, env)
        self.policy.set_training_mode(True)
        with self.policy.q_net.noise():
            values = self.policy.q_net(samples.observations).gather(1, samples.actions)
        self.policy.set_training_mode(False)
        means = (values * samples.known).sum(1, keepdim=True) / samples.known.sum(1, keepdim=True)
        errors = values - means - self.reward_scale * samples.advantages
        loss = errors[samples.known].square().mean()
        self.policy.optimizer.zero_grad()
        loss.backward()
        th.nn.utils.clip_grad_norm_(self.policy.q_net.parameters(), self.max_grad_norm)
        self.policy.optimizer.step()
        return float(loss.item())
