"""Work dealt out to a Dask cluster, by joblib's own backend for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any, ClassVar

from echo_env.common.parallel.engine import Arriving
from echo_env.common.parallel.sending import Block, Done, Parcel, work_on
from echo_env.common.parallel.versions import check_same, description

ANSWER_S, WORKERS_S = 5, 30
"""Seconds within which a scheduler has to answer, and to have a worker."""


class DaskCluster:
    """Deals out to the workers of a scheduler, which does tasks of lost workers again by itself.

    :param client: connected
    :param address: of the scheduler
    """

    _open: ClassVar[dict[str, DaskCluster]] = {}

    def __init__(self, client: Any, address: str) -> None:
        from distributed.scheduler import KilledWorker

        self.client, self._address = client, address
        # Scattered content can be lost with the only worker that has it.
        self.lost: tuple[type[BaseException], ...] = (CancelledError, asyncio.CancelledError)
        self.hopeless: tuple[type[BaseException], ...] = (KilledWorker,)
        self.sentence = (
            f"workers of the cluster at {address} died again and again at the same work, perhaps for want of memory"
        )

    @classmethod
    def at(cls, address: str) -> DaskCluster:
        """The cluster at an address; the connection is kept for the next time.

        :param address: of the scheduler
        :raises ConnectionError: nobody answers, or there are no workers
        :raises ValueError: no such address, or workers have other versions
        """
        known = cls._open.get(address)
        if known is not None and known.client.status == "running":
            return known
        found = cls(_connected(address), address)
        try:
            found.check()
        except BaseException:
            found.client.close()
            raise
        cls._open[address] = found
        return found

    def check(self) -> None:
        """See :meth:`at`."""
        try:
            self.client.wait_for_workers(1, timeout=WORKERS_S)
        except TimeoutError:
            raise ConnectionError(
                f"address is {self._address!r}, but the Dask cluster there has no worker after {WORKERS_S} seconds: "
                f"start one with dask worker {self._address}"
            ) from None
        check_same(self.client.run(description, on_error="return"))

    @property
    def slots(self) -> int:
        """How many tasks are worked on at a time."""
        return sum(self.client.ncores().values())

    @contextmanager
    def dealt(self, parcel: Parcel, blocks: Iterator[Block]) -> Iterator[Arriving]:
        """Have blocks done; the scheduler forgets all of them with the block if it raises.

        :param parcel: what is dealt out
        :param blocks: of its tasks
        """
        from joblib import Parallel, delayed

        from echo_env.common.parallel.dask_tasks import DaskTasks

        content = parcel.content
        arriving: Any = None
        try:
            backend = DaskTasks(client=self.client, scatter=[content])
            pool = Parallel(-1, backend=backend, return_as="generator_unordered", batch_size=1, pre_dispatch="3*n_jobs")
            arriving = pool(delayed(_work)(content, parcel.key, block) for block in blocks)
            yield arriving
        except BaseException:
            self._open.pop(self._address, None)
            raise
        finally:
            if arriving is not None:
                arriving.close()
            if self._address not in self._open:
                # What is under way elsewhere is given up, and nobody waits for it.
                self.client.close()


def _connected(address: str) -> Any:
    from distributed import Client

    # Both tell at length of connections that end, which is meant where work is given up.
    for name in ("distributed", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        return Client(address, timeout=ANSWER_S, set_as_default=False, name="echo-lab")
    except OSError:
        raise ConnectionError(
            f"address is {address!r}, but no Dask scheduler answers there within {ANSWER_S} seconds"
        ) from None
    except (ValueError, TypeError) as error:
        raise ValueError(f"address is {address!r}, but must be that of a Dask scheduler: {error}") from None


def _work(content: bytes, key: str, block: Block) -> Done:
    """In a worker: a block."""
    return work_on(key, lambda: content, block)
