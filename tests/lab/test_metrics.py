"""A day's numbers, worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from echo_env.lab import Day, LabConfig, make_policy, simulate
from echo_env.lab.metrics import METRICS, day_metrics
from echo_env.lab.patient import NO_SHOW, TURNED_AWAY


def test_metrics_of_a_hand_made_day(tiny_lab: Callable[..., LabConfig], tiny_day: Callable[..., Day]) -> None:
    """A number in a table would not mean what its name says."""
    config = tiny_lab(fetal=(15,), non_fetal=(0, 20, 30, 530), rooms__non_fetal=0, sonographers__fetal=1,
                      sonographers__non_fetal=1)  # fmt: skip
    # One room, fetal-capable. Patient 0 (non-fetal, 08:00) comes at 5 and begins at once with the non-fetal
    # sonographer 1, until 35. Patient 1 (fetal, 08:15) comes at 10, waits from 15 to 35 = 20 minutes, until 75
    # with sonographer 0. Patient 2 (08:20) comes at 31, late, waits 31 to 75 = 44 minutes. Patient 3 does not
    # come; patient 4 comes too late for today.
    # On-time minutes: patient 1 is waiting from 10 to 34: 25 minutes at 4 = 100. Late: 44 at 2 = 88.
    # Idle pairs (one room): 0 to 4 and from 105 to 659: 560.
    trace = simulate(config, tiny_day(config, (5, 10, 31, NO_SHOW, TURNED_AWAY), (30, 40, 30, 9, 9)),
                     make_policy("policy_2", config))  # fmt: skip
    got = day_metrics(trace)
    assert list(got) == list(METRICS)
    expected = {
        "penalty": 748, "waiting_penalty": 188, "penalty_on_time": 100, "penalty_late": 88, "penalty_overtime": 0,
        "penalty_idle": 560, "wait_min": 64 / 3, "wait_fetal_min": 20, "wait_non_fetal_min": 22,
        "longest_wait_min": 44, "served": 3, "left_waiting": 0, "no_show": 1, "turned_away": 1, "workload": 1.5,
        "workload_spread": 1, "absent": 0, "absence_rate": 0,
    }  # fmt: skip
    assert got == pytest.approx(expected)


def test_nobody_served_gives_nan_not_zero(tiny_lab: Callable[..., LabConfig], tiny_day: Callable[..., Day]) -> None:
    """A day without patients would look like a day without waiting."""
    config = tiny_lab(non_fetal=(0,))
    got = day_metrics(simulate(config, tiny_day(config, (NO_SHOW,), (30,)), make_policy("policy_2", config)))
    assert math.isnan(got["wait_min"])
    assert math.isnan(got["longest_wait_min"])
    assert got["served"] == 0


def test_trace_csv_is_whole_or_absent(tmp_path, tiny_lab, tiny_day) -> None:  # type: ignore[no-untyped-def]
    """A broken run would leave half a file that looks like a result."""
    config = tiny_lab(non_fetal=(0, 20))
    trace = simulate(config, tiny_day(config, (0, NO_SHOW), (30, 30)), make_policy("policy_2", config))
    trace.to_csv(tmp_path / "day.csv")
    lines = (tmp_path / "day.csv").read_text().splitlines()
    assert lines[1] == "0,False,0,0,served,non-fetal on time,0,30,1,4,0"
    assert lines[2] == "1,False,20,,no_show,,,,,,"
    object.__setattr__(trace, "patients", [(1,), None])
    with pytest.raises(Exception, match="iterable"):
        trace.to_csv(tmp_path / "broken.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["day.csv"]
    assert trace.minutes.dtype == np.int64
