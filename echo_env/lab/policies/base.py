"""The registry of policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from echo_env.common.registry import Entry, Registry
from echo_env.lab.config import LabConfig
from echo_env.lab.simulation.policy import Policy

PolicyFactory = Callable[..., Policy]
"""Makes a policy from a config and the arguments in the policy's name."""

Factory = TypeVar("Factory", bound=PolicyFactory)


_REGISTRY: Registry[Policy] = Registry("policy")


def register_policy(name: str) -> Callable[[Factory], Factory]:
    """Decorator for a class or function: the factory makes the policy called ``name``, given a config.

    The factory's other parameters are the policy's arguments: ``policy_5(alpha=1, beta=0.25)`` is made by
    ``factory(config, alpha=1.0, beta=0.25)``. Their annotations (bool, int, float, str, Literal, and unions of
    them) say what is allowed.

    A policy that offers ``tiers`` or ``chooser`` runs on the compiled engine: see
    :mod:`~echo_env.lab.simulation.policy`.

    :param name: without parentheses
    :raises ValueError: the name is taken
    """

    return _REGISTRY.register(name)


def register_cases(prefix: str, cases: range) -> Callable[[Factory], Factory]:
    """Decorator for a family: the factory makes ``<prefix><n>``, given a config and a case n.

    :param prefix: common prefix of the names
    :param cases: the numbers that follow it
    :raises ValueError: one of the names is taken
    """

    def add(factory: Factory) -> Factory:
        def of_case(case: int) -> PolicyFactory:
            return lambda config: factory(config, case)

        for case in cases:
            _REGISTRY.add(f"{prefix}{case}", Entry(of_case(case), f"{prefix}{cases[0]}..{cases[-1]}"))
        return factory

    return add


def policy_names() -> list[str]:
    """Names that :func:`make_policy` knows, as shown to people.

    Required arguments are shown, as in ``policy_5(alpha, beta)``; a family is one entry, ``policy_5_case_1..10``.
    """
    return _REGISTRY.names()


def make_policy(name: str, config: LabConfig) -> Policy:
    """Make a policy by its name.

    >>> make_policy("policy_5(beta=.25, alpha=1.0)", LabConfig.load("baseline")).name
    'policy_5(alpha=1, beta=0.25)'

    :param name: ``name`` or ``name(argument=value, ...)``, see :func:`policy_names`; values are read as YAML scalars
    :param config: the lab
    :raises ValueError: unknown policy (the message lists the known ones and the nearest match), or arguments that
        it does not take
    """
    return _REGISTRY.make(name, config)
