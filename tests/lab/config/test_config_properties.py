"""Any lab that can be configured, on both engines: a patient has one outcome, a resource one use at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import yaml
from config_strategies import configs
from hypothesis import example, given, settings
from hypothesis import strategies as st

from echo_env.lab import Day, LabConfig, Policy, Trace, make_policy, sample_days, simulate
from echo_env.lab.config import Appointments, Rooms, Sonographers
from echo_env.lab.simulation.metrics import day_metrics, metrics_of

RULES = ("policy_1", "policy_2", "policy_3", "policy_4", "fetal_first", "random")
COMPILED_RULES = ("policy_1", "policy_2", "fetal_first")

BARE = LabConfig.load("baseline").replace(
    appointments=Appointments((), (0,)), rooms=Rooms(0, 1), sonographers=Sonographers(0, 1, 0, 0, 1.0)
)
"""One patient, one room, and a sonographer who never comes."""


def simpy(config: LabConfig, day: Day, policy: Policy) -> Trace:
    """A day on the SimPy engine, the reference."""
    return simulate(config, day, policy)


def compiled(config: LabConfig, day: Day, policy: Policy) -> Trace:
    """A day on the compiled engine."""
    batch = pytest.importorskip("echo_env.lab.compiled.batch")
    labs = batch.make_labs(config, 1, keep_rows=True)
    batch.begin_days(config, labs, np.arange(1), [day])
    batch.run_days(labs, batch.rules_of(config), batch.tiers_of(policy.tiers), np.zeros((1, 0, 4), dtype=np.int64))  # type: ignore[attr-defined]
    return batch.trace_of(config, labs, 0, day)


def assert_nobody_is_lost(trace: Trace) -> None:
    """Every appointment has one of four outcomes, the same in records and metrics."""
    numbers = day_metrics(trace)
    ends = ("served", "no_show", "turned_away", "left_waiting")
    assert sum(numbers[end] for end in ends) == len(trace.config.appointments)
    records = [record.outcome for record in trace.patients]
    assert {end: records.count(end) for end in ends} == {end: numbers[end] for end in ends}
    patients = [exam.patient for exam in trace.exams]
    assert len(set(patients)) == len(patients)
    for exam in trace.exams:
        assert 0 <= trace.day.arrival[exam.patient] <= exam.start_min < trace.config.hours.end_min
        assert exam.end_min - exam.start_min == trace.day.exam_whole_min[exam.patient]


def assert_nothing_is_used_twice(trace: Trace) -> None:
    """In every minute a room has one exam at most, and a sonographer one exam or break; fetal exams where they can."""
    config, day = trace.config, trace.day
    last = max([config.hours.end_min, *(exam.end_min for exam in trace.exams), *(b.end_min for b in trace.breaks)])
    rooms = np.zeros((config.rooms.total, last), dtype=int)
    staff = np.zeros((config.sonographers.total, last), dtype=int)
    for exam in trace.exams:
        rooms[exam.room, exam.start_min : exam.end_min] += 1
        staff[exam.sonographer, exam.start_min : exam.end_min] += 1
        if day.fetal[exam.patient]:
            assert exam.room < config.rooms.fetal
            assert exam.sonographer < config.sonographers.fetal
    for rest in trace.breaks:
        staff[rest.sonographer, rest.start_min : rest.end_min] += 1
    assert rooms.max(initial=0) <= 1
    assert (staff <= day.present[:, None]).all()
    assert np.array_equal(
        np.bincount([b.sonographer for b in trace.breaks], minlength=len(staff)) > 2, np.zeros(len(staff), bool)
    )
    # What was counted minute by minute says the same.
    end = config.hours.end_min
    free = trace.minutes[:, 6:10]
    assert trace.minutes.shape == (end, 13)
    assert trace.minutes.min(initial=0) >= 0
    assert np.array_equal(free[:, 0] + free[:, 1], (rooms[:, :end] == 0).sum(axis=0))
    assert np.array_equal(free[:, 2] + free[:, 3], ((staff[:, :end] == 0) & day.present[:, None]).sum(axis=0))


def assert_metrics_are_possible(trace: Trace) -> None:
    """Shares are shares, minutes and points are not negative; where there is nobody there is no mean."""
    numbers, records = day_metrics(trace), metrics_of(trace.config)
    assert list(numbers) == list(records)
    for name, value in numbers.items():
        # Exams may begin before their appointments.
        assert np.isnan(value) or value >= 0 or name.startswith("start_minus_schedule"), name
        if records[name].unit in ("probability", "share"):
            assert np.isnan(value) or value <= 1, name
    assert np.isnan(numbers["wait_min"]) == (numbers["served"] == 0)
    parts = ("penalty_on_time", "penalty_late", "penalty_overtime", "penalty_idle")
    assert numbers["penalty"] == pytest.approx(sum(numbers[part] for part in parts))


@pytest.mark.parametrize(("play", "rules"), [(simpy, RULES), (compiled, COMPILED_RULES)])
def test_any_lab_runs_and_keeps_its_books(play: Callable[..., Trace], rules: tuple[str, ...]) -> None:
    """Any lab runs, and its traces are consistent."""

    @given(configs(), st.integers(0, 2**31), st.sampled_from(rules))
    @example(BARE, 0, "policy_1")
    @example(LabConfig.load("scarce"), 1, "policy_2")
    @settings(max_examples=200, deadline=None)
    def check(config: LabConfig, seed: int, rule: str) -> None:
        for day in sample_days(config, 2, seed):
            trace = play(config, day, make_policy(rule, config))
            assert_nobody_is_lost(trace)
            assert_nothing_is_used_twice(trace)
            assert_metrics_are_possible(trace)

    check()


@given(configs(), st.integers(0, 2**31), st.sampled_from(COMPILED_RULES))
@settings(max_examples=100, deadline=None)
def test_both_engines_tell_the_same_of_any_lab(config: LabConfig, seed: int, rule: str) -> None:
    """Both engines give the same traces, to the bit."""
    (day,) = sample_days(config, 1, seed)
    slow, fast = (play(config, day, make_policy(rule, config)) for play in (simpy, compiled))
    assert fast.exams == slow.exams
    assert fast.breaks == slow.breaks
    assert np.array_equal(fast.minutes, slow.minutes)
    assert fast.penalty == slow.penalty


@given(configs())
@settings(max_examples=100, deadline=None)
def test_no_field_of_any_lab_is_lost_in_a_file(tmp_path_factory: pytest.TempPathFactory, config: LabConfig) -> None:
    """A lab that is written to a file and loaded again is equal."""
    import dataclasses

    raw = dataclasses.asdict(config)
    for kind, minutes in raw["appointments"].items():
        raw["appointments"][kind] = [None if minute is None else config.hours.clock(minute) for minute in minutes]
    raw["arrival"]["offsets_min"] = list(raw["arrival"]["offsets_min"])
    path = tmp_path_factory.mktemp("lab") / "lab.yaml"
    path.write_text(yaml.safe_dump(raw))
    assert LabConfig.load(path) == config
