"""A lab file with the proposed changes: the input's text, comments and all, with other values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from echo_env.common.config_file import with_changes
from echo_env.lab.config import LabConfig, load_lab
from echo_env.lab.config.file import preset_names
from echo_env.lab.optimise.levers import Choice, Place, Values

FIRST_LINE = "# A lab with the changes that echo-lab optimise proposed.\n"
_REWRITTEN = (
    "# It was read from {source}, which has the short form of fetal and non-fetal exams. That form has no fields for\n"
    "# these changes, so that this is the same lab in the general form; comments are left behind.\n"
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
    path, _, day = source.partition("#")
    places: dict[Place, Any] | None = choice.in_file(values)
    assert places is not None
    if isinstance(load_lab(source), LabConfig) and not isinstance(choice.config, LabConfig):
        short = _in_short_form(places)
        if short is None:
            return FIRST_LINE + _REWRITTEN.format(source=path) + _general(choice, places)
        places = short
    within: tuple[str, ...] = ("days", day) if day else ()
    if path in preset_names():
        text, within = f"base: {source}\nname: {choice.config.name}_better\n", ()
    else:
        text = Path(path).read_text(encoding="utf8")
    text = with_changes(text, {(*within, *place): value for place, value in places.items()})
    return FIRST_LINE + text.removeprefix(FIRST_LINE)


def _in_short_form(places: dict[Place, Any]) -> dict[Place, Any] | None:
    """The same changes in the short form; None if it has no fields for them."""
    short: dict[Place, Any] = {}
    for place, value in places.items():
        section, name, *field = place
        if section != "exam_types" or field != ["appointments"]:
            return None
        short["appointments", name] = value
    return short


def _general(choice: Choice, places: dict[Place, Any]) -> str:
    """The whole lab in the general form."""
    data = choice.config.as_file()  # type: ignore[attr-defined]
    sections = {name: data[name] for name in (*_SECTIONS, *data) if data.get(name)}
    return with_changes(
        yaml.safe_dump(sections, sort_keys=False, width=120, default_flow_style=None),
        {(*place,): value for place, value in places.items()},
    )
