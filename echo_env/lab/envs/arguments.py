"""Arguments that the environments of the lab share, and what follows from them."""

from __future__ import annotations

from typing import Any

from echo_env.lab.config import ConfigError
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import Day
from echo_env.lab.policies.base import make_policy
from echo_env.lab.policies.rule_action import tiered_rule
from echo_env.lab.simulation.policy import Policy

CLOCKS = ("minute", "event")
PENALTY, PAIRED, ADVANTAGE = REWARDS = ("penalty", "paired", "advantage")
"""Rewards of all environments of the lab; those of the morning have the first two."""


def check_env_arguments(clock: str, reward: str, idling: bool) -> None:
    """Check the arguments that all lab envs share.

    :raises ValueError: names the argument, its value and what is allowed
    """
    for name, value, allowed in (
        ("clock", clock, CLOCKS),
        ("reward", reward, REWARDS),
        ("idling", idling, (True, False)),
    ):
        if value not in allowed:
            raise ValueError(f"{name} is {value!r}, but must be one of {', '.join(map(str, allowed))}")


def base_of(reward: str, paired_with: str, config: Lab) -> Policy | None:
    """The policy that a reward compares with.

    :param reward: of :data:`REWARDS`
    :param paired_with: name of the policy
    :param config: the lab
    :return: None for the reward that compares with nothing
    :raises ValueError: unknown policy; or, for ``advantage``, one that does not decide by the present minute alone
    """
    if reward == PENALTY:
        return None
    return tiered_rule(config, paired_with, "paired_with") if reward == ADVANTAGE else make_policy(paired_with, config)


def day_of_reset(drawn: Day, options: dict[str, Any], absence_rate: float | None) -> Day:
    """The day that a reset is to play.

    :param drawn: what was drawn for it
    :param options: of the reset: ``day`` or ``absence_rate``
    :param absence_rate: of all days from now on; None for that of the lab
    :raises ConfigError: another option, or a day that is none
    """
    unknown = set(options) - {"day", "absence_rate"}
    if unknown:
        raise ConfigError(f"reset option {min(unknown)!r} is unknown, allowed are 'day' and 'absence_rate'")
    day = options.get("day", drawn if absence_rate is None else drawn.with_absence_rate(absence_rate))
    if not isinstance(day, Day):
        raise ConfigError(f"reset option 'day' is {day!r}, but must be a Day")
    return day.with_absence_rate(options["absence_rate"]) if "absence_rate" in options else day
