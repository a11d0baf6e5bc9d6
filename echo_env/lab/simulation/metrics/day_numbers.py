"""Numbers of a day about rooms and members of staff, beside those about its patients."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from echo_env.lab.config.plan import NEVER
from echo_env.lab.simulation.metrics.constants import closed_minutes, with_total
from echo_env.lab.simulation.metrics.patient_numbers import PatientNumbers, ratio
from echo_env.lab.simulation.metrics.results import Bools, Floats, Ints, sums_by_day

HOUR = 60


class DayNumbers(PatientNumbers):
    """What metrics of n days are computed from, each intermediate number once.

    Properties of shape (1 + groups, n) hold a number of all rooms or members of staff, then of those of each group.

    :param config: the lab
    :param results: what happened
    """

    @cached_property
    def present(self) -> Ints:
        """(n,) int64, members of staff who came."""
        return np.asarray(self.results.present.sum(axis=1))

    @cached_property
    def absent(self) -> Ints:
        """(n,) int64, regular members of staff who did not come."""
        return np.asarray((~self.results.present & ~self.config.plan.on_call).sum(axis=1))

    @cached_property
    def exams(self) -> Ints:
        """(n, S) int64, exams that each member of staff began."""
        sonographer = self.results.sonographer
        return sums_by_day(sonographer, np.ones_like(sonographer), self.results.present.shape[1])

    @cached_property
    def exams_each(self) -> Floats:
        """(n,) float64, mean exams of the members of staff who came; nan if nobody did."""
        return ratio((self.exams * self.results.present).sum(axis=1), self.present)

    @cached_property
    def exams_spread(self) -> Floats:
        """(n,) float64, most minus fewest exams of a member of staff who came; nan if nobody did."""
        most = np.where(self.results.present, self.exams, 0).max(axis=1, initial=0)
        many = self.results.arrival.shape[1] + 1
        fewest = np.where(self.results.present, self.exams, many).min(axis=1, initial=many)
        return np.where(self.present > 0, most - fewest, np.nan)

    @cached_property
    def last_exam_overtime(self) -> Ints:
        """(n,) int64, minutes from closing until the last exam ended."""
        return np.maximum(self.results.end.max(axis=1, initial=-1) - self.config.hours.closing_min, 0)

    @cached_property
    def room_utilisations(self) -> Floats:
        """(1 + groups, n) float64, minutes of exams by minutes in which rooms were open or had an exam in them, from
        opening to the end of the day; nan without rooms."""
        plan, end = self.config.plan, self.config.hours.end_min
        room, begin, until = self.results.room, self.results.start, np.minimum(self.results.end, end)
        where = np.where(room >= 0, plan.room_group[room], -1) if len(plan.room_group) else room
        busy = with_total(sums_by_day(where, until - begin, len(plan.room_groups)).T)
        open_min, closed = self._constants.open_min, self._constants.closed_before
        if closed is not None:
            # Closed minutes with an exam that began before.
            late = closed[where, until] - closed[where, begin]
            open_min = open_min + with_total(sums_by_day(where, late, len(plan.room_groups)).T)
        return ratio(busy, open_min)

    @cached_property
    def staff_utilisations(self) -> Floats:
        """(1 + groups, n) float64, minutes of exams by minutes on duty and of overtime, up to the end of the day."""
        on_duty = self.results.present * self._constants.duty + self.results.overtime_min * self._constants.shift
        return ratio(self._by_staff_group(self.results.work_min), self._by_staff_group(on_duty))

    @cached_property
    def overtime_hours(self) -> Floats:
        """(1 + groups, n) float64, hours of exams after the end of shifts, or after closing."""
        return self._by_staff_group(self.results.overtime_min) / HOUR

    @cached_property
    def paid_hours(self) -> Floats:
        """(1 + groups, n) float64, hours that members of staff who came are paid for."""
        return self._by_staff_group(self._regular + self.results.overtime_min) / HOUR

    @cached_property
    def _regular(self) -> Ints:
        """(n, S) int64, paid minutes but overtime."""
        plan = self.config.plan
        return self.results.present * np.maximum(plan.overtime_from - plan.duty_from, 0)

    @cached_property
    def lunches_late(self) -> Floats:
        """(1 + groups, n) float64, lunches begun too late to fit into their window."""
        return self._by_staff_group(self.results.lunch_start > self._latest_lunch)

    @cached_property
    def lunches_missed(self) -> Floats:
        """(1 + groups, n) float64, lunches that members of staff who came should have had, but did not begin."""
        due = (self._latest_lunch < NEVER) & (self.config.plan.duty_from <= self._latest_lunch)
        return self._by_staff_group(self.results.present & due & (self.results.lunch_start < 0))

    @cached_property
    def _latest_lunch(self) -> Ints:
        """(S,) int64, last minute from which lunch fits into its window."""
        groups = self.config.plan.staff_groups
        latest = np.array([group.lunch.latest_min if group.lunch else NEVER for group in groups])
        return latest[self.config.plan.staff_group]

    @cached_property
    def cost(self) -> Floats:
        """(n,) float64, what paid hours, overtime and open rooms cost, in the currency of the lab's prices."""
        plan, closing = self.config.plan, self.config.hours.closing_min
        staff = np.array([group.price_per_hour or 0.0 for group in plan.staff_groups])
        factor = np.array([group.overtime_factor for group in plan.staff_groups])
        rooms = np.array([group.count * (group.price_per_hour or 0.0) for group in plan.room_groups])
        regular = self._by_staff_group(self._regular)[1:] / HOUR
        open_hours = (~closed_minutes(plan)[:, :closing]).sum(axis=1) / HOUR
        return np.asarray(staff @ regular + (staff * factor) @ self.overtime_hours[1:] + rooms @ open_hours)

    def _by_staff_group(self, numbers: Ints | Bools) -> Floats:
        """(1 + groups, n) float64, the sum of (n, S) numbers over all members of staff, and over each group."""
        return np.asarray(self._constants.members @ numbers.T)
