"""The one registry of policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from echo_env.common.registry import Registry
from echo_env.pathways.config import PathwaysConfig
from echo_env.pathways.simulation.policy import Policy

Factory = TypeVar("Factory", bound=Callable[..., Policy])

_REGISTRY: Registry[Policy] = Registry("policy")


def register_policy(name: str) -> Callable[[Factory], Factory]:
    """Decorator: the factory makes the policy called ``name``, given a config and the arguments of its name.

    :param name: without parentheses
    :raises ValueError: there is one of this name
    """
    return _REGISTRY.register(name)


def policy_names() -> list[str]:
    """What :func:`make_policy` knows, for people to read."""
    return _REGISTRY.names()


def make_policy(name: str, config: PathwaysConfig) -> Policy:
    """Make a policy by its name.

    >>> make_policy("auction(bids=value)", PathwaysConfig.load("baseline")).name
    'auction(bids=value)'

    :param name: ``name`` or ``name(argument=value, ...)``, see :func:`policy_names`
    :param config: the hospital it is for
    :raises ValueError: no such policy (lists the known ones and the nearest match), or arguments that it does not
        take
    """
    return _REGISTRY.make(name, config)
