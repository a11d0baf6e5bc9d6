"""Compare rules and trained models on the same days.

python evaluate.py --env EchoLabScarce-v0 --policies policy_2 policy_1 fetal_first maskable_dqn=PATH \\
    --days 2000 --seed 7 --output results/scarce --figures
python evaluate.py --env EchoLabScarce-v0 --policies policy_2 agent --departures
python evaluate.py --config mine.yaml --policies policy_2 fetal_first --days 500 --output results/what_if --figures \\
    --sweep rooms.non_fetal=3:7 sonographers.absence_rate=0,0.1,0.2 appointments.scale=0.8:1.2:0.1

One policy is the reference: the others' differences to it are taken day by day, so that what the day
brought cancels out. Intervals are 95 %. Nothing that is evaluated on can have been trained on.

DIR of --output will hold summary.json, days.csv (a row for each policy and day) and tensorboard/ (see it with
tensorboard --logdir DIR), with --figures figures/, and with --departures departures.md and departures.csv (a row
for each departure), or, if anything goes wrong, will be as it was before.

--bound N tells how far above what is possible policies are: lower bounds on the penalty of any policy, on the first N
days (bounds.csv), loose as echo_env/lab/bounds/bounds.py says. --decision-times N times every decision
(decision_times.json).

--sweep asks what if: any field of the lab by its dotted path, as lists (3,5) and ranges with both ends (3:7,
0.8:1.2:0.1). Beside the config's own fields there are appointments.scale, .per_day, .fetal_per_day and
.non_fetal_per_day (the template thinned or repeated evenly), appointments.template=LAB (another lab's book) and
hours.opening, .closing and .end as clock times. DIR then holds sweep.csv (a row for each cell, policy and metric),
effects.csv (what each field alone does, elasticities), summary.json, figures/ and cells/, where every result is kept
as soon as it is there: after Ctrl-C, or with more values, the same command plays only what is missing.

--env PatientPathways-v0 is another hospital, with arguments of its own: see --env PatientPathways-v0 --help.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from echo_env import ENV_IDS, PATHWAYS_ID
from echo_env.common.files import check_replaceable, folder_written_whole, written_whole
from echo_env.common.words import did_you_mean
from echo_env.lab import Comparison, ConfigError, LabConfig, Policy, evaluate, make_policy, policy_names
from echo_env.lab.evaluation import results
from echo_env.lab.evaluation.comparison import ENGINES, checked_reference
from echo_env.lab.policies.agent import AgentPolicy
from echo_env.lab.report.yardsticks import Yardsticks, add_yardstick_arguments, check_yardsticks, find_yardsticks
from echo_env.lab.simulation.policy import is_memoryless
from echo_env.lab.sweep.command import add_sweep_arguments, run_sweep
from echo_env.lab.sweep.kept import own_files

if TYPE_CHECKING:
    from echo_env.lab.departures.departures import Departures

MODEL_KWARGS = ("observation", "idling")
"""Arguments of the env that decide what a model is shown and offered. The clock does not: it is asked in every
minute in which there is a choice, and where there is none all clocks do the same."""

AGENT = "agent"
"""In place of a policy's name: the trained agent that is kept for the lab."""
AGENTS = Path(__file__).resolve().parent / "zoo_configs" / "agents"
"""Where they are kept."""

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


