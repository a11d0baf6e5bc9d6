"""Visits to a lab: what is recorded is fitted, what is not is taken from a base lab and named."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from echo_env.lab.calibration.fitting.choices import Choices
from echo_env.lab.calibration.fitting.estimates import (
    Estimate,
    FitError,
    Fitted,
    Share,
    interval_of,
    lab_of,
    share_of,
    with_values,
)
from echo_env.lab.calibration.fitting.frame import Frame, book_times, frame_of, lab_types
from echo_env.lab.calibration.fitting.laws.evidence import (
    Evidence,
    evidence_of,
    resampled_days,
    resampled_rows,
    what_is_resampled,
)
from echo_env.lab.calibration.fitting.laws.goodness import Fit, fit_arrival, fit_exam, likelihood_ratio_p
from echo_env.lab.calibration.fitting.laws.maximum_likelihood import tens_above, tens_below
from echo_env.lab.calibration.fitting.laws.parameters import (
    LEAST_ROWS,
    Parameter,
    arrival_parameters,
    exam_parameters,
    lead_parameter,
    no_show_rate,
    preparation_parameter,
    vitals_parameter,
    whole,
)
from echo_env.lab.calibration.fitting.laws.replayed import MINUTES, replay_errors
from echo_env.lab.calibration.visits import Visits
from echo_env.lab.config.general import GeneralLabConfig
from echo_env.lab.config.lab import Lab
from echo_env.lab.config.loading import Values, load_lab

_VITALS_SHARE = 0.75
"""Share of exams with a preparation recorded before them from which its distribution is that of the record."""
_MOST_TESTS = 200
"""Samples of the parametric bootstrap of a test of fit."""
Bounds = tuple[float, float]


class Points(NamedTuple):
    """A lab fitted to visits, without intervals.

    :param config: the lab
    :param frame: what it is made of besides numbers
    :param parameters: the numbers as functions of the evidence
    :param evidence: of all visits
    :param values: value of each field
    :param unknown: fields that the visits do not identify
    :param bounds: ends of the interval of exam lengths, minutes
    """

    config: GeneralLabConfig
    frame: Frame
    parameters: tuple[Parameter, ...]
    evidence: Evidence
    values: Values
    unknown: tuple[Estimate, ...]
    bounds: Bounds


def fit(visits: Visits, choices: Choices | None = None) -> Fitted:
    """Fit a lab to visits, with intervals.

    :param visits: the visits
    :param choices: options
    :raises FitError: too few visits of a kind that is needed
    :raises ConfigError: the result is not a valid lab
    :raises ValueError: an invalid option
    """
    choices = choices or Choices()
    points = fit_points(visits, choices)
    config, frame, evidence = points.config, points.frame, points.evidence
    rng = np.random.default_rng(choices.seed)
    bootstrap = tuple(
        values_of(points.parameters, evidence.take(rows)) | frame.resampled(rng)
        for rows in resampled_rows(evidence, rng, choices.resamples)
    )
    laws = _goodness(choices, points, rng)
    parts = [law for name, law in laws.items() if name.startswith("exam_")]
    return Fitted(
        config=config,
        weekdays={weekday: _of_weekday(config, frame, weekday) for weekday in frame.weekdays},
        estimates=(*estimates_of(points, bootstrap), *frame.estimates, *points.unknown),
        sources=frame.sources | _law_sources(visits, choices, evidence, laws),
        bootstrap=bootstrap,
        resampled=what_is_resampled(evidence),
        laws=laws,
        types_differ_p=likelihood_ratio_p(laws["exam"], parts) if len(parts) > 1 else None,
        book=frame.book,
        weekday_books=frame.weekdays,
        no_show=_no_show(evidence),
        choices=choices,
    )


def fit_points(visits: Visits, choices: Choices) -> Points:
    """Fit a lab to visits, without intervals.

    :param visits: the visits
    :param choices: options
    :raises FitError: too few visits of a kind that is needed
    :raises ConfigError: the result is not a valid lab
    :raises ValueError: an invalid option
    """
    base = load_lab(choices.base)
    types = lab_types(visits, base)
    evidence = evidence_of(visits, types)
    leads = [lead_parameter(name, kind) for kind, name in enumerate(types)]
    frame = frame_of(visits, choices, base, types, _leads(types, leads, evidence))
    # An impossible lab is refused before replays and bootstrap, which take most of the time.
    lab_of(frame.data, {})
    bounds = _exam_bounds(visits, base, evidence)
    parameters = [*leads, *_laws(visits, choices, frame, evidence, bounds)]
    values = values_of(parameters, evidence) | fixed_of(parameters)
    if (visits.table["begin"].notna() & visits.table["actual"].notna()).any():
        evidence = evidence._replace(errors=replay_errors(visits, lab_of(frame.data, values)))
    preparations, unknown = _preparations(frame, evidence)
    values |= values_of(preparations, evidence) | fixed_of(preparations)
    every = (*parameters, *preparations)
    return Points(lab_of(frame.data, values), frame, every, evidence, values, tuple(unknown), bounds)


def values_of(parameters: Sequence[Parameter], evidence: Evidence) -> Values:
    """All fields that the evidence speaks to.

    :param parameters: the parameters
    :param evidence: of all visits, or of a bootstrap sample
    """
    found: Values = {}
    for parameter in parameters:
        found |= parameter.values(evidence)
    return found


def fixed_of(parameters: Sequence[Parameter]) -> Values:
    """The fields that go with the parameters, the same in all bootstrap samples.

    :param parameters: the parameters
    """
    return {path: value for parameter in parameters for path, value in parameter.beside.items()}


def estimates_of(points: Points, bootstrap: tuple[Values, ...]) -> list[Estimate]:
    """The fields with their intervals.

    :param points: the fitted lab
    :param bootstrap: values of each bootstrap sample
    """
    estimates = []
    days = resampled_days(points.evidence)
    for parameter in points.parameters:
        rows = parameter.rows(points.evidence)
        for path, words in parameter.words.items():
            if path in points.values:
                samples = [sample[path] for sample in bootstrap if path in sample]
                low, high = interval_of(points.values[path], samples, days)
                if path == "arrival.no_show_rate":
                    share = _no_show(points.evidence)
                    low, high = share.low, share.high
                estimates.append(Estimate(path, words, points.values[path], low, high, rows, parameter.source))
    return estimates


def _no_show(evidence: Evidence) -> Share:
    return share_of(int((evidence.no_show & evidence.known).sum()), int(evidence.known.sum()))


def _leads(types: tuple[str, ...], leads: Sequence[Parameter], evidence: Evidence) -> dict[str, int]:
    """Exam type -> minutes from expected check-in to appointment, 0 where they are not recorded."""
    found = values_of(leads, evidence)
    return {name: found.get(f"exam_types.{name}.check_in_lead_min", 0) for name in types}


def _exam_bounds(visits: Visits, base: Lab, evidence: Evidence) -> Bounds:
    """Ends of the interval of exam lengths: those of the base lab, widened to tens by what was recorded."""
    lengths = whole(evidence.exam)
    if len(lengths) < LEAST_ROWS:
        raise FitError(_too_few(visits, "exams with begin and end", len(lengths)))
    law = base.plan.types[-1].exam
    return tens_below(law.shortest_min, lengths.min()), tens_above(law.longest_min, lengths.max())


def _too_few(visits: Visits, what: str, number: int) -> str:
    return f"{visits.name} has {number} usable {what}, but a fit takes at least {LEAST_ROWS}"


def _laws(visits: Visits, choices: Choices, frame: Frame, evidence: Evidence, bounds: Bounds) -> list[Parameter]:
    """Arrivals and exam lengths."""
    parameters = []
    if evidence.known.any():
        parameters.append(no_show_rate())
    offsets = whole(evidence.offset)
    if 0 < len(offsets) < LEAST_ROWS:
        raise FitError(_too_few(visits, "check-ins with an expected check-in", len(offsets)))
    if len(offsets):
        parameters.append(arrival_parameters(frame.arrival, choices.arrival, offsets))
    parameters.append(exam_parameters("exam", None, bounds, "exams"))
    if choices.exams == "by_type":
        for kind in _fitted_types(frame, evidence):
            name = frame.types[kind]
            parameters.append(exam_parameters(f"exam_types.{name}.exam", kind, bounds, f"{name} exams"))
    return parameters


def _fitted_types(frame: Frame, evidence: Evidence) -> list[int]:
    """Exam types with enough exams for a distribution of their own."""
    return [k for k in range(len(frame.types)) if len(whole(evidence.exam[evidence.type == k])) >= LEAST_ROWS]


def _preparations(frame: Frame, evidence: Evidence) -> tuple[list[Parameter], list[Estimate]]:
    """Preparation of each type: recorded, by replay, or not identified."""
    parameters, unknown = [], []
    for kind, name in enumerate(frame.types):
        own = evidence.type == kind
        recorded, exams = whole(evidence.vitals[own]), int((~np.isnan(evidence.exam[own])).sum())
        replayed = int((~np.isnan(evidence.errors[own]).any(axis=1)).sum()) if evidence.errors.shape[1] else 0
        if len(recorded) >= max(LEAST_ROWS, _VITALS_SHARE * exams):
            ends = tens_below(10.0, recorded.min()), tens_above(10.0, recorded.max())
            parameters.append(vitals_parameter(name, kind, ends))
        elif replayed >= LEAST_ROWS:
            parameters.append(preparation_parameter(name, kind, MINUTES))
        else:
            path, words = f"exam_types.{name}.preparation.minutes", f"preparation of {name} (min)"
            source = f"not identified: {replayed} exams with a check-in; none is assumed"
            unknown.append(Estimate(path, words, 0, math.nan, math.nan, replayed, source))
    return parameters, unknown


def _goodness(choices: Choices, points: Points, rng: np.random.Generator) -> dict[str, Fit[Any]]:
    """The fitted distributions with their goodness of fit."""
    frame, evidence, bounds = points.frame, points.evidence, points.bounds
    tests = min(choices.resamples, _MOST_TESTS)
    laws: dict[str, Fit[Any]] = {}
    offsets = whole(evidence.offset)
    if len(offsets):
        laws["arrival"] = fit_arrival(offsets, frame.arrival, rng, tests)
    laws["exam"] = fit_exam(whole(evidence.exam), bounds, rng, tests)
    for kind in _fitted_types(frame, evidence) if len(frame.types) > 1 else ():
        minutes = whole(evidence.exam[evidence.type == kind])
        laws[f"exam_{frame.types[kind]}"] = fit_exam(minutes, bounds, rng, tests)
    return laws


def _law_sources(visits: Visits, choices: Choices, evidence: Evidence, laws: dict[str, Fit[Any]]) -> dict[str, str]:
    """Where the sections ``arrival`` and ``exam`` come from."""
    share = _no_show(evidence)
    known = f"{share.count} no-shows of {share.of}" if share.of else f"no-shows as in {choices.base}"
    expects = "" if visits.table["expected"].notna().any() else ", against the appointment"
    switch = "model: exponential uses the means, model: empirical uses offsets_min (minutes after expected check-in)"
    came = (
        f"{len(laws['arrival'].sample)} check-ins{expects}; {switch}"
        if "arrival" in laws
        else (f"check-ins are not recorded; as in {choices.base}")
    )
    own = (
        "one distribution for each exam type that has enough"
        if choices.exams == "by_type"
        else ("one distribution for all exams")
    )
    return {"arrival": f"{known}; {came}", "exam": f"{len(laws['exam'].sample)} exams; {own}"}


def _of_weekday(config: GeneralLabConfig, frame: Frame, weekday: str) -> GeneralLabConfig:
    """The lab with the appointments of a weekday."""
    book = frame.weekdays[weekday]
    times: Values = {f"exam_types.{name}.appointments": book_times(book, name) for name in frame.types}
    return with_values(config, times | {"name": f"{config.name}_{weekday}"})
