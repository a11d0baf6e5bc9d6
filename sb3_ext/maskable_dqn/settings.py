"""Checks of settings of the masked Q-learning algorithms that SB3 does not make."""

from typing import Any

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


def check_policy_class(policy_class: type[Any]) -> None:
    """
    Check that a policy knows masks.

    :param policy_class: class of the policy
    :raises ValueError: it does not
    """
    if not issubclass(policy_class, MaskableDQNPolicy):
        raise ValueError(f"policy must be a MaskableDQNPolicy, not {policy_class.__name__}.")


def check_buffer_class(buffer_class: type[Any] | None) -> None:
    """
    Check that a replay buffer stores masks.

    :param buffer_class: class of the replay buffer, or None for the default
    :raises ValueError: it does not
    """
    if not issubclass(buffer_class or MaskableReplayBuffer, MaskableReplayBuffer):
        raise ValueError(f"replay_buffer_class must be a MaskableReplayBuffer, not {buffer_class}.")
