"""train.py --resume: a training that was interrupted ends as if it had not been."""

import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch as th

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import train  # noqa: E402
from sb3_ext.zoo import load_agent  # noqa: E402
from sb3_ext.zoo.algorithms import ALGORITHMS  # noqa: E402

ENV_ID = "EchoLabScarce-v0"
SMALL = ["--verbose", "0", "--num-threads", "1", "--seed", "1", "--eval-episodes", "2", "--env", ENV_ID]
Q_LEARNING = ["learning_starts:60", "batch_size:16", "buffer_size:150", "policy_kwargs:dict(net_arch=[8])"]
CALLBACKS = (
    "callback:[{'sb3_ext.callbacks.LearningRateOnPlateau': {'patience': 3}}, "
    "{'sb3_ext.callbacks.EpsilonReset': {'episode': 2}}, "
    "{'sb3_ext.callbacks.AbsenceRateCurriculum': {'hold': 1, 'anneal': 5}}]"
)
RUNS: dict[str, tuple[str, list[str], list[str]]] = {
    "maskable_dqn": (
        "maskable_dqn",
        [*Q_LEARNING, "n_envs:2", "normalize:True", "prioritized_replay:True", "n_steps:3", "learning_rate:lin_0.001"],
        [],
    ),
    "maskable_dqn, single environments": (
        "maskable_dqn",
        [*Q_LEARNING, "n_envs:1", "normalize:True", "target_update_interval:7", CALLBACKS],
        ["--vec-env", "dummy"],
    ),
    "lookahead_dqn": (
        "lookahead_dqn",
        [*Q_LEARNING, "n_envs:2", "normalize:True", "base_steps:150", "target_update_interval:20"],
        [],
    ),
    "maskable_ppo": ("maskable_ppo", ["n_envs:2", "n_steps:20", "batch_size:8", "normalize:True"], []),
    "maskable_ppo, single environments": (
        "maskable_ppo",
        ["n_envs:2", "n_steps:20", "batch_size:8", "normalize:True"],
        ["--vec-env", "dummy"],
    ),
    "dqn": ("dqn", [*Q_LEARNING, "normalize:True"], []),
}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    th.set_num_threads(1)


def run_folder(algo: str, number: int = 1) -> Path:
    """The folder in which rl_zoo3 puts a run."""
    return Path("logs") / algo / f"{ENV_ID}_{number}"


def learned(algo: str, folder: Path) -> dict[str, Any]:
    """What a training in this module's environment has learned."""
    return learned_in(algo, folder, ENV_ID)


def learned_in(algo: str, folder: Path, env_id: str) -> dict[str, Any]:
    """All that a training has learned, as plain data: parameters, optimizer, statistics, counts."""
    model = ALGORITHMS[algo].load(folder / f"{env_id}.zip", device="cpu")
    statistics = folder / env_id / "vecnormalize.pkl"
    counts = ("num_timesteps", "_n_updates", "_episode_num", "_current_progress_remaining", "exploration_rate")
    return {
        "parameters": model.policy.state_dict(),
        "optimizer": model.policy.optimizer.state_dict(),
        "counts": {name: getattr(model, name, None) for name in counts},
        "callbacks": getattr(model, "callback_states", None),
        "last": model._last_obs,
        "statistics": _running(pickle.loads(statistics.read_bytes())) if statistics.is_file() else None,
        "evaluations": dict(np.load(folder / "evaluations.npz")) if (folder / "evaluations.npz").is_file() else None,
    }


def _running(normalizer: Any) -> dict[str, Any]:
    return {name: vars(getattr(normalizer, name)) for name in ("obs_rms", "ret_rms")}


def assert_same(left: Any, right: Any, where: str = "") -> None:
    """Equality to the bit of nested dictionaries of tensors, arrays and numbers."""
    if isinstance(left, dict):
        assert left.keys() == right.keys(), where
        for name in left:
            assert_same(left[name], right[name], f"{where}/{name}")
    elif isinstance(left, th.Tensor | np.ndarray):
        np.testing.assert_array_equal(np.asarray(left), np.asarray(right), err_msg=where)
    else:
        assert left == right, where


@pytest.mark.parametrize("name", RUNS)
def test_a_resumed_run_ends_as_an_unbroken_one(name: str) -> None:
    """Weights, optimizer, statistics and evaluations equal those of the unbroken run to the bit."""
    algo, params, options = RUNS[name]
    command = [*SMALL, "--algo", algo, "-n", "240", "--eval-freq", "100", *options, "-params", *params]
    command += ["--env-kwargs", "clock:event", "idling:False"]
    assert train.main(command) == 0
    assert train.main([*command, "--save-freq", "110", "--save-replay-buffer"]) == 0
    unbroken = learned(algo, run_folder(algo, 1))
    assert_same(unbroken, learned(algo, run_folder(algo, 2)))
    first = sorted(run_folder(algo, 2).glob("rl_model_???_steps.zip"))[0]
    assert 110 <= load_agent(algo, first).num_timesteps <= 130
    assert train.main(["--resume", str(first)]) == 0
    assert_same(unbroken, learned(algo, run_folder(algo, 3)))
    assert unbroken["counts"]["_n_updates"] > 0


@pytest.mark.slow
def test_environments_in_subprocesses_are_resumed() -> None:
    """The episodes of environments in other processes go on too."""
    options = ["--vec-env", "subproc", "--eval-freq", "-1", "--save-freq", "110", "--algo", "maskable_ppo"]
    params = ["-params", "n_envs:2", "n_steps:20", "batch_size:8", "normalize:True"]
    assert train.main([*SMALL, "-n", "240", *options, *params]) == 0
    assert train.main(["--resume", str(run_folder("maskable_ppo") / "rl_model_120_steps.zip")]) == 0
    assert_same(*(learned("maskable_ppo", run_folder("maskable_ppo", number)) for number in (1, 2)))


@pytest.mark.slow
@pytest.mark.parametrize("algo", ["maskable_dqn", "maskable_ppo"])
def test_a_killed_run_is_resumed(algo: str) -> None:
    """A run that SIGKILL ends is resumed from its latest checkpoint, in another process, and ends as without it."""
    settings = {"maskable_dqn": Q_LEARNING, "maskable_ppo": ["n_steps:20", "batch_size:8"]}[algo]
    command = [sys.executable, str(ROOT / "train.py"), *SMALL, "--algo", algo, "-n", "3000", "--save-freq", "500"]
    command += ["--save-replay-buffer", "--eval-freq", "700", "-params", *settings, "n_envs:2", "normalize:True"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        killed = run_folder(algo, 2)
        while len(list(killed.glob("rl_model_*_steps.zip"))) < 2 and process.poll() is None:
            time.sleep(0.005)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    latest = max(killed.glob("rl_model_*_steps.zip"), key=lambda path: path.stat().st_mtime)
    resume = [sys.executable, str(ROOT / "train.py"), "--resume", str(latest)]
    subprocess.run(resume, check=True, stdout=subprocess.DEVNULL)
    assert_same(learned(algo, run_folder(algo, 1)), learned(algo, run_folder(algo, 3)))
