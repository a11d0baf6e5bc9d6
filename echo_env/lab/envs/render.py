"""The lab's whiteboard, as text and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from gymnasium import logger
from numpy.typing import NDArray

from echo_env.lab.config import LabConfig
from echo_env.lab.simulation.duties import Status
from echo_env.lab.simulation.patient import PatientClass
from echo_env.lab.simulation.simulator import Simulator
from echo_env.lab.simulation.view import LabView

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INCHES, _DOTS_PER_INCH = (9, 6), 100


def whiteboard_text(view: LabView) -> str:
    """One screen: time, who waits, what every sonographer does."""
    clock = view.config.hours.clock
    lines = [f"{view.config.name}  {clock(view.minute)}", "", "waiting"]
    for kind in PatientClass:
        patients = view.waiting(kind)
        names = ", ".join(f"#{p.patient} ({view.minute - p.since_min:+d} min)" for p in patients)
        lines.append(f"  {kind.label:<18}{len(patients):>3}  {names}".rstrip())
    free = view.free_rooms(fetal=True), view.free_rooms(fetal=False)
    lines += ["", f"free rooms: fetal {free[0] or '-'}, non-fetal {free[1] or '-'}", "", "sonographers"]
    exams = {exam.sonographer: exam for exam in view.running_exams}
    for number in range(view.config.sonographers.total):
        skill = "fetal" if number < view.config.sonographers.fetal else "non-fetal"
        what = {Status.FREE: "free", Status.ABSENT: "absent"}.get(view.status(number), "")
        if number in exams:
            exam = exams[number]
            what = f"patient #{exam.patient} in room {exam.room} since {clock(exam.start_min)}"
        elif not what:
            what = f"on break since {clock(view.break_since(number) or 0)}"
        lines.append(f"  {number:>2} {skill:<10}{view.exams_begun(number):>3} exams  {what}")
    return "\n".join(lines)


class WhiteboardPicture:
    """The whiteboard as pixels: the day's Gantt chart up to now (needs matplotlib).

    What stays the same from minute to minute is drawn once.

    :param config: the lab
    """

    def __init__(self, config: LabConfig) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        from echo_env.lab.plots.gantt import DayChart, gantt_legend

        figure = Figure(figsize=_INCHES, dpi=_DOTS_PER_INCH, layout="constrained")
        self._canvas = FigureCanvasAgg(figure)
        self.ax: Axes = figure.subplots()
        self._chart = DayChart(self.ax, config)
        gantt_legend(self.ax)
        self._now = self.ax.axvline(0, color="black", linewidth=1)
        # The title takes its place before what stays is laid out.
        self._title = self.ax.set_title(" ", fontsize=10)
        self._moving = [*self._chart.artists, self._now, self._title]
        for artist in self._moving:
            artist.set_animated(True)
        self._canvas.draw()
        self._still = self._canvas.copy_from_bbox(figure.bbox)

    def draw(self, lab: Simulator) -> NDArray[np.uint8]:
        """The present board. The end of a running exam is not shown.

        :param lab: the day being played
        :return: (600, 900, 3) uint8
        """
        from echo_env.lab.plots.gantt import penalty_in_words

        trace, minute = lab.trace(), lab.board.minute
        self._chart.show(trace, until=minute)
        self._now.set_xdata([minute, minute])
        self._title.set_text(f"{lab.config.name}, {lab.config.hours.clock(minute)}: {penalty_in_words(trace)}")
        self._canvas.restore_region(self._still)
        for artist in self._moving:
            self.ax.draw_artist(artist)
        return np.asarray(self._canvas.buffer_rgba())[..., :3].copy()


class Window:
    """A window on the screen that shows pictures, one after the other (needs a matplotlib with a screen)."""

    def __init__(self) -> None:
        import matplotlib.pyplot as plt

        self._plt = plt
        self._figure = plt.figure(figsize=_INCHES, num="Echo lab")
        self._on_screen = self._figure.canvas.required_interactive_framework is not None
        if not self._on_screen:
            logger.warn("render_mode 'human' needs a screen, and matplotlib found none: nothing is shown")
        axes = self._figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_axis_off()
        height, width = (_DOTS_PER_INCH * inches for inches in reversed(_INCHES))
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
