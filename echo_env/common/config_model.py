"""Config sections: frozen pydantic dataclasses whose errors are one sentence (field, value, what is allowed)."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
import re
from collections.abc import Callable
from typing import Annotated, Any, TypeVar, cast, dataclass_transform

import pydantic
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, WrapValidator
from pydantic_core import ErrorDetails

from echo_env.common.config_table import Table
from echo_env.common.words import did_you_mean

T = TypeVar("T")
Loc = tuple[str | int, ...]
"""Where in a config: names of fields, and numbers of entries in lists."""


SLACK = 1e-9
"""Tolerance of sums of probabilities, for rounding errors."""


class ConfigError(ValueError):
    """A config that cannot be used; the message is one sentence for the person who wrote it.

    :param message: begins with the dotted path of the field
    :param loc: the field, for the line of the file; by default the path that the message begins with. Empty in the
        check of a section: the message goes on after the name of the section
    """

    def __init__(self, message: str, loc: Loc | None = None) -> None:
        super().__init__(message)
        self.loc: Loc = tuple(message.split(" ")[0].split(".")) if loc is None else loc


def check_number(name: str, value: Any, low: float, high: float = math.inf, *, whole: bool = False) -> None:
    """Refuse a value that is not a number, not whole where it must be, or not in [low, high].

    :param name: of the field, for the message
    :param value: what a config has there
    :param low: least value allowed
    :param high: largest value allowed
    :param whole: whether it must be a whole number
    :raises ConfigError: names the field, its value and what is allowed
    """
    typed = isinstance(value, int) if whole else isinstance(value, (int, float))
    if isinstance(value, bool) or not typed or not (low <= value <= high) or math.isinf(value):
        raise ConfigError(f"{name} is {value!r}, but must be {_number_words(whole, low, high)}")


def check_sum(name: str, value: float, others: float) -> None:
    """Refuse a probability that exceeds 1 together with others, up to rounding: 0.2 goes with 0.8.

    :param name: of the field, for the message
    :param value: its value
    :param others: the sum of the others
    :raises ConfigError: names the field, its value and what is allowed
    """
    if value + others > 1 + SLACK:
        raise ConfigError(f"{name} is {value!r}, but must be {_number_words(False, 0, 1 - others)}")


def _number_words(whole: bool, low: float, high: float) -> str:
    kind = "a whole number" if whole else "a number"
    if math.isinf(low):
        return kind
    return f"{kind} of at least {low:.9g}" if math.isinf(high) else f"{kind} from {low:.9g} to {high:.9g}"


def _as_written(value: Any, check: Callable[[Any], Any]) -> Any:
    """Check a number but keep it: 10 stays 10, so that what is written of a config is what was read."""
    check(value)
    return value


AS_WRITTEN = WrapValidator(_as_written)
"""Annotation of a float that may be given as an int, and then stays one."""

Probability = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False), AS_WRITTEN]
NotNegative = Annotated[float, Field(strict=True, ge=0, le=1e6, allow_inf_nan=False), AS_WRITTEN]
Positive = Annotated[float, Field(strict=True, ge=1e-6, le=1e6, allow_inf_nan=False), AS_WRITTEN]
Name = Annotated[str, Field(min_length=1, json_schema_extra={"x-allowed": "a word or two"})]

_PARAM = re.compile(r"^:param (\w+): (.*?)(?=^:|\n\n|\Z)", re.MULTILINE | re.DOTALL)


def _describe(schema: dict[str, Any], cls: type) -> None:
    """Take the descriptions of a JSON schema from the docstring and its ``:param:`` lines."""
    doc = inspect.getdoc(cls) or ""
    schema["description"] = " ".join(doc.split("\n\n")[0].split())
    # In a file, a field may have a name that Python does not allow, such as from.
    written = {name: field.alias for name, field in getattr(cls, "__pydantic_fields__", {}).items() if field.alias}
    for name, text in _PARAM.findall("\n\n".join(inspect.getdoc(base) or "" for base in reversed(cls.__mro__[:-1]))):
        if (name := written.get(name, name)) in schema["properties"]:
            schema["properties"][name]["description"] = " ".join(text.split())
    for node in schema["properties"].values():
        node.pop("title", None)


@dataclass_transform(frozen_default=True, field_specifiers=(Field,))
def section(path: str) -> Callable[[type[T]], type[T]]:
    """Decorator: a frozen pydantic dataclass that raises :class:`ConfigError`, and nothing is coerced silently.

    Its own ``model_validator``s raise ConfigError with names relative to the section; their path is put before it.

    :param path: dotted path of the section, for messages; empty for the whole config
    """

    def decorate(cls: type[T]) -> type[T]:
        config = ConfigDict(extra="forbid", json_schema_extra=_describe, validate_by_name=True, validate_by_alias=True)
        made: Any = pydantic.dataclasses.dataclass(frozen=True, config=config)(cls)
        validating = made.__init__
        names = [field.name for field in dataclasses.fields(made)]

        @functools.wraps(validating)
        def init(self: Any, *args: Any, **kwargs: Any) -> None:
            if len(args) > len(names):
                raise TypeError(f"{cls.__name__} has {len(names)} fields, but {len(args)} values were given")
            try:
                validating(self, **dict(zip(names, args, strict=False)), **kwargs)
            except ValidationError as error:
                raise _translated(error, made, path, "give it, or replace fields of a preset") from None

        made.__init__ = init
        return cast(type[T], made)

    return decorate


INHERIT = "give it, or begin the file with 'base: baseline' to inherit it"


def build(cls: type[T], data: dict[str, Any], context: dict[str, Any] | None = None, remedy: str = INHERIT) -> T:
    """Make a config from the nested dicts of a file.

    A field that has no default must be there: use ``base`` to inherit it.

    :param cls: a :func:`section`
    :param data: its fields
    :param context: what validators of the sections want to know, as ``info.context``
    :param remedy: what to do about a missing field, for the message
    :raises ConfigError: unknown, missing or ill-typed field
    """
    try:
        return TypeAdapter(cls).validate_python(data, context=context)
    except ValidationError as error:
        raise _translated(error, cls, "", remedy) from None


def replaced(config: T, kind: str, changes: dict[str, Any]) -> T:
    """A copy of a config with fields changed by their path, a double underscore for the dot.

    :param config: a :func:`section` made of sections
    :param kind: what it is called, for messages
    :param changes: ``{"rooms__fetal": 2}``
    :raises ConfigError: no such field, or a value that is not allowed
    """
    data = _as_data(config)
    # Whole sections first, then fields inside them; all are checked at once, because only together they may be allowed.
    for path in sorted(changes, key=lambda path: path.count("__")):
        _put(data, path.split("__"), changes[path], kind)
    return build(type(config), data, remedy="give it as well")


class _New(dict[str, Any]):
    """A section that a config leaves out, and that a change puts in: what it may have is checked with all else."""


def _put(data: dict[str, Any], path: list[str], value: Any, kind: str) -> None:
    """Change one value of nested dicts, in place; sections on the way become dicts."""
    for place, name in enumerate(path):
        if name not in data and not isinstance(data, _New):
            above = "".join(f"{part}." for part in path[:place])
            hint = did_you_mean(name, [str(one) for one in data], above)
            raise ConfigError(f"{above}{name} is no field of a {kind} config{hint}")
        if place < len(path) - 1:
            data[name] = _New() if data.get(name) is None else _as_data(data[name])
            data = data[name]
        else:
            data[name] = value


def _as_data(part: Any) -> dict[str, Any]:
    """The fields of a section, or the sections of a table; none of a plain value."""
    if isinstance(part, dict):
        return dict(part) if isinstance(part, Table) else part
    names = [field.name for field in dataclasses.fields(part)] if dataclasses.is_dataclass(part) else []
    return {name: getattr(part, name) for name in names}


KEY = "[key]"
"""What pydantic puts into the place of an error that is about the name of an entry."""

_UNKNOWN, _MISSING, _OWN = "unexpected_keyword_argument", "missing", "value_error"


def _translated(error: ValidationError, cls: type, path: str, remedy: str) -> ConfigError:
    """The one sentence that says what pydantic found: unknown names first, then missing ones, then values.

    :param path: where ``cls`` stands in the config
    :param remedy: what to do about a missing field
    """
    schema = TypeAdapter(cls).json_schema()
    rank = {_UNKNOWN: 0, _MISSING: 1}
    found = [_of_the_list(details) for details in error.errors(include_url=False)]
    first = min(found, key=lambda details: rank.get(details["type"], 2))
    names, node = _resolved(first["loc"], schema)
    # Of the alternatives of a union, the one that fits furthest.
    same = [details for details in found if _resolved(details["loc"], schema)[0] == names]
    first = max(same, key=lambda details: len(details["loc"]))
    above = tuple(path.split(".")) if path else ()
    names, node = _resolved(first["loc"], schema)
    loc = above + tuple(part for part in first["loc"] if part in names or isinstance(part, int))
    return ConfigError(_sentence(first, above + names, node, schema, remedy), _blamed(first, loc))


def _of_the_list(details: ErrorDetails) -> ErrorDetails:
    """What is said of an entry that is missing from a list is said of the list."""
    if details["type"] == _MISSING and isinstance(details["loc"][-1], int):
        return {**details, "type": "too_short", "loc": details["loc"][:-1]}
    return details


def _blamed(details: ErrorDetails, loc: Loc) -> Loc:
    own = details.get("ctx", {}).get("error")
    return loc + own.loc if isinstance(own, ConfigError) else loc


def _sentence(
    details: ErrorDetails, names: tuple[str, ...], node: dict[str, Any], schema: dict[str, Any], remedy: str
) -> str:
    name, section_path = ".".join(names), "".join(f"{part}." for part in names[:-1])
    if details["type"] == _OWN:
        own = details["ctx"]["error"]
        return f"{name}{'.' if own.loc else ' '}{own}" if name else str(own)
    if details["type"] == _UNKNOWN:
        known = list(node["properties"])
        hint = did_you_mean(names[-1], known, section_path)
        return f"{name} is no known field{hint}; allowed here: {', '.join(known)}"
    if details["type"] == _MISSING:
        return f"{name} is missing; {remedy}"
    return f"{name} is {details['input']!r}, but must be {_allowed(node, schema)}"


def _resolved(loc: Loc, schema: dict[str, Any]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The names in the place of an error, and the part of the JSON schema that says what is allowed there.

    pydantic also puts the alternatives of unions into the place; they name nothing. An unknown field is named, but
    has no schema: what comes back is that of its section.
    """
    names, node = [], _followed(schema, schema)
    for number, part in enumerate(loc):
        if isinstance(part, int) and entry_schema(node) is None:
            lists = [_followed(option, schema) for option in node.get("anyOf", [node])]
            node = next(option for option in lists if option.get("type") == "array")
            node = _followed((node.get("prefixItems", [])[part : part + 1] or [node.get("items", {})])[0], schema)
        elif isinstance(part, str) and part in node.get("properties", {}):
            names.append(part)
            node = _followed(node["properties"][part], schema)
        elif (entry := entry_schema(node)) is not None and part != KEY:
            names.append(str(part))
            node = _followed(entry, schema)
        elif isinstance(part, str) and number == len(loc) - 1 and "properties" in node and part != KEY:
            names.append(part)
    return tuple(names), node


