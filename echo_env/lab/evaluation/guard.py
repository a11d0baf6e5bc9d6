"""Which of an agent and two rules to use in a lab: played on days of their own before anything is compared."""

from __future__ import annotations

from typing import NamedTuple

from echo_env.common.stats import Estimate, paired_difference
from echo_env.lab.config.lab import Lab
from echo_env.lab.evaluation.comparison import evaluate
from echo_env.lab.family.prepared import RULES
from echo_env.lab.simulation.policy import Policy

GUARD_DAYS, GUARD_SEED = 1000, 71_400_000
"""Days of the guard, with a seed of their own."""
DECIDED_BY = "waiting_penalty"
"""Not by the whole penalty: points for idle rooms and staff are of no use to anybody."""


class Advice(NamedTuple):
    """What to use in a lab.

    :param use: name of the policy
    :param rule: the better rule
    :param difference: waiting part of the penalty of the agent minus that of the better rule, points a day
    """

    use: str
    rule: str
    difference: Estimate

    def words(self, agent: str, days: int) -> str:
        """One sentence.

        :param agent: name of the agent
        :param days: on which it was decided
        """
        value = f"{self.difference.mean:+.1f} ± {self.difference.half_width:.1f}"
        return f"use {self.use}: on {days:,} days of its own {agent} pays {value} points of waiting against {self.rule}"


def better_rule(config: Lab, days: int = GUARD_DAYS, seed: int = GUARD_SEED) -> str:
    """Which of the two rules makes patients wait less in a lab.

    :param config: the lab
    :param days: how many
    :param seed: of the days
    """
    comparison = evaluate(config, RULES, days, seed)
    return min(RULES, key=lambda name: comparison.mean(name, DECIDED_BY).mean)


def advise(config: Lab, agent: Policy, days: int = GUARD_DAYS, seed: int = GUARD_SEED) -> Advice:
    """Play both rules and an agent. The agent is advised only if the whole 95 % interval of its difference to the
    better rule is below 0: to use it must be worth it.

    :param config: the lab
    :param agent: the agent
    :param days: how many
    :param seed: of the days
    """
    comparison = evaluate(config, [*RULES, agent], days, seed)
    rule = min(RULES, key=lambda name: comparison.mean(name, DECIDED_BY).mean)
    own = paired_difference(comparison.values[agent.name][DECIDED_BY], comparison.values[rule][DECIDED_BY])
    return Advice(agent.name if own.mean + own.half_width < 0 else rule, rule, own)
