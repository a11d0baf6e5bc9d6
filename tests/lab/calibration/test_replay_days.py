"""Recorded days played again: what is taken from the record, and what from the lab."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pandas")

import pandas as pd
from hospital_sheets import WEEK
from simulated_visits import CLINIC, clinic, visits_of

from echo_env.common.config_model import build
from echo_env.lab import GeneralLabConfig, load_lab
from echo_env.lab.calibration.reading import read_visits
from echo_env.lab.calibration.validation.recorded import mean_length, most_at_once, recorded_days, recorded_exams
from echo_env.lab.calibration.validation.replay import Missing, Replayer, replay
from echo_env.lab.calibration.visits import Visits


def plain_clinic(**changes: Any) -> GeneralLabConfig:
    """The clinic without anything that a record does not show: breaks, lunch, and preparations that vary."""
    fields: dict[str, Any] = {
        "exam_types__scan__preparation": {"minutes": 12},
        "staff_groups__seniors__lunch": None,
        "staff_groups__juniors__breaks": None,
    }
    return clinic(**{**fields, **changes})


def changed(visits: Visits, row: int, **values: Any) -> Visits:
    """The record with other values in a row."""
    table = visits.table.copy()
    for column, value in values.items():
        table.loc[row, column] = value
    return replace(visits, table=table)


def first_exam(visits: Visits) -> int:
    """Index of the first row with an exam."""
    return int(visits.table.index[visits.table["begin"].notna()][0])


@pytest.mark.parametrize("rule", ["policy_2", "scarce_first"])
@pytest.mark.parametrize("vitals", [False, True])
def test_a_lab_replays_its_own_days_to_the_minute(rule: str, vitals: bool) -> None:
    """Where the lab is right and the record knows the rest, every exam begins when it was seen to."""
    config = plain_clinic()
    rows = Replayer(visits_of(config, 8, seed=1, rule=rule, vitals=vitals), config).play(rule, after_vitals_min=0)
    assert len(rows) > 100
    assert rows["simulated_begin"].tolist() == rows["seen_begin"].tolist()


def test_the_frame_has_the_exams_by_day_and_begin() -> None:
    """Rows keep the index of the visits' table, and all times are minutes after midnight."""
    config = plain_clinic()
    visits = visits_of(config, 3, seed=2)
    rows = replay(visits, config)
    assert list(rows.columns) == [
        "day", "type", "actual", "scheduled", "waits_from", "ready", "seen_begin", "simulated_begin", "exam_min",
    ]  # fmt: skip
    assert rows["seen_begin"].tolist() == visits.table.loc[rows.index, "begin"].tolist()
    assert (rows.groupby("day")["seen_begin"].diff().dropna() >= 0).all()
    assert set(rows["type"]) == {"scan", "stress_test"}
    expected = visits.table.loc[rows.index, "expected"]
    assert rows["waits_from"].tolist() == np.maximum(rows["actual"], expected).tolist()
    assert rows["seen_begin"].min() > config.hours.opening_min


def test_the_right_preparation_has_the_least_error() -> None:
    """Of all whole minutes, those of the lab that the record is from explain its begins best."""
    config = plain_clinic(exam_types__stress_test__preparation={"minutes": 12})
    replayer = Replayer(visits_of(config, 5, seed=3), config)
    errors = []
    for minutes in range(25):
        rows = replayer.play(preparation_min=minutes)
        errors.append((rows["simulated_begin"] - rows["seen_begin"]).abs().mean())
    assert int(np.argmin(errors)) == 12
    assert errors[12] == 0


