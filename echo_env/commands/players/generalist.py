"""The agents that ship for any lab: the policies ``generalist`` and ``generalist_NAME``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from echo_env import ANY_ID
from echo_env.commands.players import models
from echo_env.commands.players.agent_list import ListedAgent, read_list
from echo_env.commands.players.models import TrainedPolicy, checked_file, trained_policy
from echo_env.lab import Lab

GENERALIST = "generalist"
"""In place of a policy's name: the trained agent that ships for labs of any kind. ``generalist_NAME`` is a further
one."""

MARGINS = {GENERALIST: 2.0, f"{GENERALIST}_reserve": 3.0}
"""It departs from the lab's better rule where it holds another action to be exp(2) = 7 times as likely the right one.
Of a few margins, that with which it wins in the most of 40 validation labs; of equals, that with the fewest lost."""


def is_generalist(policy: str) -> bool:
    """Whether a policy's name stands for a trained agent that ships for labs of any kind.

    :param policy: as typed
    """
    return policy == GENERALIST or policy.startswith(f"{GENERALIST}_")


def _entry(asked: str) -> ListedAgent | None:
    """What the list has of a generalist."""
    name = asked.removeprefix(GENERALIST).removeprefix("_")
    return read_list(models.AGENTS).get(f"{ANY_ID}/{name}" if name else ANY_ID)


def find_generalist(asked: str, config: Lab, env_kwargs: Mapping[str, Any]) -> TrainedPolicy:
    """A generalist as an agent of a lab.

    :param asked: ``generalist`` or ``generalist_NAME``
    :param config: the lab
    :param env_kwargs: see :class:`~echo_env.commands.players.models.TrainedPolicy`
    :return: the policy; its ``note`` says in which respects the lab lies outside of what it was trained on
    :raises ValueError: none ships, or its file has been changed
    """
    from echo_env.lab.family.outside import outside

    agent = _entry(asked)
    if agent is None:
        kept = [key.partition("/")[2] for key in read_list(models.AGENTS) if key.partition("/")[0] == ANY_ID]
        names = ", ".join(sorted("_".join([GENERALIST, name]) if name else GENERALIST for name in kept))
        raise ValueError(f"--policies has {asked!r}, but the agents for any lab that are kept are {names or 'none'}")
    policy = trained_policy(
        agent.algo, checked_file(agent), config, env_kwargs, margin=MARGINS.get(asked, MARGINS[GENERALIST])
    )
    policy.name = asked
    found = outside(config)
    if found:
        policy.note = f"{asked} was not trained on labs like {config.name!r}: it has {'; '.join(found)}"
    return policy


def with_shipped_file(arguments: Sequence[str]) -> list[str]:
    """A command line of ``train`` with the file of a generalist in place of its name.

    :param arguments: as typed
    :raises ValueError: none ships, or its file has been changed
    """
    entries = {argument: _entry(argument) for argument in arguments if is_generalist(argument)}
    return [checked_file(agent) if (agent := entries.get(argument)) else argument for argument in arguments]


def advice(config: Lab, policy: TrainedPolicy) -> str:
    """Whether to use the generalist in a lab or a rule, in one sentence, from days of their own.

    :param config: the lab
    :param policy: the generalist
    """
    from echo_env.lab.evaluation.guard import GUARD_DAYS, advise

    return advise(config, policy).words(policy.name, GUARD_DAYS)
