"""Saves that are interrupted leave the earlier file whole."""

import io
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch as th
from masked_envs import CountingEnv
from stable_baselines3 import DQN
from stable_baselines3.common import save_util
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize

from sb3_ext import LookaheadDQN, MaskableDQN, MaskablePPO
from sb3_ext.common import saving
from sb3_ext.common.saving import remove_left_behind, saved_whole
from sb3_ext.maskable_dqn.base import MaskedQLearning
from sb3_ext.zoo.replacing import saving_whole

DATA = Path(__file__).parent.parent / "data"
KILLED = """
import os, signal, sys
from sb3_ext.common.saving import saved_whole
with saved_whole(sys.argv[1], "zip") as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""
"""A process that is killed in the middle of a save."""


def some_model(algo: str) -> BaseAlgorithm:
    """A small model."""
    th.set_num_threads(1)
    if algo == "maskable_ppo":
        return MaskablePPO("MlpPolicy", CountingEnv(), device="cpu")
    return {"maskable_dqn": MaskableDQN, "lookahead_dqn": LookaheadDQN}[algo].load(DATA / f"{algo}.zip")


def half_then(error: type[BaseException]) -> Callable[..., None]:
    """A writer that fails half-way."""

    def write(obj: Any, file: Any, *args: Any, **kwargs: Any) -> None:
        file.write(b"half")
        raise error("disk full")

    return write


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
@pytest.mark.parametrize("algo", ["maskable_dqn", "lookahead_dqn", "maskable_ppo"])
def test_an_interrupted_save_leaves_the_earlier_model(
    algo: str, error: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The earlier model is the same to the bit, and no temporary file stays."""
    model = some_model(algo)
    model.save(tmp_path / "model")
    before = (tmp_path / "model.zip").read_bytes()
    monkeypatch.setattr(save_util.th, "save", half_then(error))
    with pytest.raises(error):
        model.save(tmp_path / "model.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["model.zip"]
    assert (tmp_path / "model.zip").read_bytes() == before


@pytest.mark.parametrize("algo", ["maskable_dqn", "lookahead_dqn"])
def test_an_interrupted_save_leaves_the_earlier_replay_buffer(
    algo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The earlier buffer is the same to the bit, and no temporary file stays."""
    model = some_model(algo)
    assert isinstance(model, MaskedQLearning)
    model.load_replay_buffer(DATA / f"{algo}_buffer.pkl")
    model.save_replay_buffer(tmp_path / "buffer")
    before = (tmp_path / "buffer.pkl").read_bytes()
    assert isinstance(pickle.loads(before), type(model.replay_buffer))
    monkeypatch.setattr(save_util.pickle, "dump", half_then(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        model.save_replay_buffer(tmp_path / "buffer.pkl")
    assert [path.name for path in tmp_path.iterdir()] == ["buffer.pkl"]
    assert (tmp_path / "buffer.pkl").read_bytes() == before


def test_all_that_sb3_saves_is_saved_whole_while_the_zoo_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DQN's models and buffers and the statistics of VecNormalize keep their names, contents and earlier files."""
    env = VecNormalize(make_vec_env("CartPole-v1"))
    model = DQN("MlpPolicy", env, device="cpu", buffer_size=50)

    def save() -> None:
        model.save(tmp_path / "model")
        model.save_replay_buffer(tmp_path / "buffer")
        env.save(str(tmp_path / "statistics"))

    with saving_whole():
        save()
        names = {"model.zip", "buffer.pkl", "statistics"}
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        assert set(before) == names
        assert np.array_equal(VecNormalize.load(str(tmp_path / "statistics"), env.venv).obs_rms.mean, env.obs_rms.mean)
        for module, name in ((save_util.th, "save"), (save_util.pickle, "dump"), (saving.pickle, "dump")):
            with monkeypatch.context() as patched:
                patched.setattr(module, name, half_then(OSError))
                with pytest.raises(OSError, match="disk full"):
                    save()
            assert set(os.listdir(tmp_path)) == names
        assert (tmp_path / "statistics").read_bytes() == before["statistics"]
        assert (tmp_path / "buffer.pkl").read_bytes() == before["buffer.pkl"]
    assert VecNormalize.save is not saving.save_statistics_whole


def test_open_files_are_written_to_as_by_sb3() -> None:
    """A model and a replay buffer can be saved into memory."""
    model = MaskableDQN("MlpPolicy", CountingEnv(), device="cpu", buffer_size=50)
    for save, start in ((model.save, b"PK"), (model.save_replay_buffer, b"\x80")):
        file = io.BytesIO()
        save(file)
        assert file.getvalue().startswith(start)


def test_names_links_and_permissions_are_as_by_sb3(tmp_path: Path) -> None:
    """A suffix is added to a name without one, folders are made, links are followed, the umask is obeyed."""
    (tmp_path / "link.zip").symlink_to("real.zip")
    for name in ("new/model", "new/model.v1", "link.zip"):
        with saved_whole(tmp_path / name, "zip") as file:
            file.write(b"x")
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"model.zip", "model.v1"}
    assert (tmp_path / "link.zip").is_symlink()
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / "real.zip").stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_kill_leaves_the_earlier_file_and_what_can_be_removed(tmp_path: Path) -> None:
    """After SIGKILL the earlier file is whole, and only the killed process's temporary file is removed."""
    target = tmp_path / "model.zip"
    target.write_bytes(b"whole")
    done = subprocess.run([sys.executable, "-c", KILLED, str(target)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert target.read_bytes() == b"whole"
    (tmp_path / ".model.zip.saving-notes").write_text("mine")
    with saved_whole(tmp_path / "other.zip", "zip"):
        assert len(list(tmp_path.iterdir())) == 4
        remove_left_behind(tmp_path)
        assert len(list(tmp_path.iterdir())) == 3
    assert set(os.listdir(tmp_path)) == {"model.zip", "other.zip", ".model.zip.saving-notes"}
    remove_left_behind(tmp_path / "nowhere")
