"""kills.py: its plan, and that its checks can fail."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch as th

from benchmarks.kill_checks import differing, lost, read_files, temporaries, unreadable
from benchmarks.kills import COMMANDS, PLAN, Ended, not_taken, wrong_end


def model(weight: float, steps: int = 5) -> bytes:
    """A model's zip with a single weight."""
    weights, file = io.BytesIO(), io.BytesIO()
    th.save({"layer.weight": th.tensor([weight])}, weights)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("policy.pth", weights.getvalue())
        archive.writestr("data", json.dumps({"num_timesteps": steps}))
    return file.getvalue()


def arrays(**named: float) -> bytes:
    """An .npz file."""
    file = io.BytesIO()
    np.savez(file, **{name: np.array(value) for name, value in named.items()})
    return file.getvalue()


WHOLE = {
    "summary.json": b'{"days": 3}',
    "lab.yaml": b"base: scarce\n",
    "days.csv": b"day,penalty\n0,12\n1,13\n",
    "best_model.zip": model(1.0),
    "evaluations.npz": arrays(results=1.0),
    "figure.pdf": b"%PDF-1.4\n/CreationDate (D:2026)\n%%EOF\n",
}


def test_the_plan_has_thirty_kills_of_every_kind() -> None:
    """30 kills with three signals over every command, 10 of them or more aimed at saves."""
    assert len(PLAN) == 30
    assert sum(kill.save > 0 for kill in PLAN) == 10
    assert {kill.signal for kill in PLAN} == {"KILL", "TERM", "INT"}
    assert {kill.command for kill in PLAN} == set(COMMANDS)


def test_whole_files_pass() -> None:
    """Files that are whole are neither unreadable, nor lost, nor differing."""
    assert unreadable(WHOLE) == []
    assert lost(WHOLE, WHOLE, WHOLE) == []
    assert differing(WHOLE, WHOLE) == []


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("share", [0.0, 0.5, 0.95])
def test_half_files_are_noticed(name: str, share: float) -> None:
    """A file that is cut off is unreadable, and the earlier one is lost."""
    if (name, share) in {("lab.yaml", 0.95)}:
        pytest.skip("without the line's end it is the same YAML")
    broken = {**WHOLE, name: WHOLE[name][: int(len(WHOLE[name]) * share)]}
    if (name, share) != ("lab.yaml", 0.5):
        assert unreadable(broken) != []
    assert len(lost(WHOLE, broken, WHOLE)) == 1


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("summary.json", b'{"days": 4}'),
        ("best_model.zip", model(2.0)),
        ("best_model.zip", model(1.0, steps=6)),
        ("evaluations.npz", arrays(results=2.0)),
    ],
)
def test_other_results_are_noticed(name: str, other: bytes) -> None:
    """A result other than the undisturbed run's differs, and is neither the earlier nor the new one."""
    assert len(differing({**WHOLE, name: other}, WHOLE)) == 1
    assert len(lost(WHOLE, {**WHOLE, name: other}, WHOLE)) == 1


def test_a_missing_file_is_noticed() -> None:
    """A file that is gone is lost, and differs."""
    after = {name: content for name, content in WHOLE.items() if name != "best_model.zip"}
    assert lost(WHOLE, after, WHOLE) == ["best_model.zip is lost"]
    assert differing(after, WHOLE) == ["best_model.zip is missing"]


def test_what_no_two_runs_have_in_common_is_left_out() -> None:
    """Times in PDFs and in the names of TensorBoard's logs make no difference."""
    later = {**WHOLE, "figure.pdf": WHOLE["figure.pdf"].replace(b"2026", b"2027"), "events.out.tfevents.2": b"x"}
    assert differing(later, {**WHOLE, "events.out.tfevents.1": b"y"}) == []


def test_temporary_files_are_found_and_not_read(tmp_path: Path) -> None:
    """Files under temporary names are left behind, and no results."""
    for name in (".best_model.zip.saving-a1b2c3d4", ".out.echo-lab-a1b2c3d4", "best_model.zip", ".echo-lab"):
        (tmp_path / name).write_bytes(b"x")
    assert {path.name for path in temporaries(tmp_path)} == {
        ".best_model.zip.saving-a1b2c3d4",
        ".out.echo-lab-a1b2c3d4",
    }
    assert set(read_files(tmp_path)) == {"best_model.zip", ".echo-lab"}


@pytest.mark.parametrize(
    ("name", "ended", "faults"),
    [
        ("KILL", Ended(-9, "after 1 s", "", 0, 0.1), 0),
        ("KILL", Ended(-9, "after 1 s", "", 2, 0.1), 1),
        ("TERM", Ended(0, "after 1 s", "", 0, 0.1), 1),
        ("INT", Ended(130, "after 1 s", "bar\ninterrupted\n", 0, 0.1), 0),
        ("INT", Ended(130, "after 1 s", "Traceback\ninterrupted\n", 0, 0.1), 1),
        ("INT", Ended(130, "after 1 s", "", 0, 0.1), 1),
        ("INT", Ended(-2, "after 1 s", "KeyboardInterrupt", 0, 0.1), 2),
    ],
)
def test_a_wrong_end_is_noticed(name: str, ended: Ended, faults: int) -> None:
    """Exit status, what Ctrl-C says, and processes that are left alive are checked."""
    assert len(wrong_end(name, ended)) == faults


def test_cells_that_are_played_again_are_noticed() -> None:
    """A sweep takes as many results as were complete."""
    files = {"out/cells/a.csv": b"", "out/cells/b.csv": b"", "out/sweep.csv": b""}
    assert not_taken(files, "2 of 8 results are taken from out/cells") == []
    assert len(not_taken(files, "1 of 8 results are taken from out/cells")) == 1
    assert len(not_taken(files, "")) == 1
