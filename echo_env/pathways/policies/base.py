"""The registry of policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from echo_env.common.registry import Registry
from echo_env.pathways.config import PathwaysConfig
from echo_env.pathways.simulation.policy import Policy

Factory = TypeVar("Factory", bound=Callable[..., Policy])

_REGISTRY: Registry[Policy] = Registry("policy")


def register_policy(name: str) -> Callable[[Factory], Factory]:
    """Decorator that registers a factory: ``factory(config, **arguments)`` makes the policy called ``name``.

    :param name: name without arguments
    :raises ValueError: the name is taken
    """
    return _REGISTRY.register(name)


def policy_names() -> list[str]:
    """The policies that :func:`make_policy` can make, with their arguments."""
    return _REGISTRY.names()


def make_policy(name: str, config: PathwaysConfig) -> Policy:
    """Make a policy from its name.

    >>> make_policy("auction(bids=value)", PathwaysConfig.load("baseline")).name
    'auction(bids=value)'

    :param name: ``name`` or ``name(argument=value, ...)``, see :func:`policy_names`
    :param config: the hospital
    :raises ValueError: an unknown policy (lists the known ones and the nearest match), or invalid arguments
    """
    return _REGISTRY.make(name, config)
