"""Labs from files and presets, whichever form they have."""

from __future__ import annotations

from pathlib import Path

from echo_env.common import config_file
from echo_env.common.config_model import build
from echo_env.lab.config.file import LabFile, hours_to_minutes, read_lab_file, without_nulls
from echo_env.lab.config.general import GeneralLabConfig
from echo_env.lab.config.lab import Lab
from echo_env.lab.config.lab_config import short_form_of

MISSING = "give it, or begin the file with a base that has it"


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
    return _general_lab(read) if read.general else short_form_of(read)


def _general_lab(read: LabFile) -> GeneralLabConfig:
    with config_file.located(read.layers.lines):
        data = without_nulls(read.layers.data)
        return build(GeneralLabConfig, data, {"opening": hours_to_minutes(data)}, MISSING)
