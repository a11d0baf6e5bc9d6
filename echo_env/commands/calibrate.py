"""Fit a lab to a hospital's own spreadsheet.

echo-lab calibrate week.xlsx --output my_lab.yaml --report report/

The lab can be used wherever a lab is expected: echo-lab evaluate --config
my_lab.yaml. The report says which cells were read, repaired and left out, how
well the laws fit, and where the sheets differ from the paper. Both are written
whole, or, if anything goes wrong, not at all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from echo_env.commands.running import command_line, exit_status, parse
from echo_env.common.files import check_replaceable, folder_written_whole, written_whole
from echo_env.lab.calibration import EXAM_LAWS, Choices, calibrate
from echo_env.lab.calibration.lab_file import check_own, lab_text
from echo_env.lab.config import ARRIVAL_MODELS
from echo_env.lab.config.chance import ArrivalModel


@dataclass(frozen=True, kw_only=True)
class CalibrateOptions:
    """Options as typed; field names with hyphens are the flags, and the texts below their help.

    :param spreadsheet: an .xlsx with a sheet for each day and a row for each patient
    :param output: YAML file of the lab
    :param report: folder for a report, replacing an earlier one
    :param arrival: law of arrivals
    :param exams: one law of exam durations for all, or one for each kind (fetal or not)
    :param day: take the appointments of this sheet, by default those of a typical day
    :param base: lab for what sheets do not tell
    :param name: name of the lab, by default that of the YAML file
    :param seed: seed of the bootstrap
    :param resamples: resamples of the bootstrap
    """

    spreadsheet: str = field(kw_only=False)
    output: str
    report: str | None = None
    arrival: str = "exponential"
    exams: str = "pooled"
    day: str | None = None
    base: str = "baseline"
    name: str | None = None
    seed: int = 0
    resamples: int = 1000


def check_outputs(options: CalibrateOptions) -> None:
    """Refuse what could only fail once all is fitted.

    :raises ValueError: arguments that do not go together
    :raises OSError: something is in the way of what is to be written
    """
    from echo_env.lab.calibration.report import own_files

    check_own(options.output)
    if Path(options.output).resolve() == Path(options.spreadsheet).resolve():
        raise ValueError(f"--output {options.output} is the spreadsheet itself")
    if options.report is not None:
        if Path(options.report).resolve() in Path(options.output).resolve().parents:
            raise ValueError(f"--output {options.output} lies in --report {options.report}, which is written anew")
        check_replaceable(options.report, own_files)


def run(options: CalibrateOptions, command: str) -> None:
    """Fit, write, and print a summary."""
    from echo_env.lab.calibration.report import own_files, print_summary, write_report

    check_outputs(options)
    name = options.name or Path(options.output).stem
    arrival = cast(ArrivalModel, options.arrival)
    choices = Choices(arrival, options.exams, options.day, options.base, name, options.seed, options.resamples)
    found, today = calibrate(options.spreadsheet, choices), dt.date.today()
    text = lab_text(found, today, command)
    if options.report is None:
        write_lab(options.output, text)
    else:
        with folder_written_whole(options.report, own_files) as folder:
            write_report(folder, found, today, command)
            write_lab(options.output, text)
    print_summary(found)
    print(f"lab: {options.output}" + (f"\nreport: {options.report}" if options.report else ""))


def write_lab(path: str, text: str) -> None:
    """Write the lab whole, or not at all."""
    with written_whole(path) as file:
        file.write(text)


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
