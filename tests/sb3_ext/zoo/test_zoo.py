"""rl_zoo3 with masks: training, search, playing and loading, on an environment that refuses infeasible actions."""

import io
import json
import pickle
import re
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import optuna
import pytest
import torch as th
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from rl_zoo3.exp_manager import ExperimentManager
from stable_baselines3 import DQN
from stable_baselines3.common.callbacks import EvalCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.monitor import load_results

from sb3_ext.maskable_dqn import MaskableDQN
from sb3_ext.maskable_ppo import MaskablePPO
from sb3_ext.zoo import ALGORITHMS, UsageError, cli, load_agent, play, register
from sb3_ext.zoo.algorithms import MASKABLE, TABLE, converters, samplers
from sb3_ext.zoo.evaluation import ZooEvalCallback
from sb3_ext.zoo.manager import ZooExperimentManager

MASKED = ["maskable_dqn", "maskable_ppo"]


class Doors(gym.Env[np.ndarray, np.int64]):
    """Five rooms, each with two of four doors open; the higher one pays. A closed door cannot be taken."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 5}  # noqa: RUF012
    action_space = gym.spaces.Discrete(4)

    def __init__(
        self, lying: bool = False, worthless: bool = False, size: int = 2, render_mode: str | None = None
    ) -> None:
        self.worthless = worthless
        self.observation_space = gym.spaces.Box(0.0, 1.0, (size,))
        self.lying = lying
        self.render_mode = render_mode
        self.first_draws: list[int] = []

    def _enter(self) -> tuple[np.ndarray, dict[str, Any]]:
        self.open = np.zeros(4, dtype=bool)
        self.open[self.np_random.choice(4, 2, replace=False)] = True
        observation = np.full(self.observation_space.shape, self.rooms / 5, np.float32)
        return observation, {"action_mask": self.action_masks()}

    def action_masks(self) -> np.ndarray:
        """Which doors are open; all of them, says the liar."""
        return np.ones(4, dtype=bool) if self.lying else self.open.copy()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        """Begin in the first room."""
        super().reset(seed=seed)
        self.rooms = 0
        self.first_draws.append(int(self.np_random.integers(10**9)))
        return self._enter()

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict]:
        """Go through a door."""
        if not self.open[int(action)]:
            raise ValueError(f"door {int(action)} is closed")
        reward = float(int(action) == np.flatnonzero(self.open)[-1]) if not self.worthless else np.nan
        self.rooms += 1
        observation, info = self._enter()
        done = self.rooms == 5
        return observation, reward, done, False, info | ({"metrics": {"rooms": 5.0}} if done else {})

    def render(self) -> np.ndarray:
        """A picture of which doors are open."""
        return np.kron(self.open[None, :, None], np.full((64, 16, 3), 255)).astype(np.uint8)


def many_doors(num_envs: int, **kwargs: Any) -> SyncVectorEnv:
    """Many at once, for want of an environment that is made for it."""
    return SyncVectorEnv([partial(Doors, **kwargs)] * num_envs, autoreset_mode=AutoresetMode.SAME_STEP)


gym.register("Doors-v0", entry_point=Doors)
gym.register("NativeDoors-v0", entry_point=Doors, vector_entry_point=many_doors)

CONFIGS = {
    "maskable_dqn": "learning_starts: 50, batch_size: 8, policy_kwargs: {net_arch: [8]}, buffer_size: 500",
    "maskable_ppo": "n_steps: 32, batch_size: 32, n_epochs: 1, n_envs: 2, policy_kwargs: {net_arch: [8]}",
    "dqn": "learning_starts: 50, batch_size: 8, env_wrapper: " + __name__ + ".OpenDoors",
}


class OpenDoors(gym.ActionWrapper):
    """For algorithms without masks: takes the first open door."""

    def action(self, action: Any) -> Any:
        """The first open door."""
        return int(np.flatnonzero(self.env.get_wrapper_attr("action_masks")())[0])


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


def train(defaults: cli.ZooDefaults, *arguments: str) -> Path:
    """Train as a user would, quietly."""
    folder = cli.train(["--verbose", "0", "--seed", "3", "--eval-freq", "100", *arguments], defaults)
    assert folder is not None
    return folder


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
    model = ALGORITHMS[algo]("MlpPolicy", env, device="cpu")
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


def test_native_search(defaults: cli.ZooDefaults, recwarn: pytest.WarningsRecorder) -> None:
    """A hyperparameter search runs on native environments, for evaluation too."""
    arguments = ["--env", "NativeDoors-v0", "-optimize", "--n-trials", "2", "-n", "100", "--n-evaluations", "1"]
    assert cli.train([*arguments, "--vec-env", "native", "--no-optim-plots", "--verbose", "0"], defaults) is None
    assert not [warning for warning in recwarn if "not of the same type" in str(warning.message)]


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


def test_continuing_goes_on(defaults: cli.ZooDefaults) -> None:
    """A continued training continues steps, exploration and curves."""
    first = train(defaults)
    model_path = first / "Doors-v0.zip"
    before = load_agent("maskable_dqn", model_path)
    second = train(defaults, "-n", "100", "--trained-agent", str(model_path))
    after = load_agent("maskable_dqn", second / "Doors-v0.zip")
    assert second != first
    assert after.num_timesteps == before.num_timesteps + 100
    assert after.exploration_rate <= before.exploration_rate
    assert "learn" not in vars(after)


def last_settings(folder: Path) -> Any:
    """The model of a run, with its buffer."""
    model: Any = load_agent("maskable_dqn", folder / "Doors-v0.zip", trust=True)
    model.load_replay_buffer(folder / "replay_buffer.pkl")
    return model


def test_continuing_takes_the_settings_at_hand(defaults: cli.ZooDefaults) -> None:
    """A training continued with other settings has them in its replay buffer too."""
    first = train(defaults, "-n", "100", "--save-replay-buffer")
    options = ["-n", "60", "--save-replay-buffer", "--trained-agent", str(first / "Doors-v0.zip"), "-params"]
    settings = ["gamma:0.5", "n_steps:3", "prioritized_replay:True", "buffer_size:120"]
    model = last_settings(train(defaults, *options, *settings))
    assert type(model.replay_buffer).__name__ == "PrioritizedReplayBuffer"
    assert (model.replay_buffer.gamma, model.replay_buffer.n_steps, model.replay_buffer.buffer_size) == (0.5, 3, 120)
    assert model.replay_buffer.full
    assert model.num_timesteps == 160


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-params", "n_envs:2"], r"replay_buffer.pkl cannot be used: .* n_envs 1 and cannot be used with 2; move it"),
        (["--env-kwargs", "lying:False"], r"was filled in Doors-v0 with {'size': 3}, not in Doors-v0 with"),
        (["--env", "NativeDoors-v0"], r"was filled in Doors-v0 with {'size': 3}, not in NativeDoors-v0 with"),
        (["--env-kwargs", "size:4"], "Observation spaces do not match"),
        (["-params", "policy_kwargs:dict(net_arch=[16])"], r"are {'net_arch': \[8\]} and cannot be changed to"),
        (["-params", "policy:RowPolicy"], "is MaskableDQNPolicy and cannot be changed to RowPolicy"),
    ],
)
def test_what_cannot_be_continued_is_refused(arguments: list[str], message: str, defaults: cli.ZooDefaults) -> None:
    """A replay buffer or network that does not fit is refused in one sentence, and no folder is left."""
    first = train(defaults, "-n", "60", "--save-replay-buffer")
    before = sorted(Path.cwd().rglob("*"))
    with pytest.raises(UsageError, match=message) as caught:
        train(defaults, "-n", "60", "--trained-agent", str(first / "Doors-v0.zip"), *arguments)
    assert "\n" not in str(caught.value)
    assert sorted(Path.cwd().rglob("*")) == before


def test_buffers_of_dqn_are_refused_by_name(defaults: cli.ZooDefaults) -> None:
    """SB3's own replay buffers cannot take other settings, which are named."""
    first = train(defaults, "--algo", "dqn", "-n", "60", "--save-replay-buffer")
    options = ["--algo", "dqn", "-n", "60", "--trained-agent", str(first / "Doors-v0.zip")]
    with pytest.raises(UsageError, match="filled with buffer_size 1000000, which DQN cannot change to 50"):
        train(defaults, *options, "-params", "buffer_size:50")
    (first / "replay_buffer.pkl").write_bytes(b"no pickle")
    with pytest.raises(UsageError, match=r"replay_buffer.pkl cannot be used"):
        train(defaults, *options)
    assert len(list(first.parent.iterdir())) == 1


