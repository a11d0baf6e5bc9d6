"""Service hazards: the minutes waited, and how they are counted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from echo_env.lab import Day, LabConfig, make_policy, sample_days, simulate
from echo_env.lab.policies.service_hazards import Floats, Ints, first_in_line, service_hazards, waiting_minutes
from echo_env.lab.simulation.patient import PatientClass
from echo_env.lab.simulation.trace import Trace

Lab = Callable[..., LabConfig]
Days = Callable[..., Day]

ON_TIME, LATE, EARLY = PatientClass.NON_FETAL_ON_TIME, PatientClass.NON_FETAL_LATE, PatientClass.NON_FETAL_EARLY


@pytest.fixture
def queue(tiny_lab: Lab, tiny_day: Days) -> tuple[LabConfig, Trace]:
    """One pair. Patient 0 is served at 0; 1, early until 20, at 40; 2, late, comes at 25 and is served at 80."""
    config = tiny_lab(
        non_fetal=(0, 10, 30), rooms__fetal=0, rooms__non_fetal=1, sonographers__fetal=0, sonographers__non_fetal=1,
        breaks__number=0,
    )  # fmt: skip
    # By number: due at 0, at 10 and at 30; the one due at 10 is late, the one due at 30 early.
    trace = simulate(config, tiny_day(config, (0, 25, 5), (40, 20, 40)), make_policy("policy_2", config))
    assert [(exam.patient, exam.start_min) for exam in trace.exams] == [(0, 0), (2, 40), (1, 80)]
    return config, trace


def test_counted_by_hand(queue: tuple[LabConfig, Trace]) -> None:
    """Each minute waited counts once, for its class and half hour, that of the start included."""
    config, trace = queue
    got = service_hazards(config, waiting_minutes(config, [trace, trace]))
    prior = 1 / 30
    # On time: minute 0 (served), 20 to 29; then 30 to 40 (served). Two days, and one service in 30 minutes on top.
    assert got[ON_TIME, :3] == pytest.approx([3 / 52, 3 / 52, prior])
    assert got[EARLY, :3] == pytest.approx([1 / 60, prior, prior])
    # Late: 25 to 29, 30 to 59, 60 to 80 (served).
    assert got[LATE, :3] == pytest.approx([1 / 40, 1 / 90, 3 / 72])
    assert got[:3] == pytest.approx(prior)
    assert got.shape == (6, 22)


def test_pooled_by_kind(queue: tuple[LabConfig, Trace]) -> None:
    """Pooled by kind, all classes of a kind share its hazard."""
    config, trace = queue
    got = service_hazards(config, waiting_minutes(config, [trace]), by="kind")
    assert (got[3:] == got[3]).all()
    assert got[3, :3] == pytest.approx([2 / (11 + 15 + 5 + 30), 2 / (11 + 30 + 30), 2 / (21 + 30)])
    assert got[:3] == pytest.approx(1 / 30)


def test_first_in_line_by_hand(queue: tuple[LabConfig, Trace]) -> None:
    """Only the minutes of the highest bidder of each kind count."""
    config, trace = queue

    def late_first(patient_class: Ints, minute: Ints, near: Ints) -> Floats:
        return np.where(patient_class == LATE, 2.0, 1.0)

    rows = first_in_line(waiting_minutes(config, [trace]), late_first)
    # From 25 on it is the late patient, also at 40, when the other one begins.
    assert list(zip(rows.minute.tolist(), rows.patient.tolist(), strict=True)) == [
        (0, 0), *((minute, 2) for minute in range(5, 25)), *((minute, 1) for minute in range(25, 81)),
    ]  # fmt: skip
    assert rows.minute[rows.begins].tolist() == [0, 80]


def test_after_equal_bids_who_waited_longest_then_by_number(tiny_lab: Lab, tiny_day: Days) -> None:
    """Ties are broken as in the auction: the longest wait, then the lowest number."""
    config = tiny_lab(non_fetal=(0, 0, 0), rooms__non_fetal=0, sonographers__fetal=1, sonographers__non_fetal=0)
    trace = simulate(config, tiny_day(config, (5, 3, 3), (30, 30, 30)), make_policy("policy_1", config))
    everybody = waiting_minutes(config, [trace])
    rows = first_in_line(everybody, lambda patient_class, minute, near: np.zeros(len(minute)))
    assert dict(zip(rows.minute[:3].tolist(), rows.patient[:3].tolist(), strict=True)) == {3: 1, 4: 2, 5: 2}


@pytest.mark.parametrize("preset", ["scarce", "baseline"])
def test_waiting_is_what_the_simulator_counted(preset: str) -> None:
    """Patients waiting by class and minute are those of the simulator."""
    config = LabConfig.load(preset)
    traces = [simulate(config, day, make_policy("policy_1", config)) for day in sample_days(config, 20, seed=71)]
    rows = waiting_minutes(config, traces)
    counted = np.zeros((20, config.hours.end_min, 6), dtype=np.int64)
    still = ~rows.begins
    np.add.at(counted, (rows.day[still], rows.minute[still], rows.patient_class[still]), 1)
    for trace, ours in zip(traces, counted, strict=True):
        assert np.array_equal(ours, trace.minutes[:, :6])
    begun = sorted(zip(rows.day[rows.begins].tolist(), rows.patient[rows.begins].tolist(), strict=True))
    assert begun == sorted((day, exam.patient) for day, trace in enumerate(traces) for exam in trace.exams)
