"""What the single and the vector environment share: the hospital of their arguments, and the episode of a reset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from echo_env.common.config_file import ConfigError
from echo_env.pathways.config import PathwaysConfig
from echo_env.pathways.instance.instance import Instance, Luck, sample_instance, sample_luck


def load_config(
    config: PathwaysConfig | str | Path,
    patients: int | None = None,
    resources: int | None = None,
    max_patients: int | None = None,
) -> PathwaysConfig:
    """Load a hospital and replace the given sizes.

    :param config: preset, path of a YAML file, or config
    :param patients: N, or None for the config's
    :param resources: R, or None for the config's
    :param max_patients: largest number of patients of observations, or None for the config's
    :raises ConfigError: names the field, its value and what is allowed
    """
    given = {"patients": patients, "resources": resources, "max_patients": max_patients}
    return PathwaysConfig.load(config).replace(**{name: number for name, number in given.items() if number is not None})


def draw_episode(config: PathwaysConfig, rng: np.random.Generator, options: dict[str, Any]) -> tuple[Instance, Luck]:
    """The episode that a reset starts.

    :param config: the hospital
    :param rng: random generator
    :param options: options of the reset
    :raises ConfigError: an unknown option, one without the other, or an instance of another hospital
    """
    unknown = set(options) - {"instance", "luck"}
    if unknown:
        raise ConfigError(f"reset option {min(unknown)!r} is unknown, allowed are 'instance' and 'luck'")
    if len(options) == 1:
        raise ConfigError(f"reset options have only {min(options)!r}, but must have both 'instance' and 'luck'")
    if not options:
        instance = sample_instance(config, rng)
        return instance, sample_luck(instance, rng)
    instance, luck = options["instance"], options["luck"]
    for name in ("patients", "resources", "health_levels", "horizon"):
        own, asked = getattr(instance.config, name), getattr(config, name)
        if own != asked:
            raise ConfigError(f"reset option 'instance' has {name} {own}, but the env has {asked}")
    return instance, luck
