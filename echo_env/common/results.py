"""What all comparisons share: the policies and their reference, and the folder with its summary."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from echo_env.common.files import files_in, listed_files, written_whole

SUMMARY = "summary.json"


class Named(Protocol):
    """Anything with a name."""

    name: str


NamedT = TypeVar("NamedT", bound=Named)


def by_name(policies: Iterable[NamedT]) -> dict[str, NamedT]:
    """Policies by name, in order.

    :raises ValueError: no policy, or two of the same name
    """
    made = list(policies)
    names = [policy.name for policy in made]
    if not names:
        raise ValueError("policies is empty, but must name at least one")
    if len(set(names)) < len(names):
        raise ValueError(f"policies has {max(names, key=names.count)!r} twice, but names must differ")
    return dict(zip(names, made, strict=True))


def checked_reference(reference: str, names: Sequence[str]) -> str:
    """The reference policy of a comparison: the one named, or the first.

    :param reference: its name, or empty
    :param names: the policies compared
    :raises ValueError: it is none of them
    """
    if reference and reference not in names:
        raise ValueError(f"reference is {reference!r}, but must be one of {', '.join(names)}")
    return reference or names[0]


def write_summary(folder: Path, content: dict[str, Any]) -> None:
    """Write ``summary.json``; it lists all files of the folder and must therefore be written last.

    :param folder: folder of the comparison
    :param content: entries besides ``files``
    """
    # Listed before the file is begun, because it is written under a temporary name.
    files = sorted({*files_in(folder), SUMMARY})
    with written_whole(folder / SUMMARY) as file:
        json.dump({**content, "files": files}, file, indent=2, allow_nan=False)


def own_files(folder: Path) -> set[str]:
    """The files in a folder that an earlier comparison wrote there, according to its summary.

    :param folder: an existing folder
    """
    return listed_files(folder / SUMMARY)
