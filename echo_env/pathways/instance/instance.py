"""Instances (conditions and patients) and the random draws of a trial, all drawn up front.

This module and :mod:`~echo_env.pathways.config.condition` are the only users of randomness. For every policy, draw d
of a seed is the same instance, and trial i of it has the same random draws (common random numbers). If all patients
arrive at the start, an instance with fewer patients consists of the first patients of a larger one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.config_file import ConfigError
from echo_env.pathways.config import PathwaysConfig
from echo_env.pathways.config.condition import Change, Condition, draw_appearing, draw_condition, draw_disappearing
from echo_env.pathways.config.pathway import NONE
from echo_env.pathways.instance.model import Model, make_model

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

APPEARS, DISAPPEARS = 0, 1
"""Kinds of change: indices into the entries of :attr:`Instance.changes`."""

_LEARNING = 1 << 32
"""Spawn key of the random draws for learning; the key of trial i is i."""


@dataclass(frozen=True, eq=False)
class Instance:
    """N patients in a hospital with C conditions.

    Patients are numbered in the order of their arrival.

    :param config: the hospital; its ``patients`` is N
    :param conditions: the C conditions
    :param condition: (N,) int64, number of each patient's condition
    :param initial_health: (N,) int64, health at arrival
    :param arrival: (N,) int64, step of arrival, ascending; 0 for all by default
    :param changes: for each condition, its change if a need appears and its change if one disappears, or None
    :param seed: seed of the random draws of trials and of learning
    :raises ConfigError: arrays that do not match the config or each other
    """

    config: PathwaysConfig
    conditions: tuple[Condition, ...]
    condition: Ints
    initial_health: Ints
    arrival: Ints | None = None
    changes: tuple[tuple[Change | None, Change | None], ...] = ()
    seed: tuple[int, ...] = (0, 0)

    def __post_init__(self) -> None:
        config, patients = self.config, self.config.patients
        arrival = np.zeros(patients, dtype=np.int64) if self.arrival is None else self.arrival
        tops = {"condition": len(self.conditions), "initial_health": config.health_levels, "arrival": config.horizon}
        for name, values in {**self.__dict__, "arrival": arrival}.items():
            if name in tops:
                array = np.array(values, dtype=np.int64)
                if array.shape != (patients,) or (array < 0).any() or (array >= tops[name]).any():
                    raise ConfigError(
                        f"{name} is {array.tolist()}, but must have one entry from 0 to {tops[name] - 1} for each of "
                        f"{patients} patients"
                    )
                array.flags.writeable = False
                object.__setattr__(self, name, array)
        if (np.diff(self.arrivals) < 0).any():
            raise ConfigError(
                f"arrival is {self.arrivals.tolist()}, but must be ascending: patients are numbered by arrival"
            )
        object.__setattr__(self, "changes", self.changes or ((None, None),) * len(self.conditions))
        for condition in self.conditions:
            _check_fits(config, condition)

    @property
    def arrivals(self) -> Ints:
        """(N,) int64, step of arrival."""
        assert self.arrival is not None
        return self.arrival

    @cached_property
    def model(self) -> Model:
        """The conditions as arrays, for the solver and both engines."""
        return make_model(self.config, self.conditions, self.changes)


class Luck(NamedTuple):
    """All random draws of one trial of an instance with N patients or, with a leading axis, of several.

    :param health_draw: (T, N) float64, uniform numbers for the moves of health
    :param priority_draw: (T, N) float64, uniform numbers for randomised policies
    :param change_step: (N,) int64, step before which the pathway changes, or ``NONE``
    :param change_kind: (N,) int64, ``APPEARS`` or ``DISAPPEARS``
    """

    health_draw: Floats
    priority_draw: Floats
    change_step: Ints
    change_kind: Ints


def draw_rng(seed: int, *key: int) -> np.random.Generator:
    """Random generator of a draw, or of a trial of it.

    Its stream is disjoint from those of ``env.reset(seed=...)`` for all seeds, so that no agent is evaluated on
    episodes that it was trained on.

    :param seed: seed of the evaluation
    :param key: number of the draw and, for a trial, number of the trial
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def sample_instance(config: PathwaysConfig, rng: np.random.Generator, seed: Sequence[int] | None = None) -> Instance:
    """Draw an instance.

    :param config: the hospital
    :param rng: random generator
    :param seed: seed of the instance, for :func:`trial_luck`; drawn from ``rng`` by default
    """
    own = tuple(seed) if seed is not None else (int(rng.integers(2**63)),)
    for_conditions, for_patients = rng.spawn(2)
    fewest, most = config.conditions
    count = int(for_conditions.integers(fewest, most + 1))
    conditions = tuple(draw_condition(config, for_conditions) for _ in range(count))
    changes = tuple(_draw_changes(config, condition, for_conditions) for condition in conditions)
    # One row a patient, so that the first patients do not depend on the number of patients.
    uniform = for_patients.random((config.patients, 3))
    low, high = config.initial_health
    return Instance(
        config,
        conditions,
        np.floor(uniform[:, 0] * count).astype(np.int64),
        low + np.floor(uniform[:, 1] * (high - low + 1)).astype(np.int64),
        np.sort(np.floor(uniform[:, 2] * (config.last_arrival + 1)).astype(np.int64)),
        changes,
        own,
    )


