"""Models without pickle: they act to the bit as the original, run no code, and everything else needs trust."""

from __future__ import annotations

import importlib
import io
import json
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pytest
import torch as th
from common.test_row_policy import BestRowEnv
from gymnasium import spaces
from lookahead_dqn.test_lookahead_dqn import Stages
from masked_envs import CountingEnv
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from sb3_ext import GymnasiumVecEnv
from sb3_ext.zoo.agents import NormalizedPredictor, load_agent, load_predictor, model_files
from sb3_ext.zoo.algorithms import ALGORITHMS, MASKABLE
from sb3_ext.zoo.errors import UsageError
from sb3_ext.zoo.replacing import saving_whole
from sb3_ext.zoo.saved.description import NotPlainError, as_json, describe, describe_space, from_json
from sb3_ext.zoo.saved.plain import DESCRIPTION, MOST_BYTES, WEIGHTS, can_be_trained, export, is_plain, read_description

DQN_SETTINGS: dict[str, Any] = {"buffer_size": 50}
SETTINGS: dict[str, dict[str, Any]] = {
    "dqn": DQN_SETTINGS,
    "qrdqn": DQN_SETTINGS,
    "maskable_dqn": {**DQN_SETTINGS, "policy_kwargs": {"net_arch": [16, 8], "dropout": 0.1, "kaiming_init": True}},
    "lookahead_dqn": {**DQN_SETTINGS, "base": "lowest", "policy_kwargs": {"net_arch": [16], "dueling": True}},
    "maskable_ppo": {"policy": "OfferedMlpPolicy", "policy_kwargs": {"net_arch": {"pi": [8], "vf": [16]}}},
    # Else all its weights are 0, and it always does the same.
    "ars": {"zero_policy": False},
    "ppo_lstm": {"policy": "MlpLstmPolicy", "policy_kwargs": {"lstm_hidden_size": 8}},
    "ppo": {"policy_kwargs": {"activation_fn": th.nn.ReLU, "net_arch": [8]}},
}
"""Algorithm -> arguments other than the usual ones."""


def model_of(algo: str, env: Any = None, **more: Any) -> Any:
    """An untrained model."""
    settings = {"policy": "MlpPolicy", "seed": 4, "device": "cpu", **SETTINGS.get(algo, {}), **more}
    if env is None:
        env = GymnasiumVecEnv(Stages()) if algo == "lookahead_dqn" else CountingEnv()
    model: Any = ALGORITHMS[algo](settings.pop("policy"), env, **settings)
    model.env_spec = {"id": "CountingEnv-v0", "kwargs": {"length": 7, "names": ["a"]}}
    return model


def actions_of(model: Any, algo: str) -> np.ndarray:
    """Greedy actions in 300 random states, under action masks where the algorithm takes them."""
    rng = np.random.default_rng(0)
    observations = rng.normal(size=(300, *model.observation_space.shape)).astype(np.float32)
    masks = rng.random((300, int(model.action_space.n))) < 0.4
    masks[:, 0] = True
    options = {"action_masks": masks} if algo in MASKABLE else {}
    chosen: np.ndarray = model.predict(observations, deterministic=True, **options)[0]
    return chosen


def exported(model: Any, path: Path) -> Path:
    """The file of an exported model."""
    export(model, describe(model), path)
    return path


def changed(source: Path, path: Path, **members: bytes) -> Path:
    """A copy of a zip with other contents under some names, in which ``_`` stands for a dot."""
    given = {name.replace("_", "."): content for name, content in members.items()}
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, given.get(name, old.read(name)))
    return path


