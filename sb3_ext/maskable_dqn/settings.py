"""Checks of the settings of MaskableDQN that SB3 does not check."""

from typing import Any

from sb3_ext.maskable_dqn.policies import MaskableDQNPolicy
from sb3_ext.replay import MaskableReplayBuffer


def check_target_interval(interval: int | str) -> None:
    """
    Raise an error unless the target network can be updated so.

    :param interval: steps, or "episode"
    """
    if isinstance(interval, str) and interval != "episode":
        raise ValueError(f'target_update_interval must be a number of steps or "episode", not {interval!r}.')


def check_classes(policy_class: type[Any], buffer_class: type[Any] | None) -> None:
    """
    Raise an error unless policy and replay buffer know masks.

    :param policy_class: class of the policy
    :param buffer_class: class of the replay buffer, if one was named
    """
    if not issubclass(policy_class, MaskableDQNPolicy):
        raise ValueError(f"policy must be a MaskableDQNPolicy, not {policy_class.__name__}.")
    if not issubclass(buffer_class or MaskableReplayBuffer, MaskableReplayBuffer):
        raise ValueError(f"replay_buffer_class must be a MaskableReplayBuffer, not {buffer_class}.")
