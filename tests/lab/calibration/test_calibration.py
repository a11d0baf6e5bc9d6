"""From a spreadsheet to a lab, and the file that the lab is written to."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hospital_sheets import NOTES, made_up_visits

from echo_env.lab import ConfigError, LabConfig, evaluate
from echo_env.lab.calibration import Calibration, Choices, SheetError, calibrate
from echo_env.lab.calibration.lab_file import EARLIER_FIRST_LINES, FIRST_LINE, check_own, lab_text

Write = Callable[..., Path]

TODAY = dt.date(2026, 11, 24)
QUICK = Choices(resamples=20)


@pytest.fixture(scope="module")
def found(made_up_week: Path) -> Calibration:
    """The synthetic week, fitted."""
    return calibrate(made_up_week, QUICK)


def written(found: Calibration, folder: Path) -> Path:
    """Write the lab's file."""
    path = folder / "my_lab.yaml"
    path.write_text(lab_text(found, TODAY, "python -m echo_env.calibrate week.xlsx"))
    return path


def test_the_lab_is_what_the_sheets_say(found: Calibration) -> None:
    """Every section of the lab has the values of the sheets, or of the base where the sheets have none."""
    config, base = found.config, LabConfig.load("baseline")
    assert (found.no_show.count, found.no_show.of) == (12, 96)
    assert config.arrival.no_show_rate == 0.125
    assert config.name == "week"
    assert (config.rooms.fetal, config.rooms.non_fetal) == (1, 6)
    assert (config.sonographers.fetal, config.sonographers.non_fetal) == (4, 2)
    assert len(config.appointments.fetal) == 8
    assert len(config.appointments.non_fetal) == 24
    assert (config.breaks, config.penalty, config.hours) == (base.breaks, base.penalty, base.hours)
    assert found.sources["rooms"].startswith("'6 regular echo rooms' (General Info!A1)")
    assert found.sources["breaks"] == "not stated in the notes; as in baseline"
    assert config.arrival.model == "exponential"
    assert config.arrival.offsets_min == tuple(sorted(found.table["offset_min"].dropna()))
    assert config.exam.fetal is None
    assert (config.exam.shortest_min, config.exam.longest_min) == (20, 150)


@pytest.mark.parametrize("exams", ["pooled", "by_kind"])
@pytest.mark.parametrize("arrival", ["exponential", "empirical"])
def test_the_file_is_the_lab(made_up_week: Path, tmp_path: Path, arrival: str, exams: str) -> None:
    """The written file loads as the fitted config, for each choice of distributions."""
    choices = dataclasses.replace(QUICK, arrival=arrival, exams=exams)
    found = calibrate(made_up_week, choices)
    config = LabConfig.load(written(found, tmp_path))
    assert config == found.config
    assert config.arrival.model == arrival
    assert (config.exam.fetal is None) == (exams == "pooled")


def test_model_in_the_file_selects_the_arrival_distribution(found: Calibration, tmp_path: Path) -> None:
    """Editing ``model`` in the file switches the arrival distribution."""
    path = written(found, tmp_path)
    text = path.read_text()
    path.write_text(text.replace("  model: exponential\n", "  model: empirical\n"))
    assert LabConfig.load(path).arrival.model == "empirical"


def test_the_file_says_where_it_comes_from(found: Calibration, made_up_week: Path, tmp_path: Path) -> None:
    """The file records digest, date, command and the numbers of rows."""
    import hashlib

    text = written(found, tmp_path).read_text()
    assert text.startswith(FIRST_LINE)
    assert hashlib.sha256(made_up_week.read_bytes()).hexdigest() in text
    assert "# date: 2026-11-24\n" in text
    assert "# command: python -m echo_env.calibrate week.xlsx\n" in text
    assert "96 visits on 3 sheets, 96 with a scheduled echo; used: 96 for no-shows, 84 for arrivals, 84 for" in text
    assert all(len(line) <= 120 for line in text.splitlines())


def test_line_breaks_in_notes_stay_in_comments(write_sheets: Write, tmp_path: Path) -> None:
    """Line breaks quoted from the notes do not leave the comments of the file."""
    notes = ["6 regular\necho rooms", "1 fetal echo room"]
    sheets = {"Monday (Nov 27)": made_up_visits(32, 1)}
    found = calibrate(write_sheets(sheets, notes=notes), QUICK)
    assert found.config.rooms.non_fetal == 6
    assert LabConfig.load(written(found, tmp_path)) == found.config


