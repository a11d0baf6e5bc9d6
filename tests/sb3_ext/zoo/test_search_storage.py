"""Studies of several processes: a trial whose process was killed is run again, and no other."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from sb3_ext.zoo.search.storage import LivingJournal, creating_living

pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")


def objective(trial: optuna.Trial) -> float:
    """One hyperparameter."""
    return trial.suggest_float("x", 0, 1)


def begun(journal: Path, seconds_ago: float) -> float:
    """Leave a trial running whose last sign of life is so long ago: its hyperparameter."""
    storage = LivingJournal(journal)
    study = optuna.create_study(storage=storage, study_name="search", load_if_exists=True)
    trial = study.ask()
    storage.record_heartbeat(trial._trial_id)
    then = time.time() - seconds_ago
    os.utime(Path(f"{journal}.alive") / str(trial._trial_id), (then, then))
    return trial.suggest_float("x", 0, 1)


def gone_on(journal: Path) -> optuna.Study:
    """The study, after a further trial by another process."""
    create = creating_living(str(journal))
    study = create(study_name="search", load_if_exists=True)
    study.optimize(objective, n_trials=1)
    return study


def test_a_trial_without_signs_of_life_is_run_again(tmp_path: Path) -> None:
    """It is failed, and run again with the same hyperparameters."""
    x = begun(tmp_path / "study.log", 3600)
    failed, again = gone_on(tmp_path / "study.log").trials
    assert (failed.state, again.state) == (TrialState.FAIL, TrialState.COMPLETE)
    assert again.params == failed.params == {"x": x}
    assert again.value == x


def test_a_trial_that_runs_is_left_alone(tmp_path: Path) -> None:
    """Another process's trial goes on while it gives signs of life."""
    begun(tmp_path / "study.log", 1)
    assert [trial.state for trial in gone_on(tmp_path / "study.log").trials] == [
        TrialState.RUNNING,
        TrialState.COMPLETE,
    ]


def test_a_database_has_the_same(tmp_path: Path) -> None:
    """A study in a database has Optuna's own signs of life, and runs dead trials again."""
    study = creating_living(None)(storage=f"sqlite:///{tmp_path}/study.db", study_name="search")
    study.optimize(objective, n_trials=2)
    assert study._storage.get_heartbeat_interval() is not None  # type: ignore[attr-defined]
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 2


WORKER = """
import sys, time, warnings
import optuna
from sb3_ext.zoo.search.storage import LivingJournal
warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)

def objective(trial):
    x = trial.suggest_float("x", 0, 1)
    open(f"{sys.argv[1]}.begun", "a").write(f"{sys.argv[2]} {trial.number}\\n")
    time.sleep(600 if sys.argv[2] == "0" else 5)
    return x

study = optuna.create_study(storage=LivingJournal(sys.argv[1], 1, 20), study_name="search", load_if_exists=True)
study.optimize(objective, n_trials=8)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_three_processes_share_a_study_and_one_is_killed(tmp_path: Path) -> None:
    """The killed one's trial is run again once; every hyperparameter that was begun has its value once."""
    journal = tmp_path / "study.log"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    processes = [
        subprocess.Popen([sys.executable, "-c", WORKER, str(journal), str(number)], env=environment)
        for number in range(3)
    ]
    begun_by = Path(f"{journal}.begun")
    limit = time.monotonic() + 300
    try:
        while not (begun_by.exists() and any(line.startswith("0 ") for line in begun_by.read_text().splitlines())):
            assert time.monotonic() < limit
            time.sleep(0.1)
        processes[0].kill()
        assert [process.wait(300) for process in processes] == [-signal.SIGKILL, 0, 0]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    study = optuna.load_study(study_name="search", storage=LivingJournal(journal, 1, 20))
    failed = [trial for trial in study.trials if trial.state == TrialState.FAIL]
    complete = [trial.params["x"] for trial in study.trials if trial.state == TrialState.COMPLETE]
    assert len(failed) == 1
    assert complete.count(failed[0].params["x"]) == 1
    assert len(complete) == len(set(complete)) == 16
