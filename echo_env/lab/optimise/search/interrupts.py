"""Ctrl-C that ends a search, and not the program: what was found until then is selected from and measured."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from echo_env.common.parallel import Signal


@contextmanager
def stop_on_interrupt(stop: Signal) -> Iterator[None]:
    """Have the first Ctrl-C in the block give a signal; the next one is again what it was before.

    Workers are told by the signal too: those of :func:`~echo_env.common.parallel.map_in_order` get no Ctrl-C of their
    own. In threads other than the main one Ctrl-C stays what it is.

    :param stop: searches look for it
    """
    before = signal.getsignal(signal.SIGINT)
    # Where Ctrl-C is ignored, as in the background of a shell, it stays so.
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return

    def heard(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        # A cluster is told through its own threads, which what was interrupted here may be waiting for.
        threading.Thread(target=stop.give).start()

    signal.signal(signal.SIGINT, heard)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
