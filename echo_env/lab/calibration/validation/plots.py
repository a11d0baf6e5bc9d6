"""Figures of a validation: seen against simulated (needs matplotlib)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from echo_env.common.figures import BLACK, BLUE, ORANGE, VERMILLION, axes_or_new, band_alpha, name_axes
from echo_env.common.stats import estimate
from echo_env.lab.calibration.validation.exams import Exams, Sums, under_way, words_of
from echo_env.lab.config.clock import clock_text

if TYPE_CHECKING:
    from echo_env.lab.calibration.validation.validation import Validation

_HOUR = 60
_COLOURS = (VERMILLION, BLUE, ORANGE, BLACK)
_MARKERS = ("D", "o", "s", "^")
_DRAWS = 500
_FEWEST = 3


def exams_by_time(found: Validation, ax: Axes | None = None) -> Axes:
    """Exams under way by time of day: mean of the recorded days that are complete, all if none is, and of simulated
    days, with the interval in which means over as many simulated days lie.

    :param found: the validation
    :param ax: axes to draw on; new ones by default
    """
    ax = axes_or_new(ax, 7, 3.8)
    complete = found.recorded.complete if found.recorded.complete.any() else np.full(found.recorded.days, True)
    seen, simulated = under_way(found.recorded)[complete], under_way(found.simulated)
    low, high = np.quantile(_means(simulated, len(seen), found.seed), [0.025, 0.975], axis=0)
    minutes = np.arange(simulated.shape[1])
    days = "1 day" if len(seen) == 1 else f"{len(seen)} days"
    label = f"simulated: mean, and 95 % of means of {days}"
    ax.fill_between(minutes, low, high, color=BLUE, alpha=band_alpha(1), linewidth=0)
    ax.plot(minutes, simulated.mean(axis=0), color=BLUE, label=label)
    ax.plot(minutes, seen.mean(axis=0), color=BLACK, linestyle="--", label=f"recorded: mean of {days}")
    name_axes(ax, f"{found.lab}: exams under way", "", "Exams under way (number)")
    _clock(ax, np.flatnonzero((high > 0) | (seen.mean(axis=0) > 0)))
    ax.legend(fontsize=8)
    return ax


def waits_by_hour(found: Validation, ax: Axes | None = None) -> Axes:
    """Mean wait from check-in by the hour in which it begins: recorded and simulated, with 95 % intervals.

    :param found: the validation
    :param ax: axes to draw on; new ones by default
    """
    ax = axes_or_new(ax, 7, 3.8)
    hours = np.array([], dtype=np.int64)
    looks = (("simulated", found.simulated, BLUE, "-", 8), ("recorded", found.recorded, BLACK, "", -8))
    for name, exams, colour, line, shift in looks:
        at, means = by_hour(exams)
        hours = at if name == "recorded" else hours
        middle = at * _HOUR + _HOUR / 2 + shift
        error = np.array([means[:, 0] - means[:, 1], means[:, 2] - means[:, 0]])
        error = np.nan_to_num(np.maximum(error, 0))
        ax.errorbar(
            middle, means[:, 0], error, label=name, color=colour, linestyle=line, marker="o", markersize=4, capsize=3
        )
    title = f"{found.lab}: wait from check-in, or expected check-in if later, with 95 % intervals"
    name_axes(ax, title, "", "Mean wait (minutes)")
    _clock(ax, hours * _HOUR, hours * _HOUR + _HOUR)
    ax.legend(fontsize=8)
    return ax


def replay_scatter(found: Validation, ax: Axes | None = None) -> Axes:
    """Waits of the recorded days played again against those seen, an exam a point.

    :param found: the validation
    :param ax: axes to draw on; new ones by default
    """
    ax = axes_or_new(ax, 5, 5)
    rows = found.replayed.dropna(subset=["simulated_begin"])
    for number, (name, own) in enumerate(rows.groupby("type", sort=True)):
        seen, simulated = (
            (own[column] - own["waits_from"]).astype(float) for column in ("seen_begin", "simulated_begin")
        )
        colour, marker = _COLOURS[number % len(_COLOURS)], _MARKERS[number % len(_MARKERS)]
        label = f"{words_of(str(name))} ({len(own)})"
        ax.scatter(seen, simulated, s=16, alpha=0.7, label=label, color=colour, marker=marker)
    low, high = ax.get_xlim()[0], max(ax.get_xlim()[1], ax.get_ylim()[1])
    low = min(low, ax.get_ylim()[0])
    ax.plot([low, high], [low, high], color="0.5", linewidth=1, zorder=0, label="simulated as seen")
    ax.set_xlim(low, high)
    ax.set_ylim(low, high)
    ax.set_aspect("equal")
    every = found.fits[0].every
    correlation = "" if np.isnan(every.correlation) else f", correlation {every.correlation:+.2f}"
    title = f"{found.lab}: recorded days played again{correlation}"
    name_axes(ax, title, "Wait seen (minutes)", "Wait simulated (minutes)")
    ax.legend(fontsize=8)
    return ax


def _means(days: np.ndarray, size: int, seed: int) -> np.ndarray:
    """(draws, minutes) means over so many days each."""
    rng = np.random.default_rng(seed)
    return np.array([days[rng.integers(len(days), size=size)].mean(axis=0) for _ in range(_DRAWS)])


def by_hour(exams: Exams) -> tuple[np.ndarray, np.ndarray]:
    """Mean wait from check-in by the hour in which it begins.

    :param exams: of recorded or simulated days
    :return: (h,) hours after midnight, and (h, 3) means with their intervals
    """
    known = ~np.isnan(exams.wait)
    hour, day, wait = exams.waits_from[known] // _HOUR, exams.day[known], exams.wait[known]
    hours = np.unique(hour).astype(np.int64)
    means = []
    for one in hours:
        own = hour == one
        sums = Sums(np.bincount(day[own], wait[own]), np.bincount(day[own]).astype(np.float64))
        mean = sums.mean() if sums.known.total.size > 1 else estimate(wait[own])
        # Intervals from one or two values would hide all others.
        means.append((mean.mean, *(mean[1:3] if own.sum() >= _FEWEST else (mean.mean, mean.mean))))
    return hours, np.array(means)


def _clock(ax: Axes, first: np.ndarray, last: np.ndarray | None = None) -> None:
    """Clock times on the x axis, from the first minute of interest to the last."""
    low, high = int(first.min()), int((first if last is None else last).max())
    ticks = np.arange(low // _HOUR * _HOUR, high + _HOUR, 2 * _HOUR)
    ax.set_xticks(ticks, [clock_text(tick % 1440) for tick in ticks.tolist()])
    ax.set_xlim(low - 15, high + 15)
    ax.set_xlabel("Time of day (hh:mm)")
