"""Rows of measurements: each has the date, the commit, the Python version and the command that made it."""

from __future__ import annotations

import csv
import datetime
import json
import platform
import subprocess
import sys
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def append_row(table: str, row: dict[str, Any]) -> None:
    """Append a row to ``benchmarks/<table>.csv``.

    :param table: name of the file, without its ending; its columns are those of its first row
    :param row: what was measured
    :raises ValueError: the file has other columns
    """
    path = FOLDER / f"{table}.csv"
    head = {
        "date": datetime.date.today().isoformat(),
        "commit": commit(),
        "python": platform.python_version(),
        "command": " ".join(["python", *sys.orig_argv[1:]]),
    }
    line = {**head, **{key: f"{value:.4g}" if isinstance(value, float) else value for key, value in row.items()}}
    new = not path.exists()
    if not new and _columns(path) != list(line):
        raise ValueError(f"{path.name} has other columns than the row: it must have {', '.join(line)}")
    with path.open("a", newline="", encoding="utf8") as file:
        writer = csv.DictWriter(file, fieldnames=list(line), lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(line)


def _columns(path: Path) -> list[str]:
    with path.open(encoding="utf8", newline="") as file:
        return next(csv.reader(file))


def read_rows(table: str) -> list[dict[str, str]]:
    """The rows of ``benchmarks/<table>.csv``, none where it is not there yet.

    :param table: name of the file, without its ending
    """
    path = FOLDER / f"{table}.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf8", newline="") as file:
        return list(csv.DictReader(file))


def digest(settings: object) -> str:
    """Eight hexadecimal digits that stand for settings: a row tells by them what it was made with.

    :param settings: anything that JSON can hold
    """
    return sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]


@lru_cache(maxsize=1)
def commit() -> str:
    """The commit measured, with a plus sign if the working tree differs from it other than in rows of measurements."""
    git = ["git", "-C", str(FOLDER)]
    done = subprocess.run([*git, "describe", "--always"], capture_output=True, text=True)
    others = [*git, "status", "--porcelain", "--untracked-files=no", "--", ":/", ":(top,exclude)benchmarks/*.csv"]
    changed = subprocess.run(others, capture_output=True, text=True).stdout.strip()
    return (done.stdout.strip() or "unknown") + ("+" if changed else "")
