"""One day as a Gantt chart: rooms and sonographers by time, and who waits when. No figure of the paper has it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.patches import Patch
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D, ScaledTranslation
from numpy.typing import NDArray

from echo_env.lab.config import LabConfig
from echo_env.lab.day import NO_SHOW, TURNED_AWAY
from echo_env.lab.plots.style import ORANGE, axes_or_new, class_colour, clock_axis
from echo_env.lab.simulation.patient import EARLY, LATE, PatientClass, on_time_from, patient_class
from echo_env.lab.simulation.trace import ExamRecord, Trace

BREAK, ABSENT = "break", "absent"
_MOST_NAMES = 10
"""Of rooms, of sonographers and of patients, that are written beside the chart."""
_SHORTEST_LABELLED_MIN = 20
_MOST_ROWS_LABELLED = 40


class Bar(NamedTuple):
    """A rectangle of the chart: ``row`` is its middle, ``begin`` and ``end`` are minutes since opening."""

    row: float
    begin: int
    end: int
    height: float


class Rows(NamedTuple):
    """Where things stand in the chart, from the top down: rooms, sonographers, patients. A room's row is 1 high."""

    rooms: int
    sonographers: int
    patients: int

    @property
    def patient_height(self) -> float:
        """Height of a patient's row."""
        return max(0.32, 0.7 * (self.rooms + self.sonographers) / self.patients)

    def sonographer(self, number: int) -> float:
        """Row of a sonographer; that of a room is its number."""
        return self.rooms + 0.6 + number

    def patient(self, number: int) -> float:
        """Row of a patient."""
        return self.rooms + self.sonographers + 0.8 + (number + 0.5) * self.patient_height

    @property
    def bottom(self) -> float:
        """Below the last row."""
        return self.patient(self.patients) - 0.2 * self.patient_height


def rows_of(config: LabConfig) -> Rows:
    """The rows that a lab needs."""
    return Rows(config.rooms.total, config.sonographers.total, len(config.appointments))


def day_bars(trace: Trace, until: int | None = None) -> dict[str, list[Bar]]:
    """The bars of a day by what they show: a class of patients (by its label), ``break`` or ``absent``.

    An exam is a bar in its room's row and one in its sonographer's; waiting is a bar in the patient's row, in
    the colour of the class at the time, so that an early patient's changes when the appointment comes near.

    :param trace: the day
    :param until: show nothing after this minute, of exams under way neither when they will end
    """
    rows, end_min = rows_of(trace.config), trace.config.hours.end_min
    now = end_min if until is None else until
    bars: dict[str, list[Bar]] = {**{kind.label: [] for kind in PatientClass}, BREAK: [], ABSENT: []}
    for exam in trace.exams:
        end = exam.end_min if until is None else min(exam.end_min, until)
        for row in (float(exam.room), rows.sonographer(exam.sonographer)):
            bars[exam.patient_class.label].append(Bar(row, exam.start_min, end, 0.84))
    for pause in trace.breaks:
        end = pause.end_min if until is None else min(pause.end_min, until)
        bars[BREAK].append(Bar(rows.sonographer(pause.sonographer), pause.start_min, end, 0.5))
    for number in np.flatnonzero(~trace.day.present).tolist():
        bars[ABSENT].append(Bar(rows.sonographer(number), 0, end_min, 0.84))
    begun = {exam.patient: exam for exam in trace.exams}
    for number in np.flatnonzero(trace.day.arrival >= 0).tolist():
        for kind, begin, end in _waits(trace, number, begun.get(number), now):
            bars[kind.label].append(Bar(rows.patient(number), begin, end, 0.8 * rows.patient_height))
    return bars


def _waits(trace: Trace, number: int, exam: ExamRecord | None, now: int) -> list[tuple[PatientClass, int, int]]:
    """When a patient waits up to now, and as what: one stretch, or two for somebody early who becomes on time."""
    day, margin = trace.day, trace.config.arrival.on_time_margin_min
    fetal, scheduled, arrival = bool(day.fetal[number]), int(day.scheduled[number]), int(day.arrival[number])
    end = now if exam is None else min(exam.start_min, now)
    near = min(max(on_time_from(scheduled, margin), arrival), end)
    return [
        (PatientClass(patient_class(fetal, scheduled, arrival, begin, margin)), begin, stop)
        for begin, stop in ((arrival, near), (near, end))
        if begin < stop
    ]


