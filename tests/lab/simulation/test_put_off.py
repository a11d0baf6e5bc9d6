"""Lunches and planned breaks put off while somebody waits: days walked by hand, and the rule on random days."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
from general_days import day_of, general_lab, violations
from random_labs import random_lab

from echo_env.lab import GeneralLabConfig, Trace, load_lab, make_policy, sample_days, simulate
from echo_env.lab.calibration.validation.day_lab import _there
from echo_env.lab.compiled import batch
from echo_env.lab.config.plan import StaffGroup
from echo_env.lab.envs.vector_env import EchoLabVectorEnv
from echo_env.lab.simulation.capacity import effective_types
from echo_env.lab.simulation.patient import ready_minute
from echo_env.lab.simulation.simulator import Simulator
from echo_env.lab.simulation.trace import BreakRecord
from echo_env.lab.sweep.general_fields import changed_general, general_fields

ROOM, ROOMS = {"rooms": {"count": 1}}, {"rooms": {"count": 3}}


def one(planned: list[int], put_off_min: int, **more: Any) -> dict[str, Any]:
    """A member of staff with breaks of 10 minutes."""
    return {"staff": {"count": 1, "breaks": {"minutes": 10, "planned": planned, "put_off_min": put_off_min}, **more}}


def played(config: GeneralLabConfig, day: Any) -> Trace:
    """The day under a rule, the same on both engines."""
    rule = make_policy("policy_2", config)
    trace = simulate(config, day, rule)
    assert violations(trace) == []
    labs = batch.make_labs(config, 1, keep_rows=True)
    batch.begin_days(config, labs, np.arange(1), [day])
    tiers = batch.tiers_of(rule.tiers, len(config.plan.types))  # type: ignore[attr-defined]
    batch.run_days(labs, batch.rules_of(config), tiers, np.zeros((1, 0, 7), dtype=np.int64))
    other = batch.trace_of(config, labs, 0, day)
    for name in ("exams", "breaks", "lunches", "rows", "units"):
        assert getattr(other, name) == getattr(trace, name), name
    return trace


def begun(trace: Trace) -> dict[int, int]:
    """Patient -> start."""
    return {exam.patient: exam.start_min for exam in trace.exams}


def test_a_break_is_put_off_for_a_patient_who_waits_and_taken_when_the_time_is_over() -> None:
    """The patient who waits goes first; from the end of the time on the break does, whoever waits."""
    kinds = {"scan": {"appointments": [20, 40, 50]}}
    day = [20, 40, 50], [25, 10, 10]
    config = general_lab(kinds, ROOM, one([30], 20))
    trace = played(config, day_of(config, *day))
    # Free at 45, the member takes the second patient until 55, after 50, the last minute; then the third waits.
    assert begun(trace) == {0: 20, 1: 45, 2: 65}
    assert trace.breaks == [BreakRecord(0, 55, 65)]
    config = general_lab(kinds, ROOM, one([30], 0))
    assert begun(played(config, day_of(config, *day))) == {0: 20, 1: 55, 2: 65}


def test_a_break_is_put_off_for_as_long_as_somebody_waits() -> None:
    """With time left, the break begins with the first minute in which nobody waits."""
    config = general_lab({"scan": {"appointments": [20, 40, 50]}}, ROOM, one([30], 60))
    trace = played(config, day_of(config, [20, 40, 50], [25, 10, 10]))
    assert begun(trace) == {0: 20, 1: 45, 2: 55}
    assert trace.breaks == [BreakRecord(0, 65, 75)]


def test_with_nobody_waiting_nothing_is_put_off() -> None:
    """The break begins at its time; a patient who arrives in that very minute waits already."""
    config = general_lab({"scan": {"appointments": [31]}}, ROOM, one([30], 60))
    trace = played(config, day_of(config, [31], [10]))
    assert (trace.breaks, begun(trace)) == ([BreakRecord(0, 30, 40)], {0: 40})
    trace = played(config, day_of(config, [30], [10]))
    assert (trace.breaks, begun(trace)) == ([BreakRecord(0, 40, 50)], {0: 30})


def test_only_patients_whom_the_member_could_examine_count() -> None:
    """Neither a patient of a type that they cannot do, nor one in preparation, puts a break off."""
    staff = {**one([30], 60, exam_types=["scan"]), "others": {"count": 1, "exam_types": ["other"]}}
    kinds = {"scan": {"appointments": [25]}, "other": {"appointments": [10, 20]}}
    config = general_lab(kinds, ROOMS, staff)
    day = day_of(config, [10, 20, 25], [50, 10, 5], prep_min=np.array([0, 0, 20]))
    trace = played(config, day)
    # By appointment: two of the other type, of whom the second waits for their colleague; the scan is ready at 45.
    assert begun(trace) == {0: 10, 1: 60, 2: 45}
    assert trace.breaks == [BreakRecord(0, 30, 40)]


def test_a_patient_who_may_not_begin_before_the_appointment_puts_nothing_off() -> None:
    """Who may not begin yet does not wait; who could not be done within the shift neither."""
    config = general_lab({"scan": {"appointments": [50], "may_begin_early": False}}, ROOM, one([30], 60))
    trace = played(config, day_of(config, [20], [10]))
    assert (trace.breaks, begun(trace)) == ([BreakRecord(0, 30, 40)], {0: 50})
    # An exam is expected to take 30 minutes.
    config = general_lab(
        {"scan": {"appointments": [10, 90]}}, ROOM, one([95], 60, shift={"from_min": 0, "until_min": 120})
    )
    trace = played(config, day_of(config, [10, 92], [10, 10]))
    assert (trace.breaks, begun(trace)) == ([BreakRecord(0, 95, 105)], {0: 10})


def test_who_is_free_but_has_no_room_waits_with_the_break() -> None:
    """While a patient waits for a room the break is put off minute by minute, until nobody waits or time is over."""
    closed = {"rooms": {"count": 1, "closed": [{"from_min": 10, "until_min": 70}]}}
    config = general_lab({"scan": {"appointments": [20]}}, closed, one([30], 25))
    trace = played(config, day_of(config, [20], [10]))
    assert (trace.breaks, begun(trace)) == ([BreakRecord(0, 55, 65)], {0: 70})
    # A colleague takes the patient when the room opens: the break begins in the minute after.
    closed = {"rooms": {"count": 1, "closed": [{"from_min": 10, "until_min": 40}]}}
    config = general_lab({"scan": {"appointments": [20]}}, closed, {"first": {"count": 1}, **one([30], 60)})
    trace = played(config, day_of(config, [20], [15]))
    assert [exam.sonographer for exam in trace.exams] == [0]
    assert (trace.breaks, begun(trace)) == ([BreakRecord(1, 41, 51)], {0: 40})


def test_lunch_is_put_off_until_the_last_minute() -> None:
    """Lunch begins when nobody waits, and by force at the last minute at which it fits."""
    lunch = {"from_min": 60, "until_min": 150, "minutes": 30, "put_off": True}
    kinds = {"scan": {"appointments": [50, 60, 70, 100]}}
    config = general_lab(kinds, ROOM, {"staff": {"count": 1, "lunch": lunch}})
    trace = played(config, day_of(config, [50, 60, 70, 130], [20, 15, 10, 10]))
    # Free at 70, 85 and 95: nobody waits at the last of these.
    assert (trace.lunches, begun(trace)) == ([BreakRecord(0, 95, 125)], {0: 50, 1: 70, 2: 85, 3: 130})
    trace = played(config, day_of(config, [50, 60, 70, 100], [20, 30, 30, 10]))
    # Free at 100 for the third, and at 130, after 120.
    assert (trace.lunches, begun(trace)) == ([BreakRecord(0, 130, 160)], {0: 50, 1: 70, 2: 100, 3: 160})


def test_a_closed_room_does_not_keep_anybody_from_lunch_for_ever() -> None:
    """Free without a room, a member has lunch exactly at the last minute at which it fits."""
    lunch = {"from_min": 60, "until_min": 150, "minutes": 30, "put_off": True}
    closed = {"rooms": {"count": 1, "closed": [{"from_min": 10, "until_min": 200}]}}
    config = general_lab({"scan": {"appointments": [20]}}, closed, {"staff": {"count": 1, "lunch": lunch}})
    assert played(config, day_of(config, [20], [10])).lunches == [BreakRecord(0, 120, 150)]


def test_the_rule_holds_in_every_minute_of_random_days() -> None:
    """A planned break begins in the first minute in which its member is free and is not wanted, or may wait no more."""
    late = 0
    for seed in range(60):
        config = _with_planned_breaks(random_lab(np.random.default_rng(seed)), (0, 5, 30)[seed % 3])
        plan, rule = config.plan, make_policy("policy_2", config)
        for day in sample_days(config, 2, seed):
            trace = simulate(config, day, rule)
            for member, group in enumerate(plan.staff_group.tolist()):
                if day.present[member]:
                    late += _check_member(trace, member, plan.staff_groups[group])
    assert late > 100


def _with_planned_breaks(config: GeneralLabConfig, put_off_min: int) -> GeneralLabConfig:
    """A lab in which members of staff are away for planned breaks alone, one in each half of the shift."""
    changes: dict[str, Any] = {}
    for name, group in config.staff_groups.items():
        shift, end = group.shift, config.hours.end_min
        begin, until = (0, end) if shift is None else (shift.from_min, shift.ends(end))
        planned = sorted({begin + (until - begin) // 4, begin + (until - begin) // 2})
        breaks = {"minutes": 7, "planned": planned, "put_off_min": put_off_min}
        changes |= {f"staff_groups__{name}__lunch": None, f"staff_groups__{name}__breaks": breaks}
    return config.replace(**changes)


def _check_member(trace: Trace, member: int, group: StaffGroup) -> int:
    """Walk through the minutes of a member of staff; returns how many breaks began later than they might have."""
    plan, planned, late = trace.config.plan, list(group.breaks.planned), 0
    busy = {
        minute for work in trace.work if work.sonographer == member for minute in range(work.start_min, work.end_min)
    }
    breaks = {rest.start_min: rest.end_min for rest in trace.breaks if rest.sonographer == member}
    away = {minute for begin, end in breaks.items() for minute in range(begin, end)}
    for minute in range(plan.duty_from[member], min(int(plan.duty_until[member]), plan.end_min)):
        due = bool(planned) and minute >= planned[0]
        wanted = due and _is_wanted(trace, member, group.can, minute)
        if minute in breaks:
            assert due
            assert not wanted or minute >= planned[0] + group.breaks.put_off_min
            late += minute > planned[0]
            planned = [time for time in planned if time > minute]
        elif due and minute not in away:
            # Busy, or free because somebody waits: an exam that begins now was given to who had put the break off.
            begins = any(work.start_min == minute and work.sonographer == member for work in trace.work)
            if minute not in busy or begins:
                assert wanted
                assert minute < planned[0] + group.breaks.put_off_min
    return late


def _is_wanted(trace: Trace, member: int, can: int, minute: int) -> bool:
    """Whether somebody is ready and not begun before this minute whom a member could begin to examine in it."""
    day, plan = trace.day, trace.config.plan
    able = effective_types(can, minute, int(plan.starts_until[member]), plan.expected_min)
    starts = begun(trace)
    for patient, arrival in enumerate(day.arrival.tolist()):
        kind = int(day.exam_type[patient])
        early = int(plan.types[kind].may_begin_early)
        ready = ready_minute(arrival, int(day.prep_min[patient]), int(day.scheduled[patient]), early)
        if able >> kind & 1 and 0 <= arrival and ready <= minute <= starts.get(patient, plan.end_min):
            return True
    return False


def test_a_copy_in_the_middle_of_a_day_goes_on_alike() -> None:
    """A simulator copied while a break is put off gives the same rest of the day."""
    config = general_lab({"scan": {"appointments": [20, 40, 50]}}, ROOM, one([30], 60))
    day = day_of(config, [20, 40, 50], [25, 10, 10])
    rule, lab = make_policy("policy_2", config), Simulator(config, day)
    while not lab.over:
        copy = pickle.loads(pickle.dumps(lab))
        for own in (lab, copy):
            if own.board.can_start():
                own.start(rule.decide(own.view))
            own.advance()
        assert copy.trace().breaks == lab.trace().breaks
        assert copy.board.status == lab.board.status
    assert lab.trace().breaks == [BreakRecord(0, 65, 75)]


def test_environments_play_put_off_breaks() -> None:
    """Whole days of many labs in a vector env end with the metrics of single days."""
    config = load_lab("mri_unit").replace(
        staff_groups__early__breaks__put_off_min=45, staff_groups__late__lunch__put_off=True
    )
    env = EchoLabVectorEnv(4, config)
    _, infos = env.reset(seed=3)
    rng, ended = np.random.default_rng(0), 0
    while ended < 4:
        actions = np.array([rng.choice(np.flatnonzero(mask)) for mask in env.action_masks()])
        _, _, over, _, infos = env.step(actions)
        ended += int(over.sum())
    assert np.isfinite(infos["final_info"]["metrics"]["waiting_penalty"]).any()


def test_files_and_sweeps_have_the_fields() -> None:
    """Both fields are written, swept and kept by the lab of a recorded day."""
    config = load_lab("mri_unit")
    changes = {"staff_groups.early.breaks.put_off_min": 30, "staff_groups.early.lunch.put_off": True}
    assert {path: general_fields(config)[path].own(config) for path in changes} == dict.fromkeys(changes, 0)
    other = changed_general(config, changes)
    written = other.as_file()["staff_groups"]["early"]
    assert (written["breaks"]["put_off_min"], written["lunch"]["put_off"]) == (30, True)
    early = _there(other.plan.staff_groups[0], 60)
    assert early.breaks.put_off_min == 30
    assert early.lunch is not None
    assert early.lunch.put_off
    assert config.as_file()["staff_groups"]["early"]["breaks"] == {"minutes": 15, "planned": ["09:15"]}
