"""What a training in the zoo saves, and what is left of it after an error, Ctrl-C or a kill."""

import os
import pickle
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch as th
from rl_zoo3.exp_manager import ExperimentManager
from stable_baselines3 import DQN
from stable_baselines3.common import save_util

import sb3_ext
from sb3_ext.callbacks import EpisodeMetrics
from sb3_ext.common.saving import remove_left_behind
from sb3_ext.zoo import cli, load_agent
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
    """Beside a checkpoint are its state, its replay buffer if one is asked for, and its normalisation statistics."""
    folder = train(defaults, "--algo", "dqn", "--save-freq", "80", "--save-replay-buffer")
    assert {path.name for path in folder.glob("rl_model_*")} == {
        f"rl_model_{what}_steps.{suffix}"
        for steps in (80, 160)
        for what, suffix in ((f"{steps}", "zip"), (f"replay_buffer_{steps}", "pkl"), (f"state_{steps}", "pkl"))
    }
    # With the transition of the latest step, which SB3 stores after its callbacks.
    assert save_util.load_from_pkl(folder / "rl_model_replay_buffer_80_steps.pkl").pos == 80
    folder = train(defaults, "--algo", "ppo", "--save-freq", "80")
    # Due within rollouts of 32 steps, and saved at their ends.
    assert {path.name for path in folder.glob("rl_model_*")} == {
        f"rl_model_{what}{steps}_steps.{suffix}"
        for steps in (96, 160)
        for what, suffix in (("", "zip"), ("vecnormalize_", "pkl"), ("state_", "pkl"))
    }


def test_a_checkpoint_that_is_cut_off_is_none(defaults: cli.ZooDefaults, monkeypatch: pytest.MonkeyPatch) -> None:
    """The zip of a checkpoint comes last: where saving it fails, its other files are no checkpoint."""
    real = DQN.save

    def save(model: DQN, path: Any, *args: Any, **kwargs: Any) -> None:
        if "160" in str(path):
            raise OSError("disk full")
        real(model, path, *args, **kwargs)

    monkeypatch.setattr(DQN, "save", save)
    with pytest.raises(UsageError, match="disk full"):
        train(defaults, "--save-freq", "80", "--save-replay-buffer")
    folder = Path("logs", "dqn", "CartPole-v1_1")
    assert [path.name for path in folder.glob("rl_model_*.zip")] == ["rl_model_80_steps.zip"]
    assert (folder / "rl_model_state_160_steps.pkl").is_file()


