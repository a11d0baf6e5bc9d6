"""Compiled work dealt out to threads of this process."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


def deal_to_threads(
    work: Callable[[Task], Result], tasks: Sequence[Task], threads: int, done: Callable[[int, Result], None]
) -> None:
    """Have tasks done by threads. An error, Ctrl-C too, is raised once those that are under way are finished.

    :param work: what is done with a task; several at a time
    :param tasks: the tasks, begun in this order
    :param threads: how many
    :param done: called here, in this thread, with the number of each task that is finished and its result
    """
    from joblib import Parallel, delayed

    def numbered(number: int, task: Task) -> tuple[int, Result]:
        return number, work(task)

    pool = Parallel(
        threads, backend="threading", return_as="generator_unordered", batch_size=1, pre_dispatch="2*n_jobs"
    )
    arriving = pool(delayed(numbered)(number, task) for number, task in enumerate(tasks))
    try:
        for number, result in arriving:
            done(number, result)
    finally:
        with warnings.catch_warnings():
            # joblib says how much work is given up.
            warnings.simplefilter("ignore")
            arriving.close()
