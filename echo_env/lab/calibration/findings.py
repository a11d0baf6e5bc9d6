"""Findings of a calibration: each estimate beside the paper's value, its interval, and conclusions in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from echo_env.lab.calibration.calibration import PAPER, Calibration
from echo_env.lab.calibration.fits import GoodnessOfFit, share_of
from echo_env.lab.calibration.fitting.laws.maximum_likelihood import arrival_law, exam_law
from echo_env.lab.calibration.typical_day import KINDS
from echo_env.lab.config import Arrival, LabConfig

if TYPE_CHECKING:
    import pandas as pd

LEAST_P = 0.05
"""Significance level of the tests."""
_UNBOUNDED_MIN = 1440.0


class Compared(NamedTuple):
    """An estimate from the sheets beside the paper's value.

    :param name: name of the quantity
    :param seen: estimate from the sheets
    :param low: lower end of its 95 % interval; nan without one
    :param high: upper end
    :param paper: the paper's value
    :param agrees: whether the paper's value lies in the interval or, for a bound, holds for all observations
    """

    name: str
    seen: float
    low: float
    high: float
    paper: float
    agrees: bool


def compared(found: Calibration) -> list[Compared]:
    """Every estimate beside the paper's value.

    :param found: the calibration
    """
    paper, no_show, arrival, exam = LabConfig.load(PAPER), found.no_show, found.arrival, found.exam
    rows = [("no-show rate", no_show.share, (no_show.low, no_show.high), paper.arrival.no_show_rate)]
    for name, words in (
        ("late_share", "share on the late side"),
        ("late_mean_min", "mean delay on the late side (min)"),
        ("early_mean_min", "mean lead on the early side before truncation (min)"),
    ):
        rows.append((words, getattr(arrival.law, name), arrival.intervals[name], getattr(paper.arrival, name)))
    exams = ("shape", "gamma shape of exam durations"), ("mean_min", "mean exam duration before truncation (min)")
    for name, words in exams:
        rows.append((words, getattr(exam.law, name), exam.intervals[name], getattr(paper.exam, name)))
    table = [Compared(words, seen, *ends, other, ends[0] <= other <= ends[1]) for words, seen, ends, other in rows]
    lead, shortest, longest = max(-int(arrival.sample.min()), 0), int(exam.sample.min()), int(exam.sample.max())
    for words, extreme, bound, holds in (
        ("largest lead (min)", lead, paper.arrival.early_max_min, lead <= paper.arrival.early_max_min),
        ("shortest exam (min)", shortest, paper.exam.shortest_min, shortest >= paper.exam.shortest_min),
        ("longest exam (min)", longest, paper.exam.longest_min, longest <= paper.exam.longest_min),
    ):
        table.append(Compared(words, extreme, math.nan, math.nan, bound, holds))
    return table


def findings(found: Calibration) -> list[str]:
    """The conclusions in plain sentences, for a head of department.

    :param found: the calibration
    """
    table = compared(found)
    departs = [row for row in table if not row.agrees]
    agrees = [row for row in table if row.agrees]
    exam, shares = found.exam, class_shares(found)
    plain = exam_law(exam.sample, 0.0, _UNBOUNDED_MIN)
    sentences = [
        f"{found.no_show.count} of {found.no_show.of} patients with a scheduled echo were no-shows: "
        f"{_percent(found.no_show.share)}, 95 % interval {_percent(found.no_show.low)} to "
        f"{_percent(found.no_show.high)}.",
        f"Of those who came, {_percent(shares['early'])} were early, {_percent(shares['on time'])} on time and "
        f"{_percent(shares['late'])} late by more than {found.config.arrival.on_time_margin_min} minutes.",
        f"{len(exam.sample)} exams took {exam.sample.mean():.1f} minutes on average, with a standard deviation of "
        f"{exam.sample.std(ddof=1):.1f}; a gamma distribution without truncation has shape {plain.shape:.2f} and scale "
        f"{plain.mean_min / plain.shape:.2f} minutes.",
        *(f"The paper's {_plain(row.name)} is {_number(row.paper)}; the sheets differ: {_seen(row)}."
          for row in departs),
    ]  # fmt: skip
    if agrees:
        names = "; ".join(f"{_plain(row.name)} {_number(row.paper)} (sheets: {_seen(row)})" for row in agrees)
        sentences.append(f"The sheets are consistent with the paper's other values: {names}.")
    return [*sentences, _appointment_sentence(found), *_fit_sentences(found), *_kind_sentences(found)]


def _appointment_sentence(found: Calibration) -> str:
    """The size of a day's book beside the paper's."""
    paper, day = LabConfig.load(PAPER).appointments, found.day
    totals = [sum(day.counts[sheet].values()) for sheet in day.used]
    fetal = [day.counts[sheet]["fetal"] for sheet in day.used]
    return (
        f"The paper's day has {len(paper)} appointments, {len(paper.fetal)} of them fetal; the {len(day.used)} sheets "
        f"used have {min(totals)} to {max(totals)} scheduled echoes, {min(fetal)} to {max(fetal)} of them fetal."
    )


def _fit_sentences(found: Calibration) -> list[str]:
    """Goodness of fit of each distribution, with the remedy where it is rejected."""
    typed = "; durations are often entered as round numbers such as 45 and 60"
    what = (
        ("The fitted arrival distribution", found.arrival.fit, "; --arrival empirical resamples what was observed"),
        ("The paper's arrival distribution", found.paper_arrival, ""),
        ("The fitted distribution of exam durations", found.exam.fit, typed),
        ("The paper's distribution of exam durations", found.paper_exam, ""),
        *((f"The distribution of {kind} exam durations", fit.fit, typed) for kind, fit in found.exam_by_kind.items()),
    )
    return [
        f"{name} {_verdict(fit)} (Kolmogorov-Smirnov distance {fit.distance:.3f}, p = {fit.p:.3f})"
        f"{remedy if fit.p < LEAST_P else ''}."
        for name, fit, remedy in what
    ]


def _kind_sentences(found: Calibration) -> list[str]:
    """Whether the data support separate duration distributions for the two kinds."""
    if found.kinds_differ_p is None:
        return ["There are too few exams of one kind to fit a distribution to each kind."]
    means = " and ".join(
        f"{len(fit.sample)} {kind} exams {fit.sample.mean():.1f}" for kind, fit in found.exam_by_kind.items()
    )
    verdict = "differ significantly" if found.kinds_differ_p < LEAST_P else "do not differ significantly"
    used = "one distribution for each kind" if found.config.exam.fetal else "one distribution for both kinds"
    return [
        f"{means} minutes on average: the durations {verdict} (likelihood-ratio test, "
        f"p = {found.kinds_differ_p:.2f}). This lab has {used}; choose with --exams pooled or --exams by_kind."
    ]


def class_shares(found: Calibration) -> dict[str, float]:
    """Shares of early, on-time and late patients among those who came, by the lab's definitions.

    :param found: the calibration
    """
    offsets, margin = found.arrival.sample, found.config.arrival.on_time_margin_min
    early, late = float((offsets < -margin).mean()), float((offsets > margin).mean())
    return {"early": early, "on time": 1 - early - late, "late": late}


def no_shows(found: Calibration) -> pd.DataFrame:
    """No-shows by sheet and by kind, among patients with a scheduled echo whose attendance is known.

    :param found: the calibration
    """
    import pandas as pd

    table = found.table
    known = table[(table["has_echo"] == "yes") & (table["came"] != "unknown")]
    groups = [*((name, known["sheet"] == name) for name in table["sheet"].unique())]
    groups += [(kind, known["kind"] == kind) for kind in KINDS]
    rows = []
    for name, chosen in groups:
        share = share_of(int((known.loc[chosen, "came"] == "no").sum()), int(chosen.sum()))
        rows.append((name, share.of, share.count, share.share, share.low, share.high))
    return pd.DataFrame(rows, columns=["", "scheduled", "no-shows", "share", "low", "high"])


def arrival_sensitivity(found: Calibration) -> dict[str, tuple[int, Arrival]]:
    """Sensitivity of the arrival distribution to the treatment of doubtful rows: treatment -> (rows, distribution).

    :param found: the calibration
    """
    table, base = found.table, LabConfig.load(found.choices.base).arrival
    came = table[(table["has_echo"] == "yes") & table["actual"].notna() & table["expected"].notna()]
    offset = came["actual"] - came["expected"]
    own = came["scheduled"] - came["expected"] <= 30
    every = table[table["actual"].notna() & table["expected"].notna()]
    samples = {
        "as fitted": table["offset_min"].dropna(),
        "with check-ins after the start of the echo": offset,
        "without check-ins expected long before the echo": came.loc[own & came["offset_min"].notna(), "offset_min"],
        "with patients without a scheduled echo": every["actual"] - every["expected"],
    }
    return {
        name: (len(rows), arrival_law(np.asarray(rows.to_numpy(dtype=np.int64)), base))
        for name, rows in samples.items()
    }


def rooms_used(found: Calibration) -> pd.DataFrame:
    """Fetal and non-fetal exams of known duration, by room.

    :param found: the calibration
    """
    import pandas as pd

    exams = found.table[found.table["exam_min"].notna() & (found.table["room"] != "")]
    return pd.crosstab(exams["room"], exams["kind"]).reindex(columns=list(KINDS), fill_value=0).reset_index()


def staff_used(found: Calibration) -> dict[str, int]:
    """Sheet -> number of sonographers named at its exams.

    :param found: the calibration
    """
    exams = found.table[found.table["echo_in"].notna() & (found.table["sonographer"] != "")]
    named = exams["sonographer"].str.split("/").groupby(exams["sheet"], sort=False)
    return {sheet: len({person.strip() for people in each for person in people}) for sheet, each in named}


def warnings_of(found: Calibration) -> list[str]:
    """Contradictions and gaps in the sheets, one sentence each.

    :param found: the calibration
    """
    rooms, said = rooms_used(found), []
    fetal = rooms.loc[rooms["fetal"] > 0, "room"].tolist()
    if len(fetal) > found.config.rooms.fetal:
        said.append(
            f"Fetal exams took place in {len(fetal)} rooms ({', '.join(fetal)}), but the lab has "
            f"{found.config.rooms.fetal} for them."
        )
    busiest = max(staff_used(found).items(), key=lambda one: one[1], default=("", 0))
    if busiest[1] > found.config.sonographers.total:
        said.append(
            f"On {busiest[0]} {busiest[1]} sonographers are named at exams, but the lab has "
            f"{found.config.sonographers.total}."
        )
    for sheet in found.day.incomplete:
        rows = found.table[found.table["sheet"] == sheet]
        unknown = int((rows["has_echo"] == "unknown").sum())
        used = "it may have more appointments than counted" if sheet in found.day.used else "it is not used"
        said.append(f"On {sheet} the scheduled echo is empty in {unknown} of {len(rows)} rows: {used}.")
    return said + [f"{name}: {source}." for name, source in found.sources.items() if source.startswith("not stated")]


def _verdict(fit: GoodnessOfFit) -> str:
    return "is rejected" if fit.p < LEAST_P else "is not rejected"


def _seen(row: Compared) -> str:
    interval = "" if math.isnan(row.low) else f", 95 % interval {_number(row.low)} to {_number(row.high)}"
    return f"{_number(row.seen)}{interval}"


def _number(value: float) -> str:
    return f"{value:.4g}"


def _plain(name: str) -> str:
    return name.replace(" (min)", " in minutes")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def numbers(rows: Sequence[Compared]) -> list[dict[str, object]]:
    """Rows as JSON objects, with None for nan.

    :param rows: from :func:`compared`
    """
    return [
        {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in row._asdict().items()}
        for row in rows
    ]
