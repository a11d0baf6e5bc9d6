"""A registry of factories by name; a name may carry arguments: ``name(argument=value, ...)``."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar, Union, cast

from echo_env.common.words import did_you_mean


class Named(Protocol):
    """Has a name."""

    name: str


Made = TypeVar("Made")
NamedThing = TypeVar("NamedThing", bound=Named)
Factory = TypeVar("Factory", bound=Callable[..., Any])


class Entry(NamedTuple):
    """A registered factory.

    :param factory: called as ``factory(config, **arguments)``
    :param shown: its name in lists; the members of a family share one
    """

    factory: Callable[..., Any]
    shown: str


class Registry(dict[str, Entry], Generic[Made]):
    """Name -> factory.

    :param kind: noun for what is made, for messages
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self._kind = kind

    def register(self, name: str) -> Callable[[Factory], Factory]:
        """Decorator: the factory makes ``name``, given a config.

        Further parameters of the factory are arguments that the name may carry: ``name(alpha=1)`` is made by
        ``factory(config, alpha=1.0)``. Their annotations (bool, int, float, str, Literal, and unions of them) say
        what is allowed.

        :param name: without parentheses
        :raises ValueError: the name is taken
        """

        def add(factory: Factory) -> Factory:
            required = required_of(factory)
            self.add(name, Entry(factory, f"{name}({', '.join(required)})" if required else name))
            return factory

        return add

    def add(self, name: str, entry: Entry) -> None:
        """Add a factory.

        :param name: without parentheses
        :param entry: the factory and its name in lists
        :raises ValueError: the name is taken
        """
        if name in self:
            raise ValueError(f"{self._kind} {name!r} is registered already")
        self[name] = entry

    def names(self) -> list[str]:
        """Names that :meth:`make` takes, sorted, each with its required arguments."""
        return sorted({entry.shown for entry in self.values()})

    def make(self, name: str, config: Any) -> Made:
        """Make one by its name; its ``name`` becomes the canonical form of that name.

        :param name: ``name`` or ``name(argument=value, ...)``; values are read as YAML scalars
        :param config: what it is for
        :raises ValueError: no such name (lists the known ones and the nearest match), or arguments that it does not
            take
        """
        plain, given = split_name(name)
        if plain not in self:
            hint = did_you_mean(plain, self)
            raise ValueError(f"{self._kind} {plain!r} is unknown{hint}; known: {', '.join(self.names())}")
        factory = self[plain].factory
        arguments = read_arguments(plain, factory, given)
        made: Any = factory(config, **arguments)
        made.name = write_name(plain, arguments)
        return cast(Made, made)


def policies_by_name(given: Sequence[str | NamedThing], make: Callable[[str], NamedThing]) -> dict[str, NamedThing]:
    """Policies by name, in order; those given by name are made.

    :param given: names, or policies themselves
    :param make: makes one by its name
    :raises ValueError: none is given, or two have the same name
    """
    made = [make(entry) if isinstance(entry, str) else entry for entry in given]
    names = [policy.name for policy in made]
    if not names:
        raise ValueError("policies is empty, but must name at least one")
    if len(set(names)) < len(names):
        raise ValueError(f"policies has {max(names, key=names.count)!r} twice, but names must differ")
    return dict(zip(names, made, strict=True))


_IN_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text", type(None): "null"}


def split_name(text: str) -> tuple[str, dict[str, str]]:
    """Split ``name(argument=value, ...)`` into name and arguments; values may have parentheses of their own.

    >>> split_name("rollout(base=policy_5(alpha=1,beta=1), samples=20)")
    ('rollout', {'base': 'policy_5(alpha=1,beta=1)', 'samples': '20'})

    :param text: as it was typed
    :raises ValueError: not of the form ``name(argument=value, ...)``
    """
    name, opened, rest = text.strip().partition("(")
    if not opened:
        return name, {}
    parts = _split_at_commas(rest.removesuffix(")")) if rest.endswith(")") else None
    if parts is None:
        raise ValueError(f"policy {text!r} has parentheses that do not match, but must be name(argument=value, ...)")
    given: dict[str, str] = {}
    for part in parts:
        argument, written, value = (piece.strip() for piece in part.partition("="))
        if not argument or not written or not value:
            raise ValueError(f"policy {text!r} has {part.strip()!r}, but its arguments are written argument=value")
        if argument in given:
            raise ValueError(f"policy {text!r} has argument {argument!r} twice, but must have it once")
        given[argument] = value
    return name.strip(), given


