"""What a policy is, and the one registry of them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from echo_env.lab.config import LabConfig
from echo_env.lab.patient import Start
from echo_env.lab.whiteboard import LabView


@runtime_checkable
class Policy(Protocol):
    """Decides who begins an exam now. Rules, optimisers and learned agents are all this one thing."""

    name: str

    def begin_day(self, view: LabView, seed: int) -> None:
        """Called at opening.

        :param view: the lab, empty
        :param seed: the day's own seed, for a policy that throws dice
        """

    def decide(self, view: LabView) -> Sequence[Start]:
        """The exams to begin in this minute; called when at least one is possible.

        :param view: the lab as its staff see it
        """


PolicyFactory = Callable[[LabConfig], Policy]

_REGISTRY: dict[str, PolicyFactory] = {}


def register_policy(name: str) -> Callable[[PolicyFactory], PolicyFactory]:
    """Class decorator (or for a function): the factory makes the policy called ``name``, given a config."""

    def add(factory: PolicyFactory) -> PolicyFactory:
        if name in _REGISTRY:
            raise ValueError(f"policy {name!r} is registered already")
        _REGISTRY[name] = factory
        return factory

    return add


def policy_names() -> list[str]:
    """Names that :func:`make_policy` knows."""
    return sorted(_REGISTRY)


def make_policy(name: str, config: LabConfig) -> Policy:
    """Make a policy by its name.

    :param name: one of :func:`policy_names`
    :param config: the lab it is for
    :raises ValueError: no such policy; lists the known ones and the nearest match
    """
    if name not in _REGISTRY:
        near = difflib.get_close_matches(name, _REGISTRY, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise ValueError(f"policy {name!r} is unknown{hint}; known: {', '.join(policy_names())}")
    return _REGISTRY[name](config)
