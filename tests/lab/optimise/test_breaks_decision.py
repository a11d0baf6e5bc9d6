"""Breaks and lunch as a decision: what its values mean in a plan, in a file, in words and to a search."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from general_days import general_lab

from echo_env.common.config_file import with_changes
from echo_env.lab import GeneralLabConfig, load_lab
from echo_env.lab.config import as_general
from echo_env.lab.config.file import preset_names
from echo_env.lab.config.plan import NEVER
from echo_env.lab.optimise.levers import Breaks, Choice, Values, breaks, changed
from echo_env.lab.optimise.levers.breaks import Part

KINDS, ROOMS = {"scan": {"appointments": [60, 120]}}, {"rooms": {"count": 2}}


def lab_of(**group: object) -> GeneralLabConfig:
    """A lab with one group of staff, ``team``, of two; it closes at 12:00."""
    return general_lab(KINDS, ROOMS, {"team": {"count": 2, **group}}, closing=240, end=300)


def values_of(decision: Breaks, **wanted: int | list[int]) -> Values:
    """Today's values of a lab with one group, but for some of them."""
    values = [lever.today for lever in decision.levers]
    for what, value in wanted.items():
        places = [place for place, part in enumerate(decision.parts) if part.what == what]
        for place, own in zip(places, value if isinstance(value, list) else [value], strict=False):
            values[place] = own
    return tuple(values)


def said(decision: Breaks, values: Values) -> list[str]:
    """The sentences."""
    return [change.sentence for change in decision.changes(decision.config.plan, values)]


@pytest.mark.parametrize("source", ["mri_unit", "walk_in_clinic", "scarce"])
def test_the_plan_is_that_of_the_file(source: str, tmp_path: Path) -> None:
    """Whatever the values, the lab read from the changed file has the plan that was searched with."""
    config = as_general(load_lab(source))
    decision = breaks(config)
    text = f"base: {source}\n" if load_lab(source) is config else _as_text(config)
    assert set(preset_names()) >= {source}
    rng, path = np.random.default_rng(0), tmp_path / "lab.yaml"
    for _ in range(12):
        values = tuple(int(rng.choice(lever.allowed)) for lever in decision.levers)
        path.write_text(with_changes(text, dict(decision.in_file(config.plan, values))), encoding="utf8")
        assert load_lab(path).plan == decision.apply(config.plan, values), values
    today = tuple(lever.today for lever in decision.levers)
    assert decision.apply(config.plan, today) == config.plan
    assert (decision.in_file(config.plan, today), decision.changes(config.plan, today)) == ({}, [])


def _as_text(config: GeneralLabConfig) -> str:
    import io

    from ruamel.yaml import YAML

    out = io.StringIO()
    YAML().dump(config.as_file(), out)
    return out.getvalue()


def test_breaks_by_chance_become_planned_ones() -> None:
    """Each planned break is one by chance less, so that their number stays."""
    law = {"minutes": 15, "number": 2, "both_probability": 0.2, "one_probability": 0.3, "last_probability": 0.3}
    decision = breaks(lab_of(breaks=law), apart_min=60)
    values = values_of(decision, **{"break": [135, -1], "put_off_min": 30})
    law_after = decision.apply(decision.config.plan, values).staff_groups[0].breaks
    assert (law_after.number, law_after.planned, law_after.put_off_min) == (1, (135,), 30)
    sentence = "Plan a break of team at 10:15, put off for up to 30 minutes while somebody waits, "
    assert said(decision, values) == [sentence + "in place of one by chance."]
    values = values_of(decision, **{"break": [150, 75], "put_off_min": 0})
    assert decision.in_file(decision.config.plan, values) == {
        ("staff_groups", "team", "breaks", "number"): 0,
        ("staff_groups", "team", "breaks", "planned"): ["09:15", "10:30"],
    }
    assert said(decision, values) == [
        "Plan a break of team at 09:15 in place of one by chance.",
        "Plan a break of team at 10:30 in place of one by chance.",
    ]


def test_without_planned_breaks_putting_off_has_no_meaning() -> None:
    """A search begins with breaks that would be put off, which changes nothing until one is planned."""
    config = lab_of(breaks={"minutes": 15, "number": 1, "last_probability": 0.5})
    decision = breaks(config)
    choice = Choice(config, (decision,))
    assert choice.first == (-1, 60) != choice.today
    assert choice.lab(choice.first).plan == config.plan
    assert choice.changes(choice.first) == ()


def test_planned_breaks_move() -> None:
    """A time that both have is no change; putting off is a change of its own where breaks were planned before."""
    decision = breaks(lab_of(breaks={"minutes": 15, "planned": [65, 150]}), apart_min=60)
    assert said(decision, values_of(decision, **{"break": [150, 75]})) == ["Move the 09:05 break of team to 09:15."]
    assert said(decision, values_of(decision, put_off_min=15)) == [
        "Put planned breaks of team off for up to 15 minutes while somebody waits."
    ]
    put_off = breaks(lab_of(breaks={"minutes": 15, "planned": [65], "put_off_min": 20}))
    assert said(put_off, values_of(put_off, put_off_min=0)) == ["Put planned breaks of team off no longer."]


