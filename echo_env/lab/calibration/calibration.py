"""A lab fitted to a hospital's spreadsheet (needs pandas and openpyxl).

The sheets determine appointments, rooms, sonographers and breaks, the no-show rate, arrival times and exam durations.
Everything else (penalties, absences, break probabilities) is taken from a base lab; :attr:`Calibration.sources`
records where each part comes from.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.calibration.cell_log import CellLog
from echo_env.lab.calibration.fits import LEAST_ROWS, Fit, Fitter, GoodnessOfFit, Share, likelihood_ratio_p, share_of
from echo_env.lab.calibration.fitting.laws.maximum_likelihood import tens_above, tens_below
from echo_env.lab.calibration.notes import Noted, resources_noted
from echo_env.lab.calibration.reading import SheetError, read_visits
from echo_env.lab.calibration.typical_day import KINDS, TypicalDay, typical_day
from echo_env.lab.calibration.visits import Visits
from echo_env.lab.config import Appointments, Arrival, Exam, ExamLaw, Hours, LabConfig, Rooms, Sonographers
from echo_env.lab.config.chance import ARRIVAL_MODELS, ArrivalModel

if TYPE_CHECKING:
    import pandas as pd

EXAM_LAWS = ("pooled", "by_kind")
"""One duration distribution for all exams, or one for each kind."""
PAPER = "baseline"
"""The preset with the paper's distributions."""


@dataclass(frozen=True)
class Choices:
    """Options of a calibration.

    :param arrival: arrival distribution, ``exponential`` or ``empirical``
    :param exams: exam-duration distribution, ``pooled`` or ``by_kind``
    :param day: use the appointments of this sheet; by default those of a typical day
    :param base: lab that supplies what the sheets do not determine
    :param name: name of the lab; by default the file's
    :param seed: seed of the bootstrap, at least 0
    :param resamples: number of bootstrap samples
    :raises ValueError: a value that is not allowed; names field and value
    """

    arrival: ArrivalModel = "exponential"
    exams: str = "pooled"
    day: str | None = None
    base: str = PAPER
    name: str | None = None
    seed: int = 0
    resamples: int = 1000

    def __post_init__(self) -> None:
        for field, allowed in (("arrival", ARRIVAL_MODELS), ("exams", EXAM_LAWS)):
            if getattr(self, field) not in allowed:
                raise ValueError(f"{field} is {getattr(self, field)!r}, but must be one of {', '.join(allowed)}")
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed!r}, but must be a whole number of at least 0")


@dataclass(frozen=True)
class Calibration:
    """A lab and the evidence that it was fitted to.

    :param spreadsheet: the visits that were read
    :param log: its cells that were repaired, dropped or not read
    :param table: one row a visit, see :func:`tidy_table`
    :param choices: the options
    :param no_show: no-show rate of patients with a scheduled echo
    :param arrival: arrival distribution of those who came
    :param exam: duration distribution of all exams
    :param exam_by_kind: kind -> duration distribution of its exams, where there are enough of them
    :param kinds_differ_p: p-value of the hypothesis that both kinds have one duration distribution; None unless both
        were fitted
    :param paper_arrival: goodness of fit of the paper's arrival distribution
    :param paper_exam: goodness of fit of the paper's duration distribution
    :param day: the appointments
    :param noted: resources stated in the notes
    :param sources: section or field of the config -> its source, in words
    :param config: the lab
    """

    spreadsheet: Visits
    log: CellLog
    table: pd.DataFrame
    choices: Choices
    no_show: Share
    arrival: Fit[Arrival]
    exam: Fit[ExamLaw]
    exam_by_kind: dict[str, Fit[ExamLaw]]
    kinds_differ_p: float | None
    paper_arrival: GoodnessOfFit
    paper_exam: GoodnessOfFit
    day: TypicalDay
    noted: dict[str, Noted]
    sources: dict[str, str]
    config: LabConfig


