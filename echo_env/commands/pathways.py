"""Compare policies for patient pathways on the same draws and the same luck.

echo-lab evaluate --env PatientPathways-v0 --patients 2:20:2 \\
    --resources 4 10 --draws 120 --trials 5 --output results/pathways --figures
echo-lab evaluate --env PatientPathways-v0 --patients 20 \\
    --policies auction "auction(bids=value)" matching
echo-lab evaluate --env PatientPathways-v0 --config mine.yaml \\
    --policies auction fcfs_request

Each draw is a hospital (conditions, patients), each trial an episode in it
with random numbers of its own. Utility is the mean success over patients and
steps, success being health from 0 to 1. One policy is the reference: its
differences to the others are taken draw by draw, so that the variation between
draws cancels out. Intervals are 95 % confidence intervals over draws.

--bound gives the share of what is possible that policies reach: of the optimum
in tiny hospitals (up to 50,000 joint states, such as 3 patients with 3 needs),
else of an upper bound on any policy (echo_env/pathways/bounds/bounds.py).

DIR of --output holds summary.json, draws.csv (a row for each cell, policy and
draw: means over trials) and, with --figures, figures/ (figure 2 of the paper,
the differences, an episode of each policy). Everything is written, or, if
anything goes wrong, DIR is left as it was; files of an earlier run are
replaced, and all others stay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from echo_env.commands.common.running import Flag, Several, Whole, check_destinations, files_of_models, tables_beside
from echo_env.commands.players import plugins
from echo_env.commands.players.models import loader
from echo_env.common.files import delivery
from echo_env.common.tables import progress_bar
from echo_env.pathways.bounds.shares import Shares, find_shares
from echo_env.pathways.config import PathwaysConfig
from echo_env.pathways.evaluation.comparison import Comparison, evaluate
from echo_env.pathways.policies import Policy
from echo_env.pathways.policies.agent import find_agents
from echo_env.pathways.report import results

POLICIES = ("auction", "fcfs_request", "sickest_initial", "sickest_now", "fcfs_arrival", "random")
"""Compared by default: the paper's three (auction, first come first served, sickest first), and variants."""

MOST_NUMBERS = 1000
"""Most numbers of patients, or of resources, that are compared at once."""


