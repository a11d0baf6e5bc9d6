"""Ctrl-C before a command has been imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import echo_env
from echo_env.commands.common.interrupts import interruptible

ROOT = Path(echo_env.__file__).parents[1]


def test_ctrl_c_is_one_word_and_130(capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C in the block ends with status 130 and one word on standard error."""
    with pytest.raises(SystemExit) as ended, interruptible():
        raise KeyboardInterrupt
    assert ended.value.code == 130
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize("program", ["evaluate.py", "train.py", "-m echo_env"])
def test_ctrl_c_in_an_import_is_heeded(program: str, tmp_path: Path) -> None:
    """Ctrl-C while NumPy, cyclopts and the like are being imported is told as later on."""
    # Imported by all three before anything of theirs runs.
    (tmp_path / "cyclopts.py").write_text("raise KeyboardInterrupt")
    name = program.removeprefix("-m ")
    how = "run_path" if name == program else "run_module"
    code = f"import runpy, sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]"
    code += f"; runpy.{how}({name!r}, run_name='__main__')"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert (ended.returncode, ended.stderr) == (130, "interrupted\n")


def test_the_module_is_the_command() -> None:
    """``python -m echo_env`` is ``echo-lab``."""
    ended = subprocess.run([sys.executable, "-m", "echo_env", "nonsense"], capture_output=True, text=True, cwd=ROOT)
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: ")