@pytest.fixture
def no_pickle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unpickling is an error."""
    # PyTorch imports it when the first optimizer is made, and classes in it are unpicklers.
    importlib.import_module("torch._dynamo")

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("something was unpickled")

    for module in (pickle, cloudpickle):
        for name in ("load", "loads"):
            monkeypatch.setattr(module, name, refuse)
    monkeypatch.setattr(pickle, "Unpickler", refuse)


@pytest.mark.usefixtures("no_pickle")
@pytest.mark.parametrize(
    ("algo", "env", "policy"),
    [
        *((algo, None, None) for algo in ALGORITHMS),
        *(
            (algo, BestRowEnv, "RowPolicy")
            for algo in sorted(MASKABLE)[1:]
            if "RowPolicy" in MASKABLE[algo].policy_aliases
        ),
    ],
)
def test_a_plain_model_acts_as_the_original(algo: str, env: Any, policy: str | None, tmp_path: Path) -> None:
    """Of every algorithm, what the zoo saves and what is exported acts to the bit as the model, without unpickling."""
    more = {} if policy is None else {"policy": policy, "policy_kwargs": {"net_arch": [8, 8]}}
    model = model_of(algo, None if env is None else env(), **more)
    model.num_timesteps = 123
    with saving_whole():
        model.save(tmp_path / "saved")
    exported(model, tmp_path / "exported.zip")
    expected = actions_of(model, algo)
    assert len(set(expected.tolist())) > 1
    for name in ("saved", "exported"):
        again: Any = load_agent(algo, tmp_path / name)
        assert type(again) is ALGORITHMS[algo]
        assert np.array_equal(actions_of(again, algo), expected)
        assert (again.observation_space, again.action_space) == (model.observation_space, model.action_space)
        assert (again.num_timesteps, again.seed, again.env_spec) == (123, 4, model.env_spec)
        assert getattr(again, "exploration_rate", 0.0) == getattr(model, "exploration_rate", 0.0)
        weights = again.policy.state_dict()
        for key, tensor in model.policy.state_dict().items():
            assert th.equal(weights[key], tensor)


def test_what_the_zoo_saves_is_still_the_models_of_sb3(tmp_path: Path) -> None:
    """A described model can be trained further, by path and from memory; an exported one holds no more than acting."""
    model = model_of("maskable_dqn", gamma=0.5)
    memory = io.BytesIO()
    with saving_whole():
        model.save(tmp_path / "saved.zip")
        model.save(memory)
    for source in (tmp_path / "saved.zip", io.BytesIO(memory.getvalue())):
        assert ALGORITHMS["maskable_dqn"].load(source).gamma == 0.5
    assert load_agent("maskable_dqn", tmp_path / "saved.zip", trust=True).gamma == 0.5  # type: ignore[attr-defined]
    assert is_plain(exported(model, tmp_path / "exported.zip"))
    assert not can_be_trained(tmp_path / "exported.zip")
    with zipfile.ZipFile(tmp_path / "exported.zip") as archive:
        assert archive.namelist() == [DESCRIPTION, WEIGHTS]
    before = (tmp_path / "exported.zip").read_bytes()
    assert exported(model, tmp_path / "exported.zip").read_bytes() == before
    with pytest.raises(UsageError, match="was trained with maskable_dqn, not with lookahead_dqn"):
        load_agent("lookahead_dqn", tmp_path / "exported.zip")


@pytest.mark.usefixtures("no_pickle")
@pytest.mark.parametrize("algo", ["maskable_ppo", "dqn"])
def test_normalisation_is_part_of_the_description(algo: str, tmp_path: Path) -> None:
    """A model of normalised observations normalises them to the bit as VecNormalize, whatever lies beside it."""
    env = VecNormalize(DummyVecEnv([CountingEnv]), clip_obs=1.5)
    env.obs_rms.mean += [0.3, -0.1]  # type: ignore[union-attr]
    env.obs_rms.var *= [0.04, 0.5]  # type: ignore[union-attr]
    model = model_of(algo, env)
    with saving_whole():
        model.save(tmp_path / "CountingEnv-v0.zip")
    (tmp_path / "CountingEnv-v0").mkdir()
    (tmp_path / "CountingEnv-v0" / "vecnormalize.pkl").write_bytes(b"another pickle")
    again = load_predictor(algo, tmp_path)
    assert isinstance(again, NormalizedPredictor)
    observations = np.random.default_rng(1).normal(size=(300, 2)).astype(np.float32)
    normalization = read_description(tmp_path / "CountingEnv-v0.zip").normalization
    assert normalization is not None
    for shown in (observations, observations[0]):
        assert np.array_equal(normalization.normalizer((2,))(shown), env.normalize_obs(shown))
        assert normalization.normalizer((2,))(shown).dtype == env.normalize_obs(shown).dtype
    assert np.array_equal(
        again.predict(observations, deterministic=True)[0],
        model.predict(env.normalize_obs(observations), deterministic=True)[0],
    )
    assert model_files(tmp_path) == [tmp_path / "CountingEnv-v0.zip"]
    with pytest.warns(UserWarning, match="use load_predictor"):
        load_agent(algo, tmp_path)


class Bomb:
    """Makes a folder when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("made",)


