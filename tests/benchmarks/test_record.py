"""Rows of measurements: their columns, and the commit that they name."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import record


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the rows, in a repository with one commit of a script and a row."""
    own = tmp_path / "benchmarks"
    own.mkdir()
    for name in ("rows.csv", "script.py"):
        (own / name).write_text("first\n", encoding="utf8")
    who = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
    for command in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "first"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    monkeypatch.setattr(record, "FOLDER", own)
    record.commit.cache_clear()
    yield own
    record.commit.cache_clear()


def test_rows_do_not_make_a_commit_dirty(folder: Path) -> None:
    """The commit has a plus sign if a script differs from it, and none if only rows were added."""
    (folder / "rows.csv").write_text("second\n", encoding="utf8")
    clean = record.commit()
    assert clean
    assert not clean.endswith("+")
    record.commit.cache_clear()
    (folder / "script.py").write_text("second\n", encoding="utf8")
    assert record.commit() == clean + "+"


def test_a_row_of_other_columns_is_refused(folder: Path) -> None:
    """A row is appended under its own columns only; a file with others stays as it is."""
    record.append_row("new", {"days": 3, "wait": 1.5})
    record.append_row("new", {"days": 4, "wait": 2.5})
    before = (folder / "new.csv").read_text(encoding="utf8")
    assert [row["wait"] for row in record.read_rows("new")] == ["1.5", "2.5"]
    with pytest.raises(ValueError, match=r"new\.csv has other columns than the row"):
        record.append_row("new", {"days": 4, "minutes": 2.5})
    assert (folder / "new.csv").read_text(encoding="utf8") == before
