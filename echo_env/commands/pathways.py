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

--sweep asks what if: any field of the hospital by its dotted path, as lists
(4,10), ranges with both ends (4:20:4, 0:1.2:0.2) and lists of lists
([1,1],[1,3]). Besides the hospital's own fields there is
treatment_effectiveness: while a resource is held, health moves by
waiting_mean + e * (holding_mean - waiting_mean), so that 0 is no better than
waiting and 1 is the hospital as it is. DIR then holds sweep.csv (a row for each
cell, policy and metric) and summary.json.

echo-lab sweep treatment_effectiveness=0:1.2:0.2 --env PatientPathways-v0 \\
    --policies auction "auction(bids=value)" sickest_now --output DIR --figures

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
from pathlib import Path
from typing import Any

from echo_env.commands.common.running import check_destinations, files_of_models, tables_beside
from echo_env.commands.inputs.pathways_options import PathwaysOptions
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


def run(options: PathwaysOptions, command: str) -> None:
    """Compare, write what is to be written, and print the tables.

    :param options: what is asked for
    :param command: the command line, for the summary
    :raises ValueError: something that cannot be; nothing has been written
    :raises OSError: something is in the way of ``--output``
    """
    from echo_env.pathways.report.tables import print_comparison

    names = [results.SUMMARY, results.DRAWS, *(["figures/"] if options.figures else [])]
    config = begin(options, names)
    policies = find_policies(options, config)
    reference = reference_name(options, policies)
    comparison = compare(options, config, policies, reference)
    shares = bound(options, comparison) if options.bound else None
    name = hospital_name(options)
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


def begin(options: PathwaysOptions, names: Sequence[str]) -> PathwaysConfig:
    """Refuse what could only fail once all is played, and read the hospital.

    :param options: as typed
    :param names: files that go into ``--output``
    """
    models = files_of_models(options.policies)
    inputs = {"--config": [options.config], "--policies": models, "--import": options.import_}
    check_destinations(options.output, options.json, options.figures, names, inputs)
    options.check_workers()
    plugins.import_own(options.import_)
    return PathwaysConfig.load(options.config)


def hospital_name(options: PathwaysOptions) -> str:
    """What results call the hospital."""
    return options.env if options.config == "baseline" else options.config


def reference_name(options: PathwaysOptions, policies: Sequence[str | Policy]) -> str:
    """What tables call the policy that ``--reference`` names; empty if none was given.

    :raises ValueError: an empty name
    """
    named = {
        typed: policy if isinstance(policy, str) else policy.name
        for typed, policy in zip(options.policies, policies, strict=True)
    }
    if options.reference == "":
        raise ValueError(f"--reference is '', but must be one of {', '.join(named)}")
    return "" if options.reference is None else named.get(options.reference, options.reference)


def run_sweep(options: PathwaysOptions, command: str) -> None:
    """Play a sweep, write what is to be written, and print the tables.

    :param options: what is asked for
    :param command: the command line, for the summary
    :raises ValueError: something that cannot be; nothing has been written
    :raises OSError: something is in the way of ``--output``
    """
    from echo_env.pathways.sweep import make_sweep, play_sweep, report

    for option, given in (("patients", options.patients), ("resources", options.resources)):
        if given:
            raise ValueError(f"--{option} does not go together with --sweep: --sweep {option}=... varies it")
    if options.bound:
        raise ValueError("--bound is of one hospital, and does not go together with --sweep")
    config = begin(options, [report.SUMMARY, report.LONG, *(["figures/"] if options.figures else [])])
    sweep = make_sweep(config, options.sweep or (), options.sweep_mode)
    reference = reference_name(options, find_policies(options, config))
    with progress_bar("draws", options.draws * len(sweep.cells)) as advance:
        played = options.draws, options.trials, options.seed, advance, options.workers, reference
        found = play_sweep(sweep, lambda hospital: find_policies(options, hospital), *played)
    content = report.summary(found, hospital_name(options), command=command)
    with delivery() as outputs:
        if options.output:
            folder = outputs.folder(options.output)
            report.write_long(folder, found)
            if options.figures:
                from echo_env.pathways.sweep.figures import write_figures

                write_figures(folder / "figures", found)
            report.write_summary(folder, content)
        if options.json:
            outputs.text(options.json, json.dumps(content, indent=2, allow_nan=False))
    title = f"{hospital_name(options)}: {options.draws} draws of {options.trials} trials, seed {options.seed}"
    with tables_beside(options.json):
        report.print_sweep(found, title)


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
        return find_shares(comparison, options.workers, advance)


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
            jobs=options.workers,
            reference=reference,
        )
