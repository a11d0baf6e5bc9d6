"""Single rows: the effect of each rule, and its entry in the log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hospital_sheets import HEADERS, VISIT

from echo_env.lab.calibration.cell_log import ACTIONS, RULES, CellLog, Remark
from echo_env.lab.calibration.reading import read_visits
from echo_env.lab.calibration.visits import TABLE

Write = Callable[..., Path]


def read(path: Path) -> tuple[Any, CellLog]:
    """The tidy table of a file and the log of its cells."""
    visits = read_visits(path)
    return visits.table, visits.log


def rules_below_headers(log: CellLog) -> dict[str, str]:
    """Cell -> rule, for the cells of patients' rows."""
    remarks = log.to_pandas()
    rows = remarks["cell"].str.contains("[02-9]|1[0-9]")
    return dict(zip(remarks.loc[rows, "cell"], remarks.loc[rows, "rule"], strict=True))


def test_a_well_formed_row(write_sheets: Write) -> None:
    """A well-formed row is read unchanged and logs nothing."""
    table, log = read(write_sheets({"Monday (Nov 27)": [VISIT]}))
    assert list(table.columns) == list(TABLE)
    assert table.astype(object).where(table.notna(), None).iloc[0].to_dict() == {
        "day": "2023-11-27", "sheet": "Monday (Nov 27)", "row": 2, "patient": "1", "type": "non_fetal",
        "expected": 495, "actual": 500, "scheduled": 510, "vitals_in": None, "vitals_out": None, "begin": 515,
        "end": 555, "room": "14", "staff": "AB", "booked": "yes", "came": "yes", "unscheduled": False,
        "offset_min": 5, "exam_min": 40,
    }  # fmt: skip
    assert rules_below_headers(log) == {}


@pytest.mark.parametrize(
    ("changed", "expected", "rules"),
    [
        # Marks.
        ({"actual": "N/A", "echo_in": "X", "echo_out": "X"},
         {"came": "no", "booked": "yes", "offset_min": None, "exam_min": None},
         {"G2": "mark_not_done", "N2": "mark_not_done", "O2": "mark_not_done"}),
        ({"scheduled": "N/A", "echo_in": "X", "echo_out": "X"},
         {"came": "yes", "booked": "no", "offset_min": None, "actual": 500},
         {"M2": "mark_not_done", "N2": "mark_not_done", "O2": "mark_not_done"}),
        ({"actual": None, "echo_in": None, "echo_out": "?"}, {"came": "unknown", "offset_min": None},
         {"G2": "blank", "O2": "mark_unknown"}),
        ({"actual": None}, {"came": "yes", "offset_min": None, "exam_min": 40}, {}),
        ({"scheduled": None}, {"booked": "unknown", "came": "yes", "offset_min": None}, {"M2": "blank"}),
        ({"expected": None}, {"offset_min": None, "exam_min": 40}, {"F2": "blank"}),
        ({"echo_in": None, "echo_out": None}, {"came": "yes", "exam_min": None}, {"N2": "blank", "O2": "blank"}),
        ({"vitals_in": "P", "vitals_out": "P"}, {"offset_min": 5}, {"I2": "mark_p", "J2": "mark_p"}),
        # Exams without a length.
        ({"echo_out": "?"}, {"exam_min": None, "begin": 515}, {"O2": "out_missing"}),
        ({"echo_out": "X"}, {"exam_min": None}, {"O2": "out_missing"}),
        ({"echo_in": "?"}, {"exam_min": None, "end": 555}, {"N2": "in_missing"}),
        ({"echo_out": "08:30"}, {"exam_min": None}, {"O2": "out_before_in"}),
        ({"echo_out": "08:35"}, {"exam_min": None}, {"O2": "out_before_in"}),
        ({"echo_in": "8:35/9:00"}, {"exam_min": None, "begin": None}, {"N2": "in_missing"}),
        ({"length": "00:40"}, {"exam_min": 40}, {}),
        ({"length": "00:50"}, {"exam_min": 40}, {"P2": "length_differs"}),
        ({"length": "#VALUE!"}, {"exam_min": 40}, {"P2": "formula_error"}),
        # Check-ins.
        ({"actual": "08:50"}, {"came": "yes", "offset_min": None, "exam_min": 40}, {"G2": "exam_before_check_in"}),
        ({"actual": "08:35"}, {"offset_min": 20}, {}),
        ({"expected": "08:00"}, {"offset_min": 20}, {}),
        ({"expected": "07:59"}, {"offset_min": 21}, {"F2": "check_in_long_before_exam"}),
        ({"actual": "8:20"}, {"offset_min": 5}, {"G2": "time_as_text"}),
        ({"actual": "8:20/9:00"}, {"offset_min": 5}, {"G2": "two_times"}),
        # Half a day.
        ({"expected": "12:45", "actual": "01:10", "scheduled": "13:00", "echo_in": "13:15", "echo_out": "02:00"},
         {"actual": 790, "offset_min": 25, "end": 840, "exam_min": 45},
         {"G2": "half_day_slip", "O2": "half_day_slip"}),
        ({"vitals_in": "00:47", "vitals_out": "09:51"}, {"offset_min": 5}, {"I2": "outside_hours"}),
        ({"expected": "20:15"}, {"expected": 495, "offset_min": 5}, {"F2": "half_day_slip"}),
        # Vitals one column left.
        ({"late": "08:22", "vitals_in": "08:25"}, {"offset_min": 5},
         {"H2": "one_column_left", "I2": "one_column_left"}),
        ({"late": "X", "vitals_in": "X", "vitals_out": "X"}, {"offset_min": 5},
         {"H2": "not_yes_no", "I2": "mark_not_done", "J2": "mark_not_done"}),
        ({"late": "YES", "vitals_in": "08:25"}, {"offset_min": 5}, {}),
        # The rest.
        ({"fetal": "YES"}, {"type": "fetal"}, {}),
        ({"fetal": "maybe"}, {"type": ""}, {"D2": "not_yes_no"}),
        ({"who": "NAM/KT"}, {"staff": "NAM/KT"}, {"S2": "two_people"}),
        ({"pt": None}, {"patient": "Monday (Nov 27)!2"}, {"A2": "no_patient"}),
        ({"clinic": "8:45/10:42", "ekg_in": "9:00/9:30"}, {}, {"Y2": "two_times", "V2": "two_spells"}),
        ({"AC": "note"}, {}, {"AC2": "no_header"}),
    ],
)  # fmt: skip
def test_rules(write_sheets: Write, changed: dict[str, Any], expected: dict[str, Any], rules: dict[str, str]) -> None:
    """Each irregular cell changes the row as its rule says and is logged under it."""
    table, log = read(write_sheets({"Monday (Nov 27)": [VISIT | changed]}))
    row = table.astype(object).where(table.notna(), None).iloc[0].to_dict()
    assert {name: row[name] for name in expected} == expected
    assert rules_below_headers(log) == rules


