"""Days of a simulated lab as a hospital would record them: a table of visits, or a workbook."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hospital_sheets import clock_text, write_workbook

from echo_env.lab import GeneralLabConfig
from echo_env.lab.calibration.cell_log import CellLog
from echo_env.lab.calibration.visits import MINUTES, TABLE, Visits
from echo_env.lab.day import sample_days
from echo_env.lab.policies.base import make_policy
from echo_env.lab.simulation.simulator import simulate

FIRST_DAY = dt.date(2026, 3, 2)
"""A Monday; weekends are left out."""

Row = dict[str, Any]


def recorded_rows(config: GeneralLabConfig, days: int, seed: int, rule: str = "policy_2") -> list[Row]:
    """Visits of simulated days, one row each, with the columns of the table of visits.

    Clocks are read to the whole minute, so that an exam that ends within a minute is recorded as often at its begin as
    at its end.
    """
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    drawn = sample_days(config, days, seed)
    for day, date in zip(drawn, working_days(days), strict=True):
        trace = simulate(config, day, make_policy(rule, config))
        visits = sorted(trace.patients, key=lambda one: (one.scheduled_min is None, one.scheduled_min or 0))
        own = [_row(config, one, rng) for one in visits if one.arrival_min is not None or one.scheduled_min is not None]
        head = {"day": date.isoformat(), "sheet": f"{date:%A} ({date:%b} {date.day})"}
        rows += [{**head, "row": number, "patient": str(number), **row} for number, row in enumerate(own, start=2)]
    return rows


def working_days(count: int) -> list[dt.date]:
    """As many days from the first Monday on, without weekends."""
    return [FIRST_DAY + dt.timedelta(days=7 * (k // 5) + k % 5) for k in range(count)]


def _row(config: GeneralLabConfig, patient: Any, rng: np.random.Generator) -> Row:
    opening = config.hours.opening_min
    lead = config.exam_types[patient.exam_type].check_in_lead_min
    booked, came = patient.scheduled_min is not None, patient.arrival_min is not None
    scheduled = opening + patient.scheduled_min if booked else None
    row: Row = {"type": patient.exam_type, "booked": "yes", "came": "yes" if came else "no", "unscheduled": not booked}
    row |= {"scheduled": scheduled, "expected": scheduled - lead if scheduled is not None else None}
    row |= {"actual": opening + patient.arrival_min if came else None, "room": "", "staff": ""}
    if patient.outcome == "served":
        length = max(patient.end_min - patient.start_min - int(rng.integers(2)), 1)
        row |= {"begin": opening + patient.start_min, "end": opening + patient.start_min + length, "exam_min": length}
        row |= {"room": f"R{patient.room}", "staff": f"S{patient.sonographer}"}
    if came and booked:
        row["offset_min"] = row["actual"] - row["expected"]
    return row


def visits_of(rows: Sequence[Row], name: str = "lab.xlsx") -> Visits:
    """The rows as a reader would hand them on."""
    table = pd.DataFrame(rows, columns=list(TABLE))
    table = table.astype(dict.fromkeys((*MINUTES, "offset_min", "exam_min"), "Int64"))
    return Visits(name, "", table, {}, {}, CellLog())


def write_lab_workbook(path: Path, rows: Sequence[Row]) -> Path:
    """The rows as a workbook of the paper's format, one sheet a day."""
    sheets: dict[str, list[Row]] = {}
    for row in rows:
        sheets.setdefault(row["sheet"], []).append(_cells(row))
    return write_workbook(path, sheets, saved="2026-12-31")


def _cells(row: Row) -> Row:
    """Short column names of the workbook -> cells."""
    names = {
        "expected": "expected",
        "actual": "actual",
        "scheduled": "scheduled",
        "begin": "echo_in",
        "end": "echo_out",
    }
    times = {cell: clock_text(row[name]) for name, cell in names.items() if row.get(name) is not None}
    if row["came"] == "no":
        times |= {"actual": "N/A", "echo_in": "X", "echo_out": "X"}
    fetal = {"fetal": "YES"} if row["type"] == "fetal" else {}
    return {"pt": int(row["patient"]), **fetal, **times, "who": row["staff"], "room": row["room"]}
