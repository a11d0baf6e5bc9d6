"""The joint action of a rule in the present state: what an agent is shown as a demonstration."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config.lab import Lab
from echo_env.lab.decisions.action_sets import ActionSet
from echo_env.lab.decisions.actions import MOST_PER_CLASS, Offer, encode
from echo_env.lab.decisions.starts import StartActions
from echo_env.lab.policies.base import make_policy
from echo_env.lab.simulation.patient import PatientClass
from echo_env.lab.simulation.policy import Policy, TieredPolicy
from echo_env.lab.simulation.view import LabView


def tiered_rule(config: Lab, rule: str | Policy, argument: str) -> TieredPolicy:
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


def compiled_rule(config: Lab, rule: str | Policy, argument: str) -> NDArray[np.int64]:
    """A rule that serves by class as the compiled engine takes it (needs numba).

    :param config: the lab
    :param rule: its name, or the policy itself
    :param argument: name of the argument that gave the rule, for the message
    :return: (3 K,) int64, the tier of each class, -1 for a class that is not served
    :raises ValueError: unknown policy, or one that does not offer ``tiers``
    """
    tiers = tiered_rule(config, rule, argument).tiers
    types = len(config.plan.types)
    # Callers have numba loaded; others need not wait for it.
    from echo_env.lab.compiled.batch import tiers_of

    return tiers_of(tiers, types)


def rule_action(rule: Policy, view: LabView, offered: Offer, actions: ActionSet) -> int:
    """The feasible action nearest to a rule's decision.

    A joint action may differ from the decision, because it begins at most two patients of a class, and where idling
    actions are masked somebody may have to begin whom the rule would not serve: the nearest is the one that differs by
    the fewest starts, and of these the lowest. Of single starts it is the first that the rule would make, or stop.

    :param rule: the rule
    :param view: the lab
    :param offered: its feasible actions; if there is only one, the rule does not decide
    :param actions: the action space
    """
    if offered.size == 1:
        return offered.first
    kinds = {entry.patient: entry.patient_class for entry in view.waiting()}
    begun = [kinds[patient] for patient, _, _ in rule.decide(view)]
    if isinstance(actions, StartActions):
        return actions.nearest(begun[0] if begun else actions.stop, offered.mask)
    digits = [0] * len(PatientClass)
    for kind in begun:
        digits[kind] += 1
    return actions.nearest(encode([min(digit, MOST_PER_CLASS) for digit in digits]), offered.mask)
