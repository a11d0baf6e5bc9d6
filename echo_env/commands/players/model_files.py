"""The files of trained models, as they go to workers that may have no disk in common with this machine."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from echo_env.common.parallel import SentOnce


def digest_of(module: str, path: str) -> str:
    """SHA-256 of a model's files, one after the other.

    :param module: the plug-in that knows them
    :param path: a file, or the folder of a run
    :raises ValueError: no such file
    """
    return sha256(b"".join(file.read_bytes() for file in import_module(module).model_files(path))).hexdigest()


def packed_files(module: str, path: str) -> SentOnce:
    """A model's files; the same object for the same model.

    :param module: the plug-in that knows them
    :param path: a file, or the folder of a run
    :raises ValueError: no such file
    """
    files: list[Path] = [file.resolve() for file in import_module(module).model_files(path)]
    # The name of the folder of a run says where a model's statistics are.
    root = files[0].parent.parent
    return _kept(pickle.dumps({file.relative_to(root).as_posix(): file.read_bytes() for file in files}))


@lru_cache(maxsize=16)
def _kept(content: bytes) -> SentOnce:
    return SentOnce(content)


@contextmanager
def unpacked(sent: SentOnce) -> Iterator[str]:
    """The path of a model whose files are there until the end of the block.

    :param sent: from :func:`packed_files`
    """
    files: Mapping[str, bytes] = pickle.loads(sent.content)
    with TemporaryDirectory(prefix="echo-lab-") as folder:
        for name, content in files.items():
            (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / name).write_bytes(content)
        yield str(Path(folder) / next(iter(files)))
