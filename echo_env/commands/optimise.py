"""Find a better appointment book for a lab, and measure what it is worth.

echo-lab optimise my_lab.yaml --seconds 60 --most-moves 5 --output better.yaml

Appointments move on a grid of times; who is booked stays. The search plays
common days; the gain is then measured on days that no search has seen, beside
patients sent home, patients left waiting and overtime, which may not rise.
"""

from __future__ import annotations

import importlib.util
import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from echo_env.commands.running import Several, Whole, exit_status, parse, tables_beside
from echo_env.common.files import STANDARD_OUTPUT, check_file, check_folder, delivery
from echo_env.lab.config.clock import read_clock
from echo_env.lab.config.lab import Lab

if TYPE_CHECKING:
    from echo_env.lab.optimise import Decision

ALIASES = {"staff_overtime": "staff_overtime_h", "waiting": "waiting_penalty"}
"""Short names of metrics."""


@dataclass(frozen=True, kw_only=True)
class OptimiseOptions:
    """Options as typed; field names with hyphens are the flags, and the texts below their help.

    :param lab: a lab's YAML file, FILE#monday for one of its days, or a preset
    :param objective: what is made smaller: metrics, each alone or as METRIC=WEIGHT; by default the waiting part of the
        penalty
    :param protect: metrics that may not rise
    :param policy: the rule by which exams begin
    :param grid: minutes between the times at which appointments may stand
    :param latest: last time, for example 16:30; by default closing
    :param most_moves: so many appointments may move at most; by default any number
    :param hold: times at which appointments stay as they are
    :param window: TYPE=FROM-UNTIL, times that appointments of a type may have, for example fetal=09:00-15:00
    :param seconds: for the search; it ends earlier if nothing gets better
    :param starts: books that searches begin with
    :param days: held-out days of the comparison
    :param seed: of days and search
    :param input_uncertainty: play the proposal in N labs of the calibration's bootstrap too (LAB.uncertainty.json)
    :param jobs: number of processes; results do not depend on it unless time ends the search
    :param output: YAML file for the lab with the proposed book, or - for standard output; nothing is written where
        nothing is recommended
    :param report: folder for the report: sentences, figures, tables, all numbers, and the lab with the changes
    :param json: file for all numbers, or - for standard output
    """

    lab: Annotated[str, Parameter()] = field(kw_only=False)
    objective: Several = ("waiting",)
    protect: Several = ("turned_away", "left_waiting", "staff_overtime")
    policy: str = "scarce_first"
    grid: Whole = 15
    latest: str | None = None
    most_moves: Whole | None = None
    hold: Several = ()
    window: Several = ()
    seconds: Whole = 60
    starts: Whole = 3
    days: Whole = 4000
    seed: Whole = 0
    input_uncertainty: Whole = 0
    jobs: Whole = 1
    output: str | None = None
    report: str | None = None
    json: str | None = None


def run(options: OptimiseOptions, command: str) -> None:
    """Search, measure, print and write.

    :param options: as typed
    :param command: the command line, to be recorded
    :raises ValueError: options that cannot be meant
    :raises OSError: something is in the way of what is to be written
    :raises ModuleNotFoundError: numba is missing
    """
    from echo_env.lab.config import load_lab
    from echo_env.lab.evaluation.bootstrap_labs import bootstrap_labs
    from echo_env.lab.optimise.report.better_file import better_text, check_own

    if importlib.util.find_spec("numba") is None:
        raise ModuleNotFoundError("No module named 'numba'", name="numba")
    inputs = {"LAB": [options.lab.partition("#")[0]]}
    for flag, path in (("--output", options.output), ("--json", options.json)):
        if path is not None:
            check_file(flag, path, inputs)
    if options.output is not None and options.output == options.json:
        raise ValueError(f"--output and --json are both {options.output}, but must be two files")
    if options.output is not None and options.output != STANDARD_OUTPUT:
        check_own(options.output)
    if options.report is not None:
        from echo_env.lab.optimise.report.folder import file_names, write_report

        check_folder(options.report, file_names())
    config = load_lab(options.lab)
    labs = bootstrap_labs(options.lab, options.input_uncertainty).labs if options.input_uncertainty else ()

    from echo_env.common.tables import progress_bar
    from echo_env.lab.optimise import Budget, optimise
    from echo_env.lab.optimise.report.words import as_json, print_proposal

    with progress_bar("search, selection, comparison", 3) as advance:
        proposal = optimise(
            config,
            [_template(options, config)],
            _weights(options.objective),
            tuple(ALIASES.get(name, name) for name in options.protect),
            rule=options.policy,
            most_changes=options.most_moves,
            budget=Budget(seconds=options.seconds, starts=options.starts, days=options.days, jobs=options.jobs),
            seed=options.seed,
            labs=labs,
            progress=lambda stage: advance(1),
        )
    step = proposal.step
    good = proposal.recommended and step is not None
    better = better_text(options.lab, proposal.choice, step.values) if step is not None and good else None
    with delivery() as outputs:
        if options.report is not None:
            write_report(outputs.folder(options.report), proposal, command, better)
        if options.output is not None and better is not None:
            outputs.text(options.output, better)
        if options.json is not None:
            outputs.text(options.json, json.dumps(as_json(proposal), indent=2, allow_nan=False))
    with tables_beside(options.output if options.json is None else options.json):
        print_proposal(proposal)


def _weights(typed: Sequence[str]) -> dict[str, float]:
    weights = {}
    for item in typed:
        name, equals, weight = item.partition("=")
        try:
            weights[ALIASES.get(name, name)] = float(weight) if equals else 1.0
        except ValueError:
            raise ValueError(f"--objective has {item!r}, but the weight must be a number") from None
    return weights


def _template(options: OptimiseOptions, config: Lab) -> Decision:
    from echo_env.lab.optimise import template

    def minute(flag: str, text: str) -> int:
        try:
            since_opening = read_clock(text) - config.hours.opening_min
        except ValueError:
            since_opening = -1
        if not 0 <= since_opening <= config.hours.closing_min:
            opens, closes = config.hours.clock(0), config.hours.clock(config.hours.closing_min)
            raise ValueError(f"{flag} has {text!r}, but must be a time from {opens} to {closes}")
        return since_opening

    windows = {}
    for item in options.window:
        name, equals, span = item.partition("=")
        begin, dash, until = span.partition("-")
        if not (equals and dash):
            raise ValueError(f"--window has {item!r}, but must be TYPE=FROM-UNTIL, such as fetal=09:00-15:00")
        windows[name] = minute("--window", begin), minute("--window", until)
    latest = None if options.latest is None else minute("--latest", options.latest)
    held = frozenset(minute("--hold", text) for text in options.hold)
    if options.grid < 1:
        raise ValueError(f"--grid is {options.grid}, but must be at least 1")
    return template(config, options.grid, latest, held, windows)


def main(tokens: Sequence[str], program: str = "echo-lab optimise") -> int:
    """Run the command.

    :param tokens: the command line without the program's name
    :param program: the program's name
    :return: exit status: 0; 2 for input that cannot be used, said in one sentence; 130 after Ctrl-C
    """

    def work() -> None:
        options = parse(OptimiseOptions, tokens, program, __doc__)
        if options is not None:
            run(options, shlex.join([program, *tokens]))

    return exit_status(work, extra="fast")
