"""The folder in which the app works."""

from __future__ import annotations

from pathlib import Path

import pytest

from echo_env.app.workspace import Workspace, safe_name
from echo_env.lab.config.file import preset_names


def test_labs_are_those_of_the_folder_and_the_presets(tmp_path: Path) -> None:
    """A file with days has a lab for each, and a map of columns is no lab."""
    (tmp_path / "mine.yaml").write_text("base: scarce\nname: mine\n")
    (tmp_path / "week.yaml").write_text("base: scarce\nname: week\ndays: {monday: {}, friday: {}}\n")
    (tmp_path / "columns.yaml").write_text("begin: Start\n")
    (tmp_path / "broken.yaml").write_text("base: [\n")
    labs = Workspace(tmp_path).labs()
    assert set(labs.values()) == {"mine.yaml", "week.yaml#monday", "week.yaml#friday", *preset_names()}


def test_a_lab_is_read_from_the_folder_or_is_a_preset(tmp_path: Path) -> None:
    """Whatever folder the server runs in."""
    space = Workspace(tmp_path)
    assert space.source("scarce") == "scarce"
    assert space.source("week.yaml#monday") == f"{tmp_path}/week.yaml#monday"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("week.xlsx", "week.xlsx"),
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\Woche 12 (neu).XLSX", "Woche_12_neu.XLSX"),
        (".hidden.csv", "hidden.csv"),
        ("--output=x.csv", "output_x.csv"),
        ("...", "file."),
        ("Jänner.ods", "Jänner.ods"),
    ],
)
def test_names_of_files_that_are_put_in_are_made_safe(name: str, kept: str, tmp_path: Path) -> None:
    """They stay in the folder, and no command takes one for an option."""
    assert safe_name(name) == kept
    assert Workspace(tmp_path).keep(name, b"x").parent == tmp_path


def test_a_file_that_is_put_in_takes_the_place_of_no_other(tmp_path: Path) -> None:
    """Another one of its name stays; the same once more is the same file."""
    space = Workspace(tmp_path)
    (tmp_path / "week.xlsx").write_bytes(b"my own")
    assert space.keep("week.xlsx", b"another").name == "week_2.xlsx"
    assert space.keep("week.xlsx", b"another").name == "week_2.xlsx"
    assert space.keep("week.xlsx", b"a third").name == "week_3.xlsx"
    assert (tmp_path / "week.xlsx").read_bytes() == b"my own"


def test_the_record_is_the_one_that_was_put_in_last(tmp_path: Path) -> None:
    """Boards and hidden files are none."""
    space = Workspace(tmp_path)
    for name in ("board_scarce.csv", ".calibrate.csv", "lab.yaml"):
        (tmp_path / name).write_text("x")
    assert space.record() is None
    assert space.keep("week.xlsx", b"x") == space.record()
