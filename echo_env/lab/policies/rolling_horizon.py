"""Rolling-horizon planning with expected values: a mixed-integer program at every decision."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from echo_env.lab.config import LabConfig
from echo_env.lab.day.expectations import ExpectedArrival, ExpectedExam
from echo_env.lab.policies.base import make_policy, register_policy
from echo_env.lab.simulation.breaks import expected_break
from echo_env.lab.simulation.duties import Status
from echo_env.lab.simulation.patient import Start, as_starts, waits_since
from echo_env.lab.simulation.view import LabView
from echo_env.lab.simulation.waiting_cost import waiting_points

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PAIR_KINDS = ((False, False), (True, False), (False, True), (True, True))
"""(room fetal-capable, sonographer fetal-capable): kinds for a non-fetal exam; a fetal exam needs the last."""
_OPTIMAL = 0
_LIKELY = 0.5
"""Patients are planned for if they come with at least this probability."""
# Tie-breaking points, small beside any weight: per minute (and minute waited), begin sooner, longest waits first; per
# capability, spare resources that can do more.
_SOONER, _PLAINER = 1e-4, 1e-3


class Jobs(NamedTuple):
    """Exams in a plan: those of waiting patients, and of patients expected within the horizon.

    :param patient: (n,) int64
    :param fetal: (n,) bool
    :param scheduled: (n,) int64, minutes since opening
    :param arrival: (n,) int64, arrival minute, or the mean of it, rounded up
    :param share: (n,) float64, probability of coming; 1 for those who wait
    """

    patient: Ints
    fetal: NDArray[np.bool_]
    scheduled: Ints
    arrival: Ints
    share: Floats


class Columns(NamedTuple):
    """Decision variables: a job begins in a slot on a kind of pair.

    :param job: (v,) int64, row of :class:`Jobs`
    :param slot: (v,) int64, 0 is now
    :param kind: (v,) int64, place in :data:`PAIR_KINDS`
    :param cost: (v,) float64, points
    """

    job: Ints
    slot: Ints
    kind: Ints
    cost: Floats


@register_policy("rolling_horizon", two_kinds=True)
class RollingHorizonPolicy:
    """Model predictive control: plans with expected values, and carries out the starts of the present minute.

    At every decision, waiting and expected patients are given starting times on a grid and kinds of pairs
    (fetal-capable or not, of room and of sonographer) that minimise the lab's penalty over the horizon. Only the
    starts of the present minute are carried out; the next decision makes a new plan (rolling horizon). Within a kind,
    rooms and sonographers are taken as in :func:`~echo_env.lab.simulation.allocation.assign`; among patients whose
    waiting costs the same, the longest wait begins first.

    An exam takes its mean length; one under way, its mean length given its age. A sonographer returns after the mean
    break that may follow. A patient who has not come yet arrives at the conditional mean minute if likely to come,
    else not at all; the penalty is weighted with the probability of coming. (Resources are used in full: fractional
    use made plans four times slower and no better.) Breaks after exams that are only planned are left out. Waiting is
    charged as in :mod:`~echo_env.lab.simulation.waiting_cost`; busy minutes are credited with the idle weight under
    ``every_pair``; the idle term of ``while_waiting`` is left out, as waiting itself is charged.

    HiGHS solves the program through :func:`scipy.optimize.milp`. Where it does not finish within the time limit, the
    base rule decides; which plans do not finish depends on the machine.

    :param config: the lab
    :param horizon_min: planning horizon, minutes
    :param step_min: grid of starting times, minutes
    :param time_limit_s: time limit of a plan, seconds
    :param base: the rule that decides where no plan is found
    :raises ValueError: an argument out of range, or an unknown rule
    """

    name = "rolling_horizon"

    def __init__(
        self,
        config: LabConfig,
        horizon_min: int = 120,
        step_min: int = 10,
        time_limit_s: float = 1.0,
        base: str = "fetal_first",
    ) -> None:
        if step_min < 1:
            raise ValueError(f"policy 'rolling_horizon' has step_min={step_min}, but step_min must be at least 1")
        if horizon_min < step_min:
            raise ValueError(
                f"policy 'rolling_horizon' has horizon_min={horizon_min}, but horizon_min must be at least "
                f"step_min, which is {step_min}"
            )
        if not time_limit_s > 0:
            raise ValueError(f"policy 'rolling_horizon' has time_limit_s={time_limit_s}, but it must be above 0")
        self._config, self._horizon, self._step, self._limit = config, horizon_min, step_min, time_limit_s
        self._base = make_policy(base, config)
        self._exams = {fetal: ExpectedExam(config.exam.law_of(fetal=fetal)) for fetal in (False, True)}
        self._arrivals = ExpectedArrival(config.arrival, config.hours.closing_min)
        self._idle = config.penalty.idle if config.penalty.idle_rule == "every_pair" else 0.0
        self.fallbacks = 0
        """Decisions of the day made by the base rule."""

    def begin_day(self, view: LabView, seed: int) -> None:
        """Begin the base rule's day."""
        self._base.begin_day(view, seed)
        self.fallbacks = 0

    def decide(self, view: LabView) -> list[Start]:
        """The starts of the present minute in the best plan."""
        jobs = self.jobs(view)
        columns = self._columns(view, jobs)
        chosen = self._solve(view, jobs, columns)
        if chosen is None:
            self.fallbacks += 1
            return as_starts(self._base.decide(view))
        now = chosen[columns.slot[chosen] == 0]
        return _starts(view, [(int(jobs.patient[columns.job[v]]), int(columns.kind[v])) for v in now])

    def jobs(self, view: LabView) -> Jobs:
        """Exams to plan, given what is known now."""
        rows = [(entry.patient, entry.fetal, entry.scheduled_min, entry.arrival_min, 1.0) for entry in view.waiting()]
        for line in view.appointments:
            if not view.has_arrived(line.patient):
                probability, minute = self._arrivals.coming(line.scheduled_min, view.minute)
                if probability >= _LIKELY and minute < view.minute + self._horizon:
                    rows.append((line.patient, line.fetal, line.scheduled_min, math.ceil(minute), probability))
        return Jobs(*map(np.array, zip(*rows, strict=True)))

    def _slots(self, view: LabView) -> int:
        """Number of slots of the horizon, which ends with the day."""
        left = min(self._horizon, self._config.hours.end_min - view.minute)
        return math.ceil(left / self._step)

    def _exam_slots(self, fetal: bool) -> int:
        return max(round(self._exams[fetal].rest(0) / self._step), 1)

    def _columns(self, view: LabView, jobs: Jobs) -> Columns:
        """Every job in every slot from its arrival on, on every capable kind of pair."""
        now, end_min = view.minute, self._config.hours.end_min
        slots = self._slots(view)
        start = now + self._step * np.arange(slots)
        horizon = min(now + slots * self._step, end_min)
        paid = waiting_points(self._config, jobs.scheduled, jobs.arrival)
        length = np.where(jobs.fetal, *(self._step * self._exam_slots(fetal) for fetal in (True, False)))
        busy = np.minimum(length[:, None], horizon - start)
        # Points relative to not being served within the horizon.
        cost = jobs.share[:, None] * (paid[:, start] - paid[:, [horizon]] - self._idle * busy)
        waited = np.maximum(now - waits_since(jobs.scheduled, jobs.arrival), 0)
        cost += _SOONER * (1 + waited[:, None]) * (start - now)
        first = np.ceil(np.maximum(jobs.arrival - now, 0) / self._step)
        there = np.arange(slots) >= first[:, None]
        kinds = np.where(jobs.fetal[:, None], [False, False, False, True], True)
        job, slot, kind = np.nonzero(there[:, :, None] & kinds[:, None, :])
        capable = np.array(PAIR_KINDS).sum(axis=1)
        return Columns(job, slot, kind, cost[job, slot] + _PLAINER * capable[kind])

    def _solve(self, view: LabView, jobs: Jobs, columns: Columns) -> Ints | None:
        """Columns of the best plan; None if it was not found within the time limit."""
        slots, count = self._slots(view), len(columns.job)
        limit = np.concatenate([np.ones(len(jobs.patient)), self._free(view, slots).ravel()])
        length = np.where(jobs.fetal, self._exam_slots(True), self._exam_slots(False))[columns.job]
        rows, cols, values = [columns.job], [np.arange(count)], [np.ones(count)]
        for later in range(int(length.max(initial=0))):
            running = np.flatnonzero((later < length) & (columns.slot + later < slots))
            for resource in range(2):
                kind = 2 * resource + np.array(PAIR_KINDS)[columns.kind[running], resource]
                rows.append(len(jobs.patient) + kind * slots + columns.slot[running] + later)
                cols.append(running)
                values.append(np.ones(len(running)))
        table = scipy.sparse.csr_array(
            (np.concatenate(values), (np.concatenate(rows), np.concatenate(cols))), shape=(len(limit), count)
        )
        found = scipy.optimize.milp(
            columns.cost,
            integrality=np.ones(count),
            bounds=scipy.optimize.Bounds(0, 1),
            constraints=scipy.optimize.LinearConstraint(table, ub=limit),
            options={"time_limit": self._limit, "mip_rel_gap": 1e-6},
        )
        return np.flatnonzero(found.x > 0.5) if found.status == _OPTIMAL else None

    def _free(self, view: LabView, slots: int) -> Floats:
        """(4, slots) float64, expected free resources in each slot.

        Rows are non-fetal and fetal-capable rooms, then non-fetal and fetal-capable sonographers.
        """
        rooms_n, rooms_f, staff_n, staff_f = view.free_counts
        free = np.repeat(np.array([[rooms_n], [rooms_f], [staff_n], [staff_f]], dtype=np.float64), slots, axis=1)
        law, config = self._config.breaks, self._config
        for patient, room, sonographer, begun in view.running_exams:
            rest = self._exams[view.exam_type(patient) == 0].rest(view.minute - begun)
            back = rest + expected_break(law, view.breaks_left(sonographer))
            free[int(room < config.rooms.fetal), self._slot_after(rest) :] += 1
            free[2 + int(sonographer < config.sonographers.fetal), self._slot_after(back) :] += 1
        for sonographer in range(config.sonographers.total):
            if view.status(sonographer) == Status.ON_BREAK:
                elapsed = view.minute - (view.break_since(sonographer) or 0)
                rest = law.minutes - elapsed if elapsed < law.minutes else 2 * law.minutes - elapsed
                free[2 + int(sonographer < config.sonographers.fetal), self._slot_after(rest) :] += 1
        return free

    def _slot_after(self, minutes: float) -> int:
        """First slot at least this many minutes from now, not the present one."""
        return max(math.ceil(minutes / self._step), 1)


def _starts(view: LabView, chosen: list[tuple[int, int]]) -> list[Start]:
    """Starts of the present minute, from (patient number, kind of pair)."""
    rooms = {kind: view.free_rooms(fetal=kind) for kind in (False, True)}
    staff = {kind: view.free_sonographers(fetal=kind) for kind in (False, True)}
    starts = []
    for patient, kind in sorted(chosen):
        room, sonographer = PAIR_KINDS[kind]
        starts.append(Start(patient, rooms[room].pop(0), staff[sonographer].pop(0)))
    return starts
