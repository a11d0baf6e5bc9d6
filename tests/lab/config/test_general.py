"""Labs with exam types and groups: what a file means, its plan, days, bases, and the way back into a file."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import yaml
from random_labs import random_lab

from echo_env.lab import GeneralLabConfig, Lab, LabConfig, load_lab
from echo_env.lab.config import Appointments, Arrival, ExamLaw, Hours, Penalty, preset_names
from echo_env.lab.config.plan import NEVER, BreakPlan, LabPlan, LunchPlan, RoomGroup, StaffGroup, TypePlan

SIMPLE = """\
name: simple
hours: {opening: 07:00, closing: 15:00, end: 16:00}
exam: {shape: 8, mean_min: 29.5, shortest_min: 10, longest_min: 90}
exam_types:
  head: {appointments: [08:00, 07:30]}
room_groups:
  magnets: {count: 1}
staff_groups:
  technologists: {count: 2}
"""

FULL = """\
name: full
hours: {opening: 07:00, closing: 15:00, end: 16:00}
arrival: {no_show_rate: 0.1, late_share: 0.6, late_mean_min: 5, early_mean_min: 10, early_max_min: 60}
exam: {shape: 8, mean_min: 30, shortest_min: 10, longest_min: 90}
exam_types:
  head:
    appointments: [08:00, 07:30, null, 08:00]
    exam: {mean_min: 40}
    arrival: {no_show_rate: 0.2, on_time_margin_min: 5}
    weight: 3
    check_in_lead_min: 15
    preparation: {minutes: 10}
    may_begin_early: false
    unscheduled: {09:00: 1.5, 08:00: 0.5, 10:00: 0}
  knee:
    arrival: {model: empirical, offsets_min: [5, -5]}
    preparation: {shape: 2, mean_min: 5, shortest_min: 0, longest_min: 20}
room_groups:
  magnets: {count: 2, turnover_min: 5, closed: [{from: 12:00, until: 12:30}, {until: 07:15}, {from: 15:30}]}
  old: {count: 1, exam_types: [knee]}
staff_groups:
  early:
    count: 2
    exam_types: [knee]
    shift: {until: 13:00, starts_past_end: true, hand_over: true}
    lunch: {from: 11:00, until: 12:30, minutes: 30, at_once: 1}
    breaks: {planned: [10:30, 09:00], minutes: 15}
    absence_rate: 0.1
    always_present: 1
    on_call: {count: 1, from: 08:30}
  late:
    count: 1
    shift: {from: 10:00}
    lunch: {from: 12:00, until: 13:00, minutes: 60}
    breaks: {number: 2, minutes: 10, both_probability: 0.2, one_probability: 0.3, last_probability: 0.4}
penalty: {late: 3, turned_away: 50}
"""

FULL_PLAN = LabPlan(
    opening_min=420,
    closing_min=480,
    end_min=540,
    types=(
        TypePlan(
            "head",
            (60, 30, None, 60),
            ExamLaw(8, 40, 10, 90),
            Arrival(0.2, 0.6, 5, 10, 60, 5),
            weight=3,
            check_in_lead_min=15,
            preparation=ExamLaw(1, 10, 9.5, 10),
            may_begin_early=False,
            unscheduled=((60, 0.5), (120, 1.5)),
        ),
        TypePlan(
            "knee",
            (),
            ExamLaw(8, 30, 10, 90),
            Arrival(0.1, 0.6, 5, 10, 60, 10, "empirical", (-5, 5)),
            preparation=ExamLaw(2, 5, 0, 20),
        ),
    ),
    room_groups=(RoomGroup("magnets", 2, 0b11, 5, ((0, 15), (300, 330), (510, 540))), RoomGroup("old", 1, 0b10)),
    staff_groups=(
        StaffGroup(
            "early",
            2,
            0b10,
            breaks=BreakPlan(minutes=15, planned=(120, 210)),
            absence_rate=0.1,
            always_present=1,
            shift=(0, 360),
            starts_past_shift=True,
            hands_over=True,
            lunch=LunchPlan(240, 300, 30, 1),
            on_call=1,
            on_call_min=90,
        ),
        StaffGroup(
            "late",
            1,
            0b11,
            breaks=BreakPlan(2, 10, 0.2, 0.3, 0.4),
            shift=(180, NEVER),
            lunch=LunchPlan(300, 300, 60, NEVER),
        ),
    ),
)
"""Worked out by hand from :data:`FULL`."""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Writes a lab file into the working directory, and gives its name."""
    monkeypatch.chdir(tmp_path)

    def writer(text: str, name: str = "lab.yaml") -> str:
        Path(name).write_text(text, encoding="utf8")
        return name

    return writer


def general(lab: Lab) -> GeneralLabConfig:
    """The lab, which has exam types and groups."""
    assert isinstance(lab, GeneralLabConfig)
    return lab


