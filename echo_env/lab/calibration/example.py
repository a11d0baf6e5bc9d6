"""A made-up record of visits: simulated days as a hospital would have written them down."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from echo_env.lab.config.lab import Lab
from echo_env.lab.day import Day, sample_days
from echo_env.lab.policies import make_policy
from echo_env.lab.simulation.simulator import simulate
from echo_env.lab.simulation.trace import PatientRecord

MONDAY = dt.date(2026, 3, 2)
SEED = 2026
RULE = "policy_2"

Row = dict[str, object]
"""Column of the template -> value: a date, a time, a number or a text."""


def working_days(count: int) -> list[dt.date]:
    """Days from Monday to Friday, from :data:`MONDAY` on."""
    return [MONDAY + dt.timedelta(number // 5 * 7 + number % 5) for number in range(count)]


def example_rows(config: Lab, days: int, seed: int = SEED) -> Iterator[Row]:
    """The visits of simulated days, in the order of their appointments.

    :param config: the lab
    :param days: how many days
    :param seed: of the days
    """
    policy = make_policy(RULE, config)
    for date, day in zip(working_days(days), sample_days(config, days, seed), strict=True):
        for patient in simulate(config, day, policy).patients:
            yield {"day": date, **_visit(config, day, patient)}


def _visit(config: Lab, day: Day, patient: PatientRecord) -> Row:
    plan, came = config.plan, patient.arrival_min is not None
    kind = next(kind for kind in plan.types if kind.name == patient.exam_type)
    booked, number = patient.scheduled_min is not None, patient.patient

    def clock(minute: int | None) -> dt.time | None:
        if minute is None:
            return None
        since_midnight = minute + plan.opening_min
        return dt.time(since_midnight // 60, since_midnight % 60)

    asked = None if patient.scheduled_min is None else patient.scheduled_min - kind.check_in_lead_min
    prepares = patient.arrival_min is not None and day.prep_min[number] > 0
    prepared = patient.arrival_min + int(day.prep_min[number]) if patient.arrival_min is not None and prepares else None
    return {
        "patient": number + 1,
        "type": patient.exam_type,
        "scheduled": clock(patient.scheduled_min) if booked else "walk-in",
        "expected": clock(asked) if kind.check_in_lead_min else None,
        "actual": clock(patient.arrival_min) if came else "DNA",
        "vitals_in": clock(patient.arrival_min) if prepares else None,
        "vitals_out": clock(prepared),
        "begin": clock(patient.start_min),
        "end": clock(patient.end_min),
        "room": None if patient.room is None else str(patient.room + 1),
        "staff": None if patient.sonographer is None else chr(ord("A") + patient.sonographer) * 2,
        "status": None,
    }