def test_both_engines_replay_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiled engine and SimPy give the same begins."""
    config = clinic()
    visits = visits_of(config, 3, seed=4)
    compiled = replay(visits, config)
    monkeypatch.setattr("echo_env.lab.calibration.validation.day_lab.choose_engine", lambda policy, engine: "simpy")
    assert replay(visits, config).equals(compiled)


def test_what_the_lab_lacks_can_be_added() -> None:
    """A preparation, a delay, and waiting for the appointment, added to a lab without them, are those of a lab with."""
    config = plain_clinic(exam_types__stress_test__preparation={"minutes": 12})
    lacking = config.replace(
        **{f"exam_types__{name}__preparation": None for name in config.exam_types},
        **{f"exam_types__{name}__may_begin_early": True for name in config.exam_types},
    )
    visits = visits_of(config, 3, seed=5)
    with_both = Replayer(visits, lacking).play(missing=Missing(preparation_min=12, appointment=True))
    assert with_both["simulated_begin"].tolist() == with_both["seen_begin"].tolist()
    late = Replayer(visits, config).play(missing=Missing(delay_min=7))
    assert (late["ready"] - with_both["ready"] == 7).all()


def test_recorded_preparations_count_only_in_a_lab_with_preparation() -> None:
    """A lab that lacks the preparation is not helped by a record that has it."""
    config = plain_clinic()
    visits = visits_of(config, 3, seed=6, vitals=True)
    lacking = config.replace(exam_types__scan__preparation=None)
    rows = replay(visits, lacking)
    assert rows["ready"].tolist() == np.maximum(rows["actual"], rows["scheduled"]).tolist()


def test_a_patient_is_ready_some_minutes_after_a_recorded_preparation() -> None:
    """The recorded end of the preparation replaces the lab's mean, if the exam began after it."""
    config = plain_clinic(exam_types__scan__may_begin_early=True)
    visits = visits_of(config, 1, seed=7)
    scans = visits.table.index[visits.table["begin"].notna() & (visits.table["type"] == "scan")]
    row = int(scans[0])
    actual, begin = (int(visits.table.at[row, name]) for name in ("actual", "begin"))
    ready = replay(changed(visits, row, vitals_out=actual + 1), config, after_vitals_min=4)["ready"]
    assert ready[row] == actual + 5
    after = replay(changed(visits, row, vitals_out=begin + 1), config, after_vitals_min=4)["ready"]
    assert after[row] == actual + 12


def test_patients_without_a_check_in_are_played_but_not_compared() -> None:
    """An exam without a check-in occupies its room, and has no row."""
    config = plain_clinic()
    visits = visits_of(config, 2, seed=8)
    row = first_exam(visits)
    without = changed(visits, row, actual=None)
    assert row not in replay(without, config).index
    assert len(recorded_exams(without, config)) == len(recorded_exams(visits, config))
    nobody = replace(visits, table=visits.table.assign(actual=pd.array([pd.NA] * len(visits.table), "Int64")))
    with pytest.raises(ValueError, match="no exam with a begin and a check-in"):
        replay(nobody, config)


def test_who_is_examined_has_come() -> None:
    """A check-in after the begin of the exam does not delay it."""
    config = plain_clinic(exam_types__scan__preparation=None)
    visits = visits_of(config, 1, seed=9)
    row = first_exam(visits)
    begin = int(visits.table.at[row, "begin"])
    rows = replay(changed(visits, row, actual=begin + 20), config)
    assert rows.at[row, "simulated_begin"] <= begin
    assert rows.at[row, "waits_from"] == begin + 20


def test_an_exam_without_an_end_takes_the_mean_of_its_type() -> None:
    """Unknown lengths are those of the lab."""
    config = plain_clinic()
    visits = visits_of(config, 1, seed=10)
    row = first_exam(visits)
    exams = recorded_exams(changed(visits, row, end=None, exam_min=None, type="scan"), config)
    assert exams.at[row, "takes_min"] == round(mean_length(config.plan.types[0].exam))
    assert exams["takes_min"].drop(row).equals(exams["exam_min"].drop(row).astype(np.int64))


