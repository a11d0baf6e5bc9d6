"""Parsing single cells: times in every form that people type, marks, and everything else."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from echo_env.lab.calibration.reading.cells import (
    BLANK,
    CANCELLED,
    NO_SHOW,
    NOT_DONE,
    SOME_MARK,
    TIME,
    UNREAD,
    WALK_IN,
    SheetCell,
    read_length,
    read_time,
)
from echo_env.lab.calibration.reading.words import Words


def at(minute: int, rule: str = "time_as_text", date: dt.date | None = None, sure: bool = False) -> SheetCell:
    """A cell with a time."""
    return SheetCell(TIME, minute, rule, date, sure)


MARCH_2 = dt.date(2026, 3, 2)


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (dt.time(8, 15), SheetCell(TIME, 495)),
        (dt.datetime(1900, 1, 1, 8, 15), SheetCell(TIME, 495)),
        (dt.datetime(2026, 3, 2, 8, 15), at(495, "", MARCH_2, True)),
        (dt.timedelta(minutes=40), SheetCell(TIME, 40)),
        (dt.time(8, 15, 29), SheetCell(TIME, 495, "seconds")),
        (0.34375, SheetCell(TIME, 495)),
        (46083.34375, at(495, "", MARCH_2, True)),
        (815, at(495)),
        (1530.0, at(930)),
        (8.15, at(495)),
        (8.3, at(510)),
        ("8:15", at(495)),
        (" 08:15:00 ", at(495)),
        ("8.15", at(495)),
        ("8h15", at(495)),
        ("8 h", at(480)),
        ("8 Uhr 15", at(495)),
        ("08.15 Uhr", at(495)),
        ("0815", at(495)),
        ("0815h", at(495)),
        ("1:30 pm", at(810, sure=True)),
        ("8 AM", at(480, sure=True)),
        ("12:05 a.m.", at(5, sure=True)),
        ("2026-03-02 08:15", at(495, date=MARCH_2, sure=True)),
        ("2026-03-02T08:15:00", at(495, date=MARCH_2, sure=True)),
        ("2026-03-02T08:15:40.250Z", at(496, date=MARCH_2, sure=True)),
        ("2026-03-02T08:15+01:00", at(495, date=MARCH_2, sure=True)),
        ("20260302 0815", at(495, date=MARCH_2, sure=True)),
        ("02.03.2026 8:15", at(495, date=MARCH_2, sure=True)),
        ("2.3.26, 8.15 Uhr", at(495, date=MARCH_2, sure=True)),
        ("2 March 2026 08:15", at(495, date=MARCH_2, sure=True)),
        ("Mar 2, 2026 8:15 AM", at(495, date=MARCH_2, sure=True)),
        ("Montag, 2. März 2026 08:15", at(495, date=MARCH_2, sure=True)),
        ("02-MAR-2026 08:15:00", at(495, date=MARCH_2, sure=True)),
        ("46083.34375", at(495, date=MARCH_2, sure=True)),
        ("0,34375", at(495)),
        ("8:45/10:42", at(525, "two_times")),
        ("8:30/11:30/11:30", at(510, "two_times")),
        ("8:45/X", SheetCell(UNREAD, None, "not_a_time")),
        ("N/A", SheetCell(NOT_DONE, None, "mark_not_done")),
        (" x", SheetCell(NOT_DONE, None, "mark_not_done")),
        ("P", SheetCell(SOME_MARK, None, "mark_p")),
        ("DNA", SheetCell(NO_SHOW, None, "mark_no_show")),
        ("NS", SheetCell(NO_SHOW, None, "mark_no_show")),
        ("No Show (pt)", SheetCell(NO_SHOW, None, "mark_no_show")),
        ("nicht erschienen", SheetCell(NO_SHOW, None, "mark_no_show")),
        ("Cancelled", SheetCell(CANCELLED, None, "mark_cancelled")),
        ("annulé", SheetCell(CANCELLED, None, "mark_cancelled")),
        ("walk-in", SheetCell(WALK_IN, None, "mark_walk_in")),
        ("?", SheetCell(UNREAD, None, "mark_unknown")),
        ("#VALUE!", SheetCell(UNREAD, None, "formula_error")),
        (None, SheetCell(BLANK)),
        ("  ", SheetCell(BLANK)),
        ("-", SheetCell(BLANK)),
        ("NaN", SheetCell(BLANK)),
        (3, SheetCell(UNREAD, None, "not_a_time")),
        (0, SheetCell(UNREAD, None, "not_a_time")),
        (8.75, SheetCell(UNREAD, None, "not_a_time")),
        (875, SheetCell(UNREAD, None, "not_a_time")),
        (8.333, SheetCell(UNREAD, None, "not_a_time")),
        ("24:00", SheetCell(UNREAD, None, "not_a_time")),
        ("8:60", SheetCell(UNREAD, None, "not_a_time")),
        ("13:00 pm", SheetCell(UNREAD, None, "not_a_time")),
        ("soon", SheetCell(UNREAD, None, "not_a_time")),
        ("transfers", SheetCell(UNREAD, None, "not_a_time")),
        (dt.timedelta(days=2), SheetCell(UNREAD, None, "not_a_time")),
        (dt.date(2026, 3, 2), SheetCell(UNREAD, None, "not_a_time", MARCH_2)),
        (True, SheetCell(UNREAD, None, "not_a_time")),
    ],
)
def test_what_a_cell_says(value: Any, cell: SheetCell) -> None:
    """Each form of a time, mark or other value is parsed under its rule."""
    assert read_time(value) == cell


@pytest.mark.parametrize(("day_first", "month"), [(True, 3), (False, 2), (None, 3)])
def test_dates_with_slashes_follow_the_order_of_the_file(day_first: bool | None, month: int) -> None:
    """02/03/2026 is 2 March or 3 February, as the file has it; with dots it always is 2 March."""
    assert read_time("02/03/2026 8:15", day_first=day_first).date == dt.date(2026, month, 5 - month)
    assert read_time("02.03.2026 8:15", day_first=day_first).date == MARCH_2


def test_two_times_of_a_spell_have_no_length() -> None:
    """Two times in a start or end cell are unreadable; one is a time."""
    assert read_time("10:21/11:27", spell=True) == SheetCell(UNREAD, None, "two_spells")
    assert read_time("10:21", spell=True) == SheetCell(TIME, 621, "time_as_text")


@pytest.mark.parametrize(
    "value", [45, 45.0, "45", "45 min", "0:45", dt.time(0, 45), dt.timedelta(minutes=45), 0.03125, "0h45"]
)
def test_lengths(value: Any) -> None:
    """A number in a column of lengths is minutes; clock times are hours and minutes."""
    assert read_length(value)[:2] == (TIME, 45)


def test_a_length_without_a_value() -> None:
    """Hours count sixty minutes; empty cells and marks have no length."""
    assert read_length("1 h 20 min").minute == 80
    assert (read_length("").content, read_length("x").content, read_length("long").content) == (BLANK, NOT_DONE, UNREAD)


def test_yes_and_no() -> None:
    """Yes and no are read in four languages and as numbers; an empty cell is a no, other values are neither."""
    words = Words()
    for value in ("YES", " yes", "y", "Ja", "oui", "sí", "VRAI", 1, 1.0, True, "1"):
        assert words.yes_or_no(value) is True, value
    for value in ("NO", "n", "Nein", "non", "FALSCH", 0, 0.0, False, None, "", "-"):
        assert words.yes_or_no(value) is False, value
    assert [words.yes_or_no(value) for value in ("X", 2, "maybe")] == [None, None, None]


def test_the_hospitals_own_words_come_first() -> None:
    """Words that the owner of the sheet names count as he says."""
    words = Words(yes=("x",), no=("y",), no_show=("nb",), cancelled=("dna", "x"))
    assert (words.yes_or_no("X"), words.yes_or_no("y")) == (True, False)
    assert [read_time(text, words=words).content for text in ("NB", "DNA", "X")] == [NO_SHOW, CANCELLED, CANCELLED]
