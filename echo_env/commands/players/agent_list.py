"""The list of trained agents that ship: ``agents.yml``, beside the models.

An environment id has the agent that the policy ``agent`` stands for; ``ID/NAME`` is a further one, ``agent_NAME``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import yaml

LIST = "agents.yml"


@dataclass(frozen=True)
class ListedAgent:
    """A trained agent, its provenance and its evaluation.

    :param algo: Name of its algorithm in the zoo
    :param file: The model's zip, in the folder of the list
    :param sha256: Of the file; a model with this one is trusted
    :param command: The command that trained it
    :param config_file: The file of hyperparameters that the command read
    :param seed: Seed of the training
    :param commit: What was checked out when the agent was exported
    :param date: When the training ended, YYYY-MM-DD
    :param evaluation: Size and seed of an evaluation, and the means of its metrics, by name
    """

    algo: str
    file: str
    sha256: str
    command: str
    config_file: str
    seed: int
    commit: str
    date: str
    evaluation: dict[str, float]

    def as_entry(self) -> dict[str, Any]:
        """The entry in the list."""
        return asdict(self)


def read_list(folder: str | Path) -> dict[str, ListedAgent]:
    """Read the list.

    :param folder: the folder that holds it
    :return: environment id -> its agent; ``ID/NAME`` -> a further one, with a name of its own
    :raises ValueError: it cannot be read, or an entry lacks a field or has an unknown one
    :raises OSError: there is none
    """
    path = Path(folder) / LIST
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is no YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(entries, dict):
        raise ValueError(f"{path} must have an entry for each environment id.")
    return {str(env_id): _read_entry(f"{path}, {env_id}", entry) for env_id, entry in entries.items()}


def _read_entry(where: str, entry: Any) -> ListedAgent:
    names = [field.name for field in fields(ListedAgent)]
    given = list(entry) if isinstance(entry, Mapping) else []
    if sorted(given) != sorted(names):
        raise ValueError(f"{where}, must have {', '.join(names)}, but has {', '.join(map(str, given)) or 'none'}.")
    typed: tuple[tuple[type, tuple[str, ...]], ...] = (
        (int, ("seed",)),
        (dict, ("evaluation",)),
        (str, tuple(name for name in names if name not in ("seed", "evaluation"))),
    )
    for kind, own in typed:
        for name in own:
            if not isinstance(entry[name], kind):
                words = {int: "a whole number", dict: "metrics by name", str: "text, in quotes"}
                raise ValueError(f"{where}, has {name}: {entry[name]!r}, but it must be {words[kind]}.")
    if Path(entry["file"]).name != entry["file"]:
        raise ValueError(f"{where}, has file: {entry['file']!r}, but models lie in the folder of the list.")
    return ListedAgent(**entry)
