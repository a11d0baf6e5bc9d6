"""Write a workbook for a hospital's record, with instructions: empty, or with a made-up record as an example.

echo-lab template whiteboard.xlsx
echo-lab template example.xlsx --example walk_in_clinic --days 20

What is filled in is read by echo-lab calibrate without a map of columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from echo_env.commands.common.running import Whole, exit_status, parse
from echo_env.common.files import STANDARD_OUTPUT, check_file, written_whole

DAYS, MOST_DAYS = 10, 260
"""Of the example, at most those of a year."""


@dataclass(frozen=True, kw_only=True)
class TemplateOptions:
    """Options as typed.

    :param workbook: the file to write, which must not be there yet
    :param example: fill in simulated days of this lab: a preset's name or a lab file
    :param days: how many days of the example, 10 if left out; Mondays to Fridays
    """

    workbook: str = field(kw_only=False)
    example: str | None = None
    days: Whole | None = None


def rows_of(options: TemplateOptions) -> Iterable[Mapping[str, object]]:
    """The visits to fill in.

    :param options: as typed
    :raises ValueError: ``--days`` without an example
    """
    from echo_env.lab import load_lab
    from echo_env.lab.calibration.example import example_rows

    if options.example is None:
        if options.days is not None:
            raise ValueError("--days is given without --example, the lab whose days are to be filled in")
        return ()
    days = DAYS if options.days is None else options.days
    if not 1 <= days <= MOST_DAYS:
        raise ValueError(f"--days must be 1 to {MOST_DAYS}, not {days}")
    return example_rows(load_lab(options.example), days)


def main(tokens: Sequence[str], program: str = "echo-lab template") -> int:
    """Run the command.

    :param tokens: the command line without the program's name
    :param program: the program's name
    :return: exit status: 0, or 2 for input that cannot be used
    """

    def work() -> None:
        from echo_env.lab.calibration.reading.template import write_template

        options = parse(TemplateOptions, tokens, program, __doc__)
        if options is None:
            return
        path = Path(options.workbook)
        if options.workbook == STANDARD_OUTPUT or path.suffix != ".xlsx":
            raise ValueError(f"WORKBOOK is {options.workbook!r}, but must be a file that ends in .xlsx")
        check_file("WORKBOOK", options.workbook, {})
        if path.exists():
            raise FileExistsError(f"{path} is in the way; give the name of a file that is not there yet")
        rows = list(rows_of(options))
        with written_whole(path) as file:
            write_template(file.buffer, rows)  # type: ignore[attr-defined]
        print(f"template: {path}")

    return exit_status(work, extra="calibrate")
