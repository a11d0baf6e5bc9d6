"""Work dealt out to several processes, its results in the order of the tasks."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from multiprocessing import resource_tracker
from typing import Any, TypeVar, cast

Task = TypeVar("Task")
Result = TypeVar("Result")


def map_in_order(
    work: Callable[[Task], Result], tasks: Sequence[Task], jobs: int, done: Callable[[Task], None]
) -> list[Result]:
    """``[work(task) for task in tasks]``, in several processes; which of them finishes first makes no difference.

    The first error, Ctrl-C too, stops all processes at once and is raised here.

    :param work: what is done with a task; for several jobs it can be pickled, as can tasks and results
    :param tasks: the tasks, begun in this order
    :param jobs: number of processes; with 1 it is this one
    :param done: called with each task that is finished, in whatever order that happens
    :raises ValueError: jobs is not a whole number of at least 1, or the work cannot be sent to other processes
    :raises ChildProcessError: a process was killed from outside
    """
    if isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1:
        raise ValueError(f"jobs is {jobs!r}, but must be a whole number of at least 1")
    if jobs == 1 or len(tasks) <= 1:
        return [_told(task, work(task), done) for task in tasks]
    # Not loaded with the package: one process has no use for it.
    from joblib import Parallel, delayed

    pickled, results = _pickled(work), {}
    with _workers_ended() as arriving:
        # Batches would hold back progress. Arrays arrive as they were sent, and workers compute with as many threads
        # as this process does: numbers must not depend on jobs.
        threads = os.cpu_count()
        pool = Parallel(
            min(jobs, len(tasks)), backend="loky", return_as="generator_unordered", batch_size=1, max_nbytes=None,
            inner_max_num_threads=threads, initializer=_leave_with_parent, initargs=(os.getpid(),),
        )  # fmt: skip
        with _interrupts_held():
            arriving.append(pool(delayed(_work_on)(pickled, number, task) for number, task in enumerate(tasks)))
        for number, result in arriving[0]:
            results[number] = _told(tasks[number], result, done)
    return [results[number] for number in range(len(tasks))]


def _told(task: Task, result: Result, done: Callable[[Task], None]) -> Result:
    done(task)
    return result


def _pickled(work: Any) -> bytes:
    # What a script or a notebook defines is sent along, because workers do not run it.
    import cloudpickle

    try:
        return bytes(cloudpickle.dumps(work))
    except (AttributeError, TypeError, pickle.PicklingError) as error:
        raise ValueError(f"jobs must be 1, because the work cannot be sent to other processes: {error}") from error


def _work_on(pickled: bytes, number: int, task: Any) -> tuple[int, Any]:
    """In a worker: one task."""
    return number, _unpickled(pickled)(task)


@lru_cache(maxsize=1)
def _unpickled(pickled: bytes) -> Callable[[Any], Any]:
    """In a worker: the work, unpickled with the first task and then kept."""
    return cast(Callable[[Any], Any], pickle.loads(pickled))


@contextmanager
def _workers_ended() -> Iterator[list[Any]]:
    """End all processes with the block, at once if it raises.

    :return: a list for the generator of results, which is closed too
    """
    from joblib.externals.loky import BrokenProcessPool, get_reusable_executor

    arriving: list[Any] = []
    failed = True
    try:
        yield arriving
        failed = False
    except BrokenProcessPool as error:
        message = "a worker process was killed, perhaps for want of memory: try fewer jobs"
        raise ChildProcessError(message) from error
    finally:
        with _teardown_unheard():
            for results in arriving:
                results.close()
            # The one in use: asked for any other, loky would first wait for this one to finish.
            get_reusable_executor(reuse=True).shutdown(kill_workers=failed)


@contextmanager
def _teardown_unheard() -> Iterator[None]:
    """Print neither joblib's warning of tasks given up nor an error of loky's thread whose workers are killed."""
    before = threading.excepthook

    def hook(args: threading.ExceptHookArgs) -> None:
        if args.thread is None or args.thread.name != "ExecutorManagerThread":
            before(args)

    threading.excepthook = hook
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        threading.excepthook = before


def _leave_with_parent(parent: int) -> None:
    """In a worker: end when the parent does, however that comes about."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back for a moment; it is raised when the block is left.

    Processes inherit the signal mask of the thread that starts them: Ctrl-C is for the parent alone to act upon. In
    the parent another thread may receive it all the same, which would raise it here, half-way through a start.
    """
    masks = hasattr(signal, "pthread_sigmask")
    if not masks or threading.current_thread() is not threading.main_thread():
        # On Windows workers get Ctrl-C too, and die of it.
        yield
        return
    # Before Python 3.12 its start unblocks the signal.
    resource_tracker.ensure_running()
    held: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, frame: held.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler)
    if held:
        signal.raise_signal(signal.SIGINT)
