"""Presets, files, and errors that name the field."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from echo_env.common.config_file import read_layers
from echo_env.lab import ConfigError, LabConfig
from echo_env.lab.config import preset_names


def test_presets_hold_the_papers_numbers() -> None:
    """The presets hold the numbers of the paper and of its published code."""
    assert preset_names() == [
        "abundant", "authors_code", "baseline", "echo_week", "mri_unit", "scarce", "walk_in_clinic"
    ]  # fmt: skip
    base, scarce, abundant, authors = (LabConfig.load(n) for n in ("baseline", "scarce", "abundant", "authors_code"))
    assert (base.rooms.fetal, base.rooms.non_fetal, base.sonographers.fetal, base.sonographers.non_fetal) == (
        1,
        6,
        4,
        2,
    )
    assert (scarce.rooms.total, scarce.sonographers.total) == (4, 3)
    assert (base.arrival.no_show_rate, base.arrival.late_share, base.arrival.late_mean_min) == (0.1, 0.8, 10)
    assert (base.exam.shape, base.exam.mean_min, base.exam.shortest_min, base.exam.longest_min) == (12, 45, 20, 150)
    assert (base.penalty.on_time, base.penalty.late, base.penalty.overtime, base.penalty.idle) == (4, 2, 10, 1)
    assert base.penalty.idle_rule == "every_pair"
    assert (base.hours.closing_min, base.hours.end_min, base.hours.clock(15)) == (540, 660, "08:15")
    assert (authors.arrival.late_mean_min, authors.exam.shape, authors.penalty.idle_rule) == (20, 10, "while_waiting")
    assert abundant.penalty.idle_rule == "none"
    assert len(abundant.sonographers.never_absent) == abundant.sonographers.total > len(abundant.appointments)
    assert base.sonographers.never_absent == (0, 4)


def write(tmp_path: Path, text: str) -> Path:
    """A config file."""
    path = tmp_path / "lab.yaml"
    path.write_text(text)
    return path


def test_base_inherits_and_overrides(tmp_path: Path) -> None:
    """A file overrides the fields that it names and inherits all others from its base."""
    config = LabConfig.load(
        write(tmp_path, "base: scarce\nname: mine\nrooms: {non_fetal: 4}\nappointments: {fetal: ['09:00', 10:30]}")
    )
    assert (config.name, config.rooms.fetal, config.rooms.non_fetal) == ("mine", 1, 4)
    assert config.appointments.fetal == (60, 150)
    assert config.appointments.non_fetal == LabConfig.load("baseline").appointments.non_fetal


def test_a_complete_file_needs_no_base(tmp_path: Path) -> None:
    """A file that holds every field loads without a base."""
    raw = read_layers("echo_env.lab", "baseline").data
    assert LabConfig.load(write(tmp_path, yaml.safe_dump(raw))) == LabConfig.load("baseline")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("base: baseline\nroms: {fetal: 1}", "roms is no known field (did you mean rooms?)"),
        ("base: baseline\nrooms: {fetl: 1}", "rooms.fetl is no known field (did you mean rooms.fetal?)"),
        ("base: baseline\nrooms: 3", "rooms is 3, but must be a section"),
        ("base: baseline\nrooms: {fetal: one}", "rooms.fetal is 'one', but must be a whole number from 0 to 999"),
        ("base: baseline\nrooms: {fetal: 1.5}", "rooms.fetal is 1.5"),
        ("base: baseline\nrooms: {fetal: true}", "rooms.fetal is True"),
        ("base: baseline\nrooms: {fetal: -1}", "rooms.fetal is -1"),
        ("base: baseline\nrooms: {fetal: 0}", "no fetal patient could ever be examined"),
        (
            "base: baseline\narrival: {no_show_rate: 1.2}",
            "arrival.no_show_rate is 1.2, but must be a number from 0 to 1",
        ),
        ("base: baseline\narrival: {late_mean_min: .nan}", "arrival.late_mean_min is nan"),
        ("base: baseline\nexam: {longest_min: 10}", "exam.longest_min is 10, but must be above"),
        ("base: baseline\nbreaks: {one_probability: 0.9}", "breaks.one_probability is 0.9"),
        ("base: baseline\npenalty: {idle_rule: always}", "must be one of every_pair, while_waiting, none"),
        ("base: baseline\nhours: {closing: noon}", "hours.closing is 'noon', but must be a clock time"),
        ("base: baseline\nappointments: {fetal: ['07:00']}", "'07:00', which is before the lab opens"),
        ("base: baseline\nappointments: {fetal: ['18:00']}", "one at 18:00, but the lab closes at 17:00"),
        ("base: baseline\nappointments: {fetal: [], non_fetal: []}", "must have at least one"),
        ("base: nowhere", "config 'nowhere' is neither a file nor a preset"),
        ("name: half", "hours"),
        ("hours: {opening: '08:00', closing: '17:00', end: '19:00'}\nname: half", "appointments is missing"),
        ("- a\n- b", "must be a YAML mapping"),
        ("a: [", "is not valid YAML"),
    ],
)
def test_bad_files_are_refused_in_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    """Each wrong file is refused in one sentence that names the field."""
    with pytest.raises(ConfigError, match=re.escape(message) if message != "hours" else "missing") as caught:
        LabConfig.load(write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_unknown_preset_names_the_nearest() -> None:
    """An unknown preset is reported with the nearest name and all names."""
    with pytest.raises(ConfigError, match=r"neither a file nor a preset \(did you mean baseline\?\).*abundant"):
        LabConfig.load("basline")


def test_a_file_that_inherits_from_itself_is_refused(tmp_path: Path) -> None:
    """A circle of bases is refused."""
    path = tmp_path / "lab.yaml"
    path.write_text(f"base: {path}\n")
    with pytest.raises(ConfigError, match="inherits from this config itself"):
        LabConfig.load(path)


def test_replace_names_unknown_fields() -> None:
    """Replacing an unknown field is refused."""
    config = LabConfig.load("baseline")
    assert config.replace(rooms__fetal=2, name="x").rooms.fetal == 2
    with pytest.raises(ConfigError, match=r"rooms\.fetl is no field"):
        config.replace(rooms__fetl=2)
    with pytest.raises(ConfigError, match="room is no field"):
        config.replace(room__fetal=2)


def test_a_file_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    """Thousands of brackets are one sentence, not a traceback of the parser."""
    path = tmp_path / "deep.yaml"
    path.write_text("[" * 5000, encoding="utf-8")
    with pytest.raises(ConfigError, match="is nested too deeply to be read"):
        LabConfig.load(path)
