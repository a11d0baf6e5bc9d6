"""Good prices for a relaxed day by smoothing: soft minima, and a quasi-Newton method with bounds (L-BFGS-B).

The dual function of a Lagrangian relaxation has kinks, at which subgradient methods stop short. With minima softened
at a temperature it is smooth, and at most lower; the temperature falls in steps, each from the prices of the last
(Nesterov, "Smooth minimization of non-smooth functions", 2005). The bound at the prices found is computed with exact
minima, so it holds however far the method came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.optimize
from numpy.typing import NDArray

if TYPE_CHECKING:
    from echo_env.lab.bounds.attached import AttachedProblem

Floats = NDArray[np.float64]

COOLING = ((20.0, 60), (5.0, 100), (1.0, 100))
"""Temperatures in points, and most iterations at each."""
_MEMORY = 20


def smooth_bound(problem: AttachedProblem, first: float, cooling: tuple[tuple[float, int], ...] = COOLING) -> float:
    """The bound of a relaxed day at good prices. Parameters as :func:`smooth_prices`."""
    return problem.solve(smooth_prices(problem, first, cooling)).value


def smooth_prices(problem: AttachedProblem, first: float, cooling: tuple[tuple[float, int], ...] = COOLING) -> Floats:
    """Good prices of a relaxed day.

    :param problem: the relaxed day
    :param first: price of each patient's exam to begin with, points, nonnegative
    :param cooling: temperatures, points, and most iterations at each
    :return: (n + 2 T,) float64, nonnegative
    """
    priced = np.flatnonzero(problem.limits)
    prices = np.where(np.arange(len(problem.limits)) < problem.patients, first, 0.0)
    for tau, iterations in cooling:
        if not len(priced):
            break

        def cost(own: Floats, tau: float = tau) -> tuple[float, Floats]:
            prices[priced] = own
            relaxed = problem.solve(prices, tau)
            return -relaxed.value, -relaxed.excess[priced]

        found = scipy.optimize.minimize(
            cost,
            prices[priced],
            jac=True,
            method="L-BFGS-B",
            bounds=[(0.0, None)] * len(priced),
            options={"maxiter": iterations, "maxcor": _MEMORY},
        )
        prices[priced] = found.x
    return prices
