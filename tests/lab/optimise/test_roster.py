"""The roster as a decision: what its values mean, the file that says so, and the sentences."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from echo_env.common.config_file import with_changes
from echo_env.lab import GeneralLabConfig, as_general, load_lab
from echo_env.lab.config.plan import NEVER
from echo_env.lab.optimise.levers import Choice, Roster, Values, roster, template
from echo_env.lab.optimise.levers.roster.plans import NOBODY, call_of, call_value

TWO_SHIFTS = """\
# two shifts
name: two_shifts
hours: {opening: "07:00", closing: "15:00", end: "17:00"}  # short days
exam: {shape: 8, mean_min: 30, shortest_min: 10, longest_min: 90}
exam_types:
  head: {appointments: ["08:00", "08:30"]}
  knee: {appointments: ["09:00"]}
room_groups:
  magnets: {count: 1}
  old: {count: 2, exam_types: [knee], closed: [{until: "07:30"}]}
staff_groups:
  early:  # the early ones
    count: 2
    shift: {from: "07:00", until: "13:00"}
    lunch: {from: "11:00", until: "12:00", minutes: 30}
    absence_rate: 0.1
    on_call: {count: 1, from: "08:30"}
  late:
    count: 2  # two of them
    exam_types: [knee]
    shift: {from: "09:00"}
    breaks: {minutes: 10, planned: ["12:00"]}
    absence_rate: 0.1
    always_present: 1
  all_day:
    count: 1
    exam_types: [knee]
"""

SOURCES = {
    "two shifts": TWO_SHIFTS,
    "converted": yaml.safe_dump(as_general(load_lab("scarce")).as_file(), sort_keys=False) + "# the end\n",
    "over a base": "# mine\nbase: mri_unit  # the preset\nname: mine\n",
    "a shift for some": "# mine\nbase: echo_week  # the preset\nstaff_groups:\n  regular_early: {shift: null}\n",
    "crossing": "# mine\nbase: walk_in_clinic\nname: crossing\n",
}


def roster_of(text: str, tmp_path: Path, **limits: Any) -> Roster:
    """The roster of the lab of a text."""
    file = tmp_path / "lab.yaml"
    file.write_text(text)
    config = load_lab(file)
    return roster(config, **{"extra": 2, "on_call": 2, "trained": 2, "rooms": 2, **limits})


def values_of(decision: Roster, **changes: int) -> Values:
    """Today's values with others: ``count_0=3`` for the first staff group."""
    named = {f"{part.what}_{part.group}": number for number, part in enumerate(decision.parts)}
    values = [lever.today for lever in decision.levers]
    for name, value in changes.items():
        values[named[name]] = value
        assert value in decision.levers[named[name]].allowed
    return tuple(values)


def random_values(decision: Roster, count: int, seed: int) -> list[Values]:
    """Values that fit, with a third of the levers drawn."""
    rng = np.random.default_rng(seed)
    found: list[Values] = []
    while len(found) < count:
        values = tuple(
            int(rng.choice(lever.allowed)) if rng.random() < 0.3 else lever.today for lever in decision.levers
        )
        if decision.fits(values):
            found.append(values)
    return found


@pytest.mark.parametrize("source", SOURCES)
def test_the_file_says_what_was_played(source: str, tmp_path: Path) -> None:
    """Whatever the values, the lab that is read from the changed file has the plan that they were played with."""
    text = SOURCES[source]
    decision = roster_of(text, tmp_path)
    plan = decision.config.plan
    groups = set()
    for values in random_values(decision, 15, seed=1):
        changed = with_changes(
            text, {(*place,): value for place, value in decision.in_file(decision.config.plan, values).items()}
        )
        (tmp_path / "better.yaml").write_text(changed)
        better = load_lab(tmp_path / "better.yaml")
        assert better.plan == decision.apply(plan, values)
        assert re.findall("#.*", changed) == re.findall("#.*", text)
        assert bool(decision.changes(decision.config.plan, values)) == (better.plan != plan)
        groups.add(len(better.plan.staff_groups) + len(better.plan.room_groups))
    assert max(groups) > len(plan.staff_groups) + len(plan.room_groups)