def calibrate(source: Visits | str | Path, choices: Choices | None = None) -> Calibration:
    """Fit a lab to a hospital's spreadsheet.

    :param source: the visits, or a file of them, see :mod:`~echo_env.lab.calibration.reading`
    :param choices: by default the paper's distributions, pooled exams, and a typical day
    :raises SheetError: not a hospital's spreadsheet, or too few rows to fit a distribution
    :raises ConfigError: the result is not a valid lab
    :raises ValueError: an invalid option
    :raises OSError: the file cannot be opened
    """
    choices = choices or Choices()
    base, paper = LabConfig.load(choices.base), LabConfig.load(PAPER)
    fitter = Fitter(np.random.default_rng(choices.seed), choices.resamples)
    spreadsheet = source if isinstance(source, Visits) else read_visits(source)
    table = tidy_table(spreadsheet)
    day, noted = typical_day(table, choices.day), resources_noted(spreadsheet.notes)
    if not any(day.times.values()):
        raise SheetError(f"{spreadsheet.name} has no row with both a scheduled echo and an expected check-in")
    # An impossible lab is refused before the bootstrap, which takes most of the time.
    frame, sources = _lab(choices, base, day, noted, choices.name or Path(spreadsheet.name).stem)
    scheduled = table[table["has_echo"] == "yes"]
    known = scheduled[scheduled["came"] != "unknown"]
    no_show = share_of(int((known["came"] == "no").sum()), len(known))
    offsets, lengths = _whole(table["offset_min"]), _whole(table["exam_min"])
    for what, rows in (("check-ins with an expected check-in", offsets), ("exams with start and end", lengths)):
        if len(rows) < LEAST_ROWS:
            raise SheetError(f"{spreadsheet.name} has {len(rows)} usable {what}, but a fit takes at least {LEAST_ROWS}")
    arrival = fitter.arrival(offsets, base.arrival)
    bounds = tens_below(base.exam.shortest_min, lengths.min()), tens_above(base.exam.longest_min, lengths.max())
    exam = fitter.exam(lengths, *bounds)
    parts = {kind: _whole(table.loc[table["kind"] == kind, "exam_min"]) for kind in KINDS}
    by_kind = {kind: fitter.exam(part, *bounds) for kind, part in parts.items() if len(part) >= LEAST_ROWS}
    config = dataclasses.replace(
        frame, arrival=_arrival_section(choices, no_show, arrival), exam=_exam_section(choices, exam, by_kind)
    )
    differ = likelihood_ratio_p(exam, by_kind.values()) if len(by_kind) == len(KINDS) else None
    return Calibration(
        spreadsheet, spreadsheet.log, table, choices, no_show, arrival, exam, by_kind, differ,
        fitter.arrival_test(offsets, paper.arrival), fitter.exam_test(lengths, paper.exam), day, noted, sources, config,
    )  # fmt: skip


def tidy_table(visits: Visits) -> pd.DataFrame:
    """The visits as the two kinds of the paper's lab: ``kind`` for ``type``, ``echo_in`` for ``begin``.

    :param visits: what was read
    """
    names = {"begin": "echo_in", "end": "echo_out", "staff": "sonographer", "booked": "has_echo", "type": "kind"}
    table = visits.table.rename(columns=names)
    kinds = table["kind"].map({"fetal": "fetal", "non_fetal": "non-fetal"}).fillna("unknown")
    return table.assign(kind=kinds, date=table["day"].where(table["day"] != table["sheet"], ""))


def _whole(column: pd.Series) -> NDArray[np.int64]:
    """The known values of a column."""
    return column.dropna().to_numpy(dtype=np.int64)


def _rounded(value: float) -> float:
    """Four significant digits, more than any spreadsheet supports."""
    return float(f"{value:.4g}")


def _arrival_section(choices: Choices, no_show: Share, fit: Fit[Arrival]) -> Arrival:
    """The fitted parameters together with the observed offsets, so that ``model`` alone switches between the two."""
    law = fit.law
    return dataclasses.replace(
        law, no_show_rate=_rounded(no_show.share), late_share=_rounded(law.late_share),
        late_mean_min=_rounded(law.late_mean_min), early_mean_min=_rounded(law.early_mean_min), model=choices.arrival,
        offsets_min=tuple(fit.sample.tolist()),
    )  # fmt: skip


