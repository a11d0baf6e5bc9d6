"""Lower bounds on the penalty of any policy: how much better could a policy be?

``clairvoyant``, a bound for each day. The planner has perfect information: all arrivals, exam lengths, absences and
breaks. No policy pays less on that day, because the bound is the value of a relaxation of the day's best plan: every
feasible plan is feasible in it and costs at most what the lab charges, and nonnegative prices on the relaxed limits
can only lower that cost (Lagrangian relaxation of the time-indexed model; the limits are one exam a patient, the
fetal-capable rooms, and all rooms; see :mod:`~echo_env.lab.bounds.paths`). This holds at any prices; good ones are
found by a deflected subgradient method. Time is in whole minutes as in the lab, so nothing is rounded; breaks are
taken when they are due.

``lengths_unknown``, a bound on the mean over days. The planner knows all but the exam lengths: see
:mod:`~echo_env.lab.bounds.lengths`. On a single day it may exceed the penalty paid; its mean is a lower bound on the
mean penalty of every policy that does not know the length of an exam before it ends.

``attached``, likewise a bound on the mean. The planner of a day whose exam lengths belong to sonographers instead of
patients, which changes nothing for who does not know them, is charged for knowing lengths and breaks: see
:mod:`~echo_env.lab.bounds.attached` and :mod:`~echo_env.lab.bounds.rates`. What is proven: its expectation is at most
the mean penalty of every policy that knows neither the length of an exam nor the break after it before the exam ends,
though it may know all arrivals and absences. What is measured: how tight it is, and any mean over a number of days.

All are loose. The clairvoyant planner serves short exams first, and keeps a room free for a patient only if that
patient will come; the other bounds still know every arrival. In the relaxation, moreover, a patient may be examined
fractionally, twice by one sonographer and not at all by another, and a non-fetal patient may change rooms. The idle
term of ``while_waiting`` is left out, so under that rule the bound is one on the waiting part; under ``every_pair``,
where there are more sonographers than rooms, part of each break is credited as if it kept a pair busy. How much of
the gap to a bound can be closed is therefore unknown.

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
from echo_env.lab.config.lab import Lab
from echo_env.lab.day import Day, sample_days, stack_days
from echo_env.lab.policies.base import make_policy

Floats = NDArray[np.float64]

STEPS = 1000
"""Subgradient steps for a bound; more would raise it by about a thousandth."""


class Bounds(NamedTuple):
    """Lower bounds of some days, penalty points.

    :param clairvoyant: (days,) float64; on each day no policy pays less
    :param lengths_unknown: (days,) float64; the mean bounds the mean penalty of every policy that does not know the
        exam durations in advance
    :param attached: (days,) float64; the mean bounds the mean penalty of every policy that knows neither exam
        durations nor breaks in advance
    """

    clairvoyant: Floats
    lengths_unknown: Floats
    attached: Floats

    @property
    def largest(self) -> str:
        """The one of the largest mean. It was chosen on the days that it is estimated on, which favours it by less
        than the standard error of the difference."""
        return max(self._fields, key=lambda name: float(getattr(self, name).mean()))


def check_bounds_possible() -> None:
    """Check that the compiled engine is available.

    :raises ValueError: numba is missing
    """
    if importlib.util.find_spec("numba") is None:
        raise ValueError("bounds need the compiled engine, but numba is missing: pip install 'echo-lab-rl[fast]'")


def bounded_lab(config: Lab) -> LabConfig:
    """A lab, if it is one that bounds are known for.

    :param config: the lab
    :raises ValueError: it is not of the paper's form
    """
    if not isinstance(config, LabConfig):
        raise ValueError(
            f"lower bounds are for labs of the paper's form, with fetal and non-fetal exams, which {config.name!r} is "
            "not: its policies can be compared with each other"
        )
    return config


def clairvoyant_bound(config: LabConfig, day: Day, steps: int = STEPS) -> float:
    """Lower bound on the penalty of this day under any policy, even one with perfect information.

    :param config: the lab
    :param day: its random draws
    :param steps: subgradient steps; fewer are faster and give a lower bound
    :return: penalty points, accurate to about a millionth
    :raises ValueError: numba is missing
    """
    check_bounds_possible()
    from echo_env.lab.bounds.paths import PathProblem

    target = reachable(config, day).penalty.total
    return max(ascend(PathProblem(config, day), target, steps).value, 0.0) if target else 0.0


def lengths_unknown_bounds(config: LabConfig, day: Day, steps: int = STEPS) -> tuple[float, float]:
    """Two bounds of a day, clairvoyant and with unknown exam durations: see :class:`Bounds`.

    :param config: the lab
    :param day: its random draws
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
    # Row of each patient among those who arrive.
    row = np.cumsum(day.arrival >= 0) - 1
    charged = sum(charge[row[exam.patient], exam.start_min] for exam in trace.exams)
    return clairvoyant, ascend(problem, trace.penalty.total + charged, steps).value


def attached_bound(config: LabConfig, day: Day) -> float:
    """A day's part of the bound with attached lengths, less the charges that ``fetal_first`` pays on that day.

    These have mean 0, so the mean remains a lower bound on the mean penalty of every policy that does not know
    lengths and breaks in advance; and on each day it is at most what ``fetal_first`` pays.

    :param config: the lab
    :param day: its random draws
    :return: penalty points
    :raises ValueError: numba is missing
    """
    check_bounds_possible()
    from echo_env.lab.bounds.attached import AttachedProblem, attach
    from echo_env.lab.bounds.rates import charged, rates_of
    from echo_env.lab.bounds.smooth import smooth_bound
    from echo_env.lab.evaluation.engines import play_days

    trace = reachable(config, day)
    attached = attach(config, day, trace)
    rates = rates_of(config, day, attached.expected_length)
    problem = AttachedProblem(config, day, attached, rates)
    # About half of what an exam saves is rent of the sonographer.
    row = np.cumsum(day.arrival >= 0) - 1
    saved = [-problem.gain[row[exam.patient], exam.start_min] for exam in trace.exams]
    found = smooth_bound(problem, 0.5 * float(np.mean(saved)) if saved else 0.0)
    if not (rates.length.any() or rates.pause.any()):
        # Without charges no plan costs less than nothing.
        return max(found, 0.0)
    days = stack_days([day])
    results = play_days(config, make_policy("fetal_first", config), days)
    return found - float(charged(config, results, days.break_draw, attached.expected_length, rates)[0])


def find_bounds(
    config: Lab, days: int, seed: int, progress: Callable[[int], None] | None = None, steps: int = STEPS
) -> Bounds:
    """Bounds of the first days of a seed, the days that policies are compared on.

    :param config: the lab
    :param days: number of days, at least 1
    :param seed: seed of the days
    :param progress: called with 1 after each day
    :param steps: as for :func:`clairvoyant_bound`
    :raises ValueError: no day, a lab that is not of the paper's form, or numba is missing
    """
    if days < 1:
        raise ValueError(f"days of bounds is {days}, but must be at least 1")
    lab, rows = bounded_lab(config), []
    for day in sample_days(lab, days, seed):
        rows.append((*lengths_unknown_bounds(lab, day, steps), attached_bound(lab, day)))
        if progress:
            progress(1)
    return Bounds(*np.array(rows, dtype=np.float64).T)
