"""Comparison of policies on common random numbers, for given numbers of patients and of resources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.parallel import Jobs, map_in_order
from echo_env.common.registry import policies_by_name
from echo_env.common.results import checked_reference
from echo_env.common.stats import Estimate, estimate, paired_difference
from echo_env.pathways.config import PathwaysConfig
from echo_env.pathways.evaluation.engines import is_compiled, play_trials
from echo_env.pathways.instance.instance import sample_draw, trial_luck
from echo_env.pathways.policies.base import make_policy
from echo_env.pathways.simulation.metrics import METRICS, trace_metrics
from echo_env.pathways.simulation.policy import Policy
from echo_env.pathways.simulation.simulator import simulate

Floats = NDArray[np.float64]

MOST = 1_000_000
"""Draws, and trials of a draw, at most."""
_CHUNK = 10
"""Draws that a process simulates at a time."""


class HospitalSize(NamedTuple):
    """Numbers of resources and of patients of a hospital in a comparison."""

    resources: int
    patients: int


@dataclass(frozen=True)
class Comparison:
    """Metrics of policies on common random numbers.

    Intervals are over draws, the independent unit: the trials of a draw are averaged first.

    :param config: the hospital, apart from its numbers of resources and patients
    :param seed: seed of the draws
    :param values: size -> policy -> metric -> (draws, trials) float64
    :param reference: name of the reference policy, by default the first
    :raises ValueError: the reference is none of the policies
    """

    config: PathwaysConfig
    seed: int
    values: dict[HospitalSize, dict[str, dict[str, Floats]]]
    reference: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "reference", checked_reference(self.reference, self.policies))

    @property
    def policies(self) -> list[str]:
        """Names of the policies, in order."""
        return list(next(iter(self.values.values())))

    @property
    def others(self) -> list[str]:
        """Names of the policies other than the reference."""
        return [name for name in self.policies if name != self.reference]

    @property
    def shape(self) -> tuple[int, int]:
        """Number of draws, and of trials of each."""
        draws, trials = next(iter(self.values.values()))[self.reference]["utility"].shape
        return draws, trials

    @property
    def resources(self) -> list[int]:
        """Numbers of resources, in the order given."""
        return list(dict.fromkeys(size.resources for size in self.values))

    @property
    def patients(self) -> list[int]:
        """Numbers of patients, in the order given."""
        return list(dict.fromkeys(size.patients for size in self.values))

    def by_draw(self, size: HospitalSize, policy: str, metric: str) -> Floats:
        """(draws,) float64, mean over the trials of each draw; nan where the metric is undefined in all of them."""
        trials = self.values[size][policy][metric]
        known = ~np.isnan(trials)
        count = known.sum(axis=1)
        total = np.where(known, trials, 0).sum(axis=1)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    def mean(self, size: HospitalSize, policy: str, metric: str) -> Estimate:
        """Mean over the draws with its 95 % confidence interval."""
        return estimate(self.by_draw(size, policy, metric))

    def sd(self, size: HospitalSize, policy: str, metric: str) -> float:
        """Standard deviation over the draws; nan with fewer than two."""
        values = self.by_draw(size, policy, metric)
        values = values[~np.isnan(values)]
        return float(values.std(ddof=1)) if len(values) > 1 else float("nan")

    def advantage(self, size: HospitalSize, policy: str, metric: str) -> Estimate:
        """Paired difference over draws: the reference minus a policy, on common random numbers."""
        return paired_difference(self.by_draw(size, self.reference, metric), self.by_draw(size, policy, metric))

    def to_dict(self) -> dict[str, Any]:
        """The comparison as nested dicts, for JSON."""

        def numbers(size: HospitalSize, name: str, metric: str) -> dict[str, object]:
            sd = self.sd(size, name, metric)
            return {**self.mean(size, name, metric).as_json(), "sd": None if np.isnan(sd) else sd}

        sizes = [
            {
                **size._asdict(),
                "policies": {
                    name: {metric: numbers(size, name, metric) for metric in METRICS} for name in self.policies
                },
                "reference_minus": {
                    name: {metric: self.advantage(size, name, metric).as_json() for metric in METRICS}
                    for name in self.others
                },
            }
            for size in self.values
        ]
        draws, trials = self.shape
        return {"draws": draws, "trials": trials, "seed": self.seed, "reference": self.reference, "cells": sizes}


class Block(NamedTuple):
    """A range of draws of a size: ``number`` of them, from ``first`` on."""

    size: HospitalSize
    first: int
    number: int


def evaluate(
    config: PathwaysConfig,
    policies: Sequence[str | Policy],
    draws: int,
    trials: int,
    seed: int,
    patients: Sequence[int] = (),
    resources: Sequence[int] = (),
    progress: Callable[[int], None] | None = None,
    jobs: Jobs = 1,
    reference: str = "",
) -> Comparison:
    """Compare policies on common random numbers.

    :param config: the hospital
    :param policies: names of policies, or policies
    :param draws: number of instances of each size, at least 1
    :param trials: number of trials of each instance, at least 1
    :param seed: seed of the draws: draw d of a seed does not depend on the other arguments
    :param patients: numbers of patients; by default the config's
    :param resources: numbers of resources; by default the config's
    :param progress: called with the number of draws just completed
    :param jobs: number of processes, or a cluster's workers; the numbers are the same to the bit. With several,
        policies are pickled
    :param reference: name of the reference policy, by default the first
    :raises ValueError: no policy, two of the same name, an unknown one, or an invalid number
    """
    for name, number in (("draws", draws), ("trials", trials)):
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= MOST:
            raise ValueError(f"{name} is {number!r}, but must be a whole number of at least 1 and at most {MOST:,}")
    sizes = [HospitalSize(r, n) for r in (resources or [config.resources]) for n in (patients or [config.patients])]
    if len(set(sizes)) < len(sizes):
        raise ValueError("patients or resources has a number twice, but each must be there once")
    configs = {size: config.replace(resources=size.resources, patients=size.patients) for size in sizes}

    def made_for(own: PathwaysConfig) -> list[Policy]:
        return list(policies_by_name(policies, lambda name: make_policy(name, own)).values())

    made = {size: made_for(own) for size, own in configs.items()}
    names = [policy.name for policy in made[sizes[0]]]
    checked_reference(reference, names)
    blocks = [Block(size, k, min(_CHUNK, draws - k)) for size in sizes for k in range(0, draws, _CHUNK)]
    play = BlockPlayer(configs, made, [isinstance(own, str) for own in policies], trials, seed)
    tables = map_in_order(play, blocks, jobs, lambda block, table: progress(block.number) if progress else None)
    parts: dict[HospitalSize, list[Floats]] = {size: [] for size in sizes}
    for block, table in zip(blocks, tables, strict=True):
        parts[block.size].append(table)
    values: dict[HospitalSize, dict[str, dict[str, Floats]]] = {}
    for size, own in parts.items():
        table = np.concatenate(own, axis=2)
        values[size] = {name: dict(zip(METRICS, table[k], strict=True)) for k, name in enumerate(names)}
    return Comparison(config, seed, values, reference)


class BlockPlayer:
    """Simulates blocks of draws.

    :param configs: the hospital of each size
    :param policies: of each size; made here, because workers do not know rules of the user's own by name
    :param fresh: for each policy, whether every block begins with a copy of it
    :param trials: number of trials of each draw
    :param seed: seed of the draws
    """

    def __init__(
        self,
        configs: dict[HospitalSize, PathwaysConfig],
        policies: dict[HospitalSize, list[Policy]],
        fresh: Sequence[bool],
        trials: int,
        seed: int,
    ) -> None:
        self._configs, self._policies, self._fresh = configs, policies, fresh
        self._trials, self._seed = trials, seed

    def __call__(self, block: Block) -> Floats:
        """(policies, metrics, draws, trials) float64, the metrics of all policies."""
        config = self._configs[block.size]
        own = zip(self._policies[block.size], self._fresh, strict=True)
        policies = [deepcopy(policy) if fresh else policy for policy, fresh in own]
        table = np.empty((len(policies), len(METRICS), block.number, self._trials))
        for k in range(block.number):
            instance = sample_draw(config, self._seed, block.first + k)
            lucks = [trial_luck(instance, trial) for trial in range(self._trials)]
            for row, policy in enumerate(policies):
                if is_compiled(policy):
                    traces = play_trials(instance, lucks, policy)
                else:
                    traces = [simulate(instance, luck, policy) for luck in lucks]
                for trial, trace in enumerate(traces):
                    table[row, :, k, trial] = list(trace_metrics(trace).values())
        return table
