"""Policies by number of patients (figure 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from echo_env.common.figures import axes_or_new, band_alpha, legend, name_axes, policy_line

if TYPE_CHECKING:
    from echo_env.pathways.evaluation.comparison import Comparison

Floats = NDArray[np.float64]

BANDS = {"interval": "95 % interval of the mean", "sd": "one standard deviation over draws"}
"""Kind of band -> its description in the title."""

_MOST_TICKS = 12


def utility_by_patients(comparison: Comparison, resources: int, ax: Axes | None = None, band: str = "interval") -> Axes:
    """Mean utility of each policy (figure 2 of the paper, which has standard deviations).

    :param comparison: the comparison
    :param resources: number of resources
    :param ax: axes to draw on; new ones by default
    :param band: ``interval`` or ``sd``
    :raises ValueError: no such band
    """
    if band not in BANDS:
        raise ValueError(f"band is {band!r}, but must be one of {', '.join(BANDS)}")
    ax = axes_or_new(ax)
    sizes = [size for size in comparison.values if size.resources == resources]
    patients = [size.patients for size in sizes]
    for number, name in enumerate(comparison.policies):
        means = [comparison.mean(size, name, "utility") for size in sizes]
        if band == "sd":
            half = [comparison.sd(size, name, "utility") for size in sizes]
        else:
            half = [mean.half_width for mean in means]
        _curve(ax, patients, [mean.mean for mean in means], half, number, len(comparison.policies), name)
    title = f"{resources} resources; {_draws(comparison)}, band: {BANDS[band]}"
    name_axes(ax, title, "Patients (number)", "Utility (mean success, 0 to 1)")
    return _finish(ax, patients)


def advantage_by_patients(comparison: Comparison, resources: int, ax: Axes | None = None) -> Axes:
    """Paired differences in utility, the reference minus each other policy, with 95 % bands; above 0 it is better.

    :param comparison: a comparison of at least two policies
    :param resources: number of resources
    :param ax: axes to draw on; new ones by default
    """
    ax = axes_or_new(ax)
    sizes = [size for size in comparison.values if size.resources == resources]
    patients = [size.patients for size in sizes]
    for number, name in enumerate(comparison.policies):
        if name == comparison.reference:
            continue
        own = [comparison.advantage(size, name, "utility") for size in sizes]
        means, half = [value.mean for value in own], [value.half_width for value in own]
        label = f"{comparison.reference} minus {name}"
        _curve(ax, patients, means, half, number, len(comparison.policies), label)
    ax.axhline(0, color="0.3", linewidth=1)
    title = f"{resources} resources; {_draws(comparison)}, common random numbers, 95 % band"
    name_axes(ax, title, "Patients (number)", "Difference in utility (success, 0 to 1)")
    return _finish(ax, patients)


def _curve(
    ax: Axes, x: list[int], means: list[float], halves: list[float], number: int, policies: int, label: str
) -> None:
    style = policy_line(number)
    mean, half = np.array(means), np.array(halves)
    ax.plot(x, mean, label=label, linewidth=1.4, **style)
    ax.fill_between(x, mean - half, mean + half, color=style["color"], alpha=band_alpha(policies), linewidth=0)


def _draws(comparison: Comparison) -> str:
    draws, trials = comparison.shape
    return f"{draws:,} draw{'s' if draws > 1 else ''} of {trials:,} trial{'s' if trials > 1 else ''}"


def _finish(ax: Axes, patients: list[int]) -> Axes:
    if len(patients) <= _MOST_TICKS:
        ax.set_xticks(patients)
    else:
        ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    legend(ax)
    return ax
