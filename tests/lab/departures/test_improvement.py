"""What lookahead gains over a policy: by redraws as by playing, without the bias of the draws that chose."""

from __future__ import annotations

import csv
import importlib.util
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("rich")

from rich.console import Console

from echo_env.commands.inputs.evaluate_options import EvaluateOptions
from echo_env.commands.output import check_outputs
from echo_env.common.stats import paired_difference
from echo_env.lab import LabConfig, evaluate, load_lab, make_policy
from echo_env.lab.departures.improvement import find_improvement
from echo_env.lab.departures.improvement_report import COLUMNS, print_improvement, rows_of, write_improvements

Lab = Callable[..., LabConfig]


@pytest.fixture(scope="module")
def early_lab(tiny_lab: Lab) -> LabConfig:
    """One room, one sonographer, two patients due at 60 who come some time before, exams of 30 or 31 minutes."""
    return tiny_lab(
        non_fetal=(60, 60), rooms__fetal=0, rooms__non_fetal=1, sonographers__fetal=0, sonographers__non_fetal=1,
        arrival__no_show_rate=0.0, arrival__model="empirical", arrival__offsets_min=(-60, -55, 0),
        exam__shortest_min=29.5, exam__longest_min=31.0, breaks__number=0,
    )  # fmt: skip


def test_agrees_with_days_played(early_lab: LabConfig) -> None:
    """The gain over a rule is what days under ``rollout`` cost less than days under the rule."""
    days = 200
    found = find_improvement(early_lab, make_policy("policy_1", early_lab), days, seed=51, samples=16).per_day()
    names = ["policy_1", "rollout(base=policy_1, samples=16)"]
    rule, ahead = (evaluate(early_lab, names, days, seed=51).values[name]["penalty"] for name in names)
    played = paired_difference(rule, ahead)
    assert found.low > 0
    assert max(found.low, played.low) < min(found.high, played.high)
    assert found.mean == pytest.approx(played.mean, abs=found.half_width + played.half_width)


def test_nothing_is_gained_where_no_decision_matters(tiny_lab: Lab) -> None:
    """Where actions differ by noise alone nothing is gained on draws of their own, and much on the same draws."""
    # Two patients who come together, one pair, a shared law: who is first does not matter.
    config = tiny_lab(
        fetal=(60,), non_fetal=(60,), rooms__fetal=1, rooms__non_fetal=0, sonographers__fetal=1,
        sonographers__non_fetal=0, arrival__no_show_rate=0.0, arrival__model="empirical", arrival__offsets_min=(0,),
    )  # fmt: skip
    base = make_policy("fetal_first", config)
    fresh, same = (find_improvement(config, base, 300, seed=52, samples=4, fresh=fresh) for fresh in (True, False))
    assert fresh.choices.sum() == same.choices.sum() == 300
    assert not fresh.per_day().excludes_zero
    assert same.per_day().low > 0
    # On the same draws the departures keep exactly what they promised.
    assert np.array_equal(same.promised, same.saved)
    assert fresh.promised.mean() > fresh.saved.mean()


def test_the_same_days_give_the_same_improvement() -> None:
    """It does not depend on what was asked before, and adds up over a day's departures."""
    config = LabConfig.load("scarce")
    one, other = (find_improvement(config, make_policy("policy_2", config), 3, seed=53, samples=4) for _ in range(2))
    for mine, yours in zip(one[3:], other[3:], strict=True):
        assert np.array_equal(mine, yours)
    assert np.allclose(np.bincount(one.day, weights=one.saved, minlength=3), one.gain)
    assert ((one.usual != one.better).any(axis=1)).all()


def test_any_lab_can_be_asked() -> None:
    """A lab of other exam types has an improvement too."""
    config = load_lab("mri_unit")
    found = find_improvement(config, make_policy("scarce_first", config), 2, seed=54, samples=4)
    assert len(found.gain) == 2
    assert np.isfinite(found.gain).all()


def test_said_in_words_and_in_a_file(early_lab: LabConfig, tmp_path: Path) -> None:
    """Table and file say what the rule does, what is better, and by how much."""
    found = find_improvement(early_lab, make_policy("policy_1", early_lab), 30, seed=55, samples=8)
    console = Console(file=io.StringIO(), width=250, color_system=None)
    print_improvement(found, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "points a day over policy_1" in text
    assert "1 non-fetal early" in text
    write_improvements(tmp_path, [found])
    with open(tmp_path / "improvement.csv", encoding="utf8", newline="") as file:
        head, *lines = csv.reader(file)
    assert tuple(head) == COLUMNS
    assert len(lines) == len(found.day) == len(rows_of(found))
    assert lines[0][5:7] == ["nobody", "1 non-fetal early"]


def test_improvement_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """No day, one sample, policies that remember, options that do not go together, and no compiler are refused."""
    config = LabConfig.load("scarce")
    rule = make_policy("policy_2", config)
    for arguments, message in (
        ((config, rule, 0, 1), "days of an improvement is 0, but must be at least 1"),
        ((config, rule, 1, 1, None, 1), "samples is 1, but must be at least 2"),
        ((config, make_policy("random", config), 1, 1), "policy 'random' cannot be improved by lookahead"),
    ):
        with pytest.raises(ValueError, match=message):
            find_improvement(*arguments)
    for changes, message in (
        ({"improvement": 51}, "--improvement is 51, but must be from 0 to --days, which is 50"),
        ({"improvement": 3, "sweep": ("rooms.non_fetal=3",)}, "--improvement is of one lab, and does not go together"),
    ):
        with pytest.raises(ValueError, match=message):
            check_outputs(EvaluateOptions(**{"days": 50, **changes}))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="an improvement is found on the compiled engine, but numba is missing"):
        check_outputs(EvaluateOptions(days=50, improvement=3))
