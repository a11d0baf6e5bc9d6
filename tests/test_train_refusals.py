"""train.py refuses in one sentence, and writes nothing."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch as th

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import train  # noqa: E402

SMALL = ["--verbose", "0", "--num-threads", "1", "--seed", "1", "--eval-episodes", "2"]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    th.set_num_threads(1)


REFUSED: list[tuple[list[str], str]] = [
    (["--env", "EchoLabScarse-v0"], "did you mean 'EchoLabScarce-v0'?): choose from EchoLab-v0, "),
    (["--algo", "maskable_dqm"], "did you mean 'maskable_dqn'?): choose from a2c, "),
    *(
        (
            ["--algo", algo],
            f"{algo} chooses continuous actions and EchoLab-v0 has Discrete(729): choose from a2c, ",
        )
        for algo in ("crossq", "ddpg", "sac", "td3", "tqc")
    ),
    (["--alg0", "dqn"], "did you mean '--algo'?"),
    (["--n-timesteps", "many"], "--n-timesteps must be a whole number, not 'many'"),
    (["--vec-env", "sub"], "choose from dummy, native, subproc"),
    (
        ["--vec-env", "native", "-params", "env_wrapper:gymnasium.wrappers.TimeAwareObservation"],
        "the config's env_wrapper wraps single environments",
    ),
    (["--conf-file", "none.yml"], "there is no file none.yml"),
    (["--conf-file", str(ROOT / "LICENSE")], "is neither a .yml, .yaml or .py file nor a package"),
    (["--gym-packages", "no_such_package"], "there is no package 'no_such_package'"),
    (["--trained-agent", "none.zip"], "there is no .zip file at none.zip"),
    (["--trained-agent", ""], "there is no .zip file at an empty path"),
    (["--gym-packages", ""], "--gym-packages must be names of packages, not ''"),
    (["--uuid=x"], "--uuid takes no value, but was given 'x'"),
    (["--seed"], "--seed needs a value"),
    (["--num-threads", "99999999"], "--num-threads must be a whole number in [1, 1,024] or -1, not 99999999"),
    (["--truncate-last-trajectory", "maybe"], "must be True or False, not 'maybe'"),
    (["--save-freq", "0"], "--save-freq must be a whole number of at least 1, or negative for never, not 0"),
    (["--wandb-entity", "me"], "--wandb-entity has no effect without --track"),
    (["--study-name", ""], "--study-name must be the name of a study, not ''"),
    (["--storage", "nope://x"], "such as sqlite:///FILE.db, not 'nope://x'"),
    (["--storage", "sqlite:///missing/x.db"], "there is no folder missing"),
    (["-params", "learning_rte:0.1"], "did you mean 'learning_rate'?"),
    (["-params", "learning_rate:fast"], "learning_rate must be a number of at least 0 or lin_<number>"),
    (["-params", "gamma:1e"], "gamma must be a number in [0, 1], not the text '1e'"),
    (["-params", "gamma"], "takes key:value pairs"),
    (["-params", "policy_kwargs:dict(net_arc=[8])"], "unexpected keyword argument 'net_arc'"),
    (["-params", "callback:no.such.Callback"], "The callback in"),
    (["-params", "env_wrapper:echo_env.lab.envs.wrappers.Nearest"], "The env_wrapper in"),
    (["--env-kwargs", "clok:event"], "did you mean 'clock'?"),
    (["--env-kwargs", "clock:second"], "must be one of minute, event"),
    (["--env-kwargs", "max_episode_steps:0"], "max_episode_steps must be a whole number of at least 1"),
    (["--env-kwargs", "max_episode_steps:9", "--vec-env", "native"], "so choose dummy or subproc"),
    (["--env-kwargs", "clock:second", "--vec-env", "subproc"], "must be one of minute, event"),
    (["-params", "buffer_size:10**15"], "buffer_size must be a whole number"),
    (["-params", "buffer_size:1000000000000000"], "more than the"),
    (["-params", "policy_kwargs:__import__('os').getcwd()"], "policy_kwargs must be a value, a dict(...)"),
    (["-params", "policy_kwargs:1/0", "--allow-code"], "'1/0' cannot be evaluated: division by zero"),
    (["-params", "frame_stack:2", "normalize:True"], "frame_stack and normalize cannot be combined"),
    (["-params", "elapsed_key:nope", "--vec-env", "dummy"], "maskable_dqn on EchoLab-v0 cannot be trained: "),
    (["-params", "demonstrator:nope"], "maskable_dqn on EchoLab-v0 cannot be trained: "),
    (["-n", "9", "-params", "n_timesteps:x"], "n_timesteps must be a whole number"),
    (["-n", "0"], "--n-timesteps must be a whole number of at least 1, not 0"),
    (["-n", "-1"], "--n-timesteps must be a whole number of at least 1, not -1"),
    (["--seed", "-2"], "--seed must be a whole number in [-1, "),
    (["--eval-episodes", "0"], "--eval-episodes must be"),
    (["--n-eval-envs", "0"], "--n-eval-envs must be"),
    (["--log-interval", "0"], "--log-interval must be a whole number of at least 1 or -1 or -2, not 0"),
    (["--device", "tpu"], "there is no device 'tpu' here"),
    (["--log-folder", str(ROOT / "LICENSE" / "logs")], "LICENSE is no folder"),
    (["--tensorboard-log", str(ROOT / "LICENSE")], "LICENSE is no folder"),
    (["--trained-agent", ""], "--trained-agent: there is no .zip file"),
    (["--trial-id", "9"], "give --storage and --study-name"),
    (["--trial-id", "0", "--storage", "no.log", "--study-name", "x"], "there is no file no.log"),
    (["--trial-id", "0", "--storage", "sqlite:///no.db", "--study-name", "x"], "there is no file no.db"),
    (["--optimize", "--n-trials", "0"], "--n-trials must be"),
    (["--optimize", "--sampler", "nope"], "choose from auto, random, tpe"),
    (["--paper-protocol", "--algo", "ppo"], "leave --algo out"),
    (
        ["--paper-protocol", "long"],
        "long is not known: it must be one of authors_code, short, or stand alone",
    ),
    (["enjoy", "--env", "EchoLab"], "did you mean 'EchoLab-v0'?"),
    (["enjoy"], "was not found"),
    (["enjoy", "--env", "EchoLabPlan-v0"], "cannot be drawn as pictures, and be played with --no-render only"),
    (["record_video", "--env", "EchoLabPlan-v0"], "cannot be drawn as pictures; its render modes: none."),
    (["record_video", "--algo", "maskable"], "Unknown algorithm 'maskable'"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED, ids=lambda value: str(value)[:60])
def test_refusals_are_one_sentence_and_write_nothing(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A refusal is one sentence on stderr, exit status 2, and no files."""
    assert train.main(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "\n" not in error
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("EchoLab-v0: {policy: [", "is no readable YAML: line 1"),
        ("just words", "it must map environment ids to hyperparameters"),
        ("EchoLab-v1: {policy: MlpPolicy}", "has no hyperparameters for EchoLab-v0, only for EchoLab-v1"),
        ("EchoLab-v0: {n_timesteps: 10}", "gives no policy"),
        ("EchoLab-v0: {policy: MlpPolicy, n_timesteps: 10, gamma: 1e-1}", "gamma must be a number"),
        ("", "it must map environment ids to hyperparameters"),
    ],
)
def test_bad_config_files_are_named(text: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An unusable config file is refused in one sentence that says what is wrong with it."""
    Path("bad.yml").write_text(text)
    assert train.main(["--conf-file", "bad.yml"]) == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "\n" not in error
    assert [path.name for path in Path.cwd().iterdir()] == ["bad.yml"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def", "bad.py is no readable Python: line 1"),
        ("x = 1", "bad.py defines no dictionary 'hyperparams'"),
        ("raise OSError('no disk')", "bad.py cannot be used: no disk"),
    ],
)
def test_bad_python_configs_are_named(text: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A Python config that fails is refused in one sentence."""
    Path("bad.py").write_text(text)
    assert train.main(["--conf-file", "bad.py"]) == 2
    assert message in capsys.readouterr().err
    assert [path.name for path in Path.cwd().iterdir()] == ["bad.py"]


@pytest.mark.parametrize(
    ("package", "flags"), [("wandb", ["--track"]), ("optunahub", ["--optimize", "--sampler", "auto"])]
)
def test_missing_packages_are_named(package: str, flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """An option that needs a package that is not installed is refused by the package's name."""
    if find_spec(package) is not None:
        pytest.skip(f"{package} is installed")
    assert train.main(flags) == 2
    assert f"needs the package {package}, which is not installed" in capsys.readouterr().err
    assert list(Path.cwd().iterdir()) == []


def test_a_failed_training_is_told_in_full_on_demand(capsys: pytest.CaptureFixture[str]) -> None:
    """With --verbose 2 the traceback comes before the sentence; the log for TensorBoard is removed too."""
    arguments = ["-params", "demonstrator:nope", "--verbose", "2", "--tensorboard-log", "runs"]
    assert train.main([*SMALL, *arguments]) == 2
    error = capsys.readouterr().err
    assert "Traceback" in error
    assert error.splitlines()[-1].startswith("train.py: maskable_dqn on EchoLab-v0 cannot be trained: ")
    assert not list(Path.cwd().rglob("*.*"))
    assert not Path("logs").exists()


def test_the_command_ends_with_code_2() -> None:
    """The process exits with status 2 after a refusal."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "train.py"), "--env", "EchoLabScarse-v0"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("train.py: Unknown environment 'EchoLabScarse-v0' (did you mean")
    assert list(Path.cwd().iterdir()) == []


def test_without_rl_zoo3_the_extra_is_named() -> None:
    """Without rl_zoo3 the error names the extra to install."""
    code = f"import sys; sys.modules['rl_zoo3'] = None; sys.path.insert(0, {str(ROOT)!r}); import train;"
    done = subprocess.run(
        [sys.executable, "-c", code + "sys.exit(train.main([]))"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.strip() == (
        'train.py: Training needs rl_zoo3, which is not installed: pip install "echo-lab-rl[rl]".'
    )
