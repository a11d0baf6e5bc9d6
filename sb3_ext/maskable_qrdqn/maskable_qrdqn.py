"""Masked quantile regression DQN."""

from typing import Any, ClassVar

import torch as th
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.type_aliases import GymEnv, Schedule

from sb3_ext.maskable_dqn.fast.fast_path import FastUpdater
from sb3_ext.maskable_dqn.maskable_dqn import MaskableDQN
from sb3_ext.maskable_dqn.settings import check_policy_class
from sb3_ext.maskable_dqn.updates import Updater
from sb3_ext.maskable_qrdqn.policies import CnnPolicy, MaskableQRDQNPolicy, MlpPolicy, MultiInputPolicy, QuantileNetwork
from sb3_ext.maskable_qrdqn.updates import QuantileUpdater


class MaskableQRDQN(MaskableDQN):
    """
    Quantile Regression DQN (QR-DQN) with invalid action masking, double Q-learning and prioritized replay.

    Paper: https://arxiv.org/abs/1710.10044. It learns quantiles of the return of each action by regression, and acts
    on their means. All else is as in :class:`~sb3_ext.maskable_dqn.maskable_dqn.MaskableDQN`, which says what masks,
    action spaces and saved models are. In double Q-learning the means of the online network select; replay is
    prioritized by the errors of the means, and importance weights multiply the loss of each transition.

    Arguments are those of :class:`~sb3_ext.maskable_dqn.maskable_dqn.MaskableDQN`, the first ones in the order of
    sb3-contrib's ``QRDQN`` and with its defaults, except for the smaller replay buffer; those that ``QRDQN`` does not
    have are keyword-only. ``double_q=False, prioritized_replay=False`` learns as ``QRDQN`` does.

    :param policy: The policy model to use: MlpPolicy, CnnPolicy or MultiInputPolicy (``Dict`` observations)
    :param env: The environment to learn from (if registered in Gym, can be str)
    :param learning_rate: as MaskableDQN
    :param buffer_size: as MaskableDQN
    :param learning_starts: as MaskableDQN
    :param batch_size: as MaskableDQN
    :param tau: as MaskableDQN
    :param gamma: as MaskableDQN
    :param train_freq: as MaskableDQN
    :param gradient_steps: as MaskableDQN
    :param replay_buffer_class: as MaskableDQN
    :param replay_buffer_kwargs: as MaskableDQN
    :param optimize_memory_usage: as MaskableDQN
    :param n_steps: as MaskableDQN
    :param target_update_interval: as MaskableDQN
    :param exploration_fraction: as MaskableDQN
    :param exploration_initial_eps: as MaskableDQN
    :param exploration_final_eps: as MaskableDQN
    :param max_grad_norm: The maximum value for the gradient clipping, or None for no clipping
    :param stats_window_size: as MaskableDQN
    :param tensorboard_log: as MaskableDQN
    :param policy_kwargs: additional arguments to be passed to the policy on creation, among them ``n_quantiles`` (200),
        see :class:`~sb3_ext.maskable_qrdqn.policies.MaskableQRDQNPolicy`; where it says nothing of the optimizer, Adam
        has the paper's ``eps`` of 0.01 / batch_size
    :param verbose: as MaskableDQN
    :param seed: as MaskableDQN
    :param device: as MaskableDQN
    :param _init_setup_model: Whether or not to build the network at the creation of the instance
    :param exploration_decay: as MaskableDQN
    :param exploration_decay_every: as MaskableDQN
    :param double_q: as MaskableDQN
    :param prioritized_replay: as MaskableDQN; priorities are TD errors of the means of the quantiles
    :param reward_scale: as MaskableDQN
    :param elapsed_key: as MaskableDQN
    :param demonstrator: as MaskableDQN
    :param demonstration_noise: as MaskableDQN
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {
        "MlpPolicy": MlpPolicy,
        "CnnPolicy": CnnPolicy,
        "MultiInputPolicy": MultiInputPolicy,
    }
    policy: MaskableQRDQNPolicy
    q_net: QuantileNetwork
    q_net_target: QuantileNetwork

    def __init__(
        self,
        policy: str | type[MaskableQRDQNPolicy],
        env: GymEnv | str,
        learning_rate: float | Schedule = 5e-5,
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
        exploration_fraction: float = 0.005,
        exploration_initial_eps: float = 1.0,
        exploration_final_eps: float = 0.01,
        max_grad_norm: float | None = None,
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
        policy_kwargs = dict(policy_kwargs or {})
        if not {"optimizer_class", "optimizer_kwargs"} & set(policy_kwargs):
            policy_kwargs["optimizer_kwargs"] = {"eps": 0.01 / batch_size, "fused": True}
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
            replay_buffer_class,
            replay_buffer_kwargs,
            optimize_memory_usage,
            n_steps,
            target_update_interval,
            exploration_fraction,
            exploration_initial_eps,
            exploration_final_eps,
            max_grad_norm,
            stats_window_size,
            tensorboard_log,
            policy_kwargs,
            verbose,
            seed,
            device,
            _init_setup_model,
            exploration_decay=exploration_decay,
            exploration_decay_every=exploration_decay_every,
            double_q=double_q,
            prioritized_replay=prioritized_replay,
            reward_scale=reward_scale,
            elapsed_key=elapsed_key,
            demonstrator=demonstrator,
            demonstration_noise=demonstration_noise,
        )

    def _check_settings(self) -> None:
        check_policy_class(self.policy_class, MaskableQRDQNPolicy)
        super()._check_settings()

    def _make_updater(self) -> Updater:
        return FastUpdater(self.policy, QuantileUpdater(self.policy))

    @property
    def quantile_net(self) -> QuantileNetwork:
        """The online network, by the name that it has in sb3-contrib's QRDQN."""
        return self.q_net

    @property
    def quantile_net_target(self) -> QuantileNetwork:
        """The target network, likewise."""
        return self.q_net_target

    @property
    def n_quantiles(self) -> int:
        """Number of quantiles, as in sb3-contrib's QRDQN."""
        return self.policy.n_quantiles
