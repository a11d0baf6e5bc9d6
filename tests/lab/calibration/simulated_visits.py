"""The record that a hospital would have kept of simulated days."""

from __future__ import annotations

from typing import Any

import pandas as pd

from echo_env.common.config_model import build
from echo_env.lab import GeneralLabConfig, simulate
from echo_env.lab.calibration.cell_log import CellLog
from echo_env.lab.calibration.visits import MINUTES, TABLE, Visits
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import Day, sample_days
from echo_env.lab.policies import make_policy
from echo_env.lab.simulation.trace import PatientRecord

CLINIC: dict[str, Any] = {
    "name": "clinic",
    "hours": {"opening_min": 480, "closing_min": 540, "end_min": 660},
    "arrival": {
        "no_show_rate": 0.1, "late_share": 0.5, "late_mean_min": 8.0, "early_mean_min": 12.0, "early_max_min": 40.0,
        "on_time_margin_min": 10,
    },
    "exam": {"shape": 8.0, "mean_min": 35.0, "shortest_min": 10.0, "longest_min": 90.0},
    "exam_types": {
        "scan": {
            "appointments": (30, 60, 75, 120, 150, 180, 200, 240, 300, 330, 360, 390, 420, 450),
            "check_in_lead_min": 15,
            "preparation": {"shape": 6.0, "mean_min": 12.0, "shortest_min": 5.0, "longest_min": 30.0},
            "may_begin_early": False,
        },
        "stress_test": {
            "appointments": (45, 105, 165, 225, 315, 375, 435),
            "exam": {"mean_min": 50.0},
            "check_in_lead_min": 15,
            "may_begin_early": False,
        },
    },
    "room_groups": {"large": {"count": 1}, "small": {"count": 2, "exam_types": ("scan",)}},
    "staff_groups": {
        "seniors": {"count": 2, "lunch": {"from": 210, "until": 330, "minutes": 30, "at_once": 1}},
        "juniors": {
            "count": 2, "exam_types": ("scan",), "absence_rate": 0.1, "always_present": 1,
            "breaks": {"minutes": 15, "number": 1, "last_probability": 0.3},
        },
    },
}  # fmt: skip
"""A clinic with two exam types, check-in before the appointment, preparation, lunch, breaks and absences."""


def visits_of(config: Lab, days: int, seed: int, rule: str = "policy_2", vitals: bool = False) -> Visits:
    """Simulated days as a hospital would have recorded them, one sheet a day.

    :param config: the lab
    :param days: how many days
    :param seed: of the days
    :param rule: rule of the days
    :param vitals: whether the end of the preparation is recorded
    """
    policy, rows = make_policy(rule, config), []
    for number, day in enumerate(sample_days(config, days, seed)):
        name = str(pd.Timestamp("2026-03-02") + pd.tseries.offsets.BDay(number))[:10]
        for row, patient in enumerate(simulate(config, day, policy).patients, 2):
            rows.append({"day": name, "sheet": name, "row": row, **_visit(config, day, patient, vitals)})
    minutes = dict.fromkeys((*MINUTES, "offset_min", "exam_min"), "Int64")
    table = pd.DataFrame(rows, columns=list(TABLE)).astype(minutes)
    return Visits("simulated.xlsx", "", table, {}, {}, CellLog())


def _visit(config: Lab, day: Day, patient: PatientRecord, vitals: bool) -> dict[str, Any]:
    opening, types = config.plan.opening_min, {kind.name: kind for kind in config.plan.types}

    def clock(minute: int | None) -> int | None:
        return None if minute is None else minute + opening

    scheduled, came, begin, end = patient.scheduled_min, patient.arrival_min, patient.start_min, patient.end_min
    booked = scheduled is not None
    asked = None if scheduled is None else scheduled - types[patient.exam_type].check_in_lead_min
    prepared = None if came is None else came + int(day.prep_min[patient.patient])
    return {
        "patient": str(patient.patient),
        "type": patient.exam_type,
        "expected": clock(asked),
        "actual": clock(came),
        "scheduled": clock(patient.scheduled_min),
        "vitals_in": clock(came) if vitals else None,
        "vitals_out": clock(prepared) if vitals else None,
        "begin": clock(begin),
        "end": clock(end),
        "room": "" if patient.room is None else str(patient.room + 1),
        "staff": "" if patient.sonographer is None else chr(ord("A") + patient.sonographer) * 2,
        "booked": "yes" if booked else "no",
        "came": "yes" if came is not None else "no",
        "unscheduled": not booked,
        "offset_min": None if asked is None or came is None else came - asked,
        "exam_min": None if begin is None or end is None else end - begin,
    }


def clinic(**changes: Any) -> GeneralLabConfig:
    """:data:`CLINIC` as a lab.

    :param changes: fields by their path, a double underscore for the dot
    """
    return build(GeneralLabConfig, CLINIC).replace(**changes)
