"""The JSON schema of a hospital with patient pathways as a YAML file."""

from __future__ import annotations

from echo_env.common.config_schema import Schema, file_schema
from echo_env.pathways.config.hospital_config import PathwaysConfig, preset_names


def pathways_schema() -> Schema:
    """The JSON schema that editors complete and check a hospital's YAML file from."""
    return file_schema(PathwaysConfig, "A hospital of echo_env.pathways", preset_names())
