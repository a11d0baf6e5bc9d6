"""Tiny labs and days whose every number is written by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from echo_env.lab import Day, LabConfig
from echo_env.lab.config import Appointments


@pytest.fixture(scope="session")
def tiny_lab() -> Callable[..., LabConfig]:
    """Makes a lab with given appointments, rooms and sonographers; nobody is ever absent."""

    def make(fetal: Sequence[int] = (), non_fetal: Sequence[int] = (), **changes: Any) -> LabConfig:
        book = Appointments(tuple(fetal), tuple(non_fetal))
        config = LabConfig.load("baseline").replace(appointments=book, name="tiny")
        staff = {"sonographers__absence_rate": 0.0, "sonographers__always_present_fetal": 0}
        staff["sonographers__always_present_non_fetal"] = 0
        return config.replace(**staff, **changes)

    return make


@pytest.fixture(scope="session")
def tiny_day() -> Callable[..., Day]:
    """Makes a day from arrival minutes and exam lengths by patient number; no breaks unless they are given."""

    def make(config: LabConfig, arrival: Sequence[int], exam_min: Sequence[float], **changes: Any) -> Day:
        book = config.appointments
        lines = sorted([(t, 0) for t in book.fetal] + [(t, 1) for t in book.non_fetal])
        staff = config.sonographers.total
        arrays: dict[str, Any] = {
            "scheduled": np.array([line[0] for line in lines], dtype=np.int64),
            "exam_type": np.array([line[1] for line in lines], dtype=np.int64),
            "arrival": np.array(arrival, dtype=np.int64),
            "exam_min": np.array(exam_min, dtype=np.float64),
            "prep_min": np.zeros(len(lines), dtype=np.int64),
            "unscheduled": np.zeros(len(lines), dtype=np.bool_),
            "absence_draw": np.ones(staff),
            "break_draw": np.ones((staff, len(lines))),
            "absence_rate": 0.0,
            "on_call": np.zeros(staff, dtype=np.bool_),
            "staff_group": np.array([0] * config.sonographers.fetal + [1] * config.sonographers.non_fetal),
        }
        return Day(**{**arrays, **changes})

    return make
