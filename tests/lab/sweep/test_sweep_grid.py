"""Cells of a sweep, and the random numbers that they share."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest

from echo_env.lab import ConfigError, LabConfig, sample_days
from echo_env.lab.sweep import make_sweep
from echo_env.lab.sweep.axes import read_axis

SCARCE = LabConfig.load("scarce")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("rooms.non_fetal=3:7", (3, 4, 5, 6, 7)),
        ("rooms.non_fetal=7,3", (3, 7)),
        ("rooms.non_fetal=2:8:3", (2, 5, 8)),
        ("rooms.non_fetal=2:7:3", (2, 5)),
        ("rooms.non_fetal=1,3:4", (1, 3, 4)),
        ("sonographers.absence_rate=0:0.3:0.1", (0, 0.1, 0.2, 0.3)),
        ("sonographers.absence_rate= 0, 0.1 ", (0, 0.1)),
        ("exam.mean_min=40:42", (40, 41, 42)),
        ("exam.mean_min=4e1", (40,)),
        ("penalty.idle_rule=none,every_pair", ("none", "every_pair")),
        ("hours.closing=17:30,17:00", (1050, 1020)),
        ("appointments.fetal=[08:15,09:15],[10:00]", ((495, 555), (600,))),
        ("appointments.fetal=[09:15,null,08:15]", ((555, None, 495),)),
        ("appointments.template=own,baseline.yaml", ("own", "baseline.yaml")),
    ],
)
def test_lists_and_ranges(text: str, values: tuple[Any, ...]) -> None:
    """Lists and ranges are read with both ends, in order, without rounding errors."""
    assert read_axis(text, SCARCE).values == values


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("rooms.fetal", "sweep has 'rooms.fetal', but takes FIELD=VALUES"),
        ("=3", "sweep has '=3', but takes FIELD=VALUES"),
        ("rooms.fetal=", "rooms.fetal has an empty value in ''"),
        ("rooms.fetal=1,,2", "rooms.fetal has an empty value in '1,,2'"),
        ("rooms.fetal=3:1", "rooms.fetal has the range '3:1', which is empty, because 3 is above 1"),
        ("rooms.fetal=3:1:-1", "rooms.fetal has the range '3:1:-1' with step -1, but the step must be above 0"),
        ("rooms.fetal=1:2:0", "with step 0"),
        ("rooms.fetal=1:2:3:4", "but ranges are a:b or a:b:step"),
        ("rooms.fetal=1:", "rooms.fetal has '', but must be a whole number"),
        ("rooms.fetal=1:2:0.5", "rooms.fetal has '0.5', but must be a whole number"),
        ("exam.mean_min=40.5:42", "between such numbers it needs a step: a:b:step"),
        ("rooms.fetal=2,1:3", "rooms.fetal has 2 twice"),
        ("rooms.fetal=1:1000000000000", "must have at most 1,000"),
        ("rooms.fetal=0:1", "cell rooms.fetal=0 is not a valid lab: appointments.fetal is not empty"),
        ("rooms.fetal=1", "sweep changes nothing"),
        ("rooms.fetl=1", "did you mean rooms.fetal?"),
    ],
)
def test_bad_sweeps_are_refused_in_one_sentence(wanted: str, message: str) -> None:
    """Invalid specifications are refused in one sentence."""
    with pytest.raises(ConfigError, match=re.escape(message)) as caught:
        make_sweep(SCARCE, [wanted])
    assert "\n" not in str(caught.value)


def test_sweeps_as_a_whole_are_checked() -> None:
    """Mode, repeated fields, number of cells and every cell are checked before anything is simulated."""
    with pytest.raises(ConfigError, match="must be one of grid, one_at_a_time"):
        make_sweep(SCARCE, ["rooms.fetal=2"], "gird")
    with pytest.raises(ConfigError, match=r"sweep has rooms\.fetal twice"):
        make_sweep(SCARCE, ["rooms.fetal=2", "rooms.fetal=3"])
    with pytest.raises(ConfigError, match="sweep has 20,000 cells, but must have at most 10,000"):
        make_sweep(SCARCE, ["rooms.fetal=1:100", "rooms.non_fetal=1:200"])
    with pytest.raises(ConfigError, match="sweep is empty"):
        make_sweep(SCARCE, [])
    wanted = ["sonographers.fetal=2", "sonographers.always_present_fetal=2:3"]
    with pytest.raises(
        ConfigError, match=r"cell sonographers\.fetal=2, sonographers\.always_present_fetal=3 is not a valid lab"
    ):
        make_sweep(SCARCE, wanted)


def test_a_grid_has_every_combination_once() -> None:
    """A grid has every combination once; the base lab is cell 0 whether or not it belongs to the grid."""
    sweep = make_sweep(SCARCE, ["rooms.non_fetal=2:4", "sonographers.absence_rate=0,0.1"])
    got = [(cell.config.rooms.non_fetal, cell.config.sonographers.absence_rate) for cell in sweep.cells]
    assert got[0] == (3, 0.1)
    assert sorted(got) == sorted(itertools.product((2, 3, 4), (0, 0.1)))
    assert [cell.number for cell in sweep.cells] == list(range(6))
    away = make_sweep(SCARCE, ["rooms.non_fetal=5:6", "sonographers.absence_rate=0"])
    assert len(away.cells) == 3
    assert away.cells[0].config == SCARCE
    assert away.name(away.cells[0]) == "base lab"
    assert away.name(away.cells[2]) == "rooms.non_fetal=6, sonographers.absence_rate=0"


def test_one_at_a_time_changes_one_field_at_a_time() -> None:
    """In the mode one_at_a_time every cell differs from the base lab in one field."""
    sweep = make_sweep(SCARCE, ["rooms.non_fetal=2:4", "exam.mean_min=40,45,50"], "one_at_a_time")
    assert [sweep.name(cell) for cell in sweep.cells] == [
        "base lab", "rooms.non_fetal=2", "rooms.non_fetal=4", "exam.mean_min=40", "exam.mean_min=50",
    ]  # fmt: skip
    rooms, exam = sweep.axes
    assert [cell.values["rooms.non_fetal"] for cell in sweep.along(rooms)] == [2, 3, 4]
    assert [cell.number for cell in sweep.along(exam)] == [3, 0, 4]


def test_along_a_field_the_others_stand_still() -> None:
    """Along one field the others are held at the base lab's value, or the nearest in the sweep."""
    sweep = make_sweep(SCARCE, ["rooms.non_fetal=2:4", "sonographers.absence_rate=0.2,0.4", "penalty.idle_rule=none"])
    rooms, absence, rule = sweep.axes
    # 0.2 is the nearest to 0.1 that was tried, and none the only rule.
    assert sweep.held(rooms) == {"sonographers.absence_rate": 0.2, "penalty.idle_rule": "none"}
    along = sweep.along(rooms)
    assert [cell.config.rooms.non_fetal for cell in along] == [2, 3, 4]
    assert {cell.config.sonographers.absence_rate for cell in along} == {0.2}
    assert [cell.config.sonographers.absence_rate for cell in sweep.along(absence)] == [0.2, 0.4]
    assert len(sweep.along(rule)) == 1


