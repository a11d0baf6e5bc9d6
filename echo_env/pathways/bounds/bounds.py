"""An upper bound on the utility of every policy, by Lagrangian relaxation of the resource constraints.

Every policy uses at most the available units in every step. Relaxing these constraints with a price for each resource
and step decouples the patients: each one's optimum is a small Markov decision process of its own, and the value of all
units at these prices is added. For any prices the sum is at least the optimum (Hawkins, *A Lagrangian decomposition
approach to weakly coupled dynamic optimization problems*, 2003; Adelman and Mersereau,
https://doi.org/10.1287/opre.1070.0445). The dual is minimised by subgradient steps: a price rises where expected use
exceeds capacity and falls where it is below.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echo_env.pathways.bounds.optimum import MOST_STATES, check_no_changes, joint_states, optimal_utility
from echo_env.pathways.bounds.prices import priced
from echo_env.pathways.instance.instance import Instance
from echo_env.pathways.instance.model import success

Floats = NDArray[np.float64]

ITERATIONS = 600
"""Default number of subgradient steps: more of them lower the bound by less than a thousandth."""


def bound_utility(instance: Instance, iterations: int = ITERATIONS) -> float:
    """The optimal utility where it is tractable, otherwise :func:`lagrangian_bound`.

    :param instance: an instance without changes of pathways
    :param iterations: number of subgradient steps
    :raises ValueError: pathways can change
    """
    if joint_states(instance) <= MOST_STATES:
        return optimal_utility(instance)
    return lagrangian_bound(instance, iterations)


def lagrangian_bound(instance: Instance, iterations: int = ITERATIONS) -> float:
    """An upper bound on the expected utility of every policy in this instance.

    :param instance: an instance without changes of pathways
    :param iterations: number of subgradient steps; the bound is valid for any number
    :raises ValueError: pathways can change
    """
    check_no_changes(instance)
    model, config = instance.model, instance.config
    phi, cohort = success(config.health_levels), arrivals_by_state(instance)
    prices = np.zeros((config.resources, config.horizon))
    lowest, since, level = np.inf, 0, 0.0
    slack = 0.02 * config.patients * config.horizon
    for _ in range(iterations):
        total, used = priced(model, phi, cohort, prices)
        if total < lowest - 0.05 * slack:
            since = 0
        else:
            since += 1
            if since == 15:
                # The target level was too low to be reached.
                slack, since = slack / 2, 0
        lowest = min(lowest, total)
        excess = used - model.units[:, None]
        # At a price of 0, unused units do not lower the price further.
        excess[(prices <= 0) & (excess < 0)] = 0
        norm = float((excess**2).sum())
        if norm < 1e-12:
            break
        # Polyak's step size, with a target slightly below the lowest value so far.
        level = lowest - slack
        prices = np.maximum(prices + (total - level) / norm * excess, 0)
    return lowest / int((config.horizon - instance.arrivals).sum())


def arrivals_by_state(instance: Instance) -> Floats:
    """(T, M, H) float64, number of arrivals in each step, by condition and health."""
    config = instance.config
    cohort = np.zeros((config.horizon, len(instance.model.states), config.health_levels))
    np.add.at(cohort, (instance.arrivals, instance.condition, instance.initial_health), 1)
    return cohort
