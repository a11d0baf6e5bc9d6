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
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from echo_env.commands.deciding import TEMPLATE, aims, decided
from echo_env.commands.running import Several, Whole, check_output_folder, exit_status, parse, tables_beside
from echo_env.common.files import STANDARD_OUTPUT, check_file, delivery

if TYPE_CHECKING:
    from echo_env.lab.optimise import Proposal


@dataclass(frozen=True, kw_only=True)
class OptimiseOptions:
    """Options as typed; field names with hyphens are the flags, and the texts below their help.

    :param lab: a lab's YAML file, FILE#monday for one of its days, or a preset
    :param decide: what may be decided, together: template, roster, breaks, absence_plan
    :param objective: what is made smaller: metrics, each alone or as METRIC=WEIGHT; by default the waiting part of the
        penalty, or with --more the number of patients who are not examined
    :param protect: metrics that may not rise, or none
    :param allow: METRIC=NUMBER, protected metrics that may rise by so much, for example paid_h=8; with the roster paid
        hours may not rise unless this says so
    :param policy: the rule by which exams begin
    :param grid: minutes between the times that a search tries
    :param latest: template: last time, for example 16:30; by default closing
    :param hold: template: times at which appointments stay as they are
    :param window: template: TYPE=FROM-UNTIL, times that appointments of a type may have, such as fetal=09:00-15:00
    :param at_once: template: so many appointments may be at one time at most
    :param more: template: TYPE=NUMBER, book up to so many more patients, as many as fit at today's wait
    :param may_change: roster: what of it may change: count, shift, on_call, training, rooms; all if nothing is said
    :param extra: roster: so many more members of each group at most; 1 if nothing is said
    :param on_call: roster: so many on call of each group at most; 1 if nothing is said
    :param most_put_off: breaks: planned ones are put off for so many minutes at most while somebody waits; 60 if
        nothing is said
    :param most_absent: absence_plan: it tells mornings with up to so many absent apart; 2 if nothing is said
    :param most_rebooked: absence_plan: so many patients of a morning are rebooked at most; 4 if nothing is said
    :param most_moves: so many changes of any kind at most; by default any number
    :param seconds: for the search; it ends earlier if nothing gets better
    :param starts: points that searches begin with
    :param days: held-out days of the comparison
    :param seed: of days and search
    :param input_uncertainty: play the proposal in N labs of the calibration's bootstrap too (LAB.uncertainty.json)
    :param jobs: number of processes; results do not depend on it unless time ends the search
    :param output: YAML file for the lab with the proposed changes, or - for standard output; nothing is written where
        nothing is recommended
    :param journal: folder that keeps what the search plays; after a stop, the same command goes on from there
    :param report: folder for the report: sentences, figures, tables, all numbers, and the lab with the changes
    :param json: file for all numbers, or - for standard output
    """

    lab: Annotated[str, Parameter()] = field(kw_only=False)
    decide: Several = (TEMPLATE,)
    objective: Several = ()
    protect: Several = ("turned_away", "left_waiting", "staff_overtime")
    allow: Several = ()
    policy: str = "scarce_first"
    grid: Whole = 15
    latest: str | None = None
    hold: Several = ()
    window: Several = ()
    at_once: Whole | None = None
    more: Several = ()
    may_change: Several = ()
    extra: Whole | None = None
    on_call: Whole | None = None
    most_put_off: Whole | None = None
    most_absent: Whole | None = None
    most_rebooked: Whole | None = None
    most_moves: Whole | None = None
    seconds: Whole = 60
    starts: Whole = 3
    days: Whole = 4000
    seed: Whole = 0
    input_uncertainty: Whole = 0
    jobs: Whole = 1
    output: str | None = None
    journal: str | None = None
    report: str | None = None
    json: str | None = None


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
    proposal = _proposal(options)

    from echo_env.lab.optimise.report.better_file import better_text
    from echo_env.lab.optimise.report.words import as_json, print_proposal

    step = proposal.step if proposal.recommended else None
    better = None if step is None else better_text(options.lab, proposal.choice, step.values)
    with delivery() as outputs:
        if options.report is not None:
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
    if options.report is not None:
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
            budget=Budget(seconds=options.seconds, starts=options.starts, days=options.days, jobs=options.jobs),
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
