"""A workbook of a made-up hospital, as ``echo-lab calibrate`` reads them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np

HEADERS = (
    "pt", "fetal (yes/no)", "expected check-in/arrival time", "actual check in/arival time", "echo scheduled time",
    "echo time in", "echo time out", "sonographer", "echo room number",
)  # fmt: skip
DAYS = ("Monday (Nov 27)", "Tuesday (Nov 28)", "Wednesday (Nov 29)")


def clock(minute: int) -> dt.time:
    """Minutes since midnight as a time."""
    return dt.time(minute // 60, minute % 60)


def write_week(path: Path, patients: int = 32, how: str = "") -> None:
    """Write three days: every fourth patient is fetal, every eighth does not come, exams take 20 to 60 minutes.

    :param path: the workbook
    :param patients: rows of a day
    :param how: ``blank far below`` adds a blank in the last row that Excel has; ``no headers``, ``no rows`` and
        ``no sheets`` leave these out; ``half`` cuts the file off in the middle
    """
    import openpyxl

    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    rng = np.random.default_rng(1)
    for number, title in enumerate(DAYS):
        sheet = workbook.create_sheet(title)
        if how != "no headers":
            sheet.append(HEADERS)
        if how == "blank far below":
            sheet["A1048576"] = " "
            sheet._current_row = 1  # where append goes on
        free = dict.fromkeys((14, 19, 20, 21, 22, 23), 0)
        for patient in range(0 if how == "no rows" else patients):
            due, fetal = 480 + 15 * patient, patient % 4 == 0
            came = due + int(rng.integers(-20, 20))
            room = 14 if fetal else min((k for k in free if k != 14), key=lambda k: (free[k], k))
            begin, length = max(came + 3, due + 18, free[room]), int(rng.integers(20, 60))
            times: list[object] = [clock(due), clock(came), clock(due + 15), clock(begin), clock(begin + length)]
            if patient % 8 == 7:
                times = [clock(due), "N/A", clock(due + 15), "X", "X"]
            else:
                free[room] = begin + length
            sheet.append([1000 * number + patient, "YES" if fetal else None, *times, f"S{room}", room])
    if how == "no sheets":
        for sheet in workbook.worksheets[:]:
            workbook.remove(sheet)
        workbook.create_sheet("Notes")
    workbook.save(path)
    if how == "half":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
