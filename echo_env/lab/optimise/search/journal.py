"""What values of the levers cost, kept as it is played, so that a search that was stopped goes on from there.

A journal is a folder with a file for each part of the search, ``part_0.jsonl`` and so on: first a line that says what
the costs depend on, then a line for each values that were played, ``[days, cost, [values]]``. Each file has one writer.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import IO, Any

import echo_env
from echo_env.lab.optimise.levers import Choice, Values
from echo_env.lab.optimise.search.objective import Objective

FORMAT = "costs of an echo-lab optimise search, 1"


class Part:
    """The costs that are known, and the file that those of a part of the search are written to.

    :param known: (days, values) -> cost
    :param file: open for appending
    """

    def __init__(self, known: Mapping[tuple[int, Values], float], file: IO[str]) -> None:
        self._known, self._file = dict(known), file

    def cost(self, days: int, values: Values) -> float | None:
        """What values cost on the first so many days; None if that is not known.

        :param days: number of days
        :param values: of each lever
        """
        return self._known.get((days, values))

    def keep(self, days: int, values: Values, cost: float) -> None:
        """Write a cost down; it is there even if the process is killed next.

        :param days: number of days
        :param values: of each lever
        :param cost: what they cost
        """
        self._known[days, values] = cost
        self._file.write(json.dumps([days, cost, values]) + "\n")
        self._file.flush()


@dataclass(frozen=True)
class Journal:
    """The costs of a search.

    :param folder: where they are; created if missing
    :param key: from :func:`fingerprint`
    """

    folder: Path
    key: str
    _header: str = field(init=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "_header", json.dumps({"format": FORMAT, "of": self.key}))

    def check(self) -> None:
        """Make the folder, and check what it has.

        :raises ValueError: it is the journal of another search, or a line was edited
        :raises OSError: it cannot be used
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._read()

    @contextmanager
    def part(self, number: int) -> Iterator[Part]:
        """Open the file of a part of the search.

        :param number: of the part, from 0 on; no two processes write the same one at a time
        """
        path = self.folder / f"part_{number}.jsonl"
        known = self._read()
        with suppress(FileNotFoundError):
            # A line that a killed process did not finish would spoil the next one.
            whole = path.read_bytes().rfind(b"\n") + 1
            os.truncate(path, whole)
        with open(path, "a", encoding="utf8", newline="\n") as file:
            if file.tell() == 0:
                file.write(f"{self._header}\n")
                file.flush()
            yield Part(known, file)

    def _read(self) -> dict[tuple[int, Values], float]:
        known: dict[tuple[int, Values], float] = {}
        for path in sorted(self.folder.glob("part_*.jsonl")):
            # What stands after the last line end is a line that was not finished.
            header, *lines = path.read_text(encoding="utf8", errors="replace").split("\n")[:-1] or [self._header]
            if header != self._header:
                raise ValueError(
                    f"{self.folder} is the journal of another search: of another lab, other decisions, another "
                    "objective, other protected metrics, another seed or another version; choose another folder"
                )
            for number, line in enumerate(lines, start=2):
                try:
                    days, cost, values = json.loads(line)
                    known[int(days), tuple(map(int, values))] = float(cost)
                except (ValueError, TypeError):
                    raise ValueError(f"line {number} of {path} was edited or damaged: delete the file") from None
        return known


def fingerprint(objective: Objective, choice: Choice) -> str:
    """A digest of everything that costs depend on.

    :param objective: what is made smaller, in which lab, on which days
    :param choice: what may change
    """
    everything = json.dumps([echo_env.__version__, _plain(objective), _plain(choice)])
    return hashlib.sha256(everything.encode()).hexdigest()[:24]


def _plain(value: Any) -> Any:
    """A value in the terms of JSON, the same in every process."""
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__name__, *([own.name, _plain(getattr(value, own.name))] for own in fields(value))]
    if isinstance(value, Mapping):
        return sorted(([_plain(name), _plain(own)] for name, own in value.items()), key=json.dumps)
    if isinstance(value, Set):
        return sorted(map(_plain, value), key=json.dumps)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(own) for own in value]
    return value if isinstance(value, (str, int, float, type(None))) else repr(value)