class DayChart:
    """A Gantt chart whose artists stay while its bars move, so that frames of a video are cheap.

    :param ax: where to draw
    :param config: the lab
    """

    def __init__(self, ax: Axes, config: LabConfig) -> None:
        self.ax = ax
        self.config = config
        self._rows = rows_of(config)
        self._bars = {
            ABSENT: self._polygons("0.95", False, edge="0.7", hatch="xx"),
            BREAK: self._polygons("0.88", False, edge="0.4"),
        }
        # The rims of fetal bars lie over their neighbours'.
        for kind in reversed(PatientClass):
            self._bars[kind.label] = self._polygons(class_colour(kind), kind.fetal)
        self._due = LineCollection([], colors="black", linewidths=1.1)
        ax.add_collection(self._due)
        (self._missing,) = ax.plot([], [], linestyle="", marker="x", markersize=4, color="black")
        self._labels = {colour: self._label_paths(colour) for colour in ("white", "black")}
        self._set_up_axes()

    @property
    def artists(self) -> list[Artist]:
        """Everything that :meth:`show` moves, in the order in which it is drawn."""
        return [*self._bars.values(), self._due, self._missing, *self._labels.values()]

    def show(self, trace: Trace, until: int | None = None) -> None:
        """Draw a day, or what is known of it by a minute.

        :param trace: a day of this lab
        :param until: see :func:`day_bars`
        """
        for kind, bars in day_bars(trace, until).items():
            self._bars[kind].set_verts([_corners(bar) for bar in bars])
        patients = range(self._rows.patients)
        due = [(scheduled, self._rows.patient(number)) for number, scheduled in enumerate(trace.day.scheduled.tolist())]
        half = 0.5 * self._rows.patient_height
        self._due.set_segments([np.array([(x, y - half), (x, y + half)]) for x, y in due])
        # Only at the end of a day is it known who has not come.
        missing = [due[n] for n in patients if until is None and trace.day.arrival[n] in (NO_SHOW, TURNED_AWAY)]
        self._missing.set_data([x for x, _ in missing], [y for _, y in missing])
        self._write_labels(trace, until)

    def _polygons(self, colour: str, fetal: bool, edge: str = "white", hatch: str | None = None) -> PolyCollection:
        """An empty set of bars. Fetal ones have a black rim: colour alone would be lost in grey print."""
        polygons = PolyCollection(
            [],
            facecolors=colour,
            edgecolors="black" if fetal else edge,
            linewidths=1.2 if fetal else 0.4,
            hatch=hatch,
            closed=True,
        )
        self.ax.add_collection(polygons, autolim=False)
        return polygons

    def _label_paths(self, colour: str) -> PathCollection:
        """No labels yet. Numbers drawn as shapes take a tenth of the time of text."""
        points = Affine2D().scale(1 / 72) + self.ax.figure.dpi_scale_trans
        paths = PathCollection([], facecolors=colour, linewidths=0, offset_transform=self.ax.transData)
        paths.set_transform(points)
        self.ax.add_collection(paths, autolim=False)
        return paths

    def _write_labels(self, trace: Trace, until: int | None) -> None:
        """Patient numbers on exams, with a letter for late and early."""
        too_thin = self._rows.rooms + self._rows.sonographers > _MOST_ROWS_LABELLED
        labels: dict[str, list[tuple[Path, tuple[float, float]]]] = {colour: [] for colour in self._labels}
        for exam in trace.exams:
            end = exam.end_min if until is None else min(exam.end_min, until)
            if end - exam.start_min < _SHORTEST_LABELLED_MIN or too_thin:
                continue
            kind = exam.patient_class
            letter = " L" if kind in LATE else " E" if kind in EARLY else ""
            colour = "black" if class_colour(kind) == ORANGE else "white"
            path = _label_path(f"{exam.patient}{letter}")
            for row in (float(exam.room), self._rows.sonographer(exam.sonographer)):
                labels[colour].append((path, (exam.start_min + 3, row)))
        for colour, written in labels.items():
            self._labels[colour].set_paths([path for path, _ in written])
            self._labels[colour].set_offsets(np.array([place for _, place in written]).reshape(-1, 2))

    def _set_up_axes(self) -> None:
        ax, rows, config = self.ax, self._rows, self.config
        ax.set_ylim(rows.bottom, -0.6)
        clock_axis(ax, config.hours, every_min=60)
        ax.set_ylabel("Rooms, sonographers and\npatients waiting (numbers)")
        rooms = _numbered("room", config.rooms.fetal, rows.rooms, float)
        staff = _numbered("sonographer", config.sonographers.fetal, rows.sonographers, rows.sonographer)
        patients = _numbered("patient", 0, rows.patients, rows.patient)
        ticks = [*rooms, *staff, *patients]
        ax.set_yticks([y for y, _ in ticks], [label for _, label in ticks], fontsize=7)
        for y in (rows.sonographer(0) - 0.8, rows.sonographer(rows.sonographers) - 0.3):
            ax.axhline(y, color="0.4", linewidth=0.8)
        ax.grid(True, axis="x", color="0.9", linewidth=0.6)
        ax.set_axisbelow(True)


