"""rl_zoo3 with masks: training and loading, on an environment that refuses infeasible actions."""

import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch as th
from doors import MASKED, Doors, train
from stable_baselines3 import DQN
from stable_baselines3.common.callbacks import EvalCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.monitor import load_results

from sb3_ext.maskable_dqn import MaskableDQN
from sb3_ext.maskable_ppo import MaskablePPO
from sb3_ext.zoo import ALGORITHMS, UsageError, cli, load_agent, register
from sb3_ext.zoo.algorithms import MASKABLE, TABLE, converters, samplers
from sb3_ext.zoo.evaluation import ZooEvalCallback


def test_registering_twice_changes_nothing_more() -> None:
    """After registering, once or twice, rl_zoo3 knows the algorithms, their samplers and their converters."""
    from rl_zoo3 import ALGOS, exp_manager

    register()
    register()
    assert set(ALGORITHMS) <= set(ALGOS)
    assert set(samplers()) <= set(exp_manager.HYPERPARAMS_SAMPLER)
    assert set(converters()) <= set(exp_manager.HYPERPARAMS_CONVERTER)


def test_every_list_of_algorithms_follows_from_the_table() -> None:
    """One row holds all that the zoo knows of an algorithm: class, masks, sampler and converter."""
    assert list(ALGORITHMS) == list(TABLE)
    assert (
        {name for name, row in TABLE.items() if row.maskable} == set(MASKABLE) == set(samplers()) == set(converters())
    )
    assert all(ALGORITHMS[name] is row.cls for name, row in TABLE.items())


@pytest.mark.parametrize("algo", MASKED)
def test_evaluation_in_the_zoo_is_masked(algo: str, defaults: cli.ZooDefaults) -> None:
    """The zoo evaluates maskable algorithms under masks: without them this environment raises an error."""
    folder = train(defaults, "--algo", algo)
    best = load_agent(algo, folder / "best_model.zip")
    assert np.load(folder / "evaluations.npz")["results"].shape[0] >= 2
    assert best.num_timesteps > 0
    env = make_vec_env(Doors, env_kwargs={"size": 3})
    model = ALGORITHMS[algo]("MlpPolicy", env, seed=1, device="cpu")
    unmasked = EvalCallback(env, eval_freq=1, n_eval_episodes=20)
    with pytest.raises(ValueError, match="is closed"):
        model.learn(4, callback=unmasked)


def test_other_algorithms_are_evaluated_unmasked(defaults: cli.ZooDefaults) -> None:
    """DQN, whose predict() takes no masks, is evaluated without them."""
    folder = train(defaults, "--algo", "dqn", "-n", "120")
    assert (folder / "best_model.zip").is_file()


def test_every_evaluation_sees_the_same_episodes() -> None:
    """All evaluations of a training play the same episodes."""
    eval_env = make_vec_env(Doors, seed=0)
    model = MaskableDQN("MlpPolicy", make_vec_env(Doors, seed=0), device="cpu", seed=0)
    model.learn(12, callback=ZooEvalCallback(eval_env, eval_freq=4, n_eval_episodes=3, verbose=0))
    draws = eval_env.get_attr("first_draws")[0]
    evaluations = np.reshape(draws[: 3 * 4], (3, 4))  # a reset, and one after each of three episodes
    assert (evaluations == evaluations[0]).all()
    assert len(set(evaluations[0])) == 4


def test_environment_arguments_reach_evaluation_and_are_merged(defaults: cli.ZooDefaults) -> None:
    """Evaluation gets the config's environment arguments, merged with those of the command line."""
    folder = train(defaults, "-n", "120", "--env-kwargs", "lying:False")
    model = load_agent("maskable_dqn", folder)
    assert model.env_spec == {"id": "Doors-v0", "kwargs": {"size": 3, "lying": False}}
    assert model.observation_space.shape == (3,)


@pytest.mark.parametrize("algo", [*MASKED, "dqn"])
def test_a_run_can_be_loaded_and_says_its_environment(algo: str, defaults: cli.ZooDefaults) -> None:
    """A run loads by its folder, and its model holds the environment's id and arguments."""
    folder = train(defaults, "--algo", algo, "-n", "120")
    for path in (folder, folder / "Doors-v0.zip", folder / "Doors-v0", folder / "best_model.zip"):
        model = load_agent(algo, path)
        assert type(model) is ALGORITHMS[algo]
        assert model.env_spec == {"id": "Doors-v0", "kwargs": {"size": 3}}
    (folder / "best_model.zip").unlink()
    assert load_agent(algo, str(folder)).num_timesteps >= 120


