"""The JSON schema of a lab as a YAML file, in either form."""

from __future__ import annotations

from typing import Any

from echo_env.common.config_file import read_layers
from echo_env.common.config_model import entry_schema
from echo_env.common.config_schema import Schema, file_schema
from echo_env.lab.config.clock import CLOCK_TIME
from echo_env.lab.config.file import GENERAL_FIELDS, HOURS, PACKAGE, preset_names
from echo_env.lab.config.general import GeneralLabConfig
from echo_env.lab.config.lab_config import LabConfig

_DAYS: Schema = {
    "type": "object",
    "description": "What differs on a day, by its name: fields of the lab, laid over the others. The file is then read "
    "with the day, as lab.yaml#monday.",
    "additionalProperties": {"type": ["object", "null"]},
}


def lab_schema() -> Schema:
    """The JSON schema that editors complete and check a lab's YAML file from, with clock times as the file has them.

    A file with exam types or groups, or with a base that has them, is one of the general form.
    """
    short, general = _short_form(), _general_form()
    head = {key: short.pop(key) for key in ("$schema", "title")}
    sections = {**short.pop("$defs"), **general.pop("$defs")}
    bases = [name for name in preset_names() if _is_general(name)]
    signs: list[Schema] = [{"required": [field]} for field in GENERAL_FIELDS]
    signs.append({"required": ["base"], "properties": {"base": {"enum": bases}}})
    general = {key: value for key, value in general.items() if key not in head}
    return {**head, "$defs": sections, "if": {"anyOf": signs}, "then": general, "else": short}


def _is_general(preset: str) -> bool:
    return any(field in read_layers(PACKAGE, preset).data for field in GENERAL_FIELDS)


def _short_form() -> Schema:
    """The schema of labs with fetal and non-fetal exams."""
    schema = file_schema(LabConfig, "A lab of echo_env", [name for name in preset_names() if not _is_general(name)])
    _with_clock_times(schema)
    for kind, times in schema["$defs"]["Appointments"]["properties"].items():
        meaning = times["description"].split(",")[0]
        times.clear()
        times.update(
            type="array",
            items={"anyOf": [CLOCK_TIME, {"type": "null"}]},
            description=f"{meaning}, clock times such as 08:15; null is a place that is left empty ({kind})",
        )
    return schema


def _general_form() -> Schema:
    """The schema of labs with exam types and groups."""
    schema = file_schema(GeneralLabConfig, "A lab of echo_env", [name for name in preset_names() if _is_general(name)])
    _with_clock_times(schema)
    for part in schema["$defs"].values():
        # What a section lacks may be in the base, or in the fields that a day is laid over.
        if part is not schema["$defs"]["Hours"]:
            part.pop("required", None)
    for field in GENERAL_FIELDS:
        table = schema["properties"][field]
        entry = entry_schema(table)
        for key in ("patternProperties", "propertyNames", "minLength"):
            table.pop(key, None)
        table["minProperties"] = 1
        # null takes out an entry of the base.
        table["additionalProperties"] = {"anyOf": [entry, {"type": "null"}]}
    return schema


def _with_clock_times(schema: Schema) -> None:
    """Put opening, closing and end in place of their minutes, in place."""
    hours: dict[str, Any] = schema["$defs"]["Hours"]["properties"]
    for name in HOURS:
        meaning = hours.pop(f"{name}_min")["description"].split(",")[0]
        hours[name] = {**CLOCK_TIME, "description": f"{meaning}, a clock time such as 08:15"}
    schema["then"]["properties"]["hours"]["required"] = list(HOURS)
    schema["properties"]["days"] = _DAYS
