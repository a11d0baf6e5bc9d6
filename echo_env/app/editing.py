"""A lab file with other values, as the form of a page asks for them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from echo_env.app.asked import Asked
from echo_env.common.config_file import with_changes
from echo_env.lab.config import ConfigError, Lab, load_lab
from echo_env.lab.config.clock import clock_text
from echo_env.lab.config.file import preset_names, source_and_day
from echo_env.lab.sweep.kinds import Kind


def written(asked: Asked, config: Lab) -> str:
    """A field's value as a form shows it; times of a book with a space between them.

    :param asked: the field
    :param config: the lab
    """
    value = asked.field.own(config)
    return "" if value is None else asked.field.write(value)


def read(asked: Asked, typed: str) -> Any:
    """What was typed into a form as a lab file holds it.

    :param asked: the field
    :param typed: as :func:`written` writes it
    :raises ConfigError: it is not of the field's kind
    """
    field = asked.field
    value = field.read(f"[{typed.replace(chr(10), ' ')}]" if field.kind is Kind.TIMES else typed)
    if field.kind is Kind.CLOCK:
        return clock_text(value)
    if field.kind is Kind.TIMES:
        return [None if time is None else clock_text(time) for time in value]
    return value


def edited_text(source: str, name: str, changes: Mapping[str, Any]) -> str:
    """The text of a lab file with other values: that of its source, comments and all.

    :param source: preset, file, or ``FILE#day``
    :param name: of the lab
    :param changes: path of a field -> value, as :func:`read` gives it
    :raises ConfigError: there is no such lab any more
    """
    path, day = source_and_day(source)
    above = ("days", day) if day else ()
    own = {(*above, *field.split(".")): value for field, value in changes.items()}
    text = f"base: {path}\n" if path in preset_names() else Path(path).read_text(encoding="utf8")
    return with_changes(text, {("name",): name, **own})


def lab_of(text: str) -> Lab:
    """The lab that a text describes; of one with days, the first.

    :param text: of a lab file
    :raises ConfigError: a field or value that is not allowed, with its line
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "the lab.yaml"
        file.write_text(text, encoding="utf8")
        try:
            return load_lab(file)
        except ConfigError as error:
            raise ConfigError(str(error).replace(f"{file}", "the text"), ()) from None
