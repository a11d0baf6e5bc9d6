"""Small hand-made hospitals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from echo_env.pathways import Condition, Instance, Luck, PathwaysConfig
from echo_env.pathways.config.pathway import NONE


def make_condition(
    resources: tuple[int, ...] = (0, 1),
    order: Any = ((), (0,)),
    durations: tuple[int, ...] = (),
    waiting: tuple[float, float, float] = (0.5, 0.5, 0.0),
    holding: tuple[float, float, float] = (0.0, 0.5, 0.5),
    levels: int = 3,
) -> Condition:
    """A condition whose health moves in the same way at every level and under every task."""
    rows = np.tile(waiting, (levels, 1)), np.tile(holding, (len(resources), levels, 1))
    return Condition(resources, order, durations or (1,) * len(resources), *rows)


def make_instance(conditions: Sequence[Condition], patients: Sequence[tuple[int, int]], **fields: Any) -> Instance:
    """An instance from conditions and, for each patient, (condition, initial health)."""
    own = {name: fields.pop(name) for name in ("arrival", "changes") if name in fields}
    levels = len(conditions[0].waiting)
    settings = {"resources": 2, "horizon": 5, "needs": 1, "initial_health": (0, 1), "health_levels": levels}
    config = PathwaysConfig.load("baseline").replace(patients=len(patients), **{**settings, **fields})
    condition, health = zip(*patients, strict=True)
    return Instance(config, tuple(conditions), np.array(condition), np.array(health), **own)


def make_luck(instance: Instance, health: Any = 0.5, change: Mapping[int, tuple[int, int]] | None = None) -> Luck:
    """A trial with these health draws, (T, N) or one for all; ``change`` has (step, kind) by patient."""
    shape = instance.config.horizon, instance.config.patients
    step, kind = np.full(shape[1], NONE), np.zeros(shape[1], dtype=np.int64)
    for patient, (when, what) in (change or {}).items():
        step[patient], kind[patient] = when, what
    return Luck(np.broadcast_to(np.asarray(health, dtype=float), shape).copy(), np.zeros(shape), step, kind)
