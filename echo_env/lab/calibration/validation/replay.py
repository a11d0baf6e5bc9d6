"""Each recorded day played again with its own patients: when would the lab have begun their exams?

What the record knows is taken from it: when patients came, how long exams took, who was there and which rooms were in
use. What the lab says is the rest: the rule by which exams begin, who is ready when, lunch and cleaning. So the
difference between begins simulated and begins seen is what the lab has wrong, or leaves out.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from echo_env.lab.calibration.validation.day_lab import A_DAY, PlayedDay
from echo_env.lab.calibration.validation.recorded import mean_length, recorded_days, recorded_exams, seen_with
from echo_env.lab.calibration.visits import Visits
from echo_env.lab.config.lab import Lab

if TYPE_CHECKING:
    import pandas as pd

Ints = np.ndarray

AFTER_VITALS_MIN = 3
"""A patient is ready so many minutes after the recorded end of the preparation, if nothing else is said."""


class Missing(NamedTuple):
    """What a lab may lack between check-in and exam.

    :param preparation_min: minutes of preparation beyond the lab's, where none is recorded
    :param delay_min: minutes for which nobody is taken who is ready, as the lab has it
    :param appointment: no exam begins before its appointment
    """

    preparation_min: int = 0
    delay_min: int = 0
    appointment: bool = False


NOTHING = Missing()


def replay(
    visits: Visits,
    config: Lab,
    rule: str = "policy_2",
    preparation_min: int | None = None,
    after_vitals_min: int = AFTER_VITALS_MIN,
) -> pd.DataFrame:
    """Play each recorded day with its own patients, rooms and staff: :meth:`Replayer.play` once."""
    return Replayer(visits, config).play(rule, preparation_min, after_vitals_min)


class Replayer:
    """Plays the recorded days under several rules and preparations.

    :param visits: the record
    :param config: the lab, of either form; its exam types are matched by name
    :raises ValueError: the record has an exam type that the lab lacks, or no exam with a begin and a check-in
    """

    def __init__(self, visits: Visits, config: Lab) -> None:
        self._config = config
        self._exams = recorded_exams(visits, config)
        self._days = [
            (day, PlayedDay(day, self._exams.iloc[day.first : day.last], config))
            for day in recorded_days(visits, self._exams)
        ]
        self._checked_in = self._exams["actual"].notna().to_numpy()
        if not self._checked_in.any():
            raise ValueError(f"{visits.name} has no exam with a begin and a check-in, so no day can be played again")

    def play(
        self,
        rule: str = "policy_2",
        preparation_min: int | None = None,
        after_vitals_min: int = AFTER_VITALS_MIN,
        missing: Missing = NOTHING,
    ) -> pd.DataFrame:
        """Play all days.

        A patient is ready when prepared and, where exams may not begin early, not before the appointment. The
        preparation takes the lab's mean from check-in on; where the record has its end and the exam began after it, it
        ends then. A lab without preparation takes no notice of recorded ones. Nobody has a break by chance or is
        absent. Patients without a recorded check-in come when they were asked to; they are played, but are not among
        the rows.

        :param rule: name of a policy that works in any lab
        :param preparation_min: minutes of preparation of all types, in place of the lab's
        :param after_vitals_min: minutes between the recorded end of the preparation and being ready
        :param missing: what the lab lacks, added to it
        :return: a row an exam, by day and begin, with the index of the visits' table: ``day``, ``type`` (the lab's
            name), and minutes after midnight, nullable ``Int64``: ``actual``, ``scheduled``, ``waits_from`` (the later
            of check-in and expected check-in), ``ready`` (from when the lab would examine the patient),
            ``seen_begin``, ``simulated_begin`` (missing if the exam was not begun by midnight); and ``exam_min``
        :raises ValueError: no such rule
        """
        import pandas as pd

        exams = self._exams
        ready = self._ready(preparation_min, after_vitals_min, missing)
        begun = self._begins(ready, rule)
        names = np.array([kind.name for kind in self._config.plan.types])
        rows = pd.DataFrame(
            {
                "day": exams["day"],
                "type": names[exams["kind"].to_numpy()],
                "actual": exams["actual"],
                "scheduled": exams["scheduled"],
                "waits_from": exams["waits_from_min"].astype("Int64"),
                "ready": pd.Series(ready, exams.index, dtype="Int64"),
                "seen_begin": exams["begin"],
                "simulated_begin": pd.Series(begun, exams.index, dtype="Int64").mask(begun < 0),
                "exam_min": exams["exam_min"],
            }
        )
        places = [np.full(day.last - day.first, number) for number, (day, _) in enumerate(self._days)]
        order = np.lexsort((rows["seen_begin"].to_numpy(dtype=np.int64), np.concatenate(places)))
        return rows.iloc[order[self._checked_in[order]]]

    def differences(self, rule: str, after_vitals_min: int, missing: Missing = NOTHING) -> Ints:
        """(n,) int64, begins simulated minus begins seen of the rows of :meth:`play`, in any order, minutes; an exam
        that was not begun by midnight began then.

        :param rule: see :meth:`play`
        :param after_vitals_min: see :meth:`play`
        :param missing: see :meth:`play`
        """
        begun = self._begins(self._ready(None, after_vitals_min, missing), rule)
        seen = self._exams["begin"].to_numpy(dtype=np.int64)
        return (np.where(begun < 0, A_DAY, begun) - seen)[self._checked_in]

    @property
    def uses_vitals(self) -> bool:
        """Whether recorded preparations decide when anybody is ready."""
        return bool((self._recorded_preparation() & (self._takes() > 0)).any())

    def rooms_seen(self, type_name: str) -> tuple[int, int]:
        """Rooms in which the record has exams of a type, and rooms that the lab has for it.

        :param type_name: name of the exam type in the lab
        """
        plan = self._config.plan
        kind = self._number_of(type_name)
        rooms = sum(group.count for group in plan.room_groups if group.can >> kind & 1)
        return seen_with(self._exams, "room", kind), rooms

    def preparations(self, type_name: str = "") -> tuple[int, float, float]:
        """Preparations whose end is recorded before the exam: how many, their mean minutes from check-in on, and the
        mean that the lab has for the same patients.

        :param type_name: name of an exam type in the lab; all if it is empty
        """
        recorded = self._recorded_preparation()
        if type_name:
            recorded = recorded & (self._exams["kind"].to_numpy() == self._number_of(type_name))
        if not recorded.any():
            return 0, math.nan, math.nan
        vitals = self._exams["vitals_out"].to_numpy(dtype=np.float64, na_value=np.nan)
        length = vitals - self._exams["came_min"].to_numpy()
        return int(recorded.sum()), float(length[recorded].mean()), float(self._takes()[recorded].mean())

    def _number_of(self, type_name: str) -> int:
        return [own.name for own in self._config.plan.types].index(type_name)

    def _begins(self, ready: Ints, rule: str) -> Ints:
        return np.concatenate([day.begins(ready[own.first : own.last], rule) for own, day in self._days])

    def _ready(self, preparation_min: int | None, after_vitals_min: int, missing: Missing) -> Ints:
        """(n,) int64, from when each patient can be examined, minutes after midnight."""
        exams, takes = self._exams, self._takes(preparation_min)
        types = self._config.plan.types
        early = np.array([own.may_begin_early and not missing.appointment for own in types])[exams["kind"].to_numpy()]
        vitals = exams["vitals_out"].to_numpy(dtype=np.int64, na_value=-1)
        prepared = np.where(
            (takes > 0) & self._recorded_preparation(),
            vitals + after_vitals_min,
            exams["came_min"].to_numpy() + takes + missing.preparation_min,
        )
        ready = np.where(early, prepared, np.maximum(prepared, exams["due_min"].to_numpy()))
        return np.asarray(ready + missing.delay_min)

    def _takes(self, preparation_min: int | None = None) -> Ints:
        """(n,) int64, mean minutes of preparation."""
        types = self._config.plan.types
        means = [round(mean_length(own.preparation)) if preparation_min is None else preparation_min for own in types]
        return np.array(means, dtype=np.int64)[self._exams["kind"].to_numpy()]

    def _recorded_preparation(self) -> np.ndarray:
        """(n,) bool, whose preparation has a recorded end after the check-in and before the exam."""
        vitals = self._exams["vitals_out"].to_numpy(dtype=np.int64, na_value=-1)
        begin = self._exams["begin"].to_numpy(dtype=np.int64)
        return np.asarray((self._exams["came_min"].to_numpy() <= vitals) & (vitals <= begin))
