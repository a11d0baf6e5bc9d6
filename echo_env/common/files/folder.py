"""Folders of results, in which only files of our own are ever replaced or removed.

The file :data:`MARKER` lists what the latest run wrote, with the digest of each content. A file that is not listed, or
whose content has changed since, belongs to somebody else.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from echo_env.common.files.whole import check_length, files_in, remove_if_empty, temporary_folder, written_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

MARKER = ".echo-lab"
"""Name of the list of files that we wrote into a folder."""
FORMAT = "files of an echo-lab output folder, 1"

Digests = Mapping[str, Sequence[str]]
"""File, relative to the folder with slashes -> SHA-256 of the contents that a run has given it or was about to."""


def check_folder(path: str | Path, names: Iterable[str]) -> None:
    """Check that files can be written into a folder without touching anybody else's.

    :param path: the folder; it may not exist yet
    :param names: files to be written, relative to the folder with slashes; a name that ends in a slash stands for
        files in that subfolder which are not known yet
    :raises FileExistsError: names what is in the way
    :raises PermissionError: the folder or a subfolder cannot be written
    """
    folder, names = Path(os.path.realpath(path)), list(names)
    if folder.is_dir():
        foreign = sorted(set(_in_the_way(folder, names)))
        if foreign:
            more = f" and {len(foreign) - 1} more" if foreign[1:] else ""
            # Earlier versions left no marker, and so no way to tell their files from others.
            why = "not as an earlier run left it" if (folder / MARKER).exists() else "written by no run of this version"
            raise FileExistsError(f"{path} holds {foreign[0]}{more}, {why}: move that away, or choose another folder")
        places = {folder, *(folder / above for name in names for above in _above(name))}
    elif os.path.lexists(folder):
        raise FileExistsError(f"{path} is in the way, because it is not a folder")
    else:
        check_length(folder)
        places = {nearest_existing(folder)}
    for place in sorted(places):
        if place.is_dir() and not os.access(place, os.W_OK | os.X_OK):
            raise PermissionError(f"{path} cannot be written, because {place} is not yours to write in")


def nearest_existing(path: Path) -> Path:
    """The nearest folder above an absolute path that exists."""
    return next(parent for parent in path.parents if parent.is_dir())


def _above(name: str) -> list[str]:
    """The subfolders that a name leads through, the outermost first."""
    parts = name.split("/")[:-1]
    return ["/".join(parts[: number + 1]) for number in range(len(parts))]


def _in_the_way(folder: Path, names: Iterable[str]) -> Iterator[str]:
    """What is not ours and stands where files or their subfolders are to be."""
    ours = read_marker(folder)
    for name in names:
        for above in _above(name):
            # A link to a folder would lead out of this one.
            if os.path.lexists(folder / above) and ((folder / above).is_symlink() or not (folder / above).is_dir()):
                yield above
        if not name.endswith("/") and os.path.lexists(folder / name) and not is_ours(folder / name, ours.get(name, ())):
            yield name


def is_ours(path: Path, digests: Sequence[str]) -> bool:
    """Whether a path is a regular file with one of the contents that we gave it."""
    # Not even opened otherwise: a FIFO would wait for somebody to write.
    return bool(digests) and stat.S_ISREG(path.lstat().st_mode) and _digest(path) in digests


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_marker(folder: Path) -> dict[str, list[str]]:
    """What runs have written into a folder; empty without a marker.

    :raises FileExistsError: a file of that name is not a marker of ours
    """
    path = folder / MARKER
    if not os.path.lexists(path):
        return {}
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        if stat.S_ISREG(path.lstat().st_mode):
            content = json.loads(path.read_text(encoding="utf8"))
            if content["format"] == FORMAT:
                listed = {str(name): [str(digest) for digest in digests] for name, digests in content["files"].items()}
                return {name: digests for name, digests in listed.items() if _is_inside(name)}
    raise FileExistsError(f"{path} is in the way, because it is not the list of files that an earlier run left there")


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts


def write_marker(folder: Path, files: Digests) -> None:
    """List what runs have written into a folder."""
    with written_whole(folder / MARKER) as file:
        json.dump({"format": FORMAT, "files": files}, file, indent=1)


@contextmanager
def staged_folder(path: str | Path) -> Iterator[StagedFolder]:
    """Make a temporary folder to be filled: inside the folder meant, or beside it while that does not exist.

    :param path: the folder that the files are to be written into
    """
    folder = Path(os.path.realpath(path))
    inside = folder.is_dir()
    with temporary_folder(
        folder if inside else nearest_existing(folder), "new" if inside else folder.name
    ) as temporary:
        new = temporary / "new"
        new.mkdir()
        yield StagedFolder(folder, new)


@dataclass(frozen=True)
class StagedFolder:
    """Files that are about to be put into a folder.

    :param folder: the folder, an absolute path without links
    :param new: where the files are for now, on the same file system
    """

    folder: Path
    new: Path

    def put_in_place(self, undo: ExitStack) -> None:
        """Put all files into the folder, and remove those of the previous run that this one does not write.

        :param undo: is given what undoes it
        :raises OSError: something is in the way
        """
        names = sorted(files_in(self.new))
        after = {name: [_digest(self.new / name)] for name in names}
        if not self.folder.exists():
            self._create(after, undo)
            return
        check_folder(self.folder, names)
        before = read_marker(self.folder)
        gone = [name for name in sorted(before.keys() - after.keys()) if self._still_ours(name, before[name])]
        undo.callback(self._restore_marker, before)
        # Should the process be killed, whatever content a file has then is one of ours.
        write_marker(self.folder, before | {name: [*before.get(name, ()), *after[name]] for name in names})
        for name in names:
            self._make_parents(self.folder / name, undo)
            self._keep(name, undo)
            os.replace(self.new / name, self.folder / name)
        for name in gone:
            self._keep(name, undo)
            (self.folder / name).unlink()
        write_marker(self.folder, after)
        for name in gone:
            self._remove_emptied(name)

    def _create(self, after: Digests, undo: ExitStack) -> None:
        write_marker(self.new, after)
        self._make_parents(self.folder, undo)
        undo.callback(self._take_back)
        self.new.rename(self.folder)

    def _take_back(self) -> None:
        if not self.new.exists():
            self.folder.rename(self.new)

    def _still_ours(self, name: str, digests: Sequence[str]) -> bool:
        path = self.folder / name
        if any((self.folder / above).is_symlink() for above in _above(name)):
            return False
        with suppress(OSError):
            return is_ours(path, digests)
        return False

    def _keep(self, name: str, undo: ExitStack) -> None:
        """Have ``undo`` restore a file as it is now; one that does not exist, it removes."""
        path, kept = self.folder / name, self.new.parent / "old" / name
        if not path.exists():
            undo.callback(path.unlink, missing_ok=True)
            return
        kept.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, kept)
        except OSError:
            shutil.copy2(path, kept)
        undo.callback(self._restore, kept, path)

    def _restore(self, kept: Path, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(kept, path)

    def _restore_marker(self, before: Digests) -> None:
        if before:
            write_marker(self.folder, before)
        else:
            (self.folder / MARKER).unlink(missing_ok=True)

    def _make_parents(self, path: Path, undo: ExitStack) -> None:
        missing = [parent for parent in path.parents if not parent.exists()]
        for parent in reversed(missing):
            parent.mkdir()
            undo.callback(remove_if_empty, parent)

    def _remove_emptied(self, name: str) -> None:
        """Remove the subfolders that a removed file has left empty."""
        for above in reversed(_above(name)):
            remove_if_empty(self.folder / above)
