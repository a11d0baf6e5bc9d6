"""train.py --optimize: every algorithm on every environment that zoo_configs/ knows."""

import sys
from pathlib import Path

import pytest
import torch as th
import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import train  # noqa: E402

CONFIGS = ROOT / "zoo_configs"
ALGOS = [
    "a2c", "ars", "dqn", "lookahead_dqn", "maskable_dqn", "maskable_ppo", "ppo", "ppo_lstm", "qrdqn", "trpo",
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
    **{algo: ["learning_starts:200"] for algo in ["dqn", "lookahead_dqn", "maskable_dqn", "qrdqn"]},
}


def searched(algo: str, env_id: str) -> tuple[int, list[str]]:
    """Status of a search of two trials, and the lines of its report."""
    few = ["-params", *FEW[algo]] if FEW[algo] else []
    status = train.main([*SMALL, *SEARCH, "-n", "600", *few, "--algo", algo, "--env", env_id])
    reports = list((Path("logs") / algo).glob(f"report_{env_id}_*.csv"))
    assert len(reports) == 1
    return status, reports[0].read_text().splitlines()


@pytest.mark.parametrize("algo", ["maskable_dqn", "maskable_ppo"])
def test_a_search_on_rows_ends_with_a_report(algo: str) -> None:
    """A search on patient pathways, whose policy shares weights, compares two trials with the auction."""
    status, (columns, *trials) = searched(algo, "PatientPathways-v0")
    assert status == 0
    assert len(trials) == 2
    assert all(trial.endswith("COMPLETE") for trial in trials)
    assert "user_attrs_minus_auction" in columns
    assert "dueling" not in columns


@pytest.mark.slow
@pytest.mark.parametrize(("algo", "env_id"), PAIRS)
def test_every_config_can_be_searched(algo: str, env_id: str) -> None:
    """Two trials on what every config is for end with a report."""
    status, (_, *trials) = searched(algo, env_id)
    assert status == 0
    assert len(trials) == 2
