"""Figures as files that appear whole or not at all (needs matplotlib)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast

from echo_env.files import written_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_figure(figure: Figure, directory: Path, name: str) -> Path:
    """Write a figure as ``name.png`` and ``name.pdf``; gives the path of the first.

    :param figure: the figure
    :param directory: where; made if need be
    :param name: of the files, without an ending
    """
    # Without a date the same figure is the same file.
    for ending, metadata in (("pdf", {"CreationDate": None}), ("png", None)):
        path = Path(directory) / f"{name}.{ending}"
        with written_whole(path) as file:
            figure.savefig(cast(TextIO, file).buffer, format=ending, dpi=150, metadata=metadata)
        # What has been laid out once stays where it is.
        figure.set_layout_engine("none")
    return path
