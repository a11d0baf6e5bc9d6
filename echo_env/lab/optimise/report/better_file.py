"""A lab file with the proposed changes: the input's text, comments and all, with other values."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from echo_env.common.config_file import with_changes
from echo_env.lab.config import LabConfig, as_general, load_lab
from echo_env.lab.config.file import preset_names, source_and_day
from echo_env.lab.config.plan import NEVER, LabPlan
from echo_env.lab.optimise.levers import Choice, Place, Values

FIRST_LINE = "# A lab with the changes that echo-lab optimise proposed.\n"
_REWRITTEN = (
    "# The text of {source} could not take these changes, because its form has no fields for them or because its\n"
    "# sections share values: this is the same lab, written anew without its comments.\n"
)
_SECTIONS = ("name", "hours", "arrival", "exam", "exam_types", "room_groups", "staff_groups", "penalty")


def check_own(path: str | Path) -> None:
    """Refuse to overwrite a file other than an earlier proposal.

    :param path: where the lab is to be written
    :raises OSError: another file is in the way
    :raises ValueError: the name of a preset, which ``--config`` would read in place of the file
    """
    target = Path(path)
    if str(path) in preset_names():
        raise ValueError(f"--output {path} is the name of a preset, which --config {path} would read instead of it")
    if target.exists() and not target.read_bytes().startswith(FIRST_LINE.encode()):
        raise FileExistsError(f"{target} is in the way, because it was not written by an earlier optimisation")


def better_text(source: str, choice: Choice, values: Values) -> str:
    """The text of the file.

    :param source: what the lab was read from: a preset, a file, or ``FILE#day``
    :param choice: what may change
    :param values: of each lever
    :raises ConfigError: the file is no longer what it was
    """
    text = _changed_text(source, choice, values)
    if text is None or not _reads_back(text, source, choice, values):
        text = _REWRITTEN.format(source=source) + _written_anew(choice, values)
    return FIRST_LINE + text.removeprefix(FIRST_LINE)


def _changed_text(source: str, choice: Choice, values: Values) -> str | None:
    """The text of the source with other values; None if its form has no fields for them."""
    places = choice.in_file(values)
    if isinstance(load_lab(source), LabConfig) and not isinstance(choice.config, LabConfig):
        short = _in_short_form(places)
        if short is None:
            return None
        places = short
    path, day = source_and_day(source)
    if path in preset_names():
        return with_changes(f"base: {source}\nname: {choice.config.name}_better\n", _below((), places))
    return with_changes(Path(path).read_text(encoding="utf8"), _below(("days", day) if day else (), places))


def _below(sections: tuple[str, ...], places: Mapping[Place, Any]) -> dict[tuple[str | int, ...], Any]:
    return {(*sections, *place): value for place, value in places.items()}


def _reads_back(text: str, source: str, choice: Choice, values: Values) -> bool:
    """Whether the lab that is read from a text is the one that was played: sections may share values."""
    _, day = source_and_day(source)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "better.yaml")
        file.write_text(text, encoding="utf8")
        return _played(load_lab(f"{file}#{day}" if day else file).plan) == _played(choice.lab(values).plan)


def _played(plan: LabPlan) -> LabPlan:
    """The plan without absence plans that rebook nobody."""
    types = [
        own if any(absent < NEVER for absent in own.rebook_from) else replace(own, rebook_from=()) for own in plan.types
    ]
    return replace(plan, types=tuple(types))


def _in_short_form(places: Mapping[Place, Any]) -> dict[Place, Any] | None:
    """The same changes in the short form; None if it has no fields for them."""
    short: dict[Place, Any] = {}
    for place, value in places.items():
        section, name, *field = place
        if section != "exam_types" or field != ["appointments"]:
            return None
        short["appointments", name] = value
    return short


def _written_anew(choice: Choice, values: Values) -> str:
    """The whole lab, in its own form if that is the general one."""
    data = as_general(choice.config).as_file()
    sections = {name: data[name] for name in (*_SECTIONS, *data) if data.get(name)}
    text = yaml.safe_dump(sections, sort_keys=False, width=120, default_flow_style=None)
    return with_changes(text, _below((), choice.in_file(values)))
