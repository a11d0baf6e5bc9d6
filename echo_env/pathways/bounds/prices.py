"""Optimal decisions of each patient who buys units at given prices, and the units that these use; compiled.

See :mod:`~echo_env.pathways.bounds.bounds`.
"""

from __future__ import annotations

import numpy as np

from echo_env.common.jit import njit
from echo_env.pathways.compiled.mdp import expected


@njit
def priced(model, phi, cohort, prices):
    """Lagrangian and expected use at given prices.

    :param model: M conditions
    :param phi: (H,) success by health
    :param cohort: (T, M, H) number of arrivals
    :param prices: (R, T) price of a unit that is won or kept in a step
    :return: expected successes minus payments plus the price of all units; and (R, T) expected use of units
    """
    horizon, levels = len(cohort), len(phi)
    shape = model.reward.shape
    later, now = np.zeros(shape), np.zeros(shape)
    choice = np.full((horizon, *shape), -1, dtype=np.int64)
    total = 0.0
    for r in range(len(model.units)):
        total += model.units[r] * prices[r].sum()
    for t in range(horizon - 1, -1, -1):
        # Success is counted after a step.
        for c in range(shape[0]):
            for s in range(model.states[c]):
                for h in range(levels):
                    later[c, s, h] += phi[h]
        for c in range(shape[0]):
            for s in range(model.states[c]):
                task = model.held[c, s] + 1
                for h in range(levels):
                    best = expected(later, model.finished, model.move, model.lethal, c, task, model.after_wait[c, s], h)
                    alive = h > 0 or not model.lethal
                    if alive and model.keeps[c, s]:
                        best -= prices[model.resource[c, task - 1], t]
                    for k in range(model.resource.shape[1]):
                        then = model.after_win[c, s, k]
                        if alive and then >= 0:
                            win = expected(later, model.finished, model.move, model.lethal, c, task, then, h)
                            win -= prices[model.resource[c, k], t]
                            if win > best:
                                best, choice[t, c, s, h] = win, k
                    now[c, s, h] = best
                    total += cohort[t, c, h] * best if s == 0 else 0.0
        later, now = now, later
    return total, _used(model, cohort, choice)


@njit
def _used(model, cohort, choice):
    """(R, T) expected use of units under the optimal choices."""
    horizon, top = len(cohort), cohort.shape[2] - 1
    used = np.zeros((len(model.units), horizon))
    here = np.zeros(model.reward.shape)
    for t in range(horizon):
        after = np.zeros(model.reward.shape)
        for c in range(here.shape[0]):
            for h in range(top + 1):
                here[c, 0, h] += cohort[t, c, h]
            for s in range(model.states[c]):
                task = model.held[c, s] + 1
                for h in range(top + 1):
                    mass = here[c, s, h]
                    if mass == 0 or (model.lethal and h == 0):
                        continue
                    k, then = choice[t, c, s, h], model.after_wait[c, s]
                    if k >= 0:
                        then = model.after_win[c, s, k]
                        used[model.resource[c, k], t] += mass
                    elif model.keeps[c, s]:
                        used[model.resource[c, task - 1], t] += mass
                    if model.finished[c, then]:
                        after[c, then, top] += mass
                        continue
                    after[c, then, h] += mass * model.move[c, task, h, 1]
                    if h > 0:
                        after[c, then, h - 1] += mass * model.move[c, task, h, 0]
                    if h < top:
                        after[c, then, h + 1] += mass * model.move[c, task, h, 2]
        here = after
    return used
