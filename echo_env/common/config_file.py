"""Configs as YAML: presets that ship with a package, inheritance, and errors that name the field."""

from __future__ import annotations

import dataclasses
import difflib
import math
import typing
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import yaml

T = TypeVar("T")

OPTIONAL = MappingProxyType({"optional": True})
"""Metadata of a field that a file may leave out, because without it nothing is assumed that the file does not say."""


class ConfigError(ValueError):
    """A config that cannot be used; the message is one sentence for the person who wrote it."""


def preset_names(package: str) -> list[str]:
    """Names of the configs that ship with a package, in its folder ``presets``.

    :param package: its dotted name
    """
    folder = resources.files(package) / "presets"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def read_layers(package: str, source: str | Path) -> dict[str, Any]:
    """Read a preset or a YAML file into nested dicts, ``base`` resolved.

    :param package: whose presets there are
    :param source: preset name or path
    :raises ConfigError: no such preset or file, or the file is not YAML of the expected form
    """
    return _resolve_base(package, _parse(package, source), seen=(str(source),))


def check_number(name: str, value: Any, low: float, high: float = math.inf, *, whole: bool = False) -> None:
    """Refuse a value that is no number, not whole where it must be, or out of [low, high].

    :param name: of the field, for the message
    :param value: what a config has there
    :param low: least value allowed
    :param high: largest value allowed
    :param whole: whether it must be a whole number
    :raises ConfigError: names the field, its value and what is allowed
    """
    kind = "a whole number" if whole else "a number"
    allowed = f"{kind} of at least {low:g}" if math.isinf(high) else f"{kind} from {low:g} to {high:g}"
    typed = isinstance(value, int) if whole else isinstance(value, (int, float))
    if isinstance(value, bool) or not typed or not (low <= value <= high) or math.isinf(value):
        raise ConfigError(f"{name} is {value!r}, but must be {allowed}")


def build(cls: type[T], data: dict[str, Any], path: str = "") -> T:
    """Make a config dataclass from nested dicts, checking names and types on the way.

    A field of a file must be there: silence is not taken for the default (use ``base`` for that), but for fields
    that are :data:`OPTIONAL`.

    :param cls: the dataclass
    :param data: its fields
    :param path: where in the file we are, for messages
    :raises ConfigError: unknown, missing or ill-typed field
    """
    hints = typing.get_type_hints(cls)
    fields = dataclasses.fields(cls)  # type: ignore[arg-type]
    names = [f.name for f in fields]
    for name in data:
        if name not in names:
            near = difflib.get_close_matches(str(name), names, n=1)
            hint = f" (did you mean {path}{near[0]}?)" if near else ""
            raise ConfigError(f"{path}{name} is no known field{hint}; allowed here: {', '.join(names)}")
    missing = [f.name for f in fields if f.name not in data and not f.metadata.get("optional")]
    if missing:
        raise ConfigError(
            f"{path}{missing[0]} is missing; give it, or begin the file with 'base: baseline' to inherit it"
        )
    values = {}
    for name, value in data.items():
        section = next((kind for kind in _kinds(hints[name]) if dataclasses.is_dataclass(kind)), None)
        if section is not None and not (value is None and type(None) in _kinds(hints[name])):
            if not isinstance(value, dict):
                raise ConfigError(f"{path}{name} is {value!r}, but must be a section with fields of its own")
            value = build(section, value, f"{path}{name}.")
        values[name] = value
    return cls(**values)


def replaced(config: T, kind: str, changes: dict[str, Any]) -> T:
    """A copy of a config with fields changed by their path, a double underscore for the dot.

    :param config: a dataclass, whose sections are dataclasses too
    :param kind: what it is called, for messages
    :param changes: ``{"rooms__fetal": 2}``
    :raises ConfigError: no such field, or a value that is not allowed
    """
    whole: dict[str, Any] = {}
    parts: dict[str, dict[str, Any]] = {}
    for path, value in changes.items():
        section, _, name = path.partition("__")
        if section not in _names_in(config):
            raise ConfigError(f"{section} is no field of a {kind} config")
        if not name:
            whole[section] = value
        elif name in _names_in(getattr(config, section)):
            parts.setdefault(section, {})[name] = value
        else:
            raise ConfigError(f"{section}.{name} is no field of a {kind} config")
    for section, fields in parts.items():
        # All at once, because only together they may be allowed.
        whole[section] = dataclasses.replace(whole.get(section, getattr(config, section)), **fields)
    return dataclasses.replace(config, **whole)  # type: ignore[type-var]


def _names_in(section: Any) -> set[str]:
    """The fields of a section; none if it is a plain value."""
    return {f.name for f in dataclasses.fields(section)} if dataclasses.is_dataclass(section) else set()


def _kinds(hint: Any) -> tuple[type, ...]:
    """``X | None`` -> (X, NoneType); a type alone -> (it,)."""
    return tuple(kind for kind in typing.get_args(hint) or (hint,) if isinstance(kind, type))


def _parse(package: str, source: str | Path) -> dict[str, Any]:
    """The YAML text of a preset or file as a dict."""
    name, presets = str(source), preset_names(package)
    if name in presets:
        text = (resources.files(package) / "presets" / f"{name}.yaml").read_text(encoding="utf8")
    elif Path(name).is_file():
        try:
            text = Path(name).read_text(encoding="utf8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"config file {name!r} cannot be read as text: {error}") from None
    else:
        near = difflib.get_close_matches(name, presets, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise ConfigError(f"config {name!r} is neither a file nor a preset{hint}; presets: {', '.join(presets)}")
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"config {name!r} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"config {name!r} must be a YAML mapping of sections, not {type(data).__name__}")
    return data


def _resolve_base(package: str, data: dict[str, Any], seen: tuple[str, ...]) -> dict[str, Any]:
    """Lay the file's own fields over those of its ``base``."""
    base = data.pop("base", None)
    if base is None:
        return data
    if str(base) in seen:
        raise ConfigError(f"base is {base!r}, but that inherits from this config itself")
    merged = _resolve_base(package, _parse(package, base), (*seen, str(base)))
    for name, value in data.items():
        if isinstance(value, dict) and isinstance(merged.get(name), dict):
            merged[name] = {**merged[name], **value}
        else:
            merged[name] = value
    return merged
