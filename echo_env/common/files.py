"""Files and folders that are written whole or not at all."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def written_whole(path: str | Path) -> Iterator[IO[str]]:
    """Open a UTF-8 text file that takes its name only once it is complete.

    :param path: the file; its folder is made if need be
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


OwnFiles = Callable[[Path], set[str]]
"""Folder -> the files in it that may be replaced, as :func:`files_in` names them."""


def files_in(folder: Path) -> set[str]:
    """All files and links in a folder and below: paths relative to it, with slashes."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or path.is_file()}


def listed_files(summary: Path) -> set[str]:
    """The files that a summary (JSON with the entry ``files``) lists beside it; none if it cannot be read."""
    try:
        listed = json.loads(summary.read_text(encoding="utf8"))["files"]
    except (OSError, ValueError, TypeError, KeyError):
        return set()
    return {str(name) for name in listed} if isinstance(listed, list) else set()


def check_replaceable(path: str | Path, own_files: OwnFiles) -> None:
    """Check that a folder can be written, replacing only files of our own.

    :param path: the folder; absent, empty, or with only files of our own in it
    :param own_files: names these files
    :raises FileExistsError: names what is in the way
    :raises PermissionError: the folder cannot be written
    """
    folder = Path(path)
    if folder.is_dir():
        foreign = sorted(files_in(folder) - own_files(folder))
        if foreign:
            raise FileExistsError(f"{folder} holds {foreign[0]}, which was not written there by an earlier run")
    elif folder.exists() or folder.is_symlink():
        raise FileExistsError(f"{folder} is in the way, because it is not a folder")
    existing = _nearest_existing(folder)
    if not os.access(existing, os.W_OK | os.X_OK):
        raise PermissionError(f"{folder} cannot be written, because {existing} is not yours to write in")


@contextmanager
def folder_written_whole(path: str | Path, own_files: OwnFiles) -> Iterator[Path]:
    """Fill a folder that takes its name only once it is complete, replacing one written earlier.

    :param path: the folder; those above are made if need be
    :param own_files: which files of an earlier one may be replaced, see :func:`check_replaceable`
    :return: a folder beside it, to be filled; gone if the block raises
    """
    folder = Path(path).resolve()
    check_replaceable(folder, own_files)
    with tempfile.TemporaryDirectory(dir=_nearest_existing(folder), prefix=f".{folder.name}.") as temporary:
        new, old = Path(temporary) / "new", Path(temporary) / "old"
        new.mkdir()
        yield new
        check_replaceable(folder, own_files)
        folder.parent.mkdir(parents=True, exist_ok=True)
        if not folder.exists():
            new.rename(folder)
            return
        folder.rename(old)
        try:
            new.rename(folder)
        except BaseException:
            old.rename(folder)
            raise


def _nearest_existing(folder: Path) -> Path:
    """The nearest existing parent, which is on the same disk."""
    return next(parent for parent in folder.resolve().parents if parent.is_dir())
