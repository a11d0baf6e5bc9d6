"""Policies on the same days, side by side."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config import LabConfig
from echo_env.lab.day import Days, sample_days
from echo_env.lab.metrics import METRICS, day_metrics, metrics_table
from echo_env.lab.policies.base import Policy, make_policy
from echo_env.lab.simulator import simulate
from echo_env.stats import Estimate, estimate, paired_difference

ENGINES = ("auto", "simpy", "compiled")

CHUNK = 500
"""Days that are drawn and played at a time."""


@dataclass(frozen=True)
class Comparison:
    """What policies did on the same days.

    :param lab: name of the lab
    :param seed: of the days
    :param values: policy -> metric -> (days,) float64; the first policy is the reference
    :param engines: policy -> the engine that played its days
    """

    lab: str
    seed: int
    values: dict[str, dict[str, NDArray[np.float64]]]
    engines: dict[str, str]

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
    progress: Callable[[int], None] | None = None,
    engine: str = "auto",
) -> Comparison:
    """Run policies on the same days.

    :param config: the lab
    :param policies: names, or policies themselves; the first is the reference
    :param days: how many days, at least 1
    :param seed: which days: day k of a seed is the same whatever else is asked for
    :param progress: called with the number of days that a policy has just got through
    :param engine: ``simpy``; ``compiled``; ``auto``: compiled where the policy has it, SimPy otherwise. Rules
        give the same numbers on both, to the bit; an agent asked in batches may round differently where two
        actions are worth the same to it within float32
    :raises ValueError: no policy, two of the same name, an unknown one, no day, or an engine that cannot play one
    """
    if days < 1:
        raise ValueError(f"days is {days}, but must be at least 1")
    made = [make_policy(entry, config) if isinstance(entry, str) else entry for entry in policies]
    names = [policy.name for policy in made]
    if not names:
        raise ValueError("policies is empty, but must name at least one")
    if len(set(names)) < len(names):
        raise ValueError(f"policies has {max(names, key=names.count)!r} twice, but names must differ")
    engines = {policy.name: choose_engine(policy, engine) for policy in made}
    parts: dict[str, list[dict[str, NDArray[np.float64]]]] = {name: [] for name in names}
    for first in range(0, days, CHUNK):
        chunk = sample_days(config, min(CHUNK, days - first), seed, first)
        for policy in made:
            play = _play_compiled if engines[policy.name] == "compiled" else _play_simpy
            parts[policy.name].append(play(config, policy, chunk, progress or (lambda days: None)))
    values = {
        name: {metric: np.concatenate([part[metric] for part in table]) for metric in METRICS}
        for name, table in parts.items()
    }
    return Comparison(config.name, seed, values, engines)


def choose_engine(policy: Policy, engine: str) -> str:
    """The engine that will play a policy's days.

    :param policy: the policy
    :param engine: one of :data:`ENGINES`
    :raises ValueError: no such engine, or it cannot play this policy
    """
    if engine not in ENGINES:
        raise ValueError(f"engine is {engine!r}, but must be one of {', '.join(ENGINES)}")
    if engine == "simpy":
        return "simpy"
    if importlib.util.find_spec("numba") is None:
        if engine == "compiled":
            raise ValueError("engine is 'compiled', but numba is missing: pip install 'echo-lab-rl[fast]'")
        return "simpy"
    from echo_env.lab.compiled import is_compiled

    if is_compiled(policy):
        return "compiled"
    if engine == "compiled":
        raise ValueError(f"engine is 'compiled', but policy {policy.name!r} runs only on 'simpy'")
    return "simpy"


def _play_simpy(
    config: LabConfig, policy: Policy, days: Days, progress: Callable[[int], None]
) -> dict[str, NDArray[np.float64]]:
    rows = []
    for day in days:
        rows.append(day_metrics(simulate(config, day, policy)))
        progress(1)
    return {metric: np.array([row[metric] for row in rows]) for metric in METRICS}


def _play_compiled(
    config: LabConfig, policy: Policy, days: Days, progress: Callable[[int], None]
) -> dict[str, NDArray[np.float64]]:
    from echo_env.lab.compiled import play_days

    table = metrics_table(config, play_days(config, policy, days))
    progress(len(days))
    return table
