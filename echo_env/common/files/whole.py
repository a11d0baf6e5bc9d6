"""Files that take their name only once they are complete."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows, where what a killed process leaves behind stays
    fcntl = None  # type: ignore[assignment]

TEMPORARY = ".echo-lab-"
"""In the names of temporary files and folders: what stands before it is a dot and the name to be taken."""


@contextmanager
def written_whole(path: str | Path) -> Iterator[IO[str]]:
    """Open a UTF-8 text file that takes its name only once it is complete; a symbolic link is followed.

    :param path: the file; its folder is created if missing
    """
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    with temporary_file(target) as (temporary, file):
        yield file
        file.flush()
        os.replace(temporary, target)


@contextmanager
def temporary_file(target: Path) -> Iterator[tuple[Path, IO[str]]]:
    """Open a UTF-8 text file beside a target, locked while it is open, and remove it unless it was renamed.

    Temporary files for the same target that a killed process left behind are removed first.

    :param target: the file that is to be written; its folder exists
    :return: path of the temporary file, and the file
    """
    remove_left_behind(target.parent, [target.name])
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}{TEMPORARY}")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf8", newline="") as file:
            lock(file.fileno())
            # mkstemp makes files private; what a user writes should obey the umask like any other file.
            temporary.chmod(0o666 & ~current_umask())
            yield temporary, file
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def temporary_folder(parent: Path, name: str) -> Iterator[Path]:
    """Make a folder, locked while it is in use and removed afterwards.

    Temporary folders of the same name that a killed process left behind are removed first.

    :param parent: an existing folder
    :param name: what is to be written, part of the folder's name
    """
    remove_left_behind(parent, [name])
    with tempfile.TemporaryDirectory(dir=parent, prefix=f".{name}{TEMPORARY}") as folder:
        handle = os.open(folder, os.O_RDONLY) if fcntl else None
        try:
            if handle is not None:
                lock(handle)
            yield Path(folder)
        finally:
            if handle is not None:
                os.close(handle)


def current_umask() -> int:
    """The process's umask."""
    umask = os.umask(0)
    os.umask(umask)
    return umask


def lock(handle: int) -> bool:
    """Lock an open file or folder until its process closes it or ends.

    :return: whether it is locked: not if another process has locked it, or where the file system has no locks
    """
    if fcntl is None:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def remove_left_behind(parent: Path, names: Iterable[str]) -> None:
    """Remove temporary files and folders that no running process has locked.

    :param parent: an existing folder
    :param names: what they were to become
    """
    prefixes = {f".{name}{TEMPORARY}" for name in names}
    # What cannot be read or removed stays.
    with suppress(OSError):
        for entry in os.scandir(parent):
            # mkstemp and mkdtemp add eight characters.
            if entry.name[:-8] in prefixes:
                _remove_unlocked(entry)


def _remove_unlocked(entry: os.DirEntry[str]) -> None:
    is_folder = entry.is_dir(follow_symlinks=False)
    if fcntl is None or not (is_folder or entry.is_file(follow_symlinks=False)):
        return
    with suppress(OSError):
        handle = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            if not lock(handle):
                return
            if is_folder:
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                os.unlink(entry.path)
        finally:
            os.close(handle)


def check_length(path: Path) -> None:
    """Check that neither a path nor its temporary name is too long.

    :raises OSError: it is
    """
    with suppress(FileNotFoundError, NotADirectoryError):
        os.lstat(path.with_name(f".{path.name}{TEMPORARY}12345678"))


def remove_if_empty(folder: Path) -> None:
    """Remove a folder unless something is in it."""
    with suppress(OSError):
        folder.rmdir()


def files_in(folder: Path) -> set[str]:
    """All files and links in a folder and below: paths relative to it, with slashes."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or path.is_file()}