def test_a_pickle_is_opened_only_if_it_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What SB3 itself saves, and statistics beside it, run code when trusted, and are refused in one sentence else."""
    monkeypatch.chdir(tmp_path)
    model = model_of("dqn")
    model.verbose = Bomb()
    model.save("model.zip")
    for load in (load_agent, load_predictor):
        with pytest.raises(UsageError, match=r"model\.zip holds pickled objects, .*: --trust \(in Python trust=True\)"):
            load("dqn", "model.zip")
    assert not Path("made").exists()
    load_predictor("dqn", "model.zip", trust=True)
    Path("made").rmdir()
    model_of("dqn").save("CountingEnv-v0.zip")
    Path("CountingEnv-v0").mkdir()
    Path("CountingEnv-v0", "vecnormalize.pkl").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(UsageError, match="holds pickled objects"):
        load_predictor("dqn", "CountingEnv-v0.zip")
    assert not Path("made").exists()


@pytest.mark.parametrize("spoilt", ["data", WEIGHTS])
def test_a_described_model_runs_no_code(spoilt: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pickles in a described model are not opened, and weights that are more than tensors are refused."""
    monkeypatch.chdir(tmp_path)
    model = model_of("dqn")
    if spoilt == "data":
        model.verbose = Bomb()
    with saving_whole():
        model.save("model.zip")
    if spoilt == "data":
        assert np.array_equal(actions_of(load_agent("dqn", "model.zip"), "dqn"), actions_of(model, "dqn"))
    else:
        weights = io.BytesIO()
        th.save({"q_net": Bomb()}, weights)
        changed(Path("model.zip"), Path("spoilt.zip"), policy_pth=weights.getvalue())
        with pytest.raises(UsageError, match=r"spoilt\.zip cannot be loaded as dqn: Weights only load failed"):
            load_agent("dqn", "spoilt.zip")
    assert not Path("made").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "format: Input should be 1"),
        ({"more": 1}, "more: Extra inputs are not permitted"),
        ({"algo": "sac"}, "names the algorithm 'sac', which the zoo does not have"),
        ({"policy": "os.system"}, "has policy 'os.system', but dqn has MlpPolicy, CnnPolicy, MultiInputPolicy"),
        ({"settings": {"buffer_size": 10**12}}, "must have as settings: none"),
        ({"policy_kwargs": {"activation_fn": {"class": "os.system"}}}, "class 'os.system' is none of nn.CELU"),
        ({"policy_kwargs": {"net_arch": [4]}}, r"cannot be loaded as dqn: Error\(s\) in loading state_dict"),
        ({"policy_kwargs": {"depth": 4}}, "unexpected keyword argument 'depth'"),
        ({"action_space": {"kind": "Discrete", "n": 5.5}}, "action_space.Discrete.n: Input should be a valid integer"),
        ({"action_space": {"kind": "Tuple"}}, "action_space: Input tag 'Tuple'"),
        ({"num_timesteps": "12"}, "num_timesteps: Input should be a valid integer"),
    ],
)
def test_descriptions_are_checked(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    """What is not on the list of what a description may hold is refused in one sentence that names it."""
    whole = exported(model_of("dqn"), tmp_path / "whole.zip")
    with zipfile.ZipFile(whole) as archive:
        text = json.loads(archive.read(DESCRIPTION))
    path = changed(whole, tmp_path / "model.zip", agent_json=json.dumps({**text, **change}).encode())
    with pytest.raises(UsageError, match=message) as caught:
        load_agent("dqn" if change.get("algo") is None else "a2c", path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("member", ["agent_json", "policy_pth"])
@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000], ids=["empty", "cut", "binary", "deep"])
def test_damaged_models_are_one_sentence(member: str, content: bytes, tmp_path: Path) -> None:
    """A description or weights of anything are refused in one sentence."""
    whole = exported(model_of("dqn"), tmp_path / "whole.zip")
    path = changed(whole, tmp_path / "model.zip", **{member: content})
    with pytest.raises(UsageError, match=r"model\.zip") as caught:
        load_agent("dqn", path)
    assert "\n" not in str(caught.value)