def sample_draw(config: PathwaysConfig, seed: int, draw: int) -> Instance:
    """Instance number ``draw`` of an evaluation with ``seed``."""
    return sample_instance(config, draw_rng(seed, draw), (seed, draw))


def sample_luck(instance: Instance, rng: np.random.Generator) -> Luck:
    """Draw the random numbers of a trial.

    :param instance: the instance
    :param rng: random generator
    """
    config, horizon = instance.config, instance.config.horizon
    uniform = rng.random((config.patients, 2 * horizon + 2))
    appear, disappear = config.changes.appear_rate, config.changes.disappear_rate
    kind_draw, step_draw = uniform[:, -2], uniform[:, -1]
    first = instance.arrivals + 1
    step = first + np.floor(step_draw * np.maximum(horizon - first, 0)).astype(np.int64)
    changes = (kind_draw < appear + disappear) & (first < horizon)
    return Luck(
        np.ascontiguousarray(uniform[:, :horizon].T),
        np.ascontiguousarray(uniform[:, horizon : 2 * horizon].T),
        np.where(changes, step, NONE),
        np.where(kind_draw < appear, APPEARS, DISAPPEARS).astype(np.int64),
    )


def trial_luck(instance: Instance, trial: int) -> Luck:
    """The random draws of trial number ``trial``."""
    return sample_luck(instance, draw_rng(instance.seed[0], *instance.seed[1:], trial))


def learning_luck(instance: Instance, episodes: int) -> Luck:
    """Random draws of the episodes of learning, (E, ...) each, disjoint from those of all trials.

    :param instance: the instance
    :param episodes: E
    """
    rng = draw_rng(instance.seed[0], *instance.seed[1:], _LEARNING)
    lucks = [sample_luck(instance, rng) for _ in range(episodes)]
    return Luck(*(np.stack(arrays) for arrays in zip(*lucks, strict=True)))


def _draw_changes(
    config: PathwaysConfig, base: Condition, rng: np.random.Generator
) -> tuple[Change | None, Change | None]:
    """The changes of a condition, None for those with a rate of 0."""
    appears = draw_appearing(config, base, rng) if config.changes.appear_rate else None
    disappears = draw_disappearing(base, rng) if config.changes.disappear_rate else None
    return appears, disappears


def _check_fits(config: PathwaysConfig, condition: Condition) -> None:
    """Refuse a condition that does not match the hospital."""
    if len(condition.waiting) != config.health_levels:
        raise ConfigError(
            f"waiting has {len(condition.waiting)} levels of health, but must have {config.health_levels}"
        )
    if max(condition.resources) >= config.resources:
        raise ConfigError(
            f"resources has {max(condition.resources)}, but must have numbers from 0 to {config.resources - 1}"
        )
