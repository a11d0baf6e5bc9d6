"""Conditions (diseases): what they need, in which order, and how health moves under them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.config_file import ConfigError, check_number
from echo_env.pathways.config.hospital_config import PathwaysConfig
from echo_env.pathways.config.pathway import NONE, Order, Progress, check_order, predecessor_masks

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Condition:
    """A condition with K needs, for H levels of health.

    :param resources: (K,) the resource of each need
    :param order: for each need, the needs that come before it
    :param durations: (K,) steps for which each need holds its resource
    :param waiting: (H, 3) probabilities that health goes down, stays, goes up while nothing is held, by level
    :param holding: (K, H, 3) the same while the resource of a need is held
    :raises ConfigError: shapes that do not fit, needs in a circle, or probabilities that do not sum to 1
    """

    resources: tuple[int, ...]
    order: Order
    durations: tuple[int, ...]
    waiting: Floats
    holding: Floats

    def __post_init__(self) -> None:
        needs = len(self.resources)
        if not needs:
            raise ConfigError("resources is empty, but a condition must need at least one")
        for resource in self.resources:
            check_number("resources", resource, 0, whole=True)
        if len(self.durations) != needs:
            raise ConfigError(f"durations is {self.durations}, but must have {needs} entries, one for each need")
        for duration in self.durations:
            check_number("durations", duration, 1, whole=True)
        object.__setattr__(self, "order", check_order("order", self.order, needs))
        predecessor_masks("order", self.order)
        waiting, holding = (np.array(rows, dtype=np.float64) for rows in (self.waiting, self.holding))
        if waiting.ndim != 2 or waiting.shape[1] != 3 or len(waiting) < 2:
            raise ConfigError(f"waiting has shape {waiting.shape}, but must have (levels of health, 3)")
        if holding.shape != (needs, *waiting.shape):
            raise ConfigError(f"holding has shape {holding.shape}, but must have {(needs, *waiting.shape)}")
        for name, rows in (("waiting", waiting), ("holding", holding)):
            _check_rows(name, rows)
            rows.flags.writeable = False
            object.__setattr__(self, name, rows)

    @property
    def predecessors(self) -> tuple[int, ...]:
        """(K,) the order as bitmasks."""
        return predecessor_masks("order", self.order)


class Change(NamedTuple):
    """A condition that turns into another one.

    :param condition: what it turns into
    :param needs: for each need of the first, its number in the other, or ``NONE`` if it disappears
    """

    condition: Condition
    needs: tuple[int, ...]

    def progress(self, before: Progress) -> Progress:
        """What a patient has of the new pathway; whoever held what is not needed any more lets go of it."""
        had = sum(1 << new for old, new in enumerate(self.needs) if before.had >> old & 1 and new != NONE)
        held = self.needs[before.held] if before.held != NONE else NONE
        return Progress(had, held, before.left) if held != NONE else Progress(had)


def _check_rows(name: str, rows: Floats) -> None:
    """Refuse rows that are not probability distributions."""
    flat = rows.reshape(-1, 3)
    sums = flat.sum(axis=1)
    wrong = (flat < 0).any(axis=1) | ~(np.abs(sums - 1) < 1e-9)
    if wrong.any():
        row = flat[wrong][0]
        raise ConfigError(
            f"{name} has the row {row.tolist()}, which sums to {row.sum():g}, but must be "
            "probabilities of at least 0 that sum to 1"
        )


def draw_condition(config: PathwaysConfig, rng: np.random.Generator) -> Condition:
    """Draw a condition (section 5: random resources in a random order; Dirichlet and Beta priors).

    :param config: the hospital
    :param rng: random generator
    """
    resources = tuple(rng.permutation(config.resources)[: config.needs].tolist())
    order = _draw_order(config, rng)
    shortest, longest = config.durations
    durations = tuple(rng.integers(shortest, longest + 1, config.needs).tolist())
    severity = 2 * rng.beta(config.prior.severity_shape, config.prior.severity_shape)
    down, _, up = config.prior.waiting_mean
    waiting = _draw_rows(config, (down * severity, 1 - down * severity - up, up), (config.health_levels,), rng)
    holding = _draw_rows(config, config.prior.holding_mean, (config.needs, config.health_levels), rng)
    return Condition(resources, order, durations, waiting, holding)


def draw_appearing(config: PathwaysConfig, base: Condition, rng: np.random.Generator) -> Change:
    """A further need of any resource, which comes last in a linear pathway and after some in a partial order."""
    needs = len(base.resources)
    before = [need for need in range(needs) if _is_ordered(config, rng)]
    shortest, longest = config.durations
    grown = Condition(
        (*base.resources, int(rng.integers(config.resources))),
        (*base.order, tuple(before)),
        (*base.durations, int(rng.integers(shortest, longest + 1))),
        base.waiting,
        np.concatenate([base.holding, _draw_rows(config, config.prior.holding_mean, (1, config.health_levels), rng)]),
    )
    return Change(grown, tuple(range(needs)))


def draw_disappearing(base: Condition, rng: np.random.Generator) -> Change | None:
    """One need less, with its place in the order: what came after it comes after what came before it.

    :return: None for a condition with a single need
    """
    needs = len(base.resources)
    if needs == 1:
        return None
    gone = int(rng.integers(needs))
    kept = [need for need in range(needs) if need != gone]
    numbers = tuple(kept.index(need) if need != gone else NONE for need in range(needs))
    order = []
    for need in kept:
        before = set(base.order[need])
        if gone in before:
            before |= set(base.order[gone])
        order.append(tuple(sorted(numbers[other] for other in before if other != gone)))
    shrunk = Condition(
        tuple(base.resources[need] for need in kept),
        tuple(order),
        tuple(base.durations[need] for need in kept),
        base.waiting,
        base.holding[kept],
    )
    return Change(shrunk, numbers)


def _draw_order(config: PathwaysConfig, rng: np.random.Generator) -> Order:
    """Needs come in the random order of their resources, so that earlier numbers come first."""
    if not isinstance(config.pathway, str):
        return config.pathway
    if config.pathway == "linear":
        return tuple((need - 1,) if need else () for need in range(config.needs))
    return tuple(tuple(n for n in range(need) if _is_ordered(config, rng)) for need in range(config.needs))


def _is_ordered(config: PathwaysConfig, rng: np.random.Generator) -> bool:
    """Whether a need comes before a later one."""
    if config.pathway == "partial":
        return bool(rng.random() < config.precedence_probability)
    return config.pathway != "unordered"


def _draw_rows(config: PathwaysConfig, mean: Any, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Dirichlet draws around a mean; what the mean excludes stays excluded."""
    mean = np.clip(np.asarray(mean, dtype=np.float64), 0, None)
    rows = np.zeros((*shape, 3))
    possible = mean > 0
    rows[..., possible] = rng.dirichlet(config.prior.concentration * mean[possible], shape)
    return rows / rows.sum(axis=-1, keepdims=True)
