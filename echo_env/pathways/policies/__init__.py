"""Policies: the assignment of resources to patients for the next step."""

from echo_env.pathways.policies.base import Policy, make_policy, policy_names, register_policy
from echo_env.pathways.policies.bidding import BiddingPolicy

__all__ = ["BiddingPolicy", "Policy", "make_policy", "policy_names", "register_policy"]
