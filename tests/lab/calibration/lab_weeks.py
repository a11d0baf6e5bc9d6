"""Records of simulated days as clocks and workbooks hold them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hospital_sheets import clock_text, write_workbook

from echo_env.lab.calibration.visits import Visits

CELLS = {"expected": "expected", "actual": "actual", "scheduled": "scheduled", "begin": "echo_in", "end": "echo_out"}
"""Column of the table of visits -> short name of the column of a workbook."""


def by_the_clock(visits: Visits, seed: int) -> Visits:
    """The record with ends read from a clock that shows whole minutes.

    A simulated exam ends within its last minute: as often as not, the clock still shows the one before.
    """
    table = visits.table.copy()
    earlier = np.random.default_rng(seed).integers(2, size=len(table)) * (table["exam_min"] > 1).fillna(False)
    table["end"] -= earlier.astype("Int64")
    table["exam_min"] = table["end"] - table["begin"]
    return dataclasses.replace(visits, table=table)


def write_lab_workbook(path: Path, visits: Visits) -> Path:
    """The record as a workbook of the paper's format, one sheet a day, with two exam types at most."""
    sheets: dict[str, list[dict[str, Any]]] = {}
    for row in visits.table.to_dict("records"):
        sheets.setdefault(f"{pd.Timestamp(row['day']):%A (%b %d %Y)}", []).append(_cells(row))
    return write_workbook(path, sheets, saved="2026-12-31")


def _cells(row: dict[str, Any]) -> dict[str, Any]:
    cells = {cell: clock_text(int(row[name])) for name, cell in CELLS.items() if not pd.isna(row[name])}
    if row["came"] == "no":
        cells |= {"actual": "N/A", "echo_in": "X", "echo_out": "X"}
    if row["type"] == "fetal":
        cells["fetal"] = "YES"
    return {"pt": int(row["patient"]) + 1, **cells, "who": row["staff"], "room": row["room"]}
