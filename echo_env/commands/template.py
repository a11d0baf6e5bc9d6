"""Write a workbook for a hospital's record, with instructions, or the board of a lab.

echo-lab template whiteboard.xlsx
echo-lab template example.xlsx --example walk_in_clinic --days 20
echo-lab template board.csv --board my_lab.yaml

The workbook is empty, or has a made-up record as an example. What is filled in
is read by echo-lab calibrate without a map of columns. The board, a CSV file,
is as at opening: everybody expected and present. Keep it up during the day, and
ask echo-lab advise what to do next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from echo_env.commands.common.running import Whole, exit_status, parse
from echo_env.common.files import STANDARD_OUTPUT, check_file, written_whole
from echo_env.lab.config.loading import load_lab

DAYS, MOST_DAYS = 10, 260
"""Of the example, at most those of a year."""


@dataclass(frozen=True, kw_only=True)
class TemplateOptions:
    """Options as typed.

    :param workbook: the file to write, which must not be there yet: .xlsx, and .csv with --board
    :param example: fill in simulated days of this lab: a preset's name or a lab file
    :param days: how many days of the example, 10 if left out; Mondays to Fridays
    :param board: write the board of this lab, a preset or a YAML file, for echo-lab advise
    """

    workbook: str = field(kw_only=False)
    example: str | None = None
    days: Whole | None = None
    board: str | None = None


def rows_of(options: TemplateOptions) -> Iterable[Mapping[str, object]]:
    """The visits to fill in.

    :param options: as typed
    """
    from echo_env.lab.calibration.example import example_rows

    if options.example is None:
        return ()
    return example_rows(load_lab(options.example), DAYS if options.days is None else options.days)


def check(options: TemplateOptions) -> None:
    """Raise an error for what cannot be written.

    :param options: as typed
    :raises ValueError: names the option, its value and what is allowed
    :raises FileExistsError: the file is there
    """
    path, ending = Path(options.workbook), ".xlsx" if options.board is None else ".csv"
    if options.workbook == STANDARD_OUTPUT or path.suffix != ending:
        raise ValueError(f"WORKBOOK is {options.workbook!r}, but must be a file that ends in {ending}")
    check_file("WORKBOOK", options.workbook, {})
    if path.exists():
        raise FileExistsError(f"{path} is in the way; give the name of a file that is not there yet")
    if options.example is None and options.days is not None:
        raise ValueError("--days is given without --example, the lab whose days are to be filled in")
    if options.example is not None and options.board is not None:
        raise ValueError("--example fills a workbook and --board writes a board: give one of them")
    if options.days is not None and not 1 <= options.days <= MOST_DAYS:
        raise ValueError(f"--days must be 1 to {MOST_DAYS}, not {options.days}")


def run(options: TemplateOptions) -> None:
    """Write the file."""
    check(options)
    path = Path(options.workbook)
    if options.board is None:
        from echo_env.lab.calibration.reading.template import write_template

        rows = list(rows_of(options))
        with written_whole(path) as file:
            write_template(file.buffer, rows)  # type: ignore[attr-defined]
    else:
        from echo_env.lab.advice.writing import template

        text = template(load_lab(options.board))
        with written_whole(path) as file:
            file.write(text)
    print(f"template: {path}")


def main(tokens: Sequence[str], program: str = "echo-lab template") -> int:
    """Run the command.

    :param tokens: the command line without the program's name
    :param program: the program's name
    :return: exit status: 0, or 2 for input that cannot be used
    """

    def work() -> None:
        options = parse(TemplateOptions, tokens, program, __doc__)
        if options is not None:
            run(options)

    return exit_status(work, extra="calibrate")
