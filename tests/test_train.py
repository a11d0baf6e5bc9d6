"""train.py: what it runs, and what it leaves behind."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import optuna
import pytest
import torch as th
import yaml
from interrupts import heed_ctrl_c
from stable_baselines3.common.monitor import load_results
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar.layout_pb2 import Layout

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import train  # noqa: E402
from echo_env.commands import evaluate as evaluate_command  # noqa: E402
from echo_env.commands import train as train_command  # noqa: E402
from echo_env.lab import make_policy, simulate  # noqa: E402
from sb3_ext import MaskableDQN  # noqa: E402
from sb3_ext.zoo import load_agent, register  # noqa: E402
from sb3_ext.zoo.algorithms import samplers  # noqa: E402
from sb3_ext.zoo.evaluation import EVALUATION_SEED  # noqa: E402
from sb3_ext.zoo.inputs.literals import RunLoader  # noqa: E402

ENV_IDS = ["EchoLab-v0", "EchoLabScarce-v0", "EchoLabAbundant-v0"]
ALGOS = [
    "a2c", "ars", "dqn", "lookahead_dqn", "maskable_dqn", "maskable_ppo", "maskable_qrdqn", "ppo", "ppo_lstm",
    "qrdqn", "trpo",
]  # fmt: skip
SMALL = ["--verbose", "0", "--num-threads", "1", "--seed", "1", "--eval-episodes", "2"]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    th.set_num_threads(1)


def run_folder(algo: str, env_id: str = "EchoLabScarce-v0", number: int = 1) -> Path:
    """The folder in which rl_zoo3 puts a run."""
    return Path("logs") / algo / f"{env_id}_{number}"


def test_the_steps_that_were_run_are_recorded() -> None:
    """config.yml and args.yml say how many steps and evaluation environments there were."""
    assert (
        train.main(
            [
                *SMALL,
                "--env",
                "EchoLabScarce-v0",
                "-n",
                "60",
                "--eval-freq",
                "60",
                "--n-eval-envs",
                "1",
                "-params",
                "n_envs:1",
            ]
        )
        == 0
    )
    folder = run_folder("maskable_dqn") / "EchoLabScarce-v0"
    assert yaml.load((folder / "config.yml").read_text(), Loader=RunLoader)["n_timesteps"] == 60
    assert yaml.load((folder / "args.yml").read_text(), Loader=RunLoader)["n_eval_envs"] == 1
    # Two episodes after one another in the one environment.
    assert np.load(run_folder("maskable_dqn") / "evaluations.npz")["results"].shape == (1, 2)


@pytest.mark.parametrize("pair", ["max_episode_steps:5", "disable_env_checker:True"])
def test_arguments_of_gym_make_itself(pair: str) -> None:
    """Environments take the arguments of gym.make, in training and in evaluation."""
    settings = ["-params", "n_envs:2", "learning_starts:20", "--eval-freq", "20", "-n", "60"]
    assert train.main([*SMALL, "--env", "EchoLabScarce-v0", "--env-kwargs", pair, *settings]) == 0
    if pair.startswith("max"):
        assert set(load_results(str(run_folder("maskable_dqn")))["l"]) <= {4, 5}
        assert (np.load(run_folder("maskable_dqn") / "evaluations.npz")["ep_lengths"] == 5).all()


def test_trial_0_is_a_trial() -> None:
    """--trial-id 0 trains as the first trial did, its rate falling as the config's; an unknown trial is refused."""
    common = ["--env", "EchoLabScarce-v0", "--storage", "study.log", "--study-name", "lab", "--verbose", "0"]
    study = optuna.create_study(
        study_name="lab",
        storage=optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend("study.log")),
        direction="maximize",
    )
    register()
    trial = study.ask()
    sampled = samplers()["maskable_dqn"](trial, 0, 1, {"using_her_replay_buffer": False})
    study.tell(trial, 1.0)
    assert train.main([*common, "--trial-id", "7", "-n", "30"]) == 2
    assert not Path("logs").exists()
    assert train.main([*SMALL, *common, "--trial-id", "0", "-n", "30", "--eval-freq", "-1"]) == 0
    config = (run_folder("maskable_dqn") / "EchoLabScarce-v0" / "config.yml").read_text()
    assert yaml.load(config, Loader=RunLoader)["learning_rate"] == f"lin_{sampled['learning_rate']}"


