"""What a training in the zoo saves, and what is left of it after an error, Ctrl-C or a kill."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch as th
from stable_baselines3.common import save_util

import sb3_ext
from sb3_ext.common.saving import remove_left_behind
from sb3_ext.zoo import cli, load_agent, manager
from sb3_ext.zoo.errors import UsageError

ROOT = Path(sb3_ext.__file__).parents[1]
CARTPOLE = {
    "dqn": "learning_starts: 20, buffer_size: 100",
    "ppo": "n_steps: 32, batch_size: 32, normalize: true",
}


@pytest.fixture
def defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> cli.ZooDefaults:
    """A project of its own in an empty folder."""
    th.set_num_threads(1)
    (tmp_path / "configs").mkdir()
    for algo, settings in CARTPOLE.items():
        text = f"CartPole-v1: {{n_timesteps: 200, policy: MlpPolicy, {settings}}}\n"
        (tmp_path / "configs" / f"{algo}.yml").write_text(text)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return cli.ZooDefaults(algo="dqn", env="CartPole-v1", config_folder=tmp_path / "configs")


def train(defaults: cli.ZooDefaults, *arguments: str) -> Path:
    """Train as a user would, quietly."""
    folder = cli.train(["--verbose", "0", "--seed", "3", "--eval-freq", "50", *arguments], defaults)
    assert folder is not None
    return folder


@pytest.mark.parametrize("algo", ["dqn", "ppo"])
def test_an_error_in_a_later_save_leaves_the_best_model(
    algo: str, defaults: cli.ZooDefaults, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever save fails half-way, every model that is there can be loaded, and no temporary file stays."""
    real, calls = th.save, [0]
    folder = Path("logs") / algo / "CartPole-v1_1"

    def save(obj: Any, file: Any, *args: Any, **kwargs: Any) -> None:
        calls[0] += 1
        if calls[0] > 4 and (folder / "best_model.zip").exists():
            file.write(b"half")
            raise OSError("disk full")
        real(obj, file, *args, **kwargs)

    monkeypatch.setattr(save_util.th, "save", save)
    with pytest.raises(UsageError, match="disk full"):
        train(defaults, "--algo", algo, "--save-freq", "60")
    models = sorted(folder.glob("*.zip"))
    assert folder / "best_model.zip" in models
    for model in models:
        assert load_agent(algo, model).num_timesteps > 0
    assert not [path for path in folder.rglob(".*") if path.is_file()]


def test_an_error_in_the_log_of_evaluations_leaves_the_earlier_one(
    defaults: cli.ZooDefaults, monkeypatch: pytest.MonkeyPatch
) -> None:
    """evaluations.npz is whole whichever write of it fails half-way."""
    real, calls = np.savez, [0]

    def savez(file: Any, **arrays: Any) -> None:
        calls[0] += 1
        if calls[0] == 3:
            file.write(b"half")
            raise OSError("disk full")
        real(file, **arrays)

    monkeypatch.setattr(np, "savez", savez)
    with pytest.raises(UsageError, match="disk full"):
        train(defaults, "--algo", "dqn", "-n", "400")
    folder = Path("logs", "dqn", "CartPole-v1_1")
    with np.load(folder / "evaluations.npz") as kept:
        assert kept["timesteps"].tolist() == [50, 100]
    assert not list(folder.rglob("*.saving-*"))


def test_checkpoints_have_what_belongs_to_them(defaults: cli.ZooDefaults) -> None:
    """Beside a checkpoint are its replay buffer, if one is asked for, and its normalisation statistics."""
    folder = train(defaults, "--algo", "dqn", "--save-freq", "80", "--save-replay-buffer")
    assert {path.name for path in folder.glob("rl_model_*")} == {
        f"rl_model_{what}_steps.{suffix}"
        for steps in (80, 160)
        for what, suffix in ((f"{steps}", "zip"), (f"replay_buffer_{steps}", "pkl"))
    }
    # SB3 calls callbacks before it stores the transition of a step.
    assert save_util.load_from_pkl(folder / "rl_model_replay_buffer_80_steps.pkl").pos == 79
    folder = train(defaults, "--algo", "ppo", "--save-freq", "80")
    names = {path.name for path in folder.glob("rl_model_*")}
    assert {"rl_model_80_steps.zip", "rl_model_vecnormalize_80_steps.pkl"} <= names
    assert not [name for name in names if "replay" in name]


def test_ctrl_c_saves_the_model_and_is_passed_on(defaults: cli.ZooDefaults, monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl-C the model is saved as it is, and the interruption is raised."""

    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(manager.EpisodeMetrics, "_on_rollout_end", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(defaults, "--algo", "dqn", "--tensorboard-log", "runs")
    model = load_agent("dqn", Path("logs", "dqn", "CartPole-v1_1", "CartPole-v1.zip"))
    assert 0 < model.num_timesteps < 200
    assert "learn" not in vars(model)


def test_ctrl_c_ends_a_search(defaults: cli.ZooDefaults, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the first trial of a search is raised, not a sentence about trials."""

    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(manager.ExperimentManager, "objective", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(defaults, "--algo", "dqn", "-optimize", "--n-trials", "1", "--n-jobs", "1")


@pytest.mark.slow
@pytest.mark.parametrize("number", [5, 8, 12])
def test_a_kill_in_a_save_loses_nothing(number: int, defaults: cli.ZooDefaults) -> None:
    """After SIGKILL in a save all models can be loaded; the next run of the same command removes the rest."""
    code = f"""
        import os, signal, sys
        import torch as th
        from pathlib import Path
        from sb3_ext.zoo import cli

        real, calls = th.save, [0]
        def save(obj, file, *args, **kwargs):
            calls[0] += 1
            if calls[0] == {number}:
                file.write(b"half" * 10_000)
                os.kill(os.getpid(), signal.SIGKILL)
            real(obj, file, *args, **kwargs)
        th.save = save
        th.set_num_threads(1)
        defaults = cli.ZooDefaults(algo="dqn", env="CartPole-v1", config_folder=Path({str(defaults.config_folder)!r}))
        cli.train(["--verbose", "0", "--eval-freq", "40", "--save-freq", "30", "-n", "300"], defaults)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, check=False, capture_output=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert done.returncode == -signal.SIGKILL, done.stderr
    folder = Path("logs", "dqn", "CartPole-v1_1")
    assert len(list(folder.glob(".*.saving-*"))) == 1
    models = list(folder.glob("*.zip"))
    assert models
    for model in models:
        assert np.isfinite(load_agent("dqn", model).num_timesteps)
    train(defaults)
    assert not list(Path("logs").rglob("*.saving-*"))
    remove_left_behind(folder)
    assert set(folder.glob("*.zip")) == set(models)
