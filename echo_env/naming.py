"""How a policy is asked for: ``name``, or ``name(argument=value, ...)``."""

from __future__ import annotations

import difflib
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Literal, Union

import yaml

_IN_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text", type(None): "null"}


def split_name(text: str) -> tuple[str, dict[str, str]]:
    """Take apart what was asked for; values may have parentheses of their own.

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
            near = difflib.get_close_matches(argument, parameters, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
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
    """The one way in which a policy with these arguments is written.

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
        return " or ".join(_written(choice) for choice in typing.get_args(kind))
    return _IN_WORDS.get(kind, "any value")