def env_asked_for(argv: Sequence[str] | None) -> str:
    """The env id on a command line, before anything else is known about it."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--env", default="")
    return str(parser.parse_known_args(argv)[0].env)


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
        help=f"rules ({', '.join(policy_names())}), models (ALGO=PATH), and agent: the one kept in zoo_configs/agents",
    )
    parser.add_argument("--reference", metavar="NAME", help="the policy compared with: the first")
    parser.add_argument("--days", type=int, default=500, help="how many days: %(default)s")
    parser.add_argument("--seed", type=int, default=7, help="which days: %(default)s")
    parser.add_argument("--engine", default="auto", help=f"{', '.join(ENGINES)}: %(default)s")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes, same numbers: %(default)s")
    parser.add_argument("--output", metavar="DIR", help="write all there, in place of an earlier evaluation")
    parser.add_argument("--figures", action="store_true", help="draw figures too (PNG and PDF), with --output")
    parser.add_argument(
        "--departures", action="store_true", help="where and when rules and models depart from the reference, in words"
    )
    add_yardstick_arguments(parser)
    add_sweep_arguments(parser)
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
        known = [*ENV_IDS, PATHWAYS_ID]
        raise ValueError(f"env {env_id!r} is unknown{did_you_mean(env_id, known)}; known: {', '.join(known)}")
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


def load_model(algo: str, path: str) -> Any:
    """A trained model, to act on one thread.

    :param algo: name of its algorithm in the zoo
    :param path: its file, or the folder of its run
    :raises ValueError: unknown algorithm, or no such file
    """
    # Rules alone need no torch, and start much faster without it.
    import torch

    from sb3_ext.zoo.agents import load_predictor

    torch.set_num_threads(1)
    return load_predictor(algo, path)


class TrainedPolicy(AgentPolicy):
    """A trained model. Other processes get it by loading it themselves.

    :param algo: name of its algorithm in the zoo; tables call it by this
    :param path: its file, or the folder of its run
    :param config: the lab it works in
    :param env_kwargs: what the env of the model was made with, if the model does not say
    :raises ValueError: unknown algorithm, no such file, or a model that does not fit the lab
    """

    def __init__(self, algo: str, path: str, config: LabConfig, env_kwargs: Mapping[str, Any]) -> None:
        from sb3_ext.zoo.agents import find_model

        model = load_model(algo, path)
        trained_with = {**env_kwargs, **getattr(model, "env_spec", {}).get("kwargs", {})}
        kept = {key: trained_with[key] for key in MODEL_KWARGS if key in trained_with}
        super().__init__(algo, model, config, **kept)
        self._origin = algo, path, config, env_kwargs
        file = find_model(path)
        digest = sha256(b"".join(p.read_bytes() for p in (file, *sorted(file.parent.glob("*/vecnormalize.pkl")))))
        # Results of a sweep are kept for this very model, not for whatever is trained to the same path later.
        self.fingerprint = f"{algo} {kept} {digest.hexdigest()}"

    def __reduce__(self) -> tuple[Any, ...]:
        return TrainedPolicy, self._origin, {"name": self.name}


def find_agent(config: LabConfig, env_kwargs: Mapping[str, Any]) -> TrainedPolicy:
    """The trained agent that is kept for a lab.

    :param config: the lab; it goes by its name
    :param env_kwargs: see :class:`TrainedPolicy`
    :raises ValueError: there is none; names the labs that have one
    """
    from sb3_ext.zoo.agent_list import read_list

    agents = {LabConfig.load(ENV_IDS[env]).name: agent for env, agent in read_list(AGENTS).items() if env in ENV_IDS}
    if config.name not in agents:
        kept = f"only for {', '.join(agents)}" if agents else "for none so far"
        raise ValueError(
            f"--policies has {AGENT!r}, but no agent is kept for the lab {config.name!r}, {kept}; "
            "benchmarks/export_agent.py keeps one"
        )
    agent = agents[config.name]
    policy = TrainedPolicy(agent.algo, str(AGENTS / agent.file), config, env_kwargs)
    policy.name = AGENT
    return policy


def find_policies(given: Sequence[str], config: LabConfig, env_kwargs: Mapping[str, Any]) -> dict[str, Policy]:
    """What was typed -> the policy.

    :param given: rules by name, models as ``ALGO=PATH``, or :data:`AGENT`
    :param config: the lab
    :param env_kwargs: what the envs of models were made with, if they do not say
    :raises ValueError: unknown, unusable, or twice the same
    """
    found: dict[str, Policy] = {}
    for name in given:
        if name in found:
            raise ValueError(f"--policies has {name!r} twice")
        # The arguments of a rule, as in policy_5(alpha=1), have an equals sign too.
        model = re.fullmatch(r"([^=(]*)=(.*)", name)
        if name == AGENT:
            found[name] = find_agent(config, env_kwargs)
        else:
            found[name] = TrainedPolicy(model[1], model[2], config, env_kwargs) if model else make_policy(name, config)
    names = [policy.name for policy in found.values()]
    for name, policy in found.items():
        if names.count(policy.name) > 1:
            # Two models of one algorithm are told apart by what was typed.
            policy.name = name
    return found


def reference_name(arguments: argparse.Namespace, policies: Mapping[str, Policy]) -> str:
    """What ``--reference`` calls the policy compared with, as the tables call it; empty if it was not given."""
    given = arguments.reference or ""
    return policies[given].name if given in policies else given


def compare(arguments: argparse.Namespace, config: LabConfig, policies: Mapping[str, Policy]) -> Comparison:
    """Play the days, showing how far it has got."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("days", total=arguments.days * len(policies))
        return evaluate(
            config,
            list(policies.values()),
            arguments.days,
            arguments.seed,
            progress=lambda days: bar.advance(task, days),
            engine=arguments.engine,
            jobs=arguments.jobs,
            reference=reference_name(arguments, policies),
        )