def test_a_simple_lab_is_a_short_file(write: Callable[..., str]) -> None:
    """What a file leaves out is not there: nobody is absent or late, nothing is charged but waiting."""
    lab = load_lab(write(SIMPLE))
    plan = lab.plan
    assert lab.hours == Hours(420, 480, 540)
    assert (lab.penalty.on_time, lab.penalty.late, lab.penalty.overtime) == (4, 2, 10)
    assert (lab.penalty.idle, lab.penalty.idle_rule, lab.penalty.staff_overtime) == (0, "none", 0)
    assert plan.types == (TypePlan("head", (60, 30), ExamLaw(8, 29.5, 10, 90), Arrival(0, 1, 0, 1, 0, 10)),)
    assert plan.room_groups == (RoomGroup("magnets", 1, 0b1),)
    assert plan.staff_groups == (StaffGroup("technologists", 2, 0b1),)
    assert not plan.has_roster
    assert plan.expected_min.tolist() == [30]


def test_the_example_of_the_docs_is_a_complete_lab(write: Callable[..., str]) -> None:
    """The first lab that the docs show loads as it stands."""
    page = (Path(__file__).parents[3] / "docs" / "labs.md").read_text(encoding="utf8")
    lab = load_lab(write(page.split("```yaml\n")[1].split("```")[0]))
    assert [kind.scheduled for kind in lab.plan.types] == [(0, 30, 60), (15, None, 75)]


def test_the_plan_of_a_lab_with_everything(write: Callable[..., str]) -> None:
    """Every field of a file arrives in the plan, clock times as minutes since opening."""
    lab = load_lab(write(FULL))
    assert lab.plan == FULL_PLAN
    assert (lab.penalty.on_time, lab.penalty.late, lab.penalty.turned_away) == (4, 3, 50)
    assert lab.plan.roster_minutes.tolist() == [15, 90, 120, 180, 210, 240, 300, 330, 360, 510]
    assert lab.plan.duty_from.tolist() == [0, 0, 90, 180]
    assert lab.plan.duty_until.tolist() == [360, 360, 360, NEVER]
    assert lab.plan.overtime_from.tolist() == [360, 360, 360, 480]
    assert lab.plan.never_absent.tolist() == [True, False, False, False]


def test_the_plan_of_the_papers_form() -> None:
    """Fetal and non-fetal exams are types 0 and 1, and the fetal-capable come first."""
    plan = LabConfig.load("scarce").plan
    assert [kind.name for kind in plan.types] == ["fetal", "non_fetal"]
    assert [(group.name, group.count, group.can) for group in plan.room_groups] == [
        ("fetal", 1, 0b11),
        ("non_fetal", 3, 0b10),
    ]
    assert [(group.count, group.can, group.absence_rate) for group in plan.staff_groups] == [
        (2, 0b11, 0.1),
        (1, 0b10, 0.1),
    ]
    assert plan.room_columns == (1, 0)
    assert plan.nested_pair
    assert not plan.has_roster


def test_the_place_of_an_appointment_is_kept() -> None:
    """The order of a book is that of the file, and empty places are no appointments."""
    lab = LabConfig.load("baseline").replace(appointments__fetal=(60, None, 15))
    assert lab.plan.types[0].scheduled == (60, None, 15)
    assert lab.appointments.times("fetal") == (15, 60)
    assert len(lab.appointments) == 2 + 29
    assert lab.appointments != Appointments((15, None, 60), lab.appointments.non_fetal)


def test_empty_places_of_a_short_form_file(write: Callable[..., str]) -> None:
    """null is an empty place in the paper's form, too."""
    lab = load_lab(write("base: scarce\nappointments: {fetal: [09:00, null, 08:30], non_fetal: [null, 10:00]}"))
    assert isinstance(lab, LabConfig)
    assert lab.appointments == Appointments((60, None, 30), (None, 120))


def test_types_follow_the_shared_laws() -> None:
    """A change of the law for all types reaches those that do not say otherwise."""
    lab = general(load_lab("mri_unit"))
    changed = lab.replace(arrival__no_show_rate=0.5, exam__shape=3, exam_types__body__arrival__no_show_rate=0.25)
    assert [kind.arrival.no_show_rate for kind in changed.plan.types] == [0.5, 0.5, 0.25]
    assert [(kind.exam.shape, kind.exam.mean_min) for kind in changed.plan.types] == [(3, 40), (3, 35), (3, 55)]


def test_a_file_is_laid_deep_over_its_base(write: Callable[..., str]) -> None:
    """A field of a type or group replaces that field alone, and null takes out what the base has."""
    write(FULL, "full.yaml")
    text = """\
base: full.yaml
exam_types: {head: {weight: 5}}
room_groups: {old: null}
staff_groups: {early: {lunch: {minutes: 45}, on_call: null}, late: {lunch: null}}
"""
    lab, base = general(load_lab(write(text))), general(load_lab("full.yaml"))
    assert list(lab.room_groups) == ["magnets"]
    assert lab.staff_groups["early"].on_call is lab.staff_groups["late"].lunch is None
    assert lab == base.replace(
        exam_types__head__weight=5,
        room_groups=lab.room_groups,
        staff_groups__early__lunch__minutes=45,
        staff_groups__early__on_call=None,
        staff_groups__late__lunch=None,
    )


