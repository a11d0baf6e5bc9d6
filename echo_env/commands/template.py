"""Write an empty workbook for a hospital's record, with instructions.

echo-lab template whiteboard.xlsx

What is filled in is read by echo-lab calibrate without a map of columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from echo_env.commands.common.running import exit_status, parse
from echo_env.common.files import STANDARD_OUTPUT, check_file, written_whole


@dataclass(frozen=True, kw_only=True)
class TemplateOptions:
    """Options as typed.

    :param workbook: the file to write, which must not be there yet
    """

    workbook: str = field(kw_only=False)


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
        with written_whole(path) as file:
            write_template(file.buffer)  # type: ignore[attr-defined]
        print(f"template: {path}")

    return exit_status(work, extra="calibrate")
