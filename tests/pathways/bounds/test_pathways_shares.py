"""Utility relative to the bound, and trained models, through the commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evaluate as command
import train
from echo_env.commands.train import find_reference
from echo_env.pathways import PathwaysConfig, make_policy, simulate
from echo_env.pathways.bounds.shares import Bounds, Shares, find_shares
from echo_env.pathways.envs.env import PatientPathwaysEnv
from echo_env.pathways.evaluation.comparison import Comparison, HospitalSize, evaluate
from sb3_ext.maskable_ppo import MaskablePPO
from sb3_ext.zoo.replacing import saving_whole

SMALL = ["--env", "PatientPathways-v0", "--draws", "3", "--trials", "2", "--seed", "5"]
TINY = "needs: 2\nresources: 2\npatients: 2\nmax_patients: 3\nhealth_levels: 3\nhorizon: 6\ninitial_health: [1, 1]\n"


@pytest.fixture
def hospital(tmp_path: Path) -> str:
    """Path of a small hospital."""
    path = tmp_path / "tiny.yaml"
    path.write_text("base: baseline\nname: tiny\n" + TINY)
    return str(path)


def test_a_share_is_a_ratio_of_means() -> None:
    """A share is the ratio of mean utility to mean bound, with the delta-method interval over draws."""
    size, utility, bound = HospitalSize(4, 6), np.array([0.6, 0.9, 0.5]), np.array([0.8, 1.0, 0.5])
    comparison = Comparison(PathwaysConfig.load("baseline"), 1, {size: {"auction": {"utility": utility[:, None]}}})
    share = Shares(comparison, {size: Bounds(bound, 1)}).share(size, "auction")
    ratio = 2.0 / 2.3
    assert share.mean == pytest.approx(ratio)
    spread = (utility - ratio * bound).std(ddof=1) / np.sqrt(3) / bound.mean()
    # Student's 0.975 quantile with 2 degrees of freedom.
    assert share.half_width == pytest.approx(4.302653 * spread, rel=1e-5)


def test_the_command_tells_shares(hospital: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints and writes shares of at most 1, and the number of exact optima."""
    arguments = [*SMALL, "--config", hospital, "--policies", "auction", "random", "--patients", "2", "3", "--bound"]
    assert command.main([*arguments, "--trials", "60", "--json", str(tmp_path / "t.json")]) == 0
    printed = capsys.readouterr().out
    assert "share of the upper bound, 2 resources" in printed
    assert "3 of 3" in printed
    cells = json.loads((tmp_path / "t.json").read_text())["bounds"]
    assert [(cell["patients"], cell["optima"]) for cell in cells] == [(2, 3), (3, 3)]
    for cell in cells:
        shares = {name: own["mean"] for name, own in cell["share_of_bound"].items()}
        assert 0.8 < shares["random"] < shares["auction"] < 1.02


def save_agent(folder: Path, hospital: str, **more: Any) -> str:
    """An untrained agent, saved as the zoo saves it."""
    model = MaskablePPO("RowPolicy", PatientPathwaysEnv(hospital, **more), policy_kwargs={"net_arch": [8]}, seed=0)
    model.env_spec = {"id": "PatientPathways-v0", "kwargs": {"config": hospital, **more}}
    with saving_whole():
        model.save(folder / "agent")
    return str(folder / "agent.zip")


def test_the_command_compares_agents(hospital: str, tmp_path: Path) -> None:
    """Trained agents are compared with the auction, with equal numbers in one process and in several."""
    model = f"maskable_ppo={save_agent(tmp_path, hospital, max_resources=5)}"
    arguments = [*SMALL, "--config", hospital, "--policies", "auction", model, "--reference", model]
    numbers = []
    for jobs in ("1", "2"):
        assert command.main([*arguments, "--jobs", jobs, "--json", str(tmp_path / jobs)]) == 0
        numbers.append(json.loads((tmp_path / jobs).read_text())["cells"])
    assert numbers[0] == numbers[1]
    assert set(numbers[0][0]["policies"]) == {"auction", "maskable_ppo"}
    assert set(numbers[0][0]["reference_minus"]) == {"auction"}


def test_agents_that_do_not_fit(hospital: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Agents that do not match the hospital are refused in one sentence."""
    model = f"maskable_ppo={save_agent(tmp_path, hospital)}"
    for policies, config, message in (
        ([model], "baseline", "patients is 20, but must be at most 3, which maskable_ppo was trained for"),
        (["maskable_ppo=nowhere"], hospital, "There is no model at nowhere"),
        (["maskable_ddqn=nowhere"], hospital, "maskable_ddqn"),
    ):
        assert command.main([*SMALL, "--config", config, "--policies", *policies]) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1


def test_training_is_compared_with_the_auction() -> None:
    """The reference of a training run is the auction in the same evaluation episodes."""
    sizes = {"patients": 3, "resources": 4, "max_patients": 3}
    reference = find_reference("PatientPathways-v0", sizes)
    assert reference is not None
    assert reference.name == "auction"
    env = PatientPathwaysEnv(**sizes)
    expected = []
    for seed in (5, None, 8):
        env.reset(seed=seed)
        assert env._episode is not None
        instance, luck = env._episode.instance, env._episode.luck
        expected.append(simulate(instance, luck, make_policy("auction", env.config)).utility)
    assert reference.rewards([5, 8], [2, 1]).tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("algo", "parameters"),
    [
        ("maskable_ppo", ["n_steps:32", "batch_size:32", "n_epochs:1"]),
        ("maskable_dqn", ["learning_starts:50", "batch_size:32"]),
    ],
)
def test_the_configs_train(algo: str, parameters: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every shipped training config runs."""
    monkeypatch.chdir(tmp_path)
    run = ["--algo", algo, "--env", "PatientPathways-v0", "-n", "130", "--eval-freq", "60", "--eval-episodes", "2"]
    small = ["--verbose", "0", "-params", "n_envs:2", *parameters]
    assert train.main([*run, *small]) == 0
    assert (tmp_path / "logs" / algo / "PatientPathways-v0_1" / "best_model.zip").is_file()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "draws", "least"),
    [
        ({"patients": 2}, 60, 0.995),
        ({"patients": 3}, 60, 0.995),
        ({"patients": 3, "lethal": True, "initial_health": (1, 1)}, 60, 0.99),
        (
            {"patients": 20, "resources": 4, "needs": 4, "horizon": 30, "health_levels": 5, "initial_health": (1, 3)},
            20,
            0.96,
        ),
    ],
)
def test_the_auction_is_near_the_best(changes: dict[str, Any], draws: int, least: float) -> None:
    """The paper's claim holds: auctions of self-interested patients come close to the optimum."""
    tiny = {"resources": 2, "needs": 2, "horizon": 8, "health_levels": 3, "initial_health": (0, 1)}
    config = PathwaysConfig.load("baseline").replace(**{**tiny, **changes})
    shares = find_shares(evaluate(config, ["auction"], draws, 100 if draws == 60 else 10, 7))
    size = HospitalSize(config.resources, config.patients)
    assert least <= shares.share(size, "auction").mean <= 1.005
