"""What a replay shows of a lab that is right: its own simulated days, recorded as the hospital records, played again.

A record lacks who had a break by chance, who was there without an exam, and how long a preparation took. So begins of
days played again differ from those seen even in a lab that is right, most where rooms and staff are short. How much,
its own days tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from echo_env.lab.calibration.cell_log import CellLog
from echo_env.lab.calibration.validation.agreement import RuleFit, fit_of
from echo_env.lab.calibration.validation.exams import TOLERANCE_MIN, Exams, Number, Sums, played_days, words_of
from echo_env.lab.calibration.validation.predictive import Check, check_of
from echo_env.lab.calibration.validation.recorded import only_days
from echo_env.lab.calibration.validation.replay import Replayer
from echo_env.lab.calibration.visits import MINUTES, TABLE, Visits
from echo_env.lab.config.lab import Lab

if TYPE_CHECKING:
    import pandas as pd

OWN_DAYS = 200
"""So many days of its own a lab is judged by."""


def own_record(config: Lab, rule: str, days: int, seed: int, like: Visits) -> Visits:
    """The record that the hospital would have kept of simulated days; without the ends of preparations.

    :param config: the lab
    :param rule: name of a policy that works in any lab
    :param days: how many days
    :param seed: of the days
    :param like: the hospital's record: columns of rooms or staff that it lacks are empty
    """
    import pandas as pd

    results, plan = played_days(config, rule, days, seed), config.plan
    day, patient = np.nonzero(results.start >= 0)
    at = (day, patient)
    kind, unscheduled = results.exam_type[at], results.unscheduled[at]
    leads = np.array([own.check_in_lead_min for own in plan.types], dtype=np.int64)[kind]
    columns = {
        "day": np.char.zfill(day.astype(str), 6),
        "type": np.array([own.name for own in plan.types])[kind],
        "row": patient,
        "actual": results.arrival[at] + plan.opening_min,
        "scheduled": results.scheduled[at] + plan.opening_min,
        "begin": results.start[at] + plan.opening_min,
        "end": results.end[at] + plan.opening_min,
        "exam_min": results.end[at] - results.start[at],
        "room": results.room[at].astype(str) if (like.table["room"] != "").any() else "",
        "staff": results.sonographer[at].astype(str) if (like.table["staff"] != "").any() else "",
        "booked": np.where(unscheduled, "no", "yes"),
        "came": "yes",
        "unscheduled": unscheduled,
    }
    table = pd.DataFrame(columns).assign(sheet="", patient="", vitals_in=pd.NA, vitals_out=pd.NA)
    table["expected"] = table["scheduled"] - leads
    table["offset_min"] = table["actual"] - table["expected"]
    numbers = dict.fromkeys((*MINUTES, "offset_min", "exam_min"), "Int64")
    table = table[list(TABLE)].astype(numbers)
    table.loc[unscheduled, ["expected", "scheduled", "offset_min"]] = pd.NA
    return Visits(config.name, "", table, {}, {}, CellLog())


def own_fit(config: Lab, rule: str, days: int, seed: int, like: Visits) -> tuple[RuleFit, pd.DataFrame]:
    """The agreement of the lab's own days, played again, and the rows of their replay.

    The days are several records, each as long as the hospital's: a short one does not show all that people can do.

    :param config: the lab
    :param rule: name of a policy that works in any lab
    :param days: how many days, about
    :param seed: of the days
    :param like: the hospital's record
    """
    import pandas as pd

    record = own_record(config, rule, days, seed, like)
    size = max(like.table.loc[like.table["begin"].notna(), "day"].nunique(), 1)
    blocks = [record.days[first : first + size] for first in range(0, len(record.days), size)]
    # What is left over would be a shorter record.
    whole = [block for block in blocks if len(block) == size] or blocks
    replays = [Replayer(only_days(record, block), config).play(rule).assign(record=k) for k, block in enumerate(whole)]
    rows = pd.concat(replays)
    return fit_of(rule, rows), rows


def replay_checks(recorded: pd.DataFrame, own: pd.DataFrame, seed: int) -> Mapping[str, Check]:
    """Whether begins of the recorded days, played again, differ from those seen as they would in a lab that is right.

    Each draw is of the days of one own record, since what a record shows of people is common to all of its days.

    :param recorded: rows of their replay
    :param own: rows of the replay of the lab's own days, with the column ``record``
    :param seed: of the draws
    :return: exam type, or empty for all -> check of the mean difference, begin simulated minus begin seen
    """
    rng = np.random.default_rng(seed)
    names = ["", *sorted(set(recorded["type"]))]
    records = [rows for _, rows in own.groupby("record")]
    return {
        name: check_of(_number(name), _sums(recorded, name), [_sums(rows, name) for rows in records], rng)
        for name in names
    }


def _number(name: str) -> Number:
    words = f"begins of {words_of(name)} exams" if name else "begins"
    return Number(f"replay_{name or 'all'}_min", words, "minutes", TOLERANCE_MIN, _of_replays_only)


def _of_replays_only(exams: Exams) -> Sums:
    """No number of exams: it takes the rows of a replay, see :func:`_sums`."""
    return Sums(np.zeros(exams.days), np.zeros(exams.days))


def _sums(rows: pd.DataFrame, name: str) -> Sums:
    if name:
        rows = rows[rows["type"] == name]
    difference = (rows["simulated_begin"] - rows["seen_begin"]).fillna(0).to_numpy(dtype=np.float64)
    day = np.unique(rows["day"].to_numpy(), return_inverse=True)[1]
    return Sums(np.bincount(day, difference), np.bincount(day).astype(np.float64))
