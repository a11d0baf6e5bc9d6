"""A backend of joblib on Ray's tasks.

``ray.util.joblib`` deals out to a pool of actors: a lost actor's tasks are lost, and results come only with the last of
them. Tasks are done again by Ray itself, and each result comes when it is there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import ray
from joblib.parallel import ParallelBackendBase

RETRIES = 3
"""So many times a task is done again whose worker was lost."""


def _run(batch: Callable[[], Any]) -> Any:
    """In a worker: a batch of tasks."""
    return batch()


class RayTasks(ParallelBackendBase):  # type: ignore[misc]
    """Each batch of tasks is one task of Ray's.

    :param slots: how many tasks the cluster works on at a time
    """

    supports_retrieve_callback = True
    default_n_jobs = -1

    def __init__(self, slots: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._slots, self._lock = slots, threading.Lock()
        self._under_way: dict[Future[Any], Any] = {}
        self._remote = ray.remote(_run).options(max_retries=RETRIES)

    def __reduce__(self) -> tuple[Any, ...]:
        # Batches hold the backend of work that they might deal out themselves.
        return RayTasks, (self._slots,)

    def effective_n_jobs(self, n_jobs: int) -> int:
        """How many tasks are worked on at a time, at least two: joblib would do the work of one in this process."""
        return max(self._slots, 2)

    def submit(self, func: Callable[[], Any], callback: Callable[[Future[Any]], None] | None = None) -> Future[Any]:
        """Send a batch."""
        reference = self._remote.remote(func)
        future: Future[Any] = reference.future()
        with self._lock:
            self._under_way[future] = reference
        future.add_done_callback(self._forget)
        if callback is not None:
            future.add_done_callback(callback)
        return future

    def _forget(self, future: Future[Any]) -> None:
        with self._lock:
            self._under_way.pop(future, None)

    def retrieve_result_callback(self, out: Future[Any]) -> Any:
        """The results of a batch; errors as they were raised."""
        try:
            return out.result()
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """Give up all batches that have not ended."""
        with self._lock:
            left = list(self._under_way.values())
        for reference in left:
            # Not by force, which would end the workers too: what runs is interrupted as by Ctrl-C.
            ray.cancel(reference)
