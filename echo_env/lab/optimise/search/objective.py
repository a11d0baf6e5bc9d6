"""What a proposal is to make smaller, and what it may not make worse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.words import did_you_mean
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import sample_days
from echo_env.lab.evaluation.engines import play_days
from echo_env.lab.policies.base import make_policy
from echo_env.lab.simulation.metrics import Metric, metrics_of, metrics_table
from echo_env.lab.simulation.policy import TieredPolicy

Floats = NDArray[np.float64]

WAITING = {"waiting_penalty": 1.0}
"""The waiting part of the penalty: idle rooms, which no patient feels, are left out."""
RULES = ("policy_1", "policy_2", "scarce_first", "urgent_first")
"""The rules that the compiled engine plays by classes."""
PROTECTED = ("turned_away", "left_waiting", "staff_overtime_h")
"""Patients who are sent home or left, and overtime of staff."""


def check_rule(rule: str, config: Lab) -> None:
    """Refuse a rule that the compiled engine does not play by classes.

    :param rule: name of a policy
    :param config: the lab
    :raises ValueError: an unknown policy, or one that is too slow; one sentence
    """
    if not isinstance(make_policy(rule, config), TieredPolicy):
        raise ValueError(f"policy is {rule!r}, but must be one of {', '.join(RULES)}, which are fast enough")


class Scores(NamedTuple):
    """What days cost.

    :param objective: (n,) the weighted sum
    :param protected: (M, n) the protected metrics
    """

    objective: Floats
    protected: Floats

    @property
    def array(self) -> Floats:
        """(1 + M, n), the objective first."""
        return np.concatenate([self.objective[None], self.protected])


@dataclass(frozen=True)
class Objective:
    """What is made smaller on days of a lab.

    :param weights: metric -> weight in the sum that is made smaller
    :param protected: metrics that may not rise
    :param rule: name of the policy by which exams begin
    :param seed: of the days
    :param allowance: protected metric -> how much it may rise, in its unit; 0 where nothing is said
    :raises ValueError: a metric that the lab does not have; names what there is
    """

    config: Lab
    weights: Mapping[str, float]
    protected: Sequence[str]
    rule: str
    seed: int
    allowance: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = metrics_of(self.config)
        for name in (*self.weights, *self.protected):
            if name not in known:
                hint = did_you_mean(name, known)
                raise ValueError(
                    f"{name!r} is no metric of the lab {self.config.name!r}{hint}; it has {', '.join(known)}"
                )

    @property
    def slack(self) -> Floats:
        """(M,) how much each protected metric may rise."""
        return np.array([self.allowance.get(name, 0.0) for name in self.protected])

    @property
    def metrics(self) -> dict[str, Metric]:
        """The metrics that are computed."""
        known = metrics_of(self.config)
        return {name: known[name] for name in dict.fromkeys((*self.weights, *self.protected))}

    def scores(self, lab: Lab, first: int, count: int) -> Scores:
        """Play days.

        :param lab: the lab to play, with the exam types and groups of ``config``
        :param first: number of the first day
        :param count: number of days
        """
        days = sample_days(lab, count, self.seed, first)
        results = play_days(lab, make_policy(self.rule, lab), days)
        table = metrics_table(lab, results, self.metrics)
        # A mean over nobody, who therefore does not wait.
        table = {name: np.nan_to_num(values) for name, values in table.items()}
        total = sum((weight * table[name] for name, weight in self.weights.items()), np.zeros(count))
        return Scores(total, np.array([table[name] for name in self.protected]).reshape(len(self.protected), count))
