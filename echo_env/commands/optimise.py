"""Find better decisions for a lab, and measure what they are worth.

echo-lab optimise my_lab.yaml --decide template absence_plan --most-moves 5 --report better/

What may be decided: the appointment book (template), how many members of staff
there are, when, and what they can do (roster), when they have breaks and lunch
(breaks), and who is rebooked on a morning with somebody absent (absence_plan).
The search plays common days; the gain is then measured on days that no search
has seen, beside patients sent home, patients left waiting and overtime, which
may not rise.
"""

from __future__ import annotations

import importlib.util
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from echo_env.commands.common.pages import check_page
from echo_env.commands.common.running import check_output_folder, exit_status, parse, tables_beside
from echo_env.commands.inputs.deciding import aims, decided
from echo_env.commands.inputs.optimise_options import OptimiseOptions
from echo_env.common.files import STANDARD_OUTPUT, check_file, delivery
from echo_env.lab.report.page.page import is_page

if TYPE_CHECKING:
    from echo_env.lab.optimise import Proposal


def run(options: OptimiseOptions, command: str) -> None:
    """Search, measure, print and write.

    :param options: as typed
    :param command: the command line, to be recorded
    :raises ValueError: options that cannot be meant
    :raises OSError: something is in the way of what is to be written
    :raises ModuleNotFoundError: numba, or for a report matplotlib, is missing
    """
    if importlib.util.find_spec("numba") is None:
        raise ModuleNotFoundError("No module named 'numba'", name="numba")
    _check_outputs(options)
    options.check_workers()
    proposal = _proposal(options)

    from echo_env.lab.optimise.report.better_file import better_text
    from echo_env.lab.optimise.report.words import as_json, print_proposal

    step = proposal.step if proposal.recommended else None
    better = None if step is None else better_text(options.lab, proposal.choice, step.values)
    with delivery() as outputs:
        if is_page(options.report):
            from echo_env.lab.report.page.proposal import proposal_page
            from echo_env.lab.report.page.render import render

            page = proposal_page(proposal, options.policy, options.seed, command, options.lab)
            outputs.text(str(options.report), render(page))
        elif options.report is not None:
            from echo_env.lab.optimise.report.folder import write_report

            write_report(outputs.folder(options.report), proposal, command, better)
        if options.output is not None and better is not None:
            outputs.text(options.output, better)
        if options.json is not None:
            outputs.text(options.json, json.dumps(as_json(proposal), indent=2, allow_nan=False))
    with tables_beside(options.output if options.json is None else options.json):
        print_proposal(proposal)


def _check_outputs(options: OptimiseOptions) -> None:
    """Refuse what cannot be written, before the search."""
    from echo_env.lab.config.file import source_and_day
    from echo_env.lab.optimise.report.better_file import check_own

    others = {"LAB": [source_and_day(options.lab)[0]]}
    for flag, path in (("--output", options.output), ("--json", options.json)):
        if path is not None:
            check_file(flag, path, others)
            others[flag] = [path]
    if options.output == options.json == STANDARD_OUTPUT:
        raise ValueError("--output and --json are both -, but only one of them can be printed")
    if options.output is not None and options.output != STANDARD_OUTPUT:
        check_own(options.output)
    if options.report is not None and is_page(options.report):
        check_page(options.report, others)
    elif options.report is not None:
        from echo_env.lab.optimise.report.folder import file_names

        check_output_folder("--report", options.report, file_names())
    if options.journal is not None:
        check_output_folder("--journal", options.journal, ())


def _proposal(options: OptimiseOptions) -> Proposal:
    """Search and measure."""
    from echo_env.common.tables import progress_bar
    from echo_env.lab.config import as_general, load_lab
    from echo_env.lab.evaluation.bootstrap_labs import bootstrap_labs
    from echo_env.lab.optimise import Budget, optimise

    read = load_lab(options.lab)
    labs = bootstrap_labs(options.lab, options.input_uncertainty).labs if options.input_uncertainty else ()
    config, decisions = decided(options, read)
    weights, protected, allowance = aims(options, config)
    with progress_bar("search, selection, comparison", 3) as advance:
        return optimise(
            config,
            decisions,
            weights,
            protected,
            allowance,
            rule=options.policy,
            most_changes=options.most_moves,
            budget=Budget(seconds=options.seconds, starts=options.starts, days=options.days, jobs=options.workers),
            seed=options.seed,
            labs=labs if config is read else [as_general(lab) for lab in labs],
            progress=lambda stage: advance(1),
            journal=None if options.journal is None else Path(options.journal),
        )


def main(tokens: Sequence[str], program: str = "echo-lab optimise") -> int:
    """Run the command.

    :param tokens: the command line without the program's name
    :param program: the program's name
    :return: exit status: 0; 2 for input that cannot be used, said in one sentence; 130 after Ctrl-C
    """

    def work() -> None:
        options = parse(OptimiseOptions, tokens, program, __doc__)
        if options is not None:
            run(options, f"{program} {shlex.join(tokens)}")

    return exit_status(work, extra="fast")
