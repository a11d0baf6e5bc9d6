"""Findings, figures and files of a calibration; and the real week, whose numbers are known."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("rich")

from hospital_sheets import WEEK
from rich.console import Console

from echo_env.common.files import files_in
from echo_env.lab.calibration import Calibration, Choices, calibrate, plots
from echo_env.lab.calibration.findings import (
    arrival_sensitivity,
    class_shares,
    compared,
    findings,
    no_shows,
    rooms_used,
    staff_used,
    warnings_of,
)
from echo_env.lab.calibration.fitting.laws.maximum_likelihood import exam_law
from echo_env.lab.calibration.report import FIGURES, file_names, print_summary, write_report
from echo_env.lab.config import ExamLaw, LabConfig
from echo_env.lab.day.laws import offset_probability

Write = Callable[..., Path]

PAPER = LabConfig.load("baseline")
TODAY = dt.date(2026, 11, 24)


@pytest.fixture(scope="module")
def found(made_up_week: Path) -> Calibration:
    """The synthetic week, fitted."""
    return calibrate(made_up_week, Choices(resamples=20))


@pytest.fixture(scope="module")
def week() -> Calibration:
    """The real week, fitted; its data does not ship with the package."""
    if not WEEK.is_file():
        pytest.skip(f"{WEEK.name} is not at hand")
    return calibrate(WEEK, Choices(resamples=200))


class TestTheRealWeek:
    """Reference values computed independently of this code."""

    def test_patients(self, week: Calibration) -> None:
        """All visits are read once, on the right dates."""
        assert week.table.groupby("sheet", sort=False).size().tolist() == [38, 34, 41, 40, 31]
        dates = [f"2023-{day}" for day in ("11-27", "11-28", "11-29", "11-30", "12-01")]
        assert week.table["date"].unique().tolist() == dates
        assert week.table["patient"].is_unique

    def test_no_shows(self, week: Calibration) -> None:
        """The no-show rate is that of patients with a scheduled echo."""
        assert (week.no_show.count, week.no_show.of) == (14, 111)
        assert week.no_show.share == pytest.approx(0.126, abs=5e-4)
        assert week.config.arrival.no_show_rate == 0.1261

    def test_exams(self, week: Calibration) -> None:
        """Number, mean, spread and fits of exam durations equal the reference values."""
        minutes, kinds = week.exam.sample, week.exam_by_kind
        assert (len(minutes), minutes.mean(), minutes.std(ddof=1)) == pytest.approx((76, 49.2, 19.6), abs=0.05)
        plain = exam_law(minutes, 0.0, 1440.0)
        assert (plain.shape, plain.mean_min / plain.shape) == pytest.approx((7.0, 7.1), abs=0.05)
        assert (week.exam.law.shape, week.exam.law.mean_min) == pytest.approx((6.9, 49.2), abs=0.05)
        assert {kind: len(fit.sample) for kind, fit in kinds.items()} == {"fetal": 18, "non-fetal": 58}
        assert kinds["fetal"].sample.mean() == pytest.approx(55.8, abs=0.05)
        assert kinds["non-fetal"].sample.mean() == pytest.approx(47.2, abs=0.05)

    def test_odd_cells(self, week: Calibration) -> None:
        """Every known irregular cell is logged under its rule."""
        log = week.log.to_pandas()
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
        counts = week.log.counts()
        assert (counts["exam_before_check_in"], counts["out_missing"], counts["one_column_left"]) == (3, 4, 15)

    def test_resources_and_appointments(self, week: Calibration) -> None:
        """Resources and appointment book are the hospital's."""
        config = week.config
        assert (config.rooms.fetal, config.rooms.non_fetal) == (1, 6)
        assert (config.sonographers.fetal, config.sonographers.non_fetal) == (4, 2)
        assert (config.breaks.number, config.breaks.minutes) == (2, 15)
        fetal = [config.hours.clock(minute) for minute in config.appointments.fetal]
        assert fetal == ["08:15", "09:15", "10:15", "11:15", "12:15", "13:15", "14:15"]
        assert len(config.appointments) == 25
        assert week.day.incomplete == ("Wednesday (Nov 29)",)

    def test_contradictions_with_the_paper(self, week: Calibration) -> None:
        """The report names every value of the paper that the data contradict."""
        agrees = {row.name: row.agrees for row in compared(week)}
        assert [name for name, yes in agrees.items() if yes] == ["no-show rate", "longest exam (min)"]
        text = "\n".join(findings(week))
        assert "The paper's share on the late side is 0.8; the sheets differ: 0.5957" in text
        assert "The paper's arrival distribution is rejected" in text
        assert "the durations do not differ significantly" in text
        assert "Fetal exams took place in 4 rooms (14, 15, 19, 22), but the lab has 1 for them." in warnings_of(week)


