"""Commands that run beside the pages."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from echo_env.app.jobs import Job, State

SECONDS = 120


def ended(job: Job) -> State:
    """How a command ends."""
    until = time.monotonic() + SECONDS
    while job.state is State.RUNNING:
        assert time.monotonic() < until
        time.sleep(0.05)
    return job.state


def test_a_file_that_was_there_before_is_no_result_and_stays(tmp_path: Path) -> None:
    """A command that refuses to write over it leaves it as it was."""
    old = tmp_path / "board.csv"
    old.write_text("of yesterday")
    job = Job("template", ["template", "board.csv", "--board", "scarce"], tmp_path, ["board.csv"])
    assert ended(job) is State.FAILED
    assert job.results == []
    assert old.read_text() == "of yesterday"


def test_a_command_runs_in_the_folder_and_its_results_are_there(tmp_path: Path) -> None:
    """File names are relative to the folder."""
    job = Job("template", ["template", "board.csv", "--board", "scarce"], tmp_path, ["board.csv"])
    assert ended(job) is State.DONE
    assert job.results == [tmp_path / "board.csv"]
    assert job.results[0].read_text(encoding="utf8").startswith("# The board of scarce")
    assert job.printed == "template: board.csv\n"
    assert job.command == "echo-lab template board.csv --board scarce"


def test_a_command_that_fails_says_why_in_its_sentence(tmp_path: Path) -> None:
    """The page shows the sentence without the word error before it."""
    job = Job("compare", ["evaluate", "--days", "-3"], tmp_path)
    assert ended(job) is State.FAILED
    assert job.error == "days is -3, but must be at least 1 and at most 10,000,000"


def test_progress_is_told_while_a_command_runs(tmp_path: Path) -> None:
    """The last that a finished command told is that all is done."""
    pytest.importorskip("numba")
    job = Job(
        "compare", ["evaluate", "--policies", "policy_1", "policy_2", "--days", "8", "--engine", "simpy"], tmp_path
    )
    assert ended(job) is State.DONE
    assert job.progress is not None
    assert job.progress == ("days", 16, 16)


def test_a_command_can_be_stopped(tmp_path: Path) -> None:
    """Asked once it stops as after Ctrl-C, and leaves nothing of what it was to write."""
    job = Job(
        "compare", ["evaluate", "--days", "90000", "--engine", "simpy", "--json", "all.json"], tmp_path, ["all.json"]
    )
    until = time.monotonic() + SECONDS
    while job.progress is None:
        assert time.monotonic() < until
        assert job.state is State.RUNNING, job.error
        time.sleep(0.05)
    job.stop()
    assert ended(job) is State.STOPPED
    assert not (tmp_path / "all.json").exists()
