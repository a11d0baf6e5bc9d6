"""The agents in zoo_configs/agents: their listed evaluations, and the command that adds one."""

from __future__ import annotations

import hashlib
import importlib
import pickle
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import gymnasium as gym
import numpy as np
import pytest
import yaml
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

pytest.importorskip("rl_zoo3")
pd = pytest.importorskip("pandas")
ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import export_agent  # noqa: E402

import evaluate  # noqa: E402
import train  # noqa: E402
from echo_env import ANY_ID  # noqa: E402
from echo_env.commands.players import models  # noqa: E402
from echo_env.commands.players.agent_list import LIST, ListedAgent, read_list  # noqa: E402
from echo_env.commands.players.generalist import GENERALIST  # noqa: E402
from echo_env.commands.players.trained_lab import training_note  # noqa: E402
from echo_env.lab import LabConfig  # noqa: E402
from echo_env.lab import evaluate as evaluate_policies  # noqa: E402
from sb3_ext import MaskableDQN  # noqa: E402
from sb3_ext.zoo import load_predictor  # noqa: E402
from sb3_ext.zoo.replacing import saving_whole  # noqa: E402
from sb3_ext.zoo.saved.plain import read_description  # noqa: E402

KEPT = read_list(models.AGENTS)
ENV_ID = "EchoLabScarce-v0"
SCARCE = LabConfig.load("scarce")

POINTS, MINUTES = 2.0, 0.1
"""How far a mean over the 400 days may be from what is written. Other processors add float32 numbers up in another
order, so two actions that are worth the same to the agent may change places. One such decision in the 400 days moves
the mean penalty by about 300 / 400 points; another agent, or policy_2, is tens of points away in the scarce lab."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a short training by train.py."""
    folder = tmp_path_factory.mktemp("training")
    settings = ["--verbose", "0", "--num-threads", "1", "--seed", "3", "--eval-freq", "-1", "--log-folder", str(folder)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "orig_argv", ["python3", str(ROOT / "train.py"), "--env", ENV_ID])
        assert train.main(["--algo", "maskable_dqn", "--env", ENV_ID, "-n", "1200", *settings]) == 0
    return folder / "maskable_dqn" / f"{ENV_ID}_1"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty list of agents, in place of the shipped one."""
    path = tmp_path / "agents"
    path.mkdir()
    (path / LIST).write_text("# What this is.\n{}\n")
    monkeypatch.setattr(models, "AGENTS", path)
    return path


@pytest.mark.parametrize("key", sorted(KEPT))
def test_kept_agents_do_what_is_written(key: str) -> None:
    """Each shipped agent reproduces the evaluation in its entry."""
    agent, config = KEPT[key], export_agent.evaluated_in(key.partition("/")[0])
    path = models.AGENTS / agent.file
    assert path.stat().st_size <= export_agent.MOST_BYTES
    got = export_agent.numbers(agent.algo, path, config)
    assert got.keys() == agent.evaluation.keys()
    for name, value in agent.evaluation.items():
        assert got[name] == pytest.approx(value, rel=0, abs=MINUTES if name.endswith("_min") else POINTS), name


def test_only_what_is_listed_is_kept() -> None:
    """The folder holds exactly the list and the models that it names, with the sums that it has."""
    assert {path.name for path in models.AGENTS.iterdir()} == {LIST, *(agent.file for agent in KEPT.values())}
    for agent in KEPT.values():
        assert hashlib.sha256((models.AGENTS / agent.file).read_bytes()).hexdigest() == agent.sha256


def _entry(file: str = "a.zip", sha256: str = "0" * 64) -> dict[str, Any]:
    """An entry of agents.yml."""
    provenance = "python train.py", "c.yml", 1, "abc", "2026-01-01"
    return ListedAgent("maskable_dqn", file, sha256, *provenance, {}).as_entry()


def _refuse(*_: Any, **__: Any) -> None:
    raise AssertionError("something was unpickled")


@pytest.mark.parametrize("key", sorted(KEPT))
def test_shipped_agents_load_without_unpickling(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shipped agent loads where every way to unpickle is an error, plays, and its file says how it was made."""
    # PyTorch imports it when the first optimizer is made, and classes in it are unpicklers.
    importlib.import_module("torch._dynamo")
    env_id, _, own = key.partition("/")
    config, kind = export_agent.evaluated_in(env_id), GENERALIST if env_id == ANY_ID else models.AGENT
    name = f"{kind}_{own}" if own else kind

    def played() -> Any:
        (policy,) = evaluate.find_policies([name], config, {}).values()
        return evaluate_policies(config, [policy], 3, 1).values[name]["penalty"]

    # Numba keeps compiled code as pickles of its own.
    first = played()
    with monkeypatch.context() as patch:
        for module in (pickle, cloudpickle):
            for name_of in ("load", "loads"):
                patch.setattr(module, name_of, _refuse)
        patch.setattr(pickle, "Unpickler", _refuse)
        assert np.array_equal(played(), first)
    agent = KEPT[key]
    provenance = read_description(models.AGENTS / agent.file).provenance
    assert provenance == {name: getattr(agent, name) for name in ("command", "config_file", "seed", "commit", "date")}


