"""From visits to a lab: what is fitted, where it comes from, and what is refused."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hospital_sheets import WEEK
from lab_weeks import by_the_clock, write_lab_workbook
from random_hospitals import random_hospital
from simulated_visits import clinic, visits_of

from echo_env.lab import load_lab
from echo_env.lab.calibration.fitting.choices import Choices
from echo_env.lab.calibration.fitting.estimates import Estimate, FitError, Fitted
from echo_env.lab.calibration.fitting.fit import fit
from echo_env.lab.calibration.fitting.lab_file import FIRST_LINE, check_own, lab_text, uncertainty_text
from echo_env.lab.calibration.fitting.laws.replayed import nearest_minutes
from echo_env.lab.calibration.fitting.points import fit_points
from echo_env.lab.calibration.fitting.resources.notes import resources_noted
from echo_env.lab.calibration.fitting.resources.turnover import turnover_of
from echo_env.lab.calibration.reading import read_visits
from echo_env.lab.calibration.visits import Visits
from echo_env.lab.evaluation.bootstrap_labs import bootstrap_labs

TODAY = dt.date(2026, 11, 24)
QUICK = Choices(resamples=20)


@pytest.fixture(scope="module")
def record() -> Visits:
    """Eight days of a clinic with two exam types."""
    return by_the_clock(visits_of(clinic(), 8, 3), 3)


@pytest.fixture(scope="module")
def fitted(record: Visits) -> Fitted:
    """The clinic, fitted."""
    return fit(record, QUICK)


def of(fitted: Fitted, path: str) -> Estimate:
    """The estimate of a field."""
    return next(one for one in fitted.estimates if one.path == path)


def written(record: Visits, fitted: Fitted, folder: Path) -> Path:
    """The lab's file, with its bootstrap beside it."""
    path = folder / "my_lab.yaml"
    path.write_text(lab_text(record, fitted, TODAY, "echo-lab calibrate week.xlsx"))
    path.with_suffix(".uncertainty.json").write_text(uncertainty_text(fitted))
    return path


@pytest.mark.skipif(not WEEK.is_file(), reason="the hospital's spreadsheet is not here")
def test_the_papers_week_keeps_its_numbers() -> None:
    """Rates and laws are those of the earlier calibration; lead, preparation and early begins come with them."""
    fitted = fit(read_visits(WEEK), QUICK)
    assert (fitted.no_show.count, fitted.no_show.of) == (14, 111)
    assert len(fitted.laws["exam"].sample) == 76
    law, arrival = fitted.config.plan.types[0].exam, fitted.config.arrival
    assert (law.shape, law.mean_min, law.shortest_min, law.longest_min) == (6.907, 49.21, 10, 150)
    assert (arrival.late_share, arrival.late_mean_min, arrival.early_mean_min) == (0.5957, 18.28, 25.05)
    types, staff = fitted.config.exam_types, fitted.config.staff_groups
    assert [len(kind.appointments) for kind in types.values()] == [7, 18]
    assert [kind.check_in_lead_min for kind in types.values()] == [15, 15]
    assert not any(kind.may_begin_early for kind in types.values())
    preparation = of(fitted, "exam_types.non_fetal.preparation.minutes")
    assert preparation.low <= 10 <= preparation.high
    assert [(group.count, group.lunch.minutes) for group in staff.values() if group.lunch] == [(4, 30), (2, 30)]
    assert fitted.sources["lunch"].startswith("'a 30 minute break'")
    assert [group.count for group in fitted.config.room_groups.values()] == [1, 6]


def test_each_number_has_its_interval_and_its_source(fitted: Fitted) -> None:
    """Every estimate lies in its interval, names its rows, and says where it comes from."""
    assert {"arrival.no_show_rate", "exam.mean_min", "exam_types.scan.check_in_lead_min"} <= {
        one.path for one in fitted.estimates
    }
    for one in fitted.estimates:
        assert math.isnan(one.low) or one.low <= one.value <= one.high, one
        assert one.source
        assert one.rows > 0 or math.isnan(one.low), one


def test_rooms_and_staff_are_those_seen(fitted: Fitted) -> None:
    """Without notes, groups are what rooms and initials were seen to do."""
    can = {group.exam_types: group.count for group in fitted.config.room_groups.values()}
    assert sum(can.values()) == 3
    assert can[("scan",)] == 2
    assert sum(group.count for group in fitted.config.staff_groups.values()) == 4
    assert fitted.sources["room_groups"].startswith("seen: rooms by the exam types seen there")


def test_without_rooms_and_initials_there_are_as_many_as_exams_at_once(record: Visits) -> None:
    """The base lab's rooms and staff are not another hospital's with other exam types."""
    table = record.table.assign(room="", staff="")
    points = fit_points(dataclasses.replace(record, table=table), QUICK)
    begin, end = table["begin"].dropna().astype(int), table["end"].dropna().astype(int)
    days = table.loc[begin.index, "day"]
    most = max(
        ((begin <= minute) & (minute < end) & (days == day)).sum() for day, minute in zip(days, begin, strict=True)
    )
    assert [group.count for group in points.config.room_groups.values()] == [most]
    assert f"{most}" in points.frame.sources["staff_groups"]


