"""Hand-walked days, and what holds on every day."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from echo_env.lab import Day, LabConfig, Policy, Simulator, Trace, make_policy, sample_days, simulate
from echo_env.lab.config import LabPlan
from echo_env.lab.day import NO_SHOW, TURNED_AWAY
from echo_env.lab.simulation.patient import PatientClass, Start, WaitingPatient
from echo_env.lab.simulation.trace import BreakRecord
from echo_env.lab.simulation.view import LabView

Lab = Callable[..., LabConfig]
Days = Callable[..., Day]


def run(config: LabConfig, day: Day, rule: str = "policy_2") -> Trace:
    """The day under a rule."""
    return simulate(config, day, make_policy(rule, config))


def exam_times(trace: Trace) -> dict[int, tuple[int, int]]:
    """Patient -> (start, end)."""
    return {exam.patient: (exam.start_min, exam.end_min) for exam in trace.exams}


def test_one_room_two_patients_by_hand(tiny_lab: Lab, tiny_day: Days) -> None:
    """Starts, waits, penalty units and idle minutes of a two-patient day equal those worked out by hand."""
    config = tiny_lab(
        non_fetal=(0, 20), rooms__fetal=0, rooms__non_fetal=1, sonographers__fetal=0, sonographers__non_fetal=1
    )
    # 08:05 patient 0 comes (appointment 08:00), on time; begins at once, 30 minutes, until 08:35 = minute 35.
    # 08:20 patient 1 comes, on time; waits minutes 20 to 34, 15 minutes at 4 points; begins at 35, until 75.
    # Idle pair: minutes 0 to 4 (5) and 75 to 659 (585): 590 points.
    trace = run(config, tiny_day(config, (5, 20), (30, 40)))
    assert exam_times(trace) == {0: (5, 35), 1: (35, 75)}
    assert trace.penalty[:4] == (15 * 4, 0, 0, 590)
    assert [patient.waiting_min for patient in trace.patients] == [0, 15]
    assert trace.minutes.shape == (660, 13)
    assert trace.minutes[20:35, PatientClass.NON_FETAL_ON_TIME].tolist() == [1] * 15
    assert trace.minutes[:, PatientClass.NON_FETAL_ON_TIME].sum() == 15


def test_exam_ending_between_minutes_frees_at_the_next(tiny_lab: Lab, tiny_day: Days) -> None:
    """An exam that ends between two minutes frees its room at the later one, and at once where it ends on a minute."""
    config = tiny_lab(
        non_fetal=(0, 0, 0), rooms__fetal=0, rooms__non_fetal=1, sonographers__fetal=0, sonographers__non_fetal=1
    )
    # 0 -> 30.0 is free at 30; 30 -> 60.2 is free at 61; 61 -> 91.999 is free at 92.
    trace = run(config, tiny_day(config, (0, 0, 0), (30.0, 30.2, 30.999)))
    assert exam_times(trace) == {0: (0, 30), 1: (30, 61), 2: (61, 92)}


@pytest.mark.parametrize(
    ("scheduled", "arrival", "expected"),
    [
        (100, 110, PatientClass.NON_FETAL_ON_TIME),
        (100, 111, PatientClass.NON_FETAL_LATE),
        (100, 90, PatientClass.NON_FETAL_ON_TIME),
        (100, 89, PatientClass.NON_FETAL_EARLY),
    ],
)
def test_class_on_arrival(tiny_lab: Lab, tiny_day: Days, scheduled: int, arrival: int, expected: int) -> None:
    """Exactly the margin off the appointment is on time; a minute more is late or early."""
    config = tiny_lab(non_fetal=(scheduled,))
    lab = Simulator(config, tiny_day(config, (arrival,), (30,)))
    while lab.board.minute < arrival:
        lab.advance()
    assert lab.board.minute == arrival
    assert [entry.patient_class for entry in lab.view.waiting()] == [expected]


def test_early_patient_becomes_on_time_ten_minutes_before(tiny_lab: Lab, tiny_day: Days) -> None:
    """An early patient becomes on time exactly the margin before the appointment."""
    config = tiny_lab(non_fetal=(100,), rooms__non_fetal=1, sonographers__non_fetal=1)
    # Comes at 60, early; at 89 the appointment is 11 minutes away, at 90 it is 10: on time.
    day = tiny_day(config, (60,), (30,))
    trace = run(config, day, "policy_1")
    assert exam_times(trace) == {0: (90, 120)}
    assert trace.minutes[60:90, PatientClass.NON_FETAL_EARLY].tolist() == [1] * 30
    assert trace.exams[0].patient_class == PatientClass.NON_FETAL_ON_TIME
    assert trace.patients[0].waiting_min == 0
    # Early waiting costs nothing; policy 2 serves early patients at once.
    assert trace.penalty.waiting == 0
    assert exam_times(run(config, day, "policy_2")) == {0: (60, 90)}


def test_waiting_counts_from_appointment_for_who_came_before_it(tiny_lab: Lab, tiny_day: Days) -> None:
    """Queues are in order of the later of arrival and appointment."""
    config = tiny_lab(
        non_fetal=(0, 40, 46), rooms__fetal=0, rooms__non_fetal=1, sonographers__fetal=0, sonographers__non_fetal=1
    )
    # Patient 0 is in the room until 60. Patient 1 (08:40) comes at 50, patient 2 (08:46) at 38: on time both.
    # At 60, 1 has waited 10 minutes and 2 has waited 14 although 2 came before; 2 goes first.
    trace = run(config, tiny_day(config, (0, 50, 38), (60, 10, 10)))
    assert exam_times(trace) == {0: (0, 60), 2: (60, 70), 1: (70, 80)}
    assert trace.patients[2].waiting_min == 14


def test_late_fetal_patient_waits_for_the_one_fetal_room(tiny_lab: Lab, tiny_day: Days) -> None:
    """A fetal exam takes a fetal-capable room only; a non-fetal one takes a non-fetal room first."""
    config = tiny_lab(
        fetal=(15, 20), non_fetal=(16,), rooms__non_fetal=1, sonographers__fetal=2, sonographers__non_fetal=1
    )
    # Fetal 0 (08:15) comes at 15, in the fetal room until 55. Non-fetal 1 (08:16) at 16, in room 1 with
    # sonographer 2. Fetal 2 (08:20) comes at 31, late: a sonographer is free, the room is not. Waits 24
    # minutes at 2 points.
    trace = run(config, tiny_day(config, (15, 16, 31), (40, 100, 30)))
    assert exam_times(trace) == {0: (15, 55), 1: (16, 116), 2: (55, 85)}
    by_patient = {exam.patient: exam for exam in trace.exams}
    assert (by_patient[1].room, by_patient[1].sonographer) == (1, 2)
    assert by_patient[2].patient_class == PatientClass.FETAL_LATE
    assert trace.penalty[:3] == (0, 24 * 2, 0)


def test_fewest_exams_then_lowest_number(tiny_lab: Lab, tiny_day: Days) -> None:
    """Among equal sonographers the one with the fewest exams works next, then the lowest number."""
    config = tiny_lab(non_fetal=(0, 0, 50), rooms__non_fetal=2, sonographers__fetal=0, sonographers__non_fetal=3)
    trace = run(config, tiny_day(config, (0, 0, 50), (20, 30, 20)))
    # Two at once: sonographers 0 and 1. At 50 all are free again and 2 has had none.
    assert [(exam.patient, exam.sonographer) for exam in trace.exams] == [(0, 0), (1, 1), (2, 2)]


def test_breaks_after_exams(tiny_lab: Lab, tiny_day: Days) -> None:
    """Breaks follow exams as the draws say, last one or two lengths, and hold up the next patient."""
    config = tiny_lab(
        non_fetal=(0, 0, 0), rooms__fetal=0, rooms__non_fetal=1, sonographers__fetal=0, sonographers__non_fetal=1
    )
    # After exam 1, 0.49: one break (0.2 <= u < 0.5), 30 to 45. After exam 2, 0.29: the last one, 75 to 90.
    # After exam 3 no break is left, whatever is drawn.
    day = tiny_day(config, (0, 0, 0), (30, 30, 30), break_draw=np.array([[0.49, 0.29, 0.0]]))
    trace = run(config, day)
    assert exam_times(trace) == {0: (0, 30), 1: (45, 75), 2: (90, 120)}
    assert trace.breaks == [BreakRecord(0, 30, 45), BreakRecord(0, 75, 90)]
    # 0.19: both at once, 30 minutes; then none is left.
    both = run(config, tiny_day(config, (0, 0, 0), (30, 30, 30), break_draw=np.array([[0.19, 0.0, 0.0]])))
    assert both.breaks == [BreakRecord(0, 30, 60)]
    assert exam_times(both) == {0: (0, 30), 1: (60, 90), 2: (90, 120)}


def test_who_comes_at_five_and_who_still_waits_at_seven(tiny_lab: Lab, tiny_day: Days) -> None:
    """Who comes in the closing minute is let in, overtime counts from it, and who waits at the end is left waiting."""
    config = tiny_lab(
        non_fetal=(500, 538, 539, 540),
        rooms__fetal=0,
        rooms__non_fetal=1,
        sonographers__fetal=0,
        sonographers__non_fetal=1,
        penalty__idle_rule="none",
    )
    # Patient 0 is in the room from 500 to 660. Patient 1 comes at 540 = 17:00 and is let in: 120 minutes of
    # waiting at 4 + 10 points, still there at 19:00. Patient 2 came after 17:00, patient 3 not at all.
    trace = run(config, tiny_day(config, (500, 540, TURNED_AWAY, NO_SHOW), (160, 30, 30, 30)))
    assert trace.penalty[:4] == (120 * 4, 0, 120 * 10, 0)
    assert [patient.outcome for patient in trace.patients] == ["served", "left_waiting", "turned_away", "no_show"]
    assert [patient.waiting_min for patient in trace.patients] == [0, None, None, None]


def test_last_decision_is_in_the_minute_before_the_end(tiny_lab: Lab, tiny_day: Days) -> None:
    """A day has exactly 660 minutes; the last decision is in minute 659."""
    config = tiny_lab(
        non_fetal=(500, 540), rooms__fetal=0, rooms__non_fetal=1, sonographers__fetal=0, sonographers__non_fetal=1
    )
    assert exam_times(run(config, tiny_day(config, (500, 540), (159, 30))))[1] == (659, 689)
    assert 1 not in exam_times(run(config, tiny_day(config, (500, 540), (160, 30))))


def test_idle_rules(tiny_lab: Lab, tiny_day: Days) -> None:
    """Each idle rule counts the idle units of its definition."""
    config = tiny_lab(fetal=(0,), non_fetal=(0,), rooms__non_fetal=1, sonographers__fetal=1, sonographers__non_fetal=1)
    day = tiny_day(config, (0, 0), (20, 20))

    class Nobody:
        """Never starts anything."""

        name = "nobody"

        def begin_day(self, view: object, seed: int) -> None:
            """Nothing."""

        def decide(self, view: object) -> list[Start]:
            """Nobody."""
            return []

    # Two pairs are idle all day, and two patients wait for whom there is one each.
    assert simulate(config, day, Nobody()).penalty.idle == 2 * 660
    waiting = config.replace(penalty__idle_rule="while_waiting")
    assert simulate(waiting, day, Nobody()).penalty.idle == 2 * 660
    # Served at once: the pairs are idle from 20 on, and nobody waits.
    assert run(config, day).penalty.idle == 2 * 640
    assert run(waiting, day).penalty.idle == 0
    assert run(config.replace(penalty__idle_rule="none"), day).penalty.total == 0


def test_while_waiting_counts_only_who_could_be_served(tiny_lab: Lab, tiny_day: Days) -> None:
    """Under ``while_waiting`` a fetal patient counts only if a fetal-capable room and sonographer are free."""
    config = tiny_lab(
        fetal=(0, 0), rooms__non_fetal=1, sonographers__fetal=2, sonographers__non_fetal=0,
        penalty__idle_rule="while_waiting",
    )  # fmt: skip
    trace = run(config, tiny_day(config, (0, 0), (30, 30)))
    assert trace.penalty[:4] == (30 * 4, 0, 0, 0)


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (Start(5, 0, 0), "patient 5 is not waiting"),
        (Start(0, 9, 0), "room 9 is not free"),
        (Start(0, 0, 9), "sonographer 9 is not free"),
        (Start(0, 1, 0), "needs a room for fetal exams"),
    ],
)
def test_impossible_starts_are_refused(tiny_lab: Lab, tiny_day: Days, start: Start, reason: str) -> None:
    """A start that cannot be carried out raises, with the reason."""
    config = tiny_lab(fetal=(0,), rooms__non_fetal=1)
    lab = Simulator(config, tiny_day(config, (0,), (30,)))
    with pytest.raises(ValueError, match=reason):
        lab.start([start])


class PlainTuples:
    """A rule whose decisions are plain (patient, room, sonographer), as a user would write them."""

    name = "plain_tuples"

    def __init__(self, rule: Policy) -> None:
        self.begin_day, self._rule = rule.begin_day, rule

    def decide(self, view: LabView) -> list[tuple[int, int, int]]:
        """Plain tuples of whole numbers."""
        return [(patient, room, sonographer) for patient, room, sonographer in self._rule.decide(view)]


def test_a_decision_may_be_plain_tuples() -> None:
    """A policy that answers with (patient, room, sonographer) plays the same day as one that answers with Starts."""
    config = LabConfig.load("scarce")
    rule = make_policy("policy_2", config)
    for day in sample_days(config, 5, seed=3):
        exams = simulate(config, day, PlainTuples(rule)).exams
        assert exams
        assert exams == simulate(config, day, rule).exams


@pytest.mark.parametrize("start", [(0, 0), (0, 0, 0, 0), 7])
def test_a_start_of_another_form_is_refused(tiny_lab: Lab, tiny_day: Days, start: Any) -> None:
    """The message says what a start consists of."""
    config = tiny_lab(fetal=(0,), rooms__non_fetal=1)
    lab = Simulator(config, tiny_day(config, (0,), (30,)))
    with pytest.raises(ValueError, match=r"must be \(patient, room, sonographer\)"):
        lab.start([start])


def test_nobody_starts_twice(tiny_lab: Lab, tiny_day: Days) -> None:
    """A patient whose exam has begun cannot begin another one (an error of the published code)."""
    config = tiny_lab(non_fetal=(0,))
    lab = Simulator(config, tiny_day(config, (0,), (30,)))
    with pytest.raises(ValueError, match="patient 0 is not waiting"):
        lab.start([Start(0, 1, 0), Start(0, 2, 1)])


@pytest.mark.parametrize("lab", ["baseline", "scarce", "authors_code"])
@pytest.mark.parametrize("rule", ["policy_1", "policy_2", "fetal_first", "random"])
def test_every_day_conserves_patients_and_resources(lab: str, rule: str) -> None:
    """Every patient has one outcome, no room or sonographer is used twice at once, and penalty parts add up."""
    config = LabConfig.load(lab)
    policy = make_policy(rule, config)
    for day in sample_days(config, 25, seed=5):
        check_trace(simulate(config, day, policy))


@pytest.mark.slow
def test_ten_thousand_days_conserve_patients_and_resources() -> None:
    """The same on 10,000 days, rare events included."""
    config = LabConfig.load("scarce")
    policies = [make_policy(rule, config) for rule in ("policy_1", "policy_2", "fetal_first", "random")]
    for number, day in enumerate(sample_days(config, 10_000, seed=6)):
        check_trace(simulate(config, day.with_absence_rate(number % 10 / 10), policies[number % 4]))


def check_trace(trace: Trace) -> None:
    """What must hold on any day."""
    config, day = trace.config, trace.day
    served = [exam.patient for exam in trace.exams]
    assert len(set(served)) == len(served)
    outcomes = [patient.outcome for patient in trace.patients]
    assert len(outcomes) == len(config.appointments)
    assert outcomes.count("no_show") + outcomes.count("turned_away") == (day.arrival < 0).sum()
    assert outcomes.count("served") == len(served)
    room_use = np.zeros((config.rooms.total, 1000), dtype=int)
    staff_use = np.zeros((config.sonographers.total, 1000), dtype=int)
    for exam in trace.exams:
        assert exam.start_min >= day.arrival[exam.patient] >= 0
        assert exam.end_min == exam.start_min + math.ceil(day.exam_min[exam.patient])
        room_use[exam.room, exam.start_min : exam.end_min] += 1
        staff_use[exam.sonographer, exam.start_min : exam.end_min] += 1
        if day.fetal[exam.patient]:
            assert exam.room < config.rooms.fetal
            assert exam.sonographer < config.sonographers.fetal
    for pause in trace.breaks:
        staff_use[pause.sonographer, pause.start_min : pause.end_min] += 1
    assert room_use.max() <= 1
    assert staff_use.max() <= 1
    assert not staff_use[~day.present].any()
    end = config.hours.end_min
    rooms_free = config.rooms.total - room_use[:, :end].sum(axis=0)
    assert np.array_equal(trace.minutes[:, 6:8].sum(axis=1), rooms_free)
    staff_free = day.present.sum() - staff_use[:, :end].sum(axis=0)
    assert np.array_equal(trace.minutes[:, 8:10].sum(axis=1), staff_free)
    waiting = sum(
        np.bincount(np.arange(p.arrival_min, p.start_min if p.start_min is not None else end), minlength=end)
        for p in trace.patients
        if p.arrival_min is not None
    )
    assert np.array_equal(trace.minutes[:, :6].sum(axis=1), waiting)
    assert np.array_equal(trace.minute_units.sum(axis=0), trace.units)
    assert trace.cumulated_penalty[-1] == trace.penalty.total == sum(trace.penalty)


def test_view_keeps_the_future_to_itself(tiny_lab: Lab, tiny_day: Days) -> None:
    """No attribute reachable from a view leads to the day."""
    config = tiny_lab(fetal=(15,), non_fetal=(30, 60))
    day = tiny_day(config, (15, 40, NO_SHOW), (33.25, 41.5, 52.75))
    lab = Simulator(config, day)
    while lab.board.minute < 20:
        if lab.board.can_start():
            lab.start(make_policy("policy_2", config).decide(lab.view))
        lab.advance()
    seen: list[object] = []
    todo: list[object] = [lab.view]
    while todo:
        thing = todo.pop()
        # The plan is the config's, the same every day.
        if isinstance(thing, LabPlan) or any(thing is other for other in seen):
            continue
        seen.append(thing)
        if isinstance(thing, (list, tuple, set)):
            todo += thing
        elif isinstance(thing, dict):
            todo += thing.values()
        elif type(thing).__module__.startswith("echo_env"):
            slots = getattr(type(thing), "__slots__", ())
            todo += [getattr(thing, name) for name in slots] + list(getattr(thing, "__dict__", {}).values())
    assert not any(isinstance(thing, (Day, Simulator, np.ndarray)) for thing in seen)
    assert not any(thing in (33.25, 41.5, 52.75) for thing in seen if isinstance(thing, float))
    assert not any(isinstance(thing, WaitingPatient) and thing.patient == 2 for thing in seen)
