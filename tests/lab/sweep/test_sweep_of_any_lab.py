"""Sweeps of labs with exam types, room groups and staff groups."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from pathlib import Path

import pytest

from echo_env.lab import ConfigError, GeneralLabConfig, load_lab, make_policy
from echo_env.lab.sweep import Player, make_sweep, play_sweep, report, tasks_of
from echo_env.lab.sweep.book import with_count
from echo_env.lab.sweep.fields import changed, find_field
from echo_env.lab.sweep.general_fields import general_fields

PRESETS = ("mri_unit", "walk_in_clinic", "echo_week")


def general(name: str) -> GeneralLabConfig:
    """A preset of the general form."""
    config = load_lab(name)
    assert isinstance(config, GeneralLabConfig)
    return config


MRI = general("mri_unit")


def set_field(config: GeneralLabConfig, path: str, text: str) -> GeneralLabConfig:
    """The lab with one field set as typed."""
    lab = changed(config, {path: find_field(path, config).read(text)})
    assert isinstance(lab, GeneralLabConfig)
    return lab


@pytest.mark.parametrize("name", PRESETS)
def test_own_values_change_nothing(name: str) -> None:
    """Own values survive writing and reading and leave the lab as it is, inherited where it was."""
    config = general(name)
    for path, field in general_fields(config).items():
        own = field.own(config)
        written = field.write(own)
        assert field.read(f"[{written}]" if isinstance(own, tuple) else written) == own, path
        assert changed(config, {path: own}) == config, path


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("room_groups.magnets.count", "3", {"room_groups__magnets__count": 3}),
        ("room_groups.magnets.turnover_min", "0", {"room_groups__magnets__turnover_min": 0}),
        ("exam_types.body.weight", "2", {"exam_types__body__weight": 2}),
        ("exam_types.body.exam.mean_min", "50", {"exam_types__body__exam__mean_min": 50.0}),
        ("exam_types.body.arrival.no_show_rate", "0", {"exam_types__body__arrival__no_show_rate": 0.0}),
        ("exam_types.body.may_begin_early", "false", {"exam_types__body__may_begin_early": False}),
        ("exam_types.body.appointments", "[08:00,null,10:00]", {"exam_types__body__appointments": (60, None, 180)}),
        ("staff_groups.early.shift.until", "14:30", {"staff_groups__early__shift__until_min": 450}),
        ("staff_groups.early.shift.hand_over", "false", {"staff_groups__early__shift__hand_over": False}),
        ("staff_groups.early.lunch.from", "10:30", {"staff_groups__early__lunch__from_min": 210}),
        ("staff_groups.early.breaks.planned", "[09:00,10:00]", {"staff_groups__early__breaks__planned": (120, 180)}),
        ("staff_groups.early.on_call.from", "08:00", {"staff_groups__early__on_call__from_min": 60}),
        ("penalty.staff_overtime", "1", {"penalty__staff_overtime": 1.0}),
        ("penalty.idle_rule", "every_pair", {"penalty__idle_rule": "every_pair"}),
        ("hours.end", "22:00", {"hours__end_min": 900}),
    ],
)
def test_values_are_read_as_typed(path: str, text: str, expected: dict[str, object]) -> None:
    """A field has its path in the file, and a typed value sets exactly it; clock times are those of the file."""
    assert set_field(MRI, path, text) == MRI.replace(**expected)


def test_another_opening_keeps_every_clock_time() -> None:
    """A lab that opens earlier keeps all clock times, but for shifts that begin at opening; opening back is the lab."""
    for name in PRESETS:
        config = general(name)
        early = changed(config, {"hours.opening": config.hours.opening_min - 45})
        for path, field in general_fields(config).items():
            if path == "hours.opening" or field.own(config) == config.hours.opening_min:
                assert field.own(early) == config.hours.opening_min - 45, (name, path)
            else:
                assert field.own(early) == field.own(config), (name, path)
        assert changed(early, {"hours.opening": config.hours.opening_min}) == config


def test_thinned_books_keep_the_places_of_the_others() -> None:
    """Appointments that are left out leave an empty place, and repeated ones come last."""
    own = MRI.exam_types["neuro"].appointments
    fewer = set_field(MRI, "exam_types.neuro.per_day", "7").exam_types["neuro"].appointments
    assert len(fewer) == len(own)
    assert sum(time is not None for time in fewer) == 7
    assert all(time in (None, kept) for time, kept in zip(fewer, own, strict=True))
    more = set_field(MRI, "exam_types.neuro.per_day", "12").exam_types["neuro"].appointments
    assert more[: len(own)] == own
    assert len(more) == 12
    assert with_count((90, None, 30), 1, "x") == (90, None, None)


def test_walk_ins_are_scaled() -> None:
    """A scale multiplies the expected numbers of every hour."""
    config = general("walk_in_clinic")
    twice = set_field(config, "exam_types.walk_in.unscheduled_scale", "2")
    own, scaled = (lab.exam_types["walk_in"].unscheduled for lab in (config, twice))
    assert scaled == {minute: 2 * number for minute, number in own.items()}


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("room_groups.magnet.count=1", "did you mean room_groups.magnets.count?"),
        ("staff_groups.late.shfit.until=14:00", "did you mean staff_groups.late.shift.until?"),
        ("staff_groups.late.breaks.minutes=10", "cannot be swept, because the lab has no staff_groups.late.breaks"),
        ("exam_types.neuro.weight=0", "exam_types.neuro.weight is 0, but must be a whole number from 1 to 100"),
        ("exam_types.neuro.weight=x", "exam_types.neuro.weight has 'x', but must be a whole number"),
        ("exam_types.neuro=3", "exam_types.neuro is a section of the lab, not a field; it has exam_types.neuro.app"),
        ("exam_types.neuro.per_day=-1", "exam_types.neuro.per_day is -1, but must be a whole number from 0 to 999"),
        ("room_groups.magnets.count=0", "exam_types.body could never be examined"),
        ("staff_groups.early.shift.until=06:00", "has 06:00, which is before the lab opens at 07:00"),
        ("hours.opening=08:00", "exam_types.neuro has a time before the new opening"),
        ("rooms.fetal=2", "rooms.fetal is no field of the lab that can be swept: there are fields of hours, exam_ty"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(wanted: str, message: str) -> None:
    """Unknown fields, sections that the lab does not have and invalid values are refused in one sentence."""
    with pytest.raises(ConfigError) as caught:
        make_sweep(MRI, [wanted])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_cells_are_named_in_words() -> None:
    """Moves of a book are named by their clock times, and equal times in other places are not the lab's own."""
    book = " ".join(["08:00", "10:00", "12:00", "14:00", "16:00", "18:00"]).replace(" ", ",")
    moved, other = book.replace("18:00", "17:00"), "10:00,08:00" + book.removeprefix("08:00,10:00")
    sweep = make_sweep(MRI, [f"exam_types.body.appointments=[{moved}],[{other}]"])
    path = "exam_types.body.appointments"
    assert [sweep.name(cell) for cell in sweep.cells[1:]] == [f"{path}=18:00 -> 17:00", f"{path}=in another order"]
    (axis,) = make_sweep(MRI, ["staff_groups.early.shift.until=14:00,16:00"]).axes
    assert [axis.label(value) for value in (*axis.values, axis.own)] == ["14:00", "16:00", "15:00"]
    assert axis.field.meaning == "early: when the shift ends"