@pytest.mark.parametrize("algo", MASKED)
def test_native_environments_train_as_single_ones(algo: str, defaults: cli.ZooDefaults) -> None:
    """--vec-env native gives the episodes and curves of single environments."""
    # SB3's off-policy algorithms fail with both together, whatever the VecEnv.
    n_stack = 2 if algo == "maskable_ppo" else 1
    wrappers = ["normalize:True", *(["frame_stack:2"] if n_stack == 2 else [])]
    arguments = ["--algo", algo, "--env", "NativeDoors-v0", "-params", "n_envs:3", *wrappers]
    parameters = []
    for vec_env in ("dummy", "native"):
        folder = train(defaults, *arguments, "--vec-env", vec_env)
        model = load_agent(algo, folder / "NativeDoors-v0.zip", trust=True)
        assert model.observation_space.shape == (3 * n_stack,)
        assert (folder / "NativeDoors-v0" / "vecnormalize.pkl").is_file()
        parameters.append(th.nn.utils.parameters_to_vector(model.policy.parameters()).detach().numpy())
    np.testing.assert_array_equal(*parameters)
    # The latter of the two folders.
    episodes = load_results(str(folder))
    assert len(episodes) >= 300 // 5 - 3
    assert set(episodes["l"]) == {5}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--env", "Doors-v0"], "Doors-v0 has no vector_entry_point, so choose dummy or subproc."),
        (["--env", "NativeDoors-v0", "--algo", "dqn"], "the config's env_wrapper wraps single environments"),
        (["--env", "CartPole-v1"], "a step too late for SB3"),
    ],
)
def test_native_environments_that_cannot_be(arguments: list[str], message: str, defaults: cli.ZooDefaults) -> None:
    """Environments without a vector form, and configs with a wrapper, raise one sentence and leave no folder."""
    with pytest.raises(UsageError, match=re.escape(message)) as caught:
        train(defaults, *arguments, "--vec-env", "native")
    assert "\n" not in str(caught.value)
    assert list(Path.cwd().iterdir()) == []


def test_loading_names_what_is_wrong(tmp_path: Path) -> None:
    """What is not a model of the algorithm raises one sentence that says so."""
    text, archive, other = tmp_path / "text.zip", tmp_path / "archive.zip", tmp_path / "dqn.zip"
    text.write_text("no zip")
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("hello", "world")
    DQN("MlpPolicy", "CartPole-v1", device="cpu", buffer_size=1).save(other)
    for algo, path, message in [
        ("maskable_dqm", other, r"Unknown algorithm 'maskable_dqm' \(did you mean 'maskable_dqn'\?\)"),
        ("dqn", tmp_path / "none.zip", "There is no model at"),
        ("dqn", tmp_path, "holds neither best_model.zip"),
        ("dqn", text, "is no model saved by Stable-Baselines3"),
        ("dqn", archive, "is no model saved by Stable-Baselines3"),
        ("ppo", other, "was trained with dqn, not with ppo"),
    ]:
        if path == tmp_path:
            path = tmp_path / "empty"
            path.mkdir()
        with pytest.raises(ValueError, match=message) as caught:
            load_agent(algo, path)
        assert "\n" not in str(caught.value)


def test_a_broken_model_is_one_sentence(tmp_path: Path) -> None:
    """A truncated zip raises one sentence."""
    path = tmp_path / "model.zip"
    DQN("MlpPolicy", "CartPole-v1", device="cpu", buffer_size=1).save(path)
    with zipfile.ZipFile(path) as file:
        data = json.loads(file.read("data"))
    del data["observation_space"]
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("data", json.dumps(data))
        file.writestr("policy.pth", io.BytesIO().getvalue())
    with pytest.raises(ValueError, match=r"cannot be loaded as dqn"):
        load_agent("dqn", path, trust=True)


def test_metrics_of_the_environment_are_logged(defaults: cli.ZooDefaults) -> None:
    """Every training logs the environment's metrics."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(defaults, "-n", "200", "--tensorboard-log", "runs")
    events = EventAccumulator(str(next(Path("runs").rglob("events*")).parent)).Reload()
    assert "metrics/rooms" in events.Tags()["scalars"]
    assert "eval/mean_reward" in events.Tags()["scalars"]


def test_the_models_of_other_runs_are_left_alone(defaults: cli.ZooDefaults) -> None:
    """A failed setup removes only the folders that it made."""
    folder = train(defaults, "-n", "60")
    before = sorted(Path.cwd().rglob("*"))
    with pytest.raises(UsageError, match=r"cannot be set up: .*net_arc"):
        train(defaults, "-params", "policy_kwargs:dict(net_arc=[8])")
    assert sorted(Path.cwd().rglob("*")) == before
    assert (folder / "Doors-v0.zip").is_file()


def test_masked_ppo_is_what_it_says() -> None:
    """The zoo's names stand for this package's algorithms."""
    assert ALGORITHMS["maskable_ppo"] is MaskablePPO
    assert ALGORITHMS["maskable_dqn"] is MaskableDQN