def test_types_that_the_lab_lacks_are_refused() -> None:
    """The message names the type and those of the lab; a lab with one type takes all exams as that one."""
    config = plain_clinic()
    visits = visits_of(config, 1, seed=11)
    with pytest.raises(ValueError, match="'xray', but the lab 'clinic' has only scan, stress_test"):
        replay(changed(visits, first_exam(visits), type="xray"), config)
    unknown = recorded_exams(changed(visits, first_exam(visits), type=""), config)
    assert unknown.at[first_exam(visits), "kind"] == 0
    one = {"exam_types": {"scan": CLINIC["exam_types"]["scan"]}, "room_groups": {"all": {"count": 3}}}
    alone = build(GeneralLabConfig, {**CLINIC, **one, "staff_groups": {"all": {"count": 4}}})
    assert set(replay(visits, alone)["type"]) == {"scan"}


def test_rooms_and_staff_are_those_seen_that_day() -> None:
    """Initials that never stand alone are one with the colleague's; empty cells count as often as needed."""
    config = plain_clinic()
    visits = visits_of(config, 2, seed=12)
    table = visits.table[visits.table["begin"].notna()].iloc[:4].copy()
    table["day"], table["begin"] = ["a", "a", "a", "b"], [600, 605, 610, 600]
    table["end"], table["exam_min"] = table["begin"] + 30, 30
    table["type"], table["room"] = ["scan", "scan", "stress_test", "scan"], ["1", "", "", "2"]
    table["staff"] = ["AA/TT", "BB", "BB/CC/TT", "AA"]
    record = replace(visits, table=table.astype({"begin": "Int64", "end": "Int64", "exam_min": "Int64"}))
    exams = recorded_exams(record, config)
    first, second = recorded_days(record, exams)
    assert (first.name, first.last - first.first, second.name) == ("a", 3, "b")
    assert first.staff is not None
    assert sorted(first.staff, key=len) == [frozenset({0}), frozenset({0, 1})]
    assert first.rooms is not None
    assert len(first.rooms) == 3
    assert first.rooms[0] == frozenset({0})
    assert second.rooms == (frozenset({0}),)


def test_without_a_column_of_rooms_or_staff_the_labs_are_there() -> None:
    """Nothing is known of them, so that the lab's own count."""
    config = plain_clinic()
    visits = visits_of(config, 2, seed=13)
    bare = replace(visits, table=visits.table.assign(room="", staff=""))
    assert recorded_days(bare, recorded_exams(bare, config))[0].rooms is None
    rows = replay(bare, config)
    assert (rows["simulated_begin"] - rows["seen_begin"]).abs().mean() < 2


def test_patients_without_an_appointment_are_due_on_arrival() -> None:
    """Walk-ins are replayed to the minute as well."""
    config = plain_clinic(exam_types__scan__unscheduled={60: 1.0, 240: 2.0})
    visits = visits_of(config, 6, seed=14)
    assert visits.table["unscheduled"].sum() > 5
    rows = replay(visits, config)
    assert rows["simulated_begin"].tolist() == rows["seen_begin"].tolist()


def test_exams_at_once() -> None:
    """An exam that ends in a minute is over when another begins in it."""
    assert most_at_once(np.array([0, 10, 20]), np.array([10, 30, 25])) == 2
    assert most_at_once(np.array([], dtype=int), np.array([], dtype=int)) == 0


@pytest.mark.skipif(not WEEK.exists(), reason="the week's sheet is not here")
def test_the_papers_week() -> None:
    """Waiting for the appointment and preparation explain most of the 18 minutes; the paper's lab explains none."""
    visits, config = read_visits(WEEK), load_lab("echo_week")
    rows = replay(visits, config)
    seen, simulated = (rows[name] - rows["waits_from"] for name in ("seen_begin", "simulated_begin"))
    assert seen.mean() == pytest.approx(18.0, abs=0.1)
    assert simulated.mean() == pytest.approx(seen.mean(), abs=3)
    assert np.corrcoef(seen.astype(float), simulated.astype(float))[0, 1] >= 0.6
    plain = replay(visits, load_lab("baseline"))
    assert (plain["simulated_begin"] - plain["waits_from"]).mean() < 0