def test_planned_breaks_stay_apart_and_clear_of_the_ends() -> None:
    """Breaks that would be taken as one do not fit, today's excepted, nor is one at an end of the shift allowed."""
    decision = breaks(lab_of(breaks={"minutes": 15, "planned": [70, 80]}), clear_min=45, apart_min=60)
    assert decision.levers[0].allowed == (45, 60, 70, 75, 90, 105, 120, 135, 150, 165, 180)
    assert decision.levers[1].allowed == (45, 60, 75, 80, 90, 105, 120, 135, 150, 165, 180)
    fits = {
        (a, b): decision.fits(values_of(decision, **{"break": [a, b]})) for a, b in ((70, 80), (70, 120), (70, 135))
    }
    assert fits == {(70, 80): True, (70, 120): False, (70, 135): True}
    shift = {"from_min": 30, "until_min": 210}
    late = breaks(lab_of(breaks={"minutes": 20, "number": 1}, shift=shift), clear_min=60)
    assert late.levers[0].allowed == (-1, 90, 105, 120)


def test_lunch() -> None:
    """The window keeps its length and moves inside the shift; how many go at once, and putting off, is decided."""
    lunch = {"from_min": 100, "until_min": 180, "minutes": 30}
    decision = breaks(lab_of(lunch=lunch), clear_min=60, lunch_within_min=45)
    assert [lever.allowed for lever in decision.levers] == [(60, 75, 90, 100, 105, 120, 135), (1, 2), (0, 1)]
    own = decision.apply(decision.config.plan, values_of(decision)).staff_groups[0].lunch
    assert own is not None
    assert own.at_once == NEVER
    values = values_of(decision, lunch=120, at_once=1, lunch_put_off=1)
    own = decision.apply(decision.config.plan, values).staff_groups[0].lunch
    assert own is not None
    assert (own.begin_min, own.latest_min, own.at_once, own.put_off) == (120, 170, 1, True)
    assert said(decision, values) == [
        "Begin lunch of team from 10:00 on in place of 09:40.",
        "Let at most 1 of team be at lunch at the same time in place of any number.",
        "Put lunch of team off while somebody waits, as long as it fits into its window.",
    ]
    alone = breaks(general_lab(KINDS, ROOMS, {"team": {"count": 1, "lunch": lunch}}))
    assert [part.what for part in alone.parts] == ["lunch", "lunch_put_off"]


def test_breaks_stay_inside_another_shift() -> None:
    """In a plan whose shift was cut, breaks and lunch move to its nearest end, so that the file stays valid."""
    lunch = {"from_min": 100, "until_min": 150, "minutes": 30}
    config = lab_of(lunch=lunch, breaks={"minutes": 10, "number": 1}, shift={"from_min": 0, "until_min": 240})
    decision = breaks(config)
    cut = config.replace(staff_groups__team__shift__until_min=160).plan
    own = decision.apply(cut, values_of(decision, **{"break": 165}, lunch=180)).staff_groups[0]
    assert own.lunch is not None
    assert (own.breaks.planned, own.lunch.begin_min, own.lunch.latest_min) == ((159,), 110, 130)


def test_it_goes_to_other_processes_and_leaves_other_groups_alone() -> None:
    """The decision can be pickled, and groups without breaks or lunch have no levers."""
    staff = {"one": {"count": 1}, "two": {"count": 1, "breaks": {"minutes": 10, "number": 1}}, "gone": {"count": 0}}
    staff["gone"] |= {"lunch": {"from_min": 60, "until_min": 120, "minutes": 30}}
    decision = breaks(general_lab(KINDS, ROOMS, staff))
    assert pickle.loads(pickle.dumps(decision)) == decision
    assert decision.parts == (Part("break", 1), Part("put_off_min", 1))
    today = tuple(lever.today for lever in decision.levers)
    assert (
        decision.apply(decision.config.plan, changed(today, 0, 90)).staff_groups[2]
        == (decision.config.plan.staff_groups[2])
    )


def test_bad_input() -> None:
    """One sentence each."""
    with pytest.raises(ValueError, match="the lab 'scarce' has no groups of staff, but breaks need them"):
        breaks(load_lab("scarce"))
    with pytest.raises(ValueError, match="nobody in the lab 'by hand' has breaks or lunch, so that nothing"):
        breaks(lab_of())
    with pytest.raises(ValueError, match="grid_min is 0, but must be at least 1"):
        breaks(load_lab("mri_unit"), 0)
    with pytest.raises(ValueError, match="apart_min is -1, but must be at least 0"):
        breaks(load_lab("mri_unit"), apart_min=-1)


def test_nothing_is_put_off_where_that_is_no_choice() -> None:
    """With 0 minutes at most, planned breaks and lunch cannot be put off."""
    decision = breaks(load_lab("mri_unit"), most_put_off_min=0)
    offered = {
        lever.allowed for part, lever in zip(decision.parts, decision.levers, strict=True) if "put_off" in part.what
    }
    assert offered == {(0,)}
