"""Compiled work in threads: results in order, errors, Ctrl-C, and processes where there are many jobs."""

from __future__ import annotations

import os
import threading
import time

import pytest

from echo_env.common.parallel import deal_out, map_in_order
from echo_env.common.parallel.dealing import MOST_THREADS


def where(task: int) -> tuple[int, int, int]:
    """Task, process and thread; the first task takes longest."""
    time.sleep(0.3 if task == 0 else 0.01)
    return task, os.getpid(), threading.get_ident()


def test_threads_give_results_in_the_order_of_the_tasks() -> None:
    """They are threads of this process, several at a time, and each result is told once, in this thread."""
    told: list[tuple[int, int]] = []
    found = map_in_order(
        where, range(9), 3, lambda task, own: told.append((task, threading.get_ident())), compiled=True
    )
    assert [task for task, _, _ in found] == list(range(9))
    assert {process for _, process, _ in found} == {os.getpid()}
    assert threading.get_ident() not in {thread for _, _, thread in found}
    assert len({thread for _, _, thread in found}) > 1
    assert told[0][0] != 0
    assert sorted(told) == [(task, threading.get_ident()) for task in range(9)]


def test_many_jobs_are_processes() -> None:
    """Beyond a few threads would wait for each other."""
    found = map_in_order(where, range(3), MOST_THREADS + 1, lambda task, own: None, compiled=True)
    assert os.getpid() not in {process for _, process, _ in found}


@pytest.mark.parametrize("error", [ValueError("task is 3"), KeyboardInterrupt()])
def test_an_error_ends_the_work(error: BaseException) -> None:
    """It is raised here, and no further tasks are begun than those that are under way."""
    begun: list[int] = []

    def failing(task: int) -> int:
        begun.append(task)
        time.sleep(0.01)
        if task == 3:
            raise error
        return task

    with pytest.raises(type(error)):
        deal_out(failing, range(1000), 2, lambda task, own: None, compiled=True)
    assert len(begun) < 50
    before = len(begun)
    time.sleep(0.1)
    assert len(begun) == before


def test_an_error_of_who_is_told_ends_the_work() -> None:
    """A full disk, say."""
    begun: list[int] = []

    def full(task: int, own: None) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        deal_out(begun.append, range(1000), 2, full, compiled=True)
    before = len(begun)
    time.sleep(0.1)
    assert len(begun) == before < 1000
