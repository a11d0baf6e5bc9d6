"""Write an empty workbook for a hospital's record, or the board of a lab, with instructions.

echo-lab template whiteboard.xlsx
echo-lab template board.csv --board my_lab.yaml

What is filled into the workbook is read by echo-lab calibrate without a map of
columns. The board, a CSV file, is as at opening: everybody expected and
present. Keep it up during the day, and ask echo-lab advise what to do next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from echo_env.commands.common.running import exit_status, parse
from echo_env.common.files import STANDARD_OUTPUT, check_file, written_whole
from echo_env.lab.config.loading import load_lab


@dataclass(frozen=True, kw_only=True)
class TemplateOptions:
    """Options as typed.

    :param workbook: the file to write, which must not be there yet: .xlsx, and .csv with --board
    :param board: write the board of this lab, a preset or a YAML file, for echo-lab advise
    """

    workbook: str = field(kw_only=False)
    board: str | None = None


def run(options: TemplateOptions) -> None:
    """Write the file."""
    path, ending = Path(options.workbook), ".xlsx" if options.board is None else ".csv"
    if options.workbook == STANDARD_OUTPUT or path.suffix != ending:
        raise ValueError(f"WORKBOOK is {options.workbook!r}, but must be a file that ends in {ending}")
    check_file("WORKBOOK", options.workbook, {})
    if path.exists():
        raise FileExistsError(f"{path} is in the way; give the name of a file that is not there yet")
    if options.board is None:
        from echo_env.lab.calibration.reading.template import write_template

        with written_whole(path) as file:
            write_template(file.buffer)  # type: ignore[attr-defined]
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
