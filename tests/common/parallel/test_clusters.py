"""Real clusters of processes of this machine: the same numbers as one process, to the bit, whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from cluster import ROOT, Cluster, dask_cluster, ray_cluster, wait_for

from echo_env.common.parallel import Jobs, Workers, carry_along, map_in_order, signal_to
from echo_env.lab import evaluate, load_lab, make_policy
from echo_env.lab.optimise import Budget, optimise
from echo_env.lab.simulation.policy import Policy
from echo_env.lab.sweep.grid import make_sweep
from echo_env.lab.sweep.play import Player, play_sweep, tasks_of
from echo_env.lab.sweep.results import SweepResults

pytestmark = pytest.mark.slow
SCARCE = load_lab("scarce")
# Workers have no folder with tests.
carry_along(__name__)


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Dask cluster of four workers, each in a folder of its own."""
    pytest.importorskip("distributed")
    with dask_cluster(tmp_path_factory.mktemp("dask"), 4) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def ray() -> Iterator[str]:
    """The address of a Ray cluster with two places."""
    pytest.importorskip("ray")
    with ray_cluster(2) as address:
        yield address


@pytest.fixture(params=["dask", "ray"])
def workers(request: pytest.FixtureRequest) -> Workers:
    """The workers of each kind of cluster."""
    found = request.getfixturevalue(request.param)
    return Workers(backend=request.param, address=found.address if request.param == "dask" else found)


def only_even(task: int) -> int:
    """Raises for an odd task."""
    if task % 2:
        raise ValueError(f"task is {task}, but must be even")
    return task


def test_results_are_in_order_and_told_once(workers: Workers) -> None:
    """Results come in the order of the tasks, and each is told once."""
    told: list[tuple[int, int]] = []
    found = map_in_order(lambda task: task * task, range(500), workers, lambda task, own: told.append((task, own)))
    assert found == [task * task for task in range(500)]
    assert sorted(told) == list(enumerate(found))


def test_an_error_is_raised_as_it_is(workers: Workers) -> None:
    """The first error of a worker is raised here, and the cluster serves on."""
    with pytest.raises(ValueError, match=r"^task is \d+, but must be even$"):
        map_in_order(only_even, range(100), workers, lambda task, own: None)
    assert map_in_order(only_even, [0, 2], workers, lambda task, own: None) == [0, 2]


def test_a_word_reaches_workers_in_their_work(workers: Workers) -> None:
    """A signal that is given here ends work that is under way there."""
    with signal_to(workers) as stop:

        def wait(task: int) -> bool:
            limit = time.monotonic() + 120
            while not stop.is_given() and time.monotonic() < limit:
                time.sleep(0.1)
            return stop.is_given()

        timer = threading.Timer(3, stop.give)
        timer.start()
        assert map_in_order(wait, range(2), workers, lambda task, own: None) == [True, True]
        timer.join()


class OwnRule:
    """A rule that only this test file has, and no worker can import."""

    name = "own rule"

    def __init__(self) -> None:
        self._rule = make_policy("policy_2", SCARCE)

    def begin_day(self, view: object, seed: int) -> None:
        """Nothing to begin with."""

    def decide(self, view: object) -> object:
        """As policy 2."""
        return self._rule.decide(view)  # type: ignore[arg-type]


def test_rules_of_ones_own_play_the_same_days(workers: Workers) -> None:
    """A rule that no worker can import gives the numbers of one process."""
    for own, other in zip(played(1), played(workers), strict=True):
        assert np.array_equal(own, other, equal_nan=True)


def played(jobs: Jobs) -> list[np.ndarray]:
    """All metrics of two policies on some days."""
    policies: list[str | Policy] = ["policy_1", OwnRule()]  # type: ignore[list-item]
    found = evaluate(SCARCE, policies, 60, 7, jobs=jobs)
    return [own for table in found.values.values() for own in table.values()]


AXES = ["rooms.non_fetal=3:6", "sonographers.absence_rate=0:0.49:0.01"]


def swept(jobs: Jobs, folder: Path | None = None, kill: subprocess.Popen[bytes] | None = None) -> SweepResults:
    """A sweep of 200 cells and two rules.

    :param folder: keeps cells
    :param kill: a worker that is killed when some cells are there
    """
    sweep = make_sweep(SCARCE, AXES)
    tasks = tasks_of(sweep, lambda lab: [make_policy("policy_2", lab), make_policy("fetal_first", lab)], 5, 3)
    assert len(sweep.cells) >= 200
    told: list[object] = []

    def progress(task: object) -> None:
        told.append(task)
        if kill is not None and len(told) == 40:
            kill.kill()

    found = play_sweep(sweep, tasks, Player(5, 3, folder), 3, jobs, progress=progress)
    assert len(told) == len(tasks)
    return found


