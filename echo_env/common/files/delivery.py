"""Outputs of a command: checked before the work begins, and delivered together or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from echo_env.common.files.folder import StagedFolder, nearest_existing, staged_folder
from echo_env.common.files.whole import check_length, remove_if_empty, temporary_file

STANDARD_OUTPUT = "-"
"""In place of a file: standard output."""

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFLNK: "a link to itself",
}


def check_file(option: str, path: str, others: Mapping[str, Sequence[str]]) -> None:
    """Check that a file can be written: a regular one or none yet, not one that is read, not one of other outputs.

    :param option: names the file in messages
    :param path: the file, a link to it, or ``-`` for standard output
    :param others: option -> files or folders that the command reads or writes besides
    :raises ValueError: empty, or one of the others
    :raises OSError: something other than a regular file is in the way, or its folder cannot be written
    """
    if path == STANDARD_OUTPUT:
        return
    if not path:
        raise ValueError(f"{option} is empty, but must be a file, or - for standard output")
    target = Path(os.path.realpath(path))
    # The path as given first: a pipe at the end of /dev/stdout has no name of its own.
    found = os.stat(path) if os.path.exists(path) else os.lstat(target) if os.path.lexists(target) else None
    if found is not None and not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "no regular file")
        raise FileExistsError(f"{option} {path} is {kind}, but must be a regular file, or - for standard output")
    for other, taken in others.items():
        if any(_is_same(target, Path(entry)) for entry in taken):
            raise ValueError(f"{option} {path} is also {other}")
    if path.endswith("/"):
        raise ValueError(f"{option} {path} ends in a slash, but must be a file")
    check_length(target)
    folder = nearest_existing(target)
    # What is no folder may stand above: mine.txt/new.json.
    if not target.parent.is_dir() and any(os.path.lexists(p) and not p.is_dir() for p in target.parents):
        raise NotADirectoryError(f"{option} {path} cannot be written, because what is above it is not a folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"{option} {path} cannot be written, because {folder} is not yours to write in")


def _is_same(target: Path, other: Path) -> bool:
    if target == Path(os.path.realpath(other)):
        return True
    return target.exists() and other.exists() and target.samefile(other)


class Delivery:
    """Collects a command's outputs.

    :param temporary: keeps temporary files and folders until the command ends
    """

    def __init__(self, temporary: ExitStack) -> None:
        self._temporary = temporary
        self._folders: list[StagedFolder] = []
        self._renames: list[tuple[Path, Path]] = []
        self._printed: list[str] = []

    def folder(self, path: str | Path) -> Path:
        """A temporary folder to be filled with files for a folder.

        :param path: the folder, checked by :func:`~echo_env.common.files.folder.check_folder`
        """
        staged = self._temporary.enter_context(staged_folder(path))
        self._folders.append(staged)
        return staged.new

    def text(self, path: str, text: str) -> None:
        """Write a file, or print to standard output.

        :param path: the file, checked by :func:`check_file`
        :param text: its content
        """
        if path == STANDARD_OUTPUT:
            self._printed.append(text)
            return
        target = Path(os.path.realpath(path))
        for parent in reversed([parent for parent in target.parents if not parent.exists()]):
            # Removed again if nothing is delivered.
            self._temporary.callback(remove_if_empty, parent)
            parent.mkdir()
        temporary, file = self._temporary.enter_context(temporary_file(target))
        file.write(text)
        file.flush()
        self._renames.append((temporary, target))

    def put_in_place(self) -> None:
        """Deliver everything; if that fails, nothing.

        :raises OSError: something is in the way
        """
        with ExitStack() as undo:
            for text in self._printed:
                print(text, flush=True)
            for staged in self._folders:
                staged.put_in_place(undo)
            # Last, since one rename cannot fail half-way.
            for temporary, target in self._renames:
                os.replace(temporary, target)
            undo.pop_all()


@contextmanager
def delivery() -> Iterator[Delivery]:
    """Collect a command's outputs, and deliver them once the block has ended without an error."""
    with ExitStack() as temporary:
        collected = Delivery(temporary)
        yield collected
        collected.put_in_place()
