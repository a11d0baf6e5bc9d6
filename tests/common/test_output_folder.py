"""Folders of results: only files of our own are replaced or removed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from echo_env.common.files import MARKER, check_folder, delivery, files_in
from echo_env.common.files import folder as folder_module
from echo_env.common.files.folder import read_marker

FILES = ["a.txt", "below/b.txt"]


def fill(path: Path, text: str, names: list[str] = FILES) -> None:
    """Write files with one text."""
    with delivery() as outputs:
        new = outputs.folder(path)
        for name in names:
            (new / name).parent.mkdir(exist_ok=True)
            (new / name).write_text(text)


def test_files_of_a_run_replace_those_of_an_earlier_one(tmp_path: Path) -> None:
    """A second run replaces the files, and removes those that it does not write with their empty subfolders."""
    path = tmp_path / "new" / "results"
    for text in ("first", "second"):
        fill(path, text)
        assert files_in(path) == {*FILES, MARKER}
        assert (path / "below" / "b.txt").read_text() == text
    assert [entry.name for entry in path.parent.iterdir()] == ["results"]
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o777 & ~umask
    fill(path, "third", ["a.txt"])
    assert {entry.name for entry in path.iterdir()} == {"a.txt", MARKER}
    assert set(read_marker(path)) == {"a.txt"}


def test_all_else_in_the_folder_stays(tmp_path: Path) -> None:
    """Files, empty and unreadable subfolders, FIFOs and links of others survive, and so does what was edited."""
    path = tmp_path / "results"
    fill(path, "first", [*FILES, "old.txt", "edited.txt"])
    (path / "edited.txt").write_text("my notes")
    (path / "below" / "mine.txt").write_text("mine")
    (path / "empty").mkdir()
    (path / "locked").mkdir()
    (path / "locked" / "secret.txt").write_text("mine")
    (path / "locked").chmod(0)
    os.mkfifo(path / "pipe")
    (path / "link").symlink_to("nowhere")
    (path / "summary.json").write_text(json.dumps({"files": ["below/mine.txt", "pipe", "link", "summary.json"]}))
    try:
        fill(path, "second", ["a.txt"])
    finally:
        (path / "locked").chmod(0o700)
    assert not (path / "old.txt").exists()
    assert (path / "a.txt").read_text() == "second"
    stays = {"below/mine.txt", "edited.txt", "locked/secret.txt", "link", "summary.json"}
    assert files_in(path) == {"a.txt", MARKER, *stays}
    assert (path / "pipe").is_fifo()
    assert list((path / "empty").iterdir()) == []
    assert (path / "edited.txt").read_text() == "my notes"


def put_file(path: Path) -> None:
    """A file where one of ours is to be."""
    path.joinpath("a.txt").write_text("mine")


def put_folder(path: Path) -> None:
    """A folder where a file is to be."""
    path.joinpath("a.txt").mkdir()


def put_fifo(path: Path) -> None:
    """A FIFO where a file is to be."""
    os.mkfifo(path / "a.txt")


def put_link(path: Path) -> None:
    """A link where a file is to be."""
    path.joinpath("a.txt").symlink_to("nowhere")


def put_file_for_folder(path: Path) -> None:
    """A file where a subfolder is to be."""
    path.joinpath("below").write_text("mine")


def put_link_for_folder(path: Path) -> None:
    """A link to somebody's folder where a subfolder is to be."""
    path.joinpath("elsewhere").mkdir()
    path.joinpath("below").symlink_to("elsewhere")


def put_marker(path: Path) -> None:
    """Somebody's file with the name of our marker."""
    path.joinpath(MARKER).write_text('{"files": {"a.txt": []}}')


@pytest.mark.parametrize(
    ("put", "named"),
    [
        (put_file, "a.txt"),
        (put_folder, "a.txt"),
        (put_fifo, "a.txt"),
        (put_link, "a.txt"),
        (put_file_for_folder, "below"),
        (put_link_for_folder, "below"),
        (put_marker, MARKER),
    ],
)
def test_what_is_in_the_way_is_named_and_stays(put: object, named: str, tmp_path: Path) -> None:
    """Whatever stands where a file is to be is refused by name, before the work and after it."""
    assert callable(put)
    put(tmp_path)
    before = {entry: entry.lstat() for entry in tmp_path.iterdir()}
    with pytest.raises(FileExistsError, match=named):
        check_folder(tmp_path, FILES)
    with pytest.raises(FileExistsError, match=named):
        fill(tmp_path, "ours")
    assert {entry.name for entry in tmp_path.iterdir()} == {entry.name for entry in before}
    assert all(entry.lstat().st_ino == then.st_ino for entry, then in before.items())


def test_an_edited_file_of_ours_is_not_overwritten(tmp_path: Path) -> None:
    """Notes in a report are refused by name, with what to do."""
    fill(tmp_path, "first")
    (tmp_path / "a.txt").write_text("first, and my notes")
    words = "holds a.txt, not as an earlier run left it: move that away, or choose another folder"
    with pytest.raises(FileExistsError, match=words):
        check_folder(tmp_path, FILES)
    check_folder(tmp_path, ["below/"])


