"""The console script echo-lab and its subcommands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import evaluate
from echo_env.commands.app import main


def test_help_names_every_subcommand(capsys: pytest.CaptureFixture[str]) -> None:
    """Without arguments, and with --help, the subcommands are listed."""
    for tokens in ([], ["--help"]):
        assert main(tokens) == 0
        printed = capsys.readouterr().out
        for name in ("calibrate", "evaluate", "paper", "schema", "sweep", "train"):
            assert f"│ {name} " in printed


@pytest.mark.parametrize("name", ["calibrate", "evaluate", "paper", "schema"])
def test_subcommands_have_a_help_of_their_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """--help after a subcommand is that subcommand's."""
    assert main([name, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: echo-lab {name}")


def test_unknown_subcommands_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The error names the subcommands."""
    assert main(["evalute"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert "evaluate" in error
    assert len(error.splitlines()) == 1


def test_evaluate_is_evaluate_py(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both give the same numbers and tables."""
    options = ["--policies", "policy_2", "fetal_first", "--days", "20", "--seed", "3", "--json"]
    assert main(["evaluate", *options, str(tmp_path / "a.json")]) == 0
    printed = capsys.readouterr().out
    assert evaluate.main([*options, str(tmp_path / "b.json")]) == 0
    assert capsys.readouterr().out == printed
    assert (tmp_path / "a.json").read_text() == (tmp_path / "b.json").read_text()
    assert json.loads((tmp_path / "a.json").read_text())["seed"] == 3


def test_sweep_takes_the_fields_first(capsys: pytest.CaptureFixture[str]) -> None:
    """echo-lab sweep FIELDS is echo-lab evaluate --sweep FIELDS."""
    options = ["rooms.non_fetal=3:4", "--policies", "policy_2", "--days", "3"]
    assert main(["sweep", *options]) == 0
    printed = capsys.readouterr().out
    assert "what matters most" in printed
    assert main(["evaluate", "--sweep", *options]) == 0
    assert capsys.readouterr().out == printed
    assert main(["sweep", "--days", "3"]) == 2
    assert "--sweep requires at least 1" in capsys.readouterr().err


def test_train_and_calibrate_are_reached(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Their own refusals come through with status 2."""
    pytest.importorskip("rl_zoo3")
    import train  # noqa: F401  # provides the plug-in where the package is not installed

    assert main(["train", "--env", "EchoLabScarse-v0"]) == 2
    assert capsys.readouterr().err.startswith("echo-lab train: Unknown environment 'EchoLabScarse-v0'")
    assert main(["calibrate", str(tmp_path / "none.xlsx"), "--output", str(tmp_path / "lab.yaml")]) == 2
    assert "none.xlsx: No such file or directory" in capsys.readouterr().err


def test_schema_is_a_json_schema(capsys: pytest.CaptureFixture[str]) -> None:
    """It describes the fields of a lab in either form, and of pathways."""
    assert main(["schema"]) == 0
    lab = json.loads(capsys.readouterr().out)
    assert "room_groups" in lab["then"]["properties"]
    assert "rooms" in lab["else"]["properties"]
    assert main(["schema", "--of", "pathways"]) == 0
    assert "resources" in json.loads(capsys.readouterr().out)["properties"]
    assert main(["schema", "--of", "cats"]) == 2
    assert capsys.readouterr().err == "error: --of is 'cats', but must be lab or pathways\n"
