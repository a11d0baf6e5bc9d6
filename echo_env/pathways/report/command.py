"""Compare policies for patient pathways on the same draws and the same luck.

python evaluate.py --env PatientPathways-v0 --patients 2:20:2 --resources 4 10 --draws 120 --trials 5 --figures \\
    --output results/pathways
python evaluate.py --env PatientPathways-v0 --policies auction "auction(bids=value)" matching --patients 20
python evaluate.py --env PatientPathways-v0 --config mine.yaml --policies auction fcfs_request

Every draw is a hospital (conditions, patients), every trial the luck of one episode in it. Utility is the mean success
over patients and steps, success being health from 0 to 1. One policy is the reference: its differences to the others
are taken draw by draw, so that what a draw brought cancels out. Intervals are 95 %, over draws.

--bound tells which share of what is possible policies reach: of the optimum in tiny hospitals (up to 50,000 joint
states, such as 3 patients with 3 needs), else of an upper bound on any policy (echo_env/pathways/bound.py).

DIR of --output will hold summary.json, draws.csv (a row for each cell, policy and draw: means over trials) and, with
--figures, figures/ (figure 2 of the paper, the differences, an episode of each policy), or, if anything goes wrong,
will be as it was before.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from echo_env.common.files import check_replaceable, folder_written_whole, written_whole
from echo_env.pathways.bounds.shares import Shares, find_shares
from echo_env.pathways.config import PathwaysConfig
from echo_env.pathways.evaluation.comparison import Comparison, evaluate
from echo_env.pathways.policies import Policy, policy_names
from echo_env.pathways.policies.agent import Load, find_agents
from echo_env.pathways.report import results

POLICIES = ("auction", "fcfs_request", "sickest_initial", "sickest_now", "fcfs_arrival", "random")
"""Compared by default: the paper's three (auction, first come first served, sickest first), and variants."""


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="evaluate.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", help="PatientPathways-v0")
    parser.add_argument("--config", metavar="YAML", default="baseline", help="a hospital of your own")
    parser.add_argument(
        "--policies",
        nargs="+",
        default=list(POLICIES),
        metavar="NAME",
        help=f"rules ({', '.join(policy_names())}), and models (ALGO=PATH)",
    )
    parser.add_argument(
        "--reference", default="", metavar="NAME", help="the policy compared with the others: the first"
    )
    numbers = "numbers, or FIRST:LAST:STEP with both ends: the hospital's own"
    parser.add_argument("--patients", nargs="+", default=[], metavar="N", help=numbers)
    parser.add_argument("--resources", nargs="+", default=[], metavar="R", help=numbers)
    parser.add_argument("--draws", type=int, default=120, help="hospitals drawn for each cell: %(default)s")
    parser.add_argument("--trials", type=int, default=5, help="episodes in each: %(default)s")
    parser.add_argument("--seed", type=int, default=7, help="which draws: %(default)s")
    parser.add_argument("--bound", action="store_true", help="which share policies reach of what is possible")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes, same numbers: %(default)s")
    parser.add_argument("--output", metavar="DIR", help="write all there, in place of an earlier evaluation")
    parser.add_argument("--figures", action="store_true", help="draw figures too (PNG and PDF), with --output")
    parser.add_argument("--json", metavar="FILE", help="write all numbers there")
    return parser.parse_args(argv)


def read_numbers(name: str, given: Sequence[str]) -> tuple[int, ...]:
    """``["2:8:2", "20"]`` -> ``(2, 4, 6, 8, 20)``.

    :param name: of the argument, for messages
    :param given: as typed
    :raises ValueError: neither a whole number nor a range of them
    """
    numbers: list[int] = []
    for text in given:
        match = re.fullmatch(r"(\d+)(?::(\d+)(?::([1-9]\d*))?)?", text)
        if match is None or (match[2] and int(match[2]) < int(match[1])):
            raise ValueError(f"--{name} is {text!r}, but must be a whole number, or FIRST:LAST:STEP with FIRST <= LAST")
        first = int(match[1])
        numbers += range(first, int(match[2] or first) + 1, int(match[3] or 1))
    return tuple(numbers)


