"""The command ``python -m echo_env.calibrate``: its files, its errors, and all-or-nothing output."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("rich")

from hospital_sheets import HEADERS, NOTES, made_up_visits

from echo_env import calibrate
from echo_env.commands import calibrate as calibrate_command
from echo_env.common.files import files_in
from echo_env.lab import load_lab
from echo_env.lab.calibration.report import folder as report_folder

Write = Callable[..., Path]

QUICK = ("--resamples", "20", "--days", "0")


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    path = tmp_path_factory.mktemp("run")
    monkeypatch.chdir(path)
    return path


def test_a_lab_and_a_report(made_up_week: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command writes a loadable lab and a report, and replaces both when run again."""
    arguments = [
        str(made_up_week),
        "--output",
        "labs/my_lab.yaml",
        "--report",
        "report",
        "--resamples",
        "20",
        "--days",
        "0",
    ]
    assert calibrate.main(arguments) == 0
    assert load_lab("labs/my_lab.yaml").name == "my_lab"
    assert {"labs/my_lab.yaml", "report/report.md", "report/exam_lengths.png"} <= files_in(folder)
    assert "report: report" in capsys.readouterr().out
    first = (folder / "labs/my_lab.yaml").read_text()
    assert "# command: python -m echo_env.calibrate " in first
    # Once more, in place of both.
    assert calibrate.main([*arguments, "--arrival", "empirical", "--exams", "by_kind", "--name", "ours"]) == 0
    again = load_lab("labs/my_lab.yaml")
    assert (again.name, again.arrival.model) == ("ours", "empirical")
    assert all(kind.exam.mean_min is not None for kind in again.exam_types.values())
    assert {"labs/my_lab.uncertainty.json", "report/report.md"} <= files_in(folder)


def test_without_a_report(made_up_week: Path, folder: Path) -> None:
    """Without ``--report`` the lab is the only file written."""
    assert calibrate.main([str(made_up_week), "--output", "lab.yaml", "--day", "Monday (Nov 27)", *QUICK]) == 0
    assert files_in(folder) == {"lab.yaml", "lab.uncertainty.json"}
    assert sum(len(kind.appointments) for kind in load_lab("lab.yaml").exam_types.values()) == 32


def bad_files(folder: Path, write_sheets: Write) -> dict[str, str]:
    """Name of a bad input file -> its error message."""
    (folder / "empty.xlsx").write_bytes(b"")
    (folder / "text.xlsx").write_text("patient, time\n")
    (folder / "folder.xlsx").mkdir()
    visits = made_up_visits(32, 1)
    no_out: list[Any] = list(HEADERS)
    no_out[14] = no_out[15] = None
    workbooks = {
        "no_column.xlsx": write_sheets({"Monday (Nov 27)": visits}, no_out).read_bytes(),
        "no_day.xlsx": write_sheets({}, notes=NOTES).read_bytes(),
        "no_fetal_room.xlsx": write_sheets({"Monday": visits}, notes=["6 regular rooms", "0 fetal rooms"]).read_bytes(),
        "few.xlsx": write_sheets({"Monday": visits[:5]}).read_bytes(),
    }
    for name, content in workbooks.items():
        (folder / name).write_bytes(content)
    return {
        "empty.xlsx": "empty.xlsx is empty, but must be an Excel workbook (.xlsx, .xls)",
        "text.xlsx": "text.xlsx cannot be read as an Excel workbook (.xlsx, .xls)",
        "folder.xlsx": "folder.xlsx: Is a directory",
        "nowhere.xlsx": "nowhere.xlsx: No such file or directory",
        "no_column.xlsx": "no_column.xlsx: sheet 'Monday (Nov 27)' has no column for end of the exam",
        "no_day.xlsx": "no_day.xlsx has no sheet with visits",
        "no_fetal_room.xlsx": "fetal could never be examined",
        "few.xlsx": "few.xlsx has 5 usable exams",
    }


