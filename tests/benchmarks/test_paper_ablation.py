"""The ablation of the paper's training: what is shortened, and what is left out."""

import argparse
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import paper_ablation


def callbacks(settings: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The callbacks of hyperparameters by the names of their classes."""
    return {name.rpartition(".")[2]: own for entry in settings["callback"] for name, own in entry.items()}


@pytest.mark.parametrize("lab", ["EchoLab-v0", "EchoLabScarce-v0"])
def test_all_numbers_of_days_are_divided(lab: str) -> None:
    """Steps, warm-up, curriculum and reset are a sixtieth of the paper's, and epsilon falls sixty times as fast."""
    settings = paper_ablation.q_learning(lab, paper_ablation.WHOLE, 60)
    assert (settings["n_timesteps"], settings["learning_starts"]) == (500 * 660, 110)
    assert settings["exploration_decay"] == pytest.approx(0.99999**60)
    found = callbacks(settings)
    assert found["AbsenceRateCurriculum"] == {"start": 0.8, "end": 0.1, "hold": 166, "anneal": 166}
    assert found["EpsilonReset"] == {"episode": 333}
    assert found["LearningRateOnPlateau"] == {"factor": 0.95, "patience": 800, "minimum": 3e-5}
    assert settings["double_q"]
    assert settings["prioritized_replay"]


def test_one_part_is_left_out() -> None:
    """Each variant differs from the whole protocol by what its name says, and the protocol stays as it is."""
    whole = paper_ablation.q_learning("EchoLab-v0", paper_ablation.WHOLE, 60)
    differences = {}
    for method in paper_ablation.WITHOUT:
        settings = paper_ablation.q_learning("EchoLab-v0", method, 60)
        missing = dict.fromkeys(callbacks(whole).keys() - callbacks(settings).keys(), "left out")
        other = {name: value for name, value in settings.items() if name != "callback" and value != whole[name]}
        differences[method.partition(", ")[2]] = missing | other
    assert differences == {
        "all of it": {},
        "no curriculum": {"AbsenceRateCurriculum": "left out"},
        "no epsilon reset": {"EpsilonReset": "left out"},
        "uniform replay": {"prioritized_replay": False, "replay_buffer_kwargs": {}},
        "no double Q": {"double_q": False},
    }


def test_ppo_plays_the_papers_task() -> None:
    """MaskablePPO has the paper's environment, and the steps that it is told."""
    settings = paper_ablation.ppo("EchoLabScarce-v0", 330_000)
    assert settings["n_timesteps"] == 330_000
    assert settings["env_kwargs"] == {
        "observation": "paper",
        "clock": "minute",
        "idling": True,
        "reward": "penalty",
    }


def test_rows_of_other_hyperparameters_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row counts as done only with the present hyperparameters: a table does not mix them."""
    given = argparse.Namespace(divisor=60, days=10, csv="some")
    mark = paper_ablation.digest(paper_ablation.settings_of("scarce", paper_ablation.EQUAL_STEPS, 60))
    row = {"lab": "scarce", "method": paper_ablation.EQUAL_STEPS, "divisor": "60", "days": "10", "cpu_s": "25.4"}
    rows = [{**row, "seed": "1", "settings": mark}, {**row, "seed": "2", "settings": "other"}]
    monkeypatch.setattr(paper_ablation, "read_rows", lambda table: rows)
    assert paper_ablation.times("scarce", given) == {(paper_ablation.EQUAL_STEPS, 1): 25.4}
