"""Random labs that a week's record could be of, for round trips through a record."""

from __future__ import annotations

from typing import Any

import numpy as np

from echo_env.lab import GeneralLabConfig
from echo_env.lab.calibration.fitting.estimates import lab_of
from echo_env.lab.config.clock import clock_text
from echo_env.lab.config.loading import lay_values

TYPES = ("fetal", "non_fetal", "stress")


def random_hospital(seed: int) -> GeneralLabConfig:
    """A lab with one to three exam types, a lead, a preparation, turnover, absences and unscheduled patients.

    Rooms and staff suffice on most days: what delays patients is what a record shows.
    """
    rng = np.random.default_rng(seed)
    types = TYPES[: int(rng.integers(1, 4))]
    lead, early = int(rng.choice([0, 10, 15, 30])), bool(rng.random() < 0.3)
    sections: dict[str, Any] = {}
    for name in types:
        times = 8 * 60 + 15 * np.sort(rng.integers(0, 30, size=int(rng.integers(9, 14))))
        sections[name] = {
            "appointments": [clock_text(int(minute)) for minute in times],
            "check_in_lead_min": lead,
            "may_begin_early": early,
            "preparation": {"minutes": int(rng.choice([0, 5, 10, 15, 20]))},
        }
    if rng.random() < 0.5:
        sections[types[-1]]["unscheduled"] = {"09:00": round(float(rng.uniform(0.5, 1.5)), 2)}
    rare = [types[0]] if len(types) > 1 else []
    rooms: dict[str, Any] = {"rooms": {"count": 5, "turnover_min": int(rng.choice([0, 5, 10]))}}
    staff: dict[str, Any] = {"staff": {"count": 5, "absence_rate": float(rng.choice([0.05, 0.1])), "always_present": 1}}
    if rare:
        rest = list(types[1:])
        rooms["others"] = {"count": 3, "exam_types": rest, "turnover_min": rooms["rooms"]["turnover_min"]}
        staff["others"] = {"count": 2, "exam_types": rest, "absence_rate": 0.0, "always_present": 1}
    data: dict[str, Any] = {
        "name": f"hospital_{seed}",
        "hours": {"opening": "06:00", "closing": "18:00", "end": "20:00"},
        "exam_types": sections,
        "room_groups": rooms,
        "staff_groups": staff,
    }
    arrival = {"late_mean_min": float(rng.uniform(5, 20)), "early_mean_min": float(rng.uniform(5, 20))}
    laws = {
        "arrival": {
            "no_show_rate": float(rng.uniform(0.05, 0.2)), "late_share": float(rng.uniform(0.2, 0.8)), **arrival,
            "early_max_min": 60.0,
        },
        "exam": {
            "shape": float(rng.uniform(5, 14)), "mean_min": float(rng.uniform(30, 50)), "shortest_min": 10.0,
            "longest_min": 150.0,
        },
    }  # fmt: skip
    lay_values(data, laws)
    return lab_of(data, {})
