"""Work in several processes: results in order, errors, and no process left behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from echo_env.common.parallel import map_in_order


def slow_first(task: int) -> int:
    """The first task takes longest."""
    time.sleep(0.5 if task == 0 else 0.0)
    return task * task


def only_even(task: int) -> int:
    """Raises for odd tasks."""
    if task % 2:
        raise ValueError(f"task is {task}, but must be even")
    time.sleep(0.1)
    return task


def killed(task: int) -> int:
    """Kills the process that it runs in."""
    os.kill(os.getpid(), signal.SIGKILL)
    return task


def holding(lock: object, task: int) -> int:
    """Work with something that belongs to one process."""
    return task


def nothing(task: int, result: int) -> None:
    """Progress that is not shown."""


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_are_in_the_order_of_the_tasks(jobs: int) -> None:
    """Results come in the order of the tasks, whichever finishes first."""
    told: list[tuple[int, int]] = []
    found = map_in_order(slow_first, range(5), jobs, lambda task, result: told.append((task, result)))
    assert found == [0, 1, 4, 9, 16]
    assert sorted(told) == [(0, 0), (1, 1), (2, 4), (3, 9), (4, 16)]
    assert not multiprocessing.active_children()


def test_an_error_ends_all_workers() -> None:
    """The first error is raised at once, and no process outlives it."""
    begin = time.monotonic()
    with pytest.raises(ValueError, match=r"task is \d+, but must be even"):
        map_in_order(only_even, range(2000), 2, nothing)
    assert time.monotonic() - begin < 60
    assert not multiprocessing.active_children()


def test_a_killed_worker_is_an_error() -> None:
    """A worker that the system kills is reported in one sentence."""
    with pytest.raises(ChildProcessError, match="a worker process was killed"):
        map_in_order(killed, range(4), 2, nothing)


@pytest.mark.parametrize("jobs", [0, -1, 1.5, True, "2"])
def test_jobs_must_be_a_positive_number(jobs: int) -> None:
    """The number of processes is a whole number of at least 1."""
    with pytest.raises(ValueError, match=r"jobs is .*, but must be a whole number of at least 1"):
        map_in_order(slow_first, range(2), jobs, nothing)


def test_work_that_cannot_be_sent_is_refused() -> None:
    """Work that cannot be pickled is refused with a remedy."""
    with pytest.raises(ValueError, match="jobs must be 1, because the work cannot be sent to other processes"):
        map_in_order(partial(holding, threading.Lock()), range(2), 2, nothing)


def test_functions_without_a_name_can_be_sent() -> None:
    """What a script, a notebook or a function defines works in several processes too."""
    assert map_in_order(lambda task: task + 1, range(3), 2, nothing) == [1, 2, 3]


SLEEPERS = """
import os, pathlib, time
from echo_env.common.parallel import map_in_order

def sleep(task):
    pathlib.Path(f"worker{task}").write_text(str(os.getpid()))
    time.sleep(600)

if __name__ == "__main__":
    map_in_order(sleep, range(2), 2, print)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_workers_do_not_outlive_a_parent_that_was_killed(tmp_path: Path) -> None:
    """Workers end when their parent is killed."""
    (tmp_path / "sleepers.py").write_text(SLEEPERS)
    environment = {**os.environ, **python_path()}
    # What cleans up after a killed process says so.
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    parent = subprocess.Popen([sys.executable, "sleepers.py"], cwd=tmp_path, env=environment, **quiet)
    try:
        files = [tmp_path / f"worker{task}" for task in range(2)]
        assert comes_true(lambda: all(file.is_file() and file.read_text() for file in files))
    finally:
        parent.kill()
        parent.wait()
    assert comes_true(lambda: not any(is_running(int(file.read_text())) for file in files))


def python_path() -> dict[str, str]:
    """Environment variables with which a script in another folder finds the package."""
    return {"PYTHONPATH": str(Path(__file__).parents[3])}


def is_running(process: int) -> bool:
    """Whether a process of this number is running."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")
    # Ended, but its new parent has not asked yet.
    return not (status.is_file() and status.read_text().rpartition(")")[2].split()[0] == "Z")


def comes_true(what: Callable[[], bool], seconds: float = 60) -> bool:
    """Wait until a condition holds; False if it does not in time."""
    limit = time.monotonic() + seconds
    while not what():
        if time.monotonic() > limit:
            return False
        time.sleep(0.05)
    return True