@pytest.mark.parametrize("source", SOURCES)
def test_todays_values_change_nothing(source: str, tmp_path: Path) -> None:
    """Today's values are allowed, and are the lab as it is."""
    decision = roster_of(SOURCES[source], tmp_path)
    today = values_of(decision)
    assert all(lever.today in lever.allowed for lever in decision.levers)
    assert decision.fits(today)
    assert decision.apply(decision.config.plan, today) == decision.config.plan
    assert decision.changes(decision.config.plan, today) == []
    assert decision.in_file(decision.config.plan, today) == {}


@pytest.mark.parametrize(
    ("changes", "sentences"),
    [
        ({"count_0": 3}, ["Add one member of the group early."]),
        ({"count_1": 4}, ["Add two members of the group late."]),
        ({"count_1": 1}, ["Take one member out of the group late."]),
        ({"length_0": 390}, ["End the shift of early at 13:30 in place of 13:00."]),
        ({"begin_0": 30, "length_0": 330}, ["Begin the shift of early at 07:30 in place of 07:00."]),
        ({"begin_0": 15}, ["Move the shift of early to 07:15 to 13:15 in place of 07:00 to 13:00."]),
        ({"begin_2": 60}, ["Begin the shift of all_day at 08:00 in place of 07:00."]),
        ({"on_call_0": NOBODY}, ["Have nobody of early on call."]),
        ({"on_call_0": 120}, ["Have one of early on call from 09:00 in place of one from 08:30."]),
        ({"on_call_1": 180}, ["Have one of late on call from 10:00."]),
        ({"on_call_1": 60}, ["Have one of late on call from 09:00."]),
        ({"training_1": 1}, ["Train one member of late for all exams."]),
        ({"rooms_1": 2}, ["Make two rooms of old fit for all exams."]),
    ],
)
def test_sentences_say_what_to_do(changes: dict[str, int], sentences: list[str], tmp_path: Path) -> None:
    """Each change is a plain sentence with the group's name; nobody is on call before the shift begins."""
    decision = roster_of(TWO_SHIFTS, tmp_path)
    said = decision.changes(decision.config.plan, values_of(decision, **changes))
    assert [change.sentence for change in said] == sentences


def test_who_is_trained_joins_a_group_with_the_same_hours() -> None:
    """In the baseline lab a trained member and an equipped room join the fetal groups."""
    config = as_general(load_lab("baseline"))
    decision = roster(config)
    values = values_of(decision, training_1=1, rooms_1=1)
    fetal, other = decision.apply(config.plan, values).staff_groups
    assert (fetal.count, fetal.always_present) == (5, 1)
    assert (other.count, other.always_present) == (1, 1)
    assert [group.count for group in decision.apply(config.plan, values).room_groups] == [2, 5]
    assert [change.sentence for change in decision.changes(decision.config.plan, values)] == [
        "Train one member of non_fetal for all that fetal does.",
        "Make one room of non_fetal fit for all that fetal is fit for.",
    ]


def test_training_changes_nobodys_absence() -> None:
    """Who is always there stays so when trained, in a group of their own if need be, and others keep their luck."""
    config = as_general(load_lab("scarce"))
    decision = roster(config)
    plan = decision.apply(config.plan, values_of(decision, training_1=1))
    assert [group.name for group in plan.staff_groups] == ["fetal", "non_fetal", "non_fetal_cross_trained"]
    assert [(group.count, group.always_present) for group in plan.staff_groups] == [(2, 1), (0, 0), (1, 1)]
    # Where fewer are left than are always there, as many of those who leave are.
    decision = roster(as_general(load_lab("baseline")))
    plan = decision.apply(decision.config.plan, values_of(decision, training_1=1, count_1=1))
    assert [(group.count, group.always_present) for group in plan.staff_groups] == [(5, 2), (0, 0)]


