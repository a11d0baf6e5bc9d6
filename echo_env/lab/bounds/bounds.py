"""Lower bounds on the penalty of a day: how much better could any policy be?

``clairvoyant``, a bound for each day. It grants a planner everything: who comes and when, how long each exam takes,
who is absent, and which breaks follow which exam. No policy pays less on that day, whatever it knows, because the
bound is the value of a relaxation of the day's best plan: every plan that can be carried out is allowed and costs
what the lab charges or less, and prices of at least 0 on the limits that it keeps can only lower its cost
(Lagrangian relaxation of the time-indexed model, the limits being one exam a patient, the fetal-capable rooms and the
rooms; see :mod:`~echo_env.lab.bounds.paths`). That holds at any prices; good ones are found by a deflected subgradient
method. Minutes are whole ones as in the lab, so nothing is rounded; breaks are taken when they are due.

``lengths_unknown``, a bound for the mean over days. It grants the same but for the lengths of exams: see
:mod:`~echo_env.lab.bounds.lengths`. On a single day it may lie above what was paid; its mean is a lower bound on the
mean penalty of every policy that does not know how long an exam will take before it is over.

Both are loose. Nobody knows what the clairvoyant planner knows: it serves short exams first, and lets a room wait for
a patient only if that patient will come. The second still grants every arrival. And within the relaxation a
patient may be examined by fractions, twice in one sonographer's day and not at all in another's, and a patient who
is not fetal may change rooms. The idle term of ``while_waiting`` is left out, so under that rule the bound is one on
the waiting part; and under ``every_pair``, where there are more sonographers than rooms, breaks are credited as if
part of each fell on a pair. How much of the gap to a bound anybody could close is therefore not known.

Sources: J. M. van den Akker, J. A. Hoogeveen and S. L. van de Velde, "Parallel machine scheduling by column
generation" (1999), for the decomposition; P. M. Camerini, L. Fratta and F. Maffioli, "On improving relaxation methods
by modified gradient techniques" (1975), for the method; D. B. Brown, J. E. Smith and P. Sun, "Information relaxations
and duality in stochastic dynamic programs" (2010), for the second bound.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.bounds.ascent import ascend, reachable
from echo_env.lab.config import LabConfig
from echo_env.lab.day import Day, sample_days

Floats = NDArray[np.float64]

STEPS = 1000
"""Price changes for a bound; more would raise it by about a thousandth."""


class Bounds(NamedTuple):
    """Lower bounds of some days, penalty points.

    :param clairvoyant: (days,) float64; on each day no policy pays less
    :param lengths_unknown: (days,) float64; the mean bounds the mean penalty of every policy that does not know the
        exam durations in advance
    """

    clairvoyant: Floats
    lengths_unknown: Floats


def check_bounds_possible() -> None:
    """Refuse to begin without a compiler.

    :raises ValueError: numba is missing
    """
    if importlib.util.find_spec("numba") is None:
        raise ValueError("bounds need the compiled engine, but numba is missing: pip install 'echo-lab-rl[fast]'")


def clairvoyant_bound(config: LabConfig, day: Day, steps: int = STEPS) -> float:
    """What even a policy that knew all of this day in advance would pay at least.

    :param config: the lab
    :param day: its luck
    :param steps: price changes; fewer are faster, and the bound is lower
    :return: penalty points; in float64, exact to about a millionth
    :raises ValueError: numba is missing
    """
    check_bounds_possible()
    from echo_env.lab.bounds.paths import PathProblem

    target = reachable(config, day).penalty.total
    return max(ascend(PathProblem(config, day), target, steps).value, 0.0) if target else 0.0


def day_bounds(config: LabConfig, day: Day, steps: int = STEPS) -> tuple[float, float]:
    """Both bounds of a day, clairvoyant and with unknown exam durations: see :class:`Bounds`.

    :param config: the lab
    :param day: its luck
    :param steps: as for :func:`clairvoyant_bound`
    :return: penalty points
    :raises ValueError: numba is missing
    """
    clairvoyant = clairvoyant_bound(config, day, steps)
    from echo_env.lab.bounds.lengths import lengths_charge
    from echo_env.lab.bounds.paths import PathProblem

    problem = PathProblem(config, day)
    charge = lengths_charge(config, day)
    if not charge.any():
        return clairvoyant, clairvoyant
    problem.gain += charge
    trace = reachable(config, day)
    # Row of each patient among those who come.
    row = np.cumsum(day.arrival >= 0) - 1
    charged = sum(charge[row[exam.patient], exam.start_min] for exam in trace.exams)
    return clairvoyant, ascend(problem, trace.penalty.total + charged, steps).value


def find_bounds(
    config: LabConfig, days: int, seed: int, progress: Callable[[int], None] | None = None, steps: int = STEPS
) -> Bounds:
    """Bounds of the first days of a seed, the same days that policies are compared on.

    :param config: the lab
    :param days: how many, at least 1
    :param seed: which days
    :param progress: called with 1 after each day
    :param steps: as for :func:`clairvoyant_bound`
    :raises ValueError: no day, or numba is missing
    """
    if days < 1:
        raise ValueError(f"days of bounds is {days}, but must be at least 1")
    rows = []
    for day in sample_days(config, days, seed):
        rows.append(day_bounds(config, day, steps))
        if progress:
            progress(1)
    return Bounds(*np.array(rows, dtype=np.float64).T)
