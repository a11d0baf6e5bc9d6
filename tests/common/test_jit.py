"""Compiled functions kept on disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numba")

PACKAGE = Path(__file__).resolve().parents[2] / "echo_env"


def test_a_change_anywhere_in_the_package_compiles_anew(tmp_path: Path) -> None:
    """What is compiled into a function from another file is not taken from an old cache."""
    copy = tmp_path / "echo_env"
    (copy / "common").mkdir(parents=True)
    for name in ("__init__.py", "common/__init__.py", "common/jit.py"):
        (copy / name).write_text((PACKAGE / name).read_text() if name != "__init__.py" else "")
    (copy / "compiled").mkdir()
    (copy / "compiled" / "__init__.py").touch()
    (copy / "caller.py").write_text(
        "from echo_env.common.jit import njit\nfrom echo_env.compiled.called import number\n\n"
        "@njit\ndef shown():\n    return number()\n\nprint(shown())\n"
    )
    for value in (1, 2):
        called = copy / "compiled" / "called.py"
        called.write_text(f"from echo_env.common.jit import njit\n\n@njit\ndef number():\n    return {value}\n")
        # The same size: only the time tells the two apart.
        os.utime(called, ns=(value * 10**9, value * 10**9))
        done = subprocess.run(
            [sys.executable, "-c", "import echo_env.caller"], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert done.stdout == f"{value}\n"
