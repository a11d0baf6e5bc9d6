"""Sentences, tables, figures and files of a calibration; and the real week, whose numbers are known."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("rich")

from hospital_sheets import WEEK
from rich.console import Console

from echo_env.common.files import files_in
from echo_env.lab.calibration import Calibration, Choices, calibrate
from echo_env.lab.calibration.fitting.laws.maximum_likelihood import exam_law
from echo_env.lab.calibration.report import plots
from echo_env.lab.calibration.report.folder import file_names, print_summary, write_report
from echo_env.lab.calibration.report.paper import compared
from echo_env.lab.calibration.report.rows import estimate_rows, tables
from echo_env.lab.calibration.report.words import not_identified, sentences
from echo_env.lab.config import ExamLaw, LabConfig
from echo_env.lab.day.laws import offset_probability
from echo_env.lab.plots.style import Look

PAPER = LabConfig.load("baseline")
TODAY = dt.date(2026, 11, 24)
LOOKS = {"fetal": Look("C0", "", "-", "o"), "non_fetal": Look("C1", "", "--", "s")}


@pytest.fixture(scope="module")
def found(made_up_week: Path) -> Calibration:
    """The synthetic week, fitted and validated."""
    return calibrate(made_up_week, Choices(resamples=20, name="week"), days=200)


@pytest.fixture(scope="module")
def week() -> Calibration:
    """The real week, fitted; its data does not ship with the package."""
    if not WEEK.is_file():
        pytest.skip(f"{WEEK.name} is not at hand")
    return calibrate(WEEK, Choices(resamples=200), accept=["rooms_seen", "staff_seen"], days=200)


class TestTheRealWeek:
    """Reference values computed independently of this code."""

    def test_patients(self, week: Calibration) -> None:
        """All visits are read once, on the right dates."""
        table = week.visits.table
        assert table.groupby("sheet", sort=False).size().tolist() == [38, 34, 41, 40, 31]
        assert week.visits.days == tuple(f"2023-{day}" for day in ("11-27", "11-28", "11-29", "11-30", "12-01"))
        assert table["patient"].is_unique

    def test_no_shows(self, week: Calibration) -> None:
        """The no-show rate is that of patients with a scheduled echo."""
        no_show = week.fitted.no_show
        assert (no_show.count, no_show.of) == (14, 111)
        assert no_show.share == pytest.approx(0.126, abs=5e-4)
        assert week.fitted.config.arrival.no_show_rate == 0.1261

    def test_exams(self, week: Calibration) -> None:
        """Number, mean, spread and fits of exam lengths equal the reference values."""
        laws = week.fitted.laws
        minutes = laws["exam"].sample
        assert (len(minutes), minutes.mean(), minutes.std(ddof=1)) == pytest.approx((76, 49.2, 19.6), abs=0.05)
        plain = exam_law(minutes, 0.0, 1440.0)
        assert (plain.shape, plain.mean_min / plain.shape) == pytest.approx((6.98, 7.06), abs=0.01)
        assert (laws["exam"].law.shape, laws["exam"].law.mean_min) == pytest.approx((6.9, 49.2), abs=0.05)
        fetal, others = laws["exam_fetal"].sample, laws["exam_non_fetal"].sample
        assert (len(fetal), len(others)) == (18, 58)
        assert (fetal.mean(), others.mean()) == pytest.approx((55.8, 47.2), abs=0.05)

    def test_odd_cells(self, week: Calibration) -> None:
        """Every known irregular cell is logged under its rule."""
        log = week.visits.log.to_pandas()
        rules = {
            (sheet[:3], cell): rule for sheet, cell, rule in zip(log["sheet"], log["cell"], log["rule"], strict=True)
        }
        for where, rule in {
            ("Mon", "G1"): "header_spelling", ("Wed", "O1"): "header_repeated", ("Fri", "B1"): "header_variant",
            ("Mon", "G2"): "mark_not_done", ("Mon", "G3"): "exam_before_check_in", ("Mon", "Z8"): "two_times",
            ("Mon", "V11"): "two_spells", ("Tue", "I6"): "outside_hours", ("Tue", "J6"): "outside_hours",
            ("Tue", "I30"): "mark_p", ("Wed", "K6"): "formula_error", ("Wed", "H18"): "one_column_left",
            ("Wed", "M17"): "blank", ("Thu", "S15"): "two_people", ("Thu", "O36"): "out_missing",
            ("Thu", "N41"): "blank", ("Thu", "F19"): "check_in_long_before_exam", ("Fri", "O22"): "out_missing",
        }.items():  # fmt: skip
            assert rules[where] == rule, where
        counts = week.visits.log.counts()
        assert (counts["exam_before_check_in"], counts["out_missing"], counts["one_column_left"]) == (3, 4, 15)

    def test_resources_and_appointments(self, week: Calibration) -> None:
        """Resources and appointment book are the hospital's, its check-in and its lunch among them."""
        config = week.fitted.config
        assert [group.count for group in config.room_groups.values()] == [1, 6]
        assert [group.count for group in config.staff_groups.values()] == [4, 2]
        for group in config.staff_groups.values():
            assert (group.breaks.number, group.breaks.minutes, group.lunch.minutes) == (2, 15, 30)
        fetal = config.exam_types["fetal"]
        times = [config.hours.clock(minute) for minute in fetal.appointments]
        assert times == ["08:30", "09:30", "10:30", "11:30", "12:30", "13:30", "14:30"]
        assert (fetal.check_in_lead_min, fetal.may_begin_early) == (15, False)
        assert week.fitted.book.appointments == 25
        assert week.fitted.book.incomplete == ("2023-11-29",)

    def test_the_lab_waits_as_the_week_does(self, week: Calibration) -> None:
        """Played again, patients wait within 3 minutes of the 18.0 seen, and begins correlate by .6 at least."""
        assert week.validation is not None
        every = week.validation.fits[0].every
        assert every.seen_wait == pytest.approx(18.0, abs=0.05)
        assert abs(every.simulated_wait - every.seen_wait) < 3
        assert every.correlation >= 0.6
        text = "\n".join(sentences(week))
        assert "Do not use it for how many rooms and staff are needed" in text
        assert "patients are asked to come 5 minutes later, -" in text

    def test_the_paper_stands_beside_its_own_week(self, week: Calibration) -> None:
        """The report names every value of the paper that the record contradicts."""
        agrees = {path.rpartition(".")[2]: one.agrees for path, one in compared(week.fitted).items()}
        assert agrees["no_show_rate"]
        assert not any(agrees[name] for name in ("late_share", "late_mean_min", "early_mean_min", "shape"))
        text = "\n".join(sentences(week))
        assert "The record contradicts the paper's share on the late side 0.8" in text
        assert estimate_rows(week).heads[-2:] == ("the paper", "agrees")


