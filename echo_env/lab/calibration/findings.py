"""What a calibration found: each number beside the paper's, how sure it is, and what that means, in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from echo_env.lab.calibration.calibration import PAPER, Calibration
from echo_env.lab.calibration.fits import GoodnessOfFit, share_of
from echo_env.lab.calibration.maximum_likelihood import arrival_law, exam_law
from echo_env.lab.calibration.typical_day import KINDS
from echo_env.lab.config import Arrival, LabConfig

if TYPE_CHECKING:
    import pandas as pd

LEAST_P = 0.05
_ALL = 1e6


class Compared(NamedTuple):
    """A number of the sheets beside the paper's.

    :param name: what it is
    :param seen: in the sheets
    :param low: lower end of its 95 % interval; nan without one
    :param high: upper end
    :param paper: what the paper has
    :param agrees: whether the paper's number lies in the interval, or bounds what was seen
    """

    name: str
    seen: float
    low: float
    high: float
    paper: float
    agrees: bool


def compared(found: Calibration) -> list[Compared]:
    """Every fitted number beside the paper's.

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
    exams = ("shape", "gamma shape of exams"), ("mean_min", "mean length of exams before truncation (min)")
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
    """What a head of department would want to know, in plain sentences.

    :param found: the calibration
    """
    table = compared(found)
    departs = [row for row in table if not row.agrees]
    agrees = [row for row in table if row.agrees]
    exam, shares = found.exam, class_shares(found)
    plain = exam_law(exam.sample, 0.0, _ALL)
    sentences = [
        f"{found.no_show.count} of {found.no_show.of} patients with a scheduled echo did not come: "
        f"{_percent(found.no_show.share)}, {_percent(found.no_show.low)} to {_percent(found.no_show.high)}.",
        f"Of those who came {_percent(shares['early'])} were early, {_percent(shares['on time'])} on time and "
        f"{_percent(shares['late'])} late by more than {found.config.arrival.on_time_margin_min} minutes.",
        f"{len(exam.sample)} exams took {exam.sample.mean():.1f} minutes on average, with a standard deviation of "
        f"{exam.sample.std(ddof=1):.1f}; a gamma law without truncation has shape {plain.shape:.2f} and scale "
        f"{plain.mean_min / plain.shape:.2f} minutes.",
        *(f"The paper's {_plain(row.name)} is {_number(row.paper)}; the sheets show another: {_seen(row)}."
          for row in departs),
    ]  # fmt: skip
    if agrees:
        names = "; ".join(f"{_plain(row.name)} {_number(row.paper)} (sheets: {_seen(row)})" for row in agrees)
        sentences.append(f"The sheets do not speak against the paper's other numbers: {names}.")
    return [*sentences, _appointment_sentence(found), *_fit_sentences(found), *_kind_sentences(found)]


def _appointment_sentence(found: Calibration) -> str:
    paper, day = LabConfig.load(PAPER).appointments, found.day
    totals = [sum(day.counts[sheet].values()) for sheet in day.used]
    fetal = [day.counts[sheet]["fetal"] for sheet in day.used]
    return (
        f"The paper's day has {len(paper)} appointments, {len(paper.fetal)} of them fetal; the {len(day.used)} sheets "
        f"counted have {min(totals)} to {max(totals)} scheduled echoes, {min(fetal)} to {max(fetal)} of them fetal."
    )


def _fit_sentences(found: Calibration) -> list[str]:
    """How well the laws fit, and what to do where one does not."""
    typed = "; lengths are often typed as round numbers such as 45 and 60"
    what = (
        ("The fitted law of arrival", found.arrival.fit, "; --arrival empirical draws from what was seen instead"),
        ("The paper's law of arrival", found.paper_arrival, ""),
        ("The fitted law of exams", found.exam.fit, typed),
        ("The paper's law of exams", found.paper_exam, ""),
        *((f"The law of {kind} exams alone", fit.fit, typed) for kind, fit in found.exam_by_kind.items()),
    )
    return [
        f"{name} {_verdict(fit)} (Kolmogorov-Smirnov distance {fit.distance:.3f}, p = {fit.p:.3f})"
        f"{remedy if fit.p < LEAST_P else ''}."
        for name, fit, remedy in what
    ]


