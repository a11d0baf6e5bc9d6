"""Compare rules and trained models on the same days.

echo-lab evaluate --env EchoLabScarce-v0 --days 2000 --seed 7 \\
    --policies policy_2 policy_1 fetal_first maskable_dqn=PATH \\
    --output results/scarce --figures
echo-lab evaluate --env EchoLabScarce-v0 --policies policy_2 agent --departures
echo-lab evaluate --config mine.yaml --policies policy_2 fetal_first \\
    --days 500 --output results/what_if --figures \\
    --sweep rooms.non_fetal=3:7 sonographers.absence_rate=0,0.1,0.2

In a clone, python evaluate.py is the same.

One policy is the reference: the others are compared with it day by day, on
common random numbers, so that the variation between days cancels out.
Intervals are 95 % confidence intervals. No agent was trained on these days.

DIR of --output holds summary.json, days.csv (a row for each policy and day)
and tensorboard/ (see it with tensorboard --logdir DIR), with --figures
figures/, with --departures departures.md and departures.csv (a row for each
departure), and with --improvement improvement.csv (a row for each decision in
which lookahead departs). Everything is written, or, if anything goes wrong,
DIR is left as it was; files of an earlier run are replaced, and all others
stay.

--report FILE.html writes a page for people: the answer in two sentences, charts,
who gains and who loses, one day replayed, what was assumed, and how to do it
again. It loads nothing from anywhere, and prints well. With --animation the page shows
the day as a moving floor plan too, two rules side by side.

--input-uncertainty N plays N more labs, of the bootstrap that echo-lab
calibrate writes beside a lab (NAME.uncertainty.json), on the same days, and
gives both parts of each interval: for the number of days, and for not knowing
the lab.

--bound N gives lower bounds on the penalty of any policy, on the first N days
(bounds.csv); they are loose, as echo_env/lab/bounds/bounds.py says.

--improvement N says how many points a day one step of lookahead would gain
over each rule and model, and by which decisions, on the first N days: what is
left to gain without a better policy to play against.

--sweep asks what if: any field of the lab by its dotted path, as lists (3,5)
and ranges with both ends (3:7, 0.8:1.2:0.1). Besides the config's own fields
there are appointments.scale, .per_day, .fetal_per_day and .non_fetal_per_day
(the template thinned or repeated evenly), appointments.template=LAB (another
lab's book) and hours.opening, .closing and .end as clock times. DIR then holds
sweep.csv (a row for each cell, policy and metric), effects.csv (the effect of
each field alone, elasticities), summary.json, figures/ and cells/, where each
result is stored as soon as it is complete: after Ctrl-C, or with more values,
the same command plays only what is missing.

--import mine.py makes your own @register_policy rules known.

--env PatientPathways-v0 is another hospital, with arguments of its own: see
--env PatientPathways-v0 --help.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from echo_env import PATHWAYS_ID
from echo_env.commands.common.running import command_line, exit_status, parse, tables_beside
from echo_env.commands.inputs.evaluate_options import EvaluateOptions
from echo_env.commands.inputs.pathways_options import PathwaysOptions
from echo_env.commands.inputs.uncertainty import find_labs, play_labs
from echo_env.commands.output import check_outputs, write_output
from echo_env.commands.players import plugins
from echo_env.commands.players.policies import (
    default_policies,
    find_lab,
    find_policies,
    read_env_kwargs,
    reference_name,
)
from echo_env.common.files import delivery
from echo_env.lab import Comparison, Lab, Policy, evaluate, policy_names
from echo_env.lab.evaluation.comparison import checked_reference
from echo_env.lab.simulation.policy import is_memoryless

if TYPE_CHECKING:
    from echo_env.lab.departures.improvement import Improvement


def main(tokens: Sequence[str], program: str = "echo-lab evaluate") -> int:
    """Run the command.

    :param tokens: the command line without the program's name
    :param program: the program's name
    :return: exit status: 0; 2 for input that cannot be used, said in one sentence; 130 after Ctrl-C
    """
    return exit_status(partial(_run, list(tokens), program))


def _run(tokens: Sequence[str], program: str) -> None:
    command = command_line(program, tokens)
    if _env_of(tokens) == PATHWAYS_ID:
        from echo_env.commands import pathways

        asked = parse(PathwaysOptions, tokens, program, pathways.__doc__)
        if asked is not None:
            (pathways.run if asked.sweep is None else pathways.run_sweep)(asked, command)
        return
    options = parse(EvaluateOptions, tokens, program, f"{__doc__}\nRules: {', '.join(policy_names())}.")
    if options is not None:
        run(options, command)


def _env_of(tokens: Sequence[str]) -> str:
    """The env id on a command line, before its other options are known."""
    given = ""
    for token, following in pairwise([*tokens, ""]):
        if token == "--env":
            given = following
        elif token.startswith("--env="):
            given = token.partition("=")[2]
    return given


def run(options: EvaluateOptions, command: str) -> None:
    """Compare, write what is to be written, and print the tables.

    :param options: what is asked for
    :param command: how it was asked for, for the summary
    :raises ValueError: something that cannot be; nothing has been written
    :raises OSError: something is in the way of ``--output``
    """
    from echo_env.lab.bounds.bounds import bounded_lab, find_bounds
    from echo_env.lab.departures.departures import find_departures
    from echo_env.lab.departures.improvement_report import print_improvement
    from echo_env.lab.departures.report import print_departures
    from echo_env.lab.evaluation.tables import print_comparison, print_uncertainty
    from echo_env.lab.report.yardsticks import print_bounds

    check_outputs(options)
    options.check_workers()
    plugins.import_own(options.import_)
    config = find_lab(options.env, options.config)
    names = default_policies(config) if options.policies is None else options.policies
    env_kwargs = read_env_kwargs(options.env_kwargs)
    if options.sweep is not None:
        from echo_env.commands.sweep import run_sweep

        run_sweep(options, config, command, lambda lab: find_policies(names, lab, env_kwargs, options.trust))
        return
    if options.bound:
        bounded_lab(config)
    labs = find_labs(options)
    policies = find_policies(names, config, env_kwargs, options.trust)
    pairs, bases = departing(options, policies), improvable(options, policies)
    comparison = compare(options, config, policies)
    uncertainty = None
    if labs is not None:
        uncertainty = play_labs(
            options, comparison, labs, lambda lab: find_policies(names, lab, env_kwargs, options.trust)
        )
    departures = [find_departures(config, *pair, comparison.days, comparison.seed) for pair in pairs]
    bounds = find_bounds(bounded_lab(config), options.bound, comparison.seed) if options.bound else None
    improvements = improve(options, config, bases)
    more: dict[str, Any] = {} if uncertainty is None else {"input_uncertainty": uncertainty.as_json()}
    if improvements:
        more["improvement"] = {found.base: found.per_day().as_json() for found in improvements}
    with delivery() as outputs:
        if options.output:
            folder = outputs.folder(options.output)
            played = list(policies.values())
            write_output(folder, options, comparison, departures, bounds, improvements, config, played, command, more)
        if options.json:
            content = {**comparison.to_dict(options.lab), **more}
            outputs.text(options.json, json.dumps(content, indent=2, allow_nan=False))
        if options.report is not None:
            from echo_env.lab.report.page.comparison import comparison_page
            from echo_env.lab.report.page.render import render

            page = comparison_page(
                comparison, config, list(policies.values()), command, options.lab, uncertainty, options.animation
            )
            outputs.text(options.report, render(page))
    with tables_beside(options.json):
        print_comparison(comparison, config, f"{options.lab}: {comparison.days} days, seed {comparison.seed}")
        if uncertainty is not None:
            print_uncertainty(uncertainty, config)
        if bounds:
            print_bounds(comparison, bounds)
        for found in departures:
            print_departures(found)
        for improvement in improvements:
            print_improvement(improvement)


def compare(options: EvaluateOptions, config: Lab, policies: Mapping[str, Policy]) -> Comparison:
    """Play the days, with a progress bar."""
    from echo_env.common.tables import progress_bar

    with progress_bar("days", options.days * len(policies)) as advance:
        return evaluate(
            config,
            list(policies.values()),
            options.days,
            options.seed,
            progress=advance,
            engine=options.engine,
            jobs=options.workers,
            reference=reference_name(options.reference, policies),
        )


def improvable(options: EvaluateOptions, policies: Mapping[str, Policy]) -> list[Policy]:
    """The policies that ``--improvement`` looks ahead from; others are left out, as in :func:`departing`.

    :raises ValueError: there are none
    """
    fit = [policy for policy in policies.values() if is_memoryless(policy)] if options.improvement else []
    if options.improvement and not fit:
        asked = ", ".join(policy.name for policy in policies.values())
        raise ValueError(f"--improvement is of rules that serve by class and of models, but --policies has {asked}")
    return fit


def improve(options: EvaluateOptions, config: Lab, bases: Sequence[Policy]) -> list[Improvement]:
    """Look ahead from each policy, with a progress bar."""
    if not bases:
        return []
    from echo_env.common.tables import progress_bar
    from echo_env.lab.departures.improvement import find_improvement

    with progress_bar("days with lookahead", options.improvement * len(bases)) as advance:
        return [find_improvement(config, base, options.improvement, options.seed, advance) for base in bases]


def departing(options: EvaluateOptions, policies: Mapping[str, Policy]) -> list[tuple[Policy, Policy]]:
    """The policies whose departures ``--departures`` reports, each with the reference.

    Policies that are randomised or remember their earlier decisions cannot be asked about single decisions, and are
    left out.

    :raises ValueError: the reference is one of these, or all others are
    """
    if not options.departures:
        return []
    by_name = {policy.name: policy for policy in policies.values()}
    reference = by_name.pop(checked_reference(reference_name(options.reference, policies), list(by_name)))
    fit = [policy for policy in by_name.values() if is_memoryless(policy)]
    if not is_memoryless(reference) or not fit:
        asked = ", ".join(by_name) or "nobody"
        raise ValueError(
            f"--departures compares rules that serve by class and models, but was to compare {asked} "
            f"with {reference.name}"
        )
    return [(policy, reference) for policy in fit]
