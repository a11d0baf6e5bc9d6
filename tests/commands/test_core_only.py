"""The commands with the core dependencies alone: no learning library, no numba, no pandas."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import pytest

import echo_env  # noqa: F401
from echo_env.common.extras import EXTRAS
from echo_env.lab import LabConfig, make_policy, sample_days, simulate

ROOT = Path(__file__).parents[2]
OPTIONAL = sorted({package for packages in EXTRAS.values() for package in packages} - {"sb3_ext"})
BLOCK = f"""
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {OPTIONAL!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocked())
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name in {OPTIONAL!r} else found(name, package)
import evaluate, train
"""


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a process that finds no optional package."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", BLOCK + code]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf8")


def test_rules_are_compared_and_written(tmp_path: Path) -> None:
    """--output works without TensorBoard, whose logs are left out with a word."""
    options = ["--policies", "policy_2", "fetal_first", "--days", "3", "--output", "out", "--json", "t.json"]
    done = run(f"sys.exit(evaluate.main({options!r}))", tmp_path)
    assert done.returncode == 0
    assert "minus policy_2" in done.stdout
    assert done.stderr.startswith("TensorBoard logs are left out: ")
    assert done.stderr.endswith("is missing: pip install 'echo-lab-rl[rl]'\n")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [".echo-lab", "days.csv", "summary.json"]


@pytest.mark.parametrize(
    ("code", "program"),
    [
        ("evaluate.main(['--policies', 'policy_2', 'agent', '--days', '2'])", "error"),
        (
            "evaluate.main(['--env', 'PatientPathways-v0', '--policies', 'dqn=x'])",
            "error",
        ),
        ("train.main(['--env', 'EchoLab-v0'])", "train.py"),
        ("train.main([])", "train.py"),
    ],
)
def test_learning_names_its_extra(code: str, program: str, tmp_path: Path) -> None:
    """Agents, models and training are one sentence with the install command, and status 2."""
    done = run(f"sys.exit({code})", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"{program}: stable_baselines3 is missing: pip install 'echo-lab-rl[rl]'\n"
    assert not list(tmp_path.iterdir())


def test_python_calls_name_their_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trace.to_pandas and gymnasium.make_vec say what to install."""
    config = LabConfig.load("scarce")
    trace = simulate(config, sample_days(config, 1, seed=1)[0], make_policy("policy_2", config))
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, package=None: None if name in OPTIONAL else found(name, package)
    )
    with pytest.raises(ModuleNotFoundError, match=r"^pandas is missing: pip install 'echo-lab-rl\[plots\]'$"):
        trace.to_pandas()
    with pytest.raises(ModuleNotFoundError, match=r"^numba is missing: pip install 'echo-lab-rl\[fast\]'$"):
        gym.make_vec("EchoLabScarce-v0", num_envs=2)
