"""train.py --optimize: every algorithm on every environment that zoo_configs/ knows."""

import csv
import sys
from pathlib import Path

import optuna
import pytest
import torch as th
import yaml
from rl_zoo3.exp_manager import ExperimentManager

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import train  # noqa: E402
from sb3_ext.zoo.algorithms import MASKABLE  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:PartialFixedSampler is experimental")
CONFIGS = ROOT / "zoo_configs"
ALGOS = [
    "a2c", "ars", "dqn", "lookahead_dqn", "maskable_dqn", "maskable_ppo", "maskable_qrdqn", "ppo", "ppo_lstm",
    "qrdqn", "trpo",
]  # fmt: skip
PAIRS = [(algo, env_id) for algo in ALGOS for env_id in yaml.safe_load((CONFIGS / f"{algo}.yml").read_text())]
SEARCH = ["--optimize", "--n-trials", "2", "--n-evaluations", "1", "--no-optim-plots", "--sampler", "random"]
SMALL = ["--verbose", "0", "--num-threads", "1", "--seed", "1", "--eval-episodes", "2", "--n-eval-envs", "2"]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    th.set_num_threads(1)


#: Hyperparameters that make trials small, where the search does not sample them.
FEW: dict[str, list[str]] = {
    **{algo: ["n_envs:1"] for algo in ["a2c", "ppo", "ppo_lstm", "trpo"]},
    "ars": [],
    "maskable_ppo": [],
    **{algo: ["learning_starts:200"] for algo in ["dqn", "lookahead_dqn", "maskable_dqn", "maskable_qrdqn", "qrdqn"]},
}


#: Of rl_zoo3's spaces, what makes a trial of some hundred steps one of minutes.
FIXED = {"n_steps_pow": 6, "batch_size_pow": 5, "n_epochs": 5, "n_critic_updates": 5, "n_delta_pow": 2}


def small_sampler(*_: object) -> optuna.samplers.BaseSampler:
    """A random sampler that fixes what makes trials long."""
    return optuna.samplers.PartialFixedSampler(FIXED, optuna.samplers.RandomSampler(seed=1))


def searched(algo: str, env_id: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, list[str]]:
    """Status of a search of two trials, and the lines of its report."""
    few = ["-params", *FEW[algo]] if FEW[algo] else []
    if algo not in MASKABLE:
        monkeypatch.setattr(ExperimentManager, "_create_sampler", small_sampler)
    status = train.main([*SMALL, *SEARCH, "-n", "600", *few, "--algo", algo, "--env", env_id])
    reports = list((Path("logs") / algo).glob(f"report_{env_id}_*.csv"))
    assert len(reports) == 1
    return status, reports[0].read_text().splitlines()


@pytest.mark.parametrize("algo", ["maskable_dqn", "maskable_ppo"])
def test_a_search_on_rows_ends_with_a_report(algo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search on patient pathways, whose policy shares weights, compares two trials with the auction."""
    status, (columns, *trials) = searched(algo, "PatientPathways-v0", monkeypatch)
    assert status == 0
    assert len(trials) == 2
    assert all(trial.endswith("COMPLETE") for trial in trials)
    assert "user_attrs_auction_minus_own" in columns
    assert "dueling" not in columns


@pytest.mark.parametrize("algo", ["a2c", "ars", "dqn", "maskable_ppo", "maskable_qrdqn", "trpo"])
def test_a_search_in_a_lab_is_judged_by_the_difference_to_a_rule(algo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial is worth what its penalty is below policy_2 on common days, with masks and without."""
    status, (columns, *trials) = searched(algo, "EchoLabScarce-v0", monkeypatch)
    assert status == 0
    assert len(trials) == 2
    for row in csv.DictReader([columns, *trials]):
        assert float(row["value"]) == pytest.approx(-float(row["user_attrs_penalty_minus_policy_2"]))
        assert float(row["user_attrs_mean_reward"]) < 0


@pytest.mark.slow
@pytest.mark.parametrize(("algo", "env_id"), PAIRS)
def test_every_config_can_be_searched(algo: str, env_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two trials on what every config is for end with a report."""
    status, (_, *trials) = searched(algo, env_id, monkeypatch)
    assert status == 0
    assert len(trials) == 2