def test_a_shipped_agent_that_was_changed_is_refused(
    run: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another file under the name of a shipped agent is not played as `agent`."""
    export_agent.export(run, ENV_ID, folder)
    shutil.copyfile(run / f"{ENV_ID}.zip", folder / f"{ENV_ID}.zip")
    assert evaluate.main(["--policies", "agent", "policy_2", "--days", "2"]) == 2
    assert f"{ENV_ID}.zip is not the file whose sha256" in capsys.readouterr().err


@pytest.fixture
def pickled(run: Path, tmp_path: Path) -> Path:
    """A model as SB3 itself saves it."""
    path = tmp_path / "pickled.zip"
    MaskableDQN.load(run / f"{ENV_ID}.zip", device="cpu").save(path)
    return path


@pytest.mark.parametrize("more", [[], ["--sweep", "rooms.non_fetal=3:4", "--output", "out"]])
def test_a_model_from_elsewhere_needs_trust(
    more: list[str],
    run: Path,
    pickled: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A pickle is refused in one sentence, also by a sweep, and played with --trust; a model of train.py needs none."""
    monkeypatch.chdir(tmp_path)
    arguments = ["--days", "2", *more, "--policies", "policy_2"]
    assert evaluate.main([*arguments, f"maskable_dqn={pickled}"]) == 2
    refused = capsys.readouterr().err
    assert "pickled.zip holds pickled objects, and opening them can run code of whoever made the file" in refused
    assert "--trust (in Python trust=True) opens it" in refused
    assert len(refused.splitlines()) == 1
    assert not Path("out").exists()
    assert evaluate.main([*arguments, f"maskable_dqn={pickled}", "--trust"]) == 0
    assert evaluate.main([*arguments, f"maskable_dqn={run}"]) == 0


def test_a_listed_sum_is_trusted(pickled: Path, folder: Path) -> None:
    """A pickle whose SHA-256 stands in agents.yml needs no trust."""
    sha256 = hashlib.sha256(pickled.read_bytes()).hexdigest()
    (folder / LIST).write_text(yaml.safe_dump({ENV_ID: _entry(sha256=sha256)}))
    (policy,) = evaluate.find_policies([f"maskable_dqn={pickled}"], SCARCE, {}).values()
    assert policy.name == "maskable_dqn"
    with pickled.open("ab") as file:
        file.write(b" ")
    with pytest.raises(ValueError, match="holds pickled objects"):
        evaluate.find_policies([f"maskable_dqn={pickled}"], SCARCE, {})


def test_an_exported_agent_is_not_trained_further(
    run: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--trained-agent refuses an exported agent, and a run's model outside the log folder unless it is trusted."""
    monkeypatch.chdir(tmp_path)
    export_agent.export(run, ENV_ID, folder)
    arguments = ["--env", ENV_ID, "-n", "20", "--eval-freq", "-1", "--verbose", "0", "--num-threads", "1"]
    assert train.main([*arguments, "--trained-agent", str(folder / f"{ENV_ID}.zip")]) == 2
    assert "is an exported agent, which holds what acting needs only" in capsys.readouterr().err
    model = str(run / f"{ENV_ID}.zip")
    assert train.main([*arguments, "--trained-agent", model]) == 2
    assert "--trust" in capsys.readouterr().err
    assert not Path("logs").exists()
    assert train.main([*arguments, "--trained-agent", model, "--trust"]) == 0


def test_export_keeps_the_agent_and_tells_where_it_came_from(
    run: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exported agent decides as the trained one does, is smaller, and its entry names command, config and seed."""
    assert export_agent.main([str(run), "--env", ENV_ID, "--folder", str(folder)]) == 0
    assert yaml.safe_load(capsys.readouterr().out) == yaml.safe_load((folder / LIST).read_text())
    assert (folder / LIST).read_text().startswith("# What this is.\n")
    assert sorted(path.name for path in folder.iterdir()) == [f"{ENV_ID}.zip", LIST]
    agent = read_list(folder)[ENV_ID]
    assert (agent.algo, agent.config_file, agent.seed) == ("maskable_dqn", "zoo_configs/maskable_dqn.yml", 3)
    assert agent.command == f"python train.py --env {ENV_ID}"
    kept = folder / agent.file
    assert kept.stat().st_size < 0.6 * (run / f"{ENV_ID}.zip").stat().st_size
    (trained,) = evaluate.find_policies([f"maskable_dqn={run}"], SCARCE, {}).values()
    (again,) = evaluate.find_policies(["agent"], SCARCE, {}).values()
    both = evaluate_policies(SCARCE, ["policy_2", trained, again], export_agent.DAYS, export_agent.SEED)
    for metric in ("penalty", "wait_fetal_min"):
        assert np.array_equal(both.values["maskable_dqn"][metric], both.values["agent"][metric], equal_nan=True)
        assert agent.evaluation[metric] == pytest.approx(both.mean("agent", metric).mean, abs=1e-4)
    assert agent.evaluation["penalty_minus_policy_2"] == pytest.approx(both.paired("agent", "penalty").mean, abs=1e-4)


def test_an_exported_agent_normalises_as_in_training(run: Path, folder: Path, tmp_path: Path) -> None:
    """The statistics of a run that normalised observations are in the exported file, and applied to the bit."""
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    lab = gym.make(ENV_ID, clock="event", idling=False, actions="start")
    env = VecNormalize(DummyVecEnv([lambda: lab]), norm_reward=False)
    env.obs_rms.mean += 0.3  # type: ignore[union-attr]
    env.obs_rms.var *= 0.04  # type: ignore[union-attr]
    model: Any = MaskableDQN("MlpPolicy", env, seed=3, device="cpu", buffer_size=10)
    model.env_spec = {"id": ENV_ID, "kwargs": {"clock": "event", "idling": False, "actions": "start"}}
    with saving_whole():
        model.save(copy / f"{ENV_ID}.zip")
    export_agent.export(copy, ENV_ID, folder)
    again = load_predictor("maskable_dqn", folder / f"{ENV_ID}.zip")
    rng = np.random.default_rng(0)
    observations = rng.random((300, 13)).astype(np.float32)
    masks = rng.random((300, 7)) < 0.4
    masks[:, 6] = True
    got = again.predict(observations, deterministic=True, action_masks=masks)[0]  # type: ignore[call-arg]
    expected = model.predict(env.normalize_obs(observations), deterministic=True, action_masks=masks)[0]
    assert np.array_equal(got, expected)
    assert not np.array_equal(got, model.predict(observations, deterministic=True, action_masks=masks)[0])


def test_evaluate_tells_where_the_kept_agent_departs(
    run: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """--departures reports on the given days and reference, and writes its files, which a later run replaces."""
    export_agent.export(run, ENV_ID, folder)
    arguments = ["--env", ENV_ID, "--policies", "agent", "random", "policy_2", "--reference", "policy_2"]
    out = tmp_path / "out"
    assert evaluate.main([*arguments, "--days", "20", "--seed", "5", "--departures", "--output", str(out)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "Over 20 days of the lab 'scarce' (seed 5) agent departs from policy_2 in" in printed
    assert (out / "departures.md").read_text().startswith("# Where agent departs from policy_2\n")
    rows = pd.read_csv(out / "departures.csv")
    assert set(rows["policy"] + rows["reference"]) == {"agentpolicy_2"}
    # Again into the same folder: its files are known as ours.
    assert evaluate.main([*arguments, "--days", "2", "--output", str(out)]) == 0
    assert not (out / "departures.md").exists()


@pytest.mark.parametrize(
    ("policies", "message"),
    [
        (["policy_2", "random"], "but was to compare random with policy_2"),
        (["random", "policy_2"], "but was to compare policy_2 with random"),
        (["policy_2"], "but was to compare nobody with policy_2"),
        (["policy_2", "fetal_first", "--reference", "policy_9"], "reference is 'policy_9', but must be one of"),
    ],
)
def test_departures_refuse_policies_that_cannot_be_followed(
    policies: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """--departures refuses policies that cannot be followed before any day is played."""
    assert evaluate.main(["--policies", *policies, "--departures", "--days", "1000000"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1


def test_labs_without_an_agent_are_told_which_have_one(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A lab without an agent gives an error that names the labs with one; so does a missing file."""
    assert evaluate.main(["--policies", "policy_2", "agent"]) == 2
    assert "no agent is kept for the lab 'scarce', for none so far" in capsys.readouterr().err
    entry = _entry(file="none.zip")
    (folder / LIST).write_text(yaml.safe_dump({ENV_ID: entry}))
    for arguments in (["--env", "EchoLab-v0"], ["--config", str(_own_lab(tmp_path))]):
        assert evaluate.main([*arguments, "--policies", "policy_2", "agent"]) == 2
        assert "only for scarce" in capsys.readouterr().err
    assert evaluate.main(["--policies", "policy_2", "agent"]) == 2
    assert "There is no model at" in capsys.readouterr().err


def test_agents_have_names_of_their_own(
    run: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A lab may have several agents: a further one is `agent_NAME`; both play beside each other; other names are
    refused with those there are."""
    for name in ([], ["--name", "again"]):
        assert export_agent.main([str(run), "--env", ENV_ID, "--folder", str(folder), *name]) == 0
    assert list(read_list(folder)) == [ENV_ID, f"{ENV_ID}/again"]
    assert sorted(path.name for path in folder.iterdir()) == [f"{ENV_ID}.zip", f"{ENV_ID}_again.zip", LIST]
    arguments = ["--policies", "policy_2", "agent", "agent_again", "--days", "2"]
    assert evaluate.main([*arguments, "--output", str(tmp_path / "out")]) == 0
    rows = pd.read_csv(tmp_path / "out" / "days.csv").set_index("policy")["penalty"]
    assert list(rows["agent"]) == list(rows["agent_again"])
    capsys.readouterr()
    assert evaluate.main(["--policies", "policy_2", "agent_other"]) == 2
    assert "has 'agent_other', but the agents that are kept are agent, agent_again" in capsys.readouterr().err


def _own_lab(folder: Path) -> Path:
    path = folder / "mine.yaml"
    path.write_text("base: baseline\nname: mine\n")
    return path


def _lab(folder: Path, text: str) -> str:
    path = folder / "lab.yaml"
    path.write_text(f"base: scarce\n{text}\n")
    return str(path)


def test_an_agent_is_known_by_its_lab_not_by_its_name(tmp_path: Path) -> None:
    """A lab that equals one with an agent has that agent, whatever it is called."""
    config = LabConfig.load(_lab(tmp_path, "name: mine\nhours: {opening: 8:00}"))
    (policy,) = evaluate.find_policies(["agent"], config, {}).values()
    assert (policy.name, policy.note) == ("agent", "")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rooms: {non_fetal: 4}", "rooms.non_fetal was 3 there and is 4 here"),
        ("penalty: {late: 3}", "penalty.late was 2.0 there and is 3.0 here"),
        ("exam: {mean_min: 50}", "exam.mean_min was 45 there and is 50 here"),
        ("exam: {fetal: {shape: 6, mean_min: 60, shortest_min: 30, longest_min: 120}}",
         "exam.fetal.shape was not given there and is 6 here"),
        ("appointments: {fetal: ['09:00']}", "appointments.fetal had 9 entries there and has 1 here"),
        ("appointments: {fetal: ['08:15', '09:15', '10:15', '11:15', '12:15', '13:15', '14:15', '15:15', '16:00']}",
         "appointments.fetal had 16:15 there where it has 16:00 here"),
    ],
)  # fmt: skip
def test_a_lab_that_differs_is_refused_for_agent_and_noted_for_a_path(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A changed lab has no agent; by its path the agent works there, and one sentence says what differs."""
    lab = _lab(tmp_path, text)
    arguments = ["--config", lab, "--days", "2", "--policies", "policy_2"]
    assert evaluate.main([*arguments, "agent"]) == 2
    refused = capsys.readouterr().err
    assert message in refused
    assert f"maskable_dqn={models.AGENTS / 'EchoLabScarce-v0.zip'}" in refused
    assert len(refused.splitlines()) == 1
    model = tmp_path / "model.zip"
    shutil.copyfile(models.AGENTS / "EchoLabScarce-v0.zip", model)
    assert evaluate.main([*arguments, f"maskable_dqn={model}"]) == 0
    noted = [line for line in capsys.readouterr().err.splitlines() if line.startswith("Warning: ")]
    assert len(noted) == 1
    assert f"maskable_dqn={model} was trained on another lab, 'scarce': " in noted[0]
    assert message in noted[0]


def test_many_differences_are_counted() -> None:
    """The shortest list of differences decides which agent is named, and a long one ends with a count."""
    config = LabConfig.load("authors_code").replace(
        name="baseline", rooms__fetal=2, rooms__non_fetal=7, breaks__minutes=10, penalty__late=1
    )
    with pytest.raises(ValueError, match=r"the agent of baseline, .* and \d+ more fields differ"):
        evaluate.find_policies(["agent"], config, {})


def test_a_model_of_a_lab_that_is_not_here_is_noted() -> None:
    """A training on a file that is gone cannot be compared; one on the very lab leaves nothing to say."""
    spec = {"id": ENV_ID, "kwargs": {"config": "gone.yaml"}}
    note = training_note("mine", spec, SCARCE)
    assert note.startswith("mine was trained on a lab that cannot be compared with 'scarce': config 'gone.yaml'")
    for spec in ({"id": ENV_ID, "kwargs": {}}, {}, {"id": "EchoLab-v0", "kwargs": {"config": "scarce"}}):
        assert training_note("mine", spec, SCARCE) == ""


def _without_settings(run: Path) -> None:
    shutil.rmtree(run / ENV_ID)


def _unlike_a_model(run: Path) -> None:
    (run / f"{ENV_ID}.zip").write_text("no model")


@pytest.mark.parametrize(
    ("spoil", "env_id", "message"),
    [
        (_without_settings, ENV_ID, "is no folder of a run on EchoLabScarce-v0"),
        (_unlike_a_model, ENV_ID, "is no model saved by Stable-Baselines3"),
        (lambda run: None, "EchoLab-v0", "is no folder of a run on EchoLab-v0"),
        (lambda run: None, "EchoLap-v0", "did you mean EchoLab-v0?"),
    ],
)
def test_runs_that_cannot_be_used_change_nothing(
    spoil: Callable[[Path], Any],
    env_id: str,
    message: str,
    run: Path,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A refused export leaves the folder of agents as it was."""
    spoilt = tmp_path / "run"
    shutil.copytree(run, spoilt)
    spoil(spoilt)
    assert export_agent.main([str(spoilt), "--env", env_id, "--folder", str(folder)]) == 2
    assert message in capsys.readouterr().err
    assert {path.name: path.read_text() for path in folder.iterdir()} == {LIST: "# What this is.\n{}\n"}


def test_models_that_are_too_large_are_refused(
    run: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model above the size limit is refused."""
    monkeypatch.setattr(export_agent, "MOST_BYTES", 1000)
    assert export_agent.main([str(run), "--env", ENV_ID, "--folder", str(folder)]) == 2
    assert "bytes when exported, but may have at most 1,000" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == [LIST]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": "one"}, "has seed: 'one', but it must be a whole number"),
        ({"date": 20260101}, "has date: 20260101, but it must be text"),
        ({"file": "../a.zip"}, "but models lie in the folder of the list"),
        ({"more": 1}, "must have algo, file, sha256, command, config_file, seed, commit, date, evaluation, but has"),
    ],
)
def test_wrong_lists_are_refused(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    """A malformed entry is a ValueError that names the field."""
    entry = _entry()
    (tmp_path / LIST).write_text(yaml.safe_dump({ENV_ID: {**entry, **change}}))
    with pytest.raises(ValueError, match=message):
        read_list(tmp_path)