@pytest.mark.parametrize("algo", [*ALGOS, "paper_protocol", "paper_protocol_authors_code", "paper_protocol_short"])
@pytest.mark.parametrize("env_id", ENV_IDS)
def test_every_config_knows_every_lab(algo: str, env_id: str) -> None:
    """Every config has hyperparameters for every lab, with numbers as numbers."""
    settings = yaml.safe_load((ROOT / "zoo_configs" / f"{algo}.yml").read_text())[env_id]
    assert settings["n_timesteps"] > 0
    for name in ("learning_rate", "gamma", "exploration_decay"):
        assert isinstance(settings.get(name, 0.0), float) or str(settings[name]).startswith("lin_")


@pytest.mark.parametrize("algo", ALGOS)
def test_every_config_trains(algo: str) -> None:
    """Every config trains on the scarce lab and leaves a model that loads."""
    small = {
        "a2c": ["n_envs:2"],
        "ars": ["n_delta:2", "n_top:1"],
        "maskable_ppo": ["n_steps:32", "batch_size:32"],
        **{algo: ["n_steps:32", "batch_size:32"] for algo in ("ppo", "ppo_lstm", "trpo")},
    }
    parameters = ["-params", *small.get(algo, ["learning_starts:50"])]
    arguments = ["--algo", algo, "--env", "EchoLabScarce-v0", "-n", "130", "--eval-freq", "60", *parameters]
    assert train.main([*SMALL, *arguments]) == 0
    assert (run_folder(algo) / "best_model.zip").is_file()
    model = load_agent(algo, run_folder(algo))
    assert model.env_spec["id"] == "EchoLabScarce-v0"  # type: ignore[attr-defined]
    assert model.env_spec["kwargs"]["clock"] == "event"  # type: ignore[attr-defined]


def test_training_in_subprocesses_with_the_default_algorithm() -> None:
    """Training with --vec-env subproc runs to its end."""
    arguments = ["--vec-env", "subproc", "-params", "n_envs:2", "learning_starts:20", "--eval-freq", "-1"]
    assert train.main([*SMALL, "--env", "EchoLabScarce-v0", "-n", "60", *arguments]) == 0
    assert (run_folder("maskable_dqn") / "EchoLabScarce-v0.zip").is_file()


@pytest.mark.parametrize("algo", ["maskable_dqn", "maskable_ppo"])
def test_training_on_the_compiled_lab(algo: str) -> None:
    """Training with --vec-env native leaves a model, monitor rows and metrics."""
    settings = {"maskable_dqn": ["learning_starts:20"], "maskable_ppo": ["n_steps:32", "batch_size:32"]}[algo]
    arguments = ["--algo", algo, "--vec-env", "native", "-params", "n_envs:4", *settings, "--eval-freq", "-1"]
    assert train.main([*SMALL, "--env", "EchoLabScarce-v0", "-n", "600", *arguments, "--tensorboard-log", "runs"]) == 0
    folder = run_folder(algo)
    assert (folder / "EchoLabScarce-v0.zip").is_file()
    assert len((folder / "0.monitor.csv").read_text().splitlines()) > 2
    assert b"metrics/" in next(Path("runs").rglob("events*")).read_bytes()


def test_continuing_and_checkpoints() -> None:
    """--trained-agent, --save-freq and --save-replay-buffer do what rl_zoo3's do."""
    common = [*SMALL, "--env", "EchoLabScarce-v0", "--eval-freq", "-1", "-params", "learning_starts:20", "n_envs:1"]
    assert train.main([*common, "-n", "60", "--save-freq", "30", "--save-replay-buffer"]) == 0
    first = run_folder("maskable_dqn")
    assert (first / "rl_model_30_steps.zip").is_file()
    assert (first / "replay_buffer.pkl").is_file()
    model = first / "EchoLabScarce-v0.zip"
    assert train.main([*common, "-n", "40", "--trained-agent", str(model)]) == 0
    continued = load_agent("maskable_dqn", run_folder("maskable_dqn", number=2))
    assert continued.num_timesteps == 100


