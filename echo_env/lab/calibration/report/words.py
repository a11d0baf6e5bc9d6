"""The findings of a calibration in sentences, for a head of department."""

from __future__ import annotations

import math

from echo_env.lab.calibration.calibration import Calibration
from echo_env.lab.calibration.fitting.estimates import Estimate, Fitted
from echo_env.lab.calibration.fitting.laws.maximum_likelihood import exam_law
from echo_env.lab.calibration.report.paper import is_papers, paper_sentences

LEAST_P = 0.05
"""Significance level of the tests."""
_DAY_MIN = 1440.0
_REMEDIES = {
    "arrival": "; --arrival empirical resamples what was recorded",
    "exam": "; lengths are often written down as round numbers such as 45 and 60",
}


def sentences(found: Calibration) -> list[str]:
    """The findings: the verdict of the validation first, then what was fitted.

    :param found: the calibration
    """
    validated = list(found.validation.sentences) if found.validation is not None else []
    paper = paper_sentences(found.fitted) if is_papers(found.visits) else []
    return [*validated, *_of_patients(found.fitted), *_of_laws(found.fitted), *_of_book(found.fitted), *paper]


def _of_patients(fitted: Fitted) -> list[str]:
    said = []
    no_show = fitted.no_show
    if no_show.of:
        interval = f"95 % interval {_percent(no_show.low)} to {_percent(no_show.high)}"
        said.append(
            f"{no_show.count} of {no_show.of} patients with an appointment were no-shows: {_percent(no_show.share)}, "
            f"{interval}."
        )
    if "arrival" in fitted.laws:
        offsets, margin = fitted.laws["arrival"].sample, fitted.laws["arrival"].law.on_time_margin_min
        early, late = float((offsets < -margin).mean()), float((offsets > margin).mean())
        said.append(
            f"Of those who came, {_percent(early)} were early by more than {margin} minutes, {_percent(late)} late by "
            f"more than that, and {_percent(1 - early - late)} on time."
        )
    return said


def _of_laws(fitted: Fitted) -> list[str]:
    said = []
    for name, fit in fitted.laws.items():
        what, _, kind = name.partition("_")
        of = f" of {kind}" if kind else ""
        minutes = fit.sample
        if what == "exam":
            spread = f", standard deviation {minutes.std(ddof=1):.1f}" if len(minutes) > 1 else ""
            plain = exam_law(minutes, 0.0, _DAY_MIN)
            gamma = (
                f"a gamma distribution has shape {plain.shape:.2f} and scale {plain.mean_min / plain.shape:.2f} minutes"
            )
            said.append(f"{len(minutes)} exams{of} took {minutes.mean():.1f} minutes on average{spread}; {gamma}.")
        verdict = "is rejected" if fit.fit.p < LEAST_P else "is not rejected"
        remedy = _REMEDIES[what] if fit.fit.p < LEAST_P else ""
        title = "The distribution of arrivals" if what == "arrival" else f"The distribution of the lengths{of}"
        distance = f"Kolmogorov-Smirnov distance {fit.fit.distance:.3f}, p = {fit.fit.p:.3f}"
        said.append(f"{title} {verdict} ({distance}){remedy}.")
    if fitted.types_differ_p is not None:
        differ = "differ" if fitted.types_differ_p < LEAST_P else "cannot be told to differ"
        own = "one distribution for each type" if fitted.choices.exams == "by_type" else "one distribution for all"
        said.append(
            f"The lengths of the exam types {differ} (likelihood-ratio test, p = {fitted.types_differ_p:.2f}); the lab "
            f"has {own} (--exams)."
        )
    return said


def _of_book(fitted: Fitted) -> list[str]:
    book = fitted.book
    totals = [sum(book.counts[day].values()) for day in book.used]
    said = []
    if any(totals):
        days = f"the {len(book.used)} days used have" if len(book.used) > 1 else "the day used has"
        span = f"{min(totals)} to {max(totals)}" if min(totals) < max(totals) else f"{max(totals)}"
        own = (
            f"each of {len(fitted.weekdays)} weekdays has a book of its own"
            if fitted.weekdays
            else (f"the lab has {book.appointments}")
        )
        said.append(f"Appointments: {days} {span}; {own}.")
    if book.incomplete:
        said.append(
            f"Incomplete, and left out of the book where others are complete: {', '.join(book.incomplete)}, where "
            "more than a tenth of the rows do not tell whether an exam was booked."
        )
    return said


def not_identified(fitted: Fitted) -> list[str]:
    """Where each part of the lab is from, what the record does not tell first.

    :param fitted: the lab
    """
    said = [f"{one.words}: {one.source}." for one in fitted.estimates if math.isnan(one.low)]
    return said + [f"{name.replace('_', ' ')}: {source}." for name, source in fitted.sources.items()]


def interval_text(one: Estimate) -> str:
    """``44.9 to 54.3``; empty where there is none.

    :param one: the estimate
    """
    return "" if math.isnan(one.low) else f"{one.low:.4g} to {one.high:.4g}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
