"""Work dealt out, its results in the order of the tasks."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from echo_env.common.parallel.blocks import Blocks
from echo_env.common.parallel.engine import Engine
from echo_env.common.parallel.sending import packed
from echo_env.common.parallel.workers import DASK, RAY, Jobs, Workers, as_workers

Task = TypeVar("Task")
Result = TypeVar("Result")

MOST_LOSSES = 3
"""A task during which workers were lost so many times is not tried again."""

MOST_THREADS = 4
"""More jobs than this are processes: what is left of Python in compiled work would have threads wait for each other."""


def deal_out(
    work: Callable[[Task], Result],
    tasks: Sequence[Task],
    jobs: Jobs,
    done: Callable[[Task, Result], None],
    compiled: bool = False,
) -> None:
    """Have ``work(task)`` done for all tasks by several workers, and keep no result.

    Tasks of a worker that is lost are done again by others. The first error, Ctrl-C too, stops all work at once and is
    raised here.

    :param work: what is done with a task; for several workers it can be pickled, as can tasks and results
    :param tasks: the tasks, begun in this order
    :param jobs: number of processes, where 1 is this one, or the workers
    :param done: called here once with each task that is finished and its result, in whatever order that happens
    :param compiled: whether nearly all of the work is compiled code that leaves Python's lock alone, and may be done by
        several threads at a time: then up to :data:`MOST_THREADS` jobs on this machine are threads of this process,
        which have nothing to load and nothing to send
    :raises ValueError: jobs is not a whole number of at least 1, the work cannot be sent to other processes, or workers
        differ from this process in their versions
    :raises ConnectionError: no cluster answers at the address
    :raises ChildProcessError: workers were lost again and again
    """
    _deal_out_numbers(work, tasks, jobs, lambda number, result: done(tasks[number], result), compiled)


def map_in_order(
    work: Callable[[Task], Result],
    tasks: Sequence[Task],
    jobs: Jobs,
    done: Callable[[Task, Result], None],
    compiled: bool = False,
) -> list[Result]:
    """``[work(task) for task in tasks]``, by several workers; which of them finishes first makes no difference.

    Parameters and errors are those of :func:`deal_out`.
    """
    results: dict[int, Result] = {}

    def keep(number: int, result: Result) -> None:
        done(tasks[number], result)
        results[number] = result

    _deal_out_numbers(work, tasks, jobs, keep, compiled)
    return [results[number] for number in range(len(tasks))]


def _deal_out_numbers(
    work: Callable[[Task], Result],
    tasks: Sequence[Task],
    jobs: Jobs,
    done: Callable[[int, Result], None],
    compiled: bool,
) -> None:
    """See :func:`deal_out`.

    :param done: is told the number of the task
    """
    workers = as_workers(jobs)
    if not workers.is_cluster and (workers.jobs in (None, 1) or len(tasks) <= 1):
        for number, task in enumerate(tasks):
            done(number, work(task))
        return
    if not tasks:
        return
    if compiled and not workers.is_cluster and (workers.jobs or 1) <= MOST_THREADS:
        from echo_env.common.parallel.threads import deal_to_threads

        deal_to_threads(work, tasks, workers.jobs or 1, done)
        return
    parcel = packed(work, tasks, workers.is_cluster)
    finished: set[int] = set()
    losses: Counter[int] = Counter()
    while len(finished) < len(tasks):
        # Anew each time: a connection is given up with what was lost.
        engine = engine_of(workers)
        blocks = Blocks(parcel.tasks, finished, engine.slots)
        try:
            with engine.dealt(parcel, blocks) as arriving:
                for block in arriving:
                    blocks.took(block)
                    for number, result in block.results:
                        if number not in finished:
                            done(number, result)
                            finished.add(number)
        except engine.hopeless as error:
            raise ChildProcessError(engine.sentence) from error
        except engine.lost as error:
            losses.update(blocks.begun - finished)
            if max(losses.values(), default=MOST_LOSSES) >= MOST_LOSSES:
                raise ChildProcessError(engine.sentence) from error
            logging.getLogger(__name__).warning("a worker was lost: what it had begun is done again")


def engine_of(workers: Workers) -> Engine:
    """What deals out to workers.

    :param workers: not this process alone
    :raises ConnectionError: no cluster answers at the address
    """
    # Not loaded with the package: one process has no use for any of them.
    if workers.backend == DASK:
        from echo_env.common.parallel.dask_cluster import DaskCluster

        return DaskCluster.at(str(workers.address))
    if workers.backend == RAY:
        from echo_env.common.parallel.ray_cluster import RayCluster

        return RayCluster.at(str(workers.address))
    from echo_env.common.parallel.local import LocalProcesses

    return LocalProcesses(workers.jobs or 1)


def slots(jobs: Jobs) -> int:
    """How many tasks are worked on at a time.

    :param jobs: number of processes, or the workers
    """
    workers = as_workers(jobs)
    return engine_of(workers).slots if workers.is_cluster else workers.jobs or 1


def check_reachable(jobs: Jobs) -> None:
    """Refuse a cluster that does not answer, has no workers, or other versions, before any work is begun.

    :param jobs: number of processes, for which nothing is asked, or the workers
    :raises ConnectionError: no cluster answers at the address, or it has no workers
    :raises ValueError: versions differ
    """
    workers = as_workers(jobs)
    if workers.is_cluster:
        engine_of(workers)