def test_a_marker_leads_nowhere_else(tmp_path: Path) -> None:
    """Names in a forged marker that lead out of the folder are ignored."""
    (tmp_path / "outside.txt").write_text("mine")
    path = tmp_path / "results"
    fill(path, "first", ["a.txt"])
    marker = json.loads((path / MARKER).read_text())
    digests = folder_module._digest(tmp_path / "outside.txt")
    marker["files"] |= {"../outside.txt": [digests], str(tmp_path / "outside.txt"): [digests]}
    (path / MARKER).write_text(json.dumps(marker))
    fill(path, "second", ["a.txt"])
    assert (tmp_path / "outside.txt").read_text() == "mine"


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_was_interrupted_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    """An interrupted run leaves no folder, or the earlier one as it was."""
    path = tmp_path / "new" / "results"

    def break_off() -> None:
        with delivery() as outputs:
            (outputs.folder(path) / "a.txt").write_text("half")
            raise error

    with pytest.raises(error):
        break_off()
    assert not list(tmp_path.iterdir())
    fill(path, "whole")
    with pytest.raises(error):
        break_off()
    assert files_in(tmp_path) == {f"new/results/{name}" for name in (*FILES, MARKER)}
    assert (path / "a.txt").read_text() == "whole"


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
@pytest.mark.parametrize("number", range(1, 7))
def test_an_error_while_files_are_put_in_place_is_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException], number: int
) -> None:
    """Whichever rename fails, the folder is as before: the earlier files, and none of the new ones."""
    fill(tmp_path, "first", ["a.txt", "below/b.txt", "gone/c.txt"])
    before = {name: (tmp_path / name).read_text() for name in files_in(tmp_path)}
    real, calls = os.replace, [0]

    def replace(source: Path, target: Path) -> None:
        calls[0] += 1
        if calls[0] == number:
            raise error("disk full")
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    names = ["a.txt", "below/b.txt", "new/d.txt"]
    if number < 6:
        with pytest.raises(error):
            fill(tmp_path, "second", names)
        assert {name: (tmp_path / name).read_text() for name in files_in(tmp_path)} == before
        assert {entry.name for entry in tmp_path.iterdir()} == {"a.txt", "below", "gone", MARKER}
    else:
        # Two for the marker, three for the files.
        fill(tmp_path, "second", names)
        assert files_in(tmp_path) == {*names, MARKER}


def test_a_kill_while_files_are_put_in_place_blocks_nothing(tmp_path: Path) -> None:
    """After SIGKILL between two renames every file is whole and ours, and the next run cleans up."""
    fill(tmp_path, "first")
    code = f"""
import os, signal
from echo_env.common.files import delivery
real, names = os.replace, []
def replace(source, target):
    names.append(str(target))
    if names[-1].endswith("b.txt"):
        os.kill(os.getpid(), signal.SIGKILL)
    real(source, target)
os.replace = replace
with delivery() as outputs:
    new = outputs.folder({str(tmp_path)!r})
    (new / "below").mkdir()
    (new / "a.txt").write_text("second")
    (new / "below" / "b.txt").write_text("second")
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert [(tmp_path / name).read_text() for name in FILES] == ["second", "first"]
    assert len(list(tmp_path.iterdir())) == 4
    fill(tmp_path, "third")
    assert [(tmp_path / name).read_text() for name in FILES] == ["third", "third"]
    assert {entry.name for entry in tmp_path.iterdir()} == {"a.txt", "below", MARKER}


def test_the_current_folder_and_links_to_folders_can_be_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``.`` stays the same folder, in which a shell may be, and a link to a folder stays a link."""
    monkeypatch.chdir(tmp_path)
    inode = tmp_path.stat().st_ino
    for path in (Path(), tmp_path.parent / f"{tmp_path.name}-link"):
        if path != Path():
            path.symlink_to(tmp_path)
        fill(path, "x")
        assert files_in(tmp_path) == {*FILES, MARKER}
        assert tmp_path.stat().st_ino == inode


def test_somebody_who_writes_there_meanwhile_is_left_alone(tmp_path: Path) -> None:
    """What came after the first look is refused by name, or stays beside our files."""
    path = tmp_path / "results"

    def write_beside(name: str) -> None:
        with delivery() as outputs:
            (outputs.folder(path) / "a.txt").write_text("ours")
            path.mkdir(exist_ok=True)
            (path / name).write_text("mine")

    with pytest.raises(FileExistsError, match=r"a\.txt"):
        write_beside("a.txt")
    assert files_in(tmp_path) == {"results/a.txt"}
    (path / "a.txt").unlink()
    path.rmdir()
    write_beside("notes.txt")
    assert files_in(path) == {"notes.txt", "a.txt", MARKER}


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing permission is found before the work; that to write in the parent of a folder is not needed."""
    (tmp_path / "there").mkdir()
    (tmp_path / "file").write_text("mine")
    # To root, as whom tests may run, everything is allowed.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    with pytest.raises(PermissionError, match=r"results cannot be written, because .* is not yours to write in"):
        check_folder(tmp_path / "new" / "results", FILES)
    check_folder(tmp_path / "there", FILES)
    with pytest.raises(FileExistsError, match="file is in the way, because it is not a folder"):
        check_folder(tmp_path / "file", FILES)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "below")
    (tmp_path / "there" / "below").mkdir()
    with pytest.raises(PermissionError, match="below is not yours to write in"):
        check_folder(tmp_path / "there", FILES)
