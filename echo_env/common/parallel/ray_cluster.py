"""Work dealt out to a Ray cluster."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar
from urllib.parse import urlsplit

from echo_env.common.parallel.engine import Arriving
from echo_env.common.parallel.sending import Block, Done, Parcel, work_on
from echo_env.common.parallel.versions import check_same, description

ANSWER_S = 5
"""Seconds within which a cluster has to answer."""


class RayCluster:
    """Deals out to the nodes of a Ray cluster, which does tasks of lost workers again by itself.

    :param address: of the head node
    """

    _open: ClassVar[dict[str, RayCluster]] = {}

    def __init__(self, address: str) -> None:
        from ray import exceptions

        self.lost: tuple[type[BaseException], ...] = (exceptions.ObjectLostError,)
        self.hopeless: tuple[type[BaseException], ...] = (
            exceptions.WorkerCrashedError,
            exceptions.NodeDiedError,
            exceptions.OutOfMemoryError,
        )
        self.sentence = (
            f"workers of the cluster at {address} died again and again at the same work, perhaps for want of memory"
        )

    @classmethod
    def at(cls, address: str) -> RayCluster:
        """The cluster at an address; the connection is kept for the next time.

        :param address: of the head node, or ``auto`` for that of this machine
        :raises ConnectionError: nobody answers
        :raises ValueError: nodes have other versions
        """
        import ray

        known = cls._open.get(address)
        if known is not None and ray.is_initialized():
            return known
        # A notebook may have connected already.
        if not (ray.is_initialized() and address in ("auto", ray.get_runtime_context().gcs_address)):
            _connect(address)
        found = cls(address)
        found.check()
        cls._open[address] = found
        return found

    def check(self) -> None:
        """See :meth:`at`."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        found: dict[str, object] = {}
        ask = ray.remote(description)
        nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
        asked = {
            f"{node['NodeManagerAddress']} ({node['NodeID'][:6]})": ask.options(
                num_cpus=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            ).remote()
            for node in nodes
        }
        for node, answer in asked.items():
            try:
                found[node] = ray.get(answer)
            except ray.exceptions.RayError as error:
                found[node] = str(error).strip().splitlines()[-1]
        check_same(found)

    @property
    def slots(self) -> int:
        """How many tasks are worked on at a time."""
        import ray

        return max(int(ray.cluster_resources().get("CPU", 1)), 1)

    @contextmanager
    def dealt(self, parcel: Parcel, blocks: Iterator[Block]) -> Iterator[Arriving]:
        """Have blocks done; all of them end with the block.

        :param parcel: what is dealt out
        :param blocks: of its tasks
        """
        import ray
        from joblib import Parallel, delayed

        from echo_env.common.parallel.ray_tasks import RayTasks

        backend = RayTasks(self.slots)
        content = ray.put(parcel.content)
        # Ray must not look inside, or it would fetch the content for every task.
        source = Source(content)
        pool = Parallel(-1, backend=backend, return_as="generator_unordered", batch_size=1, pre_dispatch="3*n_jobs")
        arriving: Any = pool(delayed(_work)(source, parcel.key, block) for block in blocks)
        try:
            yield arriving
        finally:
            arriving.close()
            backend.abort_everything()


class Source:
    """Where a worker gets the content of a parcel.

    :param content: reference to it in Ray's store
    """

    def __init__(self, content: Any) -> None:
        self._content = content

    def __call__(self) -> bytes:
        """The content."""
        import ray

        return bytes(ray.get(self._content))


def _work(source: Source, key: str, block: Block) -> Done:
    """In a worker: a block."""
    return work_on(key, source, block)


def _connect(address: str) -> None:
    import ray

    refusal = f"address is {address!r}, but no Ray cluster answers there"
    if address != "auto":
        # Ray itself would go on trying for minutes.
        parts = urlsplit(address if "://" in address else f"ray-head://{address}")
        try:
            with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=ANSWER_S):
                pass
        except (OSError, ValueError):
            raise ConnectionError(f"{refusal} within {ANSWER_S} seconds") from None
    try:
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        said = str(error).strip().splitlines()
        raise ConnectionError(f"{refusal}: {said[0] if said else type(error).__name__}") from None
