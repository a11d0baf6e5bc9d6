"""Ctrl-C while a command is still being imported, which takes a second; it imports nothing that takes long itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


@contextmanager
def interruptible() -> Iterator[None]:
    """End the program with status 130 and one word if Ctrl-C is pressed in the block.

    :raises SystemExit: it was
    """
    try:
        yield
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)
