"""Clusters of processes of this machine, each worker in a folder of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = str(Path(__file__).parents[3])
MODULES = {"scheduler": "distributed.cli.dask_scheduler", "worker": "distributed.cli.dask_worker"}


class Cluster(NamedTuple):
    """A cluster that runs.

    :param address: of its scheduler
    :param workers: its processes
    """

    address: str
    workers: list[subprocess.Popen[bytes]]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def dask_cluster(folder: Path, workers: int, threads: int = 1) -> Iterator[Cluster]:
    """A scheduler and workers without nannies, so that a worker that is killed stays away.

    :param folder: each process has a folder of its own in it
    :param workers: how many
    :param threads: of each worker
    """
    address = f"tcp://127.0.0.1:{free_port()}"
    options = ["--host", "127.0.0.1", "--port", address.rpartition(":")[2], "--no-dashboard"]
    processes = [_started("scheduler", options, folder / "scheduler")]
    try:
        options = [address, "--nthreads", str(threads), "--no-nanny", "--no-dashboard", "--death-timeout", "60"]
        processes += [_started("worker", options, folder / f"worker_{number}") for number in range(workers)]
        _wait_for_workers(address, workers)
        yield Cluster(address, processes[1:])
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _wait_for_workers(address: str, number: int) -> None:
    from distributed import Client

    limit = time.monotonic() + 120
    while True:
        try:
            with Client(address, timeout=10, set_as_default=False) as client:
                client.wait_for_workers(number, timeout=120)
            return
        except OSError:
            if time.monotonic() > limit:
                raise


def _started(what: str, options: list[str], folder: Path) -> subprocess.Popen[bytes]:
    folder.mkdir(parents=True)
    environment = {**os.environ, "PYTHONPATH": ROOT}
    with (folder / "log").open("wb") as log:
        line = [sys.executable, "-m", MODULES[what], *options]
        return subprocess.Popen(line, cwd=folder, env=environment, stdout=log, stderr=log)


@contextmanager
def ray_cluster(cpus: int) -> Iterator[str]:
    """A Ray cluster of one node: its address.

    :param cpus: how many tasks it works on at a time
    """
    import ray

    context = ray.init(num_cpus=cpus, include_dashboard=False, log_to_driver=False, object_store_memory=100_000_000)
    try:
        yield str(context.address_info["gcs_address"])
    finally:
        ray.shutdown()


def wait_for(path: Path, seconds: float = 120) -> None:
    """Wait until there is a file.

    :raises TimeoutError: there is none in time
    """
    limit = time.monotonic() + seconds
    while not path.exists():
        if time.monotonic() > limit:
            raise TimeoutError(path)
        time.sleep(0.05)
