"""Lab files with other values, as forms ask for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from echo_env.app.asked import Asked, asked_fields
from echo_env.app.editing import edited_text, lab_of, read, written
from echo_env.lab import load_lab
from echo_env.lab.config import ConfigError

LABS = ("baseline", "scarce", "echo_week", "mri_unit", "walk_in_clinic")


def asked_of(lab: str) -> dict[str, Asked]:
    """Path -> field of a lab."""
    return {asked.field.path: asked for asked in asked_fields(load_lab(lab))}


@pytest.mark.parametrize("lab", LABS)
def test_what_a_form_shows_reads_back_as_the_lab(lab: str) -> None:
    """All values written into a file, as the form shows them, make the same lab."""
    config = load_lab(lab)
    fields = [asked for asked in asked_of(lab).values() if not asked.field.derived]
    changes = {asked.field.path: read(asked, written(asked, config)) for asked in fields if written(asked, config)}
    assert lab_of(edited_text(lab, config.name, changes)).plan == config.plan


@pytest.mark.parametrize("lab", LABS)
def test_every_heading_of_a_lab_is_asked_for(lab: str) -> None:
    """Hours, rooms, staff, exams, patients, appointments and penalty."""
    sections = {asked.section for asked in asked_of(lab).values()}
    assert len(sections) == 7


def test_one_value_is_changed_and_comments_stay(tmp_path: Path) -> None:
    """A file keeps its text but for the value and the name."""
    file = tmp_path / "mine.yaml"
    file.write_text("base: scarce # few rooms\nname: mine\nrooms: {fetal: 1, non_fetal: 3} # until June\n")
    text = edited_text(str(file), "ours", {"rooms.non_fetal": 4})
    assert text == "base: scarce # few rooms\nname: ours\nrooms: {fetal: 1, non_fetal: 4} # until June\n"


def test_times_of_a_book_are_words_with_spaces_between_them() -> None:
    """As they are typed, on several lines too."""
    field = asked_of("scarce")["appointments.fetal"]
    assert read(field, "08:00 08:15\n09:00") == ["08:00", "08:15", "09:00"]
    with pytest.raises(ConfigError, match=r"appointments\.fetal has .*8 o'clock.*, but must be a list of clock"):
        read(field, "8 o'clock")


def test_a_value_that_cannot_be_is_named() -> None:
    """By its field and what is allowed."""
    with pytest.raises(ConfigError, match=r"rooms\.fetal .*-1.*must be"):
        lab_of(edited_text("scarce", "mine", {"rooms.fetal": -1}))


def test_a_day_of_a_file_is_changed_alone(tmp_path: Path) -> None:
    """The other days stay as they are."""
    file = tmp_path / "week.yaml"
    file.write_text("base: scarce\nname: week\ndays:\n  monday: {}\n  friday: {}\n")
    (tmp_path / "changed.yaml").write_text(edited_text(f"{file}#friday", "week", {"rooms.non_fetal": 5}))
    assert load_lab(tmp_path / "changed.yaml#monday").plan == load_lab("scarce").plan
    assert load_lab(tmp_path / "changed.yaml#friday").plan.room_groups[1].count == 5
