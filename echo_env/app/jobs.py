"""Commands that run beside the pages: begun, watched, stopped."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from echo_env.common.tables import PROGRESS_FILE

INTERRUPTED = 130
"""Exit status of a command that was stopped."""
_WITH_WINDOWS = sys.platform == "win32"
_HEEDING = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from echo_env.__main__ import main; sys.exit(main())"
)
"""``python -m echo_env`` that heeds Ctrl-C, which processes in the background of a shell are told to ignore."""


class State(StrEnum):
    """How a command stands."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


class Progress(NamedTuple):
    """How far a command is.

    :param what: the unit counted, in the plural
    :param done: how many are done
    :param total: of how many
    """

    what: str
    done: int
    total: int


def _stamp(path: Path) -> tuple[int, int] | None:
    """Differs once a file is written anew."""
    return (path.stat().st_ino, path.stat().st_mtime_ns) if path.exists() else None


class Job:
    """A command of ``echo-lab`` in a process of its own, begun at once.

    :param name: of the job, and of the files beside it that keep what the command prints
    :param arguments: of ``echo-lab``
    :param folder: in which it runs; file names among the arguments are relative to it
    :param results: files that the command writes, relative to the folder
    """

    def __init__(self, name: str, arguments: Sequence[str], folder: Path, results: Sequence[str] = ()) -> None:
        self.name, self.folder = name, folder
        self.arguments = tuple(arguments)
        self._before = {folder / result: _stamp(folder / result) for result in results}
        self._printed, self._errors, self._progress = (
            folder / f".{name}.{ending}" for ending in ("out", "err", "progress")
        )
        self._progress.unlink(missing_ok=True)
        self._begun, self._took = time.monotonic(), 0.0
        self._asked_to_stop = False
        with self._printed.open("wb") as printed, self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _HEEDING, *self.arguments],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=errors,
                env={**os.environ, PROGRESS_FILE: str(self._progress), "PYTHONIOENCODING": "utf8"},
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )

    @property
    def command(self) -> str:
        """The command as a shell takes it."""
        return shlex.join(["echo-lab", *self.arguments])

    @property
    def state(self) -> State:
        """How it stands."""
        status = self._process.poll()
        if status is None:
            return State.RUNNING
        self._took = self._took or time.monotonic() - self._begun
        if status == 0:
            return State.DONE
        return State.STOPPED if self._asked_to_stop or status == INTERRUPTED else State.FAILED

    @property
    def results(self) -> list[Path]:
        """The files that it has written; one that was there before and still is as it was is none of them."""
        return [path for path, before in self._before.items() if path.exists() and _stamp(path) != before]

    @property
    def seconds(self) -> float:
        """Since it began, or as long as it took."""
        return self._took if self.state is not State.RUNNING else time.monotonic() - self._begun

    @property
    def progress(self) -> Progress | None:
        """How far it is, if it says so."""
        try:
            told = json.loads(self._progress.read_text(encoding="utf8"))
        except (OSError, ValueError):
            return None
        return Progress(told["what"], told["done"], told["total"])

    @property
    def printed(self) -> str:
        """What it has printed so far."""
        return self._printed.read_text(encoding="utf8", errors="replace")

    @property
    def error(self) -> str:
        """Why it failed: the sentence of the command, or the last that Python printed."""
        lines = self._errors.read_text(encoding="utf8", errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        own = [line.removeprefix("error: ") for line in said if line.startswith("error: ")]
        return (own or said or [f"it ended with status {self._process.returncode}"])[-1]

    def stop(self) -> None:
        """Ask it to stop, as Ctrl-C does: a search gives what it has found. Asked again, it ends at once."""
        if self.state is not State.RUNNING:
            return
        if self._asked_to_stop:
            self._process.kill()
        elif _WITH_WINDOWS:
            self._process.send_signal(signal.CTRL_BREAK_EVENT)  # type: ignore[attr-defined,unused-ignore]
        else:
            self._process.send_signal(signal.SIGINT)
        self._asked_to_stop = True

    @property
    def is_stopping(self) -> bool:
        """Whether it was asked to stop, and has not yet."""
        return self._asked_to_stop and self.state is State.RUNNING

    def end(self) -> None:
        """End it at once, and wait until it has."""
        self._process.kill()
        self._process.wait()