def gantt(trace: Trace, ax: Axes | None = None, until: int | None = None) -> Axes:
    """One day: exams by room and by sonographer, breaks, absences, and every patient's wait.

    In a patient's row a black tick is the appointment, a bar the wait, a cross somebody who did not come or came
    after closing. Fetal patients have a black rim.

    :param trace: the day
    :param ax: where to draw
    :param until: draw what is known by this minute; by default the whole day
    """
    rows = rows_of(trace.config)
    ax = axes_or_new(ax, 11, min(1.6 + 0.26 * rows.bottom, 12))
    DayChart(ax, trace.config).show(trace, until)
    ax.set_title(f"{trace.config.name}, one day: {penalty_in_words(trace)}", fontsize=10)
    gantt_legend(ax)
    return ax


def gantt_legend(ax: Axes) -> None:
    """What the colours of a Gantt chart mean, below its clock times."""
    below = ax.transAxes + ScaledTranslation(0, -0.45, ax.figure.dpi_scale_trans)
    names = {"on time": PatientClass.NON_FETAL_ON_TIME, "late (L)": PatientClass.NON_FETAL_LATE}
    names["early (E)"] = PatientClass.NON_FETAL_EARLY
    handles = [Patch(color=class_colour(kind), label=label) for label, kind in names.items()]
    handles.append(Patch(facecolor="white", edgecolor="black", linewidth=1.5, label="fetal: black rim"))
    handles.append(Patch(facecolor="0.88", edgecolor="0.4", label="break"))
    handles.append(Patch(facecolor="0.95", edgecolor="0.7", hatch="xx", label="absent"))
    ax.legend(
        handles=handles,
        ncols=6,
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        bbox_transform=below,
        fontsize=8,
        frameon=False,
    )


def penalty_in_words(trace: Trace) -> str:
    """``penalty 4,782 points, of which 4,518 for waiting``."""
    points = trace.penalty
    return f"penalty {points.total:,.0f} points, of which {points.waiting:,.0f} for waiting"


@lru_cache(maxsize=1024)
def _label_path(label: str) -> Path:
    """A label as a shape, points, its left end and half its height at (0, 0)."""
    return TextPath((0, -2.6), label, size=7)


def _numbered(word: str, fetal: int, total: int, row: Callable[[int], float]) -> list[tuple[float, str]]:
    """Rows that get a name, and the name; of very many not all."""
    step = -(-total // _MOST_NAMES)
    step = 5 if 2 < step < 5 else step
    return [(row(n), f"{word} {n}{' (fetal)' if n < fetal else ''}") for n in range(0, total, step)]


def _corners(bar: Bar) -> NDArray[np.float64]:
    """(4, 2) float64, the rectangle of a bar."""
    low, high = bar.row - bar.height / 2, bar.row + bar.height / 2
    return np.array([(bar.begin, low), (bar.end, low), (bar.end, high), (bar.begin, high)])
