"""Days as they were drawn before luck went by identity: one block of numbers a day, in the order of the patients.

The recordings were made of these days. Seeds name other days since then, but the same days must be played as before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from echo_env.lab import LabConfig
from echo_env.lab.config import ExamLaw
from echo_env.lab.day import NO_SHOW, TURNED_AWAY, Day, Days, whole_minutes
from echo_env.lab.day.laws import arrival_offsets, exam_minutes
from echo_env.lab.envs import days_ahead, env
from echo_env.lab.evaluation import comparison
from echo_env.lab.policies import auction

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def day_rng(seed: int, index: int) -> np.random.Generator:
    """The generator of day ``index`` of ``seed``."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(index,))))


def sample_day(config: LabConfig, rng: np.random.Generator) -> Day:
    """Draw one day."""
    return draw_days(config, [rng])[0]


def sample_days(config: LabConfig, count: int, seed: int, first: int = 0) -> Days:
    """Days ``first`` to ``first + count - 1`` of ``seed``."""
    return draw_days(config, [day_rng(seed, index) for index in range(first, first + count)])


def draw_days(config: LabConfig, rngs: Sequence[np.random.Generator]) -> Days:
    """Draw a day from each of several generators: a seed, four numbers a patient, absences, and rows of breaks."""
    plan = config.plan
    scheduled, fetal = appointments(config)
    patients, staff = len(scheduled), len(plan.staff_group)
    uniforms = np.empty((len(rngs), 4 * patients + staff + staff * patients))
    seeds = []
    for row, rng in enumerate(rngs):
        seeds.append(int(rng.integers(2**63)))
        rng.random(out=uniforms[row])
    by_patient = uniforms[:, : 4 * patients].reshape(-1, patients, 4)
    absence = uniforms[:, 4 * patients : 4 * patients + staff].copy()
    absence[:, plan.never_absent] = 1.0
    return Days(
        scheduled=scheduled,
        exam_type=np.where(fetal, 0, 1),
        arrival=arrival_minutes(config, scheduled, by_patient[..., :3]),
        exam_min=lengths(config, fetal, by_patient[..., 3]),
        prep_min=np.zeros((len(rngs), patients), dtype=np.int64),
        unscheduled=np.zeros(patients, dtype=np.bool_),
        absence_draw=absence,
        break_draw=uniforms[:, 4 * patients + staff :].reshape(-1, staff, patients),
        absence_rate=config.sonographers.absence_rate,
        on_call=plan.on_call,
        staff_group=plan.staff_group,
        policy_seed=seeds,
    )


def appointments(config: LabConfig) -> tuple[Ints, NDArray[np.bool_]]:
    """Appointments by time, fetal first on ties, and which are fetal."""
    book = config.appointments
    scheduled = np.array([*sorted(book.fetal), *sorted(book.non_fetal)], dtype=np.int64)
    fetal = np.arange(len(scheduled)) < len(book.fetal)
    order = np.argsort(scheduled, kind="stable")
    return scheduled[order], fetal[order]


def arrival_minutes(config: LabConfig, scheduled: Ints, draws: Floats) -> Ints:
    """Arrival minutes, (n, P), from the numbers (n, P, 3) for show, side and offset."""
    law = config.arrival
    show, side, offset = draws[..., 0], draws[..., 1], draws[..., 2]
    minute = np.maximum(np.ceil(scheduled + arrival_offsets(law, side, offset)).astype(np.int64), 0)
    minute[minute > config.hours.closing_min] = TURNED_AWAY
    minute[show < law.no_show_rate] = NO_SHOW
    return minute


def lengths(config: LabConfig, fetal: NDArray[np.bool_], draws: Floats) -> Ints:
    """Whole minutes of exams, (n, P), from as many numbers."""

    def of(law: ExamLaw, numbers: Floats) -> Ints:
        return whole_minutes(exam_minutes(law, numbers))

    minutes = of(config.exam.law_of(fetal=False), draws)
    minutes[:, fetal] = of(config.exam.law_of(fetal=True), draws[:, fetal])
    return minutes


@contextmanager
def everywhere() -> Iterator[None]:
    """Comparisons, learning of the auction and environments draw these days.

    A vector environment draws the next day of a lab as soon as one is over, so days cannot be handed to it.
    """
    with ExitStack() as stack:
        for module, name, old in (
            (comparison, "sample_days", sample_days),
            (auction, "sample_days", sample_days),
            (env, "sample_day", sample_day),
            (days_ahead, "draw_days", draw_days),
        ):
            stack.enter_context(patch.object(module, name, old))
        yield
