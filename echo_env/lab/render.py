"""The lab's whiteboard, as text and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.patient import PatientClass
from echo_env.lab.simulator import Simulator
from echo_env.lab.whiteboard import LabView, Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart by colour-blind readers; on time, late, early.
_COLOURS = ("#0072B2", "#D55E00", "#009E73")
_HATCH_FETAL = "//"


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


def whiteboard_figure(lab: Simulator) -> Figure:
    """Rooms and sonographers by time, and who waits, up to now (needs matplotlib).

    :param lab: the day being played
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6), layout="constrained")
    rooms, staff, queue = figure.subplots(
        3, 1, sharex=True, height_ratios=[lab.config.rooms.total, lab.config.sonographers.total, 4]
    )
    _draw_rooms(lab, rooms)
    _draw_sonographers(lab, staff)
    _draw_waiting(lab, queue)
    hours = lab.config.hours
    ticks = np.arange(0, hours.end_min + 1, 60)
    queue.set_xticks(ticks, [hours.clock(int(tick)) for tick in ticks])
    queue.set_xlim(0, hours.end_min)
    for ax in (rooms, staff, queue):
        ax.axvline(lab.board.minute, color="black", linewidth=1)
        ax.axvline(hours.closing_min, color="grey", linewidth=1, linestyle=":")
    points = lab.trace().penalty
    figure.suptitle(
        f"{lab.config.name}, {hours.clock(lab.board.minute)}: penalty so far {points.total:.0f}, "
        f"waiting part {points.waiting:.0f}"
    )
    return figure


def whiteboard_rgb(lab: Simulator) -> NDArray[np.uint8]:
    """:func:`whiteboard_figure` as pixels, (600, 900, 3) uint8."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(whiteboard_figure(lab))
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _bars(lab: Simulator, ax: Axes, lane: str) -> None:
    """Exams so far as bars, a lane for each room or sonographer. When a running exam will end is not shown."""
    now = lab.board.minute
    for exam in lab.trace().exams:
        row, begin, width = getattr(exam, lane), exam.start_min, min(exam.end_min, now) - exam.start_min
        colour = _COLOURS[exam.patient_class % 3]
        hatch = _HATCH_FETAL if exam.patient_class.fetal else None
        ax.barh(row, width, left=begin, color=colour, edgecolor="white", hatch=hatch)
        if width > 12:
            box = {"facecolor": colour, "edgecolor": "none", "pad": 1}
            ax.text(begin + 3, row, str(exam.patient), va="center", color="white", size=7, bbox=box)


def _lanes(ax: Axes, title: str, fetal: int, total: int) -> None:
    ax.set_yticks(range(total), [f"{number}{' (fetal)' if number < fetal else ''}" for number in range(total)])
    ax.set_ylim(total - 0.5, -0.5)
    ax.set_ylabel(title)


def _draw_rooms(lab: Simulator, ax: Axes) -> None:
    _bars(lab, ax, "room")
    _lanes(ax, "Room", lab.config.rooms.fetal, lab.config.rooms.total)


def _draw_sonographers(lab: Simulator, ax: Axes) -> None:
    now = lab.board.minute
    _bars(lab, ax, "sonographer")
    for pause in lab.trace().breaks:
        ax.barh(pause.sonographer, min(pause.end_min, now) - pause.start_min, left=pause.start_min, color="0.8")
    for number in np.flatnonzero(~lab.view.present).tolist():
        ax.text(5, number, "absent", va="center", color="0.5", size=8)
    _lanes(ax, "Sonographer", lab.config.sonographers.fetal, lab.config.sonographers.total)


def _draw_waiting(lab: Simulator, ax: Axes) -> None:
    """Patients waiting so far, by punctuality."""
    from matplotlib.patches import Patch

    counts = lab.trace().minutes[: lab.board.minute] if lab.board.minute else np.zeros((0, 12), dtype=int)
    stacks = [counts[:, kind] + counts[:, kind + 3] for kind in range(3)]
    ax.stackplot(np.arange(len(counts)), *stacks, colors=_COLOURS, step="post")
    ax.set_ylabel("Patients\nwaiting")
    ax.set_ylim(bottom=0)
    names = ("on time", "late", "early")
    handles = [Patch(color=colour, label=name) for colour, name in zip(_COLOURS, names, strict=True)]
    handles.append(Patch(facecolor="0.6", hatch=_HATCH_FETAL, edgecolor="white", label="fetal"))
    handles.append(Patch(color="0.8", label="break"))
    ax.legend(handles=handles, ncols=5, loc="upper left", fontsize=7)


class Window:
    """A window on the screen that shows pictures, one after the other (needs a matplotlib with a screen)."""

    def __init__(self) -> None:
        import matplotlib.pyplot as plt

        self._plt = plt
        self._figure = plt.figure(figsize=(9, 6), num="Echo lab")
        self._axes = self._figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self._axes.set_axis_off()

    def show(self, pixels: NDArray[np.uint8]) -> None:
        """Show a picture.

        :param pixels: (height, width, 3) uint8
        """
        self._axes.clear()
        self._axes.set_axis_off()
        self._axes.imshow(pixels)
        self._plt.pause(0.001)

    def close(self) -> None:
        """Close it."""
        self._plt.close(self._figure)
