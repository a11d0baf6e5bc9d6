"""Policies compared on the same days: common random numbers and paired differences."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.files.columns import Columns
from echo_env.common.parallel import Jobs, deal_out
from echo_env.common.registry import policies_by_name
from echo_env.common.results import checked_reference
from echo_env.common.stats import Estimate, days_needed, estimate, paired_difference
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import Days, sample_days
from echo_env.lab.policies.base import make_policy
from echo_env.lab.simulation.metrics import METRICS, Metric, day_results, joined_results, metrics_of, metrics_table
from echo_env.lab.simulation.policy import Policy, TieredPolicy, is_compiled
from echo_env.lab.simulation.simulator import simulate

ENGINES = ("auto", "simpy", "compiled")

MOST_DAYS = 10_000_000
"""Days of a comparison, at most."""
CHUNK = 500
"""Days in one batch of the compiled engine. Part of the result: agents predict in batches of this size."""
_SIMPY_CHUNK = 10


@dataclass(frozen=True)
class Comparison:
    """Metrics of policies on the same days.

    :param lab: name of the lab
    :param seed: seed of the days
    :param values: policy -> metric -> (days,) float64; of many days, read from a file when they are asked for
    :param engines: policy -> the engine that played its days
    :param reference: the policy that the others are compared with, by default the first
    :param metrics: name -> record of each metric, in the order of tables and files; by default those of any lab
    :raises ValueError: the reference is none of the policies
    """

    lab: str
    seed: int
    values: Mapping[str, Mapping[str, NDArray[np.float64]]]
    engines: dict[str, str]
    reference: str = ""
    metrics: Mapping[str, Metric] = field(default_factory=lambda: METRICS)

    def __post_init__(self) -> None:
        # The dataclass is frozen for others.
        object.__setattr__(self, "reference", checked_reference(self.reference, list(self.values)))

    @property
    def days(self) -> int:
        """Number of days."""
        return len(next(iter(self.values.values()))["penalty"])

    @property
    def others(self) -> list[str]:
        """The policies other than the reference."""
        return [name for name in self.values if name != self.reference]

    def part(self, policies: Sequence[str], days: int | None = None) -> Comparison:
        """Some of the policies on the first days.

        :param policies: their names, in the order wanted
        :param days: how many days, by default all
        """
        values = {name: {metric: own[:days] for metric, own in self.values[name].items()} for name in policies}
        engines = {name: self.engines[name] for name in policies}
        reference = self.reference if self.reference in policies else ""
        return Comparison(self.lab, self.seed, values, engines, reference, self.metrics)

    def mean(self, policy: str, metric: str) -> Estimate:
        """Mean of a metric over the days."""
        return estimate(self.values[policy][metric])

    def paired(self, policy: str, metric: str) -> Estimate:
        """Mean paired difference to the reference."""
        return paired_difference(self.values[policy][metric], self.values[self.reference][metric])

    def days_needed(self, policy: str, metric: str) -> float:
        """Number of days at which the interval of the paired difference would just exclude 0; inf for no difference."""
        return days_needed(self.paired(policy, metric))

    def to_dict(self, env: str) -> dict[str, Any]:
        """The numbers as nested dicts, for JSON; the reference is not paired with itself.

        :param env: what to call the env
        """

        def table(of: Callable[[str, str], Estimate], policies: Sequence[str]) -> dict[str, Any]:
            return {name: {metric: of(name, metric).as_json() for metric in self.metrics} for name in policies}

        return {
            "env": env,
            "days": self.days,
            "seed": self.seed,
            "policies": table(self.mean, list(self.values)),
            "paired": table(self.paired, self.others),
        }


def check_days(days: int) -> None:
    """Refuse a number of days that is none, or that could not be played in years.

    :raises ValueError: names the number and what is allowed
    """
    if not 1 <= days <= MOST_DAYS:
        raise ValueError(f"days is {days}, but must be at least 1 and at most {MOST_DAYS:,}")


def evaluate(
    config: Lab,
    policies: Sequence[str | Policy],
    days: int,
    seed: int,
    progress: Callable[[int], None] | None = None,
    engine: str = "auto",
    jobs: Jobs = 1,
    reference: str = "",
) -> Comparison:
    """Compare policies on the same days.

    :param config: the lab
    :param policies: names, or policies themselves
    :param days: number of days, at least 1
    :param seed: seed of the days; day k of a seed is the same day whatever the other arguments
    :param progress: called with a number of days whenever a policy has been through them
    :param engine: ``simpy``; ``compiled``; ``auto``: compiled where the policy offers it, else SimPy. Rules give the
        same numbers on both, to the bit; an agent, which predicts in batches on the compiled engine, may choose
        otherwise where two actions have equal values to within float32
    :param jobs: number of processes, or a cluster's workers; the numbers are the same to the bit. With several,
        policies are pickled; rules on the compiled engine are played by threads if there are at most four
    :param reference: the policy that the others are compared with, by default the first
    :raises ValueError: no policy, two of the same name, an unknown one, no day, an engine that cannot play one, or
        one that cannot be pickled
    """
    check_days(days)
    made = policies_by_name(policies, lambda name: make_policy(name, config))
    checked_reference(reference, list(made))
    engines = {name: choose_engine(policy, engine) for name, policy in made.items()}
    blocks = _blocks(engines, days)
    play = BlockPlayer(config, seed, made, engines)
    metrics = metrics_of(config)
    values = {name: Columns(list(metrics), days) for name in made}

    def keep(block: Block, table: dict[str, NDArray[np.float64]]) -> None:
        values[block.policy].put(block.first, table)
        if progress:
            progress(block.number)

    deal_out(play, blocks, jobs, keep, compiled=play.is_compiled)
    return Comparison(config.name, seed, values, engines, reference, metrics)


class Block(NamedTuple):
    """Consecutive days of one policy: ``number`` days, beginning with day ``first``."""

    policy: str
    first: int
    number: int


def _blocks(engines: Mapping[str, str], days: int) -> list[Block]:
    """All days of all policies; blocks of the same days are adjacent."""
    blocks = []
    for engine, size in (("compiled", CHUNK), ("simpy", _SIMPY_CHUNK)):
        names = [name for name, own in engines.items() if own == engine]
        blocks += [Block(name, k, min(size, days - k)) for k in range(0, days, size) for name in names]
    return blocks


class BlockPlayer:
    """Plays blocks of days.

    :param config: the lab
    :param seed: of the days
    :param policies: by name
    :param engines: policy -> the engine that plays its days
    """

    def __init__(self, config: Lab, seed: int, policies: Mapping[str, Policy], engines: Mapping[str, str]) -> None:
        self._config, self._seed, self._policies, self._engines = config, seed, policies, engines
        self._drawn: tuple[int, Days] | None = None

    def __call__(self, block: Block) -> dict[str, NDArray[np.float64]]:
        """The metrics of the days of a block: see :func:`~echo_env.lab.simulation.metrics.metrics_of`."""
        config, policy, days = self._config, self._policies[block.policy], self._days(block)
        if self._engines[block.policy] == "compiled":
            from echo_env.lab.evaluation.engines import play_days

            return metrics_table(config, play_days(config, policy, days))
        return metrics_table(config, joined_results([day_results(simulate(config, day, policy)) for day in days]))

    @property
    def is_compiled(self) -> bool:
        """Whether all days are those of rules on the compiled engine, which threads may play at the same time."""
        rules = all(isinstance(policy, TieredPolicy) for policy in self._policies.values())
        return rules and set(self._engines.values()) == {"compiled"}

    def _days(self, block: Block) -> Days:
        """The days of a block, drawn once for adjacent blocks of the same days; by each of two threads at most."""
        drawn = self._drawn
        if drawn is None or (drawn[0], len(drawn[1])) != block[1:]:
            drawn = self._drawn = block.first, sample_days(self._config, block.number, self._seed, block.first)
        return drawn[1]


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
    if is_compiled(policy):
        return "compiled"
    if engine == "compiled":
        raise ValueError(f"engine is 'compiled', but policy {policy.name!r} runs only on 'simpy'")
    return "simpy"
