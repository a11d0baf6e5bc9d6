"""From a hospital's file to a lab that is checked and validated: each stage hands one record to the next.

Reading, checks of the record, fitting, checks of the lab against the record, validation. A finding of the checks
stops the pipeline unless it is accepted by the name of its check.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from echo_env.common.parallel import Jobs
from echo_env.lab.calibration.checks import Finding, check_lab, check_visits, refused
from echo_env.lab.calibration.fitting.choices import Choices
from echo_env.lab.calibration.fitting.estimates import Fitted
from echo_env.lab.calibration.fitting.fit import fit
from echo_env.lab.calibration.fitting.points import fit_points
from echo_env.lab.calibration.reading import ColumnMap, read_visits
from echo_env.lab.calibration.validation.validation import Validation, validate
from echo_env.lab.calibration.visits import Visits
from echo_env.lab.config.general import GeneralLabConfig

DAYS = 1000
"""Simulated days of a validation."""
_LABS = 20
"""Labs of the bootstrap that the validation plays."""


class RefusedError(ValueError):
    """A record that makes a wrong lab; the message says what was found, and how to accept it.

    :param findings: those that nobody has accepted
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        names = " ".join(dict.fromkeys(finding.check for finding in findings))
        said = " ".join(finding.sentence for finding in findings)
        super().__init__(f"{said} Correct the record, or go on with --accept {names}")
        self.findings = tuple(findings)


@dataclass(frozen=True)
class Calibration:
    """A lab with everything that it rests on.

    :param visits: the record
    :param findings: of the checks; those that are here were accepted
    :param fitted: the lab
    :param validation: how far it behaves like the hospital; None if that was not asked for
    """

    visits: Visits
    findings: tuple[Finding, ...]
    fitted: Fitted
    validation: Validation | None


def calibrate(
    path: str | Path,
    choices: Choices | None = None,
    columns: ColumnMap | None = None,
    accept: Sequence[str] = (),
    days: int = DAYS,
) -> Calibration:
    """Fit a lab to a hospital's file.

    :param path: see :func:`~echo_env.lab.calibration.reading.read.read_visits`
    :param choices: options of the fit
    :param columns: which column holds what
    :param accept: names of checks whose findings are accepted
    :param days: simulated days of the validation, at least 2; 0 leaves it out
    :raises SheetError: not a file of visits
    :raises RefusedError: findings that nobody has accepted
    :raises FitError: too few visits of a kind that is needed
    :raises ConfigError: the result is not a valid lab
    :raises ValueError: an invalid option
    :raises OSError: the file cannot be opened
    """
    visits = read_visits(path, columns)
    found = check_visits(visits)
    refuse(found, accept)
    return calibrate_visits(visits, choices or Choices(name=Path(path).stem), found, accept, days)


def calibrate_visits(
    visits: Visits,
    choices: Choices,
    findings: Sequence[Finding] = (),
    accept: Sequence[str] = (),
    days: int = DAYS,
    jobs: Jobs = 1,
) -> Calibration:
    """Fit a lab to a record that has been checked.

    :param visits: the record
    :param choices: options of the fit
    :param findings: of its checks, all of them accepted
    :param accept: names of checks whose findings are accepted
    :param days: simulated days of the validation, at least 2; 0 leaves it out
    :param jobs: number of processes, or a cluster's workers, that play days
    :raises RefusedError: the lab contradicts the record, and nobody has accepted that
    :raises FitError: too few visits of a kind that is needed
    :raises ConfigError: the result is not a valid lab
    """
    # Intervals take most of the time: a lab that is refused has none.
    against = check_lab(visits, fit_points(visits, choices).config)
    refuse(against, accept)
    fitted = fit(visits, choices)
    validation = validation_of(visits, fitted, days, jobs) if days else None
    return Calibration(visits, tuple(dict.fromkeys((*findings, *against))), fitted, validation)


def validation_of(visits: Visits, fitted: Fitted, days: int = DAYS, jobs: Jobs = 1) -> Validation:
    """How far a fitted lab behaves like the record, checked with labs of its bootstrap as well.

    :param visits: the record
    :param fitted: the lab
    :param days: simulated days
    """
    labs = [fitted.lab(number) for number in range(min(_LABS, len(fitted.bootstrap)))]
    refit = refit_with(fitted.choices)
    return validate(visits, fitted.config, days, refit=refit, labs=labs, books=fitted.weekdays, jobs=jobs)


def refuse(found: Sequence[Finding], accept: Sequence[str]) -> None:
    """Refuse findings that are not accepted.

    :param found: of the checks
    :param accept: names of checks
    :raises RefusedError: there is one
    :raises ValueError: no check has such a name
    """
    left = refused(found, accept)
    if left:
        raise RefusedError(left)


def refit_with(choices: Choices) -> Callable[[Visits], GeneralLabConfig]:
    """What fits labs to a record with a day left out, without intervals.

    :param choices: the options of the fit; a book of one day stays out, since that may be the day left out
    """
    own = dataclasses.replace(choices, day=None)
    return lambda visits: fit_points(visits, own).config
