"""The programs of docs/sb3_ext.md, as a reader would run them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: File name -> text of each block of the page that names a file in its first line.
FILES = dict(
    re.findall(
        r"^```(?:python|yaml)\n# (\S+)\n(.*?)^```$",
        (ROOT / "docs" / "sb3_ext.md").read_text(encoding="utf8"),
        re.MULTILINE | re.DOTALL,
    )
)
#: Program -> its arguments, and how its output ends.
PROGRAMS = {
    "own.py": ([], r"\(np\.float64\(1\.[3-9].*\)"),
    "taxi.py": ([], r"[0-5]"),
    "many.py": ([], r"\(.*\)"),
    "going_on.py": ([], "4000"),
    "zoo.py": (["-n", "1000", "--eval-freq", "1000", "--verbose", "0"], ""),
}


def test_every_program_of_the_page_is_run() -> None:
    """What the page shows are the programs below, and the two files that they read."""
    assert set(FILES) == {*PROGRAMS, "shelf.py", "maskable_dqn.yml"}


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_of_the_page_run(program: str, tmp_path: Path) -> None:
    """Every program of the page runs as it stands, without warnings, in a folder with the files of the page."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf8")
    options, ends = PROGRAMS[program]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, program, *options], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert re.search(rf"{ends}\s*$", done.stdout), done.stdout
    assert "Warning" not in done.stderr
