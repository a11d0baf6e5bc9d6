"""The generator of random labs: what it gives is valid, small, and has everything that a lab can have."""

from __future__ import annotations

import numpy as np
from random_labs import MOST_ROOMS, MOST_STAFF, MOST_TYPES, random_lab

LABS = [random_lab(np.random.default_rng(seed)) for seed in range(200)]


def test_random_labs_are_small() -> None:
    """No lab exceeds the sizes that a day is played quickly with."""
    for lab in LABS:
        assert 1 <= len(lab.plan.types) <= MOST_TYPES
        assert 1 <= len(lab.plan.room_group) <= MOST_ROOMS
        assert 1 <= len(lab.plan.staff_group) <= MOST_STAFF
        assert lab.hours.end_min <= 330


def test_the_same_generator_state_gives_the_same_lab() -> None:
    """A failure that names a seed can be repeated."""
    assert [random_lab(np.random.default_rng(seed)) for seed in range(20)] == LABS[:20]


def test_every_feature_occurs_and_is_missing_somewhere() -> None:
    """Among 200 labs each feature is there in some and not in others."""
    plans = [lab.plan for lab in LABS]
    features = {
        "crossing": [not plan.nested for plan in plans],
        "pair": [plan.nested_pair for plan in plans],
        "roster": [plan.has_roster for plan in plans],
        "turnover": [any(group.turnover_min for group in plan.room_groups) for plan in plans],
        "closed": [any(group.closed for group in plan.room_groups) for plan in plans],
        "shift": [any(group.shift for group in plan.staff_groups) for plan in plans],
        "handover": [any(group.hands_over for group in plan.staff_groups) for plan in plans],
        "past_shift": [any(group.starts_past_shift for group in plan.staff_groups) for plan in plans],
        "lunch": [any(group.lunch for group in plan.staff_groups) for plan in plans],
        "planned": [any(group.breaks.planned for group in plan.staff_groups) for plan in plans],
        "lunch_put_off": [any(group.lunch and group.lunch.put_off for group in plan.staff_groups) for plan in plans],
        "break_put_off": [any(group.breaks.put_off_min for group in plan.staff_groups) for plan in plans],
        "by_chance": [any(group.breaks.number for group in plan.staff_groups) for plan in plans],
        "on_call": [any(group.on_call for group in plan.staff_groups) for plan in plans],
        "empty_group": [not all(group.members for group in plan.staff_groups) for plan in plans],
        "preparation": [any(kind.preparation for kind in plan.types) for plan in plans],
        "walk_ins": [any(kind.unscheduled for kind in plan.types) for plan in plans],
        "empty_place": [any(None in kind.scheduled for kind in plan.types) for plan in plans],
        "absence_plan": [plan.rebooks for plan in plans],
        "not_early": [not all(kind.may_begin_early for kind in plan.types) for plan in plans],
    }
    assert {name for name, found in features.items() if not 10 <= sum(found) <= 190} == set()