def _split_at_commas(inside: str) -> list[str] | None:
    """Split at the commas that are in no parentheses; None where parentheses do not match."""
    if not inside.strip():
        return []
    parts, depth = [""], 0
    for char in inside:
        depth += (char == "(") - (char == ")")
        if depth < 0:
            return None
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return None if depth else parts


def parameters_of(factory: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The named arguments of a factory: its parameters but the first, the config."""
    return dict(list(inspect.signature(factory, eval_str=True).parameters.items())[1:])


def required_of(factory: Callable[..., Any]) -> list[str]:
    """Named arguments that have no default."""
    return [name for name, p in parameters_of(factory).items() if p.default is inspect.Parameter.empty]


def read_arguments(name: str, factory: Callable[..., Any], given: Mapping[str, str]) -> dict[str, Any]:
    """Read the values that a factory is to be called with, in the order of its signature.

    :param name: the policy, for messages
    :param factory: called as ``factory(config, **arguments)``; annotations say what is allowed
    :param given: argument -> value as it was typed: a YAML scalar, else plain text
    :raises ValueError: an argument that is unknown, missing, or of another type than its annotation
    """
    parameters = parameters_of(factory)
    takes = ", ".join(f"{key} ({_words(p.annotation)})" for key, p in parameters.items()) or "no arguments"
    for argument in given:
        if argument not in parameters:
            hint = did_you_mean(argument, parameters)
            raise ValueError(f"policy {name!r} has no argument {argument!r}{hint}; it takes {takes}")
    for argument in required_of(factory):
        if argument not in given:
            raise ValueError(f"policy {name!r} needs a value for {argument!r}; it takes {takes}")
    arguments = {}
    for argument in [key for key in parameters if key in given]:
        kind = parameters[argument].annotation
        try:
            arguments[argument] = _fit(given[argument], kind)
        except TypeError:
            raise ValueError(
                f"policy {name!r} has {argument}={given[argument]}, but {argument} must be {_words(kind)}"
            ) from None
    return arguments


def write_name(name: str, arguments: Mapping[str, Any]) -> str:
    """The canonical name of a policy with these arguments.

    >>> write_name("policy_5", {"alpha": 1.0, "beta": 0.25})
    'policy_5(alpha=1, beta=0.25)'
    """
    inside = ", ".join(f"{key}={_written(value)}" for key, value in arguments.items())
    return f"{name}({inside})" if inside else name


def _written(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _scalar(text: str) -> Any:
    """The YAML scalar that a text stands for; the text itself where it is none."""
    # Few programs name a policy with arguments.
    import yaml

    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return text if isinstance(value, (list, dict, date)) else value


def _fit(text: str, kind: Any) -> Any:
    """The value of an annotated argument.

    :raises TypeError: it has none
    """
    value, origin = _scalar(text), typing.get_origin(kind)
    if origin in (Union, types.UnionType):
        for member in typing.get_args(kind):
            try:
                return _fit(text, member)
            except TypeError:
                continue
        raise TypeError(text)
    if origin is Literal:
        allowed = {_written(choice): choice for choice in typing.get_args(kind)}
        fits, value = text in allowed, allowed.get(text)
    elif kind is float:
        # YAML reads 1e-3 as text.
        value = _float(value)
        fits = value is not None
    elif kind is str:
        fits, value = True, value if isinstance(value, str) else text
    elif kind in _IN_WORDS:
        fits = type(value) is kind
    else:
        fits = True
    if not fits:
        raise TypeError(text)
    return value


def _float(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def _words(kind: Any) -> str:
    """What an annotation allows, in words."""
    origin = typing.get_origin(kind)
    if origin in (Union, types.UnionType):
        return " or ".join(_words(member) for member in typing.get_args(kind))
    if origin is Literal:
        *first, last = (_written(choice) for choice in typing.get_args(kind))
        return f"{', '.join(first)} or {last}" if first else last
    return _IN_WORDS.get(kind, "any value")