def test_the_file_is_the_lab(record: Visits, fitted: Fitted, tmp_path: Path) -> None:
    """The written file loads as the fitted lab, and says where it comes from."""
    path = written(record, fitted, tmp_path)
    assert load_lab(path) == fitted.config
    text = path.read_text()
    assert text.startswith(FIRST_LINE)
    for said in ("2026-11-24", "echo-lab calibrate week.xlsx", "exam.mean_min: mean of exams (min)", "8 days"):
        assert said in text
    check_own(path)


def test_bootstrap_labs_have_the_values_of_the_samples(record: Visits, fitted: Fitted, tmp_path: Path) -> None:
    """Labs of the bootstrap differ from the file in the fitted fields only; an edited field stays as it is."""
    path = written(record, fitted, tmp_path)
    found = bootstrap_labs(path, 3)
    assert found.held == ()
    assert found.labs == tuple(fitted.lab(number) for number in range(3))
    mean = fitted.config.exam.mean_min
    path.write_text(path.read_text().replace(f"mean_min: {mean}", "mean_min: 77.0"))
    edited = bootstrap_labs(path, 3)
    assert edited.held == ("exam.mean_min",)
    assert [lab.exam.mean_min for lab in edited.labs] == [77.0] * 3
    assert [lab.exam.shape for lab in edited.labs] == [sample["exam.shape"] for sample in fitted.bootstrap[:3]]


def test_offsets_of_the_bootstrap_are_drawn_again(record: Visits) -> None:
    """With empirical arrivals, each sample has offsets of its own."""
    found = fit(record, dataclasses.replace(QUICK, arrival="empirical"))
    assert found.config.arrival.model == "empirical"
    offsets = {found.lab(number).arrival.offsets_min for number in range(5)}
    assert len(offsets) == 5
    assert all(set(own or ()) <= set(found.config.arrival.offsets_min or ()) for own in offsets)


@pytest.mark.parametrize("name", ["by_type", "by_kind"])
def test_types_can_have_laws_of_their_own(record: Visits, name: str) -> None:
    """``by_type``, or ``by_kind`` as it was called, gives each exam type its own distribution."""
    points = fit_points(record, dataclasses.replace(QUICK, exams=name))
    types = points.config.exam_types
    assert types["stress_test"].exam.mean_min > types["scan"].exam.mean_min + 5
    assert "exam_types.scan.exam.mean_min" in points.values


def test_weekdays_have_books_of_their_own(record: Visits, tmp_path: Path) -> None:
    """Where each weekday was recorded twice and their books differ, the file has a lab for each."""
    table = record.table.copy()
    days = [f"2026-03-{day:02d}" for day in (2, 3, 4, 5, 9, 10, 11, 12)]
    table["day"] = table["day"].map(dict(zip(record.days, days, strict=True)))
    monday = table["day"].isin(["2026-03-02", "2026-03-09"])
    rare = monday & (table["type"] == "stress_test") & (table["scheduled"] > 600)
    visits = dataclasses.replace(record, table=table[~rare].reset_index(drop=True))
    found = fit(visits, QUICK)
    assert list(found.weekdays) == ["monday", "tuesday", "wednesday", "thursday"]
    path = written(visits, found, tmp_path)
    for weekday, lab in found.weekdays.items():
        assert load_lab(f"{path}#{weekday}") == lab
    counts = {weekday: len(lab.exam_types["stress_test"].appointments) for weekday, lab in found.weekdays.items()}
    assert counts["monday"] < counts["tuesday"] == 7
    assert len(bootstrap_labs(f"{path}#monday", 2).labs[0].exam_types["stress_test"].appointments) == counts["monday"]
    assert not fit_points(visits, dataclasses.replace(QUICK, day="2026-03-03")).frame.weekdays


def test_a_day_can_be_chosen(record: Visits) -> None:
    """``day`` takes the appointments of one day, and refuses a day that is none."""
    day = record.days[2]
    own = record.table[(record.table["day"] == day) & (record.table["booked"] == "yes")]
    points = fit_points(record, dataclasses.replace(QUICK, day=day))
    times = points.config.exam_types["scan"].appointments
    assert len(times) == int((own["type"] == "scan").sum())
    with pytest.raises(ValueError, match="day is 'Sunday', but must be a day with appointments: 2026-03-02"):
        fit_points(record, dataclasses.replace(QUICK, day="Sunday"))


def test_too_few_rows_are_refused(record: Visits) -> None:
    """A law takes ten rows, and the message counts those there are."""
    few = dataclasses.replace(record, table=record.table.head(6))
    with pytest.raises(FitError, match=r"has \d usable exams with begin and end, but a fit takes at least 10"):
        fit(few, QUICK)