def test_ctrl_c_saves_and_exits_with_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C in a training saves the model and ends with status 130; elsewhere it ends with it too."""

    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    arguments = [*SMALL, "--env", "EchoLabScarce-v0", "--eval-freq", "-1", "-n", "60"]
    with monkeypatch.context() as patched:
        patched.setattr(MaskableDQN, "train", interrupt)
        assert train.main([*arguments, "-params", "learning_starts:20", "n_envs:1"]) == 130
    assert capsys.readouterr().err.endswith("interrupted\n")
    saved = load_agent("maskable_dqn", run_folder("maskable_dqn") / "EchoLabScarce-v0.zip")
    assert 0 < saved.num_timesteps < 60
    monkeypatch.setattr(train_command.plugins, "import_own", interrupt)
    assert train.main([*arguments, "-params", "learning_starts:20", "n_envs:1"]) == 130


@pytest.mark.slow
def test_a_real_ctrl_c_saves_and_exits_with_130() -> None:
    """SIGINT in the middle of a training leaves a model that can be loaded, and no temporary file."""
    arguments = [*SMALL, "--env", "EchoLabScarce-v0", "-n", "10000000", "--eval-freq", "1000", "-params", "n_envs:1"]
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_ctrl_c,
    )
    limit = time.monotonic() + 120
    best = run_folder("maskable_dqn") / "best_model.zip"
    try:
        while not best.is_file() and time.monotonic() < limit:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 130
    assert error.endswith("interrupted\n")
    assert "Traceback" not in error
    for path in (best, best.with_name("EchoLabScarce-v0.zip")):
        assert load_agent("maskable_dqn", path).num_timesteps > 0
    assert not list(best.parent.rglob("*.saving-*"))


def test_enjoy_plays_the_latest_run(capsys: pytest.CaptureFixture[str]) -> None:
    """enjoy plays the latest run and prints its penalty."""
    assert train.main([*SMALL, "--env", "EchoLabScarce-v0", "-n", "60", "--eval-freq", "-1"]) == 0
    assert train.main(["enjoy", "--env", "EchoLabScarce-v0", "--no-render", "-n", "60"]) == 0
    assert "Mean penalty: " in capsys.readouterr().out


def test_a_model_of_another_algorithm_is_not_continued(capsys: pytest.CaptureFixture[str]) -> None:
    """A model of another algorithm is refused with both names."""
    quick = ["-n", "40", "--eval-freq", "-1", "--env", "EchoLabScarce-v0"]
    assert train.main([*SMALL, *quick, "--algo", "dqn"]) == 0
    model = str(run_folder("dqn") / "EchoLabScarce-v0.zip")
    capsys.readouterr()
    assert train.main([*SMALL, *quick, "--trained-agent", model]) == 2
    assert capsys.readouterr().err.strip().endswith("was trained with dqn, not with maskable_dqn.")


def test_no_arguments_are_the_quick_start(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without arguments the quick start trains on the scarce lab, and compares with the rules."""
    trained: list[list[str]] = []
    compared: list[list[str]] = []

    def fake_run(arguments: list[str]) -> Path:
        trained.append(list(arguments))
        return Path("logs/somewhere")

    monkeypatch.setattr(train_command, "run", fake_run)
    monkeypatch.setattr(evaluate_command, "main", compared.append)
    assert train.main([]) == 0
    line = " ".join(trained[0])
    for part in ("--algo maskable_dqn", "--env EchoLabScarce-v0", "-P", "--tensorboard-log runs", "--seed"):
        assert part in line
    assert "maskable_dqn=logs/somewhere" in compared[0]
    assert "tensorboard --logdir runs" in capsys.readouterr().out


def test_rules_are_drawn_on_the_days_of_the_evaluations(tmp_path: Path) -> None:
    """The rules' levels in TensorBoard are their mean rewards on the days of the agent's evaluations."""
    seeds = range(EVALUATION_SEED, EVALUATION_SEED + 20)
    for _ in range(2):  # a second training finds them there
        train_command.draw_rules(tmp_path, "EchoLabScarce-v0", {"reward": "penalty"}, seeds, [1] * 20, 800_000)
    events = EventAccumulator(str(tmp_path / "policy_2_20_days"))
    events.Reload()
    drawn = [(event.step, event.value) for event in events.Scalars("eval/mean_reward")]
    penalties = []
    for k in range(20):
        # One day in an environment of its own, as the compiled labs of an evaluation have it.
        env: Any = gym.make("EchoLabScarce-v0", clock="event").unwrapped
        env.reset(seed=EVALUATION_SEED + k)
        rule = make_policy("policy_2", env.config)
        penalties.append(simulate(env.config, env.trace.day, rule).penalty.total)
    assert drawn == [(0, pytest.approx(-np.mean(penalties))), (800_000, pytest.approx(-np.mean(penalties)))]


