"""Days of labs of any kind, walked by hand, and what holds on random days of random labs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from general_days import day_of, general_lab, violations
from random_labs import random_lab

from echo_env.lab import Trace, make_policy, sample_days, simulate
from echo_env.lab.day import NO_SHOW, NOBODY, TURNED_AWAY, appointment_book
from echo_env.lab.simulation.trace import BreakRecord, HandoverRecord

ROOM, ONE = {"rooms": {"count": 1}}, {"staff": {"count": 1}}


def starts(trace: Trace) -> dict[int, tuple[int, int, int]]:
    """Patient -> (start, room, member of staff)."""
    return {exam.patient: (exam.start_min, exam.room, exam.sonographer) for exam in trace.exams}


def played(config: Any, day: Any, policy: str = "policy_2") -> Trace:
    """The day under a rule, on which nothing impossible happens."""
    trace = simulate(config, day, make_policy(policy, config))
    assert violations(trace) == []
    return trace


def test_preparation() -> None:
    """A patient is ready after check-in and preparation, and not before the appointment unless the type may."""
    kinds = {
        "scan": {"appointments": [30, 60], "check_in_lead_min": 15, "may_begin_early": False},
        "other": {"appointments": [100], "check_in_lead_min": 20},
    }
    config = general_lab(kinds, {"rooms": {"count": 2}}, {"staff": {"count": 2}})
    # Prepared by 25, but not before 30; checked in late at 62 and prepared until 72; ready at 90, before the 100.
    day = day_of(config, [15, 62, 80], [20, 20, 20], prep_min=np.array([10, 10, 10]))
    trace = played(config, day)
    assert {patient: start for patient, (start, *_) in starts(trace).items()} == {0: 30, 1: 72, 2: 90}
    # Expected at 45, the second came 17 minutes late; the third, expected at 80, was on time.
    assert [exam.patient_class % 3 for exam in trace.exams] == [0, 1, 0]
    # The wait of the second is from arrival, after the appointment, to the start.
    assert [record.waiting_min for record in trace.patients] == [0, 10, 0]
    assert trace.units == (0,) * 7


def test_those_in_preparation_have_arrived_but_do_not_wait() -> None:
    """The view shows who is in preparation; they are in no queue and cost nothing."""
    config = general_lab({"scan": {"appointments": [0]}}, ROOM, ONE)
    seen = []

    class Watch:
        name = "watch"

        def begin_day(self, view: Any, seed: int) -> None:
            seen.append((view.minute, view.has_arrived(0), view.preparing, view.waiting_counts))

        def decide(self, view: Any) -> list[Any]:
            seen.append((view.minute, view.has_arrived(0), view.preparing, view.waiting_counts))
            return []

    trace = simulate(config, day_of(config, [0], [10], prep_min=np.array([20])), Watch())
    assert seen[:2] == [(0, True, {0: 0}, (0, 0, 0)), (20, True, {}, (1, 0, 0))]
    # Waits from 20 to 300, 60 minutes of them after closing at 240, and is left.
    assert trace.units == (280, 0, 60, 0, 0, 1, 0)


def test_turnover() -> None:
    """A room is used again only after it has been cleaned; its member of staff is free at once."""
    rooms = {"rooms": {"count": 1, "turnover_min": 7}, "spare": {"count": 1, "exam_types": ["other"]}}
    kinds = {"scan": {"appointments": [0, 0]}, "other": {"appointments": [20]}}
    config = general_lab(kinds, rooms, ONE)
    trace = played(config, day_of(config, [0, 0, 20], [20, 10, 5]))
    # The other type's exam begins in the spare room at 20; the cleaned room at 27.
    assert starts(trace) == {0: (0, 0, 0), 2: (20, 1, 0), 1: (27, 0, 0)}


def test_closed_rooms() -> None:
    """No exam begins in a room while it is closed; one under way is finished."""
    rooms = {"rooms": {"count": 1, "closed": [{"from_min": 10, "until_min": 50}]}}
    config = general_lab({"scan": {"appointments": [0, 20]}}, rooms, ONE)
    trace = played(config, day_of(config, [5, 20], [15, 15]))
    assert starts(trace) == {0: (5, 0, 0), 1: (50, 0, 0)}


def test_lunch() -> None:
    """Lunch is taken at the first free minute of its window, one of the group at a time where the lab says so."""
    staff = {"staff": {"count": 2, "lunch": {"from_min": 60, "until_min": 150, "minutes": 30, "at_once": 1}}}
    config = general_lab({"scan": {"appointments": [40, 70, 80]}}, {"rooms": {"count": 3}}, staff)
    trace = played(config, day_of(config, [40, 70, 80], [25, 10, 10]))
    # Member 0 is in an exam until 65; member 1 goes at 60, so member 0 only at 90, and does the exams of 70 and 80.
    assert trace.lunches == [BreakRecord(1, 60, 90), BreakRecord(0, 90, 120)]
    assert starts(trace) == {0: (40, 0, 0), 1: (70, 0, 0), 2: (80, 0, 0)}


def test_lunch_by_force() -> None:
    """Whoever could not go before goes right after the exam, and the cap holds no longer."""
    staff = {"staff": {"count": 2, "lunch": {"from_min": 60, "until_min": 100, "minutes": 30, "at_once": 1}}}
    config = general_lab({"scan": {"appointments": [50, 50, 90]}}, {"rooms": {"count": 2}}, staff)
    trace = played(config, day_of(config, [50, 50, 90], [35, 40, 10]))
    # Both end after 70, the last minute from which lunch fits: both go at once, and the third patient waits.
    assert trace.lunches == [BreakRecord(0, 85, 115), BreakRecord(1, 90, 120)]
    assert starts(trace)[2] == (115, 0, 0)


def test_planned_breaks() -> None:
    """A planned break is taken at the first free minute from its time on; those missed are taken as one."""
    staff = {"staff": {"count": 1, "breaks": {"minutes": 10, "planned": [30, 40, 100]}}}
    config = general_lab({"scan": {"appointments": [20, 50]}}, ROOM, staff)
    trace = played(config, day_of(config, [20, 50], [25, 10]))
    assert trace.breaks == [BreakRecord(0, 45, 55), BreakRecord(0, 100, 110)]
    assert starts(trace) == {0: (20, 0, 0), 1: (55, 0, 0)}


def test_shift() -> None:
    """Nobody begins before the shift, or begins an exam that is expected to end after it; overtime is counted."""
    shift = {"from_min": 30, "until_min": 120}
    kinds = {"scan": {"appointments": [0, 60, 95]}}
    config = general_lab(kinds, ROOM, {"staff": {"count": 1, "shift": shift}})
    # Exams are expected to take 30 minutes: the one of 95 would end at 125.
    trace = played(config, day_of(config, [0, 60, 95], [30, 75, 10]))
    assert starts(trace) == {0: (30, 0, 0), 1: (60, 0, 0)}
    # From 0 to 30 the first waits, from 95 to the end the third: 145 minutes before closing and 60 after it. The
    # second exam ends at 135, 15 minutes after the shift.
    assert trace.units == (30 + 205, 0, 60, 0, 0, 1, 15)
    past = general_lab(kinds, ROOM, {"staff": {"count": 1, "shift": {**shift, "starts_past_end": True}}})
    assert starts(played(past, day_of(past, [0, 60, 95], [30, 30, 40])))[2] == (95, 0, 0)


def test_break_ends_with_the_shift() -> None:
    """A break or lunch is over when the shift is."""
    shift, breaks = {"from_min": 0, "until_min": 50}, {"minutes": 20, "planned": [40]}
    config = general_lab(
        {"scan": {"appointments": [0]}}, ROOM, {"staff": {"count": 1, "shift": shift, "breaks": breaks}}
    )
    assert played(config, day_of(config, [0], [10])).breaks == [BreakRecord(0, 40, 50)]


def test_handover() -> None:
    """At the end of a shift a free colleague who can do the exam goes on with it, as soon as there is one."""
    early = {"count": 1, "shift": {"from_min": 0, "until_min": 60, "hand_over": True}}
    staff = {"early": early, "late": {"count": 1}, "unable": {"count": 1, "exam_types": ["other"]}}
    kinds = {"scan": {"appointments": [20, 40]}, "other": {"appointments": [200]}}
    config = general_lab(kinds, {"rooms": {"count": 3}}, staff)
    trace = played(config, day_of(config, [20, 40, NO_SHOW], [80, 35, 10]))
    # The colleague is busy until 75, and then goes on until 100; 15 minutes are overtime of the first.
    assert starts(trace) == {0: (20, 0, 0), 1: (40, 1, 1)}
    assert trace.handovers == [HandoverRecord(0, 0, 1, 75)]
    assert [(work.sonographer, work.start_min, work.end_min) for work in trace.work] == [
        (0, 20, 75),
        (1, 75, 100),
        (1, 40, 75),
    ]
    assert trace.units[6] == 15


def test_on_call() -> None:
    """Whoever is on call comes in place of somebody absent, at the time that the lab says."""
    staff = {"staff": {"count": 2, "absence_rate": 0.5, "on_call": {"count": 1, "from_min": 60}}}
    config = general_lab({"scan": {"appointments": [0, 0, 50]}}, {"rooms": {"count": 3}}, staff)
    full = day_of(config, [0, 0, 50], [100, 100, 10])
    assert starts(played(config, full))[2] == (100, 0, 0)
    short = day_of(config, [0, 0, 50], [100, 100, 10], absence_draw=np.array([1.0, 0.0, 1.0]))
    # One of two is absent: the other is busy until 100, the second and third patient get who comes at 60.
    assert starts(played(config, short)) == {0: (0, 0, 0), 1: (60, 1, 2), 2: (100, 0, 0)}


def test_patients_without_an_appointment() -> None:
    """They are on time from the moment they are ready; turned away after closing; nobody is no patient at all."""
    kinds = {"walk_in": {"unscheduled": {0: 0.5, 180: 0.5}, "weight": 3}}
    config = general_lab(kinds, ROOM, ONE, closing=200)
    people = len(appointment_book(config.plan))
    arrival = np.full(people, NOBODY)
    arrival[[0, 1, -1]] = 10, 12, TURNED_AWAY
    trace = played(config, day_of(config, arrival, [20] * people))
    assert starts(trace) == {0: (10, 0, 0), 1: (30, 0, 0)}
    # The second waits from 12 to 30, with three times the weight.
    assert trace.units == (54, 0, 0, 0, 1, 0, 0)
    assert [record.outcome for record in trace.patients] == ["served", "served", "turned_away"]
    assert [record.scheduled_min for record in trace.patients] == [None, None, None]


def test_rooms_and_members_of_fewest_types_first() -> None:
    """A start uses what can do the fewest exam types, as long as everybody else who begins now can begin."""
    kinds = {"a": {"appointments": [0]}, "b": {"appointments": [0]}, "c": {"appointments": [0]}}
    rooms = {"ab": {"count": 1, "exam_types": ["a", "b"]}, "bc": {"count": 1, "exam_types": ["b", "c"]}}
    staff = {"all": {"count": 2}}
    config = general_lab(kinds, rooms, staff)
    assert not config.plan.nested
    # Patient b chooses after a and before c, and must leave the room for b and c to c: only two can begin. The first
    # two take both rooms, whichever they are; in the other order of types the choice matters.
    assert starts(played(config, day_of(config, [0, 0, 0], [10, 10, 10])))[1] == (0, 1, 1)
    crossing = general_lab(
        {"b": {"appointments": [0]}, "a": {"appointments": [0]}},
        {"ab": {"count": 1, "exam_types": ["b", "a"]}, "bc": {"count": 1, "exam_types": ["b"]}, "x": {"count": 0}},
        staff,
    )
    assert starts(played(crossing, day_of(crossing, [0, 0], [10, 10]))) == {0: (0, 1, 0), 1: (0, 0, 1)}


def test_commits_leave_enough_for_those_after() -> None:
    """Where capabilities cross, rooms are named when time passes, so that every committed start gets one."""
    kinds = {"a": {"appointments": [0]}, "b": {"appointments": [0]}, "c": {"appointments": []}}
    # Type a could take the first room, which b needs.
    rooms = {"ab": {"count": 1, "exam_types": ["a", "b"]}, "ac": {"count": 1, "exam_types": ["a", "c"]}}
    config = general_lab(kinds, rooms, {"all": {"count": 2}})
    assert starts(played(config, day_of(config, [0, 0], [10, 10]))) == {0: (0, 1, 0), 1: (0, 0, 1)}


def test_scarce_first() -> None:
    """The type with the fewest capable rooms or members goes first among on-time patients."""
    kinds = {"common": {"appointments": [0]}, "scarce": {"appointments": [5]}}
    rooms = {"small": {"count": 1, "exam_types": ["common"]}, "big": {"count": 1}}
    config = general_lab(kinds, rooms, ONE)
    day = day_of(config, [6, 6], [10, 10])
    assert starts(played(config, day, "policy_2"))[0][0] == 6
    assert starts(played(config, day, "scarce_first"))[1][0] == 6


def test_urgent_first() -> None:
    """The type of most weight goes first among on-time patients; types of equal weight by how long they have waited."""
    kinds = {
        "plain": {"appointments": [0]},
        "urgent": {"appointments": [5], "weight": 3},
        "other": {"appointments": [1]},
    }
    config = general_lab(kinds, ROOM, ONE)
    begun = starts(played(config, day_of(config, [6, 6, 6], [10, 10, 10]), "urgent_first"))
    # Patients are numbered by appointment: plain, other, urgent.
    assert {patient: start for patient, (start, *_) in begun.items()} == {2: 6, 0: 16, 1: 26}
    alike = {"a": {"appointments": [0]}, "b": {"appointments": [0], "weight": 2}}
    config = general_lab(alike, ROOM, ONE)
    assert starts(played(config, day_of(config, [0, 0], [10, 10]), "scarce_first"))[1][0] == 0


@pytest.mark.parametrize("first", range(0, 100, 20))
def test_nothing_impossible_on_random_days(first: int) -> None:
    """On random days of random labs nobody is in two places, lost, or does what they cannot do; minutes sum to days."""
    for seed in range(first, first + 20):
        config = random_lab(np.random.default_rng(seed))
        policy = make_policy(("policy_1", "policy_2", "scarce_first", "random")[seed % 4], config)
        for day in sample_days(config, 2, seed):
            trace = simulate(config, day, policy)
            assert violations(trace) == [], seed
            assert tuple(trace.minute_units.sum(axis=0)) == trace.units, seed
