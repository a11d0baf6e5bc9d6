"""The lab before its numbers: exam types with their appointments, rooms, staff, hours, and where each is from."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from echo_env.lab.calibration.fitting.book import Book, typical_book, weekday_books
from echo_env.lab.calibration.fitting.choices import Choices
from echo_env.lab.calibration.fitting.estimates import Estimate, FitError
from echo_env.lab.calibration.fitting.readiness import (
    clock_hours,
    early_begins,
    unscheduled_counts,
    unscheduled_estimates,
    unscheduled_resampled,
)
from echo_env.lab.calibration.fitting.resources.base_lab import Section, base_penalty
from echo_env.lab.calibration.fitting.resources.duty import with_duty
from echo_env.lab.calibration.fitting.resources.notes import resources_noted
from echo_env.lab.calibration.fitting.resources.record import Resources
from echo_env.lab.calibration.fitting.resources.seen import resources_of
from echo_env.lab.calibration.fitting.resources.turnover import Turnover, turnover_of
from echo_env.lab.calibration.visits import Visits
from echo_env.lab.config.chance import Arrival
from echo_env.lab.config.clock import clock_text
from echo_env.lab.config.lab import Lab
from echo_env.lab.config.loading import Values
from echo_env.lab.config.plan import MOST_TYPES


@dataclass(frozen=True)
class Frame:
    """A lab as a file has it, with the laws of the base lab.

    :param types: exam types in the order of the lab
    :param data: the fields of the file
    :param sources: section or field -> where it comes from, in words
    :param estimates: what the visits say about rooms, staff, early begins and unscheduled patients
    :param book: the typical day
    :param weekdays: weekday -> its appointments
    :param resources: rooms and staff
    :param unscheduled: exam type -> clock hour -> patients without an appointment over all days
    :param days: number of recorded days
    :param turnover: cleaning of rooms, where the visits tell
    :param arrival: law of the base lab, which supplies what is not fitted
    """

    types: tuple[str, ...]
    data: Section
    sources: dict[str, str]
    estimates: tuple[Estimate, ...]
    book: Book
    weekdays: dict[str, Book]
    resources: Resources
    unscheduled: dict[str, dict[str, int]]
    days: int
    turnover: Turnover | None
    arrival: Arrival

    def resampled(self, rng: np.random.Generator) -> Values:
        """What a bootstrap sample says about absences and unscheduled patients.

        :param rng: random generator
        """
        values = self.resources.resampled(rng)
        if self.turnover is not None:
            values |= self.turnover.resampled(tuple(self.resources.rooms), rng)
        for name, counts in self.unscheduled.items():
            values |= unscheduled_resampled(name, counts, self.days, rng)
        return values


def lab_types(visits: Visits, base: Lab) -> tuple[str, ...]:
    """Exam types in the order of the lab: those of the base lab in its order, then the others as they appear.

    :param visits: the visits
    :param base: the base lab
    :raises FitError: no type, or more than a lab can have
    """
    seen = visits.types
    known = [kind.name for kind in base.plan.types if kind.name in seen]
    types = (*known, *(name for name in seen if name not in known))
    if not types:
        raise FitError(f"{visits.name} has no visit with an exam type")
    if len(types) > MOST_TYPES:
        raise FitError(
            f"{visits.name} has {len(types)} exam types, but a lab has at most {MOST_TYPES}: join some in "
            "the column map"
        )
    return types


def frame_of(visits: Visits, choices: Choices, base: Lab, types: tuple[str, ...], leads: dict[str, int]) -> Frame:
    """The lab before its numbers.

    :param visits: the visits
    :param choices: options
    :param base: supplies what the visits do not determine
    :param types: exam types in the order of the lab
    :param leads: exam type -> minutes from expected check-in to appointment
    :raises FitError: no appointment and no unscheduled patient
    :raises ValueError: no such day
    """
    book = typical_book(visits, leads, choices.day)
    weekdays = weekday_books(visits, leads) if choices.day is None else {}
    (opening, closing, end), widened = clock_hours(visits, book.times, base.hours)
    noted = resources_noted(visits.notes)
    resources = resources_of(visits, types, noted, base, choices.base)
    duty = with_duty(resources.staff, resources.lunch, noted, (opening, closing, end))
    unscheduled = {name: unscheduled_counts(visits, name) for name in types}
    sections, estimates = _exam_types(visits, choices, base, types, book, unscheduled)
    rooms, turnover = {name: dict(group) for name, group in resources.rooms.items()}, turnover_of(visits.table)
    if turnover is not None:
        rooms = {name: {**group, "turnover_min": turnover.minutes} for name, group in rooms.items()}
        estimates += [turnover.estimate(name) for name in rooms]
    data: Section = {
        "name": choices.name or visits.name.rpartition(".")[0] or visits.name,
        "hours": {"opening": clock_text(opening), "closing": clock_text(closing), "end": clock_text(end)},
        "arrival": _arrival(base),
        "exam": _exam(base),
        "exam_types": sections,
        "room_groups": rooms,
        "staff_groups": duty.staff,
        "penalty": base_penalty(base),
    }
    sources = {
        "hours": f"as in {choices.base}{widened}",
        "appointments": _book_source(book, weekdays, choices.day),
        "penalty": f"as in {choices.base}",
        **resources.sources,
        **duty.sources,
    }
    every = (*estimates, *resources.estimates())
    return Frame(
        types=types,
        data=data,
        sources=sources,
        estimates=every,
        book=book,
        weekdays=weekdays,
        resources=resources,
        unscheduled=unscheduled,
        days=len(visits.days),
        turnover=turnover,
        arrival=base.plan.types[0].arrival,
    )


def _exam_types(
    visits: Visits,
    choices: Choices,
    base: Lab,
    types: tuple[str, ...],
    book: Book,
    unscheduled: dict[str, dict[str, int]],
) -> tuple[dict[str, Section], list[Estimate]]:
    """The sections of the exam types without laws, and what they rest on."""
    own = {kind.name: kind for kind in base.plan.types}
    default = base.plan.types[0]
    sections: dict[str, Section] = {}
    estimates: list[Estimate] = []
    days = len(visits.days)
    for name in types:
        may, estimate = early_begins(visits, name, own.get(name, default).may_begin_early, choices.base)
        hours = unscheduled_estimates(name, unscheduled[name], days)
        section: dict[str, Any] = {"appointments": book_times(book, name), "may_begin_early": may}
        if hours:
            section["unscheduled"] = {one.path.rpartition(".")[2]: one.value for one in hours}
        sections[name] = section
        estimates += [estimate, *hours]
    if not any(section["appointments"] or section.get("unscheduled") for section in sections.values()):
        raise FitError(f"{visits.name} has no appointment and no patient who came without one")
    return sections, estimates


def book_times(book: Book, name: str) -> list[str]:
    """Clock times of the appointments of a type.

    :param book: the book
    :param name: exam type
    """
    return [clock_text(minute) for minute in book.times.get(name, ())]


def _book_source(book: Book, weekdays: dict[str, Book], day: str | None) -> str:
    if day is not None:
        return f"those of {day}"
    if weekdays:
        counted = ", ".join(f"{weekday} ({len(own.used)} days)" for weekday, own in weekdays.items())
        return f"one book for each weekday: {counted}"
    return (
        f"a typical day, from {', '.join(book.used)}"
        if len(book.used) <= 10
        else (f"a typical day, from {len(book.used)} days")
    )


def _arrival(base: Lab) -> Section:
    """The arrival law of the base lab's first type."""
    law = dataclasses.asdict(base.plan.types[0].arrival)
    return {**law, "offsets_min": list(law["offsets_min"])}


def _exam(base: Lab) -> Section:
    """The law of exam lengths of the base lab's last type, which in the paper's lab is the usual one."""
    law = base.plan.types[-1].exam
    return {name: getattr(law, name) for name in ("shape", "mean_min", "shortest_min", "longest_min")}