def test_the_lab_can_be_played_on_both_engines(found: Calibration, tmp_path: Path) -> None:
    """A fitted lab runs on both engines with equal results."""
    pytest.importorskip("numba")
    path = written(found, tmp_path)
    for config in (LabConfig.load(path), LabConfig.load(path).replace(arrival__model="empirical")):
        one, other = (evaluate(config, ["policy_2", "fetal_first"], 10, 7, engine=e) for e in ("simpy", "compiled"))
        np.testing.assert_array_equal(one.values["fetal_first"]["penalty"], other.values["fetal_first"]["penalty"])


def test_hours_are_widened_to_hold_the_appointments(write_sheets: Write) -> None:
    """Opening hours are widened to include every appointment."""
    rows = made_up_visits(32, 1)
    rows[1] |= {"expected": "07:15", "scheduled": "07:30", "actual": "07:15", "echo_in": "07:40", "echo_out": "08:10"}
    rows[2] |= {"expected": "17:45", "scheduled": "18:00", "actual": "17:45", "echo_in": "18:05", "echo_out": "18:50"}
    found = calibrate(write_sheets({"Monday (Nov 27)": rows}), QUICK)
    hours = found.config.hours
    assert (hours.clock(0), hours.clock(hours.closing_min), hours.clock(hours.end_min)) == ("07:00", "18:00", "19:00")
    assert found.config.appointments.non_fetal[0] == 15
    assert "widened" in found.sources["hours"]


def test_the_same_seed_gives_the_same_intervals(made_up_week: Path, found: Calibration) -> None:
    """Bootstrap intervals depend on the seed alone."""
    again = calibrate(made_up_week, QUICK)
    assert again.arrival.intervals == found.arrival.intervals
    assert again.exam_by_kind["fetal"].fit == found.exam_by_kind["fetal"].fit
    assert calibrate(made_up_week, Choices(resamples=20, seed=1)).arrival.intervals != found.arrival.intervals


def test_undetermined_sections_are_the_bases(made_up_week: Path, write_sheets: Write) -> None:
    """Sections that the sheets do not determine are the base lab's."""
    found = calibrate(made_up_week, Choices(base="authors_code", name="ours", resamples=20))
    assert (found.config.penalty.idle_rule, found.config.name) == ("while_waiting", "ours")
    bare = calibrate(write_sheets({"Monday (Nov 27)": made_up_visits(32, 1)}), Choices(base="scarce", resamples=20))
    assert (bare.config.rooms.non_fetal, bare.config.sonographers.fetal) == (3, 2)
    assert bare.sources["sonographers"] == "not stated in the notes; as in scarce"


@pytest.mark.parametrize(
    "notes", [["6 regular echo rooms", "0 fetal echo rooms"], ["6 sonographers (only 0 can do fetals)"]]
)
def test_a_lab_that_cannot_serve_its_fetal_patients_is_refused(write_sheets: Write, notes: list[str]) -> None:
    """A lab without resources for its fetal patients is refused."""
    path = write_sheets({"Monday (Nov 27)": made_up_visits(32, 1)}, notes=notes)
    with pytest.raises(ConfigError, match="no fetal patient could ever be examined"):
        calibrate(path, QUICK)


def test_too_few_rows_are_refused(write_sheets: Write) -> None:
    """Too few usable rows, of all exams or of a kind, are refused with their number."""
    with pytest.raises(SheetError, match=r"hospital.xlsx has 7 usable check-ins .* but a fit takes at least 10"):
        calibrate(write_sheets({"Monday (Nov 27)": made_up_visits(8, 1)}), QUICK)
    path = write_sheets({"Monday (Nov 27)": made_up_visits(20, 1)}, notes=NOTES)
    assert set(calibrate(path, QUICK).exam_by_kind) == {"non-fetal"}
    with pytest.raises(SheetError, match="exams is 'by_kind', but there are fewer than 10 fetal exams to fit"):
        calibrate(path, Choices(exams="by_kind", resamples=20))
    unscheduled = [row | {"scheduled": "N/A"} for row in made_up_visits(20, 1)]
    with pytest.raises(
        SheetError, match=r"hospital\.xlsx has no row with both a scheduled echo and an expected check-in"
    ):
        calibrate(write_sheets({"Monday (Nov 27)": unscheduled}), QUICK)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"arrival": "normal"}, "arrival is 'normal', but must be one of exponential, empirical"),
        ({"exams": "each"}, "exams is 'each', but must be one of pooled, by_kind"),
        ({"seed": -1}, "seed is -1, but must be a whole number of at least 0"),
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
