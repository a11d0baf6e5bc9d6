"""Observations: the lab in numbers, scaled to about [0, 1].

An observation is a row of whole numbers read off the whiteboard, divided by a scale. :data:`OBSERVATIONS` is the table
of all of them; :mod:`~echo_env.lab.compiled.observations` fills the same rows for many labs at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config.lab import Lab
from echo_env.lab.config.plan import LabPlan
from echo_env.lab.day import appointment_book
from echo_env.lab.decisions.kept_rows import kept_features, kept_row_numbers, kept_shape
from echo_env.lab.decisions.numbers import HORIZONS, HOUR, LONGEST_SHOWN, OVERDUE_MIN, STATE_ORDER, ObservedNumber
from echo_env.lab.decisions.rows import row_features, row_numbers, rows_shape
from echo_env.lab.decisions.staffed import fields_of_staff, numbers_of_staff
from echo_env.lab.decisions.wide_rows import wide_features, wide_row_numbers, wide_shape
from echo_env.lab.simulation.duties import Status
from echo_env.lab.simulation.patient import PatientClass
from echo_env.lab.simulation.view import LabView


def paper_fields(config: Lab) -> list[ObservedNumber]:
    """The 13 numbers of section 5.1.

    Patients waiting (fetal, non-fetal; early, on time, late), free rooms and sonographers, sonographers on break
    (n non-fetal only, b both), time.
    """
    plan = config.plan
    fetal, non_fetal = patients_by_type(plan)
    rooms = [sum(group.count for group in plan.room_groups if group.can == can) for can in (0b10, 0b11)]
    staff = [sum(group.members for group in plan.staff_groups if group.can == can) for can in (0b10, 0b11)]
    waiting = [ObservedNumber(f"W_f{when}", 5, fetal) for when in "etl"]
    waiting += [ObservedNumber(f"W_n{when}", 5, non_fetal) for when in "etl"]
    counts = [("R_n", rooms[0]), ("R_b", rooms[1]), ("S_n", staff[0]), ("S_b", staff[1])]
    counts += [("L_n", staff[0]), ("L_b", staff[1])]
    free = [ObservedNumber(name, max(count, 1), count) for name, count in counts]
    return [*waiting, *free, ObservedNumber("t", config.hours.end_min, config.hours.end_min)]


def rich_fields(config: Lab) -> list[ObservedNumber]:
    """The paper's 13 numbers, and what its Future Work asks for: waits, appointments to come, staff in detail."""
    fields = paper_fields(config)
    fields += [ObservedNumber(f"longest_wait_{kind.name.lower()}_min", HOUR, LONGEST_SHOWN) for kind in PatientClass]
    fields += _appointment_fields(config)
    for number, group in enumerate(config.plan.staff_group):
        breaks = config.plan.staff_groups[group].breaks.number
        fields += [
            ObservedNumber(f"sonographer_{number}_present", 1, 1),
            ObservedNumber(f"sonographer_{number}_in_exam", 1, 1),
            ObservedNumber(f"sonographer_{number}_busy_min", HOUR, LONGEST_SHOWN),
            ObservedNumber(f"sonographer_{number}_breaks_left", max(breaks, 1), breaks),
        ]
    return fields


def staffed_fields(config: Lab) -> list[ObservedNumber]:
    """The paper's 13 numbers, appointments to come as in :func:`rich_fields`, and
    :func:`~echo_env.lab.decisions.staffed.fields_of_staff`."""
    return [*paper_fields(config), *_appointment_fields(config), *fields_of_staff(config.plan)]


def _appointment_fields(config: Lab) -> list[ObservedNumber]:
    """Six numbers of the appointments of each type."""
    fields = []
    for kind, number in zip(("fetal", "non_fetal"), patients_by_type(config.plan), strict=True):
        fields += [ObservedNumber(f"due_{kind}_within_{horizon}_min", 5, number) for horizon in HORIZONS]
        fields.append(ObservedNumber(f"due_{kind}_today", max(number, 1), number))
        fields.append(ObservedNumber(f"overdue_{kind}", 5, number))
        fields.append(ObservedNumber(f"next_{kind}_in_min", HOUR, HOUR))
    return fields


def paper_numbers(view: LabView) -> list[int]:
    """The row of :func:`paper_fields` now."""
    waiting, free, plan = view.waiting_counts, view.free_counts, view.config.plan
    rooms = [plan.room_groups[group].can for group in plan.room_columns]
    staff = [plan.staff_groups[group].can for group in plan.staff_columns]
    shown = [waiting[place] for place in STATE_ORDER]
    for cans, counts in ((rooms, free), (staff, free[len(rooms) :]), (staff, view.on_break_counts)):
        shown += [sum(count for own, count in zip(cans, counts, strict=False) if own == can) for can in (0b10, 0b11)]
    return [*shown, view.minute]


