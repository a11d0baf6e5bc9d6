"""From a record to a lab that is checked and validated, one stage after the other."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hospital_sheets import NOTES, made_up_visits
from lab_weeks import by_the_clock, write_lab_workbook
from random_hospitals import random_hospital
from simulated_visits import visits_of

from echo_env.lab import ConfigError, evaluate, load_lab
from echo_env.lab.calibration import Calibration, Choices, FitError, RefusedError, calibrate
from echo_env.lab.calibration.calibration import refit_with
from echo_env.lab.calibration.fitting.lab_file import EARLIER_FIRST_LINES, check_own, lab_text

Write = Callable[..., Path]

TODAY = dt.date(2026, 11, 24)
QUICK = Choices(resamples=20)
CLINIC = Choices(resamples=20, name="clinic")


@pytest.fixture(scope="module")
def found(made_up_week: Path) -> Calibration:
    """The synthetic week, fitted."""
    return calibrate(made_up_week, Choices(resamples=20, name="week"), days=0)


def written(found: Calibration, folder: Path) -> Path:
    """Write the lab's file."""
    path = folder / "my_lab.yaml"
    path.write_text(lab_text(found.visits, found.fitted, TODAY, "echo-lab calibrate week.xlsx"))
    return path


def test_the_lab_is_what_the_sheets_say(found: Calibration) -> None:
    """Every section of the lab has the values of the record, or of the base where the record has none."""
    config, base = found.fitted.config, load_lab("baseline")
    assert (found.fitted.no_show.count, found.fitted.no_show.of) == (12, 96)
    assert config.arrival.no_show_rate == 0.125
    assert config.name == "week"
    assert [(group.count, group.exam_types) for group in config.room_groups.values()] == [
        (1, None),
        (6, ("non_fetal",)),
    ]
    assert [group.count for group in config.staff_groups.values()] == [4, 2]
    fetal, non_fetal = config.exam_types["fetal"], config.exam_types["non_fetal"]
    assert (len(fetal.appointments), len(non_fetal.appointments)) == (8, 24)
    assert (fetal.check_in_lead_min, fetal.may_begin_early) == (15, False)
    assert (config.penalty.idle_rule, config.hours) == (base.penalty.idle_rule, base.hours)
    assert found.fitted.sources["room_groups"].startswith("'6 regular echo rooms' (General Info!A1)")
    assert config.arrival.model == "exponential"
    assert config.arrival.offsets_min == tuple(sorted(found.visits.table["offset_min"].dropna()))
    assert (config.exam.shortest_min, config.exam.longest_min) == (20, 150)


def test_the_lab_can_be_played_on_both_engines(found: Calibration, tmp_path: Path) -> None:
    """A fitted lab runs on both engines with equal results, whichever law of arrivals its file names."""
    pytest.importorskip("numba")
    path = written(found, tmp_path)
    text = path.read_text()
    for model in ("exponential", "empirical"):
        path.write_text(text.replace("  model: exponential\n", f"  model: {model}\n"))
        config = load_lab(path)
        assert config.plan.types[0].arrival.model == model
        one, other = (evaluate(config, ["policy_2", "scarce_first"], 10, 7, engine=e) for e in ("simpy", "compiled"))
        np.testing.assert_array_equal(one.values["scarce_first"]["penalty"], other.values["scarce_first"]["penalty"])


def test_line_breaks_in_notes_stay_in_comments(write_sheets: Write, tmp_path: Path) -> None:
    """Line breaks quoted from the notes do not leave the comments of the file."""
    notes = ["6 regular\necho rooms", "1 fetal echo room"]
    found = calibrate(write_sheets({"Monday (Nov 27)": made_up_visits(32, 1)}, notes=notes), QUICK, days=0)
    assert found.fitted.config.room_groups["non_fetal"].count == 6
    assert load_lab(written(found, tmp_path)) == found.fitted.config


def test_hours_are_widened_to_hold_the_record(write_sheets: Write) -> None:
    """Opening hours are widened to include every appointment."""
    rows = made_up_visits(32, 1)
    rows[1] |= {"expected": "07:15", "scheduled": "07:30", "actual": "07:15", "echo_in": "07:40", "echo_out": "08:10"}
    rows[2] |= {"expected": "17:45", "scheduled": "18:00", "actual": "17:45", "echo_in": "18:05", "echo_out": "18:50"}
    found = calibrate(write_sheets({"Monday (Nov 27)": rows}), QUICK, days=0)
    hours = found.fitted.config.hours
    assert hours.clock(0) == "07:00"
    assert hours.closing_min + hours.opening_min >= 18 * 60
    assert found.fitted.config.exam_types["non_fetal"].appointments[0] == 30
    assert "widened" in found.fitted.sources["hours"]


