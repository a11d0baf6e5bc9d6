"""Files that appear whole or not at all, and cells of CSV files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from echo_env.common.files import number_text, text_cell, text_cells, written_whole
from echo_env.common.files.whole import remove_left_behind, temporary_folder

KILLED = """
import os, signal, sys
from pathlib import Path
from echo_env.common.files.whole import temporary_folder, written_whole
with written_whole(sys.argv[1]) as file, temporary_folder(Path(sys.argv[1]).parent, "out"):
    file.write("half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_file_is_replaced_only_by_a_whole_one(tmp_path: Path) -> None:
    """An error while writing leaves the earlier file, and a written file obeys the umask."""
    path = tmp_path / "new" / "a.txt"
    for text in ("first", "second"):
        with written_whole(path) as file:
            file.write(text)
        assert path.read_text() == text

    def break_off() -> None:
        with written_whole(path) as file:
            file.write("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert path.read_text() == "second"
    assert list(path.parent.iterdir()) == [path]
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_link_is_followed(tmp_path: Path) -> None:
    """A symbolic link stays one, and what it leads to is replaced."""
    (tmp_path / "link").symlink_to("real")
    with written_whole(tmp_path / "link") as file:
        file.write("x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "x"


def test_what_a_kill_leaves_behind_is_removed_by_the_next_write(tmp_path: Path) -> None:
    """SIGKILL leaves the earlier file whole; the next write of the same name removes the temporary ones."""
    path = tmp_path / "a[1].txt"
    path.write_text("whole")
    subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert path.read_text() == "whole"
    assert len(list(tmp_path.iterdir())) == 3
    with written_whole(path) as file:
        file.write("new")
    with temporary_folder(tmp_path, "out"):
        pass
    assert list(tmp_path.iterdir()) == [path]


def test_temporary_files_in_use_and_of_others_stay(tmp_path: Path) -> None:
    """Only unlocked temporary files of the same name are removed."""
    (tmp_path / ".a.txt.bak").write_text("mine")
    with written_whole(tmp_path / "a.txt") as file, temporary_folder(tmp_path, "a.txt") as folder:
        (folder / "b").write_text("x")
        before = set(tmp_path.iterdir())
        remove_left_behind(tmp_path, ["a.txt", "other"])
        assert set(tmp_path.iterdir()) == before
        file.write("x")
    assert {entry.name for entry in tmp_path.iterdir()} == {".a.txt.bak", "a.txt"}


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-b", "'-b"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("-3", "-3"),
        ("+1.5", "+1.5"),
        ("policy_2", "policy_2"),
        ("a=-2", "a=-2"),
        ("", ""),
    ],
)
def test_formulas_are_escaped_and_numbers_are_not(text: str, cell: str) -> None:
    """Text that a spreadsheet would run gets an apostrophe before it."""
    assert text_cell(text) == cell


def test_only_texts_of_a_table_are_escaped() -> None:
    """Text in columns of any kind is escaped; numbers, missing values and dates stay as they are."""
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(
        {
            "text": ["=1", "plain", None],
            "kind": pandas.Categorical(["@a", "b", "@a"]),
            "mixed": ["-x", -2, -0.5],
            "whole": pandas.array([-1, None, 3], dtype="Int64"),
            "number": [-1.5, float("nan"), 2.0],
            "string": pandas.array(["+a", None, "-3"], dtype="string"),
            "date": pandas.to_datetime(["2024-01-01", None, "2024-01-03"]),
        }
    )
    escaped = text_cells(table)
    assert escaped.to_csv(index=False).splitlines()[1:] == [
        "'=1,'@a,'-x,-1,-1.5,'+a,2024-01-01",
        "plain,b,-2,,,,",
        ",'@a,-0.5,3,2.0,-3,2024-01-03",
    ]
    assert table["text"][0] == "=1"


def test_numbers_read_back_equal() -> None:
    """Whole numbers have no fraction, and nan is empty."""
    assert [number_text(value) for value in (3.0, 0.1, -2.5, float("nan"))] == ["3", "0.1", "-2.5", ""]
