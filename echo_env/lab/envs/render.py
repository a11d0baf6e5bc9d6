"""The lab's whiteboard, as text and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.config import LabConfig
from echo_env.lab.config.lab import Lab
from echo_env.lab.simulation.duties import RoomStatus, Status
from echo_env.lab.simulation.patient import Punctuality, RunningExam, class_label
from echo_env.lab.simulation.simulator import Simulator
from echo_env.lab.simulation.view import LabView

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INCHES, _DOTS_PER_INCH = (9, 6), 100


def whiteboard_text(view: LabView) -> str:
    """One screen: time, who waits, which rooms are free, what every member of staff does."""
    config, clock = view.config, view.config.hours.clock
    lines = [f"{config.name}  {clock(view.minute)}", "", "waiting", *_waiting_lines(view)]
    if preparing := view.preparing:
        who = ", ".join(f"#{patient} (since {clock(since)})" for patient, since in sorted(preparing.items()))
        lines.append(f"not ready yet: {who}")
    lines += ["", *_room_lines(view), "", "sonographers" if isinstance(config, LabConfig) else "staff"]
    exams = {exam.sonographer: exam for exam in view.running_exams}
    names = [
        group.name.replace("_", "-" if isinstance(config, LabConfig) else " ") for group in config.plan.staff_groups
    ]
    width = max(9, *map(len, names))
    for number, group in enumerate(config.plan.staff_group.tolist()):
        what = _staff_words(view, number, exams.get(number))
        lines.append(f"  {number:>2} {names[group]:<{width}} {view.exams_begun(number):>3} exams  {what}")
    return "\n".join(lines)


def _waiting_lines(view: LabView) -> list[str]:
    """A line for each class, in a lab of more than two types for each that somebody is of."""
    plan, lines = view.config.plan, []
    labels = [class_label(kind.name, when) for kind in plan.types for when in Punctuality]
    for kind, label in enumerate(labels):
        patients = view.waiting(kind)
        names = ", ".join(f"#{p.patient} ({view.minute - p.since_min:+d} min)" for p in patients)
        if patients or len(plan.types) <= 2:
            lines.append(f"  {label:<{max(18, *map(len, labels))}}{len(patients):>3}  {names}".rstrip())
    return lines or ["  nobody"]


def _room_lines(view: LabView) -> list[str]:
    """Free rooms, and in labs of the general form those that are cleaned or closed."""
    config, plan = view.config, view.config.plan
    if isinstance(config, LabConfig):
        free = view.free_rooms(fetal=True), view.free_rooms(fetal=False)
        return [f"free rooms: fetal {free[0] or '-'}, non-fetal {free[1] or '-'}"]
    lines = []
    for status, words in ((RoomStatus.FREE, "free"), (RoomStatus.CLEANING, "cleaned"), (RoomStatus.CLOSED, "closed")):
        own = [room for room in range(len(plan.room_group)) if view.room_status(room) == status]
        by_group = [
            f"{group.name.replace('_', ' ')} {numbers}"
            for place, group in enumerate(plan.room_groups)
            if (numbers := [room for room in own if plan.room_group[room] == place])
        ]
        if own or status == RoomStatus.FREE:
            lines.append(f"{words} rooms: {', '.join(by_group) or '-'}")
    return lines


def _staff_words(view: LabView, number: int, exam: RunningExam | None) -> str:
    """What a member of staff does."""
    clock, status = view.config.hours.clock, view.status(number)
    if exam is not None:
        return f"patient #{exam.patient} in room {exam.room} since {clock(exam.start_min)}"
    if status in (Status.ON_BREAK, Status.AT_LUNCH):
        return f"{'on break' if status == Status.ON_BREAK else 'at lunch'} since {clock(view.break_since(number) or 0)}"
    if status == Status.ABSENT:
        return "not called" if view.config.plan.on_call[number] else "absent"
    return "free" if status == Status.FREE else "off duty"


class WhiteboardPicture:
    """The whiteboard as pixels: the day's Gantt chart up to now (needs matplotlib).

    What stays the same from minute to minute is drawn once.

    :param config: the lab
    """

    def __init__(self, config: Lab) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        from echo_env.lab.plots.gantt import DayChart
        from echo_env.lab.plots.gantt_looks import gantt_legend

        figure = Figure(figsize=_INCHES, dpi=_DOTS_PER_INCH, layout="constrained")
        self._canvas = FigureCanvasAgg(figure)
        self.ax: Axes = figure.subplots()
        self._chart = DayChart(self.ax, config)
        gantt_legend(self.ax, config)
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
