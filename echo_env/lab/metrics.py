"""A day in named numbers."""

from __future__ import annotations

from collections import Counter

import numpy as np

from echo_env.lab.trace import Trace

METRICS = {
    "penalty": ("points", "penalty of the day"),
    "waiting_penalty": ("points", "penalty without its idle part"),
    "penalty_on_time": ("points", "part for on-time patients waiting"),
    "penalty_late": ("points", "part for late patients waiting"),
    "penalty_overtime": ("points", "part for patients waiting after closing"),
    "penalty_idle": ("points", "part for idle rooms and sonographers"),
    "wait_min": ("minutes", "mean waiting time of patients served"),
    "wait_fetal_min": ("minutes", "mean waiting time of fetal patients served"),
    "wait_non_fetal_min": ("minutes", "mean waiting time of non-fetal patients served"),
    "longest_wait_min": ("minutes", "longest waiting time of a patient served"),
    "served": ("patients", "patients whose exam began"),
    "left_waiting": ("patients", "patients still waiting at the end of the day"),
    "no_show": ("patients", "patients who did not come"),
    "turned_away": ("patients", "patients who came after closing"),
    "workload": ("exams", "mean exams per sonographer present"),
    "workload_spread": ("exams", "most minus fewest exams of a sonographer present"),
    "absent": ("sonographers", "sonographers absent"),
    "absence_rate": ("probability", "absence rate of the day"),
}
"""Name -> (unit, meaning) of every number that :func:`day_metrics` gives."""


def day_metrics(trace: Trace) -> dict[str, float]:
    """The numbers of :data:`METRICS` for one day. A mean over nobody is nan."""
    parts = trace.penalty
    outcomes = Counter(patient.outcome for patient in trace.patients)
    waits = [(patient.fetal, patient.waiting_min) for patient in trace.patients if patient.waiting_min is not None]
    exams = Counter(exam.sonographer for exam in trace.exams)
    present = np.flatnonzero(trace.day.present)
    workload = [exams[number] for number in present.tolist()]
    return {
        "penalty": parts.total,
        "waiting_penalty": parts.waiting,
        "penalty_on_time": parts.on_time,
        "penalty_late": parts.late,
        "penalty_overtime": parts.overtime,
        "penalty_idle": parts.idle,
        "wait_min": _mean([wait for _, wait in waits]),
        "wait_fetal_min": _mean([wait for fetal, wait in waits if fetal]),
        "wait_non_fetal_min": _mean([wait for fetal, wait in waits if not fetal]),
        "longest_wait_min": float(max((wait for _, wait in waits), default=np.nan)),
        "served": float(outcomes["served"]),
        "left_waiting": float(outcomes["left_waiting"]),
        "no_show": float(outcomes["no_show"]),
        "turned_away": float(outcomes["turned_away"]),
        "workload": _mean(workload),
        "workload_spread": float(max(workload, default=0) - min(workload, default=0)),
        "absent": float(len(trace.day.present) - len(present)),
        "absence_rate": trace.day.absence_rate,
    }


def _mean(values: list[int]) -> float:
    return sum(values) / len(values) if values else float("nan")
