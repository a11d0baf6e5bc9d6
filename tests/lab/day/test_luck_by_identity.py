"""Luck goes by identity: whoever is moved, added or left out leaves the luck of everybody else where it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from random_labs import random_lab

from echo_env.lab import ConfigError, GeneralLabConfig, Lab, LabConfig, sample_days
from echo_env.lab.day import NO_SHOW, NOBODY, REBOOKED, TURNED_AWAY, appointment_book

DAYS = 4
BASELINE = LabConfig.load("baseline")
seeds = st.integers(0, 2**32 - 1)


def luck(config: Lab, seed: int) -> dict[Any, np.ndarray]:
    """Whoever may come to the lab, by identity -> what the days of a seed hold for them, a row a day."""
    days, book, plan = sample_days(config, DAYS, seed), appointment_book(config.plan), config.plan
    begins = {p: hour.begin for hour in book.hours for p in range(hour.first, hour.first + hour.most)}
    found: dict[Any, np.ndarray] = {}
    for p, who in enumerate(zip(book.exam_type.tolist(), book.place.tolist(), strict=True)):
        numbers = (days.arrival[:, p], days.exam_min[:, p], days.prep_min[:, p])
        found["patient", begins.get(p), *who] = np.array(numbers).T
    for group, number in enumerate(plan.staff_groups):
        for s, member in enumerate(np.flatnonzero(plan.staff_group == group).tolist()):
            who = ("regular", s) if s < number.count else ("on call", s - number.count)
            found["staff", group, *who] = np.column_stack([days.absence_draw[:, member], days.break_draw[:, member]])
    found["policies"] = np.array(days.policy_seed)
    return found


def assert_only_differs(one: Lab, other: Lab, seed: int, *changed: Any) -> None:
    """What both labs have is the same, but for those who are named."""
    mine, theirs = luck(one, seed), luck(other, seed)
    for who in mine.keys() & theirs.keys() - set(changed):
        # Numbers for breaks are as many as there are patients: those of the n-th exam stay.
        columns = min(mine[who].shape[-1], theirs[who].shape[-1])
        assert np.array_equal(mine[who][..., :columns], theirs[who][..., :columns]), who
    missing = mine.keys() ^ theirs.keys()
    assert missing <= set(changed)


def assert_same_but_for_the_time(one: Lab, other: Lab, seed: int, who: Any) -> None:
    """A patient who is moved keeps whether they come, and how long preparation and exam take."""
    mine, theirs = luck(one, seed)[who], luck(other, seed)[who]
    assert np.array_equal(mine[:, 1:], theirs[:, 1:])
    assert np.array_equal(mine[:, 0] == NO_SHOW, theirs[:, 0] == NO_SHOW)


def without_absence_plan(seed: int) -> GeneralLabConfig:
    """A random lab in which nobody is rebooked: who is absent decides that, and which appointments have a time."""
    config = random_lab(np.random.default_rng(seed))
    return config.replace(**{f"exam_types__{name}__rebook_when_absent": {} for name in config.exam_types})


@settings(deadline=None, max_examples=50)
@given(seeds, st.data())
def test_appointments_of_any_lab(seed: int, data: st.DataObject) -> None:
    """Moving, adding or leaving out an appointment of any lab changes nobody else."""
    config = without_absence_plan(seed)
    kind, name = data.draw(st.sampled_from(list(enumerate(config.exam_types))))
    times, minutes = list(config.exam_types[name].appointments), st.integers(0, config.hours.closing_min)
    place = data.draw(st.integers(0, len(times)))
    changed = [*times, data.draw(minutes)]
    if place < len(times):
        changed = [*times[:place], data.draw(st.none() | minutes), *times[place + 1 :]]
    try:
        other = config.replace(**{f"exam_types__{name}__appointments": changed})
    except ConfigError:
        # The last appointment of a lab may not be left out.
        assume(False)
    who = ("patient", None, kind, place)
    assert_only_differs(config, other, seed, who)
    if place < len(times) and None not in (times[place], changed[place]):
        assert_same_but_for_the_time(config, other, seed, who)


@settings(deadline=None, max_examples=50)
@given(seeds, st.data())
def test_rooms_and_staff_of_any_lab(seed: int, data: st.DataObject) -> None:
    """Adding a room or a member of staff to any lab changes nobody else, nor does leaving them out again."""
    config = without_absence_plan(seed)
    kind = data.draw(st.sampled_from(["room_groups", "staff_groups"]))
    group, name = data.draw(st.sampled_from(list(enumerate(getattr(config, kind)))))
    count = getattr(config, kind)[name].count
    other = config.replace(**{f"{kind}__{name}__count": count + 1})
    assert_only_differs(config, other, seed, *([("staff", group, "regular", count)] if kind == "staff_groups" else []))


@settings(deadline=None, max_examples=50)
@given(seeds, st.data())
def test_the_paper_s_lab(seed: int, data: st.DataObject) -> None:
    """So it is in the paper's form of a lab."""
    kind = data.draw(st.sampled_from(["fetal", "non_fetal"]))
    times = list(getattr(BASELINE.appointments, kind))
    place, minute = data.draw(st.integers(0, len(times))), data.draw(st.integers(0, BASELINE.hours.closing_min))
    who = ("patient", None, int(kind == "non_fetal"), place)
    changed = [*times[:place], minute, *times[place + 1 :]]
    moved = BASELINE.replace(**{f"appointments__{kind}": tuple(changed)})
    assert_only_differs(BASELINE, moved, seed, who)
    if place < len(times):
        assert_same_but_for_the_time(BASELINE, moved, seed, who)
        empty = BASELINE.replace(**{f"appointments__{kind}": (*times[:place], None, *times[place + 1 :])})
        assert_only_differs(BASELINE, empty, seed, who)
    more = BASELINE.replace(rooms__fetal=5, sonographers__fetal=5)
    assert_only_differs(BASELINE, more, seed, ("staff", 0, "regular", 4))


