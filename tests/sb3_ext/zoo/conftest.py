"""Fixtures of the tests of the zoo."""

from pathlib import Path

import pytest
import torch as th
from doors import CONFIGS

from sb3_ext.zoo import cli


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    th.set_num_threads(1)


@pytest.fixture
def defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> cli.ZooDefaults:
    """A project of its own in an empty folder."""
    folder = tmp_path / "configs"
    folder.mkdir()
    for algo, settings in CONFIGS.items():
        lines = [
            f"{env_id}: {{n_timesteps: 300, policy: MlpPolicy, env_kwargs: {{size: 3}}, {settings}}}\n"
            for env_id in ("Doors-v0", "NativeDoors-v0")
        ]
        lines.append("CartPole-v1: {n_timesteps: 300, policy: MlpPolicy}\n")
        (folder / f"{algo}.yml").write_text("".join(lines))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return cli.ZooDefaults(algo="maskable_dqn", env="Doors-v0", config_folder=folder)
