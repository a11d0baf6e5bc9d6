"""Visits to a lab with intervals: every number with its interval, its rows and its source."""

from __future__ import annotations

from typing import Any

import numpy as np

from echo_env.lab.calibration.fitting.choices import Choices
from echo_env.lab.calibration.fitting.estimates import Estimate, Fitted, Share, interval_of, share_of, with_values
from echo_env.lab.calibration.fitting.frame import Frame, book_times
from echo_env.lab.calibration.fitting.laws.evidence import (
    Evidence,
    resampled_days,
    resampled_rows,
    what_is_resampled,
)
from echo_env.lab.calibration.fitting.laws.goodness import Fit, fit_arrival, fit_exam, likelihood_ratio_p
from echo_env.lab.calibration.fitting.laws.parameters import whole
from echo_env.lab.calibration.fitting.points import Points, fit_points, fitted_types, values_of
from echo_env.lab.calibration.visits import Visits
from echo_env.lab.config.general import GeneralLabConfig
from echo_env.lab.config.loading import Values

_MOST_TESTS = 200
"""Samples of the parametric bootstrap of a test of fit."""


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


def _goodness(choices: Choices, points: Points, rng: np.random.Generator) -> dict[str, Fit[Any]]:
    """The fitted distributions with their goodness of fit."""
    frame, evidence, bounds = points.frame, points.evidence, points.bounds
    tests = min(choices.resamples, _MOST_TESTS)
    laws: dict[str, Fit[Any]] = {}
    offsets = whole(evidence.offset)
    if len(offsets):
        laws["arrival"] = fit_arrival(offsets, frame.arrival, rng, tests)
    laws["exam"] = fit_exam(whole(evidence.exam), bounds, rng, tests)
    for kind in fitted_types(frame, evidence) if len(frame.types) > 1 else ():
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
