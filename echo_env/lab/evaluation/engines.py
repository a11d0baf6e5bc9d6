"""Whole days on the compiled engine: rules that serve by class, and what chooses joint actions, in batches."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.compiled import batch, kernel
from echo_env.lab.compiled import steps as batch_steps
from echo_env.lab.config import LabConfig
from echo_env.lab.day import Days
from echo_env.lab.decisions.actions import ACTIONS
from echo_env.lab.decisions.observation import observation_fields
from echo_env.lab.policies.agent import AgentPolicy
from echo_env.lab.policies.on_the_fly import TierPolicy
from echo_env.lab.policies.random_policy import RandomPolicy, draw_action
from echo_env.lab.simulation.metrics import DayResults
from echo_env.lab.simulation.policy import Policy

Choose = Callable[[NDArray[np.int64], NDArray[np.bool_]], NDArray[np.int64]]
"""(labs that are asked, what is on offer in them) -> their actions."""


def is_compiled(policy: Policy) -> bool:
    """Whether the compiled engine knows how to follow a policy."""
    return isinstance(policy, (TierPolicy, AgentPolicy, RandomPolicy))


def play_days(config: LabConfig, policy: Policy, days: Days) -> DayResults:
    """Play days to their end, all at once.

    :param config: the lab
    :param policy: one for which :func:`is_compiled` holds
    :param days: the days
    """
    labs = batch.make_labs(config, len(days))
    every = np.arange(len(days))
    batch.begin_days(config, labs, every, days)
    if isinstance(policy, TierPolicy):
        nothing = np.zeros((len(days), 0, 4), dtype=np.int64)
        batch.run_days(labs, batch.rules_of(config), batch.tiers_of(policy.tiers), nothing)
    elif isinstance(policy, AgentPolicy):
        _play_choices(config, labs, policy.idling, _agent_chooser(config, policy, labs))
    elif isinstance(policy, RandomPolicy):
        _play_choices(config, labs, True, _random_chooser(days))
    else:
        raise TypeError(f"policy {policy.name!r} is not one that the compiled engine knows")
    return batch.results_of(labs, every, np.full(len(days), days.absence_rate))


def _play_choices(config: LabConfig, labs: kernel.Labs, idling: bool, choose: Choose) -> None:
    """Ask for an action in every lab at once, wherever there is a choice."""
    count, rules = len(labs.lab), batch.rules_of(config)
    mask = np.zeros((count, ACTIONS), dtype=np.bool_)
    size, first = np.zeros((2, count), dtype=np.int64)
    batch_steps.begin_labs(np.arange(count), labs, rules, idling, True, mask, size, first)
    while (labs.lab[:, kernel.MINUTE] < config.hours.end_min).any():
        asked = np.flatnonzero(size > 1)
        actions = first.copy()
        if len(asked):
            actions[asked] = choose(asked, mask[asked])
        batch_steps.step_labs(actions, labs, rules, idling, True, mask, size, first)


def _agent_chooser(config: LabConfig, agent: AgentPolicy, labs: kernel.Labs) -> Choose:
    rules = batch.rules_of(config)
    scale = np.array([field.scale for field in observation_fields(agent.observation, config)])
    shown: NDArray[np.float32] = np.zeros((len(labs.lab), len(scale)), dtype=np.float32)

    def choose(asked: NDArray[np.int64], masks: NDArray[np.bool_]) -> NDArray[np.int64]:
        batch_steps.observe_labs(labs, rules, scale, agent.observation == "rich", shown)
        return agent.choose(shown[asked], masks)

    return choose


def _random_chooser(days: Days) -> Choose:
    rngs = [np.random.default_rng(seed) for seed in days.policy_seed]

    def choose(asked: NDArray[np.int64], masks: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.array([draw_action(mask, rngs[i]) for i, mask in zip(asked, masks, strict=True)])

    return choose
