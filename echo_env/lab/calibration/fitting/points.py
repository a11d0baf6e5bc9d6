"""Visits to the numbers of a lab, without intervals: what is not recorded is taken from a base lab and named."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from echo_env.lab.calibration.fitting.choices import Choices
from echo_env.lab.calibration.fitting.estimates import Estimate, FitError, lab_of
from echo_env.lab.calibration.fitting.frame import Frame, frame_of, lab_types
from echo_env.lab.calibration.fitting.laws.evidence import Evidence, evidence_of
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
        for kind in fitted_types(frame, evidence):
            name = frame.types[kind]
            parameters.append(exam_parameters(f"exam_types.{name}.exam", kind, bounds, f"{name} exams"))
    return parameters


def fitted_types(frame: Frame, evidence: Evidence) -> list[int]:
    """Numbers of the exam types with enough exams for a distribution of their own.

    :param frame: of the lab
    :param evidence: of all visits
    """
    return [k for k in range(len(frame.types)) if len(whole(evidence.exam[evidence.type == k])) >= LEAST_ROWS]


def _preparations(frame: Frame, evidence: Evidence) -> tuple[list[Parameter], list[Estimate]]:
    """Preparation of each type: recorded, by replay of its exams or of all, or not identified."""
    parameters, unknown = [], []
    played = ~np.isnan(evidence.errors).any(axis=1) & (evidence.errors.shape[1] > 0)
    for kind, name in enumerate(frame.types):
        own = evidence.type == kind
        recorded, exams = whole(evidence.vitals[own]), int((~np.isnan(evidence.exam[own])).sum())
        if len(recorded) >= max(LEAST_ROWS, _VITALS_SHARE * exams):
            ends = tens_below(10.0, recorded.min()), tens_above(10.0, recorded.max())
            parameters.append(vitals_parameter(name, kind, ends))
        elif played.sum() >= LEAST_ROWS:
            whose = kind if played[own].sum() >= LEAST_ROWS else None
            parameters.append(preparation_parameter(name, whose, MINUTES))
        else:
            path, words = f"exam_types.{name}.preparation.minutes", f"preparation of {name} (min)"
            source = f"not identified: {int(played.sum())} exams with a check-in; none is assumed"
            unknown.append(Estimate(path, words, 0, math.nan, math.nan, int(played.sum()), source))
    return parameters, unknown