def _kind_sentences(found: Calibration) -> list[str]:
    """Whether fetal exams should have a law of their own."""
    if found.kinds_differ_p is None:
        return ["There are too few exams of one kind for laws of their own."]
    means = " and ".join(
        f"{len(fit.sample)} {kind} exams {fit.sample.mean():.1f}" for kind, fit in found.exam_by_kind.items()
    )
    told = "can" if found.kinds_differ_p < LEAST_P else "cannot"
    used = "This lab has one for each kind" if found.config.exam.fetal else "This lab has one for both"
    return [
        f"{means} minutes on average: this many exams {told} tell two laws from one (likelihood ratio, "
        f"p = {found.kinds_differ_p:.2f}). {used}; --exams pooled and --exams by_kind choose."
    ]


def class_shares(found: Calibration) -> dict[str, float]:
    """Of those who came: early, on time, late, as the lab calls them.

    :param found: the calibration
    """
    offsets, margin = found.arrival.sample, found.config.arrival.on_time_margin_min
    early, late = float((offsets < -margin).mean()), float((offsets > margin).mean())
    return {"early": early, "on time": 1 - early - late, "late": late}


def no_shows(found: Calibration) -> pd.DataFrame:
    """By sheet and by kind: patients with a scheduled echo, of whom it is known, and who did not come.

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
    return pd.DataFrame(rows, columns=["", "scheduled", "did not come", "share", "low", "high"])


def arrival_under_other_rules(found: Calibration) -> dict[str, tuple[int, Arrival]]:
    """The law of arrival if doubtful rows were treated otherwise: rule -> rows, law.

    :param found: the calibration
    """
    table, base = found.table, LabConfig.load(found.choices.base).arrival
    came = table[(table["has_echo"] == "yes") & table["actual"].notna() & table["expected"].notna()]
    offset = came["actual"] - came["expected"]
    own = came["scheduled"] - came["expected"] <= 30
    every = table[table["actual"].notna() & table["expected"].notna()]
    samples = {
        "as fitted": table["offset_min"].dropna(),
        "with check-ins after the echo began": offset,
        "without check-ins due long before the echo": came.loc[own & came["offset_min"].notna(), "offset_min"],
        "with patients who had no scheduled echo": every["actual"] - every["expected"],
    }
    return {
        name: (len(rows), arrival_law(np.asarray(rows.to_numpy(dtype=np.int64)), base))
        for name, rows in samples.items()
    }


def rooms_used(found: Calibration) -> pd.DataFrame:
    """By room: fetal and non-fetal exams of known length in it.

    :param found: the calibration
    """
    import pandas as pd

    exams = found.table[found.table["exam_min"].notna() & (found.table["room"] != "")]
    return pd.crosstab(exams["room"], exams["kind"]).reindex(columns=list(KINDS), fill_value=0).reset_index()


def staff_used(found: Calibration) -> dict[str, int]:
    """Sheet -> how many sonographers are named at its exams.

    :param found: the calibration
    """
    exams = found.table[found.table["echo_in"].notna() & (found.table["sonographer"] != "")]
    named = exams["sonographer"].str.split("/").groupby(exams["sheet"], sort=False)
    return {sheet: len({person.strip() for people in each for person in people}) for sheet, each in named}


def warnings_of(found: Calibration) -> list[str]:
    """What the sheets say against themselves or leave open.

    :param found: the calibration
    """
    rooms, said = rooms_used(found), []
    fetal = rooms.loc[rooms["fetal"] > 0, "room"].tolist()
    if len(fetal) > found.config.rooms.fetal:
        said.append(
            f"Fetal exams were in {len(fetal)} rooms ({', '.join(fetal)}), but the lab has {found.config.rooms.fetal} "
            "for them."
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
        counted = "there may be more appointments than are" if sheet in found.day.used else "its appointments are not"
        said.append(f"On {sheet} the scheduled echo is empty in {unknown} of {len(rows)} rows: {counted} counted.")
    return said + [f"{name}: {source}." for name, source in found.sources.items() if source.startswith("not in")]


def _verdict(fit: GoodnessOfFit) -> str:
    return "does not fit" if fit.p < LEAST_P else "is not rejected"


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
    """As JSON has them: nan is None.

    :param rows: to be written
    """
    return [
        {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in row._asdict().items()}
        for row in rows
    ]
