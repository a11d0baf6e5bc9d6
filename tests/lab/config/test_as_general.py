"""A lab of the short form as one of the general form: the same plan, and the same days to the bit."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import yaml
from config_strategies import configs
from hypothesis import HealthCheck, given, settings

from echo_env.lab import LabConfig, as_general, load_lab, make_policy, sample_days
from echo_env.lab.config import ExamLaw, preset_names


@pytest.mark.parametrize("preset", preset_names())
def test_presets_keep_their_plan(preset: str) -> None:
    """Plan, name, hours and penalty of the converted lab are those of the preset; a general lab is the same object."""
    config = load_lab(preset)
    general = as_general(config)
    assert general.plan == config.plan
    assert (general.name, general.hours) == (config.name, config.hours)
    assert asdict(general.penalty) == asdict(config.penalty)
    assert as_general(general) is general


def test_what_a_short_lab_may_have_besides_is_kept() -> None:
    """A law of fetal exams, empty places in the book and arrivals as they were seen are in the converted lab."""
    config = load_lab("scarce").replace(
        exam__fetal=ExamLaw(8, 60, 20, 200),
        appointments__fetal=(15, None, 75),
        arrival__model="empirical",
        arrival__offsets_min=(-5, 0, 7),
    )
    general = as_general(config)
    assert general.plan == config.plan
    assert general.exam_types["fetal"].appointments == (15, None, 75)


def test_a_lab_without_fetal_patients_needs_nobody_for_them() -> None:
    """Without fetal patients, rooms and sonographers both forms have the same plan: nobody comes whom nobody can do."""
    config = load_lab("baseline").replace(
        appointments__fetal=(),
        rooms__fetal=0,
        sonographers__fetal=0,
        sonographers__always_present_fetal=0,
    )
    assert as_general(config).plan == config.plan


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(configs())
def test_any_short_lab_keeps_its_plan(config: LabConfig) -> None:
    """Whatever the lab, the converted one has its plan."""
    assert as_general(config).plan == config.plan


def test_a_converted_lab_can_be_written_and_read(tmp_path: Path) -> None:
    """The file of a converted lab is read as the same lab."""
    general = as_general(load_lab("scarce").replace(appointments__fetal=(15, None, 75)))
    file = tmp_path / "lab.yaml"
    file.write_text(yaml.safe_dump(general.as_file(), sort_keys=False))
    again = load_lab(file)
    assert again.plan == general.plan
    assert asdict(again.penalty) == asdict(general.penalty)


def test_days_are_equal_to_the_bit() -> None:
    """Both forms of a lab have the same days, and the compiled engine does the same on them."""
    pytest.importorskip("numba")
    from echo_env.lab.evaluation.engines import play_days

    config = load_lab("scarce")
    results = []
    for lab in (config, as_general(config)):
        results.append(play_days(lab, make_policy("scarce_first", lab), sample_days(lab, 50, seed=3)))
    assert all(np.array_equal(one, other) for one, other in zip(*results, strict=True))