@settings(deadline=None, max_examples=50)
@given(seeds)
def test_days_of_any_lab_are_sound(seed: int) -> None:
    """Numbers of a day lie in their ranges, and outcomes and minutes fit each other."""
    config = random_lab(np.random.default_rng(seed))
    plan, days = config.plan, sample_days(config, DAYS, seed)
    scheduled = np.broadcast_to(days.scheduled, days.arrival.shape)
    came, booked = days.arrival >= 0, ~days.unscheduled
    assert np.isin(days.arrival[~came], [NO_SHOW, TURNED_AWAY, NOBODY, REBOOKED]).all()
    assert days.arrival.max(initial=0) <= plan.closing_min
    assert not (days.arrival[:, booked] == NOBODY).any()
    assert not (days.arrival[:, ~booked] == NO_SHOW).any()
    walked_in = came & ~booked
    assert np.array_equal(scheduled[walked_in], days.arrival[walked_in])
    assert (scheduled[days.arrival == NOBODY] == -1).all()
    assert (scheduled[(days.arrival == TURNED_AWAY) & ~booked] > plan.closing_min).all()
    for kind, of_type in enumerate(plan.types):
        own = days.exam_type == kind
        assert set(scheduled[0, own & booked].tolist()) == set(of_type.scheduled) - {None}
        assert days.exam_min[:, own].min(initial=2000) >= max(np.ceil(of_type.exam.shortest_min), 1)
        assert days.exam_min[:, own].max(initial=0) <= np.ceil(of_type.exam.longest_min)
        if of_type.preparation is None:
            assert not days.prep_min[:, own].any()
    present = days.present
    for group in range(len(plan.staff_groups)):
        own = plan.staff_group == group
        absent = (~present[:, own & ~plan.on_call]).sum(axis=1)
        assert np.array_equal(
            present[:, own & plan.on_call].sum(axis=1), np.minimum(absent, plan.staff_groups[group].on_call)
        )
    assert np.array_equal(days[1].present, present[1])
    assert days[DAYS - 1] == sample_days(config, 1, seed, DAYS - 1)[0]


@pytest.mark.parametrize("lab", ["baseline", "scarce"])
def test_more_patients_leave_breaks_where_they_are(lab: str) -> None:
    """The break after a member's n-th exam does not depend on the number of patients."""
    config = LabConfig.load(lab)
    book = config.appointments
    more = config.replace(appointments__non_fetal=(*book.non_fetal, *range(100)))
    one, other = sample_days(config, 20, seed=3).break_draw, sample_days(more, 20, seed=3).break_draw
    assert other.shape[2] == one.shape[2] + 100
    assert np.array_equal(one, other[:, :, : one.shape[2]])
