"""The lab that a model was trained on, and what differs between it and another one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from echo_env import ENV_IDS
from echo_env.lab import Lab, load_lab
from echo_env.lab.config import ConfigError
from echo_env.lab.config.clock import clock_text

MOST = 5
"""Most differences that a sentence names; further ones are counted."""


def differences(trained: Lab, lab: Lab) -> list[str]:
    """Fields in which a lab differs from the one of a training, their dotted paths and both values.

    >>> differences(load_lab("scarce"), load_lab("scarce").replace(rooms__non_fetal=4, name="mine"))
    ['rooms.non_fetal was 3 there and is 4 here']

    :param trained: lab of the training
    :param lab: the other lab; its name does not count
    """
    if type(trained) is not type(lab):
        return ["the one is of fetal and non-fetal exams in the short form, the other has exam types of its own"]
    was, now = (dict(_leaves(config, "", config.hours.opening_min)) for config in (trained, lab))
    paths = [path for path in {**was, **now} if path != "name" and was.get(path) != now.get(path)]
    return [_words(path, was.get(path), now.get(path)) for path in paths]


def _leaves(part: Any, prefix: str, opening: int) -> Iterator[tuple[str, Any]]:
    entries = (
        part if isinstance(part, Mapping) else {own.name: getattr(part, own.name) for own in dataclasses.fields(part)}
    )
    for name, value in entries.items():
        path = f"{prefix}{name}"
        if dataclasses.is_dataclass(value) or isinstance(value, Mapping):
            yield from _leaves(value, f"{path}.", opening)
        elif prefix == "appointments.":
            yield path, tuple("no patient" if time is None else clock_text(opening + time) for time in value)
        else:
            yield path, value


def _words(path: str, was: Any, now: Any) -> str:
    if not (isinstance(was, tuple) and isinstance(now, tuple)):
        return f"{path} was {_value(was)} there and is {_value(now)} here"
    if len(was) != len(now):
        return f"{path} had {len(was)} entries there and has {len(now)} here"
    one, other = next((a, b) for a, b in zip(was, now, strict=True) if a != b)
    return f"{path} had {one} there where it has {other} here"


def _value(value: Any) -> str:
    return "not given" if value is None else str(value)


def listed(words: list[str]) -> str:
    """Differences as a part of a sentence.

    :param words: see :func:`differences`
    """
    more = len(words) - MOST
    return "; ".join(words[:MOST]) + (f"; and {more} more fields differ" if more > 0 else "")


def lab_of(env_spec: Mapping[str, Any]) -> Lab | None:
    """The lab of an environment.

    :param env_spec: its ``id`` and ``kwargs``, as a model of our zoo says them
    :return: None if they name no lab
    :raises ConfigError: they name a file that is not here, or cannot be read
    """
    source = env_spec.get("kwargs", {}).get("config") or ENV_IDS.get(str(env_spec.get("id")))
    return None if source is None else load_lab(source)


def training_note(name: str, env_spec: Mapping[str, Any], lab: Lab) -> str:
    """One sentence about a model that works in another lab than the one it was trained on; empty if it does not.

    :param name: of the model, for the sentence
    :param env_spec: see :func:`lab_of`
    :param lab: where it works
    """
    try:
        trained = lab_of(env_spec)
    except ConfigError as error:
        return f"{name} was trained on a lab that cannot be compared with {lab.name!r}: {error}"
    found = [] if trained is None else differences(trained, lab)
    if trained is None or not found:
        return ""
    return f"{name} was trained on another lab, {trained.name!r}: {listed(found)}"