def test_a_log_entry_is_complete(write_sheets: Write) -> None:
    """A log entry names cell, original text, rule, action and result."""
    _, log = read(
        write_sheets({"Monday (Nov 27)": [VISIT | {"late": "08:22", "vitals_in": "08:25", "actual": "08:50"}]})
    )
    lines = {line["cell"]: line for line in log.to_pandas().to_dict("records")}
    assert lines["G2"] == {
        "sheet": "Monday (Nov 27)", "cell": "G2", "column": "actual", "found": "08:50",
        "rule": "exam_before_check_in", "action": "dropped", "becomes": "", "feeds_the_lab": True,
    }  # fmt: skip
    assert (lines["H2"]["found"], lines["H2"]["becomes"]) == ("08:22", "vitals_in (I2)")
    assert (lines["I2"]["found"], lines["I2"]["becomes"], lines["I2"]["action"]) == (
        "08:25", "vitals_out (J2)", "repaired"
    )  # fmt: skip


def test_the_second_echo_in_is_the_time_out(write_sheets: Write) -> None:
    """A second 'echo time in' column is read as 'echo time out'."""
    headers = [*HEADERS[:14], "echo time in ", *HEADERS[15:]]
    table, _ = read(write_sheets({"Wednesday (Nov 29)": [VISIT]}, headers))
    assert table["exam_min"].tolist() == [40]


def test_sheets_are_put_together_in_order(write_sheets: Write) -> None:
    """Rows keep the order of sheets and rows; a repeated patient number counts as two visits."""
    table, log = read(write_sheets({"Monday (Nov 27)": [VISIT, VISIT, {}, {"room": " "}], "Tuesday (Nov 28)": [VISIT]}))
    assert table["sheet"].tolist() == ["Monday (Nov 27)"] * 2 + ["Tuesday (Nov 28)"]
    assert table["row"].tolist() == [2, 3, 2]
    assert log.counts()["patient_twice"] == 1


def test_a_cell_has_one_rule_and_every_rule_an_action() -> None:
    """A cell is logged once, under its last rule, so that counts add up."""
    assert {rule.action for rule in RULES.values()} <= set(ACTIONS)
    log = CellLog()
    log.add(Remark("a", "G2", "", "?", "mark_unknown"))
    log.add(Remark("a", "G2", "", "?", "out_missing", feeds_the_lab=True))
    log.add(Remark("a", "G3", "", "?", "out_missing"))
    assert (len(log), log.counts()) == (2, {"out_missing": 2})
    assert log.by_action() == {"repaired": 0, "kept": 0, "dropped": 2, "unread": 0}
    assert log.example("out_missing").cell == "G2"
    log.add(Remark("a", "AA2", "", "?", "mark_unknown"))
    log.add(Remark("a", "", "", "?", "date_unread"))
    assert log.to_pandas()["cell"].tolist() == ["", "G2", "AA2", "G3"]
    with pytest.raises(KeyError):
        log.add(Remark("a", "G2", "", "?", "no such rule"))