def test_who_is_trained_keeps_the_hours_in_a_group_of_their_own(tmp_path: Path) -> None:
    """Where nobody with the same shift can do more, a new group that can do everything comes last."""
    decision = roster_of(TWO_SHIFTS, tmp_path)
    plan = decision.apply(decision.config.plan, values_of(decision, training_1=2, begin_1=180))
    early, late, all_day, trained = plan.staff_groups
    assert (early, all_day) == (decision.config.plan.staff_groups[0], decision.config.plan.staff_groups[2])
    assert (late.count, late.always_present) == (0, 0)
    assert trained.name == "late_cross_trained"
    assert (trained.count, trained.can, trained.always_present) == (2, 0b11, 1)
    assert trained.shift == late.shift == (180, NEVER)
    assert trained.breaks == late.breaks


@pytest.mark.parametrize(
    "changes",
    [
        {"length_0": 285},
        {"begin_0": 240, "length_0": 375},
        {"length_0": 240, "begin_0": 15},
        {"count_1": 0, "training_1": 1},
        {"on_call_1": 60, "count_1": 0},
    ],
)
def test_values_that_make_no_lab_do_not_fit(changes: dict[str, int], tmp_path: Path) -> None:
    """Lunch outside the shift, a shift beyond the day, more trained than there are, calls in place of nobody."""
    decision = roster_of(TWO_SHIFTS, tmp_path)
    assert not decision.fits(values_of(decision, **changes))


def test_somebody_must_be_able_to_do_every_exam() -> None:
    """Two groups that can do a type may each be empty, but not both; one that alone can do it is never empty."""
    config = load_lab("echo_week")
    assert isinstance(config, GeneralLabConfig)
    decision = roster(config)
    assert decision.fits(values_of(decision, count_0=0))
    assert decision.fits(values_of(decision, count_1=0))
    assert not decision.fits(values_of(decision, count_0=0, count_1=0))
    alone = roster(as_general(load_lab("scarce")))
    assert min(alone.levers[alone.parts.index(alone.parts[0])].allowed) == 1


def test_shifts_that_cannot_hold_lunch_are_not_looked_at(tmp_path: Path) -> None:
    """No begin lies after what is planned, no shift ends before it, and all times are on the grid."""
    decision = roster_of(TWO_SHIFTS, tmp_path, shift_min=(15, 700))
    levers = dict(zip(((part.what, part.group) for part in decision.parts), decision.levers, strict=True))
    assert max(levers["begin", 0].allowed) == 240
    assert min(levers["length", 0].allowed) == 60
    assert ("length", 1) not in levers
    assert max(levers["begin", 1].allowed) == 300
    assert all(minute % 15 == 0 for minute in levers["begin", 0].allowed)


def test_only_what_may_change_has_a_lever(tmp_path: Path) -> None:
    """Each kind has levers of its own, and no call has one where nobody can be absent."""
    decision = roster_of(TWO_SHIFTS, tmp_path)
    assert ("on_call", 2) not in {(part.what, part.group) for part in decision.parts}
    kinds = {"count": {"count"}, "shift": {"begin", "length"}, "on_call": {"on_call"}, "training": {"training"}}
    for kind, whats in kinds.items():
        assert {part.what for part in roster_of(TWO_SHIFTS, tmp_path, kinds=(kind,)).parts} == whats


@pytest.mark.parametrize("value", [NOBODY, 0, 90, 1440, 1440 + 90])
def test_one_number_stands_for_calls_and_their_minute(value: int) -> None:
    """The value of a lever of calls and what it means are one to one."""
    assert call_value(call_of(value)) == value


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"extra": -1}, "extra is -1, but must be at least 0"),
        ({"grid_min": 0}, "grid_min is 0, but must be at least 1"),
        ({"kinds": ("shifts",)}, "kinds has 'shifts', but only count, shift, on_call, training, rooms of a roster"),
        ({"shift_min": (300, 200)}, "shift_min is (300, 200), but must be the shortest and then the longest"),
    ],
)
def test_limits_that_cannot_be_meant_are_refused(limits: dict[str, Any], words: str) -> None:
    """Each is one sentence that names the value and what is allowed."""
    with pytest.raises(ValueError, match=re.escape(words)):
        roster(as_general(load_lab("scarce")), **limits)


