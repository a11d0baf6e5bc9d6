"""Learned probabilities of winning."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from echo_env.common.figures import axes_or_new, name_axes
from echo_env.pathways.compiled.learning import Prospects


def chances_chart(prospects: Prospects, title: str, ax: Axes | None = None) -> Axes:
    """Probability that a bidder wins each resource in each step.

    :param prospects: learned probabilities
    :param title: title of the chart
    :param ax: axes to draw on; new ones by default
    """
    resources, horizon = prospects.chances.shape
    ax = axes_or_new(ax, 0.22 * horizon + 2, 0.3 * resources + 1.4)
    image = ax.imshow(prospects.chances, vmin=0, vmax=1, cmap="cividis", aspect="auto", interpolation="nearest")
    ax.figure.colorbar(image, ax=ax, pad=0.01).set_label("Probability of winning (0 to 1)")
    name_axes(ax, title, "Step (number)", "Resource (number)")
    ax.grid(visible=False)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator("auto", integer=True))
    return ax