def test_a_day_is_laid_over_the_file(write: Callable[..., str]) -> None:
    """A file with days gives one lab for each, and the rest of the file is the same on all."""
    text = (
        FULL + "days:\n  monday: {exam_types: {head: {appointments: [09:00]}}}\n  tuesday:\n  friday: {name: short}\n"
    )
    write(text)
    monday, tuesday, friday = (general(load_lab(f"lab.yaml#{day}")) for day in ("monday", "tuesday", "friday"))
    assert (monday.name, tuesday.name, friday.name) == ("full_monday", "full_tuesday", "short")
    assert monday.exam_types["head"].appointments == (120,)
    assert tuesday.plan == FULL_PLAN
    assert monday == tuesday.replace(name="full_monday", exam_types__head__appointments=(120,))


def test_the_papers_form_has_days_too(write: Callable[..., str]) -> None:
    """Weekday books of fetal and non-fetal exams are read in the same way."""
    write("base: scarce\ndays: {monday: {appointments: {fetal: [09:00]}}, tuesday: }")
    assert LabConfig.load("lab.yaml#monday") == LabConfig.load("scarce").replace(
        name="scarce_monday", appointments__fetal=(60,)
    )
    assert LabConfig.load("lab.yaml#tuesday").appointments == LabConfig.load("scarce").appointments


def test_a_file_whose_name_has_the_mark_of_days_is_read(write: Callable[..., str]) -> None:
    """What exists under its whole name is that file."""
    assert load_lab(write(SIMPLE, "lab#1.yaml")).name == "simple"


def test_either_form_is_read_and_a_lab_is_returned_as_it_is() -> None:
    """One function reads every preset."""
    labs = {name: load_lab(name) for name in preset_names()}
    assert {name for name, lab in labs.items() if isinstance(lab, LabConfig)} == {
        "abundant",
        "authors_code",
        "baseline",
        "scarce",
    }
    for lab in labs.values():
        assert load_lab(lab) is lab
        assert lab.plan.types
        assert isinstance(lab.penalty, Penalty)


def test_the_presets_that_are_not_the_papers() -> None:
    """A nested pair with lunch and shifts, three protocols on two magnets, and crossing capabilities with walk-ins."""
    week, unit, clinic = (load_lab(name).plan for name in ("echo_week", "mri_unit", "walk_in_clinic"))
    assert week.nested_pair
    assert [kind.name for kind in week.types] == ["fetal", "non_fetal"]
    assert all(kind.check_in_lead_min == 15 and not kind.may_begin_early for kind in week.types)
    assert all(group.lunch and group.shift for group in week.staff_groups)
    assert (sum(group.count for group in unit.room_groups), len(unit.types)) == (2, 3)
    assert unit.staff_groups[0].hands_over
    assert not clinic.nested
    assert [bool(kind.unscheduled) for kind in clinic.types] == [False, True, True]
    assert clinic.types[2].weight > 1


@pytest.mark.parametrize("name", ["echo_week", "mri_unit", "walk_in_clinic"])
def test_a_preset_comes_back_from_a_file(write: Callable[..., str], name: str) -> None:
    """What a preset is written as loads as the same lab."""
    lab = general(load_lab(name))
    assert load_lab(write(yaml.safe_dump(lab.as_file(), sort_keys=False))) == lab


def test_any_lab_comes_back_from_a_file(write: Callable[..., str]) -> None:
    """A hundred random labs load as they were written, with the same plan."""
    for seed in range(100):
        lab = random_lab(np.random.default_rng(seed))
        again = load_lab(write(yaml.safe_dump(lab.as_file(), sort_keys=False)))
        assert again == lab, seed
        assert again.plan == lab.plan, seed


def test_labs_are_values() -> None:
    """Labs that hold the same are equal and have the same hash; they come back from a pickle and go into JSON."""
    lab = general(load_lab("walk_in_clinic"))
    again = pickle.loads(pickle.dumps(lab))
    assert again == lab
    assert hash(again) == hash(lab)
    assert again.plan == lab.plan
    assert json.loads(json.dumps(asdict(lab)))["exam_types"]["urgent"]["weight"] == 5
    with pytest.raises(TypeError, match="cannot be changed in place"):
        lab.exam_types["urgent"] = lab.exam_types["booked"]


def test_the_order_of_types_is_part_of_a_lab() -> None:
    """Types are numbered in their order, so that another order is another lab."""
    lab = general(load_lab("mri_unit"))
    types = dict(reversed(lab.exam_types.items()))
    other = lab.replace(exam_types=types)
    assert [kind.name for kind in other.plan.types] == ["body", "joint", "neuro"]
    assert other != lab


def test_a_section_that_is_left_out_can_be_put_in() -> None:
    """A path into a section that a lab does not have makes it."""
    lab = general(load_lab("echo_week")).replace(
        staff_groups__fetal_early__on_call__count=1,
        staff_groups__fetal_early__on_call__from_min=60,
    )
    assert (lab.plan.staff_groups[0].on_call, lab.plan.staff_groups[0].on_call_min) == (1, 60)
