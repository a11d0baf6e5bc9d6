"""How far from the best a policy can be: an upper bound on the utility of any policy, by prices.

Every policy uses at most the units that there are, in every step. If they may be used beyond that, at a price for each
resource and step, patients no longer hinder each other, and each one's best is a small decision process of its own;
what the units themselves are worth at these prices is added. For any prices at all that is at least the optimum
(Lagrangian relaxation; Hawkins, *A Lagrangian decomposition approach to weakly coupled dynamic optimization problems*,
2003, and Adelman and Mersereau, https://doi.org/10.1287/opre.1070.0445). The lowest over prices is sought by
subgradient steps: a price rises where more is used in expectation than there is, and falls where less is.
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
"""Subgradient steps: more lower the bound by less than a thousandth."""


def bound_utility(instance: Instance, iterations: int = ITERATIONS) -> float:
    """The optimum where it can be found, see :mod:`~echo_env.pathways.bounds.optimum`, else :func:`lagrangian_bound`.

    :param instance: pathways must not change
    :param iterations: subgradient steps
    :raises ValueError: pathways change
    """
    if joint_states(instance) <= MOST_STATES:
        return optimal_utility(instance)
    return lagrangian_bound(instance, iterations)


def lagrangian_bound(instance: Instance, iterations: int = ITERATIONS) -> float:
    """No policy has a higher expected utility in this instance.

    :param instance: pathways must not change
    :param iterations: subgradient steps; whatever their number, the bound holds
    :raises ValueError: pathways change
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
                # The aim was too low to be reached.
                slack, since = slack / 2, 0
        lowest = min(lowest, total)
        excess = used - model.units[:, None]
        # Units that are left over at a price of 0 ask for no lower one.
        excess[(prices <= 0) & (excess < 0)] = 0
        norm = float((excess**2).sum())
        if norm < 1e-12:
            break
        # Polyak's step, towards a little below the lowest so far.
        level = lowest - slack
        prices = np.maximum(prices + (total - level) / norm * excess, 0)
    return lowest / int((config.horizon - instance.arrivals).sum())


def arrivals_by_state(instance: Instance) -> Floats:
    """(T, M, H) how many patients arrive in each step, by condition and health."""
    config = instance.config
    cohort = np.zeros((config.horizon, len(instance.model.states), config.health_levels))
    np.add.at(cohort, (instance.arrivals, instance.condition, instance.initial_health), 1)
    return cohort
