"""Work dealt out to several processes, its results in the order of the tasks."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from typing import Any, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


def map_in_order(
    work: Callable[[Task], Result], tasks: Sequence[Task], jobs: int, done: Callable[[Task], None]
) -> list[Result]:
    """``[work(task) for task in tasks]``, by so many processes; who finishes first makes no difference.

    The first error, Ctrl-C too, stops all processes at once and is raised here.

    :param work: what is done with a task; for several jobs it can be pickled, as can tasks and results
    :param tasks: the tasks, begun in this order
    :param jobs: how many processes work; with 1 it is this one
    :param done: called with each task that is finished, in whatever order that happens
    :raises ValueError: jobs is not a whole number of at least 1, or the work cannot be sent to other processes
    :raises ChildProcessError: a process was killed from outside
    """
    if isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1:
        raise ValueError(f"jobs is {jobs!r}, but must be a whole number of at least 1")
    if jobs == 1 or len(tasks) <= 1:
        return [_told(task, work(task), done) for task in tasks]
    pickled, queue = _pickled(work), iter(enumerate(tasks))
    running: dict[Future[Result], int] = {}
    results: dict[int, Result] = {}
    with _workers(min(jobs, len(tasks))) as pool:
        while len(results) < len(tasks):
            # A few in hand, so that no process waits for this one.
            for number, task in islice(queue, 2 * jobs - len(running)):
                running[_submitted(pool, pickled, task)] = number
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                number = running.pop(future)
                results[number] = _told(tasks[number], future.result(), done)
    return [results[number] for number in range(len(tasks))]


def _submitted(pool: ProcessPoolExecutor, pickled: bytes, task: Any) -> Future[Any]:
    """Hand a task to the pool, which may start a process for it."""
    # Processes inherit this from the one that starts them: Ctrl-C is for the parent alone to act upon.
    with _interrupts_ignored():
        return pool.submit(_work_on, pickled, task)


def _told(task: Task, result: Result, done: Callable[[Task], None]) -> Result:
    done(task)
    return result


def _pickled(work: Any) -> bytes:
    try:
        return pickle.dumps(work)
    except (AttributeError, TypeError, pickle.PicklingError) as error:
        raise ValueError(f"jobs must be 1, because the work cannot be sent to other processes: {error}") from error


def _work_on(pickled: bytes, task: Any) -> Any:
    """In a worker: one task."""
    return _unpickled(pickled)(task)


@lru_cache(maxsize=1)
def _unpickled(pickled: bytes) -> Callable[[Any], Any]:
    """In a worker: the work, unpickled with the first task and then kept."""
    return pickle.loads(pickled)


@contextmanager
def _workers(count: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that end with the block, and at once if it raises."""
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), initializer=_leave_with_parent)
    try:
        yield pool
    except BaseException as error:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        if isinstance(error, BrokenProcessPool):
            message = "a worker process was killed, perhaps for want of memory: try fewer jobs"
            raise ChildProcessError(message) from error
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _leave_with_parent() -> None:
    """In a worker: end when the parent does, however that comes about."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Ignore Ctrl-C for a moment, where this thread has a say in it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