def test_no_other_record_is_held_against_the_paper(found: Calibration, tmp_path: Path) -> None:
    """The report of another hospital does not mention the paper."""
    write_report(tmp_path, found, TODAY, "the command")
    for name in ("report.md", "validation.md"):
        assert "paper" not in (tmp_path / name).read_text()
    assert len(estimate_rows(found).heads) == 4


def test_tables_by_hand(found: Calibration) -> None:
    """No-shows, rooms and staff are counted from the rows."""
    by_title = {rows.title: {row[0]: row[1:] for row in rows.rows} for rows in tables(found)}
    assert by_title["no-shows"]["fetal"][:2] == ("24", "0")
    assert by_title["no-shows"]["non_fetal"][:2] == ("72", "12")
    assert by_title["appointments"]["lab"] == ("8", "24", "")
    rooms = by_title["exams by room"]
    assert rooms["14"] == ("24", "0")
    assert sum(int(row[1]) for row in rooms.values()) == 60
    assert by_title["exams by member of staff"]["S14"] == ("24", "0")


def test_two_people_at_an_exam_count_each(found: Calibration) -> None:
    """An exam with two sets of initials is one of each."""
    table = found.visits.table.assign(staff="AB / CD")
    named = dataclasses.replace(found, visits=dataclasses.replace(found.visits, table=table))
    staff = tables(named)[-1]
    assert {row[0]: row[1:] for row in staff.rows} == {"AB": ("24", "60"), "CD": ("24", "60")}


def test_the_folder_is_complete(found: Calibration, tmp_path: Path) -> None:
    """The folder holds all files that a report is said to have, and no others."""
    write_report(tmp_path, found, TODAY, "the command")
    assert files_in(tmp_path) == file_names()


def test_cells_of_the_spreadsheet_are_no_formulas(found: Calibration, tmp_path: Path) -> None:
    """Text from the hospital's sheets that a spreadsheet would run is escaped."""
    visits = dataclasses.replace(found.visits, table=found.visits.table.assign(sheet="=cmd()"))
    write_report(tmp_path, dataclasses.replace(found, visits=visits), TODAY, "the command")
    with open(tmp_path / "patients.csv", encoding="utf8", newline="") as file:
        assert {row["sheet"] for row in csv.DictReader(file)} == {"'=cmd()"}


