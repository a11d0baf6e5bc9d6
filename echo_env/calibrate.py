"""From a hospital's own whiteboard spreadsheet to a lab.

python -m echo_env.calibrate whiteboard.xlsx --output my_lab.yaml --report report/

The lab goes wherever a lab goes: python evaluate.py --config my_lab.yaml. The report says what was read, repaired
and left out, cell by cell, how well the laws fit, and where the sheets differ from the paper. Both appear whole, or,
if anything goes wrong, nothing does.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from echo_env.common.files import check_replaceable, folder_written_whole, written_whole
from echo_env.lab.calibration import EXAM_LAWS, Choices, calibrate
from echo_env.lab.calibration.lab_file import check_own, lab_text
from echo_env.lab.config import ARRIVAL_MODELS

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m echo_env.calibrate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("spreadsheet", metavar="XLSX", help="a sheet for each day, a row for each patient")
    parser.add_argument("--output", metavar="YAML", required=True, help="the lab is written there")
    parser.add_argument("--report", metavar="DIR", help="a report is written there, in place of an earlier one")
    parser.add_argument("--arrival", default="exponential", help=f"{' or '.join(ARRIVAL_MODELS)}: %(default)s")
    parser.add_argument("--exams", default="pooled", help=f"{' or '.join(EXAM_LAWS)} (fetal or not): %(default)s")
    parser.add_argument("--day", metavar="SHEET", help="appointments of this sheet: those of a typical day")
    parser.add_argument("--base", default="baseline", metavar="LAB", help="what sheets do not tell: %(default)s")
    parser.add_argument("--name", help="of the lab: the name of the YAML file")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap: %(default)s")
    parser.add_argument("--resamples", type=int, default=1000, help="of the bootstrap: %(default)s")
    return parser.parse_args(argv)


def check_outputs(arguments: argparse.Namespace) -> None:
    """Refuse what could only fail once all is fitted.

    :raises ValueError: arguments that do not go together
    :raises OSError: something is in the way of what is to be written
    """
    from echo_env.lab.calibration.report import own_files

    check_own(arguments.output)
    if Path(arguments.output).resolve() == Path(arguments.spreadsheet).resolve():
        raise ValueError(f"--output {arguments.output} is the spreadsheet itself")
    if arguments.report is not None:
        if Path(arguments.report).resolve() in Path(arguments.output).resolve().parents:
            raise ValueError(f"--output {arguments.output} lies in --report {arguments.report}, which is written anew")
        check_replaceable(arguments.report, own_files)


def run(arguments: argparse.Namespace, command: str) -> None:
    """Fit, write, and print what was found."""
    from echo_env.lab.calibration.report import own_files, print_summary, write_report

    check_outputs(arguments)
    given = arguments
    name = given.name or Path(given.output).stem
    choices = Choices(given.arrival, given.exams, given.day, given.base, name, given.seed, given.resamples)
    found, today = calibrate(arguments.spreadsheet, choices), dt.date.today()
    text = lab_text(found, today, command)
    if arguments.report is None:
        write_lab(arguments.output, text)
    else:
        with folder_written_whole(arguments.report, own_files) as folder:
            write_report(folder, found, today, command)
            write_lab(arguments.output, text)
    print_summary(found)
    print(f"lab: {arguments.output}" + (f"\nreport: {arguments.report}" if arguments.report else ""))


def write_lab(path: str, text: str) -> None:
    """Write the lab, whole or not at all."""
    with written_whole(path) as file:
        file.write(text)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    :return: exit status: 0; 2 for input that cannot be used, said in one sentence; 130 after Ctrl-C
    """
    arguments = parse_arguments(argv)
    command = shlex.join(["python", "-m", "echo_env.calibrate", *(sys.argv[1:] if argv is None else argv)])
    try:
        run(arguments, command)
    except ModuleNotFoundError as error:
        print(f"error: {error.name} is missing: pip install 'echo-lab-rl[calibrate]'", file=sys.stderr)
        return 2
    except (ValueError, OSError) as error:
        print(f"error: {_sentence(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


def _sentence(error: Exception) -> str:
    """What went wrong, on one line; of the system's own errors the file comes first."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{os.fspath(error.filename)}: {error.strerror}"
    return " ".join(str(error).split())


if __name__ == "__main__":
    sys.exit(main())
