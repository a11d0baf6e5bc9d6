"""Frames of a day: one floor plan, or two side by side, at the same minute of the same day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, Patch, Rectangle
from numpy.typing import NDArray

from echo_env.lab.animation.floor import HEIGHT, WIDTH, Box, Floor, floor_of
from echo_env.lab.animation.moving import Moment, Person, Walks, most_waiting
from echo_env.lab.config import LabConfig
from echo_env.lab.config.lab import Lab
from echo_env.lab.plots.gantt_looks import room_names
from echo_env.lab.plots.style import type_labels, type_looks
from echo_env.lab.simulation.trace import Trace

DOTS_PER_INCH = 100
_MARKERS = "oDsPXvp*"
"""Of exam types, so that they can be told apart without colour."""
_STAFF_MARKER, _STAFF_COLOUR, _RIM = "^", "0.25", "black"
_MOST_NAMES = 12
"""Rooms whose names are written."""
_ABLE = "#e3ebf3"
"""Of rooms in which every exam can be done."""
_HIGH = {1: 0.62, 2: 0.56}
"""Number of floor plans side by side -> their height, in widths of the picture."""
_BELOW = 19.0
"""Height of the numbers below a floor plan, in its units."""
_IN_A_LINE = 6
"""Entries of the legend side by side."""


class FloorPlan:
    """One policy's day as a floor plan, whose persons move.

    :param ax: where to draw
    :param name: of the policy
    :param walks: everybody's way
    :param highest: points at which the bar of the penalty is full
    """

    def __init__(self, ax: Axes, name: str, walks: Walks, highest: float) -> None:
        self.ax = ax
        self.walks = walks
        self.shown: Moment | None = None
        self._highest = max(highest, 1.0)
        config = walks.trace.config
        self._colours = [look.colour for look in type_looks(config)]
        ax.set(xlim=(0, WIDTH), ylim=(-_BELOW, HEIGHT), xticks=[], yticks=[])
        ax.set_axis_off()
        ax.set_title(name, fontsize=11, weight="bold", pad=2)
        _draw_still(ax, config, walks.floor)
        area = _points_squared(ax, walks.floor.size)
        self._patients = [
            ax.scatter([], [], s=area, marker=_MARKERS[kind % len(_MARKERS)], zorder=3)
            for kind in range(len(self._colours))
        ]
        self._staff = ax.scatter([], [], s=area, marker=_STAFF_MARKER, zorder=4)
        self._bar = Rectangle((2, -13.5), 0, 3.2, facecolor="0.35", zorder=2)
        ax.add_patch(Rectangle((2, -13.5), WIDTH - 4, 3.2, facecolor="0.92", zorder=1))
        ax.add_patch(self._bar)
        self._waiting = ax.text(2, -9.2, "", fontsize=9.5, va="bottom")
        self._penalty = ax.text(WIDTH - 2, -9.2, "", fontsize=9.5, va="bottom", ha="right")

    @property
    def artists(self) -> list[Artist]:
        """Everything that moves, in the order in which it is drawn."""
        return [self._bar, *self._patients, self._staff, self._waiting, self._penalty]

    def show(self, minute: int) -> None:
        """Show a minute.

        :param minute: since opening
        """
        self.shown = moment = self.walks.at(minute)
        for kind, markers in enumerate(self._patients):
            _put(markers, [own for own in moment.patients if own.kind == kind], self._colours[kind], _RIM)
        _put(self._staff, moment.staff, _STAFF_COLOUR, "0.6")
        hollow = [to_rgba("white" if own.marked else _STAFF_COLOUR) for own in moment.staff]
        self._staff.set_facecolor(hollow)
        self._bar.set_width((WIDTH - 4) * moment.penalty / self._highest)
        self._waiting.set_text(f"waiting now: {moment.waiting}")
        self._penalty.set_text(f"penalty so far: {moment.penalty:,.0f} points")


class Film:
    """All frames of a day under one or two policies.

    :param traces: name of the policy -> its day; the same day of the same lab
    :param every_min: minutes of the day from one frame to the next
    :param width: pixels; two floor plans share it
    :raises ValueError: no day or more than two, or days of different luck
    """

    def __init__(self, traces: Mapping[str, Trace], every_min: int = 2, width: int = 800) -> None:
        first = next(iter(traces.values()), None)
        if first is None or len(traces) > 2:
            raise ValueError(f"an animation has one policy or two side by side, but {len(traces)} were given")
        if any(not np.array_equal(trace.day.arrival, first.day.arrival) for trace in traces.values()):
            raise ValueError("policies can be shown side by side on the same day only, but their days differ")
        self.config, self.every_min = first.config, every_min
        handles = _legend_handles(self.config, list(traces.values()))
        lines = -(-len(handles) // _IN_A_LINE)
        inches, share = width / DOTS_PER_INCH, 1 / len(traces)
        foot, head, plan = 0.14 + 0.2 * lines, 0.56, inches * _HIGH[len(traces)]
        # An even number of pixels, as videos need.
        high = 2 * round((foot + plan + head) * DOTS_PER_INCH / 2) / DOTS_PER_INCH
        figure = Figure(figsize=(inches, high), dpi=DOTS_PER_INCH)
        self._canvas = FigureCanvasAgg(figure)
        places = [(number * share + 0.008, foot / high, share - 0.016, plan / high) for number in range(len(traces))]
        flat = plan / (HEIGHT + _BELOW) / (inches * (share - 0.016) / WIDTH)
        floor = floor_of(self.config.plan, max(map(most_waiting, traces.values())), flat)
        highest = max(trace.penalty.total for trace in traces.values())
        self.plans = [
            FloorPlan(figure.add_axes(place), name, Walks(trace, floor), highest)
            for place, (name, trace) in zip(places, traces.items(), strict=True)
        ]
        self.legend = figure.legend(handles=handles, loc="lower center", ncols=_IN_A_LINE, fontsize=8, frameon=False,
                                    handletextpad=0.2, columnspacing=1.2, borderpad=0.1)  # fmt: skip
        middle, top = 0.5, 1 - 0.06 / high
        self.clock = figure.text(middle, top, "", fontsize=15, weight="bold", ha="center", va="top")
        figure.text(0.012, top, self.config.name, fontsize=10, va="top")
        self._moving: list[Artist] = [*(artist for plan in self.plans for artist in plan.artists), self.clock]
        for artist in self._moving:
            artist.set_animated(True)
        self._canvas.draw()
        self._still = self._canvas.copy_from_bbox(figure.bbox)

    @property
    def minutes(self) -> list[int]:
        """Minutes since opening that frames show: from opening on at equal distances, and the last one of the day."""
        last = self.config.hours.end_min - 1
        return [*range(0, last, self.every_min), last]

    def frame(self, minute: int) -> NDArray[np.uint8]:
        """All floor plans at the same minute.

        :param minute: since opening
        :return: (height, width, 3) uint8
        """
        self.clock.set_text(self.config.hours.clock(minute))
        self._canvas.restore_region(self._still)
        for plan in self.plans:
            plan.show(minute)
        for artist in self._moving:
            (artist.axes or self._canvas.figure).draw_artist(artist)
        return np.asarray(self._canvas.buffer_rgba())[..., :3].copy()

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        return map(self.frame, self.minutes)

    def __len__(self) -> int:
        return len(self.minutes)


def _draw_still(ax: Axes, config: Lab, floor: Floor) -> None:
    """The walls, and what things are called."""
    _wall(ax, floor.waiting, "0.97")
    x, y = floor.waiting.left + 1.5, floor.waiting.bottom + floor.waiting.height - 1.5
    ax.text(x, y, "waiting room", fontsize=8, va="top", color="0.3")
    names, group_of = room_names(config), config.plan.room_group
    everything = (1 << len(config.plan.types)) - 1
    for number, box in enumerate(floor.rooms):
        able = config.plan.room_groups[int(group_of[number])].can
        _wall(ax, box, _ABLE if able == everything else "white")
        if len(floor.rooms) <= _MOST_NAMES:
            ax.text(box.middle[0], box.bottom + box.height - 1.2, names[number], fontsize=7.5, va="top", ha="center",
                    color="0.3")  # fmt: skip
    staff = "sonographers" if isinstance(config, LabConfig) else "staff"
    for places, words in ((floor.at_work, f"free {staff}"), (floor.away, "not here, break")):
        ax.text(2, places[0][1], words.replace("free s", "free\ns").replace(", ", ",\n"), fontsize=7.5, va="center",
                color="0.3")  # fmt: skip
    between = (floor.at_work[0][1] + floor.away[0][1]) / 2
    ax.plot([2, WIDTH - 2], [between, between], color="0.85", linewidth=0.8)


def _wall(ax: Axes, box: Box, face: str) -> None:
    ax.add_patch(FancyBboxPatch((box.left, box.bottom), box.width, box.height, boxstyle="round,pad=0,rounding_size=1.2",
                                facecolor=face, edgecolor="0.55", linewidth=0.9, zorder=0))  # fmt: skip


def _put(markers: PathCollection, persons: list[Person], colour: str, rim: str) -> None:
    markers.set_offsets(np.array([own.place for own in persons]).reshape(-1, 2))
    markers.set_facecolor([to_rgba(colour, 0.35 if own.pale else 1.0) for own in persons])
    markers.set_edgecolor([to_rgba(rim if own.marked else "white") for own in persons])
    markers.set_linewidth([1.3 if own.marked else 0.5 for own in persons])


def _points_squared(ax: Axes, size: float) -> float:
    """Area of a marker of a given diameter in units of the floor plan, for ``scatter``."""
    pixels = ax.get_window_extent().width * size / WIDTH
    return float((pixels * 72 / ax.figure.dpi) ** 2)


def _legend_handles(config: Lab, traces: list[Trace]) -> list[Artist]:
    """What the days show: types that have patients, and states that occur."""
    day, plan = traces[0].day, config.plan
    looks, names = type_looks(config), type_labels(config)
    kinds = sorted(set(day.exam_type[day.arrival >= 0].tolist()))
    handles: list[Artist] = [_mark(_MARKERS[k % len(_MARKERS)], looks[k].colour, f"{names[k]} patient") for k in kinds]
    persons = [own for trace in traces for own in _everybody(trace)]
    if any(own.marked for own in persons):
        handles.append(_mark("o", "white", "late: black rim", _RIM))
    if any(own.pale for own in persons):
        handles.append(_mark("o", "0.8", "pale: not ready yet"))
    staff = "sonographer" if isinstance(config, LabConfig) else "member of staff"
    handles.append(_mark(_STAFF_MARKER, _STAFF_COLOUR, staff))
    on_duty = (plan.duty_from <= 0) & (plan.duty_until >= config.hours.end_min)
    if not (day.present & on_duty).all():
        handles.append(_mark(_STAFF_MARKER, "white", "absent or off duty", "0.6"))
    able = {group.can == (1 << len(plan.types)) - 1 for group in plan.room_groups}
    if len(able) == 2:
        handles.append(Patch(facecolor=_ABLE, edgecolor="0.55", label="room for all exams"))
    return handles


def _mark(marker: str, colour: str, label: str, rim: str = "white") -> Line2D:
    return Line2D([], [], linestyle="", marker=marker, color=colour, markeredgecolor=rim, label=label, markersize=7,
                  markeredgewidth=1.3)  # fmt: skip


def _everybody(trace: Trace) -> Iterator[Person]:
    """Patients of a day at each minute in which the marks of one can change."""
    walks = Walks(trace, floor_of(trace.config.plan, most_waiting(trace)))
    for minute in sorted(set(trace.day.arrival[trace.day.arrival >= 0].tolist())):
        if minute < trace.config.hours.end_min:
            yield from walks.at(minute).patients
