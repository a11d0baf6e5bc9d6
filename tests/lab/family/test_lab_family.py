"""The family of random labs: what it states holds of its labs, and what lies outside is said."""

from __future__ import annotations

import numpy as np
import pytest

from echo_env.lab import load_lab
from echo_env.lab.family import LabFamily
from echo_env.lab.family.capacity import Capacity
from echo_env.lab.family.outside import outside
from echo_env.lab.family.resources import Group


def test_labs_are_within_the_stated_ranges() -> None:
    """Numbers of types, patients and staff, hours, and utilisations are those that the family states."""
    family = LabFamily()
    labs = [family.lab(number) for number in range(60)]
    for lab in labs:
        plan = lab.plan
        assert 1 <= len(plan.types) <= 8
        assert family.patients[0] <= sum(len(kind.scheduled) for kind in plan.types) <= family.patients[1]
        assert family.staff[0] <= sum(group.count for group in plan.staff_groups) <= family.staff[1]
        assert family.closing[0] <= plan.closing_min <= family.closing[1]
    assert {lab.plan.nested_pair for lab in labs} == {True, False}
    assert {lab.penalty.idle_rule for lab in labs} == {"every_pair", "while_waiting", "none"}
    # Rounding to whole patients, and laws of their own, move utilisations a little.
    assert np.mean([bool([words for words in outside(lab) if "utilisation" in words]) for lab in labs]) < 0.25


def test_the_tightest_set_of_types_decides_the_utilisation() -> None:
    """Worked by hand: one of two members can do the first type, whose exams fill most of the day."""
    capacity = Capacity.of(2, [Group(2, 0b11)], [Group(1, 0b11), Group(1, 0b10)], [0.0, 0.0])
    assert capacity.resources.tolist() == [0, 1, 2, 2]
    assert capacity.utilisation(np.array([75.0, 15.0]), 100) == pytest.approx(0.75)
    assert capacity.whole(np.array([75.0, 15.0]), 100) == pytest.approx(0.45)


def test_what_lies_outside_is_said() -> None:
    """The paper's labs lie inside; a lab with far more patients and staff does not, and both are named."""
    assert outside(load_lab("baseline")) == outside(load_lab("scarce")) == []
    lab = load_lab("mri_unit")
    many = lab.replace(exam_types__body__appointments=tuple(range(0, 700, 5)))
    assert any("appointments" in words and "trained on 10 to 114" in words for words in outside(many))
    assert any("weight of 50" in words for words in outside(lab.replace(exam_types__body__weight=50)))