def run(arguments: argparse.Namespace, command: str, load: Load | None = None) -> None:
    """Compare, write what is to be written, and print the tables.

    :param arguments: from :func:`parse_arguments`
    :param command: how it was asked for, for the summary
    :param load: loads models
    :raises ValueError: something that cannot be; nothing has been written
    :raises OSError: something is in the way of ``--output``
    """
    from echo_env.pathways.report.tables import print_comparison

    check_outputs(arguments)
    config = PathwaysConfig.load(arguments.config)
    policies = find_policies(arguments, config, load)
    comparison = compare(arguments, config, policies)
    shares = bound(arguments, comparison) if arguments.bound else None
    name = arguments.env if arguments.config == "baseline" else arguments.config
    more = {"bounds": shares.to_dict()} if shares else {}
    content = results.summary(comparison, name, command=command, **more)
    if arguments.json:
        with written_whole(arguments.json) as file:
            json.dump(content, file, indent=2, allow_nan=False)
    if arguments.output:
        with folder_written_whole(arguments.output, results.own_files) as folder:
            results.write_draws(folder, comparison)
            if arguments.figures:
                from echo_env.pathways.report.figures import write_figures

                write_figures(folder / "figures", comparison, policies)
            results.write_summary(folder, content)
    draws, trials = comparison.shape
    title = f"{name}: {draws} draws of {trials} trials, seed {comparison.seed}"
    print_comparison(comparison, title, shares=shares)


def find_policies(arguments: argparse.Namespace, config: PathwaysConfig, load: Load | None) -> Sequence[str | Policy]:
    """What ``--policies`` names; ``--reference`` becomes what the tables call it.

    :raises ValueError: unknown, or unusable in the largest hospital
    """
    patients, resources = (read_numbers(name, getattr(arguments, name)) for name in ("patients", "resources"))
    # Each of them, so that the first that cannot be is named.
    cells = [
        config.replace(resources=r, patients=n)
        for r in resources or [config.resources]
        for n in patients or [config.patients]
    ]
    most = {name: max(getattr(cell, name) for cell in cells) for name in ("patients", "resources")}
    policies = find_agents(arguments.policies, config.replace(**most), load)
    named = {
        typed: policy if isinstance(policy, str) else policy.name
        for typed, policy in zip(arguments.policies, policies, strict=True)
    }
    arguments.reference = named.get(arguments.reference, arguments.reference)
    return policies


def bound(arguments: argparse.Namespace, comparison: Comparison) -> Shares:
    """Find which shares of what is possible policies reach, showing how far it has got."""
    draws, _ = comparison.shape
    with progress_bar("bounds", draws * len(comparison.values)) as advance:
        return find_shares(comparison, arguments.jobs, advance)


def check_outputs(arguments: argparse.Namespace) -> None:
    """Refuse what could only fail after everything has been played.

    :raises ValueError: arguments that do not go together
    :raises OSError: something is in the way of ``--output``
    """
    if arguments.output is None:
        if arguments.figures:
            raise ValueError("--figures needs --output DIR, into which it writes")
        return
    if arguments.json and Path(arguments.output).resolve() in Path(arguments.json).resolve().parents:
        raise ValueError(f"--json {arguments.json} lies in --output, which has the same numbers in summary.json")
    check_replaceable(arguments.output, results.own_files)


@contextmanager
def progress_bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal; gives what moves it on."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda number: bar.advance(task, number)


def compare(arguments: argparse.Namespace, config: PathwaysConfig, policies: Sequence[str | Policy]) -> Comparison:
    """Play all draws, showing how far it has got."""
    patients, resources = (read_numbers(name, getattr(arguments, name)) for name in ("patients", "resources"))
    total = arguments.draws * max(len(patients), 1) * max(len(resources), 1)
    with progress_bar("draws", total) as advance:
        return evaluate(
            config,
            policies,
            arguments.draws,
            arguments.trials,
            arguments.seed,
            patients,
            resources,
            progress=advance,
            jobs=arguments.jobs,
            reference=arguments.reference,
        )
