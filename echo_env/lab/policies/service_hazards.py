"""Service hazards, estimated from days that were played.

A hazard is the probability of being served in a minute, given that one still waits. Here it depends on the patient's
class (kind and punctuality) and on the half hour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config import LabConfig
from echo_env.lab.simulation.patient import PatientClass, class_of, on_time_from, waits_since
from echo_env.lab.simulation.trace import Trace

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CELL_MIN = 30
"""Minutes over which a hazard is constant."""
PRIOR = (1.0, 29.0)
"""Parameters of the Beta prior, as minutes with and without a service: one service in half an hour."""

Pooling = Literal["class", "kind"]


class WaitingMinutes(NamedTuple):
    """A row for each patient and minute waited at the time of the decision, that of the start included.

    :param day: (n,) int64, index of the day
    :param patient: (n,) int64, number of the patient
    :param patient_class: (n,) int64, :class:`~echo_env.lab.simulation.patient.PatientClass` in that minute
    :param minute: (n,) int64, minutes since opening
    :param near_min: (n,) int64, the minute in which a patient who came early becomes on time
    :param since_min: (n,) int64, the minute from which the wait counts
    :param begins: (n,) bool, whether the exam begins in that minute
    """

    day: Ints
    patient: Ints
    patient_class: Ints
    minute: Ints
    near_min: Ints
    since_min: Ints
    begins: NDArray[np.bool_]

    def take(self, which: Ints) -> WaitingMinutes:
        """The rows at these indices.

        :param which: (m,) int64
        """
        return WaitingMinutes._make(column[which] for column in self)


def near_min(scheduled: Ints, margin: int) -> Ints:
    """When patients who came early become on time.

    :param scheduled: appointments, minutes since opening
    :param margin: minutes off the appointment that still count as on time
    """
    return np.maximum(on_time_from(scheduled, margin), 0)


def waiting_minutes(config: LabConfig, traces: Sequence[Trace]) -> WaitingMinutes:
    """All minutes waited, on days that were played.

    :param config: the lab
    :param traces: the days
    """
    margin, end = config.arrival.on_time_margin_min, config.hours.end_min
    arrival = np.array([trace.day.arrival for trace in traces])
    start = np.full(arrival.shape, end, dtype=np.int64)
    for number, trace in enumerate(traces):
        for exam in trace.exams:
            start[number, exam.patient] = exam.start_min
    days, patients = np.nonzero(arrival >= 0)
    came, begun = arrival[days, patients], start[days, patients]
    # A row for each minute from the arrival to the start, or to the last decision of the day.
    length = np.minimum(begun, end - 1) - came + 1
    row = np.repeat(np.arange(len(days)), length)
    minute = np.arange(len(row)) - np.repeat(np.cumsum(length) - length, length) + came[row]
    day, patient, came = days[row], patients[row], came[row]
    book = traces[0].day
    scheduled = book.scheduled[patient]
    kind = class_of(book.exam_type[patient], scheduled, came, minute, margin)
    since = waits_since(scheduled, came)
    return WaitingMinutes(day, patient, kind, minute, near_min(scheduled, margin), since, minute == begun[row])


def first_in_line(rows: WaitingMinutes, bids: Callable[[Ints, Ints, Ints], Floats]) -> WaitingMinutes:
    """Rows of the highest bidder of each kind in each minute; ties go to the longest wait, then the lowest number.

    :param rows: all patients
    :param bids: (classes, minutes, near minutes) -> bids, points
    """
    bid = bids(rows.patient_class, rows.minute, rows.near_min)
    place = np.stack([rows.day, rows.patient_class // 3, rows.minute])
    order = np.lexsort((rows.patient, rows.since_min, -bid, *place))
    place = place[:, order]
    is_first = np.ones(len(order), dtype=np.bool_)
    is_first[1:] = (place[:, 1:] != place[:, :-1]).any(axis=0)
    return rows.take(order[is_first])


def cells_of(config: LabConfig) -> int:
    """Number of half hours in a day."""
    return -(-config.hours.end_min // CELL_MIN)


def service_hazards(config: LabConfig, rows: WaitingMinutes, by: Pooling = "class") -> Floats:
    """Posterior mean hazards: minutes with a service over minutes waited, under the Beta prior :data:`PRIOR`.

    :param config: the lab
    :param rows: the minutes waited that count
    :param by: ``class``; or ``kind``: on time, late and early counted together
    :return: (6, half hours) float64, by :class:`~echo_env.lab.simulation.patient.PatientClass`
    """
    counts = np.zeros((2, len(PatientClass), cells_of(config)))
    where = (rows.patient_class, rows.minute // CELL_MIN)
    np.add.at(counts[0], where, rows.begins)
    np.add.at(counts[1], where, 1)
    if by == "kind":
        counts = np.repeat(counts.reshape(2, 2, 3, -1).sum(axis=2), 3, axis=1)
    served, waited = counts
    return (served + PRIOR[0]) / (waited + sum(PRIOR))
