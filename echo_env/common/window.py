"""A window on the screen."""

from __future__ import annotations

import numpy as np
from gymnasium import logger
from numpy.typing import NDArray

_DOTS_PER_INCH = 100


class Window:
    """A window on the screen that shows pictures, one after the other (needs a matplotlib with a screen).

    :param title: its title
    :param height: of the pictures, pixels
    :param width: of the pictures, pixels
    """

    def __init__(self, title: str, height: int, width: int) -> None:
        import matplotlib.pyplot as plt

        self._plt = plt
        self._figure = plt.figure(figsize=(width / _DOTS_PER_INCH, height / _DOTS_PER_INCH), num=title)
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
