"""One search by four processes on a PostgreSQL server, of which one is killed."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

ROOT = Path(__file__).parents[3]
TRIALS = 12
DONE = (TrialState.COMPLETE, TrialState.PRUNED)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("initdb") is None, reason="no PostgreSQL server is installed"),
    pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX"),
]


@pytest.fixture
def url() -> Iterator[str]:
    """URL of an empty database of a server of its own, which does not run as root, so then as the user ``postgres``."""
    pytest.importorskip("psycopg")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    as_user: dict[str, Any] = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    # Not below pytest's folder, which is closed to other users.
    with tempfile.TemporaryDirectory() as folder:
        if as_user:
            shutil.chown(folder, **as_user)

        def run(*command: str) -> None:
            subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, **as_user)

        data, log = f"{folder}/data", f"{folder}/log"
        run("initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-sync")
        run("pg_ctl", "-D", data, "-w", "-l", log, "-o", f"-p {port} -h 127.0.0.1 -k {folder} -F", "start")
        try:
            yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "stop")


def search(url: str, logs: Path) -> "subprocess.Popen[str]":
    """One of the processes that work on the study."""
    command = [sys.executable, "train.py", "--algo", "maskable_dqn", "--env", "EchoLabScarce-v0", "-n", "3000"]
    command += ["--optimize", "--max-total-trials", str(TRIALS), "--n-evaluations", "1", "--eval-episodes", "20"]
    command += ["--storage", url, "--study-name", "search", "--num-threads", "1", "-f", str(logs)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def trials(url: str) -> list[optuna.trial.FrozenTrial]:
    """Those of the study; none before it is there."""
    with contextlib.suppress(KeyError):
        return optuna.load_study(study_name="search", storage=url).trials
    return []


def test_four_processes_share_a_study_and_one_is_killed(url: str, tmp_path: Path) -> None:
    """The study is complete, the killed trial was run again with the same hyperparameters, and the best is the best."""
    processes = [search(url, tmp_path / str(number)) for number in range(4)]
    limit = time.monotonic() + 600
    try:
        while sum(trial.state == TrialState.RUNNING for trial in trials(url)) < 4:
            assert time.monotonic() < limit
            time.sleep(0.2)
        processes[0].kill()
        for process in processes[1:]:
            printed = process.communicate(timeout=600)[0]
            assert process.returncode == 0, printed
        assert processes[0].wait(60) == -signal.SIGKILL
        # The killed trial may have been stale too late for the others: whoever comes next finds it.
        while sum(trial.state in DONE for trial in trials(url)) < TRIALS:
            assert time.monotonic() < limit
            time.sleep(10)
            process = search(url, tmp_path / "later")
            processes.append(process)
            printed = process.communicate(timeout=600)[0]
            assert process.returncode == 0, printed
    finally:
        for process in processes:
            process.kill()
            process.wait()
    study = optuna.load_study(study_name="search", storage=url)
    failed = [trial for trial in study.trials if trial.state == TrialState.FAIL]
    done = [trial for trial in study.trials if trial.state in DONE]
    assert len(failed) == 1
    assert len(failed) + len(done) == len(study.trials)
    assert [trial.params for trial in done].count(failed[0].params) == 1
    assert len(done) >= TRIALS
    assert study.best_value == max(trial.value for trial in done if trial.state == TrialState.COMPLETE)
    assert f"{study.best_value}"[:8] in printed