def test_what_the_record_does_not_tell_is_the_bases(made_up_week: Path) -> None:
    """Sections that the record does not determine are the base lab's, by its name."""
    found = calibrate(made_up_week, Choices(base="authors_code", name="ours", resamples=20), days=0)
    assert (found.fitted.config.penalty.idle_rule, found.fitted.config.name) == ("while_waiting", "ours")
    assert found.fitted.sources["penalty"] == "as in authors_code"


def test_a_lab_that_cannot_serve_its_fetal_patients_is_refused(write_sheets: Write) -> None:
    """A lab without a room for its fetal patients is refused."""
    path = write_sheets(
        {"Monday (Nov 27)": made_up_visits(32, 1)}, notes=["6 regular echo rooms", "0 fetal echo rooms"]
    )
    with pytest.raises(ConfigError, match="fetal could never be examined"):
        calibrate(path, QUICK)


def test_too_few_rows_are_refused(write_sheets: Write) -> None:
    """Too few usable rows are refused with their number."""
    with pytest.raises(FitError, match=r"hospital.xlsx has 7 usable exams .* but a fit takes at least 10"):
        calibrate(write_sheets({"Monday (Nov 27)": made_up_visits(8, 1)}), QUICK)


def test_a_lab_against_its_record_is_refused_unless_accepted(write_sheets: Write) -> None:
    """More rooms in use than the notes have are refused by the name of the check, and kept where they are accepted."""
    notes = ["2 regular echo rooms", "1 fetal echo room", *NOTES[2:]]
    path = write_sheets({"Monday (Nov 27)": made_up_visits(32, 1)}, notes=notes)
    with pytest.raises(
        RefusedError, match=r"more rooms than the lab has.* Correct the record, or go on with --accept rooms_seen$"
    ):
        calibrate(path, QUICK, days=0)
    found = calibrate(path, QUICK, accept=["rooms_seen"], days=0)
    assert [finding.check for finding in found.findings] == ["rooms_seen"]
    with pytest.raises(ValueError, match="--accept is 'rooms'"):
        calibrate(path, QUICK, accept=["rooms"])


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"arrival": "normal"}, "arrival is 'normal', but must be one of exponential, empirical"),
        ({"exams": "each"}, "exams is 'each', but must be one of pooled, by_type"),
        ({"seed": -1}, "seed is -1, but must be a whole number of at least 0"),
        ({"resamples": 3}, "resamples is 3, but must be a whole number of at least 20"),
    ],
)
def test_invalid_options_are_refused(choice: dict[str, str], message: str) -> None:
    """Invalid options are refused, naming field, value and what is allowed."""
    with pytest.raises(ValueError, match=message):
        Choices(**choice)  # type: ignore[arg-type]


def test_only_earlier_calibrations_are_overwritten(found: Calibration, tmp_path: Path) -> None:
    """Only earlier calibrations are overwritten, those of earlier versions included."""
    check_own(written(found, tmp_path))
    check_own(tmp_path / "new.yaml")
    (tmp_path / "earlier.yaml").write_text(f"{EARLIER_FIRST_LINES[0]}\nbase: baseline\n")
    check_own(tmp_path / "earlier.yaml")
    by_hand = tmp_path / "by_hand.yaml"
    by_hand.write_text("base: baseline\n")
    with pytest.raises(FileExistsError, match=r"by_hand\.yaml is in the way"):
        check_own(by_hand)
    with pytest.raises(FileExistsError, match="because it is a folder"):
        check_own(tmp_path)
    with pytest.raises(ValueError, match="baseline is the name of a preset"):
        check_own("baseline")


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five days of a simulated lab in the paper's format."""
    record = by_the_clock(visits_of(random_hospital(0), 5, 1), 1)
    return write_lab_workbook(tmp_path_factory.mktemp("record") / "clinic.xlsx", record)


def test_a_sound_record_becomes_a_lab(workbook: Path) -> None:
    """Each stage hands on its record; without a base of another hospital, no finding is left."""
    found = calibrate(workbook, CLINIC, days=0)
    assert found.visits.name == "clinic.xlsx"
    assert found.findings == ()
    assert found.fitted.config.name == "clinic"
    assert found.validation is None


def test_a_part_of_a_record_can_be_fitted_again(workbook: Path) -> None:
    """A day that was chosen for the book may be the one that is left out."""
    found = calibrate(workbook, CLINIC, days=0)
    day = found.visits.days[0]
    rest = found.visits.table[found.visits.table["day"] != day].reset_index(drop=True)
    refit = refit_with(dataclasses.replace(CLINIC, day=day))
    assert refit(dataclasses.replace(found.visits, table=rest)).name == "clinic"
