"""Policies on the same days, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config import LabConfig
from echo_env.lab.day import sample_days
from echo_env.lab.metrics import METRICS, day_metrics
from echo_env.lab.policies.base import Policy, make_policy
from echo_env.lab.simulator import simulate
from echo_env.stats import Estimate, estimate, paired_difference


@dataclass(frozen=True)
class Comparison:
    """What policies did on the same days.

    :param lab: name of the lab
    :param seed: of the days
    :param values: policy -> metric -> (days,) float64; the first policy is the reference
    """

    lab: str
    seed: int
    values: dict[str, dict[str, NDArray[np.float64]]]

    @property
    def days(self) -> int:
        """How many days."""
        return len(next(iter(self.values.values()))["penalty"])

    @property
    def reference(self) -> str:
        """The policy that the others are compared with."""
        return next(iter(self.values))

    def mean(self, policy: str, metric: str) -> Estimate:
        """Mean of a metric over the days."""
        return estimate(self.values[policy][metric])

    def paired(self, policy: str, metric: str) -> Estimate:
        """Mean difference to the reference, day by day."""
        return paired_difference(self.values[policy][metric], self.values[self.reference][metric])

    def to_dict(self, env: str) -> dict[str, Any]:
        """The numbers as nested dicts, for JSON; the reference is not paired with itself.

        :param env: what to call the env
        """

        def table(of: Callable[[str, str], Estimate], policies: Sequence[str]) -> dict[str, Any]:
            return {name: {metric: of(name, metric).as_json() for metric in METRICS} for name in policies}

        names = list(self.values)
        return {
            "env": env,
            "days": self.days,
            "seed": self.seed,
            "policies": table(self.mean, names),
            "paired": table(self.paired, names[1:]),
        }


def evaluate(
    config: LabConfig,
    policies: Sequence[str | Policy],
    days: int,
    seed: int,
    progress: Callable[[], None] | None = None,
) -> Comparison:
    """Run policies on the same days.

    :param config: the lab
    :param policies: names, or policies themselves; the first is the reference
    :param days: how many days, at least 1
    :param seed: which days: day k of a seed is the same whatever else is asked for
    :param progress: called after each policy's day
    :raises ValueError: no policy, two of the same name, an unknown one, or no day
    """
    if days < 1:
        raise ValueError(f"days is {days}, but must be at least 1")
    made = [make_policy(entry, config) if isinstance(entry, str) else entry for entry in policies]
    names = [policy.name for policy in made]
    if not names:
        raise ValueError("policies is empty, but must name at least one")
    if len(set(names)) < len(names):
        raise ValueError(f"policies has {max(names, key=names.count)!r} twice, but names must differ")
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for first in range(0, days, 256):
        for day in sample_days(config, min(256, days - first), seed, first):
            for policy in made:
                rows[policy.name].append(day_metrics(simulate(config, day, policy)))
                if progress is not None:
                    progress()
    values = {
        name: {metric: np.array([row[metric] for row in table]) for metric in METRICS} for name, table in rows.items()
    }
    return Comparison(config.name, seed, values)