def test_what_the_files_hold(found: Calibration, tmp_path: Path) -> None:
    """The files of the report hold the calibration's numbers."""
    write_report(tmp_path, found, TODAY, "the command")
    with open(tmp_path / "patients.csv", encoding="utf8", newline="") as file:
        patients = list(csv.DictReader(file))
    assert len(patients) == 96
    assert (patients[0]["expected"], patients[0]["type"], patients[7]["actual"]) == ("08:00", "fetal", "")
    with open(tmp_path / "cells.csv", encoding="utf8", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(found.visits.log)
    numbers = json.loads((tmp_path / "calibration.json").read_text())
    assert numbers["sha256"] == found.visits.sha256
    assert numbers["lab"]["arrival"]["no_show_rate"] == 0.125
    assert {one["path"] for one in numbers["estimates"]} >= {"arrival.no_show_rate", "exam.mean_min"}
    report = (tmp_path / "report.md").read_text()
    for expected in ("- date: 2026-11-24", "- command: the command", "12.5 %", "| mark_not_done | dropped | 36 |"):
        assert expected in report
    assert "(appointments.png)" in report


def test_what_is_not_told_is_said(found: Calibration) -> None:
    """Every section that the record does not determine is named with its source."""
    text = "\n".join(not_identified(found.fitted))
    assert "penalty: as in baseline." in text


def test_the_summary_is_printed(found: Calibration) -> None:
    """The summary shows the number of visits, the estimates and the verdict, in 100 columns."""
    out = io.StringIO()
    print_summary(found, Console(file=out, width=100))
    text = out.getvalue()
    assert "week.xlsx: 96 visits" in text
    assert "0.125" in text
    assert "Good enough for how long patients wait" in text
    assert max(map(len, text.splitlines())) <= 100


class TestFigures:
    """The data of the artists."""

    def test_arrivals(self) -> None:
        """Bars and lines cover the bins of their minutes."""
        offsets, law = np.array([-7, 0, 1, 5, 6, 20]), dataclasses.replace(PAPER.arrival, late_share=0.5)
        ax = plots.fitted_arrivals(offsets, law)
        bars = ax.patches[0].get_data()
        height = dict(zip(bars.edges[:-1].tolist(), bars.values.tolist(), strict=True))
        # 0 lies in (-5, 0], 1 and 5 in (0, 5], 6 in (5, 10].
        assert [round(height[edge] * 6 / 100) for edge in (-10, -5, 0, 5, 15)] == [1, 1, 2, 1, 1]
        x, y = ax.lines[0].get_data()
        expected = 100 * (offset_probability(law, 5) - offset_probability(law, 0))
        assert y[np.flatnonzero(x == 2.5)[0]] == pytest.approx(float(expected))

    def test_exams(self) -> None:
        """Bars sum to 100 % and start half a minute before their first minute."""
        minutes = np.array([28, 30, 34, 60])
        ax = plots.fitted_exams(minutes, PAPER.exam)
        bars = ax.patches[0].get_data()
        assert bars.values.sum() == pytest.approx(100)
        assert bars.values[np.flatnonzero(bars.edges == 29.5)[0]] == pytest.approx(50)
        law = ExamLaw(12.0, 45.0, 20.0, 150.0)
        by_type = plots.fitted_exams_by_type({"fetal": minutes, "non_fetal": minutes[:0]}, {"fetal": law}, law, LOOKS)
        assert [line.get_label() for line in by_type.lines] == [
            "fetal: recorded (4), mean 38.0 minutes", "fetal: fitted", "all types: fitted"
        ]  # fmt: skip
        x, y = by_type.lines[0].get_data()
        assert y[np.flatnonzero(x == 30)[0]] == pytest.approx(50)

    def test_appointments(self) -> None:
        """Markers lie at the times of the appointments, sized by their number."""
        days = {"Monday": {"fetal": np.array([495]), "non_fetal": np.array([480, 480, 500])}}
        ax = plots.fitted_appointments(days, PAPER.hours, LOOKS)
        fetal, others = (mark.get_offsets()[:, 0].tolist() for mark in ax.collections)
        assert (fetal, others) == ([15], [0, 20])
        sizes = ax.collections[1].get_sizes()
        assert sizes[0] == 2 * sizes[1]
        assert ax.get_yticklabels()[0].get_text() == "Monday (4)"
