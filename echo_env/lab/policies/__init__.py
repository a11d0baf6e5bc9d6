"""Policies: who begins an exam when something is free."""

from echo_env.lab.policies.base import Policy, make_policy, policy_names, register_policy
from echo_env.lab.policies.on_the_fly import TierPolicy, fetal_first, policy_1, policy_2
from echo_env.lab.policies.random_policy import RandomPolicy

__all__ = [
    "Policy",
    "RandomPolicy",
    "TierPolicy",
    "fetal_first",
    "make_policy",
    "policy_1",
    "policy_2",
    "policy_names",
    "register_policy",
]
