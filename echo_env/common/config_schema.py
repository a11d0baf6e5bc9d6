"""JSON schemas of config files, from which editors complete and check them."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

Schema = dict[str, Any]


def file_schema(cls: type, title: str, presets: list[str]) -> Schema:
    """The JSON schema of a YAML file that describes a config.

    A file with a ``base`` may leave out sections and fields of sections; one without must have all that have no
    default. Descriptions are those of the docstrings, units included.

    :param cls: a section, see :mod:`echo_env.common.config_model`
    :param title: of the schema
    :param presets: names that ``base`` may have, besides paths of files
    """
    schema: Schema = TypeAdapter(cls).json_schema()
    properties, definitions = schema["properties"], schema["$defs"]
    complete: Schema = {"required": schema.pop("required", []), "properties": {}}
    for name, node in properties.items():
        part = definitions.get(node.get("$ref", "").rpartition("/")[2], {})
        if "required" in part:
            complete["properties"][name] = {"required": part.pop("required")}
    base = {
        "type": "string",
        "examples": presets,
        "description": f"What the file does not say is as in this preset ({', '.join(presets)}) or file.",
    }
    schema["properties"] = {"base": base, **properties}
    del schema["title"]
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    without_base = {"if": {"not": {"required": ["base"]}}, "then": complete}
    return {**head, **_published(schema), **_published(without_base)}


def _published(node: Any) -> Any:
    """A part of a schema without the keywords that only our messages need."""
    if isinstance(node, dict):
        return {key: _published(value) for key, value in node.items() if key not in ("x-allowed", "title")}
    return [_published(value) for value in node] if isinstance(node, list) else node
