"""Laws of arrival, exams and preparation of random labs."""

from __future__ import annotations

from typing import Any

import numpy as np


def arrival_law(rng: np.random.Generator) -> dict[str, Any]:
    """Who comes, and when.

    :param rng: source of all choices
    """
    law: dict[str, Any] = {
        "no_show_rate": float(np.round(rng.uniform(0, 0.2), 2)),
        "late_share": float(np.round(rng.uniform(0.1, 0.9), 2)),
        "late_mean_min": float(rng.integers(2, 26)),
        "early_mean_min": float(rng.integers(2, 26)),
        "early_max_min": float(rng.choice([15, 30, 60, 60])),
        "on_time_margin_min": int(rng.choice([0, 5, 10, 10, 15])),
    }
    if rng.random() < 0.15:
        seen = np.rint(rng.normal(rng.uniform(-15, 5), rng.uniform(5, 20), 40)).astype(int)
        law |= {"model": "empirical", "offsets_min": np.clip(seen, -60, 90).tolist()}
    return law


def exam_law(mean: float, shape: float, rng: np.random.Generator) -> dict[str, Any]:
    """How long exams take.

    :param mean: before truncation, minutes
    :param shape: of the gamma distribution
    :param rng: source of the interval
    """
    shortest = np.round(mean * rng.uniform(0.2, 0.6), 1)
    longest = np.round(mean * rng.uniform(2.0, 4.0), 1)
    return {"shape": shape, "mean_min": mean, "shortest_min": float(shortest), "longest_min": float(longest)}


def preparation(rng: np.random.Generator) -> dict[str, Any]:
    """What an exam type may have before its exams: a lead of the check-in, a preparation, and no early begin.

    :param rng: source of all choices
    """
    data: dict[str, Any] = {"may_begin_early": bool(rng.random() < 0.8)}
    if rng.random() < 0.3:
        data["check_in_lead_min"] = int(rng.choice([10, 15, 30]))
    if rng.random() < 0.2:
        data["preparation"] = {"minutes": int(rng.integers(3, 20))}
    elif rng.random() < 0.2:
        mean = float(rng.integers(5, 20))
        data["preparation"] = {"shape": 4.0, "mean_min": mean, "shortest_min": 2.0, "longest_min": 3 * mean}
    return data
