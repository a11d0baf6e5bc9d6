"""Checks of settings of the masked Q-learning algorithms that SB3 does not make."""

import warnings
from typing import Any

import numpy as np
from stable_baselines3.her import HerReplayBuffer

from sb3_ext.maskable_dqn.policies import MaskableDQNPolicy
from sb3_ext.replay import MaskableReplayBuffer


def check_target_interval(interval: int | str) -> None:
    """
    Check the interval between two updates of the target network.

    :param interval: steps, or "episode"
    :raises ValueError: it is another text
    """
    if isinstance(interval, str) and interval != "episode":
        raise ValueError(f'target_update_interval must be a number of steps or "episode", not {interval!r}.')


def warn_of_interval(n_envs: int, interval: int) -> None:
    """
    Warn, as SB3's DQN does, that the target network is updated less often than it is meant to be.

    :param n_envs: Number of environments
    :param interval: Steps between two updates of the target network, fewer than those
    """
    warnings.warn(
        "The number of environments used is greater than the target network "
        f"update interval ({n_envs} > {interval}), "
        "therefore the target network will be updated after each call to env.step() "
        f"which corresponds to {n_envs} steps.",
        UserWarning,
        stacklevel=2,
    )


def check_policy_class(policy_class: type[Any], needed: type[MaskableDQNPolicy] = MaskableDQNPolicy) -> None:
    """
    Check that a policy knows masks, and what else an algorithm needs.

    :param policy_class: class of the policy
    :param needed: what it must be
    :raises ValueError: it is not
    """
    if not issubclass(policy_class, needed):
        raise ValueError(f"policy must be a {needed.__name__}, not {policy_class.__name__}.")


def check_buffer_class(buffer_class: type[Any] | None) -> None:
    """
    Check that a replay buffer stores masks.

    :param buffer_class: class of the replay buffer, or None for the default
    :raises ValueError: it does not
    """
    if buffer_class is None or issubclass(buffer_class, MaskableReplayBuffer):
        return
    reason = ""
    if issubclass(buffer_class, HerReplayBuffer):
        reason = ", which stores no masks and replaces goals, on which the feasible actions may depend"
    raise ValueError(f"replay_buffer_class must be a MaskableReplayBuffer, not {buffer_class.__name__}{reason}.")


def check_finite(what: str, values: np.ndarray | float, who: str) -> None:
    """
    Check that a training has not diverged.

    :param what: "reward" or "loss"
    :param values: of one step or update
    :param who: class of the algorithm
    :raises ValueError: a value is nan or infinite
    """
    if not np.isfinite(values).all():
        wrong = np.asarray(values)[~np.isfinite(values)][0] if np.ndim(values) else values
        raise ValueError(f"{who}: a {what} is {wrong}, not a finite number: the training has diverged.")
