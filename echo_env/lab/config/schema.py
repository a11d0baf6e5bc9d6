"""The JSON schema of a lab as a YAML file."""

from __future__ import annotations

from echo_env.common.config_schema import Schema, file_schema
from echo_env.lab.config.file import HOURS, preset_names
from echo_env.lab.config.lab_config import LabConfig

_CLOCK_TIME: Schema = {"type": "string", "pattern": "^([01]?[0-9]|2[0-3]):[0-5][0-9]$"}


def lab_schema() -> Schema:
    """The JSON schema that editors complete and check a lab's YAML file from, with clock times as the file has them."""
    schema = file_schema(LabConfig, "A lab of echo_env", preset_names())
    hours, book = (schema["$defs"][name]["properties"] for name in ("Hours", "Appointments"))
    for name in HOURS:
        meaning = hours.pop(f"{name}_min")["description"].split(",")[0]
        hours[name] = {**_CLOCK_TIME, "description": f"{meaning}, a clock time such as 08:15"}
    schema["then"]["properties"]["hours"]["required"] = list(HOURS)
    for kind, times in book.items():
        meaning = times["description"].split(",")[0]
        book[kind] = {"type": "array", "items": _CLOCK_TIME, "description": f"{meaning}, clock times such as 08:15"}
    return schema