def test_evaluations_are_written_whole(defaults: cli.ZooDefaults, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error in writing an evaluation leaves the file of the evaluations before it, and no temporary file."""
    real, calls = np.savez, [0]

    def savez(file: Any, *args: Any, **kwargs: Any) -> None:
        calls[0] += 1
        if calls[0] == 3:
            file.write(b"half")
            raise OSError("disk full")
        real(file, *args, **kwargs)

    monkeypatch.setattr(np, "savez", savez)
    with pytest.raises(UsageError, match="disk full"):
        train(defaults)
    folder = Path("logs", "dqn", "CartPole-v1_1")
    assert np.load(folder / "evaluations.npz")["timesteps"].tolist() == [50, 100]
    assert not list(folder.glob(".*"))


def test_a_training_continues_with_what_its_checkpoint_has(
    defaults: cli.ZooDefaults, capsys: pytest.CaptureFixture[str]
) -> None:
    """--trained-agent takes a checkpoint's own replay buffer and statistics, and never those of the end of its run."""
    first = train(defaults, "--save-freq", "80", "--save-replay-buffer")
    options = ["--trained-agent", str(first / "rl_model_80_steps.zip"), "--save-replay-buffer", "-n", "40"]
    second = train(defaults, *options)
    assert save_util.load_from_pkl(second / "replay_buffer.pkl").pos == (80 + 40) % 100
    assert "beside it" not in capsys.readouterr().out
    (first / "rl_model_replay_buffer_80_steps.pkl").unlink()
    third = train(defaults, *options)
    assert "rl_model_80_steps.zip has no replay buffer" in capsys.readouterr().out
    assert save_util.load_from_pkl(third / "replay_buffer.pkl").pos == 40


def test_a_training_continues_with_the_statistics_of_its_checkpoint(
    defaults: cli.ZooDefaults, capsys: pytest.CaptureFixture[str]
) -> None:
    """The normalisation of a checkpoint goes on from what it was there."""
    ppo = ["--algo", "ppo", "--eval-freq", "-1"]
    first = train(defaults, *ppo, "--save-freq", "80")
    options = [*ppo, "--trained-agent", str(first / "rl_model_96_steps.zip"), "-n", "32"]
    counts = []
    for _ in range(2):
        folder = train(defaults, *options)
        counts.append(pickle.loads((folder / "CartPole-v1" / "vecnormalize.pkl").read_bytes()).ret_rms.count)
        (first / "rl_model_vecnormalize_96_steps.pkl").unlink(missing_ok=True)
    assert np.round(counts).tolist() == [96 + 32, 32]
    assert capsys.readouterr().out.count("going on with new normalisation statistics") == 1


RESUME_REFUSED = [
    (["--resume", "CartPole-v1.zip"], "takes a checkpoint"),
    (["--resume", "rl_model_40_steps.zip"], "takes a checkpoint"),
    (["--resume", "rl_model_80_steps.zip", "--trained-agent", "x.zip"], "leave --trained-agent"),
    (["--resume", "rl_model_80_steps.zip", "-params", "gamma:0.5"], "was trained with gamma None"),
    (["--resume", "rl_model_80_steps.zip", "-n", "400"], "was trained with n_timesteps 200"),
    (["--resume", "rl_model_80_steps.zip", "--seed", "4"], "was trained with seed 3"),
    (["--resu", "rl_model_80_steps.zip"], "must be written out"),
    (["--resume", "rl_model_160_steps.zip"], "has no replay buffer"),
    (["--resume", "rl_model_200_steps.zip"], "nothing is left"),
]


def test_what_cannot_be_resumed_is_refused(defaults: cli.ZooDefaults, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot go on to the bit is refused in one sentence before a folder is made."""
    folder = train(defaults, "--save-freq", "40", "--save-replay-buffer").resolve()
    (folder / "rl_model_40_steps.zip").unlink()
    (folder / "rl_model_replay_buffer_160_steps.pkl").unlink()
    before = set(Path("logs").rglob("*"))
    for arguments, message in RESUME_REFUSED:
        with pytest.raises(UsageError, match=message) as caught:
            cli.train([arguments[0], str(folder / arguments[1]), *arguments[2:]], defaults)
        assert "\n" not in str(caught.value)
    (folder / "rl_model_state_80_steps.pkl").write_bytes(b"rot")
    with pytest.raises(UsageError, match=r"rl_model_state_80_steps\.pkl cannot be read"):
        cli.train(["--resume", str(folder / "rl_model_80_steps.zip")], defaults)
    assert set(Path("logs").rglob("*")) == before


def test_ctrl_c_saves_the_model_and_is_passed_on(defaults: cli.ZooDefaults, monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl-C the model is saved as it is, and the interruption is raised."""

    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(EpisodeMetrics, "_on_rollout_end", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(defaults, "--algo", "dqn", "--tensorboard-log", "runs")
    model = load_agent("dqn", Path("logs", "dqn", "CartPole-v1_1", "CartPole-v1.zip"))
    assert 0 < model.num_timesteps < 200
    assert "learn" not in vars(model)


def test_ctrl_c_ends_a_search(defaults: cli.ZooDefaults, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the first trial of a search is raised, not a sentence about trials."""

    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ExperimentManager, "objective", interrupt)
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
    # Beside it there may be a table, which is complete only when the best model is saved.
    assert len(list(folder.glob(".*.zip.saving-*"))) == 1
    models = list(folder.glob("*.zip"))
    assert models
    for model in models:
        assert np.isfinite(load_agent("dqn", model).num_timesteps)
    train(defaults)
    assert not list(Path("logs").rglob("*.saving-*"))
    remove_left_behind(folder)
    assert set(folder.glob("*.zip")) == set(models)