def test_shares_by_hand(found: Calibration) -> None:
    """Shares of early, on-time and late patients equal those counted directly."""
    offsets = found.table["offset_min"].dropna()
    shares = class_shares(found)
    assert shares["late"] == pytest.approx((offsets > 10).mean())
    assert shares["early"] == pytest.approx((offsets < -10).mean())
    assert sum(shares.values()) == pytest.approx(1)


def test_no_shows_by_sheet_and_kind(found: Calibration) -> None:
    """No-shows are counted for each sheet and each kind."""
    table = no_shows(found).set_index("")
    assert table.loc["Monday (Nov 27)", ["scheduled", "no-shows"]].tolist() == [32, 4]
    assert table.loc[["fetal", "non-fetal"], "scheduled"].tolist() == [24, 72]
    assert table.loc[["fetal", "non-fetal"], "no-shows"].tolist() == [0, 12]


def test_rooms_and_staff_in_use(found: Calibration) -> None:
    """Rooms and sonographers in use are counted from the rows."""
    rooms = rooms_used(found)
    assert rooms["room"].tolist() == ["14", "15", "16", "19", "20", "21", "22", "23", "24"]
    assert (rooms["fetal"].tolist(), rooms["non-fetal"].sum()) == ([13, 9, 2, 0, 0, 0, 0, 0, 0], 60)
    assert set(staff_used(found).values()) == {1}
    named = dataclasses.replace(found, table=found.table.assign(sonographer="AB/CD"))
    assert set(staff_used(named).values()) == {2}


def test_arrival_sensitivity(found: Calibration) -> None:
    """The sensitivity analysis uses the rows that each treatment includes."""
    laws = arrival_sensitivity(found)
    assert laws["as fitted"] == (84, found.arrival.law)
    table = found.table.copy()
    table.loc[0, ["offset_min", "scheduled"]] = [None, table.loc[0, "expected"] + 40]
    table.loc[1, "has_echo"] = "no"
    laws = arrival_sensitivity(dataclasses.replace(found, table=table))
    assert [rows for rows, _ in laws.values()] == [83, 83, 82, 84]


def test_the_paper_agrees_with_itself(found: Calibration) -> None:
    """A value agrees exactly if its interval, or for a bound every observation, is consistent with the paper's."""
    rows = {row.name: row for row in compared(found)}
    share = rows["no-show rate"]
    assert share.low < 0.1 < share.high
    assert share.agrees
    assert rows["largest lead (min)"].seen == -found.table["offset_min"].min() == 19
    assert rows["largest lead (min)"].agrees
    assert not rows["gamma shape of exam durations"].agrees
    early = dataclasses.replace(found.arrival, sample=np.array([3, 5]))
    assert compared(dataclasses.replace(found, arrival=early))[-3].seen == 0


def test_the_folder_is_complete(found: Calibration, tmp_path: Path) -> None:
    """The folder holds all files that a report is said to have, and no others."""
    write_report(tmp_path, found, TODAY, "the command")
    names = {"report.md", "calibration.json", "patients.csv", "cells.csv"}
    names |= {f"{name}.{ending}" for name in FIGURES for ending in ("png", "pdf")}
    assert files_in(tmp_path) == names == file_names()


def test_cells_of_the_spreadsheet_are_no_formulas(found: Calibration, tmp_path: Path) -> None:
    """Text from the hospital's sheets that a spreadsheet would run is escaped."""
    table = found.table.assign(sheet="=cmd()")
    write_report(tmp_path, dataclasses.replace(found, table=table), TODAY, "the command")
    with open(tmp_path / "patients.csv", encoding="utf8", newline="") as file:
        assert {row["sheet"] for row in csv.DictReader(file)} == {"'=cmd()"}


