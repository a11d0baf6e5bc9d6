"""Fields of a lab file as functions of the evidence: the same functions give the fit and its bootstrap samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.calibration.fitting.estimates import four_digits
from echo_env.lab.calibration.fitting.laws.evidence import Evidence
from echo_env.lab.calibration.fitting.laws.maximum_likelihood import arrival_law, exam_law
from echo_env.lab.calibration.fitting.laws.replayed import nearest_minutes
from echo_env.lab.config.chance import Arrival
from echo_env.lab.config.loading import Values

LEAST_ROWS = 10
"""Smallest sample that a distribution is fitted to."""


class Parameter(NamedTuple):
    """One or several fields that are fitted together.

    :param words: dotted field -> what it is, in words
    :param values: evidence -> value of each field; empty where this sample has nothing to say
    :param rows: evidence -> number of observations
    :param source: where the values come from
    :param beside: further fields that the file then has, the same in all bootstrap samples
    """

    words: Mapping[str, str]
    values: Callable[[Evidence], Values]
    rows: Callable[[Evidence], int]
    source: str
    beside: Mapping[str, Any] = MappingProxyType({})


def no_show_rate() -> Parameter:
    """Share of patients with an appointment who do not come."""

    def values(evidence: Evidence) -> Values:
        known = int(evidence.known.sum())
        share = int((evidence.no_show & evidence.known).sum()) / known if known else 0.0
        return {"arrival.no_show_rate": four_digits(share)}

    words = {"arrival.no_show_rate": "no-show rate"}
    return Parameter(words, values, lambda evidence: int(evidence.known.sum()), "patients with an appointment")


def arrival_parameters(base: Arrival, model: str, seen: NDArray[np.int64]) -> Parameter:
    """The arrival distribution and the offsets that were seen, so that ``model`` alone switches between the two.

    :param base: supplies what is not fitted
    :param model: ``exponential`` or ``empirical``
    :param seen: (n,) int64, all offsets, minutes
    """
    words = {
        "arrival.late_share": "share on the late side",
        "arrival.late_mean_min": "mean delay (min)",
        "arrival.early_mean_min": "mean lead before truncation (min)",
    }

    def values(evidence: Evidence) -> Values:
        offsets = whole(evidence.offset)
        if not len(offsets):
            return {}
        law = arrival_law(offsets, base)
        found: Values = {path: four_digits(getattr(law, path.rpartition(".")[2])) for path in words}
        found["arrival.early_max_min"] = law.early_max_min
        if model == "empirical":
            found["arrival.offsets_min"] = sorted(offsets.tolist())
        return found

    source = "check-ins minus expected check-ins"
    beside: Values = {"arrival.model": model, "arrival.offsets_min": sorted(seen.tolist())}
    return Parameter(words, values, lambda evidence: len(whole(evidence.offset)), source, beside)


def exam_parameters(section: str, kind: int | None, bounds: tuple[float, float], name: str) -> Parameter:
    """The distribution of exam lengths.

    :param section: dotted section, ``exam`` or ``exam_types.NAME.exam``
    :param kind: number of the exam type, or None for all exams
    :param bounds: ends of the interval, minutes
    :param name: whose exams, in words
    """

    def sample(evidence: Evidence) -> NDArray[np.int64]:
        return whole(evidence.exam if kind is None else evidence.exam[evidence.type == kind])

    words = f"shape of the length of {name}", f"mean of {name} (min)"
    return _lengths(section, bounds, words, sample, "end minus begin of exams")


def lead_parameter(name: str, kind: int) -> Parameter:
    """Median time from the expected check-in to the appointment.

    :param name: of the exam type
    :param kind: its number
    """
    path = f"exam_types.{name}.check_in_lead_min"

    def sample(evidence: Evidence) -> NDArray[np.int64]:
        return whole(evidence.lead[evidence.type == kind])

    def values(evidence: Evidence) -> Values:
        leads = sample(evidence)
        return {path: max(int(np.quantile(leads, 0.5, method="lower")), 0)} if len(leads) else {}

    source = "median of appointment minus expected check-in"
    words = {path: f"check-in before the appointment of {name} (min)"}
    return Parameter(words, values, lambda evidence: len(sample(evidence)), source)


def preparation_parameter(name: str, kind: int | None, minutes: tuple[int, ...]) -> Parameter:
    """The minutes of preparation with which replayed exams begin nearest to the recorded begins.

    :param name: of the exam type
    :param kind: number of the type whose exams tell, or None for those of all types
    :param minutes: the minutes that were tried, the columns of the errors
    """
    path = f"exam_types.{name}.preparation.minutes"

    def errors(evidence: Evidence) -> NDArray[np.float64]:
        own = evidence.errors if kind is None else evidence.errors[evidence.type == kind]
        return own[~np.isnan(own).any(axis=1)]

    def values(evidence: Evidence) -> Values:
        own = errors(evidence)
        return {path: nearest_minutes(own, minutes)} if len(own) else {}

    words = {path: f"preparation of {name} between check-in and exam (min)"}
    whose = " of all types, as this one has too few" if kind is None else ""
    source = f"replay of the recorded days, by the errors of the begins{whose}"
    return Parameter(words, values, lambda evidence: len(errors(evidence)), source)


def vitals_parameter(name: str, kind: int, bounds: tuple[float, float]) -> Parameter:
    """The distribution of recorded preparations.

    :param name: of the exam type
    :param kind: its number
    :param bounds: ends of its interval, minutes
    """

    def sample(evidence: Evidence) -> NDArray[np.int64]:
        return whole(evidence.vitals[evidence.type == kind])

    words = f"shape of the preparation of {name}", f"mean preparation of {name} (min)"
    source = "end of the recorded preparation minus check-in"
    return _lengths(f"exam_types.{name}.preparation", bounds, words, sample, source)


def _lengths(
    section: str,
    bounds: tuple[float, float],
    words: tuple[str, str],
    sample: Callable[[Evidence], NDArray[np.int64]],
    source: str,
) -> Parameter:
    """A gamma distribution truncated to an interval."""
    shape, mean_min = f"{section}.shape", f"{section}.mean_min"

    def values(evidence: Evidence) -> Values:
        minutes = sample(evidence)
        if not len(minutes):
            return {}
        law = exam_law(minutes, *bounds)
        return {shape: four_digits(law.shape), mean_min: four_digits(law.mean_min)}

    ends = {f"{section}.shortest_min": float(bounds[0]), f"{section}.longest_min": float(bounds[1])}
    named = dict(zip((shape, mean_min), words, strict=True))
    return Parameter(named, values, lambda evidence: len(sample(evidence)), source, ends)


def whole(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """The known ones, whole minutes.

    :param values: (n,), nan where unknown
    """
    return values[~np.isnan(values)].astype(np.int64)
