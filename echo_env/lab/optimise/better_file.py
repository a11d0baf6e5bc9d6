"""A lab file with the proposed book: the input's text, comments and all, with other times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from echo_env.common.config_file import with_changes
from echo_env.lab.config.file import preset_names
from echo_env.lab.config.lab import Lab
from echo_env.lab.config.lab_config import LabConfig
from echo_env.lab.optimise.books import Seat, Times

Place = tuple[str, ...]


def better_text(source: str, config: Lab, seats: tuple[Seat, ...], times: Times) -> str:
    """The text of the file.

    :param source: what the lab was read from: a preset, a file, or ``FILE#day``
    :param config: the lab that was read
    :param seats: the patients of its book
    :param times: of each seat, minutes since opening
    :raises ConfigError: the file is no longer what it was
    """
    path, _, day = source.partition("#")
    if path in preset_names():
        text, day = f"base: {source}\nname: {config.name}_better\n", ""
    else:
        text = Path(path).read_text(encoding="utf8")
    return with_changes(text, _book(config, seats, times, ("days", day) if day else ()))


def _book(config: Lab, seats: tuple[Seat, ...], times: Times, within: Place) -> dict[Any, Any]:
    """Place of each list of appointments that changes -> the list, as clock times."""
    books: list[list[str | None]] = [
        [None if minute is None else config.hours.clock(minute) for minute in own.scheduled]
        for own in config.plan.types
    ]
    changed = set()
    for seat, minute in zip(seats, times, strict=True):
        if minute != seat.minute:
            books[seat.kind][seat.place] = config.hours.clock(minute)
            changed.add(seat.kind)
    places = {}
    for kind in sorted(changed):
        name = config.plan.types[kind].name
        short = isinstance(config, LabConfig)
        places[("appointments", name) if short else (*within, "exam_types", name, "appointments")] = books[kind]
    return places