def test_continuing_normalises_with_the_settings_at_hand(defaults: cli.ZooDefaults) -> None:
    """VecNormalize keeps its statistics, and takes the settings at hand; leaving it out is refused."""
    first = train(defaults, "--algo", "maskable_ppo", "-n", "64", "-params", "normalize:True")
    options = ["--algo", "maskable_ppo", "-n", "64", "--trained-agent", str(first / "Doors-v0.zip"), "-params"]
    with pytest.raises(UsageError, match="was trained with normalize, so it cannot be continued without"):
        train(defaults, *options, "gamma:0.9")
    second = train(defaults, *options, "gamma:0.9", "normalize:dict(norm_reward=False)")
    before, after = (
        pickle.loads((folder / "Doors-v0" / "vecnormalize.pkl").read_bytes()) for folder in (first, second)
    )
    assert (before.gamma, before.norm_reward) == (0.99, True)
    assert (after.gamma, after.norm_reward) == (0.9, False)
    assert after.obs_rms.count > before.obs_rms.count


# Seeds of searches whose two trials are small.
@pytest.mark.parametrize(("algo", "seed"), [("maskable_dqn", "5"), ("maskable_ppo", "2")])
def test_search_runs_masked_with_a_journal(algo: str, seed: str, defaults: cli.ZooDefaults) -> None:
    """--optimize runs under masks and writes its journal."""
    arguments = ["--algo", algo, "--optimize", "--n-trials", "2", "-n", "200", "--n-evaluations", "2"]
    journal = ["--storage", "study.log", "--study-name", "doors", "--no-optim-plots", "--seed", seed]
    assert cli.train([*arguments, *journal, "--verbose", "0"], defaults) is None
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend("study.log"))
    study = optuna.load_study(study_name="doors", storage=storage)
    assert len(study.trials) == 2
    register()
    trained = train(defaults, "--algo", algo, "-n", "64", "--trial-id", "1", *journal)
    assert (trained / "Doors-v0.zip").is_file()


