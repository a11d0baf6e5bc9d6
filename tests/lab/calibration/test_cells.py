"""Single cells: times in every form that people type, marks, and what is neither."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from echo_env.lab.calibration.cells import BLANK, NOT_DONE, SOME_MARK, TIME, UNREAD, Cell, read_time, read_yes_no


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (dt.time(8, 15), Cell(TIME, 495)),
        (dt.datetime(1900, 1, 1, 8, 15), Cell(TIME, 495)),
        (dt.timedelta(minutes=40), Cell(TIME, 40)),
        (dt.time(8, 15, 29), Cell(TIME, 495, "seconds")),
        (0.34375, Cell(TIME, 495)),
        ("8:15", Cell(TIME, 495, "time_as_text")),
        (" 08:15:00 ", Cell(TIME, 495, "time_as_text")),
        ("1:30 pm", Cell(TIME, 810, "time_as_text")),
        ("12:05 a.m.", Cell(TIME, 5, "time_as_text")),
        ("8:45/10:42", Cell(TIME, 525, "two_times")),
        ("8:30/11:30/11:30", Cell(TIME, 510, "two_times")),
        ("8:45/X", Cell(UNREAD, None, "not_a_time")),
        ("N/A", Cell(NOT_DONE, None, "mark_not_done")),
        (" x", Cell(NOT_DONE, None, "mark_not_done")),
        ("P", Cell(SOME_MARK, None, "mark_p")),
        ("?", Cell(UNREAD, None, "mark_unknown")),
        ("#VALUE!", Cell(UNREAD, None, "formula_error")),
        (None, Cell(BLANK)),
        ("  ", Cell(BLANK)),
        (3, Cell(UNREAD, None, "not_a_time")),
        (0, Cell(UNREAD, None, "not_a_time")),
        (1.5, Cell(UNREAD, None, "not_a_time")),
        ("24:00", Cell(UNREAD, None, "not_a_time")),
        ("8:60", Cell(UNREAD, None, "not_a_time")),
        ("13:00 pm", Cell(UNREAD, None, "not_a_time")),
        ("soon", Cell(UNREAD, None, "not_a_time")),
        (dt.timedelta(days=2), Cell(UNREAD, None, "not_a_time")),
        (True, Cell(UNREAD, None, "not_a_time")),
    ],
)
def test_what_a_cell_says(value: Any, cell: Cell) -> None:
    """A check-in would be lost, or a mark would be taken for a time."""
    assert read_time(value) == cell


def test_two_times_of_a_spell_have_no_length() -> None:
    """The pause between two exams would count as exam."""
    assert read_time("10:21/11:27", spell=True) == Cell(UNREAD, None, "two_spells")
    assert read_time("10:21", spell=True) == Cell(TIME, 621, "time_as_text")


def test_yes_and_no() -> None:
    """Fetal patients would be taken for others."""
    assert [read_yes_no(value) for value in ("YES", " yes", "y", "NO", "n", None, "", "X", 1)] == [
        True, True, True, False, False, False, False, None, None
    ]  # fmt: skip