def test_bad_files_are_one_sentence_and_exit_code_2(
    folder: Path, write_sheets: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bad input file gives a one-line error and exit status 2, and nothing is written."""
    expected = bad_files(folder, write_sheets)
    before = files_in(folder)
    for name, message in expected.items():
        assert calibrate.main([name, "--output", "lab.yaml", "--report", "report"]) == 2, name
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith("error: ")
        assert message in printed.err
        assert len(printed.err.splitlines()) == 1
    assert files_in(folder) == before
    assert not (folder / "report").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--output", "mine.yaml"], "mine.yaml is in the way"),
        (["--output", "ours.yaml"], "ours.uncertainty.json is in the way, because it was not written by an earlier"),
        (["--output", ""], "--output is empty, but must be a file"),
        (["--output", "mine"], "--output mine is a folder, but must be a regular file"),
        (["--output", "mine.yaml", "--base", "mine.yaml"], "--output mine.yaml is also --base"),
        (["--output", "lab.yaml", "--report", ""], "--report is empty, but must be a folder"),
        (["--output", "scarce"], "scarce is the name of a preset"),
        (["--output", "lab.yaml", "--report", "mine"], "mine holds report.md, written by no run of this version"),
        (["--output", "new/lab.yaml", "--report", "new"], "--output new/lab.yaml lies in --report new"),
        (["--output", "lab.yaml", "--day", "Sunday"], "day is 'Sunday', but must be a day with appointments"),
        (["--output", "lab.yaml", "--exams", "each"], "exams is 'each', but must be one of pooled, by_type"),
        (["--output", "lab.yaml", "--base", "nowhere"], "config 'nowhere' is neither a file nor a preset"),
        (["--output", "lab.yaml", "--resamples", "3"], "resamples is 3"),
        (["--output", "lab.yaml", "--resamples", "999999999999"], "of at least 20 and at most 100,000"),
        (["--output", "lab.yaml", "--name", ""], "--name is '', but must be a name"),
    ],
)
def test_invalid_arguments_are_refused(
    made_up_week: Path, folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """Invalid arguments are refused in one sentence before anything is fitted or written."""
    (folder / "mine.yaml").write_text("base: baseline\n")
    (folder / "ours.uncertainty.json").write_text("{}")
    (folder / "mine").mkdir()
    (folder / "mine" / "report.md").write_text("mine")
    before = files_in(folder)
    assert calibrate.main([str(made_up_week), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1
    assert files_in(folder) == before


@pytest.mark.parametrize("failing", ["write_report", "lab_text"])
def test_nothing_is_left_of_what_failed(
    made_up_week: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """If the lab or the report cannot be written, neither is."""

    def fail(*_: object) -> None:
        raise OSError("disk full")

    module: Any = report_folder if failing == "write_report" else calibrate_command
    monkeypatch.setattr(module, failing, fail)
    arguments = [str(made_up_week), "--output", "lab.yaml", "--report", "report", *QUICK]
    assert calibrate.main(arguments) == 2
    assert files_in(folder) == set()


def test_nothing_is_left_if_the_lab_cannot_be_put_in_place(
    made_up_week: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report is taken back if the last rename, that of the lab, fails."""
    real = os.replace

    def replace(source: Path, target: Path) -> None:
        if Path(target).name == "lab.yaml":
            raise OSError("disk full")
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    arguments = [str(made_up_week), "--output", "lab.yaml", "--report", "report", *QUICK]
    assert calibrate.main(arguments) == 2
    assert "disk full" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_the_lab_goes_to_standard_output(made_up_week: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--output -`` prints the lab alone; the summary goes to standard error."""
    assert calibrate.main([str(made_up_week), "--output", "-", *QUICK]) == 0
    printed = capsys.readouterr()
    assert "no-show rate" in printed.err
    assert list(folder.iterdir()) == []
    (folder / "lab.yaml").write_text(printed.out)
    assert load_lab("lab.yaml").name == made_up_week.stem


def test_what_is_missing_is_named(
    made_up_week: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing package is reported with the ``pip install`` command for it."""
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    assert calibrate.main([str(made_up_week), "--output", "lab.yaml"]) == 2
    assert capsys.readouterr().err == "error: openpyxl is missing: pip install 'echo-lab-rl[calibrate]'\n"


def test_the_module_is_a_command(folder: Path) -> None:
    """``python -m echo_env.calibrate`` runs and returns exit status 2 after an error."""
    command = [sys.executable, "-m", "echo_env.calibrate", "nowhere.xlsx", "--output", "lab.yaml"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: nowhere.xlsx: No such file or directory\n"
