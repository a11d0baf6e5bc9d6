"""What a hospital with patient pathways is, as a file."""

from echo_env.pathways.config.hospital_config import Changes, ConfigError, Learning, PathwaysConfig, Prior, preset_names

__all__ = ["Changes", "ConfigError", "Learning", "PathwaysConfig", "Prior", "preset_names"]
