"""Ship a trained agent in zoo_configs/agents, as the policy `agent` of `evaluate.py --policies policy_2 agent`.

python benchmarks/export_agent.py logs/maskable_dqn/EchoLabScarce-v0_1 --env EchoLabScarce-v0

The run's best model, else its last one, is stored to act with: weights, and what else acting needs as JSON. Nothing in
the file is a pickle, so it loads on any version of numpy, and opening it runs no code. It is evaluated on fixed days,
and agents.yml gets its entry.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import os
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from record import commit

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


from echo_env import ANY_ID  # noqa: E402
from echo_env.commands.players.agent_list import LIST, ListedAgent, read_list  # noqa: E402
from echo_env.commands.players.models import AGENTS, trained_policy  # noqa: E402
from echo_env.commands.players.policies import find_lab  # noqa: E402
from echo_env.common.files import written_whole  # noqa: E402
from echo_env.lab import Lab  # noqa: E402
from echo_env.lab import evaluate as evaluate_policies  # noqa: E402
from sb3_ext.zoo.agents import find_statistics, load_agent  # noqa: E402
from sb3_ext.zoo.saved.description import describe  # noqa: E402
from sb3_ext.zoo.saved.files import find_model  # noqa: E402
from sb3_ext.zoo.saved.plain import export as write_plain  # noqa: E402
from sb3_ext.zoo.saved.plain import is_plain, read_description  # noqa: E402

DAYS, SEED = 400, 2026
"""The days on which shipped agents are evaluated."""
METRICS = ("penalty", "waiting_penalty", "wait_fetal_min", "wait_non_fetal_min")
REFERENCE = "policy_2"

MOST_BYTES = 2**20
"""Largest model file that is accepted, bytes."""


class _RunLoader(yaml.SafeLoader):
    """Reads the args.yml of a run: rl_zoo3 writes an OrderedDict, which safe YAML does not know."""


_RunLoader.add_constructor(
    "tag:yaml.org,2002:python/object/apply:collections.OrderedDict",
    lambda loader, node: dict(loader.construct_sequence(node, deep=True)[0]),
)


def how_it_was_trained(run: Path, env_id: str) -> dict[str, Any]:
    """The arguments of a run, with its ``command``.

    :raises ValueError: no folder of a run, or one of another env
    """
    settings = run / env_id
    try:
        arguments: dict[str, Any] = yaml.load((settings / "args.yml").read_text(encoding="utf8"), _RunLoader)
        command = (settings / "command.txt").read_text(encoding="utf8").split()
    except FileNotFoundError as error:
        raise ValueError(f"{run} is no folder of a run on {env_id}: there is no {error.filename}") from error
    # Where the interpreter and the script lay on that machine says nothing to others.
    words = ["python", Path(command[1]).name, *map(_from_root, command[2:])]
    return {**arguments, "command": " ".join(words), "conf_file": _from_root(arguments["conf_file"])}


def _from_root(path: str) -> str:
    """A path relative to the repository, or its name if it lies elsewhere: what ships names no other folder."""
    inside = str(path).removeprefix(f"{ROOT}{os.sep}")
    return Path(inside).name if Path(inside).is_absolute() else inside


def evaluated_in(env_id: str) -> Lab:
    """The lab of the evaluation in an agent's entry: that of its env; the scarce one of the agent for any lab.

    :param env_id: env it was trained on
    """
    return find_lab("EchoLabScarce-v0" if env_id == ANY_ID else env_id, None)


def numbers(algo: str, path: Path, config: Lab) -> dict[str, float]:
    """Evaluate an agent on the fixed days: means, and the mean paired difference in penalty to the reference.

    :param algo: its algorithm
    :param path: its file
    :param config: the lab
    """
    agent = trained_policy(algo, str(path), config, {})
    comparison = evaluate_policies(config, [REFERENCE, agent], DAYS, SEED)
    found: dict[str, float] = {"days": DAYS, "seed": SEED}
    for metric in METRICS:
        found[metric] = float(np.round(comparison.mean(agent.name, metric).mean, 4))
    found[f"penalty_minus_{REFERENCE}"] = float(np.round(comparison.paired(agent.name, "penalty").mean, 4))
    return found


def export(run: Path, env_id: str, folder: Path, name: str = "") -> ListedAgent:
    """Put the agent of a run into the folder, replacing an earlier one for the same env and of the same name.

    :param run: folder of the run, which is trusted: a model of an earlier version is unpickled
    :param env_id: env it was trained on
    :param folder: where the list is
    :param name: its own name, if it is not the one that ``agent`` stands for
    :raises ValueError: the run cannot be used, or its model is too large
    """
    config = evaluated_in(env_id)
    trained = how_it_was_trained(run, env_id)
    algo, source, listed = trained["algo"], find_model(run), read_list(folder)
    plain = is_plain(source)
    with warnings.catch_warnings():
        # What observations are normalised with is exported too.
        warnings.simplefilter("ignore", UserWarning)
        model = load_agent(algo, source, trust=not plain)
    description = read_description(source) if plain else describe(model, find_statistics(source, trust=True))
    ended = datetime.datetime.fromtimestamp(source.stat().st_mtime, datetime.UTC)
    origin: dict[str, Any] = {
        "command": trained["command"],
        "config_file": trained["conf_file"],
        "seed": int(description.seed or 0),
        "commit": commit(),
        "date": ended.date().isoformat(),
    }
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        new = Path(temporary) / ("_".join([env_id, name] if name else [env_id]) + ".zip")
        write_plain(model, description.model_copy(update={"provenance": origin}), new)
        size = new.stat().st_size
        if size > MOST_BYTES:
            raise ValueError(f"{source} has {size:,} bytes when exported, but may have at most {MOST_BYTES:,}")
        entry = ListedAgent(
            algo=algo,
            file=new.name,
            sha256=hashlib.sha256(new.read_bytes()).hexdigest(),
            **origin,
            evaluation=numbers(algo, new, config),
        )
        os.replace(new, folder / new.name)
    write_list(folder, {**listed, key_of(env_id, name): entry})
    return entry


def key_of(env_id: str, name: str) -> str:
    """The key of an agent in the list."""
    return f"{env_id}/{name}" if name else env_id


def write_list(folder: Path, agents: dict[str, ListedAgent]) -> None:
    """Write agents.yml; the comment at its head stays.

    :param folder: where it is
    :param agents: key -> agent
    """
    lines = (folder / LIST).read_text(encoding="utf8").splitlines()
    head = [line for line in lines if line.startswith("#")]
    entries = {env_id: agent.as_entry() for env_id, agent in sorted(agents.items())}
    with written_whole(folder / LIST) as file:
        file.write("\n".join([*head, yaml.safe_dump(entries, sort_keys=False, width=1000)]))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command: 0, or 2 for a run that cannot be used, said in one sentence."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a run of train.py")
    parser.add_argument("--env", required=True, help="the env id it was trained on")
    parser.add_argument("--name", default="", help="keep it as agent_NAME, not as agent")
    parser.add_argument("--folder", type=Path, default=AGENTS, help="where the list is: %(default)s")
    arguments = parser.parse_args(argv)
    try:
        entry = export(arguments.run, arguments.env, arguments.folder, arguments.name)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(
        yaml.safe_dump({key_of(arguments.env, arguments.name): entry.as_entry()}, sort_keys=False, width=1000), end=""
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
