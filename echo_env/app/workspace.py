"""The folder in which the app works: labs, the record, reports, and the commands that run in it."""

from __future__ import annotations

import atexit
import re
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from echo_env.app.jobs import Job, State
from echo_env.common.config_file import read_layers
from echo_env.common.config_model import ConfigError
from echo_env.lab.config.file import PACKAGE, preset_names

RECORD_ENDINGS = (".xlsx", ".xls", ".xlsb", ".ods", ".csv", ".tsv", ".txt")


class Workspace:
    """What one person works on: the app is for one at a time, in one tab or several.

    :param folder: made if it is not there; what stands in it already can be used
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.jobs: dict[str, Job] = {}
        atexit.register(self.close)

    def labs(self) -> dict[str, str]:
        """What to call each lab -> what commands call it; those of the folder first.

        A file with days has one lab for each of them.
        """
        found: dict[str, str] = {}
        for path in sorted(self.folder.glob("*.yaml"), key=lambda path: -path.stat().st_mtime):
            for source in self._labs_in(path):
                found[source] = source
        return {**found, **{preset_label(name): name for name in preset_names()}}

    def _labs_in(self, path: Path) -> list[str]:
        try:
            fields = read_layers(PACKAGE, path).data
        except (ConfigError, OSError):
            return []
        if not {"hours", "exam_types", "rooms", "base"} & fields.keys():
            # A map of columns.
            return []
        days = fields.get("days")
        return [f"{path.name}#{day}" for day in days] if isinstance(days, dict) and days else [path.name]

    def source(self, lab: str) -> str:
        """What this process calls a lab: its file with the folder before it, or the preset.

        :param lab: what commands in the folder call it
        """
        return lab if lab in preset_names() else str(self.folder / lab)

    def record(self) -> Path | None:
        """The record that was put in last."""
        found = [path for path in self.folder.iterdir() if path.suffix.lower() in RECORD_ENDINGS and _is_record(path)]
        return max(found, key=lambda path: path.stat().st_mtime, default=None)

    def keep(self, name: str, content: bytes) -> Path:
        """Write a file that somebody put in; its name becomes one without anything that a shell or a path would read.

        :param name: of the file, as the browser says it
        :param content: of it
        :return: the file, with a number after its name if there is another one of this name
        """
        first = path = self.folder / safe_name(name)
        for number in count(2):
            if not path.exists() or path.read_bytes() == content:
                break
            path = first.with_stem(f"{first.stem}_{number}")
        path.write_bytes(content)
        return path

    def begin(self, name: str, arguments: Sequence[str], results: Sequence[str] = ()) -> Job:
        """Begin a command.

        :param name: of the job; an earlier one of this name must have ended
        :param arguments: of ``echo-lab``
        :param results: files that it writes
        :raises RuntimeError: the earlier one is running
        """
        if name in self.jobs and self.jobs[name].state is State.RUNNING:
            raise RuntimeError(f"{name} is running: stop it first")
        self.jobs[name] = Job(name, arguments, self.folder, results)
        return self.jobs[name]

    def running(self) -> list[Job]:
        """The commands that run."""
        return [job for job in self.jobs.values() if job.state is State.RUNNING]

    def close(self) -> None:
        """End all commands."""
        for job in self.running():
            job.end()


def preset_label(name: str) -> str:
    """What to call a lab that ships.

    :param name: of the preset
    """
    return f"{name} (ships with echo-lab)"


def safe_name(name: str) -> str:
    """A name of a file in the folder: letters, digits, ``-``, ``_`` and ``.``, and not hidden.

    >>> safe_name("../Woche 12 (neu).xlsx")
    'Woche_12_neu.xlsx'

    :param name: as typed, or as a browser says it
    """
    base, dot, ending = Path(name.replace("\\", "/")).name.rpartition(".")
    stem = re.sub(r"[^\w-]+", "_", base if dot else ending).strip("_-.") or "file"
    return f"{stem}.{re.sub(r'[^A-Za-z0-9]', '', ending)}" if dot else stem


def _is_record(path: Path) -> bool:
    return not path.name.startswith((".", "board"))