def test_a_small_zip_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A description longer than any is refused before it is unpacked."""
    whole = exported(model_of("dqn"), tmp_path / "whole.zip")
    monkeypatch.setitem(MOST_BYTES, DESCRIPTION, 10_000)
    path = changed(whole, tmp_path / "model.zip", agent_json=b" " * 20_000)
    with pytest.raises(UsageError, match=r"agent\.json has 20,000 bytes, but may have at most 10,000"):
        load_agent("dqn", path)


@pytest.mark.parametrize(
    "space",
    [
        spaces.Discrete(7),
        spaces.Discrete(3, start=-1),
        spaces.Box(-np.inf, np.inf, (2, 3), np.float32),
        spaces.Box(np.array([0.1, -np.inf]), np.array([0.3, 5e300]), dtype=np.float64),
        spaces.Box(0, 255, (3, 8, 8), np.uint8),
        spaces.Box(0.0, 1.0, (), np.float32),
    ],
)
def test_spaces_survive_as_they_are(space: spaces.Space[Any]) -> None:
    """A space read from its text equals the space, bounds to the bit."""
    described = describe_space(space)
    again = type(described).model_validate_json(described.model_dump_json()).space()
    assert again == space
    if isinstance(space, spaces.Box):
        assert (again.low.tobytes(), again.high.tobytes()) == (  # type: ignore[attr-defined]
            space.low.tobytes(),
            space.high.tobytes(),
        )


class OwnExtractor(th.nn.Module):
    """A class of a user."""


@pytest.mark.parametrize("value", [OwnExtractor, {"a": len}, {1: 2}, np.float64(1.0), {"class": "x"}])
def test_objects_are_not_plain(value: Any) -> None:
    """Classes, functions and numbers that JSON would not give back as they were are not written."""
    with pytest.raises(NotPlainError, match="cannot be written as JSON"):
        as_json(value)


def test_arguments_of_policies_survive_as_they_are() -> None:
    """Classes on the list come back as themselves, a tuple as a list."""
    kwargs = {"activation_fn": th.nn.Tanh, "net_arch": {"pi": (8, 8), "vf": []}, "eps": 1e-5, "on": True, "none": None}
    assert from_json(json.loads(json.dumps(as_json(kwargs)))) == {**kwargs, "net_arch": {"pi": [8, 8], "vf": []}}


def test_a_model_that_is_not_plain_is_saved_as_sb3_does(tmp_path: Path) -> None:
    """A model of classes of one's own has no description, and needs trust."""
    model = model_of("ppo")
    model.env_spec = {"id": "CountingEnv-v0", "kwargs": {"make": CountingEnv}}
    with saving_whole():
        model.save(tmp_path / "model")
    assert not is_plain(tmp_path / "model.zip")
    with pytest.raises(UsageError, match="holds pickled objects"):
        load_agent("ppo", tmp_path / "model")
    again = load_agent("ppo", tmp_path / "model", trust=True)
    assert np.array_equal(actions_of(again, "ppo"), actions_of(model, "ppo"))
