"""What kills.py checks of the files that a killed command leaves behind."""

from __future__ import annotations

import csv
import io
import json
import pickle
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

TEMPORARY = re.compile(r"\..+\.(?:saving|echo-lab)-[a-z0-9_]{8}")
"""Names of files and folders that have not yet taken the names they are meant for."""
EVENTS = "events.out.tfevents."
"""Logs for TensorBoard: the time is in their names, and they may end anywhere."""
NOT_REPEATED = {"date", "commit", "cpu_s"}
"""Columns of measurements that no two runs have in common."""

Files = Mapping[str, bytes]
"""File, relative to a folder with slashes -> its content."""


def read_files(folder: Path) -> dict[str, bytes]:
    """Every file in a folder and below, but what a temporary folder holds; links to folders are not followed."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not any(TEMPORARY.fullmatch(part) for part in name.parts):
            found[name.as_posix()] = path.read_bytes()
    return found


def temporaries(folder: Path) -> Iterator[Path]:
    """Files and folders under temporary names."""
    return (path for path in folder.rglob("*") if TEMPORARY.fullmatch(path.name))


def unreadable(files: Files) -> list[str]:
    """The files that are not whole, and why."""
    found = []
    for name, content in files.items():
        check = _CHECKS.get(Path(name).suffix, _is_not_empty)
        if EVENTS in name:
            continue
        try:
            check(content)
        except Exception as error:  # a broken file can raise anything
            found.append(f"{name} is not whole: {type(error).__name__}: {' '.join(str(error).split())[:80]}")
    return found


def lost(before: Files, after: Files, reference: Files) -> list[str]:
    """What a killed command has lost: each earlier file is as it was, or as an undisturbed run leaves it.

    :param before: files before the command was begun
    :param after: files after it was killed
    :param reference: files after a run that was not killed
    """
    found = []
    for name, content in before.items():
        if name not in after:
            # What a complete newer run has removed may be gone.
            if EVENTS not in name and name in reference:
                found.append(f"{name} is lost")
        elif after[name] != content and not _is_longer(content, after[name]):
            found += _not_newer(name, after[name], reference)
    return found


def _not_newer(name: str, content: bytes, reference: Files) -> list[str]:
    """Whether a file that has changed is anything but what an undisturbed run leaves."""
    try:
        if name in reference and comparable(name, content) == comparable(name, reference[name]):
            return []
    except Exception:  # a broken file can raise anything
        return [f"{name} is broken, and the earlier one is gone"]
    return [f"{name} is neither the earlier nor the new one"]


def _is_longer(content: bytes, later: bytes) -> bool:
    """Whether rows were appended to a table."""
    return content.endswith(b"\n") and later.startswith(content)


def differing(results: Files, reference: Files) -> list[str]:
    """The files in which a run differs from an undisturbed one, TensorBoard's logs aside."""
    names = {name for name in {*results, *reference} if EVENTS not in name}
    found = []
    for name in sorted(names):
        if name not in results or name not in reference:
            found.append(f"{name} is {'missing' if name not in results else 'not in an undisturbed run'}")
        elif comparable(name, results[name]) != comparable(name, reference[name]):
            found.append(f"{name} differs from an undisturbed run's")
    return found


def comparable(name: str, content: bytes) -> Any:
    """The content of a file without what no two runs have in common: times, and names of run folders."""
    path = Path(name)
    if path.name == ".echo-lab":
        return sorted(file for file in json.loads(content)["files"] if EVENTS not in file)
    if path.name.endswith("monitor.csv"):
        return [line.rpartition(b",")[0] for line in content.splitlines()[1:]]
    if path.suffix == ".json":
        return re.sub(rb"events\.out\.tfevents\.[^\"]*", b"", content)
    if path.suffix == ".pdf":
        return re.sub(rb"/CreationDate \([^)]*\)", b"", content)
    if path.suffix == ".zip":
        return _weights(content)
    if path.suffix == ".npz":
        with np.load(io.BytesIO(content)) as arrays:
            return {key: arrays[key].tobytes() for key in arrays}
    if path.suffix == ".pkl":
        return _statistics(pickle.loads(content))
    if path.suffix == ".csv" and content.startswith(b"date,"):
        rows = csv.DictReader(io.StringIO(content.decode()))
        return [{key: value for key, value in row.items() if key not in NOT_REPEATED} for row in rows]
    return content


def _weights(content: bytes) -> dict[str, Any]:
    """Weights of networks and states of optimisers in a model's zip, as bytes."""
    import torch

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = [name for name in archive.namelist() if name.endswith(".pth")]
        loaded = {name: torch.load(io.BytesIO(archive.read(name)), weights_only=True) for name in parts}
        steps = json.loads(archive.read("data"))["num_timesteps"]
    return {"steps": steps, **{name: _plain(value) for name, value in loaded.items()}}


def _plain(value: Any) -> Any:
    """Tensors as bytes, in whatever they are nested."""
    if isinstance(value, Mapping):
        return {key: _plain(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(own) for own in value]
    return value.numpy().tobytes() if hasattr(value, "numpy") else value


def _statistics(loaded: Any) -> dict[str, bytes]:
    """The arrays of a replay buffer, or of the statistics of a normalisation."""
    owners = [loaded, *(getattr(loaded, name) for name in ("obs_rms", "ret_rms") if hasattr(loaded, name))]
    arrays = {f"{i} {key}": own for i, owner in enumerate(owners) for key, own in vars(owner).items()}
    return {key: own.tobytes() for key, own in arrays.items() if isinstance(own, np.ndarray)}


def _is_not_empty(content: bytes) -> None:
    if not content:
        raise ValueError("it is empty")


def _is_yaml(content: bytes) -> None:
    if yaml.compose(content.decode(), yaml.SafeLoader) is None:
        raise ValueError("it is empty")


def _is_table(content: bytes) -> None:
    if not content.endswith(b"\n"):
        raise ValueError("its last row is not complete")
    rows = csv.reader(line for line in content.decode().splitlines() if not line.startswith("#"))
    if len({len(row) for row in rows}) != 1:
        raise ValueError("its rows are not of one length")


def _is_model(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if archive.testzip() is not None:
            raise ValueError("a part of it is corrupt")
    _weights(content)


def _is_picture(content: bytes) -> None:
    from PIL import Image

    Image.open(io.BytesIO(content)).load()


def _is_pdf(content: bytes) -> None:
    if not content.startswith(b"%PDF") or not content.rstrip().endswith(b"%%EOF"):
        raise ValueError("it has no end")


_CHECKS: Mapping[str, Callable[[bytes], object]] = {
    ".json": json.loads,
    "": _is_not_empty,
    ".yaml": _is_yaml,
    ".yml": _is_yaml,
    ".csv": _is_table,
    ".zip": _is_model,
    ".pkl": pickle.loads,
    ".npz": lambda content: comparable("a.npz", content),
    ".png": _is_picture,
    ".pdf": _is_pdf,
}
