"""Trials on the compiled engine, for the policies that it supports."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from echo_env.pathways.compiled.kernel import GAIN, Record, play
from echo_env.pathways.compiled.learning import cohort_of
from echo_env.pathways.instance.instance import Instance, Luck
from echo_env.pathways.policies.bidding import BiddingPolicy
from echo_env.pathways.simulation.policy import Policy
from echo_env.pathways.simulation.trace import Trace


def is_compiled(policy: Policy) -> bool:
    """Whether the compiled engine supports a policy: every bidding rule with the auction."""
    return type(policy) is BiddingPolicy and policy.mechanism == "auction"


def play_trials(instance: Instance, lucks: Sequence[Luck], policy: Policy) -> list[Trace]:
    """Simulate trials of an instance.

    :param instance: the instance
    :param lucks: random draws of the trials
    :param policy: a policy for which :func:`is_compiled` holds
    """
    assert isinstance(policy, BiddingPolicy)
    policy.begin_instance(instance)
    model, horizon = instance.model, instance.config.horizon
    if policy.rule <= GAIN:
        _, values, never = policy.prospects
    else:
        values = never = np.zeros((horizon + 1, *model.reward.shape))
    traces = []
    for luck in lucks:
        rows = np.zeros((3, horizon + 1, instance.config.patients), dtype=np.int64)
        counts = np.zeros((2, len(model.units), horizon), dtype=np.int64)
        record = Record(*rows, *counts)
        play(model, cohort_of(instance), horizon, luck, policy.rule, values, never, record)
        traces.append(Trace(instance, *rows))
    return traces
