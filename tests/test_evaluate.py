"""evaluate.py: its JSON, its models, its errors."""

from __future__ import annotations

import csv
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from interrupts import heed_ctrl_c
from PIL import Image
from sb3_contrib import QRDQN, MaskablePPO
from stable_baselines3 import DQN
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import echo_env  # noqa: F401
import evaluate
from echo_env.common.files import MARKER, files_in
from echo_env.lab import Comparison, LabConfig, Policy, sample_days
from echo_env.lab import evaluate as evaluate_policies
from echo_env.lab.envs.wrappers import NearestFeasibleAction
from echo_env.lab.evaluation import results
from echo_env.lab.report import figures
from sb3_ext.maskable_dqn import MaskableDQN

ROOT = Path(evaluate.__file__).parent
SCARCE = LabConfig.load("scarce")


def test_json_holds_what_was_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--json holds each policy and its paired differences; the tables say what was compared."""
    out = tmp_path / "new" / "table.json"
    arguments = ["--env", "EchoLabScarce-v0", "--policies", "policy_1", "policy_2", "fetal_first"]
    assert evaluate.main([*arguments, "--days", "12", "--seed", "7", "--json", str(out)]) == 0
    got = json.loads(out.read_text())
    assert (got["env"], got["days"], got["seed"]) == ("EchoLabScarce-v0", 12, 7)
    assert set(got["policies"]) == {"policy_1", "policy_2", "fetal_first"}
    assert set(got["paired"]) == {"policy_2", "fetal_first"}
    printed = capsys.readouterr().out
    assert "minus policy_1" in printed
    assert "12 days, seed 7" in printed


def test_saved_models_of_any_algorithm_are_policies(tmp_path: Path) -> None:
    """Saved models of maskable and other algorithms can be compared with rules."""
    env = gym.make("EchoLabScarce-v0", clock="event", idling=False)
    MaskablePPO("MlpPolicy", env, n_steps=16, batch_size=16).save(tmp_path / "masked")
    DQN("MlpPolicy", NearestFeasibleAction(env), buffer_size=10).save(tmp_path / "plain")
    models = [f"maskable_ppo={tmp_path / 'masked.zip'}", f"dqn={tmp_path / 'plain.zip'}"]
    out = tmp_path / "table.json"
    arguments = ["--policies", "policy_2", *models, "--days", "3", "--env-kwargs", "idling:False", "--trust"]
    assert evaluate.main([*arguments, "--json", str(out)]) == 0
    assert set(json.loads(out.read_text())["paired"]) == {"maskable_ppo", "dqn"}


def test_two_models_of_one_algorithm_are_told_apart(tmp_path: Path) -> None:
    """Two models of one algorithm go by what was typed."""
    env = gym.make("EchoLabScarce-v0", clock="event", idling=False)
    for seed in (1, 2):
        MaskablePPO("MlpPolicy", env, n_steps=16, batch_size=16, seed=seed).save(tmp_path / f"model{seed}")
    models = [f"maskable_ppo={tmp_path / f'model{seed}.zip'}" for seed in (1, 2)]
    assert evaluate.main(["--trust", "--policies", *models, "--days", "2", "--json", str(tmp_path / "t.json")]) == 0
    assert list(json.loads((tmp_path / "t.json").read_text())["policies"]) == models


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--env", "EchoLabScarse-v0"], "did you mean EchoLabScarce-v0?"),
        (["--env", "EchoLabScarse-v0", "--config", "scarce"], "did you mean EchoLabScarce-v0?"),
        (["--policies", "maskable_dqn="], "--policies has 'maskable_dqn=', but a trained model is given as ALGO=PATH"),
        (["--figures=x"], "--figures takes no value, not 'x'"),
        (["stray"], "'stray' belongs to no option"),
        (["--policies", "policy_22"], "known: auction, fetal_first, policy_1"),
        (["--policies", "maskable_dqn=nowhere.zip"], "nowhere.zip"),
        (["--policies", "maskable_dqm=x.zip"], "maskable_dqn"),
        (["--config", "nowhere.yaml"], "neither a file nor a preset"),
        (["--days", "0"], "days is 0"),
        (["--days", "1.5"], "'1.5' is not a whole number"),
        (["--days", "1e3"], "'1e3' is not a whole number"),
        (["--days", "100000000"], "days is 100000000, but must be at least 1 and at most 10,000,000"),
        (["--days", "99999999999999999999"], "is not a whole number of at most 18 digits"),
        (["--reference", ""], "--reference is '', but must be one of policy_2"),
        (["--import", "mine"], "a folder without an __init__.py"),
        (["--seed", "-3"], "--seed is -3, but must be at least 0"),
        (["--env-kwargs", "idlng:False"], "'idlng', but takes only observation and idling"),
        (["--env-kwargs", "idling:maybe"], "idling:maybe, but idling must be one of True, true, False, false"),
        (["--env-kwargs", "idling:1"], "idling:1, but idling must be one of"),
        (["--env-kwargs", "idling"], "idling:, but idling must be one of"),
        (["--env-kwargs", "observation:poor"], "observation:poor, but observation must be one of paper, rich"),
        (["--engine", "fast"], "must be one of auto, simpy, compiled"),
        (["--figures"], "--figures needs --output DIR"),
        (["--output", "mine"], "mine holds summary.json, written by no run of this version"),
        (["--output", ""], "--output is empty, but must be a folder"),
        (["--json", "mine"], "--json mine is a folder, but must be a regular file, or - for standard output"),
        (["--config", "mine/lab.yaml", "--json", "mine/lab.yaml"], "--json mine/lab.yaml is also --config"),
        (["--policies", "dqn=mine/mine.txt", "--json", "mine/mine.txt"], "--json mine/mine.txt is also --policies"),
        (["--output", "mine/mine.txt"], "mine.txt is in the way, because it is not a folder"),
        (["--output", "new", "--json", "new/t.json"], "--json new/t.json lies in --output"),
        (["--reference", "policy_9"], "reference is 'policy_9', but must be one of policy_2, policy_1"),
        (["--jobs", "0"], "jobs is 0, but must be a whole number of at least 1"),
        (["--policies", "random", "random"], "--policies has 'random' twice"),
    ],
)
def test_errors_are_one_sentence_and_exit_code_2(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Unusable input gives one sentence on stderr, exit status 2 and no files."""
    monkeypatch.chdir(tmp_path)
    Path("mine").mkdir()
    for name in ("mine.txt", "summary.json", "lab.yaml"):
        Path("mine", name).write_text("mine")
    before = files_in(tmp_path)
    assert evaluate.main(["--json", "t.json", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert len(error.splitlines()) == 1
    assert files_in(tmp_path) == before


def test_the_command_says_the_same_and_exits(tmp_path: Path) -> None:
    """The process exits with status 2 and the same sentence."""
    command = [sys.executable, str(ROOT / "evaluate.py"), "--env", "EchoLabScarse-v0"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: env 'EchoLabScarse-v0' is unknown (did you mean EchoLabScarce-v0?)")
    assert len(done.stderr.splitlines()) == 1


def test_a_model_of_another_env_is_refused_with_both_shapes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model of another environment is refused; the error has both shapes."""
    DQN("MlpPolicy", "CartPole-v1", buffer_size=10).save(tmp_path / "pole")
    assert evaluate.main(["--policies", f"dqn={tmp_path / 'pole.zip'}", "--days", "2", "--trust"]) == 2
    error = capsys.readouterr().err
    assert "(4,)" in error
    assert "(13,)" in error


TRAINED: dict[str, tuple[type[BaseAlgorithm], dict[str, Any]]] = {
    "maskable_ppo": (MaskablePPO, {}),
    "maskable_dqn": (MaskableDQN, {"buffer_size": 10}),
    "dqn": (DQN, {"buffer_size": 10}),
    "qrdqn": (QRDQN, {"buffer_size": 10, "policy_kwargs": {"n_quantiles": 2}}),
}


def lab_env(algo: str, env_kwargs: dict[str, Any]) -> gym.Env[Any, Any]:
    """The env as the zoo makes it for an algorithm."""
    env = gym.make("EchoLabScarce-v0", **env_kwargs)
    return env if algo.startswith("maskable") else NearestFeasibleAction(env)


def days_in_the_env(model: BaseAlgorithm, env: gym.Env[Any, Any], masked: bool, days: int, seen: Any) -> list[float]:
    """Penalties of the days of seed 5 when the model is stepped through its own env."""
    penalties = []
    for day in sample_days(SCARCE, days, 5):
        observation, info = env.reset(options={"day": day})
        over, penalty = False, 0.0
        while not over:
            masks = {"action_masks": info["action_mask"]} if masked else {}
            action, _ = model.predict(seen(observation), deterministic=True, **masks)
            observation, _, over, _, info = env.step(action)
            penalty += info["penalty"]
        penalties.append(penalty)
    return penalties


@pytest.mark.parametrize(
    ("clock", "idling", "observation"),
    [("minute", True, "paper"), ("event", False, "paper"), ("minute", False, "rich"), ("event", True, "rich")],
)
@pytest.mark.parametrize("algo", TRAINED)
def test_models_are_evaluated_as_they_were_trained(
    algo: str, clock: str, idling: bool, observation: str, tmp_path: Path
) -> None:
    """Under both engines a model pays what it pays when stepped through the env it was trained in."""
    pytest.importorskip("numba")
    algorithm, options = TRAINED[algo]
    env_kwargs = {"clock": clock, "idling": idling, "observation": observation, "reward": "paired"}
    env = lab_env(algo, env_kwargs)
    model: Any = algorithm("MlpPolicy", env, seed=3, **options)
    # What training with the zoo notes down.
    model.env_spec = {"id": "EchoLabScarce-v0", "kwargs": env_kwargs}
    model.save(tmp_path / "model")
    expected = days_in_the_env(model, env, algo.startswith("maskable"), 2, seen=lambda observation: observation)
    for engine in ("simpy", "compiled"):
        (policy,) = evaluate.find_policies([f"{algo}={tmp_path / 'model'}"], SCARCE, {}, trust=True).values()
        got = evaluate_policies(SCARCE, [policy], 2, seed=5, engine=engine)
        assert got.values[algo]["penalty"].tolist() == expected


@pytest.mark.parametrize("algo", ["maskable_ppo", "dqn"])
def test_normalised_observations_are_normalised_as_in_training(algo: str, tmp_path: Path) -> None:
    """A model trained with normalize: true sees observations normalised by its training statistics."""
    algorithm, options = TRAINED[algo]
    env = lab_env(algo, {"clock": "event", "idling": False})
    normalised = VecNormalize(DummyVecEnv([lambda: env]))
    normalised.obs_rms.mean += 0.3
    normalised.obs_rms.var *= 0.04
    model: Any = algorithm("MlpPolicy", env, seed=3, **options)
    model.env_spec = {"id": "EchoLabScarce-v0", "kwargs": {"idling": False}}
    model.save(tmp_path / "EchoLabScarce-v0.zip")
    (tmp_path / "EchoLabScarce-v0").mkdir()
    normalised.save(str(tmp_path / "EchoLabScarce-v0" / "vecnormalize.pkl"))
    masked = algo.startswith("maskable")
    expected, plain = (
        days_in_the_env(model, env, masked, 3, seen) for seen in (normalised.normalize_obs, lambda shown: shown)
    )
    assert expected != plain
    for path in (tmp_path, tmp_path / "EchoLabScarce-v0.zip"):
        (policy,) = evaluate.find_policies([f"{algo}={path}"], SCARCE, {}, trust=True).values()
        got = evaluate_policies(SCARCE, [policy], 3, seed=5)
        assert got.values[algo]["penalty"].tolist() == expected


def test_a_model_goes_to_other_processes_with_its_file(tmp_path: Path) -> None:
    """A pickled model brings its file along, and decides the same where there is none."""
    MaskablePPO("MlpPolicy", lab_env("maskable_ppo", {}), n_steps=16, batch_size=16, seed=3).save(tmp_path / "model")
    model = f"maskable_ppo={tmp_path / 'model'}"
    (policy,) = evaluate.find_policies([model], SCARCE, {"idling": False}, trust=True).values()
    policy.name = "mine"
    pickled = pickle.dumps(policy)
    (tmp_path / "model.zip").unlink()
    again: Policy = pickle.loads(pickled)
    assert again.name == "mine"
    assert again.idling is False  # type: ignore[attr-defined]
    first, second = (evaluate_policies(SCARCE, [p], 5, seed=5).values["mine"]["penalty"] for p in (policy, again))
    assert np.array_equal(first, second)


def test_rules_with_arguments_are_no_models(tmp_path: Path) -> None:
    """A rule's arguments are not read as ALGO=PATH."""
    rules = ["policy_2", "policy_5(alpha=1,beta=0.25)"]
    arguments = ["--policies", *rules, "--reference", rules[1], "--days", "3", "--output", str(tmp_path / "out")]
    assert evaluate.main(arguments) == 0
    got = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert list(got["policies"]) == ["policy_2", "policy_5(alpha=1, beta=0.25)"]
    assert got["reference"] == "policy_5(alpha=1, beta=0.25)"


def test_output_holds_everything_and_is_replaced_whole(tmp_path: Path) -> None:
    """Files of an earlier run are replaced; days.csv, summary.json and TensorBoard agree."""
    out = tmp_path / "new" / "scarce"
    arguments = ["--policies", "policy_1", "fetal_first", "--seed", "3", "--output", str(out)]
    for days in (4, 6):
        assert evaluate.main([*arguments, "--days", str(days)]) == 0
    expected = evaluate_policies(SCARCE, ["policy_1", "fetal_first"], 6, seed=3)
    with open(out / "days.csv", encoding="utf8", newline="") as file:
        paid = [float(row["penalty"]) for row in csv.DictReader(file) if row["policy"] == "fetal_first"]
    assert np.array_equal(paid, expected.values["fetal_first"]["penalty"])
    summary = json.loads((out / "summary.json").read_text())
    assert summary["reference"] == "policy_1"
    assert {*summary["files"], MARKER} == files_in(out)
    assert "--days 6" in summary["command"]
    assert sorted(entry.name for entry in out.iterdir()) == [MARKER, "days.csv", "summary.json", "tensorboard"]
    assert [entry.name for entry in out.parent.iterdir()] == ["scarce"]
    for name in expected.values:
        run = EventAccumulator(str(out / "tensorboard" / name), {"scalars": 0})
        run.Reload()
        last = run.Scalars("mean/penalty")[-1]
        assert (last.step, last.value) == (6, pytest.approx(expected.mean(name, "penalty").mean, rel=1e-6))
    last = run.Scalars("minus_policy_1/penalty")[-1]
    assert last.value == pytest.approx(expected.paired("fetal_first", "penalty").mean, rel=1e-6)


def test_a_folder_of_an_earlier_version_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Results without our marker stay as they are, whatever their summary lists."""
    (tmp_path / "days.csv").write_text("old")
    (tmp_path / "summary.json").write_text('{"files": ["days.csv", "summary.json"]}')
    assert evaluate.main(["--days", "1", "--output", str(tmp_path)]) == 2
    words = "holds days.csv and 1 more, written by no run of this version: move that away, or choose another folder"
    assert words in capsys.readouterr().err
    assert (tmp_path / "days.csv").read_text() == "old"


def test_json_goes_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """``--json -`` prints JSON alone; the tables go to standard error."""
    assert evaluate.main(["--policies", "policy_1", "--days", "2", "--json", "-"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["days"] == 2
    assert "policy_1" in printed.err


def test_figures_are_written_beside_and_shown_in_tensorboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--figures draws the compared policies and days; the figures are in TensorBoard too."""

    def write_figures(
        directory: Path, comparison: Comparison, config: LabConfig, policies: list[Policy], seed: int, **_: object
    ) -> list[Path]:
        assert (config, seed, comparison.seed) == (SCARCE, 3, 3)
        assert [policy.name for policy in policies] == list(comparison.values) == ["policy_1", "policy_2"]
        directory.mkdir()
        Image.new("RGB", (6, 4)).save(directory / "waits.png")
        return [directory / "waits.png"]

    monkeypatch.setattr(figures, "write_figures", write_figures)
    arguments = ["--policies", "policy_1", "policy_2", "--seed", "3", "--days", "2", "--figures"]
    assert evaluate.main([*arguments, "--output", str(tmp_path / "out")]) == 0
    assert "figures/waits.png" in files_in(tmp_path / "out")
    shown = EventAccumulator(str(tmp_path / "out" / "tensorboard" / "pictures"), {"images": 0})
    shown.Reload()
    assert shown.Images("waits")[0].width == 6


@pytest.mark.slow
def test_the_real_figures_are_written(tmp_path: Path) -> None:
    """The real figures are written as PNG and PDF."""
    arguments = [
        "--policies",
        "policy_2",
        "fetal_first",
        "--days",
        "20",
        "--figures",
        "--output",
        str(tmp_path / "out"),
    ]
    assert evaluate.main(arguments) == 0
    written = {path.stem: path.suffix for path in (tmp_path / "out" / "figures").iterdir()}
    assert len(written) > 5
    assert {path.suffix for path in (tmp_path / "out" / "figures").iterdir()} == {".png", ".pdf"}


def test_interrupted_writing_leaves_the_earlier_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C while writing leaves the earlier results."""
    arguments = ["--policies", "policy_1", "--output", str(tmp_path / "out")]
    assert evaluate.main([*arguments, "--days", "2"]) == 0

    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(results, "write_summary", interrupt)
    assert evaluate.main([*arguments, "--days", "3"]) == 130
    assert capsys.readouterr().err == "interrupted\n"
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["days"] == 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
@pytest.mark.parametrize("later", [0.0, 1.5])
def test_interrupted_run_leaves_no_output_and_no_workers(tmp_path: Path, later: float) -> None:
    """Ctrl-C ends the command and its workers with status 130, one word on stderr and no files."""
    options = "--policies policy_3 --days 1000000 --engine simpy --jobs 2 --output new/out"
    command = [sys.executable, str(ROOT / "evaluate.py"), *options.split()]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        start_new_session=True,
        preexec_fn=heed_ctrl_c,
    )
    try:
        limit = time.monotonic() + 60
        # The command, what multiprocessing cleans up with, and two workers, which are perhaps still importing.
        while len(processes_of(process.pid)) < 4 and time.monotonic() < limit:
            time.sleep(0.02)
        time.sleep(later)
        # To all of them, as a terminal does it.
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err) == (130, "", "interrupted\n")
        while processes_of(process.pid) and time.monotonic() < limit:
            time.sleep(0.02)
        assert not processes_of(process.pid)
        assert not list(tmp_path.iterdir())
    finally:
        if processes_of(process.pid):
            os.killpg(process.pid, signal.SIGKILL)


def processes_of(group: int) -> list[int]:
    """Processes of a group that have not ended."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, own = status.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(own) == group and state != "Z":
            found.append(int(status.parent.name))
    return found


def test_rules_alone_need_no_torch() -> None:
    """Comparing rules does not import torch."""
    code = "import sys, evaluate; evaluate.main(['--policies', 'policy_2', '--days', '2'])"
    code += "; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True)
