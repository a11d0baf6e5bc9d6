"""What is sent to workers: the work and what tasks share once a worker, each task by itself."""

from __future__ import annotations

import io
import pickle
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from typing import Any, NamedTuple

import cloudpickle

_CARRIED: set[str] = set()
"""Names of modules that are sent along to clusters, which cannot import them."""


class SentOnce:
    """Content that each worker gets once, however many tasks hold it.

    :param content: such as the files of a model
    """

    def __init__(self, content: bytes) -> None:
        self.content, self.digest = content, sha256(content).hexdigest()

    def __reduce__(self) -> tuple[Any, ...]:
        return SentOnce, (self.content,)


class Parcel(NamedTuple):
    """What is dealt out.

    :param key: of the content
    :param content: what each worker gets once: the work, and every :class:`SentOnce`
    :param tasks: pickled
    """

    key: str
    content: bytes
    tasks: list[bytes]


Block = list[tuple[int, bytes]]
"""(number of a task, the task pickled): what is sent to a worker at a time."""


class Done(NamedTuple):
    """A block that is done.

    :param results: (number of the task, result)
    :param seconds: that the worker took, without sending
    """

    results: list[tuple[int, Any]]
    seconds: float


def carry_along(module: str) -> None:
    """Send a module to clusters with whatever uses it; processes of this machine import it.

    :param module: name of a module that has been imported
    """
    _CARRIED.add(module)


def packed(work: Any, tasks: Sequence[Any], elsewhere: bool) -> Parcel:
    """Pickle work and tasks.

    :param work: what is done with a task
    :param tasks: the tasks
    :param elsewhere: whether they leave this machine, so that modules of the user's own go along
    :raises ValueError: they cannot be pickled
    """
    pieces: dict[str, SentOnce] = {}
    try:
        with _by_value(elsewhere):
            own, each = _dumped(work, pieces), [_dumped(task, pieces) for task in tasks]
    except (AttributeError, TypeError, pickle.PicklingError) as error:
        remedy = "it must be done here, without a cluster" if elsewhere else "jobs must be 1"
        raise ValueError(f"{remedy}, because the work cannot be sent to other processes: {error}") from error
    content = pickle.dumps((own, {digest: piece.content for digest, piece in pieces.items()}))
    return Parcel(sha256(content).hexdigest(), content, each)


def _dumped(thing: Any, pieces: dict[str, SentOnce]) -> bytes:
    # What a script or a notebook defines is sent along, because workers do not run it.
    file = io.BytesIO()
    _Packer(file, pieces).dump(thing)
    return file.getvalue()


class _Packer(cloudpickle.Pickler):  # type: ignore[misc]
    """Pickles everything but :class:`SentOnce`, which it collects."""

    def __init__(self, file: io.BytesIO, pieces: dict[str, SentOnce]) -> None:
        super().__init__(file)
        self._pieces = pieces

    def persistent_id(self, thing: Any) -> str | None:
        """The digest in place of the content."""
        if not isinstance(thing, SentOnce):
            return None
        self._pieces[thing.digest] = thing
        return thing.digest


class _Unpacker(pickle.Unpickler):
    """The reverse of :class:`_Packer`."""

    def __init__(self, content: bytes, pieces: dict[str, SentOnce]) -> None:
        super().__init__(io.BytesIO(content))
        self._pieces = pieces

    def persistent_load(self, digest: str) -> SentOnce:
        """The content in place of the digest."""
        return self._pieces[digest]


@contextmanager
def _by_value(elsewhere: bool) -> Iterator[None]:
    """Pickle the modules of :func:`carry_along` by value in the block."""
    with ExitStack() as stack:
        for name in sorted(_CARRIED & sys.modules.keys()) if elsewhere else ():
            if name not in cloudpickle.list_registry_pickle_by_value():
                cloudpickle.register_pickle_by_value(sys.modules[name])
                stack.callback(cloudpickle.unregister_pickle_by_value, sys.modules[name])
        yield


class _Received(threading.local):
    """In a worker: the work of the latest parcel. Each thread has its own, because work may remember things."""

    key = ""
    work: Callable[[Any], Any]
    pieces: dict[str, SentOnce]


_RECEIVED = _Received()


def work_on(key: str, fetch: Callable[[], bytes], block: Block) -> Done:
    """In a worker: some tasks.

    :param key: of the parcel
    :param fetch: gets the parcel's content, which is done with its first tasks here
    :param block: the tasks
    """
    if _RECEIVED.key != key:
        own, contents = pickle.loads(fetch())
        _RECEIVED.pieces = {digest: SentOnce(content) for digest, content in contents.items()}
        _RECEIVED.work = _Unpacker(own, _RECEIVED.pieces).load()
        _RECEIVED.key = key
    begun = time.perf_counter()
    results = [(number, _RECEIVED.work(_Unpacker(task, _RECEIVED.pieces).load())) for number, task in block]
    return Done(results, time.perf_counter() - begun)