def test_a_lab_of_the_short_form_is_refused() -> None:
    """A roster has groups, which labs of the short form get by as_general."""
    with pytest.raises(ValueError, match="use as_general"):
        roster(load_lab("scarce"))


def test_hours_paid_are_those_of_the_roster(tmp_path: Path) -> None:
    """Added members, longer shifts and those on call count as paid where and while they are there, and no others."""
    pytest.importorskip("numba")
    from echo_env.lab.optimise.search import Objective

    text = TWO_SHIFTS.replace("absence_rate: 0.1\n    on_call", "absence_rate: 1.0\n    always_present: 1\n    on_call")
    text = text.replace("absence_rate: 0.1\n    always", "absence_rate: 0.0\n    always")
    decision = roster_of(text, tmp_path)
    objective = Objective(decision.config, {"paid_h": 1.0}, ("staff_overtime_h",), "scarce_first", 0)

    def paid(**changes: int) -> float:
        lab = Choice(decision.config, (decision,)).lab(values_of(decision, **changes))
        scores = objective.scores(lab, 0, 20)
        # Exams after shifts and closing are paid as well.
        return float((scores.objective - scores.protected[0]).mean())

    # One early from 07:00 to 13:00, one on call from 08:30; two late from 09:00, one all day, both to closing at 15:00.
    today = 6 + 4.5 + 2 * 6 + 8
    assert paid() == pytest.approx(today)
    assert paid(count_1=3) == pytest.approx(today + 6)
    assert paid(count_2=2) == pytest.approx(today + 8)
    # A second early one who is always absent brings no hours, since one is on call already.
    assert paid(count_0=3) == pytest.approx(today)
    assert paid(on_call_0=NOBODY) == pytest.approx(today - 4.5)
    assert paid(on_call_0=180) == pytest.approx(today - 1.5)
    assert paid(length_0=390) == pytest.approx(today + 2 * 0.5)
    assert paid(begin_1=180) == pytest.approx(today - 2)
    assert paid(begin_2=60) == pytest.approx(today - 1)
    assert paid(training_1=1, rooms_1=1) == pytest.approx(today)


def test_a_roster_goes_to_other_processes_and_together_with_a_book() -> None:
    """A decision can be pickled, and two decisions change the parts of the plan that each is about."""
    config = as_general(load_lab("scarce"))
    own = roster(config)
    again = pickle.loads(pickle.dumps(own))
    values = values_of(own, count_0=3)
    assert again.apply(config.plan, values) == own.apply(config.plan, values)
    book = template(config)
    choice = Choice(config, (book, own))
    lab = choice.lab((*(lever.today for lever in book.levers), *values))
    assert lab.plan.types == config.plan.types
    assert lab.plan.staff_groups == own.apply(config.plan, values).staff_groups


def test_hours_that_may_be_spent_are_spent() -> None:
    """A member is added where the hours are allowed, and not where no hour may be added."""
    pytest.importorskip("numba")
    from echo_env.lab.optimise import Budget, optimise

    config = as_general(
        load_lab("baseline").replace(
            appointments__fetal=(),
            appointments__non_fetal=(60, 60, 60),
            sonographers__fetal=0,
            sonographers__non_fetal=1,
            sonographers__always_present_fetal=0,
        )
    )
    decide = [roster(config, kinds=("count",))]
    budget = Budget(seconds=30, starts=1, days=100, world_days=0)
    found = optimise(config, decide, allowance={"paid_h": 9.0}, budget=budget)
    assert found.step is not None
    (change,) = found.step.changes
    assert change.sentence in [f"Add one member of the group {name}." for name in config.staff_groups]
    assert 7 < found.step.effects["paid_h"].mean < 9
    assert optimise(config, decide, allowance={"paid_h": 0.0}, budget=budget).step is None
