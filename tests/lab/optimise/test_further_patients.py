"""Further patients in a book: as many more as can be examined without anybody waiting longer."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from tiny_labs import one_room_lab

from echo_env.lab import LabConfig, load_lab

pytest.importorskip("numba")


from echo_env.lab.optimise import Budget, Choice, optimise, template
from echo_env.lab.optimise.levers import NOTHING, Values, changed
from echo_env.lab.optimise.report.better_file import better_text
from echo_env.lab.optimise.search import PROTECTED, Bench, Clock, Objective, starts

WAIT = "overall_wait_min"


@pytest.fixture(scope="module")
def idle() -> LabConfig:
    """One room and one sonographer, two patients booked at the same time, and nobody for the rest of the day."""
    return one_room_lab(60, 60)


def test_nobody_more_is_the_book_as_it_is() -> None:
    """Places for further patients that nobody takes leave the plan as it is."""
    for name in ("scarce", "mri_unit"):
        config = load_lab(name)
        further = {config.plan.types[0].name: 2}
        choice = Choice(config, (template(config, more=further),))
        assert choice.lab(choice.today).plan == config.plan
        assert sorted(choice.first)[:2] == [NOTHING, NOTHING]
        assert choice.changes(choice.today) == ()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((60, 60, NOTHING, 120), ["Book one more non_fetal patient at 10:00."]),
        ((60, 60, 120, 120), ["Book two more non_fetal patients at 10:00."]),
        (
            (0, 180, 120, NOTHING),
            [
                "Move one 09:00 non_fetal appointment to 08:00.",
                "Move one 09:00 non_fetal appointment to 10:00.",
                "Book one more non_fetal patient at 11:00.",
            ],
        ),
        ((60, 120, 60, NOTHING), ["Book one more non_fetal patient at 10:00."]),
    ],
)
def test_who_keeps_the_book_sees_times_alone(idle: LabConfig, values: Values, said: list[str]) -> None:
    """A time that is new is a booking unless one is given up for it, whoever of the patients has it."""
    choice = Choice(idle, (template(idle, 60, more={"non_fetal": 2}),))
    assert [change.sentence for change in choice.changes(values)] == said


@pytest.mark.parametrize("text", ["base: scarce\nname: mine\n", "base: mri_unit\nname: mine\n"])
def test_the_file_has_them(text: str, tmp_path: Path) -> None:
    """The lab that is read back is the lab that was played, the place of a patient who was not taken included."""
    file = tmp_path / "lab.yaml"
    file.write_text(text)
    config = load_lab(str(file))
    choice = Choice(config, (template(config, more={config.plan.types[0].name: 2}),))
    further = [number for number, value in enumerate(choice.today) if value == NOTHING]
    values = changed(choice.today, further[1], 135)
    file.write_text(better_text(str(file), choice, values))
    assert load_lab(str(file)).plan == choice.lab(values).plan
    assert load_lab(str(file)).plan.types[0].scheduled[-2:] == (None, 135)


def test_limits_hold_for_them_too() -> None:
    """Further patients are booked in the window of their type, and count among those at one time."""
    config = load_lab("baseline")
    limits = {"windows": {"fetal": (60, 300)}, "at_once": 2, "more": {"fetal": 3}}
    choice = Choice(config, (template(config, 60, **limits),))  # type: ignore[arg-type]
    assert [lever.allowed for lever in choice.levers if lever.today == NOTHING] == [(-1, 60, 120, 180, 240, 300)] * 3
    for values in starts(choice, 5, np.random.default_rng(0)):
        assert choice.fits(values)
    booked = next(number for number, lever in enumerate(choice.levers) if lever.today == NOTHING)
    full = next(minute for minute in (60, 120, 180, 240, 300) if choice.first.count(minute) == 2)
    assert not choice.fits(changed(choice.first, booked, full))


def test_room_for_a_rise_leads_where_the_objective_does_not(idle: LabConfig) -> None:
    """Books under which the same patients are examined differ by their waits, and one patient more is worth more."""
    choice = Choice(idle, (template(idle, 60, more={"non_fetal": 1}),))
    objective = Objective(idle, {"served": -1.0}, (*PROTECTED, WAIT), "policy_2", 3)
    bench = Bench(objective, choice, 200, Clock(600))
    together, apart, more = (60, 60, NOTHING), (0, 120, NOTHING), (0, 120, 240)
    assert bench.scores(together).objective.mean() == bench.scores(apart).objective.mean()
    assert bench.cost(more) < bench.cost(apart) < bench.cost(together) == bench.reference


def test_further_patients_are_found(idle: LabConfig) -> None:
    """A lab that is idle for most of the day examines as many more as it may, and nobody waits longer."""
    budget = Budget(seconds=60, starts=1, days=200, world_days=0)
    decide = [template(idle, 60, 300, more={"non_fetal": 2})]
    found = optimise(idle, decide, {"served": -1.0}, (*PROTECTED, WAIT), rule="policy_2", budget=budget)
    assert found.recommended
    assert found.step is not None
    assert sum(change.number for change in found.step.changes if change.sentence.startswith("Book")) == 2
    assert found.step.effects["-1 served"].mean < -1.7
    assert found.step.effects[WAIT].high < 0


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"foetal": 1}, "further patients of 'foetal', which is no exam type of the lab; it has fetal, non_fetal"),
        ({"fetal": 0}, "further patients of 'fetal' are 0, but must be at least 1"),
    ],
)
def test_further_patients_of_nobody_are_refused(idle: LabConfig, more: dict[str, int], words: str) -> None:
    """An unknown type or no number of patients is one sentence."""
    with pytest.raises(ValueError, match=re.escape(words)):
        template(idle, more=more)
