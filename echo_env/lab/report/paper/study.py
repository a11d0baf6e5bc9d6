"""What is played for the paper's figures: its agent and its rules on the same days."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from echo_env.lab.config import LabConfig
from echo_env.lab.day import sample_days
from echo_env.lab.departures.state_by_state import state_by_state
from echo_env.lab.evaluation.comparison import Comparison, evaluate
from echo_env.lab.policies.base import make_policy
from echo_env.lab.report.paper.runs import PaperRun
from echo_env.lab.simulation.policy import Policy
from echo_env.lab.simulation.simulator import simulate
from echo_env.lab.simulation.trace import Trace

if TYPE_CHECKING:
    import pandas as pd

    from echo_env.lab.departures.counterfactual import Decisions

AGENT = "paper_agent"
"""What figures and tables call the agent trained as the paper trains it."""
YEAR = 365
"""Days of a year, in all of the paper's figures of one."""
COMPARED = ("policy_1", "policy_2", AGENT)
"""Policies of figures 13, 14, 19 and 22."""
DEDICATED = ("policy_3", "policy_4")
"""The paper's further rules on the fly, of which figures 15 and 16 have violins too."""
RULE = "policy_2"
"""The paper's best rule: the agent is compared with it state by state."""
SHOWN_DAYS = 4
"""Days of figure 17."""


@dataclass(frozen=True)
class StateDay:
    """A day of figure 17.

    :param number: of the day
    :param trace: the day under :data:`RULE`
    :param differences: see :func:`~echo_env.lab.departures.state_by_state.state_by_state`
    """

    number: int
    trace: Trace
    differences: pd.DataFrame


@dataclass(frozen=True)
class LabStudy:
    """A lab's share of the figures.

    :param config: the lab
    :param run: the training of the agent
    :param long: policies on all days: those of :data:`COMPARED`, and others that are known to be good
    :param year: on the first :data:`YEAR` days, those of :data:`COMPARED` and :data:`DEDICATED`
    :param traces: policy of :data:`COMPARED` -> the same year minute by minute; empty where no figure shows it
    :param decisions: of :data:`RULE` in this year, with those of the agent in the same states; None likewise
    :param state_days: days of figure 17, likewise
    """

    config: LabConfig
    run: PaperRun
    long: Comparison
    year: Comparison
    traces: dict[str, list[Trace]]
    decisions: Decisions | None
    state_days: tuple[StateDay, ...]

    @property
    def others(self) -> list[str]:
        """Policies that the paper does not have."""
        return [name for name in self.long.values if name not in COMPARED]


def play_study(
    run: PaperRun,
    config: LabConfig,
    agent: Policy,
    others: Sequence[Policy],
    days: int,
    seed: int,
    year: int = YEAR,
    minutes: bool = False,
    progress: Callable[[int], None] | None = None,
) -> LabStudy:
    """Play what the figures of a lab show.

    :param run: the training of the agent
    :param config: the lab
    :param agent: the agent, called :data:`AGENT`
    :param others: further policies for the table of findings
    :param days: days of the running means, at least ``year``
    :param seed: seed of the days
    :param year: days of a year
    :param minutes: play the year minute by minute too, and compare decisions
    :param progress: called with the days that a policy has been through
    """
    compared = [make_policy(name, config) if name != AGENT else agent for name in COMPARED]
    long = evaluate(config, [*compared, *others], days, seed, progress, reference=RULE)
    more = evaluate(config, list(DEDICATED), year, seed, progress)
    first = long.part(COMPARED, year)
    values = {name: {**first.values, **more.values}[name] for name in (*COMPARED[:2], *DEDICATED, AGENT)}
    whole = Comparison(config.name, seed, values, {**first.engines, **more.engines}, RULE, first.metrics)
    if not minutes:
        return LabStudy(config, run, long, whole, {}, None, ())
    traces = {policy.name: _traces(config, policy, year, seed, progress) for policy in compared}
    rule = compared[COMPARED.index(RULE)]
    decisions = _decisions(config, rule, agent, year, seed)
    shown = tuple(
        StateDay(number, traces[RULE][number], state_by_state(config, traces[RULE][number].day, rule, agent))
        for number in representative_days(decisions)
    )
    return LabStudy(config, run, long, whole, traces, decisions, shown)


def _traces(
    config: LabConfig, policy: Policy, days: int, seed: int, progress: Callable[[int], None] | None
) -> list[Trace]:
    played = []
    for day in sample_days(config, days, seed):
        played.append(simulate(config, day, policy))
        if progress:
            progress(1)
    return played


def _decisions(config: LabConfig, rule: Policy, agent: Policy, days: int, seed: int) -> Decisions:
    """Decisions along the rule's days."""
    # It is compiled, and so needs numba.
    from echo_env.lab.departures.counterfactual import follow

    return follow(config, rule, agent, sample_days(config, days, seed))


def representative_days(decisions: Decisions, most: int = SHOWN_DAYS) -> list[int]:
    """Days on which the two policies differ in about as many minutes as on the median day on which they differ.

    :param decisions: of one policy along the states of another
    :param most: how many days
    :return: their numbers, ascending; the earlier of days that are equally near to the median
    """
    differ = (decisions.followed != decisions.other).any(axis=1)
    count = np.bincount(decisions.day[differ], minlength=len(decisions.penalty))
    days = np.flatnonzero(count)
    if not len(days):
        return []
    order = np.argsort(np.abs(count[days] - np.median(count[days])), kind="stable")
    return sorted(days[order[:most]].tolist())
