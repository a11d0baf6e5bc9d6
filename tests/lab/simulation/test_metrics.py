"""A day's numbers, worked out by hand."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from echo_env.lab import Day, LabConfig, evaluate, make_policy, simulate
from echo_env.lab.day import NO_SHOW, TURNED_AWAY
from echo_env.lab.envs.env import EchoLabEnv
from echo_env.lab.evaluation.results import write_days, write_summary
from echo_env.lab.evaluation.tables import print_comparison
from echo_env.lab.simulation.metrics import METRICS, DayNumbers, Metric, day_metrics, metrics_of, metrics_table
from echo_env.lab.simulation.policy import TieredPolicy


def test_metrics_of_a_hand_made_day(tiny_lab: Callable[..., LabConfig], tiny_day: Callable[..., Day]) -> None:
    """Every metric of a small day equals the number worked out by hand."""
    config = tiny_lab(fetal=(15,), non_fetal=(0, 20, 30, 530), rooms__non_fetal=0, sonographers__fetal=1,
                      sonographers__non_fetal=1)  # fmt: skip
    # One room, fetal-capable. Patient 0 (non-fetal, 08:00) comes at 5 and begins at once with the non-fetal
    # sonographer 1, until 35. Patient 1 (fetal, 08:15) comes at 10, waits from 15 to 35 = 20 minutes, until 75
    # with sonographer 0. Patient 2 (08:20) comes at 31, late, waits 31 to 75 = 44 minutes. Patient 3 does not
    # come; patient 4 comes too late for today.
    # On-time minutes: patient 1 is waiting from 10 to 34: 25 minutes at 4 = 100. Late: 44 at 2 = 88.
    # Idle pairs (one room): 0 to 4 and from 105 to 659: 560. Exams take 30 + 40 + 30 = 100 of the room's 660
    # minutes, and of the two sonographers' 1320.
    trace = simulate(config, tiny_day(config, (5, 10, 31, NO_SHOW, TURNED_AWAY), (30, 40, 30, 9, 9)),
                     make_policy("policy_2", config))  # fmt: skip
    got = day_metrics(trace)
    assert list(got) == list(metrics_of(config))
    expected = {
        "penalty": 748, "waiting_penalty": 188, "penalty_on_time": 100, "penalty_late": 88, "penalty_overtime": 0,
        "penalty_idle": 560, "wait_min": 64 / 3, "wait_fetal_min": 20, "wait_non_fetal_min": 22,
        "wait_on_time_min": 10, "wait_late_min": 44, "wait_early_min": math.nan,
        "longest_wait_min": 44, "served": 3, "left_waiting": 0, "no_show": 1, "turned_away": 1, "workload": 1.5,
        "workload_spread": 1, "room_utilisation": 100 / 660, "sonographer_utilisation": 100 / 1320,
        "overtime_min": 0, "absent": 0, "absence_rate": 0,
    }  # fmt: skip
    assert {name: got[name] for name in expected} == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("engine", ["simpy", "compiled"])
def test_utilisation_overtime_and_classes_of_two_patients(
    tiny_lab: Callable[..., LabConfig], tiny_day: Callable[..., Day], engine: str
) -> None:
    """Busy minutes stop at the end of the day, breaks are no work, and classes are those at the start of the exam."""
    config = tiny_lab(non_fetal=(60, 520), rooms__fetal=0, rooms__non_fetal=1, sonographers__fetal=0,
                      sonographers__non_fetal=2)  # fmt: skip
    # Patient 0 (09:00) comes at 30, early, and begins at once with sonographer 0, until 130: waits 0 minutes.
    # The sonographer then has a break until 145 (draw 0.3: one of two). Patient 1 (16:40) comes at 536, late;
    # sonographer 1 has done no exam and begins at once, until 536 + 150 = 686, 146 minutes after closing.
    # Room: 100 + (660 - 536) = 224 of 660 minutes. Sonographers: 224 of 1320, the break being no work.
    day = tiny_day(config, (30, 536), (100, 150), break_draw=np.full((2, 2), 0.3))
    got = metrics_by(engine, config, day)
    expected = {
        "wait_min": 0, "wait_early_min": 0, "wait_late_min": 0, "wait_on_time_min": math.nan, "served": 2,
        "room_utilisation": 224 / 660, "sonographer_utilisation": 224 / 1320, "overtime_min": 146, "workload": 1,
        "workload_spread": 0,
    }  # fmt: skip
    assert {name: got[name] for name in expected} == pytest.approx(expected, nan_ok=True)
    # With sonographer 1 absent, 0 does both: 224 of the 660 minutes of those present.
    alone = metrics_by(engine, config, replace(day, absence_rate=0.5, absence_draw=np.array([1.0, 0.0])))
    assert alone["sonographer_utilisation"] == 224 / 660
    assert (alone["workload"], alone["workload_spread"], alone["absent"]) == (2, 0, 1)
    # With both absent nobody is served: no share of nothing.
    nobody = metrics_by(engine, config, replace(day, absence_rate=0.5, absence_draw=np.zeros(2)))
    assert (nobody["room_utilisation"], nobody["overtime_min"], nobody["left_waiting"]) == (0, 0, 2)
    assert math.isnan(nobody["sonographer_utilisation"])


def test_an_early_patient_who_becomes_on_time_is_served_as_such(
    tiny_lab: Callable[..., LabConfig], tiny_day: Callable[..., Day]
) -> None:
    """Waits by class go by the class at the start of the exam."""
    config = tiny_lab(non_fetal=(0, 40), rooms__fetal=0, rooms__non_fetal=1)
    # Patient 0 is in the room from 0 to 45. Patient 1 (08:40) comes at 20, early, is on time from 30 and begins
    # at 45, 5 minutes after the appointment. Patient 0 waited 0 minutes: 2.5 in the mean.
    got = day_metrics(simulate(config, tiny_day(config, (0, 20), (45, 30)), make_policy("policy_2", config)))
    assert (got["wait_on_time_min"], got["longest_wait_min"]) == (2.5, 5)
    assert math.isnan(got["wait_early_min"])


def metrics_by(engine: str, config: LabConfig, day: Day) -> dict[str, float]:
    """The day's numbers under policy 2, by one of the engines."""
    policy = make_policy("policy_2", config)
    if engine == "simpy":
        return day_metrics(simulate(config, day, policy))
    pytest.importorskip("numba")
    from echo_env.lab.compiled import batch

    labs = batch.make_labs(config, 1)
    batch.begin_days(config, labs, np.arange(1), [day])
    assert isinstance(policy, TieredPolicy)
    batch.run_days(labs, batch.rules_of(config), batch.tiers_of(policy.tiers), np.zeros((1, 0, 7), dtype=np.int64))
    results = batch.results_of(config, labs, np.arange(1), np.array([day.absence_rate]))
    return {name: values.item() for name, values in metrics_table(config, results).items()}


