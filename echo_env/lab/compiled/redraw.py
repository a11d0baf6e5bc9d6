"""Conditional redraws: the unknown rest of a day, drawn again given what the staff know at some minute.

What :class:`~echo_env.lab.simulation.view.LabView` does not show of a lab in the middle of a day is drawn again
here from its conditional law:

- arrivals still to come: the law of :mod:`~echo_env.lab.day.draw`, given no arrival by now. A patient long overdue is
  then most likely a no-show;
- patients without an appointment: of an hour's Poisson number those still to come are Poisson too, by what is left of
  the hour, whoever has come;
- preparations: the law of the day; for one under way, given that the patient is not ready;
- exam lengths: the law of the day; for an exam under way, given that it has not ended;
- the breaks after exams that have not ended;
- the end of a break under way. Its start and the number of breaks left are known, so its length is known
  but in one case: none of two is left, and less than one break's length has passed. Then it may be the second
  break or both at once; the odds are those of a member of staff who has done so many exams.

Who is present and who was rebooked is known and stays, as do lunches, planned breaks and cleaning. All draws of a lab
are one block of uniform numbers whatever its state: the same generator gives labs that look the same the same rest of
the day.
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from echo_env.lab.compiled import batch, layout
from echo_env.lab.compiled.known import known_lab
from echo_env.lab.compiled.layout import Labs, Parts
from echo_env.lab.compiled.rules import rules_of
from echo_env.lab.config.chance import Arrival, ExamLaw
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import NO_SHOW, NOBODY, REBOOKED, TURNED_AWAY, appointment_book
from echo_env.lab.day.laws import whole_minute_table
from echo_env.lab.simulation.breaks import double_break_odds
from echo_env.lab.simulation.patient import ready_minute
from echo_env.lab.simulation.view import LabView

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_HOUR_MIN = 60


class FutureSampler:
    """Redraws the rest of days.

    :param config: the lab
    """

    def __init__(self, config: Lab) -> None:
        plan = config.plan
        self._config, self._plan, self._rules = config, plan, rules_of(config)
        self._book = appointment_book(plan)
        self._exams = [ExamTable(kind.exam) for kind in plan.types]
        self._preparations = [kind.preparation and ExamTable(kind.preparation) for kind in plan.types]
        self._prepared = any(self._preparations)
        self._may_begin_early = np.array([kind.may_begin_early for kind in plan.types], dtype=np.int64)
        self._groups = [plan.staff_groups[group] for group in plan.staff_group]
        exams = len(self._book)
        odds = {law: double_break_odds(law, exams) for law in {group.breaks for group in self._groups}}
        self._both_odds = np.array([odds[group.breaks] for group in self._groups]).reshape(-1, exams + 1)
        self._break_min = np.array([group.breaks.minutes for group in self._groups], dtype=np.int64)
        self._breaks = np.array([group.breaks.number for group in self._groups], dtype=np.int64)
        means = {(k, begin): mean for k, kind in enumerate(plan.types) for begin, mean in kind.unscheduled}
        self._means = [means[hour.exam_type, hour.begin] for hour in self._book.hours]

    def labs_of(self, view: LabView, count: int) -> Labs:
        """The known state, as the compiled engine holds it, in several copies.

        Unknown quantities are blank: the labs can be played on only after :meth:`redraw`. Penalty units count from
        now on.

        :param view: the lab
        :param count: how many copies
        """
        lab = known_lab(view, self._book, self._rules)
        return Labs._make(np.repeat(array, count, axis=0) for array in lab)

    def redraw(self, labs: Labs, rng: np.random.Generator) -> None:
        """Redraw the rest of the day of each lab, in place.

        :param labs: B labs in the middle of a day, everything done that was due in their minute
        :param rng: moved on by the same number of numbers for each lab, whatever its state: of P patients, S members
            of staff who begin n exams at most, and h hours with unscheduled patients 4 P + S + S n + h, and P more if
            patients are prepared
        """
        parts = layout.parts_of(labs.lab, self._rules)
        count, patients = parts.patients.shape[:2]
        staff, exams, hours = parts.staff.shape[1], labs.break_draw.shape[2], len(self._book.hours)
        sizes = [4 * patients, staff, staff * exams, patients * self._prepared, hours]
        draws = rng.random((count, sum(sizes)))
        by_patient, by_member, breaks, prepare, number = np.split(draws, np.cumsum(sizes)[:-1], axis=1)
        by_patient = by_patient.reshape(count, patients, 4)
        self._redraw_arrivals(labs, parts, by_patient[..., :3], prepare, number)
        self._redraw_exams(labs, parts, by_patient[..., 3])
        self._redraw_break_ends(labs, parts.staff, by_member)
        labs.break_draw[:] = breaks.reshape(labs.break_draw.shape)
        batch.settle_labs(np.arange(count), labs, self._rules)

    def _redraw_arrivals(self, labs: Labs, parts: Parts, draws: Floats, prepare: Floats, number: Floats) -> None:
        """When those come who have not come, and when those are ready who are not."""
        own, now = parts.patients, labs.lab[:, layout.MINUTE, None].astype(np.int64)
        arrival = own[..., layout.ARRIVAL].astype(np.int64)
        arrived = (arrival >= 0) & (arrival <= now)
        drawn = np.where(arrival == REBOOKED, REBOOKED, self._arrival_minutes(own, now, draws))
        arrival = np.where(arrived, arrival, drawn)
        for which, hour in enumerate(self._book.hours):
            columns = slice(hour.first, hour.first + hour.most)
            came, place = arrived[:, columns], draws[:, columns, 2]
            left = self._still_unscheduled(which, now, came, number[:, which])
            first = np.maximum(now + 1, hour.begin)
            minute = first + (place * (hour.begin + _HOUR_MIN - first)).astype(np.int64)
            new = np.where(left, np.where(minute > self._plan.closing_min, TURNED_AWAY, minute), NOBODY)
            arrival[:, columns] = np.where(came, arrival[:, columns], new)
            known = own[:, columns, layout.SCHEDULED]
            own[:, columns, layout.SCHEDULED] = np.where(came, known, np.where(left, minute, -1))
            own[:, columns, layout.DUE] = own[:, columns, layout.SCHEDULED]
        batch.put_arrivals(labs.lab, own, arrival, self._ready(own, now, arrived, arrival, prepare))

    def _arrival_minutes(self, patients: layout.Ints, now: Ints, draws: Floats) -> Ints:
        """Arrival minutes of those with an appointment who have not come by now, (B, P), from the draws (B, P, 3)."""
        show, side, offset = draws[..., 0], draws[..., 1], draws[..., 2]
        minutes = np.full(show.shape, NOBODY, dtype=np.int64)
        exam_type, due = patients[..., layout.TYPE], patients[..., layout.DUE].astype(np.int64)
        laws = [kind.arrival for kind in self._plan.types]
        for law in dict.fromkeys(laws):
            who = np.isin(exam_type, [k for k, own in enumerate(laws) if own == law]) & ~self._book.unscheduled
            until = np.broadcast_to(now, who.shape)[who]
            still, minute = _still_to_come(law, due[who], until, side[who], offset[who])
            minute = np.maximum(minute, until + 1)
            minute[minute > self._plan.closing_min] = TURNED_AWAY
            comes = (1 - law.no_show_rate) * still
            minute[(comes == 0) | (show[who] * (law.no_show_rate + comes) < law.no_show_rate)] = NO_SHOW
            minutes[who] = minute
        return minutes

    def _still_unscheduled(self, which: int, now: Ints, came: NDArray[np.bool_], draws: Floats) -> NDArray[np.bool_]:
        """(B, most) bool, who of an hour's possible patients is still to come.

        :param which: number of the hour
        :param now: (B, 1)
        :param came: (B, most) bool, who has come
        :param draws: (B,), for how many
        """
        hour = self._book.hours[which]
        left = np.clip(hour.begin + _HOUR_MIN - 1 - now, 0, _HOUR_MIN) / _HOUR_MIN
        at_most = scipy.special.pdtr(np.arange(hour.most), self._means[which] * left)
        more = (at_most <= draws[:, None]).sum(axis=1, keepdims=True)
        return ~came & (np.cumsum(~came, axis=1) <= more)

    def _ready(self, own: layout.Ints, now: Ints, arrived: NDArray[np.bool_], arrival: Ints, draws: Floats) -> Ints:
        """Minute from which each patient can be examined, (B, P)."""
        was_ready = own[..., layout.READY].astype(np.int64)
        exam_type, scheduled = own[..., layout.TYPE], own[..., layout.SCHEDULED].astype(np.int64)
        early = self._may_begin_early[exam_type]
        preparing = arrived & (was_ready > now)
        minutes = np.zeros(arrival.shape, dtype=np.int64)
        # Before an appointment that the exam may not begin before, waiting says nothing of the preparation.
        telling = preparing & ((early == 1) | (scheduled <= now))
        elapsed = np.where(telling, now - arrival, 0)
        for kind, table in enumerate(self._preparations):
            if table:
                who = exam_type == kind
                minutes[who] = table.minutes(elapsed[who], draws[who])
        ready = ready_minute(arrival, minutes, scheduled, early)
        return np.where(arrived & ~preparing, was_ready, ready)

    def _redraw_exams(self, labs: Labs, parts: Parts, draws: Floats) -> None:
        """Whole minutes of each exam, and the ends of those under way."""
        elapsed = np.zeros(draws.shape, dtype=np.int64)
        b, s = np.nonzero(parts.staff[..., layout.STATUS] == layout.IN_EXAM)
        p, begun = parts.staff[b, s, layout.PATIENT], parts.staff[b, s, layout.BUSY_SINCE]
        elapsed[b, p] = labs.lab[b, layout.MINUTE] - begun
        exam_type = parts.patients[..., layout.TYPE]
        minutes = np.zeros(draws.shape, dtype=np.int64)
        for kind, table in enumerate(self._exams):
            who = exam_type == kind
            minutes[who] = table.minutes(elapsed[who], draws[who])
        parts.patients[..., layout.EXAM_MIN] = minutes
        parts.staff[b, s, layout.UNTIL] = begun + minutes[b, p]

    def _redraw_break_ends(self, labs: Labs, staff: layout.Ints, draws: Floats) -> None:
        b, s = np.nonzero(staff[..., layout.STATUS] == layout.ON_A_BREAK)
        since, begun = staff[b, s, layout.BUSY_SINCE], staff[b, s, layout.BEGUN]
        both = (labs.lab[b, layout.MINUTE] - since >= self._break_min[s]) | (draws[b, s] < self._both_odds[s, begun])
        both &= staff[b, s, layout.BREAKS_LEFT] == self._breaks[s] - 2
        until = since + np.where(both, 2, 1) * self._break_min[s]
        staff[b, s, layout.UNTIL] = np.minimum(until, self._plan.duty_until[s])


class ExamTable:
    """A law of exams in whole minutes, given how many of them have passed.

    :param law: the law
    """

    def __init__(self, law: ExamLaw) -> None:
        self._at_most, *self._ends = whole_minute_table(law)

    def minutes(self, elapsed: Ints, draws: Floats) -> Ints:
        """Whole minutes of exams given the minutes elapsed, by the inverse distribution function.

        :param elapsed: minutes elapsed
        :param draws: uniform numbers, as many
        """
        table, (shortest, longest) = self._at_most, self._ends
        low = np.maximum(table[np.minimum(elapsed, len(table) - 1)], shortest)
        minutes = np.searchsorted(table, low + draws * (longest - low), side="right")
        return np.minimum(minutes, len(table) - 1)


def _still_to_come(law: Arrival, due: Ints, now: Ints, side: Floats, offset: Floats) -> tuple[Floats, Ints]:
    """Of those who come at all, the share who have not come yet, and when these come, from the draws.

    :param due: expected check-ins
    :param now: the minute until which they have not come
    :param side: draws for the side
    :param offset: draws for the offset
    """
    ahead = due - now
    if law.model == "empirical":
        seen = np.array(law.offsets_min, dtype=np.int64)
        passed = np.searchsorted(seen, -ahead, side="right")
        left = len(seen) - passed
        index = np.minimum(passed + (offset * left).astype(np.int64), len(seen) - 1)
        return left / len(seen), due + seen[index]
    late, early = _sides_to_come(law, ahead)
    # An exponential delay forgets; a lead is now less than the minutes to the appointment.
    delay = np.maximum(-ahead, 0) - law.late_mean_min * np.log1p(-offset)
    lead = -law.early_mean_min * np.log1p(-offset * _lead_within(law, ahead))
    minute = np.ceil(due + np.where(side * (late + early) < late, delay, -lead)).astype(np.int64)
    return late + early, minute


def _sides_to_come(law: Arrival, ahead: Ints) -> tuple[Floats, Floats]:
    """Of those who come at all, the shares on the late and on the early side who have not come yet.

    :param ahead: minutes to the expected check-in, negative after it
    """
    late: Floats = (ahead > 0).astype(np.float64)
    early = late
    if law.late_mean_min:
        late = np.exp(-np.maximum(-ahead, 0) / law.late_mean_min)
    if law.early_max_min:
        early = _lead_within(law, ahead) / _lead_within(law, law.early_max_min)
    return law.late_share * late, (1 - law.late_share) * early


def _lead_within(law: Arrival, minutes: Ints | layout.Ints | float) -> Floats:
    """Probability that a lead, not truncated from above, is less than so many minutes or the longest one."""
    within: Floats = -np.expm1(-np.clip(minutes, 0, law.early_max_min) / law.early_mean_min)
    return within