def _exam_section(choices: Choices, pooled: Fit[ExamLaw], by_kind: dict[str, Fit[ExamLaw]]) -> Exam:
    """One duration distribution, or one for each kind.

    :raises SheetError: a kind has too few exams
    """
    if choices.exams == "pooled":
        return Exam(*_exam_numbers(pooled.law))
    for kind in KINDS:
        if kind not in by_kind:
            raise SheetError(f"exams is 'by_kind', but there are fewer than {LEAST_ROWS} {kind} exams to fit")
    return Exam(*_exam_numbers(by_kind["non-fetal"].law), fetal=ExamLaw(*_exam_numbers(by_kind["fetal"].law)))


def _exam_numbers(law: ExamLaw) -> tuple[float, float, float, float]:
    return _rounded(law.shape), _rounded(law.mean_min), float(law.shortest_min), float(law.longest_min)


def _lab(
    choices: Choices, base: LabConfig, day: TypicalDay, noted: dict[str, Noted], name: str
) -> tuple[LabConfig, dict[str, str]]:
    """The lab with the base's distributions, and the source of each part."""
    hours, hours_source = _hours(base, day)
    times = {kind: tuple(time - hours.opening_min for time in day.times[kind]) for kind in KINDS}
    rooms, sonographers, breaks = base.rooms, base.sonographers, base.breaks
    not_noted = f"not stated in the notes; as in {choices.base}"
    sources = {"hours": hours_source, "penalty": f"as in {choices.base}"}
    sources |= dict.fromkeys(("rooms", "sonographers", "breaks"), not_noted)
    if {"rooms.fetal", "rooms.non_fetal"} <= set(noted):
        rooms = Rooms(noted["rooms.fetal"].value, noted["rooms.non_fetal"].value)
        sources["rooms"] = _quoted(noted, "rooms.non_fetal", "rooms.fetal")
    if {"sonographers", "sonographers.fetal"} <= set(noted):
        fetal = noted["sonographers.fetal"].value
        sonographers = _staff(base.sonographers, fetal, noted["sonographers"].value - fetal)
        quoted = _quoted(noted, "sonographers", "sonographers.fetal")
        sources["sonographers"] = f"{quoted}; absences as in {choices.base}"
    if "breaks.number" in noted and noted["breaks.number"].value <= 2:
        breaks = dataclasses.replace(
            base.breaks, number=noted["breaks.number"].value, minutes=noted["breaks.minutes"].value
        )
        sources["breaks"] = f"{_quoted(noted, 'breaks.number')}; their probabilities as in {choices.base}"
    if choices.day is None:
        sources["appointments"] = f"expected check-ins of a typical day, from {', '.join(day.used)}"
    else:
        sources["appointments"] = f"expected check-ins of {choices.day}"
    config = LabConfig(
        Appointments(times["fetal"], times["non-fetal"]), name, hours, base.arrival, base.exam, rooms, sonographers,
        breaks, base.penalty,
    )  # fmt: skip
    return config, sources


def _staff(base: Sonographers, fetal: int, non_fetal: int) -> Sonographers:
    present = min(base.always_present_fetal, fetal), min(base.always_present_non_fetal, non_fetal)
    return Sonographers(fetal, non_fetal, *present, base.absence_rate)


def _quoted(noted: dict[str, Noted], *names: str) -> str:
    """The phrases of the notes that state numbers, with their cells."""
    return ", ".join(f"'{noted[name].text}' ({noted[name].where})" for name in names)


def _hours(base: LabConfig, day: TypicalDay) -> tuple[Hours, str]:
    """The base's hours, widened to full half hours where an appointment lies outside them."""
    times = [time for kind in KINDS for time in day.times[kind]]
    opening = min(base.hours.opening_min, min(times) // 30 * 30)
    closing = max(base.hours.opening_min + base.hours.closing_min, -(-max(times) // 30) * 30)
    end = max(base.hours.opening_min + base.hours.end_min, closing)
    hours = Hours(opening, closing - opening, end - opening)
    if hours == base.hours:
        return hours, f"as in {base.name}"
    return hours, f"as in {base.name}, widened to include all appointments"
