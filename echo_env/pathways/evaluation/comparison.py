"""Policies on the same draws and the same luck, side by side, over numbers of patients and of resources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.parallel import map_in_order
from echo_env.common.registry import policies_by_name
from echo_env.common.stats import Estimate, estimate, paired_difference
from echo_env.pathways.config import PathwaysConfig
from echo_env.pathways.evaluation.engines import is_compiled, play_trials
from echo_env.pathways.instance.instance import sample_draw, trial_luck
from echo_env.pathways.policies.base import make_policy
from echo_env.pathways.simulation.metrics import METRICS, trace_metrics
from echo_env.pathways.simulation.policy import Policy
from echo_env.pathways.simulation.simulator import simulate

Floats = NDArray[np.float64]

_CHUNK = 10
"""Draws that a process plays at a time."""


class Cell(NamedTuple):
    """A hospital of a comparison: so many kinds of resource, and so many patients."""

    resources: int
    patients: int


@dataclass(frozen=True)
class Comparison:
    """What policies did on the same draws with the same luck.

    Intervals are over draws, the unit that is independent: the trials of a draw are averaged first.

    :param config: the hospital, but for its numbers of resources and patients
    :param seed: of the draws
    :param values: cell -> policy -> metric -> (draws, trials)
    :param reference: the policy that is compared with the others, by default the first
    :raises ValueError: the reference is none of the policies
    """

    config: PathwaysConfig
    seed: int
    values: dict[Cell, dict[str, dict[str, Floats]]]
    reference: str = ""

    def __post_init__(self) -> None:
        if self.reference and self.reference not in self.policies:
            raise ValueError(f"reference is {self.reference!r}, but must be one of {', '.join(self.policies)}")
        object.__setattr__(self, "reference", self.reference or self.policies[0])

    @property
    def policies(self) -> list[str]:
        """Their names, in order."""
        return list(next(iter(self.values.values())))

    @property
    def others(self) -> list[str]:
        """The policies that the reference is compared with."""
        return [name for name in self.policies if name != self.reference]

    @property
    def shape(self) -> tuple[int, int]:
        """Draws, and trials of each."""
        draws, trials = next(iter(self.values.values()))[self.reference]["utility"].shape
        return draws, trials

    @property
    def resources(self) -> list[int]:
        """Numbers of resources, as they were given."""
        return list(dict.fromkeys(cell.resources for cell in self.values))

    @property
    def patients(self) -> list[int]:
        """Numbers of patients, as they were given."""
        return list(dict.fromkeys(cell.patients for cell in self.values))

    def by_draw(self, cell: Cell, policy: str, metric: str) -> Floats:
        """(draws,) mean over the trials of each draw; nan where no trial has the metric."""
        trials = self.values[cell][policy][metric]
        known = ~np.isnan(trials)
        count = known.sum(axis=1)
        total = np.where(known, trials, 0).sum(axis=1)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    def mean(self, cell: Cell, policy: str, metric: str) -> Estimate:
        """Mean over the draws, with its interval."""
        return estimate(self.by_draw(cell, policy, metric))

    def sd(self, cell: Cell, policy: str, metric: str) -> float:
        """Standard deviation over the draws; nan with fewer than two."""
        values = self.by_draw(cell, policy, metric)
        values = values[~np.isnan(values)]
        return float(values.std(ddof=1)) if len(values) > 1 else float("nan")

    def advantage(self, cell: Cell, policy: str, metric: str) -> Estimate:
        """The reference minus a policy, draw by draw: what a draw and its luck brought to both cancels out."""
        return paired_difference(self.by_draw(cell, self.reference, metric), self.by_draw(cell, policy, metric))

    def to_dict(self) -> dict[str, Any]:
        """The numbers as nested dicts, for JSON."""

        def numbers(cell: Cell, name: str, metric: str) -> dict[str, object]:
            sd = self.sd(cell, name, metric)
            return {**self.mean(cell, name, metric).as_json(), "sd": None if np.isnan(sd) else sd}

        cells = [
            {
                **cell._asdict(),
                "policies": {
                    name: {metric: numbers(cell, name, metric) for metric in METRICS} for name in self.policies
                },
                "reference_minus": {
                    name: {metric: self.advantage(cell, name, metric).as_json() for metric in METRICS}
                    for name in self.others
                },
            }
            for cell in self.values
        ]
        draws, trials = self.shape
        return {"draws": draws, "trials": trials, "seed": self.seed, "reference": self.reference, "cells": cells}


class Block(NamedTuple):
    """Some draws of a cell: ``number`` of them, from ``first`` on."""

    cell: Cell
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
    jobs: int = 1,
    reference: str = "",
) -> Comparison:
    """Run policies on the same draws with the same luck.

    :param config: the hospital
    :param policies: names, or policies themselves
    :param draws: how many instances of each cell are drawn, at least 1
    :param trials: how many trials each has, at least 1
    :param seed: which draws: draw d of a seed is the same whatever else is asked for
    :param patients: numbers of patients; by default the config's
    :param resources: numbers of resources; by default the config's
    :param progress: called with the number of draws that have just been played
    :param jobs: how many processes share the draws; the numbers are the same to the bit. With several, policies are
        pickled
    :param reference: the policy that is compared with the others, by default the first
    :raises ValueError: no policy, two of the same name, an unknown one, or a number that is not possible
    """
    for name, number in (("draws", draws), ("trials", trials)):
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise ValueError(f"{name} is {number!r}, but must be a whole number of at least 1")
    cells = [Cell(r, n) for r in (resources or [config.resources]) for n in (patients or [config.patients])]
    if len(set(cells)) < len(cells):
        raise ValueError("patients or resources has a number twice, but each must be there once")
    configs = {cell: config.replace(resources=cell.resources, patients=cell.patients) for cell in cells}
    names = list(policies_by_name(policies, lambda name: make_policy(name, config)))
    if reference and reference not in names:
        raise ValueError(f"reference is {reference!r}, but must be one of {', '.join(names)}")
    blocks = [Block(cell, k, min(_CHUNK, draws - k)) for cell in cells for k in range(0, draws, _CHUNK)]
    play = BlockPlayer(configs, policies, trials, seed)
    tables = map_in_order(play, blocks, jobs, lambda block: progress(block.number) if progress else None)
    parts: dict[Cell, list[Floats]] = {cell: [] for cell in cells}
    for block, table in zip(blocks, tables, strict=True):
        parts[block.cell].append(table)
    values: dict[Cell, dict[str, dict[str, Floats]]] = {}
    for cell, own in parts.items():
        table = np.concatenate(own, axis=2)
        values[cell] = {name: dict(zip(METRICS, table[k], strict=True)) for k, name in enumerate(names)}
    return Comparison(config, seed, values, reference)


class BlockPlayer:
    """Plays blocks of draws.

    :param configs: the hospital of each cell
    :param policies: names, or policies themselves
    :param trials: of each draw
    :param seed: of the draws
    """

    def __init__(
        self, configs: dict[Cell, PathwaysConfig], policies: Sequence[str | Policy], trials: int, seed: int
    ) -> None:
        self._configs, self._policies, self._trials, self._seed = configs, list(policies), trials, seed

    def __call__(self, block: Block) -> Floats:
        """The metrics of all policies: (policies, metrics, draws, trials)."""
        config = self._configs[block.cell]
        policies = list(policies_by_name(self._policies, lambda name: make_policy(name, config)).values())
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