def test_without_check_ins_arrivals_are_the_bases(record: Visits) -> None:
    """What is not recorded is the base lab's, and is named."""
    unknown = pd.Series(pd.NA, record.table.index, dtype="Int64")
    table = record.table.assign(actual=unknown, expected=unknown, offset_min=unknown)
    found = fit(dataclasses.replace(record, table=table), QUICK)
    assert found.config.arrival.late_mean_min == load_lab("baseline").plan.types[0].arrival.late_mean_min
    assert "check-ins are not recorded; as in baseline" in found.sources["arrival"]
    preparation = of(found, "exam_types.scan.preparation.minutes")
    assert math.isnan(preparation.low)
    assert preparation.source.startswith("not identified")


def test_without_an_expected_check_in_lateness_counts_from_the_appointment(record: Visits) -> None:
    """The lead is 0, and offsets are check-in minus appointment."""
    unknown = pd.Series(pd.NA, record.table.index, dtype="Int64")
    points = fit_points(dataclasses.replace(record, table=record.table.assign(expected=unknown)), QUICK)
    assert points.config.exam_types["scan"].check_in_lead_min == 0
    offsets = (record.table["actual"] - record.table["scheduled"])[record.table["begin"].notna()]
    assert set(offsets.dropna()) <= set(points.config.arrival.offsets_min or ())


def test_recorded_preparations_give_a_law(record: Visits) -> None:
    """Where nearly all exams have a preparation before them, its distribution is that of the record."""
    own = by_the_clock(visits_of(clinic(), 8, 3, vitals=True), 3)
    found = fit(own, QUICK)
    preparation = found.config.exam_types["scan"].preparation
    assert preparation is not None
    assert preparation.minutes is None
    mean = of(found, "exam_types.scan.preparation.mean_min")
    assert mean.low <= 12.5 <= mean.high + 0.5


def test_preparation_is_the_nearest_replay() -> None:
    """Exact begins give exact minutes; where several minutes are about as near, mean waits decide."""
    minutes = tuple(range(6))
    exact = np.array([[-3, -2, -1, 0, 1, 2]] * 12, dtype=float)
    assert nearest_minutes(exact, minutes) == 3
    noise = np.array([[-9.0, -8, -7, -6, -5, -4], [0, 0, 0, 0, 1, 2], [0, 0, 0, 0, 0, 1]])
    assert nearest_minutes(noise, minutes) >= 3


def test_no_gap_is_shorter_than_the_turnover() -> None:
    """The turnover lies below the shortest gaps, by as much as they leave open."""
    gaps = [8, 8, 9, 9, 10, 11, 12, 14, 15, 16, 18, 20, 25, 30, 40, 50, 55, 60, 61, 62, 70, 80]
    begins = np.cumsum([480, *(gap + 30 for gap in gaps)])
    table = pd.DataFrame({"day": "2026-03-02", "room": "1", "begin": begins, "end": begins + 30})
    found = turnover_of(table.astype({"begin": "Int64", "end": "Int64"}))
    assert found is not None
    estimate = found.estimate("rooms")
    assert estimate.low <= 7 <= estimate.value <= 8 <= estimate.high + 1
    assert turnover_of(table.head(10)) is None


def test_notes_tell_lunch_from_breaks() -> None:
    """A single longer break beside others is lunch."""
    noted = resources_noted({"Info": (("A1", "a 30 minute break and two 15 minute breaks, 6 sonographers"),)})
    assert {name: one.value for name, one in noted.items()} == {
        "staff": 6, "lunch.minutes": 30, "breaks.number": 2, "breaks.minutes": 15,
    }  # fmt: skip


def test_the_bootstrap_says_what_it_resamples() -> None:
    """Whole days from 30 days on, visits below."""
    for days, said in ((30, "days, 30 of them"), (4, "visits, because 4 recorded days")):
        assert fit(visits_of(clinic(), days, 1), QUICK).resampled.startswith(said)


def test_a_workbook_of_a_lab_reads_as_its_record(tmp_path: Path) -> None:
    """What is written of simulated days comes back from the reader, and gives the same lab."""
    config = next(lab for lab in map(random_hospital, range(20)) if list(lab.exam_types) == ["fetal", "non_fetal"])
    config = config.replace(
        exam_types={name: dataclasses.replace(kind, unscheduled={}) for name, kind in config.exam_types.items()}
    )
    record = by_the_clock(visits_of(config, 5, 1), 1)
    read = read_visits(write_lab_workbook(tmp_path / "lab.xlsx", record))
    for column in ("type", "expected", "actual", "scheduled", "begin", "end", "exam_min"):
        pd.testing.assert_series_equal(read.table[column], record.table[column], check_names=False, check_dtype=False)
    own, other = (fit_points(one, Choices(name="lab", resamples=20)).config for one in (record, read))
    assert own == other


def test_somebody_who_comes_on_the_hour_of_closing_is_let_in(record: Visits) -> None:
    """The lab closes after the hour in which anybody has come without an appointment."""
    table = record.table.copy()
    table["unscheduled"] = True
    table["booked"] = "no"
    last = table["actual"].idxmax()
    table.loc[last, "actual"] = 17 * 60
    table.loc[last, ["begin", "end", "exam_min"]] = [17 * 60 + 5, 17 * 60 + 25, 20]
    config = fit_points(dataclasses.replace(record, table=table), QUICK).config
    assert config.hours.opening_min + config.hours.closing_min == 17 * 60 + 30
