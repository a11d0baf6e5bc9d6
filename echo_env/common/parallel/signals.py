"""A word from here to workers in the middle of their work, such as that a search is to end."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from echo_env.common.parallel.workers import DASK, Jobs, as_workers

_ASK_EVERY_S = 1.0
"""Workers of a cluster ask so often at most."""


class Signal(Protocol):
    """Given once; goes to workers with their work."""

    def give(self) -> None:
        """Give it, here."""

    def is_given(self) -> bool:
        """Whether it was given."""


class FileSignal:
    """A file, for processes of this machine.

    :param path: of the file
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def give(self) -> None:
        """Make the file."""
        self._path.touch()

    def is_given(self) -> bool:
        """Whether there is the file."""
        return self._path.exists()


class _Asked:
    """A signal that a cluster keeps: workers ask now and then."""

    def __init__(self) -> None:
        self._next, self._given = 0.0, False

    def is_given(self) -> bool:
        """Whether it was given, as far as is known."""
        if not self._given and time.monotonic() > self._next:
            self._given = self._ask()
            self._next = time.monotonic() + _ASK_EVERY_S
        return self._given

    def _ask(self) -> bool:
        raise NotImplementedError


class DaskSignal(_Asked):
    """An event that Dask's scheduler keeps.

    :param client: connected to it
    """

    def __init__(self, client: Any) -> None:
        super().__init__()
        self._name, self._client = f"echo-lab-{uuid4().hex}", client

    def __getstate__(self) -> dict[str, Any]:
        # Workers have clients of their own.
        return {**self.__dict__, "_client": None}

    def give(self) -> None:
        """Set the event."""
        from distributed import Event

        Event(self._name, client=self._client).set()

    def _ask(self) -> bool:
        from distributed import Event, get_client

        return bool(Event(self._name, client=self._client or get_client()).is_set())


class RaySignal(_Asked):
    """An actor of Ray's that remembers."""

    def __init__(self) -> None:
        super().__init__()
        import ray

        self._actor: Any = ray.remote(_Memory).options(num_cpus=0).remote()

    def give(self) -> None:
        """Tell the actor."""
        import ray

        ray.get(self._actor.give.remote())

    def _ask(self) -> bool:
        import ray

        return bool(ray.get(self._actor.is_given.remote()))


class _Memory:
    """Remembers that a signal was given."""

    def __init__(self) -> None:
        self._given = False

    def give(self) -> None:
        """Remember it."""
        self._given = True

    def is_given(self) -> bool:
        """Whether it was."""
        return self._given


@contextmanager
def signal_to(jobs: Jobs) -> Iterator[Signal]:
    """A signal to workers, there until the end of the block.

    :param jobs: number of processes, or the workers
    """
    workers = as_workers(jobs)
    if not workers.is_cluster:
        with tempfile.TemporaryDirectory(prefix="echo-lab-") as folder:
            yield FileSignal(Path(folder) / "stop")
        return
    from echo_env.common.parallel.dealing import engine_of

    engine: Any = engine_of(workers)
    yield DaskSignal(engine.client) if workers.backend == DASK else RaySignal()
