"""What the figures of all packages share: colours that colour-blind readers tell apart, line styles for grey print."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TextIO, cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from echo_env.common.files import written_whole

# Okabe and Ito's colours.
BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
SKY, VERMILLION, BLACK = "#56B4E9", "#D55E00", "#000000"

_POLICY_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, BLACK)
_POLICY_LINES = ("-", "--", "-.", ":")
_POLICY_MARKERS = ("o", "s", "^", "D", "v")


def policy_line(number: int) -> dict[str, Any]:
    """How the line of the policy with this place in a comparison looks."""
    return {
        "color": _POLICY_COLOURS[number % len(_POLICY_COLOURS)],
        "linestyle": _POLICY_LINES[number % len(_POLICY_LINES)],
        "marker": _POLICY_MARKERS[number % len(_POLICY_MARKERS)],
        "markersize": 4,
    }


def axes_or_new(ax: Axes | None, width: float = 7.0, height: float = 4.0) -> Axes:
    """The axes given, or those of a new figure of that size in inches."""
    return ax if ax is not None else Figure(figsize=(width, height), layout="constrained").subplots()


def name_axes(ax: Axes, title: str, x: str, y: str) -> None:
    """Title, axis names and a light grid."""
    ax.set_title(title, fontsize=10)
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.grid(True, color="0.9", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def band_alpha(bands: int) -> float:
    """How opaque a band is among so many, which may lie on top of each other."""
    return min(0.2, 0.6 / bands)


def legend(ax: Axes) -> None:
    """A legend, beside the axes if there are many lines."""
    lines = len(ax.get_legend_handles_labels()[1])
    if lines > 6:
        ax.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    elif lines:
        ax.legend(fontsize=8)


def thousands(ax: Axes, which: str) -> None:
    """Write 10,000 for 10000 on the ``x`` or the ``y`` axis."""
    getattr(ax, f"{which}axis").set_major_formatter("{x:,.10g}")


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