def test_a_sweep_is_played_printed_and_written(tmp_path: Path) -> None:
    """A sweep of a lab with three types runs, resumes from its cache, and is written with the paths of its fields."""
    pytest.importorskip("rich")
    from rich.console import Console

    from echo_env.lab.sweep.tables import print_sweep

    sweep = make_sweep(MRI, ["room_groups.magnets.count=1,2", "exam_types.body.weight=1,3"], "one_at_a_time")
    tasks = tasks_of(sweep, lambda lab: [make_policy("policy_2", lab)], 3, 1, "simpy")
    results = play_sweep(sweep, tasks, Player(3, 1, tmp_path), 1)
    wait = [results.mean(cell, "policy_2", "wait_min").mean for cell in sweep.along(sweep.axes[0])]
    assert wait[1] < wait[0]
    again = play_sweep(sweep, tasks, Player(3, 1, tmp_path), 1)
    assert again.mean(sweep.cells[1], "policy_2", "penalty") == results.mean(sweep.cells[1], "policy_2", "penalty")
    report.write_long(tmp_path, results)
    head = (tmp_path / report.LONG).read_text().splitlines()[0]
    assert "room_groups.magnets.count,exam_types.body.weight" in head
    content = report.summary(results, "mri_unit", ["penalty"])
    assert json.loads(json.dumps(content["lab"])) == json.loads(json.dumps(asdict(MRI)))
    file = io.StringIO()
    print_sweep(results, ["penalty"], "3 days", Console(file=file, width=100))
    assert "magnets: number of rooms." in file.getvalue()
    assert max(map(len, file.getvalue().splitlines())) <= 100
