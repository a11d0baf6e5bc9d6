"""One episode: the resources that patients hold, and their health."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.ticker import MaxNLocator

from echo_env.common.figures import BLACK, BLUE, ORANGE, axes_or_new, name_axes
from echo_env.pathways.config.pathway import NONE
from echo_env.pathways.simulation.trace import Trace

_GAP = 2.3
_LIGHT, _DARK = np.array((0.94, 0.97, 1.0)), np.array((0.03, 0.19, 0.42))


def health_chart(trace: Trace, title: str, ax: Axes | None = None) -> Axes:
    """Patients by steps: health by shade (light is healthy), resource held by number; white before arrival.

    :param trace: the episode, or the beginning of one: what is to come stays white
    :param title: title of the chart
    :param ax: axes to draw on; new ones by default
    """
    config = trace.instance.config
    ax = axes_or_new(ax, 0.26 * config.horizon + 2, 0.22 * config.patients + 1.4)
    levels = config.health_levels
    shades = [_DARK + (_LIGHT - _DARK) * level / (levels - 1) for level in range(levels)]
    norm = BoundaryNorm(np.arange(-0.5, levels), levels)
    health = np.full((config.horizon + 1, config.patients), NONE)
    health[: len(trace.health)] = trace.health
    steps = np.arange(config.horizon + 1)
    shown = np.ma.masked_where((steps[:, None] < trace.instance.arrivals[None, :]) | (health == NONE), health)
    image = ax.imshow(shown.T, cmap=ListedColormap(shades), norm=norm, aspect="auto", interpolation="nearest")
    for t, n in zip(*np.nonzero(trace.held != NONE), strict=True):
        dark = trace.health[t, n] < levels / 2
        text = str(trace.held[t, n])
        ax.text(t, n, text, ha="center", va="center", fontsize=7, color="white" if dark else BLACK)
    bar = ax.figure.colorbar(image, ax=ax, ticks=range(levels), pad=0.01)
    bar.set_label(f"Health (level, {levels - 1}: full)")
    name_axes(ax, title, "Step (number)", "Patient (number); resource held, by number")
    ax.grid(visible=False)
    ax.yaxis.set_major_locator(MaxNLocator("auto", integer=True))
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    return ax


def resource_chart(trace: Trace, title: str, ax: Axes | None = None) -> Axes:
    """Patients who hold each resource (bars up) and who request it (bars down), by step.

    :param trace: the episode
    :param title: title of the chart
    :param ax: axes to draw on; new ones by default
    """
    config, model = trace.instance.config, trace.instance.model
    ax = axes_or_new(ax, 7, 0.7 * config.resources + 1.2)
    steps = np.arange(config.horizon)
    counts = np.zeros((2, config.resources, config.horizon))
    for t in steps:
        present = trace.in_hospital[t] & ~trace.dead[t]
        for n in np.flatnonzero(present):
            c, s = trace.condition[t, n], trace.state[t, n]
            if trace.held[t, n] != NONE:
                counts[0, trace.held[t, n], t] += 1
            can = model.resource[c][model.after_win[c, s] != NONE]
            np.add.at(counts[1], (can, t), 1)
    height = max(counts.max(), 1)
    for resource in range(config.resources):
        base = _GAP * resource
        ax.bar(steps, counts[0, resource] / height, 0.9, base, color=BLUE, label=_once("in use", resource))
        ax.bar(steps, -counts[1, resource] / height, 0.9, base, color=ORANGE, label=_once("requested", resource))
        ax.axhline(base, color="0.4", linewidth=0.6)
    ax.set_yticks([_GAP * resource for resource in range(config.resources)], list(map(str, range(config.resources))))
    ax.set_ylim(-1.2, _GAP * (config.resources - 1) + 1.2)
    name_axes(ax, f"{title}; longest bar: {height:.0f} patients", "Step (number)", "Resource (number)")
    ax.grid(visible=False, axis="y")
    ax.legend(fontsize=8, loc="upper right")
    return ax


def _once(label: str, number: int) -> str | None:
    """A label for the first of several artists only, so that the legend has it once."""
    return label if number == 0 else None
