"""Configs as YAML 1.2 files: presets that ship with a package, inheritance, and errors that name the line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from echo_env.common.config_model import ConfigError, Loc, build, check_number, replaced
from echo_env.common.words import did_you_mean

__all__ = ["ConfigError", "Layers", "check_number", "load", "preset_names", "read_layers", "replaced", "with_changes"]

T = TypeVar("T")


class Layers(NamedTuple):
    """A config file laid over its ``base``.

    :param data: the fields as nested dicts
    :param lines: where each of them stands, as in ``line 3 of lab.yaml``
    """

    data: dict[str, Any]
    lines: dict[Loc, str]


MOST_ENTRIES = 100_000
"""Most fields and entries of a file."""


def preset_names(package: str) -> list[str]:
    """Names of the configs that ship with a package, in its folder ``presets``.

    :param package: its dotted name
    """
    folder = resources.files(package) / "presets"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def load(cls: type[T], package: str, source: str | Path, prepare: Callable[[dict[str, Any]], None] | None = None) -> T:
    """Read a config from a preset or a YAML file.

    :param cls: a section, see :mod:`echo_env.common.config_model`
    :param package: whose presets there are
    :param source: preset name or path
    :param prepare: changes the nested dicts of the file, in place, into those of ``cls``
    :raises ConfigError: names the field, its value, what is allowed, and the line
    """
    data, lines = read_layers(package, source)
    with located(lines):
        if prepare is not None:
            prepare(data)
        return build(cls, data)


@contextmanager
def located(lines: dict[Loc, str]) -> Iterator[None]:
    """Name the line of the field that an error is about.

    :param lines: of :class:`Layers`
    """
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{error}{_line(lines, error.loc)}", error.loc) from None


def read_layers(package: str, source: str | Path) -> Layers:
    """Read a preset or a YAML file into nested dicts, ``base`` resolved.

    :param package: whose presets there are
    :param source: preset name or path
    :raises ConfigError: no such preset or file, or the file is not YAML of the expected form
    """
    return _laid_over_base(package, _parse(package, source), seen=(str(source),))


def with_changes(text: str, changes: dict[Loc, Any]) -> str:
    """The YAML text of a config with other values; its comments and its layout stay.

    :param text: of the file
    :param changes: place of a field -> value: ``{("rooms", "fetal"): 2}``; sections are added if need be
    :raises ConfigError: the text is not YAML of the expected form
    """
    document = _document(text, "text")
    for (*sections, name), value in changes.items():
        part = document
        for section in sections:
            if part.get(section) is None:
                # Not there, or left empty.
                part[section] = {}
            part = part[section]
        part[name] = _on_one_line(value)
    out = StringIO()
    _yaml().dump(document, out)
    return out.getvalue()


def _on_one_line(value: Any) -> Any:
    """A value with its lists on as few lines as they fit on, as people write them."""
    from ruamel.yaml.comments import CommentedSeq

    if isinstance(value, dict):
        return {name: _on_one_line(own) for name, own in value.items()}
    if not isinstance(value, (list, tuple)):
        return value
    line = CommentedSeq(value)
    line.fa.set_flow_style()
    return line


def _line(lines: dict[Loc, str], loc: Loc) -> str:
    """`` (line 3 of lab.yaml)``, for the innermost part of a place that the files have."""
    places = (loc[:end] for end in range(len(loc), 0, -1))
    return next((f" ({lines[place]})" for place in places if place in lines), "")


def _yaml() -> Any:
    # Not loaded with the package, most of whose users read no file of their own.
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 120
    yaml.preserve_quotes = True
    return yaml


def _document(text: str, name: str) -> Any:
    """The sections of a YAML text, which know their lines and comments."""
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        document = _yaml().load(text)
    except RecursionError:
        raise ConfigError(f"config {name!r} is nested too deeply to be read", ()) from None
    except MarkedYAMLError as error:
        what = str(error.problem).split(" with value ")[0]
        line = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise ConfigError(f"config {name!r} is not valid YAML: {what}{line}", ()) from None
    except YAMLError as error:
        raise ConfigError(f"config {name!r} is not valid YAML: {' '.join(str(error).split())}", ()) from None
    if not isinstance(document, dict):
        kind = {"NoneType": "an empty file", "CommentedSeq": "a list", "str": "a text"}
        found = kind.get(type(document).__name__, type(document).__name__)
        raise ConfigError(f"config {name!r} must be a YAML mapping of sections, not {found}", ())
    return document


def _parse(package: str, source: str | Path) -> Layers:
    """A preset or file alone."""
    name, presets = str(source), preset_names(package)
    if name in presets:
        text = (resources.files(package) / "presets" / f"{name}.yaml").read_text(encoding="utf8")
    elif Path(name).is_file():
        try:
            text = Path(name).read_text(encoding="utf8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"config file {name!r} cannot be read as text: {error}", ()) from None
    else:
        hint = did_you_mean(name, presets)
        raise ConfigError(f"config {name!r} is neither a file nor a preset{hint}; presets: {', '.join(presets)}", ())
    lines: dict[Loc, str] = {}
    label = f"preset {name}" if name in presets else name
    return Layers(_plain(_document(text, name), (), lines, label), lines)


def _plain(value: Any, place: Loc, lines: dict[Loc, str], label: str) -> Any:
    """What ruamel.yaml read, in Python's own types; notes the line of each field and entry."""
    if isinstance(value, (dict, list)):
        # Nested aliases make billions of a few lines.
        if len(lines) > MOST_ENTRIES:
            raise ConfigError(f"{label} has more than {MOST_ENTRIES:,} entries, what aliases repeat included", ())
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        marks: dict[Any, Any] = getattr(value, "lc").data or {}  # noqa: B009
        plain: dict[Any, Any] = {}
        for key, entry in entries:
            name = key if isinstance(value, list) else str(key)
            if key in marks:
                lines[(*place, name)] = f"line {marks[key][0] + 1} of {label}"
            plain[name] = _plain(entry, (*place, name), lines, label)
        return plain if isinstance(value, dict) else list(plain.values())
    if type(value).__name__ == "ScalarBoolean":
        return bool(value)
    return next((kind(value) for kind in (str, float) if isinstance(value, kind)), _whole(value))


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _laid_over_base(package: str, own: Layers, seen: tuple[str, ...]) -> Layers:
    """Lay the file's own fields over those of its ``base``."""
    base = own.data.pop("base", None)
    if base is None:
        return own
    where = _line(own.lines, ("base",))
    if str(base) in seen:
        raise ConfigError(f"base is {base!r}, but that inherits from this config itself{where}")
    data, lines = _laid_over_base(package, _parse(package, base), (*seen, str(base)))
    return Layers(laid_over(data, own.data), {**lines, **own.lines})


def laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Fields laid over others: what both have is taken from above, section by section.

    :param below: nested dicts
    :param above: nested dicts
    """
    merged = dict(below)
    for name, value in above.items():
        both = isinstance(value, dict) and isinstance(below.get(name), dict)
        merged[name] = laid_over(below[name], value) if both else value
    return merged
