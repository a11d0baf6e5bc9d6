"""Policies: rules, optimisers and agents that decide who begins an exam."""

from echo_env.lab.policies.auction import AuctionPolicy
from echo_env.lab.policies.base import Policy, make_policy, policy_names, register_cases, register_policy
from echo_env.lab.policies.on_the_fly import (
    DedicatedPolicy,
    TierPolicy,
    fetal_first,
    policy_1,
    policy_2,
    policy_3,
    policy_4,
    scarce_first,
    urgent_first,
)
from echo_env.lab.policies.random_policy import RandomPolicy
from echo_env.lab.policies.reservation import ReservationPolicy, policy_5, policy_6
from echo_env.lab.policies.rolling_horizon import RollingHorizonPolicy
from echo_env.lab.policies.rollout import RolloutPolicy

__all__ = [
    "AuctionPolicy",
    "DedicatedPolicy",
    "Policy",
    "RandomPolicy",
    "ReservationPolicy",
    "RollingHorizonPolicy",
    "RolloutPolicy",
    "TierPolicy",
    "fetal_first",
    "make_policy",
    "policy_1",
    "policy_2",
    "policy_3",
    "policy_4",
    "policy_5",
    "policy_6",
    "policy_names",
    "register_cases",
    "register_policy",
    "scarce_first",
    "urgent_first",
]
