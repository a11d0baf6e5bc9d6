"""Clusters with a single place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cluster import dask_cluster, ray_cluster

from echo_env.common.parallel import Workers, carry_along, map_in_order

pytestmark = pytest.mark.slow
# Workers have no folder with tests.
carry_along(__name__)


def who(task: int) -> tuple[int, int]:
    """The task, and the process that does it."""
    return task, os.getpid()


def processes_of(workers: Workers) -> set[int]:
    """The processes that do some work."""
    return {process for _, process in map_in_order(who, range(20), workers, lambda task, own: None)}


def test_dask_works_elsewhere(tmp_path: Path) -> None:
    """A Dask cluster of one worker does the work, and not the process that deals it out."""
    pytest.importorskip("distributed")
    with dask_cluster(tmp_path, 1) as cluster:
        [process] = processes_of(Workers(backend="dask", address=cluster.address))
    assert process != os.getpid()


def test_ray_works_elsewhere() -> None:
    """A Ray cluster of one place does the work, and not the process that deals it out."""
    pytest.importorskip("ray")
    with ray_cluster(1) as address:
        [process] = processes_of(Workers(backend="ray", address=address))
    assert process != os.getpid()
