"""The wheel, built and run outside the clone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from echo_env.commands.players.models import AGENTS, configs_folder

pytest.importorskip("stable_baselines3")
ROOT = Path(__file__).parents[1]
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
OURS = ("echo_env", "sb3_ext", "zoo_configs")
WHERE = f"""
import sys
from echo_env.commands.app import main
status = main(sys.argv[2:])
for name, module in sys.modules.items():
    if name.partition(".")[0] in {OURS!r}:
        for file in [module.__file__] if module.__file__ else module.__path__:
            assert file.startswith(sys.argv[1]), file
sys.exit(status)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel installed in it, dependencies being those of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    # Building leaves folders behind, which do not belong into the clone.
    for name in OURS:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    # Needs the network, for setuptools.
    subprocess.run([*PIP, "wheel", "--no-deps", "-w", str(folder), str(source)], check=True, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([*PIP, "install", "--no-deps", "--target", str(folder / "site"), str(wheel)], check=True, cwd=folder)
    return folder / "site"


def run(command: list[str], site: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that finds our packages in the wheel, with nothing of the clone on its path."""
    environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, encoding="utf8")


def test_the_wheel_holds_configs_and_agents(site: Path) -> None:
    """Every hyperparameter file and agent of the clone is in the wheel."""
    for folder, ending in ((configs_folder(), "*.yml"), (AGENTS, "*")):
        names = {path.name for path in folder.glob(ending) if path.is_file()}
        assert names
        inside = site / "zoo_configs" / folder.relative_to(configs_folder())
        assert {path.name for path in inside.glob(ending) if path.is_file()} == names


def test_rules_and_agent_are_compared_from_the_wheel(site: Path, tmp_path: Path) -> None:
    """echo-lab evaluate runs the shipped agent with modules, data and entry points of the wheel alone."""
    options = "evaluate --env EchoLabScarce-v0 --policies policy_2 fetal_first agent --output out --days 5"
    # Compiling takes a minute.
    options += " --engine simpy"
    done = run([sys.executable, "-c", WHERE, str(site), *options.split()], site, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "agent" in done.stdout
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        ".echo-lab",
        "days.csv",
        "summary.json",
        "tensorboard",
    }


def test_the_console_script_is_installed(site: Path, tmp_path: Path) -> None:
    """bin/echo-lab exists, and trains from the wheel's configs: here only as far as the first refusal."""
    pytest.importorskip("rl_zoo3")
    done = run([str(site / "bin" / "echo-lab"), "train", "--algo", "qrdqn", "--env", "CartPole-v1"], site, tmp_path)
    assert done.returncode == 2
    assert "qrdqn.yml has no hyperparameters for CartPole-v1, only for EchoLabScarce-v0" in done.stderr
