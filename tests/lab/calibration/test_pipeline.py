"""From a file to a lab: findings of the checks stop it unless they are accepted by name."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from lab_weeks import by_the_clock, write_lab_workbook
from random_hospitals import random_hospital
from simulated_visits import visits_of

from echo_env.lab.calibration.fitting.choices import Choices
from echo_env.lab.calibration.pipeline import RefusedError, calibrate, refit_with

QUICK = Choices(resamples=20, name="clinic")


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five days of a simulated lab in the paper's format."""
    config = random_hospital(0)
    record = by_the_clock(visits_of(config, 5, 1), 1)
    return write_lab_workbook(tmp_path_factory.mktemp("record") / "clinic.xlsx", record)


def test_a_sound_record_becomes_a_lab(workbook: Path) -> None:
    """Each stage hands on its record; without a base of another hospital, no finding is left."""
    found = calibrate(workbook, QUICK, validated=False)
    assert found.visits.name == "clinic.xlsx"
    assert found.findings == ()
    assert found.fitted.config.name == "clinic"
    assert found.validation is None


def test_a_contradiction_stops_it(workbook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More people than the notes state are a finding; accepted by name, it is kept with the lab."""
    from echo_env.lab.calibration import pipeline

    original = pipeline.fit

    def understaffed(visits, choices):  # type: ignore[no-untyped-def]
        notes = {"Info": (("A1", "1 fetal room, 1 regular room, 2 sonographers, only 1 can do fetals"),)}
        return original(dataclasses.replace(visits, notes=notes), choices)

    monkeypatch.setattr(pipeline, "fit", understaffed)
    with pytest.raises(RefusedError, match="If that is right, add --accept") as caught:
        calibrate(workbook, QUICK, validated=False)
    names = [finding.check for finding in caught.value.findings]
    assert "staff_seen" in names
    found = calibrate(workbook, QUICK, accept=names, validated=False)
    assert {finding.check for finding in found.findings} == set(names)
    with pytest.raises(ValueError, match="--accept is 'staff_sen'"):
        calibrate(workbook, QUICK, accept=["staff_sen"], validated=False)


def test_a_part_of_a_record_can_be_fitted_again(workbook: Path) -> None:
    """A day that was chosen for the book may be the one that is left out."""
    found = calibrate(workbook, QUICK, validated=False)
    day = found.visits.days[0]
    rest = found.visits.table[found.visits.table["day"] != day].reset_index(drop=True)
    refit = refit_with(dataclasses.replace(QUICK, day=day))
    assert refit(dataclasses.replace(found.visits, table=rest)).name == "clinic"
