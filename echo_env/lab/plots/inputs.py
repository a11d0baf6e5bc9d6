"""What a lab is made of: its appointments, its laws of arrival and exam length, its resources (figures 1 to 3)."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from echo_env.lab.config import ExamLaw, LabConfig
from echo_env.lab.day import Day, Days
from echo_env.lab.day.laws import duration_density, offset_probability
from echo_env.lab.plots.style import BLUE, VERMILLION, axes_or_new, clock_axis, kind_line, name_axes


def appointment_schedule(config: LabConfig, ax: Axes | None = None) -> Axes:
    """Appointments by time of day, fetal and non-fetal (figure 1).

    :param config: the lab
    :param ax: where to draw
    """
    ax = axes_or_new(ax, 8, 3)
    book = config.appointments
    bottom: dict[int, int] = {}
    for fetal, times in ((False, book.times("non_fetal")), (True, book.times("fetal"))):
        at, count = np.unique(np.array(times, dtype=np.int64), return_counts=True)
        colour = kind_line(fetal)["color"]
        label = f"{'fetal' if fetal else 'non-fetal'} ({len(times)})"
        base = [bottom.get(minute, 0) for minute in at.tolist()]
        ax.bar(at, count, width=9, bottom=base, color=colour, hatch="//" if fetal else None, edgecolor="white",
               label=label)  # fmt: skip
        bottom |= {minute: low + n for minute, low, n in zip(at.tolist(), base, count.tolist(), strict=True)}
    name_axes(ax, f"Appointments of a day: {config.name}", "", "Appointments (number)")
    clock_axis(ax, config.hours, every_min=60)
    ax.set_xlim(-10, config.hours.end_min)
    ax.set_yticks(range(max(bottom.values()) + 1))
    ax.set_ylim(0, max(bottom.values()) * 1.35)
    ax.legend(loc="upper right", ncols=2, fontsize=8)
    return ax


def arrival_offsets(config: LabConfig, days: Days, ax: Axes | None = None) -> Axes:
    """How far from their appointments patients come, as drawn and by law, by whole minute (figure 2a).

    Drawn are those who were let in: one who would come before opening counts as coming at opening, and
    those turned away after closing are left out, so that the two differ there by a little.

    :param config: the lab
    :param days: days of it
    :param ax: where to draw
    """
    ax = axes_or_new(ax, 6, 3.6)
    offset = (days.arrival - days.scheduled)[days.arrival >= 0]
    low, high = min(-30, int(offset.min(initial=0))), max(60, int(np.quantile(offset, 0.999)) if offset.size else 60)
    edges = np.arange(low - 0.5, high + 1)
    minutes = np.arange(low, high + 1)
    # Whole minutes are rounded up: minute k stands for (k - 1, k].
    law = np.diff(offset_probability(config.arrival, np.arange(low - 1, high + 1)))
    share = np.full(offset.shape, 100 / max(len(offset), 1))
    ax.hist(offset, bins=edges.tolist(), weights=share, color="0.75", label=f"drawn: {len(offset):,} patients")
    # What was seen has gaps between minutes, through which no line should go.
    seen = config.arrival.model == "empirical"
    style = {"linestyle": "none", "marker": "."} if seen else {"linewidth": 1.5}
    shown = law > 0 if seen else np.full(law.shape, True)
    ax.plot(minutes[shown], 100 * law[shown], color=BLUE, label="law", **style)
    margin = config.arrival.on_time_margin_min
    for edge in (-margin, margin):
        label = f"on time: within {margin} minutes" if edge > 0 else None
        ax.axvline(edge, color=VERMILLION, linewidth=1, linestyle=":", label=label)
    absent = 100 * config.arrival.no_show_rate
    name_axes(ax, f"Arrival of patients who come ({absent:g} % do not): {config.name}",
              "Arrival minus appointment (minutes)", "Patients (% per minute)")  # fmt: skip
    ax.legend(fontsize=8)
    return ax


def exam_durations(config: LabConfig, days: Days, ax: Axes | None = None) -> Axes:
    """How long exams take, as drawn and by law (figure 3a).

    :param config: the lab
    :param days: days of it
    :param ax: where to draw
    """
    ax = axes_or_new(ax, 6, 3.6)
    drawn, shares = days.exam_min.ravel(), _exam_laws(config)
    low = min(law.shortest_min for law in shares)
    mean_of_law = sum(share * law.mean_min for law, share in shares.items())
    high = min(max(law.longest_min for law in shares), max(float(drawn.max(initial=0)), 2 * mean_of_law))
    edges = np.append(np.arange(low, high, 2.5), high)
    share = 100 / max(len(drawn), 1) / np.diff(edges)
    count, _ = np.histogram(drawn, edges)
    ax.stairs(count * share, edges, fill=True, color="0.75", label=f"drawn: {len(drawn):,} exams")
    grid = np.linspace(low, high, 400)
    density = sum((share * duration_density(law, grid) for law, share in shares.items()), np.zeros_like(grid))
    label = "law" if len(shares) == 1 else "laws of fetal and non-fetal exams, mixed"
    ax.plot(grid, 100 * density, color=BLUE, linewidth=1.5, label=label)
    mean = float(drawn.mean()) if len(drawn) else mean_of_law
    ax.axvline(mean, color=VERMILLION, linewidth=1, linestyle=":", label=f"mean drawn: {mean:.1f} minutes")
    name_axes(ax, f"Length of exams: {config.name}", "Length of exam (minutes)", "Exams (% per minute)")
    ax.legend(fontsize=8)
    return ax


def _exam_laws(config: LabConfig) -> dict[ExamLaw, float]:
    """Laws of exams -> the share of the appointments that follow each."""
    book, law = config.appointments, config.exam
    fetal = len(book.times("fetal")) / len(book)
    if law.fetal is None or fetal in (0, 1):
        return {law.law_of(fetal=fetal > 0): 1.0}
    return {law: 1 - fetal, law.fetal: fetal}


def arrivals_of_a_day(config: LabConfig, day: Day, ax: Axes | None = None) -> Axes:
    """One day: patients who have come so far, beside those whose appointment has passed (figure 2b).

    :param config: the lab
    :param day: a day of it
    :param ax: where to draw
    """
    ax = axes_or_new(ax, 7, 3.6)
    minutes = np.arange(config.hours.end_min + 1)
    for fetal in (False, True):
        kind = day.fetal == fetal
        due, came = np.sort(day.scheduled[kind]), np.sort(day.arrival[kind & (day.arrival >= 0)])
        style, word = kind_line(fetal), "fetal" if fetal else "non-fetal"
        ax.step(minutes, np.searchsorted(due, minutes, "right"), where="post", color=style["color"], linewidth=1,
                linestyle=":", label=f"{word}: appointments ({len(due)})")  # fmt: skip
        ax.step(minutes, np.searchsorted(came, minutes, "right"), where="post", color=style["color"], linewidth=2,
                linestyle=style["linestyle"], label=f"{word}: arrived ({len(came)})")  # fmt: skip
    name_axes(ax, f"Arrivals of one day: {config.name}", "", "Patients so far (number)")
    clock_axis(ax, config.hours)
    ax.set_ylim(bottom=0)
    ax.legend(fontsize=8)
    return ax


def resources(config: LabConfig, ax: Axes | None = None) -> Axes:
    """Rooms and sonographers of each kind (figure 3b).

    :param config: the lab
    :param ax: where to draw
    """
    ax = axes_or_new(ax, 4.5, 3.6)
    left = np.zeros(2)
    for fetal in (True, False):
        kind = "fetal" if fetal else "non_fetal"
        count = np.array([getattr(config.rooms, kind), getattr(config.sonographers, kind)])
        label = "fetal and non-fetal exams" if fetal else "non-fetal exams only"
        bars = ax.bar(range(2), count, bottom=left, width=0.5, color=kind_line(fetal)["color"], edgecolor="white",
                      hatch="//" if fetal else None, label=label)  # fmt: skip
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        ax.bar_label(bars, labels=[str(n) if n else "" for n in count], label_type="center", bbox=box)
        left = left + count
    name_axes(ax, f"Resources: {config.name}", "Resource (kind)", "How many there are (number)")
    ax.set_xticks(range(2), ["rooms", "sonographers"])
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_ylim(0, left.max() * 1.35)
    ax.legend(fontsize=8, loc="upper center", ncols=1)
    return ax