@pytest.mark.parametrize("algo", MASKED)
def test_mask_errors_end_a_search(algo: str, defaults: cli.ZooDefaults) -> None:
    """An infeasible action ends a search with its error, where rl_zoo3 would count the trial as pruned."""
    arguments = ["--algo", algo, "-optimize", "--n-trials", "2", "-n", "100", "--n-evaluations", "1"]
    with pytest.raises(ValueError, match="is closed"):
        cli.train([*arguments, "--env-kwargs", "lying:True", "--verbose", "0"], defaults)


@pytest.mark.parametrize(
    ("message", "raised"),
    [
        ("found invalid values: tensor([[nan, nan]])", optuna.TrialPruned),
        ("loss is inf", optuna.TrialPruned),
        ("door 3 is closed, as in finance", ValueError),
    ],
)
def test_only_nans_prune(message: str, raised: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials that diverge are pruned, and all other errors end the search."""

    def prune(manager: Any, trial: Any) -> float:
        raise optuna.TrialPruned from ValueError(message)

    monkeypatch.setattr(ExperimentManager, "objective", prune)
    manager = object.__new__(ZooExperimentManager)
    with pytest.raises(raised):
        manager.objective(optuna.trial.FixedTrial({}))


@pytest.mark.parametrize("algo", MASKED)
def test_rewards_of_nan_prune_a_trial_and_end_a_training(
    algo: str, defaults: cli.ZooDefaults, capsys: pytest.CaptureFixture[str]
) -> None:
    """With rewards that are nan, trials are pruned, and a training ends with a sentence and without a folder."""
    options = ["--algo", algo, "--env-kwargs", "worthless:True"]
    search = ["-optimize", "--n-trials", "2", "-n", "100", "--n-evaluations", "1", "--storage", "study.log"]
    with pytest.raises(UsageError, match="No trial was completed"):
        cli.train([*options, *search, "--study-name", "doors", "--verbose", "0"], defaults)
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend("study.log"))
    trials = optuna.load_study(study_name="doors", storage=storage).trials
    assert [trial.state for trial in trials] == [optuna.trial.TrialState.PRUNED] * 2
    with pytest.raises(UsageError, match=r"cannot be trained: .* a reward is nan, not a finite number"):
        train(defaults, *options)
    assert [path.name for path in Path.cwd().iterdir()] == ["study.log"]


@pytest.mark.parametrize("algo", MASKED)
def test_sampled_hyperparameters_fit_the_algorithm(algo: str) -> None:
    """Every sampled hyperparameter is an argument of the algorithm, and the converter restores it."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(5):
        trial = study.ask()
        sampled = samplers()[algo](trial, 0, 1, {"using_her_replay_buffer": False})
        assert sampled == converters()[algo](trial.params)
        ALGORITHMS[algo]("MlpPolicy", make_vec_env(Doors), device="cpu", **sampled)


def test_metrics_of_the_environment_are_logged(defaults: cli.ZooDefaults) -> None:
    """Every training logs the environment's metrics."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(defaults, "-n", "200", "--tensorboard-log", "runs")
    events = EventAccumulator(str(next(Path("runs").rglob("events*")).parent)).Reload()
    assert "metrics/rooms" in events.Tags()["scalars"]
    assert "eval/mean_reward" in events.Tags()["scalars"]


@pytest.mark.parametrize("algo", MASKED)
def test_enjoy_masks(algo: str, defaults: cli.ZooDefaults, capsys: pytest.CaptureFixture[str]) -> None:
    """enjoy takes feasible actions only."""
    train(defaults, "--algo", algo, "-n", "120")
    play.play("enjoy", ["--algo", algo, "--no-render", "-n", "50"], defaults)
    assert "10 Episodes" in capsys.readouterr().out


def test_record_video_masks_and_writes(defaults: cli.ZooDefaults) -> None:
    """record_video takes feasible actions, uses the config's environment arguments and writes a video."""
    pytest.importorskip("moviepy")
    folder = train(defaults, "-n", "120")
    play.play("record_video", ["-n", "10"], defaults)
    (video,) = (folder / "videos").glob("*.mp4")
    assert video.stat().st_size > 500


@pytest.mark.parametrize("command", ["enjoy", "record_video"])
def test_the_settings_of_a_run_run_no_code(command: str, defaults: cli.ZooDefaults) -> None:
    """Objects and Python texts in the settings of a run are refused in one sentence, and never made or evaluated."""
    folder = train(defaults, "-n", "60") / "Doors-v0"
    args, config = folder / "args.yml", folder / "config.yml"
    given = args.read_text(), config.read_text()
    args.write_text(given[0] + "\n- - x\n  - !!python/object/apply:os.mkdir [made]\n")
    with pytest.raises(UsageError, match="--allow-code"):
        play.play(command, ["-n", "5", *(["--no-render"] if command == "enjoy" else [])], defaults)
    args.write_text(given[0])
    config.write_text("normalize: \"__import__('os').mkdir('made')\"\n")
    with pytest.raises(UsageError, match="normalize must be a value"):
        play.play(command, ["-n", "5", *(["--no-render"] if command == "enjoy" else [])], defaults)
    assert not Path("made").exists()
    config.write_text("a: [")
    with pytest.raises(UsageError, match=rf"^{command} ends: "):
        play.play(command, ["-n", "5", *(["--no-render"] if command == "enjoy" else [])], defaults)


def test_enjoy_with_normalisation_as_text(defaults: cli.ZooDefaults, capsys: pytest.CaptureFixture[str]) -> None:
    """Normalisation that a config gives as text is read when playing, with and without --allow-code."""
    train(defaults, "-n", "60", "-params", "normalize:{'norm_obs':True,'norm_reward':False}")
    for extra in ([], ["--allow-code"]):
        play.play("enjoy", ["--no-render", "-n", "20", *extra], defaults)
        assert "Mean reward" in capsys.readouterr().out
    assert not hasattr(play.utils, "eval")


def test_playing_opens_pickles_only_if_they_are_trusted(
    defaults: cli.ZooDefaults, capsys: pytest.CaptureFixture[str]
) -> None:
    """A described model plays without its pickled statistics; one of SB3's own is refused, and plays with --trust."""
    folder = train(defaults, "-n", "60", "-params", "normalize:{'norm_obs':True,'norm_reward':False}")
    statistics, playing = folder / "Doors-v0" / "vecnormalize.pkl", ["--no-render", "-n", "20"]
    pickled = statistics.read_bytes()
    play.play("enjoy", [*playing, "--trust"], defaults)
    trusted = capsys.readouterr().out.splitlines()[-4:]
    statistics.write_bytes(b"no pickle")
    play.play("enjoy", playing, defaults)
    assert capsys.readouterr().out.splitlines()[-4:] == trusted
    statistics.write_bytes(pickled)
    model = folder / "Doors-v0.zip"
    MaskableDQN.load(model).save(model)
    with pytest.raises(UsageError, match="holds pickled objects"):
        play.play("enjoy", playing, defaults)
    play.play("enjoy", [*playing, "--trust"], defaults)
    assert capsys.readouterr().out.splitlines()[-4:] == trusted


def test_code_needs_permission(defaults: cli.ZooDefaults) -> None:
    """A text of a config that is no value is refused, and evaluated with --allow-code."""
    text = "policy_kwargs:dict(net_arch=[len('four')])"
    with pytest.raises(UsageError, match="policy_kwargs must be a value"):
        train(defaults, "-n", "60", "-params", text)
    assert list(Path.cwd().iterdir()) == []
    model = load_agent("maskable_dqn", train(defaults, "-n", "60", "-params", text, "--allow-code"))
    assert model.policy_kwargs == {"net_arch": [4]}


def test_playing_what_is_not_there(defaults: cli.ZooDefaults) -> None:
    """Playing a model that does not exist raises one sentence."""
    with pytest.raises(UsageError, match="folder was not found"):
        play.play("enjoy", [], defaults)
    with pytest.raises(UsageError, match="Unknown environment 'Door-v0'"):
        play.play("enjoy", ["--env", "Door-v0"], defaults)
    with pytest.raises(UsageError, match="Unknown algorithm 'maskable'"):
        play.play("record_video", ["--algo", "maskable"], defaults)


def test_masks_are_required(defaults: cli.ZooDefaults) -> None:
    """A maskable algorithm on an environment without masks raises one sentence and leaves no folder."""
    (defaults.config_folder / "maskable_ppo.yml").write_text("CartPole-v1: {n_timesteps: 100, policy: MlpPolicy}\n")
    with pytest.raises(UsageError, match=r"needs an environment with a method action_masks\(\)"):
        train(defaults, "--algo", "maskable_ppo", "--env", "CartPole-v1")
    assert list(Path.cwd().iterdir()) == []


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
