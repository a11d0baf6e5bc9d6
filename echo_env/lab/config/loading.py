"""Labs from files and presets, whichever form they have, also with other values in some of their fields."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from echo_env.common import config_file
from echo_env.common.config_model import build
from echo_env.lab.config.file import LabFile, hours_to_minutes, read_lab_file, without_nulls
from echo_env.lab.config.general import GeneralLabConfig
from echo_env.lab.config.lab import Lab
from echo_env.lab.config.lab_config import short_form_of

REMEDY = "give it, or begin the file with a base that has it"

Values = dict[str, Any]
"""Dotted field of a lab file -> its value, as the file has it."""


def load_lab(source: Lab | str | Path) -> Lab:
    """Read a lab of either form.

    >>> load_lab("scarce").plan.types[0].name
    'fetal'

    :param source: a preset's name, the path of a YAML file, either with ``#`` and the name of a day where a file has
        days (``lab.yaml#monday``), or a config, which is returned as it is
    :raises ConfigError: names the field, its value, what is allowed, and the line of the file
    """
    if not isinstance(source, (str, Path)):
        return source
    read = read_lab_file(source)
    return general_lab(read) if read.general else short_form_of(read)


def general_lab(read: LabFile) -> GeneralLabConfig:
    """A lab with exam types and groups from its file.

    :param read: the file
    :raises ConfigError: names the field, its value, what is allowed, and the line of the file
    """
    with config_file.located(read.layers.lines):
        data = without_nulls(read.layers.data)
        return build(GeneralLabConfig, data, {"opening": hours_to_minutes(data)}, REMEDY)


def lay_values(data: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Put values into the fields of a lab file, in place.

    :param data: nested sections
    :param values: dotted field -> value
    """
    for path, value in values.items():
        *sections, name = path.split(".")
        place = data
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = value


def value_at(data: Mapping[str, Any], path: str) -> Any:
    """The value of a field; None if it is not there.

    :param data: nested sections
    :param path: dotted field
    """
    place: Any = data
    for name in path.split("."):
        if not isinstance(place, Mapping) or name not in place:
            return None
        place = place[name]
    return place


class LabValues:
    """A lab file whose fields can take other values.

    :param source: path of the file, with ``#`` and a day where it has days
    :raises ConfigError: no such file, or not a lab with exam types
    """

    def __init__(self, source: str | Path) -> None:
        self._source = source
        general_lab(read_lab_file(source))
        self._fields = read_lab_file(source).layers.data

    def value(self, path: str) -> Any:
        """The value that the file has in a field; None if it leaves it out.

        :param path: dotted field
        """
        return value_at(self._fields, path)

    def lab(self, values: Mapping[str, Any]) -> GeneralLabConfig:
        """The lab with other values.

        :param values: dotted field -> value
        :raises ConfigError: a value that is not allowed
        """
        read = read_lab_file(self._source)
        lay_values(read.layers.data, values)
        return general_lab(read)
