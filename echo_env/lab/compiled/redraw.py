"""Conditional redraws: the unknown rest of a day, drawn again given what the staff know at some minute.

What :class:`~echo_env.lab.simulation.whiteboard.LabView` does not show of a lab in the middle of a day is drawn again
here from its conditional law:

- arrivals still to come: the law of :mod:`~echo_env.lab.day.day`, given no arrival by now. A patient long overdue is
  then most likely a no-show;
- exam lengths: the law of the day; for an exam under way, given that it has not ended;
- the breaks after exams that have not ended;
- the end of a break under way. Its start and the number of breaks left are known, so its length is known
  but in one case: none of two is left, and less than one break's length has passed. Then it may be the second
  break or both at once; the odds are those of a sonographer who has done so many exams.

Who is present is known and stays. All draws of a lab are one block of uniform numbers, as a day's are, whatever its
state: the same generator gives labs that look the same the same rest of the day.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.compiled import batch, kernel
from echo_env.lab.compiled.kernel import Labs
from echo_env.lab.config import Arrival, ExamLaw, LabConfig
from echo_env.lab.day import NO_SHOW, TURNED_AWAY
from echo_env.lab.day.laws import whole_minute_table
from echo_env.lab.simulation.breaks import double_break_odds
from echo_env.lab.simulation.whiteboard import LabView

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class FutureSampler:
    """Redraws the rest of days.

    :param config: the lab
    """

    def __init__(self, config: LabConfig) -> None:
        self._config = config
        self._exams = {fetal: ExamTable(config.exam.law_of(fetal=fetal)) for fetal in (False, True)}
        self._both_odds = double_break_odds(config.breaks, len(config.appointments))

    def labs_of(self, view: LabView, count: int) -> Labs:
        """The known state, as the compiled engine holds it, in several copies.

        Unknown quantities are blank: the labs can be played on only after :meth:`redraw`. Penalty units count from
        now on.

        :param view: the lab
        :param count: how many copies
        """
        labs = batch.make_labs(self._config, 1)
        patients, queue, waiting = labs.patients[0], labs.queue[0], view.waiting()
        for patient, fetal, scheduled in view.appointments:
            patients[patient, kernel.SCHEDULED], patients[patient, kernel.FETAL] = scheduled, fetal
            patients[patient, kernel.ARRIVED] = view.has_arrived(patient)
        for place, entry in enumerate(waiting):
            queue[place] = entry.patient
            patients[entry.patient, [kernel.CLASS, kernel.SINCE]] = entry.patient_class, entry.since_min
        labs.rooms[0] = False
        labs.rooms[0, view.free_rooms(fetal=True) + view.free_rooms(fetal=False)] = True
        self._write_staff(view, labs.staff[0])
        lab, staff = labs.lab[0], labs.staff[0]
        lab[[kernel.MINUTE, kernel.QUEUED]] = view.minute, len(waiting)
        lab[kernel.NEXT_ARRIVAL] = patients[:, kernel.ARRIVED].sum()
        # Places in the lists of exams and of breaks; two breaks at once count twice, for which there is room.
        lab[kernel.EXAMS] = staff[:, kernel.BEGUN].sum()
        lab[kernel.BREAKS] = (self._config.breaks.number - staff[:, kernel.BREAKS_LEFT]).sum()
        lab[kernel.COUNTS : kernel.UNITS] = (*view.waiting_counts, *view.free_counts, *view.on_break_counts)
        return Labs._make(np.repeat(array, count, axis=0) for array in labs)

    def _write_staff(self, view: LabView, staff: kernel.Ints) -> None:
        for s in range(len(staff)):
            since = view.break_since(s)
            staff[s, kernel.STATUS], staff[s, kernel.BUSY_SINCE] = view.status(s), since or 0
            staff[s, kernel.BEGUN], staff[s, kernel.BREAKS_LEFT] = view.exams_begun(s), view.breaks_left(s)
        for patient, room, s, start in view.running_exams:
            staff[s, [kernel.PATIENT, kernel.ROOM, kernel.BUSY_SINCE]] = patient, room, start

    def redraw(self, labs: Labs, rng: np.random.Generator) -> None:
        """Redraw the rest of the day of each lab, in place.

        :param labs: B labs in the middle of a day, everything done that was due in their minute
        :param rng: moved on by B (4 P + S + S P) numbers, for P patients and S sonographers
        """
        (count, patients), staff = labs.queue.shape, labs.staff.shape[1]
        draws = rng.random((count, 4 * patients + staff + staff * patients))
        by_patient, by_sonographer, breaks = np.split(draws, (4 * patients, 4 * patients + staff), axis=1)
        by_patient = by_patient.reshape(count, patients, 4)
        self._redraw_arrivals(labs, by_patient[..., :3])
        self._redraw_exams(labs, by_patient[..., 3])
        self._redraw_break_ends(labs, by_sonographer)
        labs.break_draw[:] = breaks.reshape(labs.break_draw.shape)

    def _redraw_arrivals(self, labs: Labs, draws: Floats) -> None:
        now, scheduled = labs.lab[:, kernel.MINUTE, None], labs.patients[..., kernel.SCHEDULED]
        arrived = labs.patients[..., kernel.ARRIVED] == 1
        new = self._arrival_minutes(now, scheduled, draws)
        batch.put_arrivals(labs.lab, labs.patients, np.where(arrived, labs.patients[..., kernel.ARRIVAL], new))

    def _arrival_minutes(self, now: kernel.Ints, scheduled: kernel.Ints, draws: Floats) -> Ints:
        """Arrival minutes of those who have not come by now, (B, P), from the draws (B, P, 3) of ``day``."""
        law = self._config.arrival
        show, side, offset = draws[..., 0], draws[..., 1], draws[..., 2]
        still, minute = _still_to_come(law, scheduled, now, side, offset)
        minute = np.maximum(minute, now + 1)
        minute[minute > self._config.hours.closing_min] = TURNED_AWAY
        comes = (1 - law.no_show_rate) * still
        minute[(comes == 0) | (show * (law.no_show_rate + comes) < law.no_show_rate)] = NO_SHOW
        return minute

    def _redraw_exams(self, labs: Labs, draws: Floats) -> None:
        """Whole minutes of each exam, and the ends of those under way."""
        elapsed = np.zeros(draws.shape, dtype=np.int64)
        b, s = np.nonzero(labs.staff[..., kernel.STATUS] == kernel.IN_EXAM)
        p, begun = labs.staff[b, s, kernel.PATIENT], labs.staff[b, s, kernel.BUSY_SINCE]
        elapsed[b, p] = labs.lab[b, kernel.MINUTE] - begun
        fetal = labs.patients[..., kernel.FETAL] == 1
        minutes = self._exams[False].minutes(elapsed, draws)
        if self._config.exam.fetal is not None:
            minutes[fetal] = self._exams[True].minutes(elapsed[fetal], draws[fetal])
        labs.patients[..., kernel.EXAM_MIN] = minutes
        labs.staff[b, s, kernel.UNTIL] = begun + minutes[b, p]

    def _redraw_break_ends(self, labs: Labs, draws: Floats) -> None:
        law = self._config.breaks
        b, s = np.nonzero(labs.staff[..., kernel.STATUS] == kernel.ON_A_BREAK)
        since, begun = labs.staff[b, s, kernel.BUSY_SINCE], labs.staff[b, s, kernel.BEGUN]
        both = (labs.lab[b, kernel.MINUTE] - since >= law.minutes) | (draws[b, s] < self._both_odds[begun])
        both &= labs.staff[b, s, kernel.BREAKS_LEFT] == law.number - 2
        labs.staff[b, s, kernel.UNTIL] = since + np.where(both, 2, 1) * law.minutes


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


def _still_to_come(
    law: Arrival, scheduled: kernel.Ints, now: kernel.Ints, side: Floats, offset: Floats
) -> tuple[Floats, Ints]:
    """Of those who come at all, the share who have not come yet, and when these come, from the draws.

    :param scheduled: appointments
    :param now: the minute until which they have not come
    :param side: draws for the side
    :param offset: draws for the offset
    """
    ahead = scheduled - now
    if law.model == "empirical":
        seen = np.array(law.offsets_min, dtype=np.int64)
        passed = np.searchsorted(seen, -ahead, side="right")
        left = len(seen) - passed
        index = np.minimum(passed + (offset * left).astype(np.int64), len(seen) - 1)
        return left / len(seen), scheduled + seen[index]
    late, early = _sides_to_come(law, ahead)
    # An exponential delay forgets; a lead is now less than the minutes to the appointment.
    delay = np.maximum(-ahead, 0) - law.late_mean_min * np.log1p(-offset)
    lead = -law.early_mean_min * np.log1p(-offset * _lead_within(law, ahead))
    minute = np.ceil(scheduled + np.where(side * (late + early) < late, delay, -lead)).astype(np.int64)
    return late + early, minute


def _sides_to_come(law: Arrival, ahead: kernel.Ints) -> tuple[Floats, Floats]:
    """Of those who come at all, the shares on the late and on the early side who have not come yet.

    :param ahead: minutes to the appointment, negative after it
    """
    late: Floats = (ahead > 0).astype(np.float64)
    early = late
    if law.late_mean_min:
        late = np.exp(-np.maximum(-ahead, 0) / law.late_mean_min)
    if law.early_max_min:
        early = _lead_within(law, ahead) / _lead_within(law, law.early_max_min)
    return law.late_share * late, (1 - law.late_share) * early


def _lead_within(law: Arrival, minutes: kernel.Ints | float) -> Floats:
    """Probability that a lead, not truncated from above, is less than so many minutes or the longest one."""
    within: Floats = -np.expm1(-np.clip(minutes, 0, law.early_max_min) / law.early_mean_min)
    return within
