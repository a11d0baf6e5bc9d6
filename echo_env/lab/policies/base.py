"""The one registry of policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from echo_env.common.registry import Entry, Registry
from echo_env.lab.config import LabConfig
from echo_env.lab.simulation.policy import Policy

PolicyFactory = Callable[..., Policy]
"""Called with a config, and with the arguments that the policy's name carries."""

Factory = TypeVar("Factory", bound=PolicyFactory)


_REGISTRY: Registry[Policy] = Registry("policy")


def register_policy(name: str) -> Callable[[Factory], Factory]:
    """Class decorator (or for a function): the factory makes the policy called ``name``, given a config.

    Further parameters of the factory are the policy's arguments: ``policy_5(alpha=1, beta=0.25)`` is made by
    ``factory(config, alpha=1.0, beta=0.25)``. Their annotations (bool, int, float, str, Literal, and unions of
    them) say what is allowed.

    :param name: without parentheses
    :raises ValueError: there is one of this name
    """

    return _REGISTRY.register(name)


def register_cases(prefix: str, cases: range) -> Callable[[Factory], Factory]:
    """Decorator for a family: the factory makes ``<prefix><n>``, given a config and a case n.

    :param prefix: what the names of the family have in common
    :param cases: the numbers at their ends
    :raises ValueError: there is one of these names
    """

    def add(factory: Factory) -> Factory:
        def of_case(case: int) -> PolicyFactory:
            return lambda config: factory(config, case)

        for case in cases:
            _REGISTRY.add(f"{prefix}{case}", Entry(of_case(case), f"{prefix}{cases[0]}..{cases[-1]}"))
        return factory

    return add


def policy_names() -> list[str]:
    """What :func:`make_policy` knows, for people to read.

    A policy that cannot be made without arguments stands with them, as ``policy_5(alpha, beta)``; a family
    stands once, as ``policy_5_case_1..10``.
    """
    return _REGISTRY.names()


def make_policy(name: str, config: LabConfig) -> Policy:
    """Make a policy by its name.

    >>> make_policy("policy_5(beta=.25, alpha=1.0)", LabConfig.load("baseline")).name
    'policy_5(alpha=1, beta=0.25)'

    :param name: ``name`` or ``name(argument=value, ...)``, see :func:`policy_names`; values are read as YAML scalars
    :param config: the lab it is for
    :raises ValueError: no such policy (lists the known ones and the nearest match), or arguments that it does
        not take
    """
    return _REGISTRY.make(name, config)