def test_nobody_served_gives_nan_not_zero(tiny_lab: Callable[..., LabConfig], tiny_day: Callable[..., Day]) -> None:
    """A mean over no patients is nan, not 0."""
    config = tiny_lab(non_fetal=(0,))
    got = day_metrics(simulate(config, tiny_day(config, (NO_SHOW,), (30,)), make_policy("policy_2", config)))
    assert math.isnan(got["wait_min"])
    assert math.isnan(got["longest_wait_min"])
    assert got["served"] == 0


def test_trace_csv_is_whole_or_absent(tmp_path, tiny_lab, tiny_day) -> None:  # type: ignore[no-untyped-def]
    """A trace's CSV appears whole or not at all."""
    config = tiny_lab(non_fetal=(0, 20))
    trace = simulate(config, tiny_day(config, (0, NO_SHOW), (30, 30)), make_policy("policy_2", config))
    trace.to_csv(tmp_path / "day.csv")
    lines = (tmp_path / "day.csv").read_text().splitlines()
    assert lines[1] == "0,non_fetal,0,0,served,non-fetal on time,0,30,1,4,0"
    assert lines[2] == "1,non_fetal,20,,no_show,,,,,,"
    object.__setattr__(trace, "patients", [(1,), None])
    with pytest.raises(Exception, match="iterable"):
        trace.to_csv(tmp_path / "broken.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["day.csv"]
    assert trace.minutes.dtype == np.int64


def test_a_metric_is_one_record(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A record added to METRICS is in every engine's numbers, in tables, in both files and in the env's last info."""
    pytest.importorskip("numba")
    own = Metric("fetal_served", "patients", "fetal exams begun", "fetal served", "patients", fetal_served)
    monkeypatch.setitem(METRICS, own.name, own)
    config = LabConfig.load("scarce")
    comparison = evaluate(config, ["policy_2", "policy_3"], days=3, seed=1)
    assert comparison.values["policy_2"][own.name].min() > 0
    assert set(comparison.engines.values()) == {"compiled", "simpy"}
    console = Console(file=io.StringIO(), width=120)
    print_comparison(comparison, config, "three days", console)
    assert own.label in console.file.getvalue()  # type: ignore[attr-defined]
    write_days(tmp_path, comparison)
    write_summary(tmp_path, comparison, config, "EchoLabScarce-v0")
    assert own.name in (tmp_path / "days.csv").read_text(encoding="utf8").splitlines()[0].split(",")
    assert json.loads((tmp_path / "summary.json").read_text(encoding="utf8"))["metrics"][own.name]["unit"] == own.unit
    env = EchoLabEnv(config, clock="event")
    _, info = env.reset(seed=0)
    over = False
    while not over:
        _, _, over, _, info = env.step(int(np.flatnonzero(info["action_mask"])[-1]))
    assert info["metrics"][own.name] > 0


def fetal_served(day: DayNumbers) -> np.ndarray:
    """How many fetal patients were served."""
    return (day.served & (day.results.exam_type == 0)).sum(axis=1)
