"""From what was typed to labs and policies."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from echo_env import ENV_IDS, PATHWAYS_ID
from echo_env.commands.players.generalist import advice, find_generalist, is_generalist
from echo_env.commands.players.models import MODEL_KWARGS, find_agent, is_agent, trained_policy
from echo_env.common.words import did_you_mean
from echo_env.lab import Lab, LabConfig, Policy, load_lab, make_policy, policy_names
from echo_env.lab.decisions.observation import OBSERVATIONS

ENV_VALUES: dict[str, dict[str, Any]] = {
    "observation": {name: name for name in OBSERVATIONS},
    "idling": {"True": True, "true": True, "False": False, "false": False},
}
"""Argument of an environment -> its values, as they are typed."""

RULES = ("policy_2", "policy_1", "fetal_first", "random")
"""Rules that are compared by default in labs of fetal and non-fetal exams."""
RULES_OF_ANY_LAB = ("policy_2", "policy_1", "scarce_first", "random")
"""Those in all other labs."""

_noted: set[str] = set()
"""Models of which it has been said that they were trained on another lab."""

_advised: set[tuple[str, str]] = set()
"""Agents and labs for which it has been said what to use."""


def find_lab(env_id: str, config: str | None) -> Lab:
    """The lab of an env id, or one's own.

    :param env_id: env id
    :param config: preset or YAML file that takes precedence, of either form of lab; ``lab.yaml#monday`` is one of its
        days
    :raises ValueError: unknown id; lists the known ones
    """
    if env_id not in ENV_IDS:
        known = [*ENV_IDS, PATHWAYS_ID]
        raise ValueError(f"env {env_id!r} is unknown{did_you_mean(env_id, known)}; known: {', '.join(known)}")
    return load_lab(ENV_IDS[env_id] if config is None else config)


def default_policies(config: Lab) -> tuple[str, ...]:
    """The rules that are compared if none are named.

    :param config: the lab
    """
    return RULES if isinstance(config, LabConfig) else RULES_OF_ANY_LAB


def read_env_kwargs(pairs: Sequence[str]) -> dict[str, Any]:
    """``["idling:False"]`` -> ``{"idling": False}``.

    :raises ValueError: a key other than those of :data:`MODEL_KWARGS`, or a value that it cannot have
    """
    split = [pair.partition(":") for pair in pairs]
    for key, _, _ in split:
        if key not in MODEL_KWARGS:
            raise ValueError(f"--env-kwargs has {key!r}, but takes only {' and '.join(MODEL_KWARGS)}, as KEY:VALUE")
    found: dict[str, Any] = {}
    for key, _, text in split:
        allowed = ENV_VALUES[key]
        if text not in allowed:
            raise ValueError(f"--env-kwargs has {key}:{text}, but {key} must be one of {', '.join(allowed)}")
        found[key] = allowed[text]
    return found


def find_policies(
    given: Sequence[str], config: Lab, env_kwargs: Mapping[str, Any], trust: bool = False
) -> dict[str, Policy]:
    """Make the policies that were typed.

    :param given: rules by name, models as ``ALGO=PATH``, ``agent`` or ``agent_NAME``
    :param config: the lab
    :param env_kwargs: what the envs of models were made with, if they do not say
    :param trust: open models that are pickles, which can run code of whoever made them
    :return: as typed -> policy; standard error says of a model that it was trained on another lab
    :raises ValueError: unknown, unusable, or given twice
    """
    found: dict[str, Policy] = {}
    for name in given:
        if name in found:
            raise ValueError(f"--policies has {name!r} twice")
        # The arguments of a rule, as in policy_5(alpha=1), have an equals sign too.
        model = re.fullmatch(r"([^=(]*)=(.*)", name)
        if model and not (model[1] and model[2]):
            raise ValueError(f"--policies has {name!r}, but a trained model is given as ALGO=PATH")
        if is_generalist(name):
            found[name] = find_generalist(name, config, env_kwargs)
        elif is_agent(name) and name not in policy_names():
            found[name] = find_agent(name, config, env_kwargs)
        else:
            found[name] = (
                trained_policy(model[1], model[2], config, env_kwargs, trust=trust)
                if model
                else make_policy(name, config)
            )
    if env_kwargs and not any(hasattr(policy, "note") for policy in found.values()):
        raise ValueError("--env-kwargs says how a model was trained, but no model is among --policies: leave it out")
    for name, policy in found.items():
        note = getattr(policy, "note", "")
        # Once a model: the cells of a sweep ask again.
        if note and name not in _noted:
            _noted.add(name)
            print(f"Warning: {note}", file=sys.stderr)
    for name in filter(is_generalist, found):
        if (name, config.name) not in _advised:
            _advised.add((name, config.name))
            print(advice(config, found[name]), file=sys.stderr)  # type: ignore[arg-type]
    names = [policy.name for policy in found.values()]
    for name, policy in found.items():
        if names.count(policy.name) > 1:
            # Two models of one algorithm are told apart by what was typed.
            policy.name = name
    return found


def reference_name(given: str | None, policies: Mapping[str, Policy]) -> str:
    """What tables call the policy that ``--reference`` names; empty if none was given.

    :raises ValueError: an empty name
    """
    if given == "":
        raise ValueError(f"--reference is '', but must be one of {', '.join(policies)}")
    if given and given in policies:
        return policies[given].name
    return given or ""
