"""Files and folders that appear whole or not at all."""

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


OwnFiles = Callable[[Path], set[str]]
"""Folder -> the files in it that may be replaced, as :func:`files_in` names them."""


def files_in(folder: Path) -> set[str]:
    """Everything in a folder and in those below that is not a folder: paths from there on, with slashes."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or path.is_file()}


def listed_files(summary: Path) -> set[str]:
    """The files that a summary (JSON with the entry ``files``) says were written beside it; none if there is none."""
    try:
        listed = json.loads(summary.read_text(encoding="utf8"))["files"]
    except (OSError, ValueError, TypeError, KeyError):
        return set()
    return {str(name) for name in listed} if isinstance(listed, list) else set()


def check_replaceable(path: str | Path, own_files: OwnFiles) -> None:
    """Refuse to put a folder where something stands that is not ours.

    :param path: where it is to be; nothing, an empty folder, or one that holds only files of our own
    :param own_files: which these are
    :raises FileExistsError: names what is in the way
    :raises PermissionError: it could not be written
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
    """Fill a folder that takes its name only once it is complete, in place of one written earlier.

    :param path: where it will be; folders above are made if need be
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
    """The folder above that is there already, and so on the same disk."""
    return next(parent for parent in folder.resolve().parents if parent.is_dir())