def entry_schema(node: dict[str, Any]) -> dict[str, Any] | None:
    """What a JSON schema says of the entries of a table, whatever their names; None if it is of no table.

    :param node: part of a JSON schema
    """
    options = [*node.get("patternProperties", {}).values(), node.get("additionalProperties")]
    return next((option for option in options if isinstance(option, dict)), None)


def _followed(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """A part of a JSON schema, its reference or its only alternative to null looked up."""
    options = [option for option in node.get("anyOf", []) if option.get("type") != "null"]
    if len(options) == 1:
        node = {**node, **options[0]}
        del node["anyOf"]
    if "$ref" in node:
        return {**schema["$defs"][node["$ref"].rpartition("/")[2]], **node}
    return node


def _allowed(node: dict[str, Any], schema: dict[str, Any]) -> str:
    """What a JSON schema allows, in words."""
    if "x-allowed" in node:
        return str(node["x-allowed"])
    if "enum" in node:
        return f"one of {', '.join(map(str, node['enum']))}"
    if "anyOf" in node:
        return _allowed(_followed(node["anyOf"][0], schema), schema)
    kind = node.get("type")
    if kind in ("integer", "number"):
        return _number_words(kind == "integer", node.get("minimum", -math.inf), node.get("maximum", math.inf))
    words = {"boolean": "true or false", "array": "a list", "object": "a section with fields of its own"}
    return words.get(str(kind), "text")
