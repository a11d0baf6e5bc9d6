"""Saves that leave the earlier file whole: written under a temporary name, then renamed."""

import io
import os
import pathlib
import pickle
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from stable_baselines3.common.save_util import save_to_pkl
from stable_baselines3.common.vec_env import VecNormalize

try:
    import fcntl
except ImportError:  # Windows, where what a killed process leaves behind stays
    fcntl = None  # type: ignore[assignment]

Destination = str | pathlib.Path | io.BufferedIOBase
"""Where SB3 saves to: a path, or an open file."""

# In the names of temporary files, before the eight characters that mkstemp adds.
TEMPORARY = ".saving-"
_TEMPORARY_NAME = re.compile(r"\..+\.saving-[a-z0-9_]{8}")


@contextmanager
def saved_whole(path: str | pathlib.Path, suffix: str) -> Iterator[io.BufferedRandom]:
    """
    Open a binary file that takes its name only once it is complete; a symbolic link is followed.

    :param path: The file; its folder is created if missing
    :param suffix: Added, after a dot, to a name without any, as SB3 does; empty for none
    """
    path = pathlib.Path(path)
    named = path if path.suffix or not suffix else path.with_name(f"{path.name}.{suffix}")
    target = pathlib.Path(os.path.realpath(named))
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}{TEMPORARY}")
    try:
        with os.fdopen(handle, "w+b") as file:
            _lock(file.fileno())
            # mkstemp makes files private; models obey the umask like any other file.
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(name, 0o666 & ~umask)
            yield file
            file.flush()
            # Renamed while it is open, and so locked.
            os.replace(name, target)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)


class WholeSaves:
    """Mixin for SB3's algorithms: ``save`` leaves the earlier model whole until the new one is."""

    def save(
        self, path: Destination, exclude: Iterable[str] | None = None, include: Iterable[str] | None = None
    ) -> None:
        """Save the model under a temporary name, then rename it; see SB3."""
        if isinstance(path, str | pathlib.Path):
            with saved_whole(path, "zip") as file:
                super().save(file, exclude, include)  # type: ignore[misc]
        else:
            super().save(path, exclude, include)  # type: ignore[misc]


def save_pickle_whole(path: Destination, obj: Any, verbose: int = 0) -> None:
    """SB3's ``save_to_pkl``, under a temporary name that is then renamed."""
    if isinstance(path, str | pathlib.Path):
        with saved_whole(path, "pkl") as file:
            save_to_pkl(file, obj, verbose)
    else:
        save_to_pkl(path, obj, verbose)


def save_statistics_whole(statistics: VecNormalize, save_path: str) -> None:
    """SB3's ``VecNormalize.save``, under a temporary name that is then renamed."""
    with saved_whole(save_path, "") as file:
        pickle.dump(statistics, file)


def remove_left_behind(folder: pathlib.Path) -> None:
    """
    Remove what killed processes have left of files while they saved them; files being saved are locked, and stay.

    :param folder: Folder of models; it may not exist
    """
    if fcntl is None:
        return
    # What cannot be read or removed stays.
    with suppress(OSError):
        for entry in os.scandir(folder):
            if _TEMPORARY_NAME.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with suppress(OSError), open(entry.path, "rb") as file:
                    if _lock(file.fileno()):
                        os.unlink(entry.path)


def _lock(handle: int) -> bool:
    """Lock an open file until its process closes it or ends; whether that was possible."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