@dataclass(frozen=True, kw_only=True)
class PathwaysOptions:
    """Options as typed; field names with hyphens are the flags, and the texts below their help.

    :param env: PatientPathways-v0
    :param config: preset or YAML file of a hospital of your own
    :param policies: rules by name, and models as ALGO=PATH
    :param reference: the policy compared with the others, by default the first
    :param patients: whole numbers, or FIRST:LAST:STEP with both ends; by default the hospital's own
    :param resources: the same for resources
    :param draws: hospitals drawn for each cell
    :param trials: episodes in each
    :param seed: seed of the draws
    :param bound: the share of what is possible that policies reach
    :param jobs: number of processes; results do not depend on it
    :param output: folder for all results, in place of those of an earlier evaluation; all else in it stays
    :param figures: draw figures too (PNG and PDF), with --output
    :param json: file for all numbers, or - for standard output
    :param trust: open models that are pickles, which can run code of whoever made them (SECURITY.md)
    :param import_: modules or .py files of your own to import first, for their policies
    """

    env: str
    config: str = "baseline"
    policies: Several = POLICIES
    reference: str | None = None
    patients: Several = ()
    resources: Several = ()
    draws: Whole = 120
    trials: Whole = 5
    seed: Whole = 7
    bound: Flag = False
    jobs: Whole = 1
    output: str | None = None
    figures: Flag = False
    json: str | None = None
    trust: Flag = False
    import_: Several = ()

    def numbers(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Numbers of patients, and of resources; empty for the hospital's own.

        :raises ValueError: neither whole numbers nor ranges of them
        """
        return read_numbers("patients", self.patients), read_numbers("resources", self.resources)


def read_numbers(name: str, given: Sequence[str]) -> tuple[int, ...]:
    """``["2:8:2", "20"]`` -> ``(2, 4, 6, 8, 20)``.

    :param name: name of the option, for messages
    :param given: as typed
    :raises ValueError: neither a whole number nor a range of them
    """
    numbers: list[int] = []
    for text in given:
        match = re.fullmatch(r"(\d+)(?::(\d+)(?::([1-9]\d*))?)?", text)
        if match is None or (match[2] and int(match[2]) < int(match[1])):
            raise ValueError(f"--{name} is {text!r}, but must be a whole number, or FIRST:LAST:STEP with FIRST <= LAST")
        first = int(match[1])
        wanted = range(first, int(match[2] or first) + 1, int(match[3] or 1))
        if len(numbers) + len(wanted) > MOST_NUMBERS:
            raise ValueError(f"--{name} is {text!r}, but must be at most {MOST_NUMBERS:,} numbers")
        numbers += wanted
    return tuple(numbers)


def run(options: PathwaysOptions, command: str) -> None:
    """Compare, write what is to be written, and print the tables.

    :param options: what is asked for
    :param command: the command line, for the summary
    :raises ValueError: something that cannot be; nothing has been written
    :raises OSError: something is in the way of ``--output``
    """
    from echo_env.pathways.report.tables import print_comparison

    names = [results.SUMMARY, results.DRAWS, *(["figures/"] if options.figures else [])]
    models = files_of_models(options.policies)
    inputs = {"--config": [options.config], "--policies": models, "--import": options.import_}
    check_destinations(options.output, options.json, options.figures, names, inputs)
    plugins.import_own(options.import_)
    config = PathwaysConfig.load(options.config)
    policies = find_policies(options, config)
    named = {
        typed: policy if isinstance(policy, str) else policy.name
        for typed, policy in zip(options.policies, policies, strict=True)
    }
    if options.reference == "":
        raise ValueError(f"--reference is '', but must be one of {', '.join(named)}")
    reference = "" if options.reference is None else named.get(options.reference, options.reference)
    comparison = compare(options, config, policies, reference)
    shares = bound(options, comparison) if options.bound else None
    name = options.env if options.config == "baseline" else options.config
    more: dict[str, Any] = {"bounds": shares.to_dict()} if shares else {}
    content = results.summary(comparison, name, command=command, **more)
    with delivery() as outputs:
        if options.output:
            _write(outputs.folder(options.output), options, comparison, policies, content)
        if options.json:
            outputs.text(options.json, json.dumps(content, indent=2, allow_nan=False))
    draws, trials = comparison.shape
    title = f"{name}: {draws} draws of {trials} trials, seed {comparison.seed}"
    with tables_beside(options.json):
        print_comparison(comparison, title, shares=shares)


def _write(
    folder: Path,
    options: PathwaysOptions,
    comparison: Comparison,
    policies: Sequence[str | Policy],
    content: dict[str, Any],
) -> None:
    """Write everything that ``--output`` asks for into an empty folder."""
    results.write_draws(folder, comparison)
    if options.figures:
        from echo_env.pathways.report.figures import write_figures

        write_figures(folder / "figures", comparison, policies)
    results.write_summary(folder, content)


def find_policies(options: PathwaysOptions, config: PathwaysConfig) -> Sequence[str | Policy]:
    """Make the policies that ``--policies`` names.

    :raises ValueError: unknown, or unusable in the largest hospital
    """
    patients, resources = options.numbers()
    # Each of them, so that the first that cannot be is named.
    cells = [
        config.replace(resources=r, patients=n)
        for r in resources or [config.resources]
        for n in patients or [config.patients]
    ]
    most = {name: max(getattr(cell, name) for cell in cells) for name in ("patients", "resources")}
    # Rules need no plug-in, and so no learning library.
    models = any(re.fullmatch(r"[^=(]*=.*", name) for name in options.policies)
    return find_agents(options.policies, config.replace(**most), loader(options.trust) if models else None)


def bound(options: PathwaysOptions, comparison: Comparison) -> Shares:
    """Find the shares of what is possible that policies reach, with a progress bar."""
    draws, _ = comparison.shape
    with progress_bar("bounds", draws * len(comparison.values)) as advance:
        return find_shares(comparison, options.jobs, advance)


def compare(
    options: PathwaysOptions, config: PathwaysConfig, policies: Sequence[str | Policy], reference: str
) -> Comparison:
    """Play all draws, with a progress bar."""
    patients, resources = options.numbers()
    total = options.draws * max(len(patients), 1) * max(len(resources), 1)
    with progress_bar("draws", total) as advance:
        return evaluate(
            config,
            policies,
            options.draws,
            options.trials,
            options.seed,
            patients,
            resources,
            progress=advance,
            jobs=options.jobs,
            reference=reference,
        )
