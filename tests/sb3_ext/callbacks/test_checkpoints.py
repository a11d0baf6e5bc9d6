"""Checkpoints made and resumed from Python."""

import pickle
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch as th
from masked_envs import CountingEnv
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback, EveryNTimesteps
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecEnv, VecFrameStack

from sb3_ext.callbacks import ActionMaskStatistics, ResumableCheckpoint, Resume
from sb3_ext.callbacks.checkpoints import checkpoint_files
from sb3_ext.maskable_dqn import MaskableDQN
from sb3_ext.maskable_ppo import MaskablePPO

MAKERS: dict[str, Any] = {
    "maskable_dqn": partial(MaskableDQN, learning_starts=20, batch_size=8, buffer_size=60, n_steps=3, train_freq=4),
    "maskable_ppo": partial(MaskablePPO, n_steps=16, batch_size=8, n_epochs=2),
}


class Unpicklable(CountingEnv):
    """Holds what no pickle can."""

    def __init__(self) -> None:
        super().__init__()
        self.local = lambda: None


class Stop(BaseCallback):
    """Ends the training within a rollout."""

    def _on_step(self) -> bool:
        return self.n_calls < 30


def envs(stacked: bool = True) -> VecEnv:
    """Two environments, with one more layer that has a state."""
    env = make_vec_env(partial(CountingEnv, truncates=True, mask_in_info=True), n_envs=2, seed=1)
    return VecFrameStack(env, 2) if stacked else env


def callbacks(folder: Path, resume: dict[str, Any] | None = None) -> list[BaseCallback]:
    """Callbacks that count, a checkpoint every 40 steps and, where there is a state, what restores it."""
    checkpoint = ResumableCheckpoint(20, str(folder), save_replay_buffer=True)
    counting = [ActionMaskStatistics(window=30), EveryNTimesteps(14, ActionMaskStatistics(window=3))]
    checkpoint.companions = [*counting, checkpoint]
    return (
        [*checkpoint.companions] if resume is None else [*checkpoint.companions, Resume(resume, checkpoint.companions)]
    )


def parameters(model: BaseAlgorithm) -> np.ndarray:
    """All parameters in one row."""
    return th.nn.utils.parameters_to_vector(model.policy.parameters()).detach().numpy()


@pytest.mark.parametrize("algo", MAKERS)
def test_resuming_from_python(algo: str, tmp_path: Path) -> None:
    """A loaded checkpoint that learns on with its state ends with the weights and counts of the unbroken training."""
    th.set_num_threads(1)
    policy = {"policy_kwargs": {"net_arch": [8]}, "seed": 3, "device": "cpu"}
    whole, own = MAKERS[algo]("MlpPolicy", envs(), **policy), callbacks(tmp_path / "whole")
    whole.learn(160, callback=own)
    files = checkpoint_files(sorted((tmp_path / "whole").glob("rl_model_??_steps.zip"))[0])
    assert files is not None
    state = pickle.loads(files.state.read_bytes())
    model = type(whole).load(files.model, env=envs(), device="cpu", force_reset=False)
    if files.buffer.is_file():
        model.load_replay_buffer(files.buffer)
    resumed = callbacks(tmp_path / "resumed", state)
    left = 160 - model.num_timesteps
    model.learn(left, callback=resumed, reset_num_timesteps=False)
    assert left > 60
    np.testing.assert_array_equal(parameters(model), parameters(whole))
    for name in ("_offered", "_ranks", "n_calls"):
        assert getattr(resumed[0], name) == getattr(own[0], name)
        assert getattr(resumed[1].callback, name) == getattr(own[1].callback, name)  # type: ignore[attr-defined]


def test_an_environment_that_cannot_be_pickled_is_told(tmp_path: Path) -> None:
    """The checkpoint is saved, and its state says why the environment is not in it."""
    model = MAKERS["maskable_ppo"]("MlpPolicy", make_vec_env(Unpicklable), device="cpu")
    model.learn(32, callback=ResumableCheckpoint(16, str(tmp_path)))
    files = checkpoint_files(tmp_path / "rl_model_16_steps.zip")
    assert files is not None
    assert files.model.is_file()
    state = pickle.loads(files.state.read_bytes())
    assert state["environment"] is None
    assert "pickle" in state["why_no_environment"]


def test_no_checkpoint_is_made_within_a_rollout(tmp_path: Path) -> None:
    """Where a callback ends the training within a rollout, the checkpoint that was due there is not saved."""
    model = MAKERS["maskable_ppo"]("MlpPolicy", envs(stacked=False), device="cpu")
    model.learn(200, callback=[Stop(), ResumableCheckpoint(20, str(tmp_path))])
    assert model.num_timesteps == 60
    assert not list(tmp_path.glob("*.zip"))


def test_other_environments_and_callbacks_are_refused(tmp_path: Path) -> None:
    """A state is restored only into environments and callbacks like its own."""
    model = MAKERS["maskable_ppo"]("MlpPolicy", envs(stacked=False), device="cpu")
    model.learn(64, callback=callbacks(tmp_path))
    state = pickle.loads((tmp_path / "rl_model_64_steps.zip").with_name("rl_model_state_64_steps.pkl").read_bytes())
    with pytest.raises(ValueError, match="must have the callback ActionMaskStatistics"):
        model.learn(32, callback=[Resume(state, [])], reset_num_timesteps=False)
    model = MAKERS["maskable_ppo"]("MlpPolicy", envs(), device="cpu")
    with pytest.raises(ValueError, match="The environment must be DummyVecEnv"):
        model.learn(32, callback=callbacks(tmp_path, state))


def test_which_files_belong_to_a_checkpoint() -> None:
    """Only names of checkpoints are taken for such."""
    files = checkpoint_files("a/b_1_steps_20_steps.zip")
    assert files is not None
    assert files.buffer == Path("a/b_1_steps_replay_buffer_20_steps.pkl")
    assert checkpoint_files("a/best_model.zip") is None
