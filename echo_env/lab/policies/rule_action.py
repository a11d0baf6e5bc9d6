"""What a rule does now, as a joint action: the example that an agent is shown."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config import LabConfig
from echo_env.lab.decisions.actions import MOST_PER_CLASS, Offer, encode, nearest_feasible
from echo_env.lab.policies.base import make_policy
from echo_env.lab.policies.on_the_fly import TierPolicy
from echo_env.lab.simulation.patient import PatientClass
from echo_env.lab.simulation.policy import Policy
from echo_env.lab.simulation.whiteboard import LabView


def tier_rule(name: str, config: LabConfig) -> TierPolicy:
    """A rule that serves by class: what it does depends on the present minute alone, so it can be asked any time.

    :param name: of the rule
    :param config: the lab
    :raises ValueError: no such policy, or not such a rule
    """
    rule = make_policy(name, config)
    if not isinstance(rule, TierPolicy):
        raise ValueError(
            f"rule is {name!r}, but must be one that serves by class, such as policy_2 or fetal_first: "
            "what others do depends on more than the present minute"
        )
    return rule


def rule_action(rule: Policy, view: LabView, offered: Offer) -> int:
    """The joint action on offer that differs by the fewest starts from what a rule does; ties go to the lowest.

    A joint action begins at most two patients of a class, where a rule may begin more. And where idling actions
    are not on offer, somebody may have to begin whom the rule would not serve.

    :param rule: decides
    :param view: the lab
    :param offered: what is on offer in it; if it is one action, the rule is not asked
    """
    if offered.size == 1:
        return offered.first
    kinds = {entry.patient: entry.patient_class for entry in view.waiting()}
    digits = [0] * len(PatientClass)
    for patient, _, _ in rule.decide(view):
        digits[kinds[patient]] += 1
    return nearest_feasible(encode([min(digit, MOST_PER_CLASS) for digit in digits]), offered.mask)


def compiled_rule(config: LabConfig, name: str, argument: str) -> NDArray[np.int64]:
    """A rule as the compiled engine takes it, see :func:`~echo_env.lab.compiled.batch.tiers_of`.

    :param config: the lab
    :param name: of the rule
    :param argument: what it was given as, for the message
    :raises ValueError: no such policy, or not one that is compiled
    """
    return tiers_of_rule(make_policy(name, config), argument)


def tiers_of_rule(rule: Policy, argument: str) -> NDArray[np.int64]:
    """As :func:`compiled_rule`, of a policy that has been made."""
    if not isinstance(rule, TierPolicy):
        raise ValueError(
            f"{argument} is {rule.name!r}, but must be a rule that serves by class, such as policy_2 or fetal_first: "
            "only these are compiled"
        )
    # Whoever asks has numba; others need not wait for it to load.
    from echo_env.lab.compiled.batch import tiers_of

    return tiers_of(rule.tiers)
