"""The hospital in the middle of an episode, as text and as a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echo_env.pathways.config import PathwaysConfig
from echo_env.pathways.envs.episode import Episode

_DOTS_PER_INCH = 100
# Inches of a step and of a patient, and around the chart.
_CELL, _AROUND = (0.3, 0.26), (2.4, 1.5)
_SMALLEST = (6.4, 4.0)


def hospital_text(episode: Episode) -> str:
    """One line for each patient: health, resource held, needs met, and whether it requests this unit."""
    trace, asking, config = episode.trace(), episode.mask(), episode.instance.config
    count = trace.instance.model.had_count[trace.condition[-1], trace.state[-1]]
    top = config.health_levels - 1
    lines = [f"step {episode.step} of {config.horizon}, a unit of resource {episode.resource}"]
    for n, (health, held) in enumerate(zip(trace.health[-1], trace.held[-1], strict=True)):
        holds = f"holds {held}" if held >= 0 else "holds nothing"
        asks = ", requests it" if asking[n] else ""
        lines.append(f"patient {n}: health {health} of {top}, {holds}, {count[n]} needs met{asks}")
    return "\n".join(lines)


class EpisodePicture:
    """An episode up to now as pixels: the health of patients by steps, and who requests this unit (needs matplotlib).

    :param config: the hospital
    """

    def __init__(self, config: PathwaysConfig) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        cells = config.horizon + 1, config.patients
        # Even numbers of pixels, as videos must have.
        inches = [
            2 * round(_DOTS_PER_INCH / 2 * max(least, cell * n + around)) / _DOTS_PER_INCH
            for cell, n, around, least in zip(_CELL, cells, _AROUND, _SMALLEST, strict=True)
        ]
        self._figure = Figure(figsize=(inches[0], inches[1]), dpi=_DOTS_PER_INCH, layout="constrained")
        self._canvas = FigureCanvasAgg(self._figure)

    def draw(self, episode: Episode) -> NDArray[np.uint8]:
        """The episode so far.

        :param episode: being played, or over
        :return: (height, width, 3) uint8, the same size for all episodes in this hospital
        """
        from matplotlib.patches import Rectangle

        from echo_env.common.figures import ORANGE
        from echo_env.pathways.plots.episode import health_chart

        self._figure.clear()
        now, horizon = episode.step, episode.instance.config.horizon
        doing = "over" if episode.over else f"a unit of resource {episode.resource} goes to one of the framed"
        ax = health_chart(episode.trace(), f"Step {now} of {horizon}: {doing}", self._figure.subplots())
        for n in () if episode.over else np.flatnonzero(episode.mask()[:-1]):
            ax.add_patch(Rectangle((now - 0.5, n - 0.5), 1, 1, fill=False, edgecolor=ORANGE, linewidth=2))
        self._canvas.draw()
        return np.asarray(self._canvas.buffer_rgba())[..., :3].copy()
