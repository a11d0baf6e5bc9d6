"""Labs of a calibration's bootstrap: what else a fitted lab might be, for all that its data say."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from echo_env.lab.config import ConfigError
from echo_env.lab.config.general import GeneralLabConfig
from echo_env.lab.config.loading import LabValues

ENDING = ".uncertainty.json"
FEWEST = 2
"""Labs that a spread takes."""


@dataclass(frozen=True)
class BootstrapLabs:
    """Labs that differ from a lab file in the values of its bootstrap samples.

    :param labs: the labs
    :param held: fields that were edited since the file was fitted: they are as in the file in all labs
    """

    labs: tuple[GeneralLabConfig, ...]
    held: tuple[str, ...]


def uncertainty_path(source: str | Path) -> Path:
    """The file of a lab file's bootstrap: ``my_lab.uncertainty.json`` of ``my_lab.yaml``.

    :param source: path of the lab file, which may be followed by ``#`` and a day
    """
    path = Path(source)
    if not path.is_file() and "#" in str(source):
        path = Path(str(source).rpartition("#")[0])
    return path.with_suffix(ENDING)


def bootstrap_labs(source: str | Path, count: int, chosen: Collection[str] = ()) -> BootstrapLabs:
    """Labs of the bootstrap beside a lab file, the first ones.

    :param source: path of the lab file, which may be followed by ``#`` and a day
    :param count: how many, at least 2
    :param chosen: fields whose values are chosen, not fitted: they are as in the file in all labs
    :raises ValueError: no such file, not one of a calibration, or too many asked for
    """
    path = uncertainty_path(source)
    content = _read(path, source)
    samples: list[list[Any]] = content["samples"]
    if not FEWEST <= count <= len(samples):
        allowed = f"a whole number from {FEWEST} to {len(samples)}, the samples in {path}"
        raise ValueError(f"input-uncertainty is {count}, but must be {allowed}")
    lab = LabValues(source)
    held = tuple(name for name, value in content["fitted"].items() if lab.value(name) != value)
    labs = []
    for sample in samples[:count]:
        values = dict(zip(content["fitted"], sample, strict=True))
        free = {name: value for name, value in values.items() if value is not None and name not in {*held, *chosen}}
        labs.append(lab.lab(free))
    return BootstrapLabs(tuple(labs), held)


def _read(path: Path, source: str | Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf8"))
        if not isinstance(content["fitted"], dict) or not isinstance(content["samples"], list):
            raise TypeError(path)
    except FileNotFoundError:
        raise ConfigError(
            f"input-uncertainty takes the bootstrap that echo-lab calibrate writes beside a lab, but {source} "
            f"has no {path}",
            (),
        ) from None
    except (ValueError, KeyError, TypeError):
        raise ConfigError(f"{path} is not a file that echo-lab calibrate wrote", ()) from None
    return content