def test_tensorboard_opens_on_the_evaluations_of_agents_and_rules() -> None:
    """A run is named by algorithm and seed, has chart layout and held-out results, and its rules are on its days."""
    arguments = ["--algo", "maskable_ppo", "--env", "EchoLabScarce-v0", "-n", "130", "--eval-freq", "60"]
    settings = ["-params", "n_steps:32", "batch_size:32", "n_envs:2", "--tensorboard-log", "runs"]
    assert train.main([*SMALL, *arguments, *settings, "--eval-episodes", "50"]) == 0
    found = {path.parent.name: EventAccumulator(str(path.parent)).Reload() for path in Path("runs").rglob("events*")}
    rules = {f"{name}_50_days" for name in train_command.RULES_DRAWN}
    assert set(found) == {"maskable_ppo_seed_1_1", "held_out", *rules}
    run = found["maskable_ppo_seed_1_1"]
    charts = Layout.FromString(run.Tensors("custom_scalars__config__")[0].tensor_proto.string_val[0])
    assert [category.title for category in charts.category][:2] == ["eval", "training"]
    assert list(charts.category[0].chart[0].multiline.tag) == ["eval/mean_reward"]
    (margin,) = charts.category[0].chart[1].margin.series
    for tag in ("eval/mean_reward", margin.value, margin.lower, margin.upper, "held_out/penalty_minus_policy_2"):
        assert tag in run.Tags()["scalars"]
    # On the same days: the rule's mean reward minus the agent's is the difference of penalties that it logged.
    level, first = found["policy_2_50_days"].Scalars("eval/mean_reward")[0], run.Scalars("eval/mean_reward")[0]
    difference = run.Scalars("eval/penalty_minus_policy_2")[0].value
    assert level.value - first.value == pytest.approx(difference, rel=1e-4, abs=1e-2)


def test_all_trainings_are_evaluated_on_the_same_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """Day k is what a lab plays after the evaluation seed plus k: in one compiled batch, and one by one, to the bit."""
    played: dict[int, np.ndarray] = {}
    arguments = ["--env", "EchoLabScarce-v0", "-n", "20", "--eval-episodes", "6", "--eval-freq", "20", "--verbose", "0"]
    small = ["--algo", "a2c", "--seed", "1", "-params", "n_envs:2"]
    assert train.main([*arguments, *small]) == 0
    monkeypatch.setattr(train_command, "COMPILED", False)
    assert train.main([*arguments, *small]) == 0
    assert train.main([*arguments, *small, "--n-eval-envs", "2"]) == 0
    for number, envs in ((1, 6), (2, 1), (3, 2)):
        folder = run_folder("a2c", number=number)
        args = yaml.load((folder / "EchoLabScarce-v0" / "args.yml").read_text(), Loader=RunLoader)
        assert args["n_eval_envs"] == envs
        played[number] = np.load(folder / "evaluations.npz")["results"]
    for number in (2, 3):
        # In the order in which days end, one by one, or among several.
        assert np.array_equal(np.sort(played[number]), np.sort(played[1]))


@pytest.mark.slow
def test_the_quick_start_in_full() -> None:
    """The quick start runs to its end."""
    assert train.main([]) == 0
    assert (run_folder("maskable_dqn") / "best_model.zip").is_file()
    assert list(Path("runs").rglob("events*"))


@pytest.mark.slow
@pytest.mark.parametrize("env_id", ["EchoLabScarce-v0", "PatientPathways-v0"])
def test_a_video_is_written(env_id: str) -> None:
    """record_video writes a video of an agent."""
    moviepy = pytest.importorskip("moviepy")
    assert train.main([*SMALL, "--env", env_id, "-n", "60", "--eval-freq", "-1"]) == 0
    assert train.main(["record_video", "--env", env_id]) == 0
    (video,) = (run_folder("maskable_dqn", env_id) / "videos").glob("*.mp4")
    assert video.stat().st_size > 10_000
    if env_id == "EchoLabScarce-v0":
        with moviepy.VideoFileClip(str(video)) as clip:
            # A picture a minute, from opening to the last one before the day is over.
            assert clip.n_frames == 660