def test_what_the_files_hold(found: Calibration, tmp_path: Path) -> None:
    """The files of the report hold the calibration's numbers."""
    write_report(tmp_path, found, TODAY, "the command")
    with open(tmp_path / "patients.csv", encoding="utf8", newline="") as file:
        patients = list(csv.DictReader(file))
    assert len(patients) == 96
    assert (patients[0]["expected"], patients[0]["kind"], patients[7]["actual"]) == ("08:00", "fetal", "")
    with open(tmp_path / "cells.csv", encoding="utf8", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(found.log)
    numbers = json.loads((tmp_path / "calibration.json").read_text())
    assert numbers["sha256"] == found.spreadsheet.sha256
    assert numbers["fits"]["exam"]["law"]["shape"] == found.exam.law.shape
    assert numbers["lab"]["arrival"]["no_show_rate"] == 0.125
    report = (tmp_path / "report.md").read_text()
    for expected in ("- date: 2026-11-24", "- command: the command", "12.5 %", "| mark_not_done | dropped | 36 |"):
        assert expected in report
    assert all(f"({name}.png)" in report for name in FIGURES)
    widths = {line.count("|") for line in report.splitlines() if line.startswith("| as fitted")}
    assert widths == {6}


def test_the_summary_is_printed(found: Calibration) -> None:
    """The summary shows the number of visits and the estimates."""
    out = io.StringIO()
    print_summary(found, Console(file=out, width=100))
    assert "week.xlsx: 96 visits" in out.getvalue()
    assert "0.125" in out.getvalue()


class TestFigures:
    """The data of the artists."""

    def test_arrivals(self) -> None:
        """Bars and lines cover the bins of their minutes."""
        offsets, law = np.array([-7, 0, 1, 5, 6, 20]), dataclasses.replace(PAPER.arrival, late_share=0.5)
        ax = plots.fitted_arrivals(offsets, law, PAPER.arrival)
        bars = ax.patches[0].get_data()
        height = dict(zip(bars.edges[:-1].tolist(), bars.values.tolist(), strict=True))
        # 0 lies in (-5, 0], 1 and 5 in (0, 5], 6 in (5, 10].
        assert [round(height[edge] * 6 / 100) for edge in (-10, -5, 0, 5, 15)] == [1, 1, 2, 1, 1]
        x, y = ax.lines[0].get_data()
        expected = 100 * (offset_probability(law, 5) - offset_probability(law, 0))
        assert y[np.flatnonzero(x == 2.5)[0]] == pytest.approx(float(expected))
        so_far = plots.fitted_arrivals_cumulative(offsets, law, PAPER.arrival)
        x, y = so_far.lines[0].get_data()
        assert y[np.flatnonzero(x == 1)[0]] == pytest.approx(50)

    def test_exams(self) -> None:
        """Bars sum to 100 % and start half a minute before their first minute."""
        minutes = np.array([28, 30, 34, 60])
        ax = plots.fitted_exams(minutes, PAPER.exam, ExamLaw(12.0, 60.0, 20.0, 150.0))
        bars = ax.patches[0].get_data()
        assert bars.values.sum() == pytest.approx(100)
        assert bars.values[np.flatnonzero(bars.edges == 29.5)[0]] == pytest.approx(50)
        by_kind = plots.fitted_exams_by_kind(
            {"fetal": minutes, "non-fetal": minutes[:0]}, {"fetal": PAPER.exam}, PAPER.exam
        )
        assert [line.get_label() for line in by_kind.lines] == [
            "fetal: observed (4), mean 38.0 minutes", "fetal: fitted", "pooled: fitted"
        ]  # fmt: skip
        x, y = by_kind.lines[0].get_data()
        assert y[np.flatnonzero(x == 30)[0]] == pytest.approx(50)

    def test_appointments(self) -> None:
        """Markers lie at the times of the appointments, sized by their number."""
        days = {"Monday": {"fetal": np.array([495]), "non-fetal": np.array([480, 480, 500])}}
        ax = plots.fitted_appointments(days, PAPER.hours)
        fetal, others = (mark.get_offsets()[:, 0].tolist() for mark in ax.collections)
        assert (fetal, others) == ([15], [0, 20])
        sizes = ax.collections[1].get_sizes()
        assert sizes[0] == 2 * sizes[1]
        assert ax.get_yticklabels()[0].get_text() == "Monday (4)"