@pytest.fixture(scope="module")
def alone() -> SweepResults:
    """The sweep, in this process."""
    return swept(1)


def assert_same(one: SweepResults, other: SweepResults) -> None:
    """Every number of every cell is the same, to the bit."""
    for cell in one.sweep.cells:
        for policy in one.policies:
            for metric in one.metrics:
                mine, theirs = one.values(cell, policy, metric), other.values(cell, policy, metric)
                assert mine.tobytes() == theirs.tobytes(), (cell.number, policy, metric)


def test_a_sweep_on_ray_is_the_same(ray: str, alone: SweepResults) -> None:
    """200 cells on Ray equal those of one process."""
    assert_same(alone, swept(Workers(backend="ray", address=ray)))


def test_a_sweep_survives_a_killed_worker(alone: SweepResults, tmp_path: Path) -> None:
    """200 cells on four Dask workers, one killed in the middle, equal those of one process; cells are kept here."""
    pytest.importorskip("distributed")
    with dask_cluster(tmp_path / "dask", 4) as cluster:
        where = Workers(backend="dask", address=cluster.address)
        assert_same(alone, swept(where, tmp_path / "kept", kill=cluster.workers[1]))
        assert cluster.workers[1].wait(10) == -signal.SIGKILL
    assert len(list((tmp_path / "kept" / "cells").iterdir())) == 2 * len(alone.sweep.cells)
    # No worker wrote a cell in its own folder.
    assert not list((tmp_path / "dask").glob("*/cells"))


def test_threads_of_a_worker_do_not_share_days(alone: SweepResults, tmp_path: Path) -> None:
    """A worker with four threads gives the same numbers: threads share nothing that work remembers."""
    pytest.importorskip("distributed")
    with dask_cluster(tmp_path, 1, threads=4) as cluster:
        for own, other in zip(played(1), played(Workers(backend="dask", address=cluster.address)), strict=True):
            assert np.array_equal(own, other, equal_nan=True)


def test_optimise_is_the_same(workers: Workers) -> None:
    """A search that ends by itself proposes the same, with the same numbers."""
    proposals = [
        optimise(SCARCE, most_changes=1, budget=Budget(3000, 1, days=200, world_days=0, jobs=jobs), seed=2)
        for jobs in (1, workers)
    ]
    alone, elsewhere = proposals
    assert not alone.cut
    assert alone.front == elsewhere.front
    assert (alone.chosen, alone.searched) == (elsewhere.chosen, elsewhere.searched)


INTERRUPTED = """
import sys, time
from pathlib import Path
from echo_env.common.parallel import Workers, map_in_order

def work(task):
    time.sleep(0.2)
    return task

def done(task, result):
    Path("begun").touch()

try:
    map_in_order(work, range(10_000), Workers(backend="dask", address=sys.argv[1]), done)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_ends_the_work(dask: Cluster, tmp_path: Path) -> None:
    """Ctrl-C ends the program, and the cluster is free for others."""
    (tmp_path / "interrupted.py").write_text(INTERRUPTED)
    environment = {**os.environ, "PYTHONPATH": ROOT}
    line = [sys.executable, "interrupted.py", dask.address]
    process = subprocess.Popen(line, cwd=tmp_path, env=environment, stderr=subprocess.PIPE)
    wait_for(tmp_path / "begun")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    where = Workers(backend="dask", address=dask.address)
    begin = time.monotonic()
    assert map_in_order(only_even, [0, 2], where, lambda task, own: None) == [0, 2]
    # Ten thousand tasks would take minutes.
    assert time.monotonic() - begin < 100


def test_nobody_at_an_address_is_said(tmp_path: Path) -> None:
    """An address at which nobody answers is refused in one sentence."""
    pytest.importorskip("distributed")
    pytest.importorskip("ray")
    for backend, address in (("dask", "tcp://127.0.0.1:9"), ("ray", "127.0.0.1:9")):
        with pytest.raises(ConnectionError, match=rf"address is '{address}', but no .* answers there within 5 seconds"):
            map_in_order(only_even, [0, 2], Workers(backend=backend, address=address), lambda task, own: None)
