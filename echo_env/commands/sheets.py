"""How commands read a hospital's sheet: headers that are guessed are confirmed, and hard checks accepted by name."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from echo_env.lab.calibration.checks import Finding
    from echo_env.lab.calibration.visits import Visits


def read_sheet(path: str, columns: str | None) -> Visits:
    """Read a sheet. Where its headers are not known, a terminal is asked whether the guess is right; elsewhere the
    guess is printed to standard error.

    :param path: the file
    :param columns: file of a column map
    :raises ValueError: not a file of visits, or headers that nobody has confirmed; one sentence
    :raises OSError: a file cannot be opened
    """
    from echo_env.common.config_model import build
    from echo_env.lab.calibration.reading import ColumnMap, ColumnsGuessed, SheetError, load_columns, read_visits

    try:
        return read_visits(path, None if columns is None else load_columns(columns))
    except ColumnsGuessed as guessed:
        print(guessed.yaml, file=sys.stderr)
        if columns is None and sys.stdin.isatty() and sys.stderr.isatty() and _confirmed():
            return read_visits(path, build(ColumnMap, guessed.columns))
        raise SheetError(f"{guessed}; save the map above, correct it, and give it with --columns") from None


def _confirmed() -> bool:
    print("Are these the columns (y/n)? ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def refuse(findings: Sequence[Finding], accepted: Sequence[str]) -> None:
    """Refuse a sheet with findings that nobody has accepted, which are printed to standard error.

    :param findings: of hard checks
    :param accepted: names of checks
    :raises ValueError: a finding that is not accepted, or a name that is no check
    """
    from echo_env.lab.calibration.checks import refused

    open_ones = refused(findings, accepted)
    if not open_ones:
        return
    for finding in open_ones:
        print(f"- {finding.check}: {finding.sentence}", file=sys.stderr)
    names = " ".join(dict.fromkeys(finding.check for finding in open_ones))
    raise ValueError(f"the sheet fails the checks above; correct it, or accept what they say: --accept {names}")
