"""Files that appear whole or not at all."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def written_whole(path: str | Path) -> Iterator[IO[str]]:
    """Open a text file that takes its name only once it is complete.

    :param path: where it will be; the folder is made if need be
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf8", newline="") as file:
            yield file
        # mkstemp makes files private; what a user writes should obey the umask like any other file.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def number_text(value: float) -> str:
    """The shortest text that reads back as the same number; empty for nan."""
    return "" if math.isnan(value) else repr(value).removesuffix(".0")
