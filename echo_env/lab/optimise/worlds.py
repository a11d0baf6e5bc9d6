"""Other worlds: would a proposal still be better if patients, exams or absences were otherwise than the lab says?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from echo_env.lab.config.chance import Arrival, ExamLaw
from echo_env.lab.config.plan import LabPlan, StaffGroup

Change = Callable[[LabPlan], LabPlan]


def other_worlds() -> Iterator[tuple[str, Change]]:
    """Name of each world, and how it changes a lab."""
    for factor in (0.5, 1.5):
        yield f"patients {_more(factor)} late", _arrivals(lambda law, f=factor: _late(law, f))  # type: ignore[misc]
    for factor in (0.8, 1.2):
        yield f"exams {_more(factor)} long", _exams(lambda law, f=factor: _longer(law, f))  # type: ignore[misc]
    for factor in (0.5, 1.5):
        yield f"{_more(factor)} no-shows", _arrivals(lambda law, f=factor: _no_shows(law, f))  # type: ignore[misc]
    for factor in (0.5, 1.5):
        yield f"{_more(factor)} absence", _staff(lambda own, f=factor: _absent(own, f))  # type: ignore[misc]


def _more(factor: float) -> str:
    return f"{round(100 * abs(factor - 1))} % {'more' if factor > 1 else 'less'}"


def _arrivals(change: Callable[[Arrival], Arrival]) -> Change:
    def changed(plan: LabPlan) -> LabPlan:
        return replace(plan, types=tuple(replace(own, arrival=change(own.arrival)) for own in plan.types))

    return changed


def _exams(change: Callable[[ExamLaw], ExamLaw]) -> Change:
    def changed(plan: LabPlan) -> LabPlan:
        return replace(plan, types=tuple(replace(own, exam=change(own.exam)) for own in plan.types))

    return changed


def _staff(change: Callable[[StaffGroup], StaffGroup]) -> Change:
    def changed(plan: LabPlan) -> LabPlan:
        return replace(plan, staff_groups=tuple(change(own) for own in plan.staff_groups))

    return changed


def _late(law: Arrival, factor: float) -> Arrival:
    offsets = tuple(round(minute * factor) if minute > 0 else minute for minute in law.offsets_min)
    return replace(law, late_mean_min=law.late_mean_min * factor, offsets_min=offsets)


def _longer(law: ExamLaw, factor: float) -> ExamLaw:
    return replace(law, mean_min=law.mean_min * factor)


def _no_shows(law: Arrival, factor: float) -> Arrival:
    return replace(law, no_show_rate=min(1.0, law.no_show_rate * factor))


def _absent(own: StaffGroup, factor: float) -> StaffGroup:
    return replace(own, absence_rate=min(1.0, own.absence_rate * factor))
