"""Does a lab behave like the hospital whose visits a sheet records?

echo-lab validate my_lab.yaml week.xlsx --report validation/

Each recorded day is played again with its own patients, rooms and staff, and
simulated days are compared with the recorded ones. The verdict says what the
lab is good enough for and what it is not, what remains unexplained, and what
would shorten waits. DIR of --report holds validation.md, validation.json,
replay.csv (a row for each exam) and figures.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from echo_env.commands.common.pages import check_page
from echo_env.commands.common.running import (
    Flag,
    Several,
    Whole,
    check_output_folder,
    command_line,
    exit_status,
    parse,
    tables_beside,
)
from echo_env.commands.inputs.sheets import check_accepted, checked_visits
from echo_env.commands.inputs.workers_options import WorkersOptions
from echo_env.common.config_file import read_layers
from echo_env.common.files import check_file, delivery
from echo_env.lab.config.file import PACKAGE
from echo_env.lab.config.lab import Lab
from echo_env.lab.config.loading import load_lab
from echo_env.lab.evaluation.bootstrap_labs import bootstrap_labs
from echo_env.lab.evaluation.comparison import check_days
from echo_env.lab.report.page.page import is_page

if TYPE_CHECKING:
    from echo_env.lab.calibration.validation import Validation
    from echo_env.lab.calibration.visits import Visits


@dataclass(frozen=True, kw_only=True)
class ValidateOptions(WorkersOptions):
    """Options as typed; field names with hyphens are the flags, and the texts below their help.

    :param lab: preset or YAML file of the lab; of a file with days each weekday has its own
    :param spreadsheet: the hospital's sheet: xlsx, xls, ods or csv
    :param columns: YAML file that says which column holds what
    :param accept: names of checks of the sheet whose findings are accepted
    :param report: FILE.html, a page for people without anything that a cell says; or a folder for a report, in place of
        an earlier one; all else in it stays
    :param json: file for all numbers, or - for standard output
    :param days: number of simulated days
    :param seed: of the simulated days
    :param leave_out: also fit a lab without each recorded day, as calibrate does, and play that day in it
    :param input_uncertainty: so many labs of the bootstrap beside the lab file: what simulated days may be then counts
        that the lab is not exactly known; 0 for none
    """

    lab: str = field(kw_only=False)
    spreadsheet: str = field(kw_only=False)
    columns: str | None = None
    accept: Several = ()
    report: str | None = None
    json: Annotated[str | None, Parameter(name="--json")] = None
    days: Whole = 1000
    seed: Whole = 0
    leave_out: Flag = False
    input_uncertainty: Whole = 0


def check_outputs(options: ValidateOptions) -> None:
    """Refuse what could only fail once all is played.

    :raises ValueError: arguments that are empty, out of range or do not go together
    :raises OSError: something is in the way of what is to be written
    """
    from echo_env.lab.calibration.validation.results import file_names

    if not options.spreadsheet:
        raise ValueError("SPREADSHEET is '', but must be a file")
    if options.seed < 0:
        raise ValueError(f"--seed is {options.seed}, but must be at least 0")
    check_accepted(options.accept)
    check_days(options.days)
    if options.days < 2:
        raise ValueError(f"--days is {options.days}, but must be at least 2")
    inputs = {"LAB": options.lab.rpartition("#")[0] or options.lab, "SPREADSHEET": options.spreadsheet}
    inputs |= {"--columns": options.columns or ""}
    if options.json is not None:
        taken = inputs | {"--report": options.report or ""}
        check_file("--json", options.json, {name: [path] for name, path in taken.items() if path})
    if options.report is not None and is_page(options.report):
        taken = inputs | {"--json": options.json or ""}
        check_page(options.report, {name: [path] for name, path in taken.items() if path})
    elif options.report is not None:
        check_output_folder("--report", options.report, file_names())


def labs_of(source: str) -> tuple[Lab, dict[str, Lab]]:
    """The lab of a file, and those of its days.

    :param source: preset or file; one with days may be followed by ``#`` and a day, and is else read with each
    :return: the lab, the first day's if there are any, and day -> lab
    """
    days = None if "#" in source else read_layers(PACKAGE, source).data.get("days")
    if not isinstance(days, dict) or not days:
        return load_lab(source), {}
    books = {str(day): load_lab(f"{source}#{day}") for day in days}
    return next(iter(books.values())), books


def _labs(options: ValidateOptions, books: Mapping[str, Lab]) -> tuple[Lab, ...]:
    """The labs of ``--input-uncertainty``."""
    if not options.input_uncertainty:
        return ()
    if books:
        one = f"{options.lab}#{next(iter(books))}"
        raise ValueError(f"--input-uncertainty is of one lab, but {options.lab} has days: name one, as in {one}")
    return bootstrap_labs(options.lab, options.input_uncertainty).labs


def _refit(visits: Visits) -> Lab:
    from echo_env.lab.calibration.fitting.choices import Choices
    from echo_env.lab.calibration.fitting.points import fit_points

    return fit_points(visits, Choices()).config


def run(options: ValidateOptions, command: str) -> None:
    """Validate, write, and print."""
    from echo_env.lab.calibration.checks import check_lab
    from echo_env.lab.calibration.validation import validate
    from echo_env.lab.calibration.validation.results import numbers, print_validation, write_validation

    check_outputs(options)
    options.check_workers()
    config, books = labs_of(options.lab)
    visits, findings = checked_visits(options.spreadsheet, options.columns, options.accept)
    refit = _refit if options.leave_out else None
    found = validate(visits, config, options.days, options.seed, refit, _labs(options, books), books, options.workers)
    said = [f"command: {command}", f"sheet: {visits.name}, sha256 {visits.sha256}"]
    said += [f"accepted {own.check}: {own.sentence}" for own in findings]
    against = [f"{own.check}: {own.sentence}" for own in check_lab(visits, config)]
    with delivery() as outputs:
        if is_page(options.report):
            from echo_env.lab.report.page.record import record_words, validation_page
            from echo_env.lab.report.page.render import render

            every = [*findings, *check_lab(visits, config)]
            page = validation_page(found, config, every, command, options.lab, record_words(visits))
            outputs.text(str(options.report), render(page))
        elif options.report is not None:
            write_validation(outputs.folder(options.report), found, [*said, *against])
        if options.json is not None:
            content = {"provenance": [*said, *against], **numbers(found)}
            outputs.text(options.json, json.dumps(content, indent=2, allow_nan=False))
    with tables_beside(options.json):
        print_validation(found)
        print(*(f"- {line}" for line in against), sep="\n", end="\n" if against else "")
        print(_last_line(found) + (f"\nreport: {options.report}" if options.report else ""))


def _last_line(found: Validation) -> str:
    if found.accepted:
        return f"nothing in {found.record} contradicts the lab {found.lab}"
    return f"{found.record} contradicts the lab {found.lab}: see what it must not be used for"


def main(tokens: Sequence[str], program: str = "echo-lab validate") -> int:
    """Run the command.

    :param tokens: the command line without the program's name
    :param program: the program's name
    :return: exit status: 0; 2 for input that cannot be used, said in one sentence; 130 after Ctrl-C
    """

    def work() -> None:
        options = parse(ValidateOptions, tokens, program, __doc__)
        if options is not None:
            run(options, command_line(program, tokens))

    return exit_status(work, extra="calibrate")
