"""Compare rules and trained models on the same days.

python evaluate.py --env EchoLabScarce-v0 --policies policy_2 policy_1 fetal_first maskable_dqn=PATH \\
    --days 500 --seed 7

The first policy is the reference: the others' differences to it are taken day by day, so that what the day
brought cancels out. Intervals are 95 %. Nothing that is evaluated on can have been trained on.
"""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from collections.abc import Sequence
from typing import Any

import yaml

from echo_env import ENV_IDS
from echo_env.files import written_whole
from echo_env.lab import Comparison, ConfigError, LabConfig, Policy, evaluate, make_policy, policy_names
from echo_env.lab.evaluation import ENGINES
from echo_env.lab.policies.agent import AgentPolicy

COLUMNS = {
    "penalty": "penalty a day",
    "waiting_penalty": "waiting part",
    "wait_min": "wait (min)",
    "wait_fetal_min": "fetal wait",
    "left_waiting": "left at end",
    "workload": "exams each",
}
"""Metric -> heading, for the table; the JSON file has every metric."""


MODEL_KWARGS = ("observation", "idling")
"""Arguments of the env that decide what a model is shown and offered."""


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="evaluate.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", default="EchoLabScarce-v0", help="env id: %(default)s")
    parser.add_argument("--config", metavar="YAML", help="a lab of your own, instead of the env's")
    parser.add_argument(
        "--policies",
        nargs="+",
        default=["policy_2", "policy_1", "fetal_first", "random"],
        metavar="NAME",
        help=f"rules ({', '.join(policy_names())}) and models (ALGO=PATH); the first is the reference",
    )
    parser.add_argument("--days", type=int, default=500, help="how many days: %(default)s")
    parser.add_argument("--seed", type=int, default=7, help="which days: %(default)s")
    parser.add_argument("--engine", default="auto", help=f"{', '.join(ENGINES)}: %(default)s")
    parser.add_argument("--json", metavar="FILE", help="write all metrics there")
    parser.add_argument(
        "--env-kwargs",
        nargs="+",
        default=[],
        metavar="KEY:VALUE",
        help="how a model was trained (observation, idling), if the model file does not say",
    )
    return parser.parse_args(argv)


def find_lab(env_id: str, config: str | None) -> LabConfig:
    """The lab of an env id, or one's own.

    :raises ValueError: unknown id; lists the known ones
    """
    if config is not None:
        return LabConfig.load(config)
    if env_id not in ENV_IDS:
        near = difflib.get_close_matches(env_id, ENV_IDS, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise ValueError(f"env {env_id!r} is unknown{hint}; known: {', '.join(ENV_IDS)}")
    return LabConfig.load(ENV_IDS[env_id])


def read_env_kwargs(pairs: Sequence[str]) -> dict[str, Any]:
    """``["idling:False"]`` -> ``{"idling": False}``.

    :raises ValueError: a key that says nothing about how to ask a model
    """
    split = [pair.partition(":") for pair in pairs]
    for key, _, _ in split:
        if key not in MODEL_KWARGS:
            raise ValueError(f"--env-kwargs has {key!r}, but takes only {' and '.join(MODEL_KWARGS)}, as KEY:VALUE")
    return {key: yaml.safe_load(value) for key, _, value in split}


def find_policy(name: str, config: LabConfig, env_kwargs: dict[str, Any]) -> Policy:
    """A rule by its name, or a trained model given as ``ALGO=PATH``.

    :param name: as on the command line
    :param config: the lab
    :param env_kwargs: what the env of the model was made with, if the model does not say
    :raises ValueError: unknown rule or algorithm, no such file, or a model that does not fit the lab
    """
    algo, is_model, path = name.partition("=")
    if not is_model:
        return make_policy(name, config)
    # Rules alone need no torch, and start much faster without it.
    import torch

    from sb3_ext.zoo import load_agent

    torch.set_num_threads(1)
    model = load_agent(algo, path)
    trained_with = {**env_kwargs, **getattr(model, "env_spec", {}).get("kwargs", {})}
    kept = {key: trained_with[key] for key in MODEL_KWARGS if key in trained_with}
    return AgentPolicy(algo, model, config, **kept)


def distinct_names(policies: list[Policy], given: list[str]) -> None:
    """Tell two models of one algorithm apart by what was typed."""
    names = [policy.name for policy in policies]
    for policy, name in zip(policies, given, strict=True):
        if names.count(policy.name) > 1:
            policy.name = name


def show(comparison: Comparison, title: str) -> None:
    """Print the table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, caption="mean +- half of the 95 % interval; differences are taken day by day")
    table.add_column("policy", overflow="fold")
    for heading in COLUMNS.values():
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column(f"minus {comparison.reference}", justify="right", no_wrap=True)
    table.add_column("waiting part", justify="right", no_wrap=True)
    table.add_column("engine")
    for name in comparison.values:
        cells = [_cell(comparison.mean(name, metric)) for metric in COLUMNS]
        if name == comparison.reference:
            cells += ["", ""]
        else:
            cells += [_cell(comparison.paired(name, m), sign="+") for m in ("penalty", "waiting_penalty")]
        table.add_row(name, *cells, comparison.engines[name])
    # A narrow window, or a pipe, would cut the numbers: better too wide than wrong.
    console = Console()
    Console(width=max(console.width, 180)).print(table)


def _cell(value: Any, sign: str = "") -> str:
    digits = 1 if abs(value.mean) >= 20 else 2
    return f"{value.mean:{sign},.{digits}f} ± {value.half_width:,.{digits}f}"


def compare(arguments: argparse.Namespace) -> Comparison:
    """Load what was asked for, and run it."""
    from rich.progress import Progress

    config = find_lab(arguments.env, arguments.config)
    env_kwargs = read_env_kwargs(arguments.env_kwargs)
    policies = [find_policy(name, config, env_kwargs) for name in arguments.policies]
    distinct_names(policies, arguments.policies)
    with Progress(transient=True) as bar:
        task = bar.add_task("days", total=arguments.days * len(policies))
        return evaluate(
            config,
            policies,
            arguments.days,
            arguments.seed,
            progress=lambda days: bar.advance(task, days),
            engine=arguments.engine,
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    :return: exit status: 0, or 2 for input that cannot be used, said in one sentence
    """
    arguments = parse_arguments(argv)
    try:
        comparison = compare(arguments)
        name = arguments.config or arguments.env
        if arguments.json:
            with written_whole(arguments.json) as file:
                json.dump(comparison.to_dict(name), file, indent=2, allow_nan=False)
    except ModuleNotFoundError as error:
        print(f"error: {error.name} is missing: pip install 'echo-lab-rl[zoo]'", file=sys.stderr)
        return 2
    except (ConfigError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    show(comparison, f"{name}: {comparison.days} days, seed {comparison.seed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
