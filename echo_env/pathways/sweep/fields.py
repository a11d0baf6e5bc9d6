"""Fields of a hospital that can be swept: the config's own, by dotted path, and the effectiveness of treatment."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import yaml

from echo_env.common.config_model import SLACK, ConfigError, check_number
from echo_env.common.words import nearest
from echo_env.pathways.config import PathwaysConfig

EFFECTIVENESS = "treatment_effectiveness"
"""How far treatment moves health away from what waiting does: 0 is not at all, 1 as in the base hospital.

While a resource is held, the mean probabilities that health goes down, stays and goes up are
``waiting_mean + e * (holding_mean - waiting_mean)``, both of the base hospital's prior.
"""


def fields_of(config: PathwaysConfig) -> dict[str, Any]:
    """Dotted path -> the hospital's value, of every field but the name.

    :param config: the hospital
    """
    found: dict[str, Any] = {}

    def walk(part: Any, prefix: str) -> None:
        for field in dataclasses.fields(part):
            value = getattr(part, field.name)
            if dataclasses.is_dataclass(value):
                walk(value, f"{prefix}{field.name}.")
            else:
                found[f"{prefix}{field.name}"] = value

    walk(config, "")
    del found["name"]
    return {**found, EFFECTIVENESS: 1.0}


def check_field(path: str, config: PathwaysConfig) -> None:
    """Refuse what is no field.

    :param path: as typed
    :param config: the hospital
    :raises ConfigError: suggests the nearest, or lists all
    """
    fields = fields_of(config)
    if path in fields:
        return
    near = [known for known in fields if known.rpartition(".")[2] == path] or nearest(path, fields)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(fields)}"
    raise ConfigError(f"{path} is no field of the hospital that can be swept: {hint}")


def read(path: str, text: str) -> Any:
    """Parse a value, which YAML would read as it is typed: ``4``, ``0.5``, ``success``, ``[1,3]``.

    :param path: of the field, for the message
    :param text: as typed
    :raises ConfigError: nothing, or no YAML
    """
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        value = None
    if value is None or isinstance(value, dict):
        raise ConfigError(f"{path} has {text!r}, but must be a number, a word, or a list such as [1,3]")
    return _tuples(value)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def write(value: Any) -> str:
    """A value as :func:`read` takes it.

    :param value: of a field
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{','.join(map(write, value))}]"
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def is_number(value: Any) -> bool:
    """Whether a value is a number, which bools are not.

    :param value: of a field
    """
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def changed(config: PathwaysConfig, values: Mapping[str, Any]) -> PathwaysConfig:
    """A hospital with other values, all set at once.

    :param config: the base hospital
    :param values: path -> value
    :raises ConfigError: the result is no valid hospital
    """
    own = {path.replace(".", "__"): value for path, value in values.items() if path != EFFECTIVENESS}
    if values.get(EFFECTIVENESS, 1.0) != 1.0:
        if "prior__holding_mean" in own:
            raise ConfigError(f"{EFFECTIVENESS} is given beside prior.holding_mean, which it changes: give one of them")
        waiting = own.get("prior__waiting_mean", config.prior.waiting_mean)
        own["prior__holding_mean"] = holding_mean(waiting, config.prior.holding_mean, values[EFFECTIVENESS])
    return config.replace(**own)


def holding_mean(waiting: tuple[float, ...], holding: tuple[float, ...], effectiveness: Any) -> tuple[float, ...]:
    """Mean probabilities under treatment of another effectiveness: see :data:`EFFECTIVENESS`.

    :param waiting: mean (down, stay, up) while nothing is held
    :param holding: the same while a resource is held, at effectiveness 1
    :param effectiveness: at least 0, at most what leaves all probabilities at least 0
    :raises ConfigError: it is not
    """
    # Where treatment makes something less probable, it can do so until that never happens.
    most = min((w / (w - h) for w, h in zip(waiting, holding, strict=True) if h < w), default=1e6)
    check_number(EFFECTIVENESS, effectiveness, 0, round(most, 9))
    mean = [w + effectiveness * (h - w) for w, h in zip(waiting, holding, strict=True)]
    return tuple(0.0 if part < SLACK else part for part in mean)
