"""Common style of all figures: a colour-blind-safe palette, line styles for black-and-white print, axes and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO, cast

import numpy as np
from gymnasium import logger
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from echo_env.common.files import written_whole

# The palette of Okabe and Ito.
BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
SKY, VERMILLION, YELLOW, BLACK = "#56B4E9", "#D55E00", "#F0E442", "#000000"

_POLICY_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, BLACK)
_POLICY_LINES = ("-", "--", "-.", ":")
_POLICY_MARKERS = ("o", "s", "^", "D", "v")
_SCREEN_DPI = 100


def policy_line(number: int) -> dict[str, Any]:
    """Line style of the policy with a given position in a comparison."""
    return {
        "color": _POLICY_COLOURS[number % len(_POLICY_COLOURS)],
        "linestyle": _POLICY_LINES[number % len(_POLICY_LINES)],
        "marker": _POLICY_MARKERS[number % len(_POLICY_MARKERS)],
        "markersize": 4,
    }


def axes_or_new(ax: Axes | None, width: float = 7.0, height: float = 4.0) -> Axes:
    """The given axes, or those of a new figure of the given size, inches."""
    return ax if ax is not None else Figure(figsize=(width, height), layout="constrained").subplots()


def name_axes(ax: Axes, title: str, x: str, y: str) -> None:
    """Set the title and the names of the axes, and draw a light grid."""
    ax.set_title(title, fontsize=10)
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.grid(True, color="0.9", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


MOST_SQUASHED = 8.0
"""How many times as long as that of all others together the range of one may be before it would squash them."""


def off_the_scale(
    ranges: Mapping[str, tuple[float, float]], base: Sequence[float] = (), most: float = MOST_SQUASHED
) -> list[str]:
    """Those whose values would squash all others on a common scale, which is better drawn without them.

    :param ranges: name -> lowest and highest value; what is not finite is left out
    :param base: values that are on the scale in any case, such as 0
    :param most: how many times as long as without one the scale may be with it
    :return: their names, the farthest first; one of them at least stays on the scale
    """
    kept = {name: ends for name, ends in ranges.items() if np.isfinite(ends).all()}
    found: list[str] = []
    while len(kept) > 1:
        without = {
            name: _length([*base, *(v for other in kept if other != name for v in kept[other])]) for name in kept
        }
        farthest = min(without, key=without.__getitem__)
        whole = _length([*base, *(v for ends in kept.values() for v in ends)])
        if without[farthest] == 0 or whole <= most * without[farthest]:
            break
        found.append(farthest)
        del kept[farthest]
    return found


def _length(values: Sequence[float]) -> float:
    return max(values) - min(values)


def band_alpha(bands: int) -> float:
    """Opacity of one of several bands that may overlap."""
    return min(0.2, 0.6 / bands)


def legend(ax: Axes) -> None:
    """Draw a legend, beside the axes if there are more than six lines."""
    lines = len(ax.get_legend_handles_labels()[1])
    if lines > 6:
        ax.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    elif lines:
        ax.legend(fontsize=8)


def thousands(ax: Axes, which: str) -> None:
    """Group digits by thousands on the ``x`` or the ``y`` axis."""
    getattr(ax, f"{which}axis").set_major_formatter("{x:,.10g}")


def write_figure(figure: Figure, directory: Path, name: str) -> Path:
    """Write a figure as ``name.png`` and ``name.pdf``.

    :param figure: the figure
    :param directory: target folder, created if missing
    :param name: name of the files, without an ending
    :return: path of the PNG file
    """
    # Without a date, equal figures give equal files.
    for ending, metadata in (("pdf", {"CreationDate": None}), ("png", None)):
        path = Path(directory) / f"{name}.{ending}"
        with written_whole(path) as file:
            figure.savefig(cast(TextIO, file).buffer, format=ending, dpi=150, metadata=metadata)
        # The second file keeps the layout of the first.
        figure.set_layout_engine("none")
    return path


class Window:
    """A window on the screen that shows pictures, one after the other (needs a matplotlib with a screen).

    :param title: its title
    :param height: of the pictures, pixels
    :param width: of the pictures, pixels
    """

    def __init__(self, title: str, height: int, width: int) -> None:
        import matplotlib.pyplot as plt

        self._plt = plt
        self._figure = plt.figure(figsize=(width / _SCREEN_DPI, height / _SCREEN_DPI), num=title)
        self._on_screen = self._figure.canvas.required_interactive_framework is not None
        if not self._on_screen:
            logger.warn("render_mode 'human' needs a screen, and matplotlib found none: nothing is shown")
        axes = self._figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_axis_off()
        self._image = axes.imshow(np.full((height, width, 3), 255, dtype=np.uint8))

    def show(self, pixels: NDArray[np.uint8]) -> None:
        """Show a picture.

        :param pixels: (height, width, 3) uint8
        """
        self._image.set_data(pixels)
        if self._on_screen:
            self._plt.pause(0.001)

    def close(self) -> None:
        """Close it."""
        self._plt.close(self._figure)
