"""Advice: what a policy would start now, and what the alternatives would be expected to cost."""

from __future__ import annotations

from typing import NamedTuple

from echo_env.common.stats import Estimate, paired_difference
from echo_env.lab.advice.deciding import Decision, decide, memory_note
from echo_env.lab.advice.ranking import Ranking, rank
from echo_env.lab.advice.state import Standing
from echo_env.lab.config.lab import Lab
from echo_env.lab.evaluation.comparison import evaluate
from echo_env.lab.family.prepared import RULES
from echo_env.lab.policies.base import make_policy
from echo_env.lab.simulation.policy import Policy

RULE_DAYS, RULE_SEED = 200, 71_500_000
"""Simulated days on which the rule is chosen that advises by default."""


class Advice(NamedTuple):
    """What to do at a minute. It advises, and never decides.

    :param standing: the state that it is about
    :param policy: name of what decided
    :param decision: what it would do
    :param ranking: what the alternatives would be expected to cost
    :param note: a sentence on what the policy cannot know; may be empty
    """

    standing: Standing
    policy: str
    decision: Decision
    ranking: Ranking
    note: str


def advise(standing: Standing, policy: Policy, seed: int = 0, draws: int = 0) -> Advice:
    """Advise on the exams to begin now.

    The same state gives the same advice.

    :param standing: the state
    :param policy: decides; made for the lab of the state
    :param seed: of the draws of the unknown rest of the day, and of a randomised policy
    :param draws: how many, or 0 for what :mod:`~echo_env.lab.advice.ranking` thinks fit
    :raises ValueError: the policy decides on a start that is not possible, or numba is missing
    """
    decision = decide(standing, policy, seed)
    return Advice(standing, policy.name, decision, rank(standing, policy, decision, seed, draws), memory_note(policy))


class Choice(NamedTuple):
    """The rule that advises where none is named.

    :param policy: the rule
    :param days: simulated days on which the rules were compared
    :param against: name of the other rule
    :param difference: waiting part of the penalty of the rule minus that of the other one, points a day
    """

    policy: Policy
    days: int
    against: str
    difference: Estimate


def better_rule(config: Lab) -> Choice:
    """The better of two rules in a lab: by the waiting part of the penalty, on simulated days.

    :param config: the lab
    """
    comparison = evaluate(config, list(RULES), RULE_DAYS, RULE_SEED)
    use, other = sorted(RULES, key=lambda name: comparison.mean(name, "waiting_penalty").mean)
    difference = paired_difference(*(comparison.values[name]["waiting_penalty"] for name in (use, other)))
    return Choice(make_policy(use, config), RULE_DAYS, other, difference)
