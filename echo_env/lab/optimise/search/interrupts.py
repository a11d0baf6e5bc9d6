"""Ctrl-C that ends a search, and not the program: what was found until then is selected from and measured."""

from __future__ import annotations

import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType


@contextmanager
def stop_on_interrupt() -> Iterator[Path]:
    """Have the first Ctrl-C in the block make a file; the next one is again what it was before.

    Other processes are told by the file too: those of :func:`~echo_env.common.parallel.map_in_order` get no Ctrl-C of
    their own. In threads other than the main one Ctrl-C stays what it is.

    :return: path of the file, which searches look for
    """
    with tempfile.TemporaryDirectory(prefix="echo-lab-") as folder:
        stop = Path(folder) / "stop"
        before = signal.getsignal(signal.SIGINT)
        # Where Ctrl-C is ignored, as in the background of a shell, it stays so.
        if threading.current_thread() is not threading.main_thread() or not callable(before):
            yield stop
            return

        def heard(number: int, frame: FrameType | None) -> None:
            stop.touch()
            signal.signal(signal.SIGINT, before)

        signal.signal(signal.SIGINT, heard)
        try:
            yield stop
        finally:
            signal.signal(signal.SIGINT, before)
