"""What all comparisons share: the reference policy, and the folder with its summary."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from echo_env.common.files import files_in, written_whole

SUMMARY = "summary.json"


def checked_reference(reference: str, names: Sequence[str]) -> str:
    """The reference policy of a comparison: the one named, or the first.

    :param reference: its name, or empty
    :param names: the policies compared
    :raises ValueError: it is none of them
    """
    if reference and reference not in names:
        raise ValueError(f"reference is {reference!r}, but must be one of {', '.join(names)}")
    return reference or names[0]


def write_summary(folder: Path, content: dict[str, Any], elsewhere: Iterable[str] = ()) -> None:
    """Write ``summary.json``; it lists all files of the folder and must therefore be written last.

    :param folder: folder of the comparison
    :param content: entries besides ``files``
    :param elsewhere: files to be listed besides, which are in place already
    """
    # Listed before the file is begun, because it is written under a temporary name.
    files = sorted({*files_in(folder), *elsewhere, SUMMARY})
    with written_whole(folder / SUMMARY) as file:
        json.dump({**content, "files": files}, file, indent=2, allow_nan=False)
