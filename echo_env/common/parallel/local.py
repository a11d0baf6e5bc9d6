"""Work dealt out to several processes of this machine, by joblib's loky."""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any

from echo_env.common.parallel.engine import Arriving
from echo_env.common.parallel.sending import Block, Done, Parcel, work_on


class LocalProcesses:
    """Deals out to processes of this machine.

    :param slots: how many
    """

    sentence = "a worker process was killed again and again, perhaps for want of memory: try fewer jobs"

    def __init__(self, slots: int) -> None:
        from joblib.externals.loky import BrokenProcessPool

        self.slots = slots
        self.lost: tuple[type[BaseException], ...] = (BrokenProcessPool,)
        self.hopeless: tuple[type[BaseException], ...] = ()

    @contextmanager
    def dealt(self, parcel: Parcel, blocks: Iterator[Block]) -> Iterator[Arriving]:
        """Have blocks done; all processes end with the block, at once if it raises.

        :param parcel: what is dealt out
        :param blocks: of its tasks
        """
        from joblib import Parallel, delayed

        with _workers_ended() as arriving:
            # Arrays arrive as they were sent, and workers compute with as many threads as this process does: numbers
            # must not depend on jobs.
            pool = Parallel(
                min(self.slots, len(parcel.tasks)), backend="loky", return_as="generator_unordered", batch_size=1,
                max_nbytes=None,
                inner_max_num_threads=os.cpu_count(), initializer=_begin, initargs=(os.getpid(), parcel.content),
            )  # fmt: skip
            with _interrupts_held():
                arriving.append(pool(delayed(_work)(parcel.key, block) for block in blocks))
            yield arriving[0]


_content = b""
"""In a worker: the content of the parcel."""


def _begin(parent: int, content: bytes) -> None:
    """In a worker, before its first task."""
    global _content
    _content = content
    _leave_with_parent(parent)


def _work(key: str, block: Block) -> Done:
    """In a worker: a block."""
    return work_on(key, lambda: _content, block)


@contextmanager
def _workers_ended() -> Iterator[list[Any]]:
    """End all processes with the block, at once if it raises.

    :return: a list for the generator of results, which is closed too
    """
    from joblib.externals.loky import get_reusable_executor

    arriving: list[Any] = []
    failed = True
    try:
        yield arriving
        failed = False
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
