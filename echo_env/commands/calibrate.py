"""Fit a lab to a hospital's own record of visits, and check whether it behaves like the hospital.

echo-lab calibrate week.xlsx --output my_lab.yaml --report report/

The lab can be used wherever a lab is expected: echo-lab evaluate --config
my_lab.yaml; my_lab.uncertainty.json beside it holds the labs that the record
would bear as well (--input-uncertainty). The report says which cells were read,
repaired and left out, how well the laws fit, what the record does not tell, and
what the lab may be used for. All are written whole, or, if anything goes wrong,
not at all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from echo_env.commands.common.pages import check_page
from echo_env.commands.common.running import (
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
from echo_env.common.files import STANDARD_OUTPUT, check_file, delivery
from echo_env.lab.calibration import EXAM_LAWS, Choices, calibrate_visits
from echo_env.lab.calibration.calibration import DAYS
from echo_env.lab.calibration.fitting.lab_file import (
    check_own,
    check_own_bootstrap,
    lab_text,
    uncertainty_text,
)
from echo_env.lab.calibration.reading.grids import FORMATS
from echo_env.lab.config import ARRIVAL_MODELS
from echo_env.lab.config.chance import ArrivalModel
from echo_env.lab.evaluation.bootstrap_labs import uncertainty_path
from echo_env.lab.evaluation.comparison import check_days
from echo_env.lab.report.page.page import is_page


@dataclass(frozen=True, kw_only=True)
class CalibrateOptions(WorkersOptions):
    """Options as typed; field names with hyphens are the flags, and the texts below their help.

    :param spreadsheet: .xlsx, .xls, .ods or .csv with a row for each patient: a sheet for each day, or one table
    :param output: YAML file of the lab, or - for standard output
    :param columns: YAML file that says which column holds what, for headers that are not known
    :param accept: hard checks whose findings are accepted
    :param report: FILE.html, a page for people without anything that a cell says; or a folder for a report, in place of
        an earlier one; all else in it stays
    :param arrival: law of arrivals
    :param exams: one law of exam lengths for all, or one for each exam type
    :param day: take the appointments of this day or sheet, by default those of each weekday or of a typical day
    :param base: lab for what the record does not tell
    :param name: name of the lab, by default that of the YAML file
    :param days: simulated days of the validation; 0 leaves it out
    :param seed: seed of the bootstrap
    :param resamples: resamples of the bootstrap
    """

    spreadsheet: str = field(kw_only=False)
    output: str
    columns: str | None = None
    accept: Several = ()
    report: str | None = None
    arrival: str = "exponential"
    exams: str = "pooled"
    day: str | None = None
    base: str = "baseline"
    name: str | None = None
    days: Whole = DAYS
    seed: Whole = 0
    resamples: Whole = 1000


def check_outputs(options: CalibrateOptions) -> None:
    """Refuse what could only fail once all is fitted.

    :raises ValueError: arguments that are empty or do not go together
    :raises OSError: something is in the way of what is to be written
    """
    from echo_env.lab.calibration.report.folder import file_names

    if not options.spreadsheet:
        raise ValueError(f"SPREADSHEET is '', but must be {FORMATS}")
    if options.name == "":
        raise ValueError("--name is '', but must be a name")
    check_accepted(options.accept)
    if options.days:
        check_days(options.days)
    others = {"the spreadsheet": [options.spreadsheet], "--base": [options.base]}
    others |= {"--columns": [options.columns]} if options.columns else {}
    check_file("--output", options.output, others | {"--report": [options.report] if options.report else []})
    if options.output != STANDARD_OUTPUT:
        check_own(options.output)
        check_own_bootstrap(uncertainty_path(options.output))
    if options.report is not None and is_page(options.report):
        bootstrap = [] if options.output == STANDARD_OUTPUT else [str(uncertainty_path(options.output))]
        check_page(options.report, others | {"--output": [options.output, *bootstrap]})
    elif options.report is not None:
        check_output_folder("--report", options.report, file_names())
        if Path(options.report).resolve() in Path(options.output).resolve().parents:
            raise ValueError(f"--output {options.output} lies in --report {options.report}, which holds the report")


def run(options: CalibrateOptions, command: str) -> None:
    """Fit, write, and print a summary."""
    from echo_env.lab.calibration.report.folder import print_summary, write_report

    check_outputs(options)
    options.check_workers()
    named_after = options.spreadsheet if options.output == STANDARD_OUTPUT else options.output
    name = Path(named_after).stem if options.name is None else options.name
    arrival = cast(ArrivalModel, options.arrival)
    choices = Choices(arrival, options.exams, options.day, options.base, name, options.seed, options.resamples)
    visits, findings = checked_visits(options.spreadsheet, options.columns, options.accept)
    found = calibrate_visits(visits, choices, findings, options.accept, options.days, options.workers)
    today = dt.date.today()
    text = lab_text(visits, found.fitted, today, command)
    with delivery() as outputs:
        if is_page(options.report):
            from echo_env.lab.report.page.record import calibration_page
            from echo_env.lab.report.page.render import render

            outputs.text(str(options.report), render(calibration_page(found, command, options.output)))
        elif options.report is not None:
            write_report(outputs.folder(options.report), found, today, command)
        outputs.text(options.output, text)
        if options.output != STANDARD_OUTPUT:
            outputs.text(str(uncertainty_path(options.output)), uncertainty_text(found.fitted))
    with tables_beside(options.output):
        print_summary(found)
        print(f"lab: {options.output}" + (f"\nreport: {options.report}" if options.report else ""))


def main(tokens: Sequence[str], program: str = "echo-lab calibrate") -> int:
    """Run the command.

    :param tokens: the command line without the program's name
    :param program: the program's name
    :return: exit status: 0; 2 for input that cannot be used, said in one sentence; 130 after Ctrl-C
    """

    def work() -> None:
        allowed = f"--arrival: {' or '.join(ARRIVAL_MODELS)}; --exams: {' or '.join(EXAM_LAWS)}."
        options = parse(CalibrateOptions, tokens, program, f"{__doc__}\n{allowed}")
        if options is not None:
            run(options, command_line(program, tokens))

    return exit_status(work, extra="calibrate")
