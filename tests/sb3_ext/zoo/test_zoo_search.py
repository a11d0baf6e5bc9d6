"""rl_zoo3 with masks: searches for hyperparameters."""

from pathlib import Path
from typing import Any

import optuna
import pytest
from doors import MASKED, Doors, train
from rl_zoo3.exp_manager import ExperimentManager
from stable_baselines3.common.env_util import make_vec_env

from sb3_ext.zoo import ALGORITHMS, UsageError, cli, register
from sb3_ext.zoo.algorithms import converters, samplers
from sb3_ext.zoo.manager import ZooExperimentManager


def test_native_search(defaults: cli.ZooDefaults, recwarn: pytest.WarningsRecorder) -> None:
    """A hyperparameter search runs on native environments, for evaluation too."""
    arguments = ["--env", "NativeDoors-v0", "-optimize", "--n-trials", "2", "-n", "100", "--n-evaluations", "1"]
    assert cli.train([*arguments, "--vec-env", "native", "--no-optim-plots", "--verbose", "0"], defaults) is None
    assert not [warning for warning in recwarn if "not of the same type" in str(warning.message)]


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
