"""A hospital's record as a command reads it: with a column map, a guess to confirm, and hard checks."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from echo_env.lab.calibration.calibration import refuse
from echo_env.lab.calibration.checks import Finding, check_visits, refused
from echo_env.lab.calibration.reading import ColumnsGuessed, SheetError, load_columns, read_visits
from echo_env.lab.calibration.visits import Visits


def visits_of(path: str, columns: str | None = None) -> Visits:
    """Read a record. On a terminal, a guess of its columns is shown and may be taken with ``y``.

    :param path: the file
    :param columns: file of a column map, if there is one
    :raises SheetError: not such a file; or the columns are a guess, which has been printed as a column map
    :raises ConfigError: a mistake in the map
    :raises OSError: a file cannot be opened
    """
    try:
        return read_visits(path, load_columns(columns) if columns is not None else None, progress=True)
    except ColumnsGuessed as guess:
        print(guess.yaml, end="", flush=True)
        asked = sys.stdin.isatty() and sys.stdout.isatty()
        if asked and input("Are these the columns? [y/N] ").strip().lower() in ("y", "yes"):
            return read_visits(path, guess.map, progress=True)
        remedy = "save the map that is printed, correct it, and give it with --columns"
        raise SheetError(f"{guess}; {remedy}") from None


def check_accepted(accepted: Sequence[str]) -> None:
    """Refuse names that no check has.

    :param accepted: as given to ``--accept``
    :raises ValueError: lists the checks
    """
    refused((), accepted)


def checked_visits(path: str, columns: str | None, accepted: Sequence[str]) -> tuple[Visits, list[Finding]]:
    """Read a record and refuse it if a check finds something that is not accepted.

    :param path: the file
    :param columns: file of a column map, if there is one
    :param accepted: names of checks
    :return: the record, and what was found and accepted
    :raises ValueError: see :func:`visits_of` and :func:`~echo_env.lab.calibration.calibration.refuse`
    """
    visits = visits_of(path, columns)
    findings = check_visits(visits)
    refuse(findings, accepted)
    return visits, findings
