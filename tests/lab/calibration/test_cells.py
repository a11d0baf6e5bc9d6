"""Parsing single cells: times in every form that people type, marks, and everything else."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from echo_env.lab.calibration.cells import BLANK, NOT_DONE, SOME_MARK, TIME, UNREAD, SheetCell, read_time, read_yes_no


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (dt.time(8, 15), SheetCell(TIME, 495)),
        (dt.datetime(1900, 1, 1, 8, 15), SheetCell(TIME, 495)),
        (dt.timedelta(minutes=40), SheetCell(TIME, 40)),
        (dt.time(8, 15, 29), SheetCell(TIME, 495, "seconds")),
        (0.34375, SheetCell(TIME, 495)),
        ("8:15", SheetCell(TIME, 495, "time_as_text")),
        (" 08:15:00 ", SheetCell(TIME, 495, "time_as_text")),
        ("1:30 pm", SheetCell(TIME, 810, "time_as_text")),
        ("12:05 a.m.", SheetCell(TIME, 5, "time_as_text")),
        ("8:45/10:42", SheetCell(TIME, 525, "two_times")),
        ("8:30/11:30/11:30", SheetCell(TIME, 510, "two_times")),
        ("8:45/X", SheetCell(UNREAD, None, "not_a_time")),
        ("N/A", SheetCell(NOT_DONE, None, "mark_not_done")),
        (" x", SheetCell(NOT_DONE, None, "mark_not_done")),
        ("P", SheetCell(SOME_MARK, None, "mark_p")),
        ("?", SheetCell(UNREAD, None, "mark_unknown")),
        ("#VALUE!", SheetCell(UNREAD, None, "formula_error")),
        (None, SheetCell(BLANK)),
        ("  ", SheetCell(BLANK)),
        (3, SheetCell(UNREAD, None, "not_a_time")),
        (0, SheetCell(UNREAD, None, "not_a_time")),
        (1.5, SheetCell(UNREAD, None, "not_a_time")),
        ("24:00", SheetCell(UNREAD, None, "not_a_time")),
        ("8:60", SheetCell(UNREAD, None, "not_a_time")),
        ("13:00 pm", SheetCell(UNREAD, None, "not_a_time")),
        ("soon", SheetCell(UNREAD, None, "not_a_time")),
        (dt.timedelta(days=2), SheetCell(UNREAD, None, "not_a_time")),
        (True, SheetCell(UNREAD, None, "not_a_time")),
    ],
)
def test_what_a_cell_says(value: Any, cell: SheetCell) -> None:
    """Each form of a time, mark or other value is parsed under its rule."""
    assert read_time(value) == cell


def test_two_times_of_a_spell_have_no_length() -> None:
    """Two times in a start or end cell are unreadable; one is a time."""
    assert read_time("10:21/11:27", spell=True) == SheetCell(UNREAD, None, "two_spells")
    assert read_time("10:21", spell=True) == SheetCell(TIME, 621, "time_as_text")


def test_yes_and_no() -> None:
    """Yes and no are read in any case; an empty cell is a no, other values are neither."""
    assert [read_yes_no(value) for value in ("YES", " yes", "y", "NO", "n", None, "", "X", 1)] == [
        True, True, True, False, False, False, False, None, None
    ]  # fmt: skip
