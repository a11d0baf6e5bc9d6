"""A command's files: checked before the work, and delivered together."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from echo_env.common.files import check_file, delivery, files_in


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with one thing of every kind."""
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("lab.yaml").write_text("base: scarce\n")
    os.link("lab.yaml", "same.yaml")
    Path("link").symlink_to("lab.yaml")
    Path("loop").symlink_to("loop")
    os.mkfifo("pipe")
    return tmp_path


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "--json is empty, but must be a file, or - for standard output"),
        ("folder", "--json folder is a folder, but must be a regular file, or - for standard output"),
        ("pipe", "--json pipe is a FIFO"),
        ("/dev/null", "--json /dev/null is a device"),
        ("loop", "--json loop is a link to itself"),
        ("lab.yaml", "--json lab.yaml is also --config"),
        ("same.yaml", "--json same.yaml is also --config"),
        ("link", "--json link is also --config"),
        ("folder/../lab.yaml", "is also --config"),
        ("out", "--json out is also --output"),
        ("new/", "--json new/ ends in a slash"),
        ("lab.yaml/new.json", "what is above it is not a folder"),
        ("x" * 250, "File name too long"),
    ],
)
def test_only_regular_files_of_nobody_else_are_accepted(path: str, message: str) -> None:
    """Each refusal names the option, the path and what is wrong."""
    with pytest.raises((OSError, ValueError)) as error:
        check_file("--json", path, {"--config": ["lab.yaml"], "--output": ["out"]})
    assert message in str(error.value)


@pytest.mark.parametrize("path", ["-", "new.json", "new/t.json", "folder/t.json", "link", "lab.yaml"])
def test_files_new_and_old_are_accepted(path: str) -> None:
    """New files, regular ones, links to them and standard output are fine."""
    check_file("--json", path, {"--config": []})


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs names of open files")
def test_a_pipe_without_a_name_is_refused() -> None:
    """``/dev/stdout`` may lead to a pipe, which is no regular file."""
    ends = os.pipe()
    try:
        with pytest.raises(FileExistsError, match="is a FIFO, but must be a regular file, or - for standard output"):
            check_file("--json", f"/proc/self/fd/{ends[1]}", {})
    finally:
        for end in ends:
            os.close(end)


def test_a_folder_of_somebody_else_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing permission is found before the work."""
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != folder)
    with pytest.raises(PermissionError, match=r"--json new/t.json cannot be written, because .* is not yours"):
        check_file("--json", "new/t.json", {})


def test_everything_is_delivered_or_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the last output cannot be delivered, the first is not there either."""

    def deliver() -> None:
        with delivery() as outputs:
            (outputs.folder("out") / "a.txt").write_text("x")
            outputs.text("new/t.json", "{}")

    before, real = files_in(folder), os.replace

    def replace(source: Path, target: Path) -> None:
        if Path(target).name == "t.json":
            raise OSError("disk full")
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(OSError, match="disk full"):
        deliver()
    assert files_in(folder) == before
    assert not Path("new").exists()
    assert not Path("out").exists()
    monkeypatch.setattr(os, "replace", real)
    deliver()
    assert files_in(folder) - before == {"out/a.txt", "out/.echo-lab", "new/t.json"}


def test_links_are_followed_and_a_hyphen_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """A link stays a link; ``-`` makes no file."""
    with delivery() as outputs:
        outputs.text("link", "new")
        outputs.text("-", "printed")
        assert capsys.readouterr().out == ""
    assert Path("link").is_symlink()
    assert Path("lab.yaml").read_text() == "new"
    assert capsys.readouterr().out == "printed\n"
    assert not Path("-").exists()