def departing(arguments: argparse.Namespace, policies: Mapping[str, Policy]) -> list[tuple[Policy, Policy]]:
    """Of whom ``--departures`` is to tell, each with the reference.

    Policies that throw dice or remember what they did cannot be asked about single decisions, and are left out.

    :raises ValueError: the reference is one of these, or all others are
    """
    if not arguments.departures:
        return []
    by_name = {policy.name: policy for policy in policies.values()}
    reference = by_name.pop(checked_reference(reference_name(arguments, policies), list(by_name)))
    fit = [policy for policy in by_name.values() if is_memoryless(policy)]
    if not is_memoryless(reference) or not fit:
        asked = ", ".join(by_name) or "nobody"
        raise ValueError(
            f"--departures compares rules that serve by class and models, but was to compare {asked} "
            f"with {reference.name}"
        )
    return [(policy, reference) for policy in fit]


def write_output(
    arguments: argparse.Namespace,
    comparison: Comparison,
    departures: Sequence[Departures],
    yardsticks: Yardsticks,
    config: LabConfig,
    policies: Sequence[Policy],
    command: str,
) -> None:
    """Fill the folder of ``--output``."""
    from sb3_ext.zoo.tensorboard import Run, write_runs

    with folder_written_whole(arguments.output, results.own_files) as folder:
        results.write_days(folder, comparison)
        if departures:
            from echo_env.lab.departures.report import write_departures

            write_departures(folder, departures)
        yardsticks.write(folder)
        pictures: list[Path] = []
        if arguments.figures:
            from echo_env.lab.report.figures import write_figures

            pictures = write_figures(folder / "figures", comparison, config, list(policies), comparison.seed)
        settings: dict[str, str | int] = {"lab": comparison.lab, "seed": comparison.seed, "days": comparison.days}
        runs = {
            name: Run(results.running_means(comparison, name), settings | {"policy": name, "engine": engine})
            for name, engine in comparison.engines.items()
        }
        write_runs(folder / "tensorboard", runs, {picture.stem: picture for picture in pictures})
        results.write_summary(folder, comparison, config, arguments.config or arguments.env, command=command)


def check_outputs(arguments: argparse.Namespace) -> None:
    """Refuse what could only fail after all the days have been played.

    :raises ValueError: arguments that do not go together
    :raises OSError: something is in the way of ``--output``
    """
    if arguments.sweep and arguments.departures:
        raise ValueError("--departures is of one lab, and does not go together with --sweep")
    check_yardsticks(arguments)
    if arguments.output is None:
        if arguments.figures:
            raise ValueError("--figures needs --output DIR, into which it writes")
        return
    if arguments.json and Path(arguments.output).resolve() in Path(arguments.json).resolve().parents:
        raise ValueError(f"--json {arguments.json} lies in --output, which has the same numbers in summary.json")
    check_replaceable(arguments.output, own_files if arguments.sweep else results.own_files)


def run(arguments: argparse.Namespace, command: str) -> None:
    """Compare, write what is to be written, and print the tables."""
    from echo_env.lab.departures.departures import find_departures
    from echo_env.lab.departures.report import print_departures
    from echo_env.lab.evaluation.tables import print_comparison

    check_outputs(arguments)
    config = find_lab(arguments.env, arguments.config)
    if arguments.sweep is not None:
        env_kwargs = read_env_kwargs(arguments.env_kwargs)
        run_sweep(arguments, config, command, lambda lab: find_policies(arguments.policies, lab, env_kwargs))
        return
    policies = find_policies(arguments.policies, config, read_env_kwargs(arguments.env_kwargs))
    pairs = departing(arguments, policies)
    comparison = compare(arguments, config, policies)
    departures = [find_departures(config, *pair, comparison.days, comparison.seed) for pair in pairs]
    yardsticks = find_yardsticks(arguments, config, policies, comparison.seed)
    name = arguments.config or arguments.env
    if arguments.json:
        with written_whole(arguments.json) as file:
            json.dump(comparison.to_dict(name), file, indent=2, allow_nan=False)
    if arguments.output:
        write_output(arguments, comparison, departures, yardsticks, config, list(policies.values()), command)
    print_comparison(comparison, config, f"{name}: {comparison.days} days, seed {comparison.seed}")
    yardsticks.print(comparison)
    for found in departures:
        print_departures(found)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    :return: exit status: 0; 2 for input that cannot be used, said in one sentence; 130 after Ctrl-C
    """
    parse, work = parse_arguments, run
    if env_asked_for(argv) == PATHWAYS_ID:
        from echo_env.pathways.report import command as pathways

        parse, work = pathways.parse_arguments, partial(pathways.run, load=load_model)
    arguments = parse(argv)
    command = shlex.join(["python", "evaluate.py", *(sys.argv[1:] if argv is None else argv)])
    try:
        work(arguments, command)
    except ModuleNotFoundError as error:
        print(f"error: {error.name} is missing: pip install 'echo-lab-rl[all]'", file=sys.stderr)
        return 2
    except (ConfigError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
