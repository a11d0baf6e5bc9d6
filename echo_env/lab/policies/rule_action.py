"""The joint action of a rule in the present state: what an agent is shown as a demonstration."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config import LabConfig
from echo_env.lab.decisions.actions import MOST_PER_CLASS, Offer, encode, nearest_feasible
from echo_env.lab.policies.base import make_policy
from echo_env.lab.simulation.patient import PatientClass
from echo_env.lab.simulation.policy import Policy, TieredPolicy
from echo_env.lab.simulation.whiteboard import LabView


def tiered_rule(config: LabConfig, rule: str | Policy, argument: str) -> TieredPolicy:
    """A rule that serves by class: it is compiled, and its decisions depend on the present minute alone.

    :param config: the lab
    :param rule: its name, or the policy itself
    :param argument: name of the argument that gave the rule, for the message
    :raises ValueError: unknown policy, or one that does not offer ``tiers``
    """
    policy = make_policy(rule, config) if isinstance(rule, str) else rule
    if not isinstance(policy, TieredPolicy):
        raise ValueError(
            f"{argument} is {policy.name!r}, but must be a rule that serves by class, such as policy_2 or fetal_first: "
            "only these are compiled and decide by the present minute alone"
        )
    return policy


def compiled_rule(config: LabConfig, rule: str | Policy, argument: str) -> NDArray[np.int64]:
    """A rule that serves by class as the compiled engine takes it (needs numba).

    :param config: the lab
    :param rule: its name, or the policy itself
    :param argument: name of the argument that gave the rule, for the message
    :return: (6,) int64, the tier of each class, -1 for a class that is not served
    :raises ValueError: unknown policy, or one that does not offer ``tiers``
    """
    tiers = tiered_rule(config, rule, argument).tiers
    # Callers have numba loaded; others need not wait for it.
    from echo_env.lab.compiled.batch import tiers_of

    return tiers_of(tiers)


def rule_action(rule: Policy, view: LabView, offered: Offer) -> int:
    """The feasible joint action nearest to a rule's decision: fewest starts differ; ties go to the lowest.

    It may differ from the decision, because a joint action begins at most two patients of a class, and where idling
    actions are masked somebody may have to begin whom the rule would not serve.

    :param rule: the rule
    :param view: the lab
    :param offered: its feasible actions; if there is only one, the rule does not decide
    """
    if offered.size == 1:
        return offered.first
    kinds = {entry.patient: entry.patient_class for entry in view.waiting()}
    digits = [0] * len(PatientClass)
    for patient, _, _ in rule.decide(view):
        digits[kinds[patient]] += 1
    return nearest_feasible(encode([min(digit, MOST_PER_CLASS) for digit in digits]), offered.mask)
