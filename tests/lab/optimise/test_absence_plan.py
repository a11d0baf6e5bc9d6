"""The absence plan as a decision: who is rebooked when so many are absent, in words and in a file."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from general_days import general_lab

from echo_env.lab import GeneralLabConfig, load_lab
from echo_env.lab.config.plan import NEVER
from echo_env.lab.optimise import Choice, template
from echo_env.lab.optimise.levers import absence_plan, number_of

TIMES = [0, 20, 20, 60, None, 100]


def lab_with(plan: dict[int, list[int]] | None = None, **more: Any) -> GeneralLabConfig:
    """Appointments at 08:00, 08:20 twice, 09:00 and 09:40, and one of another type; three members of staff."""
    kinds = {"scan": {"appointments": TIMES, "rebook_when_absent": plan or {}}, "other": {"appointments": [30]}}
    return general_lab(kinds, {"rooms": {"count": 1}}, {"staff": {"count": 3, "absence_rate": 0.3}}, **more)


def test_values_say_when_a_patient_is_rebooked() -> None:
    """0 is never; neighbours differ by one member who is absent. Equal values are the first places with the time."""
    config = lab_with()
    decision = absence_plan(config)
    assert [lever.allowed for lever in decision.levers] == [(0, 1, 2)] * 6
    plan = decision.apply(config.plan, (0, 0, 2, 1, 0, 0))
    assert [own.rebook_from for own in plan.types] == [(NEVER, 1, NEVER, 2, NEVER, NEVER), (NEVER,)]
    never = decision.apply(config.plan, (0,) * 6)
    assert never.rebooks
    assert {place for own in never.types for place in own.rebook_from} == {NEVER}
    assert len({lever.alike for lever in decision.levers}) == 5


def test_changes_are_sentences() -> None:
    """Each says when, what and how many; what is rebooked today is no change."""
    decision = absence_plan(lab_with())
    changes = decision.changes(lab_with().plan, (0, 2, 2, 1, 2, 1))
    assert [change.sentence for change in changes] == [
        "On mornings with one or more absent, rebook the 08:20 (two) and 09:40 scan appointments.",
        "On mornings with two or more absent, rebook the 09:00 scan appointment.",
        "On mornings with two or more absent, rebook the 08:30 other appointment.",
    ]
    assert number_of(changes) == 5
    today = lab_with({2: [20, 60]})
    decision = absence_plan(today)
    now = tuple(lever.today for lever in decision.levers)
    assert now == (0, 1, 0, 1, 0, 0)
    assert decision.changes(today.plan, now) == []
    assert [change.sentence for change in decision.changes(today.plan, (0, 0, 2, 0, 0, 0))] == [
        "On mornings with one or more absent, rebook the 08:20 scan appointment.",
        "On mornings with two or more absent, no longer rebook the 09:00 scan appointment.",
    ]


def test_so_many_fit() -> None:
    """No morning has more patients to rebook than is allowed, whichever number of absent members rebooks them."""
    decision = absence_plan(lab_with(), most_rebooked=2)
    assert decision.fits((0, 2, 0, 1, 0, 0))
    assert not decision.fits((0, 2, 0, 1, 1, 0))


def test_appointments_at_held_times_stay() -> None:
    """They have the value of today alone."""
    decision = absence_plan(lab_with(), held=frozenset({20, 30}))
    assert [lever.allowed == (0,) for lever in decision.levers] == [False, True, True, False, False, True]


def test_the_file_gives_the_lab_that_was_played(tmp_path: Path) -> None:
    """With a new book too: entries have the new times, and the file's plan is the same."""
    config = lab_with({1: [60]})
    choice = Choice(config, (template(config), absence_plan(config)))
    times, rebooked = [15, 30, 20, 30, 100, 30], [0, 1, 0, 2, 2, 0]
    values = (*times, *rebooked)
    assert [change.sentence for change in choice.changes(values)][-2:] == [
        "On mornings with one or more absent, rebook the 09:40 scan appointment.",
        "On mornings with two or more absent, rebook the 08:30 scan appointment.",
    ]
    written = config.as_file()
    for (section, name, field), value in choice.in_file(values).items():
        written[section][name][field] = value
    path = tmp_path / "lab.yaml"
    path.write_text(yaml.safe_dump(written, sort_keys=False))
    assert load_lab(path).plan.types[0] == choice.lab(values).plan.types[0]
    assert choice.in_file(choice.today) == {}


