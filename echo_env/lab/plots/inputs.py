"""What a lab is made of: its appointments, its laws of arrival and exam length (figures 1 to 3a)."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from echo_env.lab.config import ExamLaw, LabConfig
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import REBOOKED, Day, Days
from echo_env.lab.day.book import appointment_book
from echo_env.lab.day.day import whole_minutes
from echo_env.lab.day.laws import duration_density, offset_probability
from echo_env.lab.plots.style import (
    BLUE,
    VERMILLION,
    Look,
    axes_or_new,
    clock_axis,
    name_axes,
    type_labels,
    type_looks,
)

_HOUR = 60
_BIN_MIN = 2


def appointment_schedule(config: Lab, ax: Axes | None = None) -> Axes:
    """Appointments by time of day and exam type (figure 1).

    :param config: the lab
    :param ax: where to draw
    """
    ax = axes_or_new(ax, 8, 3)
    looks, labels = type_looks(config), type_labels(config)
    bottom: dict[int, int] = {}
    for k, kind in reversed(list(enumerate(config.plan.types))):
        times = [time for time in kind.scheduled if time is not None]
        if kind.unscheduled and not times:
            continue
        at, count = np.unique(np.array(times, dtype=np.int64), return_counts=True)
        base = [bottom.get(minute, 0) for minute in at.tolist()]
        ax.bar(at, count, width=9, bottom=base, label=f"{labels[k]} ({len(times)})", **_area(looks[k]))
        bottom |= {minute: low + n for minute, low, n in zip(at.tolist(), base, count.tolist(), strict=True)}
    name_axes(ax, f"Appointments of a day: {config.name}", "", "Appointments (number)")
    clock_axis(ax, config.hours, every_min=60)
    ax.set_xlim(-10, config.hours.end_min)
    most = max(bottom.values(), default=1)
    ax.set_yticks(range(0, most + 1, -(-most // 10)))
    ax.set_ylim(0, most * 1.35)
    several = len(labels) > 2
    ax.legend(loc="upper right", ncols=4 if several else 2, fontsize=8, reverse=several)
    return ax


def unscheduled_by_hour(config: Lab, ax: Axes | None = None) -> Axes:
    """Expected patients without an appointment by hour and exam type.

    :param config: the lab
    :param ax: where to draw
    """
    ax = axes_or_new(ax, 8, 3)
    looks, labels = type_looks(config), type_labels(config)
    bottom: dict[int, float] = {}
    for k, kind in enumerate(config.plan.types):
        if kind.unscheduled:
            begins, numbers = zip(*kind.unscheduled, strict=True)
            base = [bottom.get(minute, 0.0) for minute in begins]
            label = f"{labels[k]} ({sum(numbers):g} a day)"
            ax.bar(begins, numbers, width=_HOUR - 4, align="edge", bottom=base, label=label, **_area(looks[k]))
            bottom |= {minute: low + n for minute, low, n in zip(begins, base, numbers, strict=True)}
    name_axes(ax, f"Patients without an appointment: {config.name}", "", "Expected patients (number an hour)")
    clock_axis(ax, config.hours, every_min=60)
    ax.set_ylim(0, max(bottom.values(), default=1) * 1.35)
    if bottom:
        ax.legend(loc="upper right", ncols=4, fontsize=8)
    return ax


def arrival_offsets(config: Lab, days: Days, ax: Axes | None = None) -> Axes:
    """How far from their expected check-in patients come, as drawn and by law, by whole minute (figure 2a).

    Drawn are those who were let in: one who would come before opening counts as coming at opening, and
    those turned away after closing are left out, so that the two differ there by a little. Where exam types have laws
    of their own, the law is their mixture. Patients without an appointment have no place in it.

    :param config: the lab
    :param days: days of it
    :param ax: where to draw
    """
    ax = axes_or_new(ax, 6, 3.6)
    book, types = appointment_book(config.plan), config.plan.types
    booked = ~book.unscheduled
    lead = np.array([kind.check_in_lead_min for kind in types])[book.exam_type[booked]]
    arrival = days.arrival[:, booked]
    offset = (arrival - (book.scheduled[booked] - lead))[arrival >= 0]
    low, high = min(-30, int(offset.min(initial=0))), max(60, int(np.quantile(offset, 0.999)) if offset.size else 60)
    edges = np.arange(low - 0.5, high + 1)
    minutes = np.arange(low, high + 1)
    # By type, those who come: whole minutes are rounded up, so minute k stands for (k - 1, k].
    coming = np.bincount(book.exam_type[booked], minlength=len(types)).astype(np.float64)
    coming *= [1 - kind.arrival.no_show_rate for kind in types]
    absent = 100 * (1 - coming.sum() / max(booked.sum(), 1))
    laws = [np.diff(offset_probability(kind.arrival, np.arange(low - 1, high + 1))) for kind in types]
    law = coming @ np.array(laws) / max(coming.sum(), 1e-9)
    share = np.full(offset.shape, 100 / max(len(offset), 1))
    ax.hist(offset, bins=edges.tolist(), weights=share, color="0.75", label=f"drawn: {len(offset):,} patients")
    # What was seen has gaps between minutes, through which no line should go.
    seen = any(kind.arrival.model == "empirical" for kind in types)
    style = {"linestyle": "none", "marker": "."} if seen else {"linewidth": 1.5}
    shown = law > 0 if seen else np.full(law.shape, True)
    several = len({kind.arrival for kind, number in zip(types, coming, strict=True) if number}) > 1
    label = "laws of the exam types, mixed" if several else "law"
    ax.plot(minutes[shown], 100 * law[shown], color=BLUE, label=label, **style)
    for margin in sorted({kind.arrival.on_time_margin_min for kind in types}):
        for edge in (-margin, margin):
            words = f"on time: within {margin} minutes" if edge > 0 else None
            ax.axvline(edge, color=VERMILLION, linewidth=1, linestyle=":", label=words)
    due = "expected check-in" if lead.any() else "appointment"
    name_axes(ax, f"Arrival of patients who come ({absent:.3g} % do not): {config.name}",
              f"Arrival minus {due} (minutes)", "Patients (% per minute)")  # fmt: skip
    ax.legend(fontsize=8)
    return ax


def exam_durations(config: Lab, days: Days, ax: Axes | None = None) -> Axes:
    """How long exams take, as drawn and by law (figure 3a).

    :param config: the lab
    :param days: days of it
    :param ax: where to draw
    """
    ax = axes_or_new(ax, 6, 3.6)
    drawn, shares = _drawn_exams(days), _exam_laws(config)
    low = min(law.shortest_min for law in shares)
    mean_of_law = sum(share * law.mean_min for law, share in shares.items())
    high = min(max(law.longest_min for law in shares), max(float(drawn.max(initial=0)), 2 * mean_of_law))
    # Minute k stands for (k - 1, k]; bins of whole minutes hold equally many.
    edges = np.arange(np.floor(low), np.ceil(high) + _BIN_MIN, _BIN_MIN)
    share = 100 / max(len(drawn), 1) / _BIN_MIN
    count, _ = np.histogram(drawn - 0.5, edges)
    ax.stairs(count * share, edges, fill=True, color="0.75", label=f"drawn: {len(drawn):,} exams")
    grid = np.linspace(low, high, 400)
    density = sum((share * duration_density(law, grid) for law, share in shares.items()), np.zeros_like(grid))
    mixed = "laws of fetal and non-fetal exams, mixed" if isinstance(config, LabConfig) else None
    label = "law" if len(shares) == 1 else mixed or "laws of the exam types, mixed"
    ax.plot(grid, 100 * density, color=BLUE, linewidth=1.5, label=label)
    mean = float(drawn.mean()) if len(drawn) else mean_of_law
    ax.axvline(mean, color=VERMILLION, linewidth=1, linestyle=":", label=f"mean drawn: {mean:.1f} minutes")
    name_axes(ax, f"Length of exams: {config.name}", "Length of exam (minutes)", "Exams (% per minute)")
    ax.legend(fontsize=8)
    return ax


def _drawn_exams(days: Days) -> NDArray[np.float64]:
    """Lengths of the exams of everybody with an appointment, and of those without who came."""
    there = (days.arrival >= 0) | ~np.broadcast_to(days.unscheduled, days.arrival.shape)
    return whole_minutes(days.exam_min[there]).astype(np.float64)


def _exam_laws(config: Lab) -> dict[ExamLaw, float]:
    """Laws of exams -> the share of the expected patients that follow each."""
    numbers = {k: sum(time is not None for time in kind.scheduled) + sum(mean for _, mean in kind.unscheduled)
               for k, kind in enumerate(config.plan.types)}  # fmt: skip
    shares: dict[ExamLaw, float] = {}
    for k, kind in enumerate(config.plan.types):
        if numbers[k]:
            shares[kind.exam] = shares.get(kind.exam, 0.0) + numbers[k] / sum(numbers.values())
    return shares


def arrivals_of_a_day(config: Lab, day: Day, ax: Axes | None = None) -> Axes:
    """One day: patients who have come so far, beside those whose appointment has passed (figure 2b).

    :param config: the lab
    :param day: a day of it
    :param ax: where to draw
    """
    ax = axes_or_new(ax, 7, 3.6)
    minutes = np.arange(config.hours.end_min + 1)
    looks, labels = type_looks(config), type_labels(config)
    for k in reversed(range(len(labels))):
        kind = day.exam_type == k
        due = np.sort(day.scheduled[kind & ~day.unscheduled & (day.arrival != REBOOKED)])
        came = np.sort(day.arrival[kind & (day.arrival >= 0)])
        colour = looks[k].colour
        if len(due):
            ax.step(minutes, np.searchsorted(due, minutes, "right"), where="post", color=colour, linewidth=1,
                    linestyle=":", label=f"{labels[k]}: appointments ({len(due)})")  # fmt: skip
        ax.step(minutes, np.searchsorted(came, minutes, "right"), where="post", linewidth=2, markevery=60,
                label=f"{labels[k]}: arrived ({len(came)})", **_step(config, looks[k]))  # fmt: skip
    name_axes(ax, f"Arrivals of one day: {config.name}", "", "Patients so far (number)")
    clock_axis(ax, config.hours)
    ax.set_ylim(bottom=0)
    ax.legend(fontsize=8, reverse=len(labels) > 2)
    return ax


def _step(config: Lab, look: Look) -> dict[str, Any]:
    """A line of steps; many of them have markers as well."""
    marker = look.marker if len(config.plan.types) > 2 else ""
    return {"color": look.colour, "linestyle": look.dashes, "marker": marker, "markersize": 5}


def _area(look: Look) -> dict[str, Any]:
    """As a bar, for matplotlib."""
    return {"color": look.colour, "hatch": look.hatch or None, "edgecolor": "white"}
