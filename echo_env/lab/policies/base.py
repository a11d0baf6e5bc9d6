"""The registry of policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from echo_env.common.registry import Entry, Registry, split_name
from echo_env.lab.config import LabConfig
from echo_env.lab.config.lab import Lab
from echo_env.lab.simulation.policy import Policy

PolicyFactory = Callable[..., Policy]
"""Makes a policy from a config and the arguments in the policy's name."""

Factory = TypeVar("Factory", bound=PolicyFactory)


_REGISTRY: Registry[Policy] = Registry("policy")


_TWO_KINDS: set[str] = set()
"""Names of policies for labs of fetal and non-fetal exams only."""


def register_policy(name: str, two_kinds: bool = False) -> Callable[[Factory], Factory]:
    """Decorator for a class or function: the factory makes the policy called ``name``, given a config.

    The factory's other parameters are the policy's arguments: ``policy_5(alpha=1, beta=0.25)`` is made by
    ``factory(config, alpha=1.0, beta=0.25)``. Their annotations (bool, int, float, str, Literal, and unions of
    them) say what is allowed.

    A policy that offers ``tiers`` or ``chooser`` runs on the compiled engine: see
    :mod:`~echo_env.lab.simulation.policy`.

    :param name: without parentheses
    :param two_kinds: whether it is for labs of fetal and non-fetal exams only
    :raises ValueError: the name is taken
    """
    if two_kinds:
        _TWO_KINDS.add(name)
    return _REGISTRY.register(name)


def register_cases(prefix: str, cases: range) -> Callable[[Factory], Factory]:
    """Decorator for a family: the factory makes ``<prefix><n>``, given a config and a case n.

    :param prefix: common prefix of the names; such families are for labs of fetal and non-fetal exams only
    :param cases: the numbers that follow it
    :raises ValueError: one of the names is taken
    """

    def add(factory: Factory) -> Factory:
        def of_case(case: int) -> PolicyFactory:
            return lambda config: factory(config, case)

        for case in cases:
            _TWO_KINDS.add(f"{prefix}{case}")
            _REGISTRY.add(f"{prefix}{case}", Entry(of_case(case), f"{prefix}{cases[0]}..{cases[-1]}"))
        return factory

    return add


def policy_names() -> list[str]:
    """Names that :func:`make_policy` knows, as shown to people.

    Required arguments are shown, as in ``policy_5(alpha, beta)``; a family is one entry, ``policy_5_case_1..10``.
    """
    return _REGISTRY.names()


def policies_of_any_lab() -> list[str]:
    """Names of the policies that work in any lab."""
    return sorted({entry.shown for name, entry in _REGISTRY.items() if name not in _TWO_KINDS})


def make_policy(name: str, config: Lab) -> Policy:
    """Make a policy by its name.

    >>> make_policy("policy_5(beta=.25, alpha=1.0)", LabConfig.load("baseline")).name
    'policy_5(alpha=1, beta=0.25)'

    :param name: ``name`` or ``name(argument=value, ...)``, see :func:`policy_names`; values are read as YAML scalars
    :param config: the lab
    :raises ValueError: unknown policy (the message lists the known ones and the nearest match), arguments that it
        does not take, or a policy for labs of fetal and non-fetal exams in another lab
    """
    plain, _ = split_name(name)
    if plain in _TWO_KINDS and not isinstance(config, LabConfig):
        raise ValueError(
            f"policy {plain!r} is for labs of fetal and non-fetal exams in the short form (rooms.fetal, ...), which "
            f"{config.name!r} is not; these work in any lab: {', '.join(policies_of_any_lab())}"
        )
    return _REGISTRY.make(name, config)
