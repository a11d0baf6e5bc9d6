"""Whole days on the compiled engine, under any policy that offers ``tiers`` or a batch ``chooser`` (needs numba)."""

from __future__ import annotations

import numpy as np

from echo_env.lab.compiled import batch
from echo_env.lab.compiled import steps as batch_steps
from echo_env.lab.compiled.layout import MINUTE, Labs
from echo_env.lab.compiled.offers import action_count
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import Days
from echo_env.lab.simulation.metrics import DayResults
from echo_env.lab.simulation.penalty import UNITS
from echo_env.lab.simulation.policy import BatchChooser, ChoosingPolicy, Policy, TieredPolicy, reservations_of


def play_days(config: Lab, policy: Policy, days: Days) -> DayResults:
    """Play days to their end, all at once.

    :param config: the lab
    :param policy: one for which :func:`~echo_env.lab.simulation.policy.is_compiled` holds
    :param days: the days
    :raises TypeError: the policy offers neither ``tiers`` nor a ``chooser``
    """
    labs = batch.make_labs(config, len(days))
    every = np.arange(len(days))
    batch.begin_days(config, labs, every, days)
    if isinstance(policy, TieredPolicy):
        nothing = np.zeros((len(days), 0, UNITS), dtype=np.int64)
        batch.run_days(labs, batch.rules_of(config), batch.tiers_of(policy.tiers, len(config.plan.types)), nothing)
    elif isinstance(policy, ChoosingPolicy):
        _play_choices(config, labs, policy, policy.chooser(config, days))
    else:
        raise TypeError(f"policy {policy.name!r} is not compiled: it offers neither tiers nor a chooser")
    return batch.results_of(config, labs, every, np.full(len(days), np.max(days.absence_rate)))


def _play_choices(config: Lab, labs: Labs, policy: ChoosingPolicy, choose: BatchChooser) -> None:
    """Step all labs together; in each step the chooser acts for those with a choice."""
    count, joint = len(labs.lab), policy.actions == "joint"
    rules = batch.rules_of(config, reservations_of(policy))
    mask = np.zeros((count, action_count(rules, joint)), dtype=np.bool_)
    size, first = np.zeros((2, count), dtype=np.int64)
    batch_steps.begin_labs(np.arange(count), labs, rules, joint, policy.idling, True, mask, size, first)
    while (labs.lab[:, MINUTE] < config.hours.end_min).any():
        choices = np.flatnonzero(size > 1)
        actions = first.copy()
        if len(choices):
            actions[choices] = choose(labs, choices, mask[choices])
        batch_steps.step_labs(actions, labs, rules, joint, policy.idling, True, mask, size, first)