def rich_numbers(view: LabView) -> list[int]:
    """The row of :func:`rich_fields` now."""
    row, now = paper_numbers(view), view.minute
    for kind in PatientClass:
        queue = view.waiting(kind)
        row.append(min(max(now - queue[0].since_min, 0), LONGEST_SHOWN) if queue else 0)
    row += _appointment_numbers(view)
    begun = {exam.sonographer: exam.start_min for exam in view.running_exams}
    for number in range(len(view.config.plan.staff_group)):
        since = begun.get(number, view.break_since(number))
        busy = 0 if since is None else min(now - since, LONGEST_SHOWN)
        row += [
            view.status(number) not in (Status.ABSENT, Status.OFF_DUTY),
            number in begun,
            busy,
            view.breaks_left(number),
        ]
    return row


def staffed_numbers(view: LabView) -> list[float]:
    """The row of :func:`staffed_fields` now."""
    return [*paper_numbers(view), *_appointment_numbers(view), *numbers_of_staff(view)]


def _appointment_numbers(view: LabView) -> list[int]:
    """The row of :func:`_appointment_fields` now."""
    row: list[int] = []
    now = view.minute
    for fetal in (True, False):
        ahead = [
            entry.scheduled_min - now
            for entry in view.appointments
            if entry.fetal == fetal and not view.has_arrived(entry.patient)
        ]
        row += [sum(0 <= minutes < horizon for minutes in ahead) for horizon in HORIZONS]
        row.append(sum(minutes >= 0 for minutes in ahead))
        row.append(sum(-OVERDUE_MIN <= minutes < 0 for minutes in ahead))
        row.append(min((minutes for minutes in ahead if 0 <= minutes < HOUR), default=HOUR))
    return row


class Observation(NamedTuple):
    """What an agent may be shown. The compiled engine has a filler of the same name for the same row.

    :param fields: the numbers it consists of, given a lab
    :param numbers: their row in a state, before scaling
    :param shape: shape of the observation, given a lab; None for that of the row
    """

    fields: Callable[[Lab], list[ObservedNumber]]
    numbers: Callable[[LabView], Sequence[float]]
    shape: Callable[[Lab], tuple[int, ...]] | None = None


OBSERVATIONS = {
    "paper": Observation(paper_fields, paper_numbers),
    "rich": Observation(rich_fields, rich_numbers),
    "rows": Observation(row_features, row_numbers, rows_shape),
    "staffed": Observation(staffed_fields, staffed_numbers),
    "rows_wide": Observation(wide_features, wide_row_numbers, wide_shape),
    "rows_kept": Observation(kept_features, kept_row_numbers, kept_shape),
}
"""Name -> observation. A new one needs a row here, and one in ``FILLERS`` of the compiled engine."""


def observed_numbers(name: str, config: Lab) -> list[ObservedNumber]:
    """The numbers of an observation.

    :param name: one of :data:`OBSERVATIONS`
    :param config: the lab
    :raises ValueError: no such observation
    """
    if name not in OBSERVATIONS:
        raise ValueError(f"observation is {name!r}, but must be one of {', '.join(OBSERVATIONS)}")
    if OBSERVATIONS[name].shape is None and not config.plan.nested_pair:
        raise ValueError(
            f"observation {name!r} is for labs of two exam types of which whoever can do the first can do the second, "
            f"which {config.name!r} is not: use observation 'rows'"
        )
    return OBSERVATIONS[name].fields(config)


def default_observation(config: Lab) -> str:
    """``paper`` in labs of two nested exam types; ``rows`` in all others.

    :param config: the lab
    """
    return "paper" if config.plan.nested_pair else "rows"


def patients_by_type(plan: LabPlan) -> list[int]:
    """How many patients of each type may come: appointments, and those without whom a day can have."""
    return np.bincount(appointment_book(plan).exam_type, minlength=len(plan.types)).tolist()


def make_observation(name: str, config: Lab) -> tuple[gym.spaces.Box, Callable[[LabView], NDArray[np.float32]]]:
    """The space of an observation, and the function that observes.

    :param name: one of :data:`OBSERVATIONS`
    :param config: the lab
    :return: the space, float32, and the function, which gives an element of it
    :raises ValueError: no such observation
    """
    shown = observed_numbers(name, config)
    scale = np.array([number.scale for number in shown], dtype=np.float64)
    most = (np.array([number.most for number in shown]) / scale).astype(np.float32)
    of = OBSERVATIONS[name]
    shape = (len(shown),) if of.shape is None else of.shape(config)
    # A partial of functions that have names can be pickled with an environment.
    return gym.spaces.Box(0.0, most.reshape(shape), dtype=np.float32), partial(_observe, of.numbers, scale, shape)


def _observe(
    numbers: Callable[[LabView], Sequence[float]], scale: NDArray[np.float64], shape: tuple[int, ...], view: LabView
) -> NDArray[np.float32]:
    return (np.array(numbers(view)) / scale).astype(np.float32).reshape(shape)
