"""One day as a Gantt chart: rooms and staff by time, and who waits when. No figure of the paper has it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D
from numpy.typing import NDArray

from echo_env.lab.config import LabConfig
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import NO_SHOW, REBOOKED, TURNED_AWAY
from echo_env.lab.plots.bars import Bar, day_bars, grounds, rows_of
from echo_env.lab.plots.gantt_looks import (
    GROUND_FILLS,
    TAKER,
    Fill,
    class_fill,
    gantt_legend,
    label_colour,
    room_names,
    staff_names,
)
from echo_env.lab.plots.style import axes_or_new, class_labels, clock_axis
from echo_env.lab.simulation.patient import punctuality
from echo_env.lab.simulation.trace import Trace

_MOST_NAMES = 10
"""Of rooms, of members of staff and of patients, that are written beside the chart."""
_SHORTEST_LABELLED_MIN = 20
_MOST_ROWS_LABELLED = 40


class DayChart:
    """A Gantt chart whose artists stay while its bars move, so that frames of a video are cheap.

    :param ax: where to draw
    :param config: the lab
    """

    def __init__(self, ax: Axes, config: Lab) -> None:
        self.ax = ax
        self.config = config
        self._rows = rows_of(config)
        labels = class_labels(config)
        self._fills = [class_fill(config, kind) for kind in range(len(labels))]
        self._bars = {name: self._polygons(GROUND_FILLS[name]) for name in grounds(config)}
        # The rims of the first type's bars lie over their neighbours'.
        for kind in reversed(range(len(labels))):
            self._bars[labels[kind]] = self._polygons(self._fills[kind])
        self._due = LineCollection([], colors="black", linewidths=1.1)
        ax.add_collection(self._due)
        (self._missing,) = ax.plot([], [], linestyle="", marker="x", markersize=4, color="black")
        self._handovers = LineCollection([], colors="black", linewidths=1.6)
        ax.add_collection(self._handovers)
        (self._takers,) = ax.plot([], [], **TAKER)
        self._labels = {colour: self._label_paths(colour) for colour in ("white", "black")}
        self._set_up_axes()

    @property
    def artists(self) -> list[Artist]:
        """Everything that :meth:`show` moves, in the order in which it is drawn."""
        own = [self._due, self._missing, self._handovers, self._takers]
        return [*self._bars.values(), *own, *self._labels.values()]

    def show(self, trace: Trace, until: int | None = None) -> None:
        """Draw a day, or what is known of it by a minute.

        :param trace: a day of this lab
        :param until: see :func:`day_bars`
        """
        for kind, bars in day_bars(trace, until).items():
            self._bars[kind].set_verts([_corners(bar) for bar in bars])
        day, booked = trace.day, range(self._rows.booked)
        due = {number: (int(day.scheduled[number]), self._rows.patient(number)) for number in booked
               if day.arrival[number] != REBOOKED}  # fmt: skip
        half = 0.5 * self._rows.patient_height
        self._due.set_segments([np.array([(x, y - half), (x, y + half)]) for x, y in due.values()])
        # Only at the end of a day is it known who has not come.
        missing = [due[n] for n in due if until is None and day.arrival[n] in (NO_SHOW, TURNED_AWAY)]
        self._missing.set_data([x for x, _ in missing], [y for _, y in missing])
        self._show_handovers(trace, until)
        self._write_labels(trace, until)

    def _show_handovers(self, trace: Trace, until: int | None) -> None:
        """A line from who goes home to the colleague who goes on, with a diamond there."""
        known = [handover for handover in trace.handovers if until is None or handover.minute <= until]
        row = self._rows.sonographer
        ends = [[(own.minute, row(own.sonographer)), (own.minute, row(own.colleague))] for own in known]
        self._handovers.set_segments([np.array(pair) for pair in ends])
        self._takers.set_data([pair[1][0] for pair in ends], [pair[1][1] for pair in ends])

    def _polygons(self, fill: Fill) -> PolyCollection:
        """An empty set of bars."""
        polygons = PolyCollection(
            [],
            facecolors=fill.face,
            edgecolors=fill.edge,
            linewidths=fill.width,
            hatch=fill.hatch or None,
            closed=True,
        )
        self.ax.add_collection(polygons, autolim=False)
        return polygons

    def _label_paths(self, colour: str) -> PathCollection:
        """No labels yet. Numbers drawn as shapes take a tenth of the time of text."""
        points = Affine2D().scale(1 / 72) + self.ax.figure.dpi_scale_trans
        paths = PathCollection([], facecolors=colour, linewidths=0, offset_transform=self.ax.transData)
        paths.set_transform(points)
        if any(fill.hatch for fill in self._fills):
            paths.set_path_effects([withStroke(linewidth=2, foreground="black" if colour == "white" else "white")])
        self.ax.add_collection(paths, autolim=False)
        return paths

    def _write_labels(self, trace: Trace, until: int | None) -> None:
        """Patient numbers on exams, with a letter for late and early."""
        too_thin = self._rows.rooms + self._rows.sonographers > _MOST_ROWS_LABELLED
        labels: dict[str, list[tuple[Path, tuple[float, float]]]] = {colour: [] for colour in self._labels}
        kinds = {exam.patient: exam.patient_class for exam in trace.exams}
        stretches = [(exam.patient, float(exam.room), exam.start_min, exam.end_min) for exam in trace.exams]
        stretches += [(own.patient, self._rows.sonographer(own.sonographer), own.start_min, own.end_min)
                      for own in trace.work]  # fmt: skip
        for patient, row, begin, end in stretches:
            if (end if until is None else min(end, until)) - begin < _SHORTEST_LABELLED_MIN or too_thin:
                continue
            letter = ("", " L", " E")[punctuality(kinds[patient])]
            colour = label_colour(self._fills[kinds[patient]].face)
            labels[colour].append((_label_path(f"{patient}{letter}"), (begin + 3, row)))
        for colour, written in labels.items():
            self._labels[colour].set_paths([path for path, _ in written])
            self._labels[colour].set_offsets(np.array([place for _, place in written]).reshape(-1, 2))

    def _set_up_axes(self) -> None:
        ax, rows, config = self.ax, self._rows, self.config
        ax.set_ylim(rows.bottom, -0.6)
        clock_axis(ax, config.hours, every_min=60)
        staff = "sonographers" if isinstance(config, LabConfig) else "staff"
        ax.set_ylabel(f"Rooms, {staff} and\npatients waiting (numbers)")
        ticks = [
            *_named([float(n) for n in range(rows.rooms)], room_names(config)),
            *_named([rows.sonographer(n) for n in range(rows.sonographers)], staff_names(config)),
            *_named([rows.patient(n) for n in range(rows.booked)], [f"patient {n}" for n in range(rows.booked)]),
            *([(rows.patient(rows.booked), "unscheduled")] if rows.walk_ins else []),
        ]
        ax.set_yticks([y for y, _ in ticks], [label for _, label in ticks], fontsize=7)
        for y in (rows.sonographer(0) - 0.8, rows.sonographer(rows.sonographers) - 0.3):
            ax.axhline(y, color="0.4", linewidth=0.8)
        ax.grid(True, axis="x", color="0.9", linewidth=0.6)
        ax.set_axisbelow(True)


def gantt(trace: Trace, ax: Axes | None = None, until: int | None = None) -> Axes:
    """One day: exams by room and by member of staff, breaks, absences, and every patient's wait.

    In a patient's row a black tick is the appointment, a bar the wait, a cross somebody who did not come or came
    after closing. The legend says what colours and rims mean:
    see :func:`~echo_env.lab.plots.gantt_looks.class_fill`. Before and after their shift the rows of members of staff
    are grey, so that overtime is an exam on grey.

    :param trace: the day
    :param ax: where to draw
    :param until: draw what is known by this minute; by default the whole day
    """
    rows = rows_of(trace.config)
    ax = axes_or_new(ax, 11, min(1.6 + 0.26 * rows.bottom, 12))
    DayChart(ax, trace.config).show(trace, until)
    ax.set_title(f"{trace.config.name}, one day: {penalty_in_words(trace)}", fontsize=10)
    gantt_legend(ax, trace.config, [trace])
    return ax


def penalty_in_words(trace: Trace) -> str:
    """``penalty 4,782 points, of which 4,518 for waiting``."""
    points = trace.penalty
    return f"penalty {points.total:,.0f} points, of which {points.waiting:,.0f} for waiting"


@lru_cache(maxsize=1024)
def _label_path(label: str) -> Path:
    """A label as a shape, points, its left end and half its height at (0, 0)."""
    return TextPath((0, -2.6), label, size=7)


def _named(rows: Sequence[float], names: Sequence[str]) -> list[tuple[float, str]]:
    """Rows that get a name, and the name; of very many not all."""
    step = -(-len(rows) // _MOST_NAMES)
    step = 5 if 2 < step < 5 else max(step, 1)
    return list(zip(rows, names, strict=True))[::step]


def _corners(bar: Bar) -> NDArray[np.float64]:
    """(4, 2) float64, the rectangle of a bar."""
    low, high = bar.row - bar.height / 2, bar.row + bar.height / 2
    return np.array([(bar.begin, low), (bar.end, low), (bar.end, high), (bar.begin, high)])