def test_other_words_for_the_lab_as_it_is_are_the_base_lab() -> None:
    """Values that leave the lab unchanged are merged into the base lab."""
    sweep = make_sweep(SCARCE, ["appointments.template=baseline,own", "rooms.non_fetal=3:4"])
    assert len(sweep.cells) == 2
    assert sweep.axes[0].values == ("own",)
    assert [cell.number for cell in sweep.along(sweep.axes[1])] == [0, 1]


def by_identity(config: LabConfig, seed: int) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """(type, appointment) -> the arrival and the exam of each day; appointments must differ within a type."""
    days = sample_days(config, 5, seed=seed)
    return {
        (int(kind), int(minute)): list(zip(days.arrival[:, p].tolist(), days.exam_min[:, p].tolist(), strict=True))
        for p, (kind, minute) in enumerate(zip(days.exam_type, days.scheduled, strict=True))
    }


def test_patients_that_cells_have_in_common_keep_their_luck() -> None:
    """Fewer or more appointments of a kind leave arrivals and exams of all others as they are, to the bit."""
    config = SCARCE.replace(appointments__non_fetal=tuple(range(0, 540, 30)))
    mine = by_identity(config, seed=5)
    for wanted in ("appointments.non_fetal_per_day=9", "appointments.fetal_per_day=4", "sonographers.non_fetal=3"):
        theirs = by_identity(make_sweep(config, [wanted]).cells[1].config, seed=5)
        assert len(theirs) < len(mine) or "sonographers" in wanted
        assert theirs == {who: mine[who] for who in theirs}


def test_longer_exams_are_longer_for_everybody() -> None:
    """With common random numbers a longer mean duration lengthens every exam."""
    mine, theirs = (sample_days(SCARCE.replace(exam__mean_min=mean), 20, seed=5).exam_min for mean in (45, 50))
    assert (theirs >= mine).all()
    assert (theirs > mine).mean() > 0.9
