"""Folders that appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from echo_env.common.files import check_replaceable, files_in, folder_written_whole


def ours(folder: Path) -> set[str]:
    """What tests write."""
    return {"a.txt", "below/b.txt"}


def fill(path: Path, text: str) -> None:
    """Write a folder of two files."""
    with folder_written_whole(path, ours) as folder:
        (folder / "below").mkdir()
        (folder / "a.txt").write_text(text)
        (folder / "below" / "b.txt").write_text(text)
        # Not yet there under its name.
        assert text not in [file.read_text() for file in path.glob("a.txt")]


def test_a_folder_is_new_or_replaced_whole(tmp_path: Path) -> None:
    """Files of two runs would stand side by side."""
    path = tmp_path / "new" / "results"
    for text in ("first", "second"):
        fill(path, text)
        assert files_in(path) == {"a.txt", "below/b.txt"}
        assert (path / "below" / "b.txt").read_text() == text
    assert [entry.name for entry in path.parent.iterdir()] == ["results"]
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o777 & ~umask


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_was_interrupted_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    """Half a folder would look like a result, or the last result be lost."""
    path = tmp_path / "new" / "results"

    def break_off() -> None:
        with folder_written_whole(path, ours) as folder:
            (folder / "a.txt").write_text("half")
            raise error

    with pytest.raises(error):
        break_off()
    assert not list(tmp_path.iterdir())
    fill(path, "whole")
    with pytest.raises(error):
        break_off()
    assert files_in(tmp_path) == {"new/results/a.txt", "new/results/below/b.txt"}
    assert (path / "a.txt").read_text() == "whole"


def test_what_is_not_ours_is_never_replaced(tmp_path: Path) -> None:
    """Somebody's notes, or home folder, would be deleted."""
    path = tmp_path / "results"
    fill(path, "ours")
    (path / "below" / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"results holds below/notes.txt, which was not written there by"):
        fill(path, "again")
    assert files_in(tmp_path) == {"results/a.txt", "results/below/b.txt", "results/below/notes.txt"}
    assert (path / "a.txt").read_text() == "ours"
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileExistsError, match="file is in the way, because it is not a folder"):
        check_replaceable(tmp_path / "file", ours)


def test_somebody_who_writes_there_meanwhile_is_noticed(tmp_path: Path) -> None:
    """What came after the first look would be deleted."""
    path = tmp_path / "results"

    def write_beside() -> None:
        with folder_written_whole(path, ours) as folder:
            (folder / "a.txt").write_text("ours")
            path.mkdir()
            (path / "notes.txt").write_text("mine")

    with pytest.raises(FileExistsError, match=r"notes\.txt"):
        write_beside()
    assert files_in(tmp_path) == {"results/notes.txt"}


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    """mkdir before the command would be an error."""
    (tmp_path / "results").mkdir()
    fill(tmp_path / "results", "x")
    assert files_in(tmp_path / "results") == {"a.txt", "below/b.txt"}


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would turn out only after all the work."""
    # To root, as whom tests may run, everything is allowed.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    with pytest.raises(PermissionError, match=r"results cannot be written, because .* is not yours to write in"):
        check_replaceable(tmp_path / "new" / "results", ours)