def test_a_new_book_takes_today_s_plan_along(tmp_path: Path) -> None:
    """Who is rebooked today is rebooked from the new time, in the lab that is played and in its file."""
    config = lab_with({1: [20], 2: [60]})
    choice = Choice(config, (template(config),))
    values = (20, 0, 20, 75, 100, 30)
    written = config.as_file()
    for (section, name, field), value in choice.in_file(values).items():
        written[section][name][field] = value
    assert written["exam_types"]["scan"]["rebook_when_absent"] == {1: ["08:00"], 2: ["09:15"]}
    path = tmp_path / "lab.yaml"
    path.write_text(yaml.safe_dump(written, sort_keys=False))
    assert load_lab(path).plan == choice.lab(values).plan
    both = Choice(config, (template(config), absence_plan(config)))
    assert both.in_file((*values, 0, 0, 2, 0, 0, 0))["exam_types", "scan", "rebook_when_absent"] == {1: ["08:20"]}


def test_it_goes_to_other_processes() -> None:
    """A copy decides the same."""
    decision = absence_plan(lab_with())
    assert pickle.loads(pickle.dumps(decision)) == decision


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"most_absent": 0}, "most_absent is 0, but must be at least 1"),
        ({"most_absent": 1}, "most_absent is 1, but must be at least 2, for which the lab has a plan today"),
        ({"most_rebooked": 1}, "most_rebooked is 1, but must be at least 2, as many as the lab rebooks today"),
    ],
)
def test_wrong_settings(settings: dict[str, int], said: str) -> None:
    """One sentence names the setting, its value and what is allowed."""
    with pytest.raises(ValueError, match="most_") as found:
        absence_plan(lab_with({2: [20, 60]}), **settings)
    assert str(found.value) == said


def test_nothing_to_decide() -> None:
    """There must be somebody with an appointment, and somebody who can be absent; more absent than that are as many."""
    kinds: dict[str, Any] = {"scan": {"unscheduled": {0: 2.0}}}
    rooms = {"rooms": {"count": 1}}
    with pytest.raises(ValueError, match="nobody in 'by hand' has an appointment that could be rebooked"):
        absence_plan(general_lab(kinds, rooms, {"staff": {"count": 1, "absence_rate": 0.5}}))
    kinds = {"scan": {"appointments": [0]}}
    with pytest.raises(ValueError, match="nobody in 'by hand' can be absent"):
        absence_plan(general_lab(kinds, rooms, {"staff": {"count": 2, "absence_rate": 0.5, "always_present": 2}}))
    one = general_lab(kinds, rooms, {"staff": {"count": 2, "absence_rate": 0.5, "always_present": 1}})
    assert absence_plan(one, most_absent=5).levers[0].allowed == (0, 1)


def test_patients_added_to_the_book_are_never_rebooked() -> None:
    """A plan that knows fewer places than the book leaves the others where they are."""
    from echo_env.lab.day import REBOOKED, sample_days
    from echo_env.lab.optimise.levers import PlannedLab

    config = lab_with({1: [0, 20, 20, 60, 100]})
    scan = config.plan.types[0]
    longer = replace(scan, scheduled=(*scan.scheduled, 10))
    plan = replace(config.plan, types=(longer, config.plan.types[1]))
    days = sample_days(PlannedLab(config.name, config.hours, config.penalty, plan), 20, 0)
    added = (days.scheduled == 10).argmax()
    assert (days.arrival[:, added] != REBOOKED).all()
    assert np.count_nonzero(days.arrival == REBOOKED) > 0
