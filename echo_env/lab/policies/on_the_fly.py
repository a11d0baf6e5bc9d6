"""Rules without reservations: who comes first when something is free (sections 4.1 and 4.2)."""

from __future__ import annotations

from collections.abc import Sequence

from echo_env.lab.allocation import assign
from echo_env.lab.config import LabConfig
from echo_env.lab.patient import EARLY, LATE, ON_TIME, PatientClass, Start
from echo_env.lab.policies.base import Policy, register_policy
from echo_env.lab.whiteboard import LabView

Tiers = Sequence[Sequence[PatientClass]]


class TierPolicy:
    """Serves tiers of classes one after the other, within a tier the longest wait first.

    :param name: how tables call it
    :param tiers: classes served, in order of precedence; a class in none of them is not served
    """

    def __init__(self, name: str, tiers: Tiers) -> None:
        self.name = name
        self.tiers = tiers

    def begin_day(self, view: LabView, seed: int) -> None:
        """Nothing to prepare."""

    def decide(self, view: LabView) -> list[Start]:
        """Everybody who can be served, in order of precedence."""
        return assign(view, [entry for tier in self.tiers for entry in view.waiting(*tier)])


@register_policy("policy_1")
def policy_1(config: LabConfig) -> Policy:
    """On-time patients, then late ones (section 4.1)."""
    return TierPolicy("policy_1", (ON_TIME, LATE))


@register_policy("policy_2")
def policy_2(config: LabConfig) -> Policy:
    """On-time, then late, then early patients (section 4.2)."""
    return TierPolicy("policy_2", (ON_TIME, LATE, EARLY))


@register_policy("fetal_first")
def fetal_first(config: LabConfig) -> Policy:
    """Policy 2 with fetal before non-fetal among the on-time, and among the late. No rule of the paper."""
    return TierPolicy("fetal_first", (*((kind,) for kind in ON_TIME + LATE), EARLY))
