"""A whole random lab from the settings of a family: the only user of randomness of the family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from echo_env.common.config_model import build
from echo_env.lab.config import IDLE_RULES, GeneralLabConfig
from echo_env.lab.family.books import appointments
from echo_env.lab.family.capacity import Capacity, scaled_demand
from echo_env.lab.family.laws import arrival_law, exam_law, preparation
from echo_env.lab.family.resources import crossing, nested, room_group, staff_group

if TYPE_CHECKING:
    from echo_env.lab.family.family import LabFamily

GRIDS = (5, 10, 15, 30)


def random_lab(family: LabFamily, rng: np.random.Generator, name: str) -> GeneralLabConfig:
    """A lab of a family.

    :param family: the settings
    :param rng: source of all choices
    :param name: of the lab
    """
    while True:
        data = _random_data(family, rng, name)
        if data is not None:
            return build(GeneralLabConfig, data)


def _random_data(family: LabFamily, rng: np.random.Generator, name: str) -> dict[str, Any] | None:
    """The config of a lab; None where the choices do not fit together, to be made again."""
    closing = 30 * int(rng.integers(family.closing[0] // 30, family.closing[1] // 30 + 1))
    end = closing + 30 * int(rng.integers(1, 5))
    paper, plain = rng.random() < family.paper_share, rng.random() < family.plain_share
    kinds = 2 if paper else _type_count(family, rng)
    means = _exam_means(family, rng, kinds, paper)
    arrival = arrival_law(rng)
    rooms, staff = (nested if paper or rng.random() < 0.3 else crossing)(family, rng, kinds)
    walk_in = np.zeros(kinds) if plain or rng.random() < 0.6 else rng.uniform(0, 0.5, kinds) * (rng.random(kinds) < 0.5)
    groups = {f"staff_{g}": staff_group(rng, group, closing, end, plain) for g, group in enumerate(staff)}
    capacity = Capacity.of(kinds, rooms, staff, [group.get("absence_rate", 0.0) for group in groups.values()])
    wanted = scaled_demand(rng, capacity, closing, means, rng.uniform(*family.utilisation), paper)
    booked = np.rint(wanted * (1 - walk_in) / (1 - arrival["no_show_rate"])).astype(int)
    few = booked.min() < 3 if paper else (booked + walk_in).min() <= 0
    if few or not family.patients[0] <= booked.sum() <= family.patients[1]:
        return None
    if capacity.whole(wanted * means, closing) < family.least_whole:
        return None
    shape = float(np.round(np.exp(rng.uniform(np.log(3), np.log(30))), 1))
    weights = rng.choice([1, 1, 2, 3, 5], kinds) if rng.random() < 0.3 else np.ones(kinds, dtype=int)
    pattern, grid = str(rng.choice(["even", "random", "blocks", "front"])), int(rng.choice(GRIDS))
    types: dict[str, Any] = {}
    for k in range(kinds):
        own: dict[str, Any] = {
            "appointments": appointments(rng, int(booked[k]), closing, means[k], pattern, grid),
            "exam": exam_law(means[k], shape if rng.random() < 0.7 else float(rng.integers(3, 30)), rng),
            "weight": int(weights[k]),
        }
        if rng.random() < 0.15:
            own["arrival"] = arrival_law(rng)
        if not plain:
            own |= preparation(rng)
        hours = closing // 60
        if walk_in[k]:
            expected = float(np.round(min(wanted[k] * walk_in[k] / hours, 6.0), 2))
            own["unscheduled"] = {60 * hour: expected for hour in range(hours) if rng.random() < 0.9}
        types[f"type_{k}"] = own
    return {
        "name": name,
        "hours": {"opening_min": int(rng.choice([420, 450, 480, 480, 510])), "closing_min": closing, "end_min": end},
        "arrival": arrival,
        "exam": {"shape": shape},
        "exam_types": types,
        "room_groups": {f"rooms_{g}": room_group(rng, group, closing, plain) for g, group in enumerate(rooms)},
        "staff_groups": groups,
        "penalty": _penalty(family, rng),
    }


def _type_count(family: LabFamily, rng: np.random.Generator) -> int:
    """More labs of few exam types than of many."""
    counts = np.arange(family.types[0], family.types[1] + 1)
    shares = np.where(counts == 1, 0.1, 1.0) / np.sqrt(counts)
    return int(rng.choice(counts, p=shares / shares.sum()))


def _exam_means(family: LabFamily, rng: np.random.Generator, kinds: int, paper: bool) -> list[float]:
    """Mean exam of each type, minutes: like each other in some labs, not in others."""
    low, high = np.log(family.exam_mean)
    common, spread = rng.uniform(low, high), rng.choice([0.0, 0.2, 0.5])
    means = np.exp(np.clip(common + spread * rng.normal(size=kinds), low, high))
    if paper:
        means[:] = means[1]
        if rng.random() < family.long_share:
            means[0] *= rng.uniform(1.1, 2.2)
        elif rng.random() < 0.3:
            means[0] *= rng.uniform(0.6, 1.0)
    return np.round(np.clip(means, *family.exam_mean), 1).tolist()


def _penalty(family: LabFamily, rng: np.random.Generator) -> dict[str, Any]:
    rule = str(rng.choice(IDLE_RULES, p=[0.5 if name == "every_pair" else 0.25 for name in IDLE_RULES]))
    if rng.random() < family.paper_weights_share:
        return {"on_time": 4.0, "late": 2.0, "overtime": 10.0, "idle": 1.0, "idle_rule": rule}
    late = rng.choice([0.0, 0.25, 0.5, 1.0]) * 4
    extra = {"left_waiting": float(rng.integers(0, 500)), "staff_overtime": float(rng.integers(0, 6))}
    return {
        "on_time": 4.0,
        "late": float(late),
        "overtime": float(rng.integers(0, 31)),
        "idle": float(rng.integers(0, 3)),
        "idle_rule": rule,
        **{name: points for name, points in extra.items() if rng.random() < 0.3},
    }
