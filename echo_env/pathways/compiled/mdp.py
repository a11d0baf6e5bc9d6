"""Each patient's Markov decision process, solved by backward induction over the horizon (section 3.1).

In step t, a patient in resource state s with health h bids for one need i or for none. It wins the need's resource r
with probability q[r, t], and its health moves independently of the bid. Equation 1 becomes

    V_t(s, h) = Phi(s, h) + gamma max(Qbar, max_i q_i Q_i + (1 - q_i) Qbar)
    Q_i  = E[V_{t+1}(s after winning i, h')]
    Qbar = E[V_{t+1}(s after waiting, h')]

with V_T the value of the state after the last step. The regret of need i is Q_i - Qbar.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echo_env.common.jit import njit
from echo_env.pathways.instance.model import Model

Floats = NDArray[np.float64]


@njit
def expected(values, finished, move, lethal, c, task, then, h):
    """E[values[c, then, h']] for a patient with condition c and health h on the way to the resource state ``then``.

    A finished patient is in full health (section 4); lethal health 0 is absorbing.

    :param values: (M, S, H)
    :param finished: (M, S), see :class:`~echo_env.pathways.instance.model.Model`
    :param move: (M, K + 1, H, 3), likewise
    :param lethal: likewise
    :param task: 0 while waiting, 1 + need while that need's resource is held
    """
    if h == 0 and lethal:
        return values[c, then, 0]
    top = values.shape[2] - 1
    if finished[c, then]:
        return values[c, then, top]
    total = move[c, task, h, 1] * values[c, then, h]
    if h > 0:
        total += move[c, task, h, 0] * values[c, then, h - 1]
    if h < top:
        total += move[c, task, h, 2] * values[c, then, h + 1]
    return total


@njit
def solve(model, chances, horizon):
    """Value of every state in every step, given the probabilities of winning.

    :param model: M conditions
    :param chances: (R, T) probability that a bidder wins a resource in a step
    :param horizon: T
    :return: (T + 1, M, S, H) float64; 0 for the dead
    """
    values = np.zeros((horizon + 1, *model.reward.shape))
    values[horizon] = model.last_reward
    if model.lethal:
        values[horizon, :, :, 0] = 0.0
    held, finished, move, lethal = model.held, model.finished, model.move, model.lethal
    for t in range(horizon - 1, -1, -1):
        later = values[t + 1]
        for c in range(len(model.states)):
            for s in range(model.states[c]):
                for h in range(int(model.lethal), model.reward.shape[2]):
                    task = held[c, s] + 1
                    wait = expected(later, finished, move, lethal, c, task, model.after_wait[c, s], h)
                    best = wait
                    for k in range(model.resource.shape[1]):
                        then = model.after_win[c, s, k]
                        if then >= 0:
                            chance = chances[model.resource[c, k], t]
                            win = expected(later, finished, move, lethal, c, task, then, h)
                            best = max(best, chance * win + (1 - chance) * wait)
                    values[t, c, s, h] = model.reward[c, s, h] + model.gamma * best
    return values


@njit
def worth(model, condition, state, health, wanted, values, never):
    """Value of winning to each patient: regret, optimal value, and gain over never being treated again.

    :param model: M conditions
    :param condition: (N,)
    :param state: (N,)
    :param health: (N,)
    :param wanted: (N, K) resource of each need that can be requested, else negative
    :param values: (M, S, H) from :func:`solve` for the next step
    :param never: (M, S, H) from :func:`never_treated` for the next step
    :return: (3, N, K): Q_i - Qbar, Q_i, and Q_i - E[never after waiting]; 0 for needs that cannot be requested
    """
    patients, needs = wanted.shape
    gains = np.zeros((3, patients, needs))
    finished, move, lethal = model.finished, model.move, model.lethal
    for n in range(patients):
        c, s, h = condition[n], state[n], health[n]
        task = model.held[c, s] + 1
        for k in range(needs):
            if wanted[n, k] >= 0:
                wait = model.after_wait[c, s]
                win = expected(values, finished, move, lethal, c, task, model.after_win[c, s, k], h)
                gains[0, n, k] = win - expected(values, finished, move, lethal, c, task, wait, h)
                gains[1, n, k] = win
                gains[2, n, k] = win - expected(never, finished, move, lethal, c, task, wait, h)
    return gains


def never_treated(model: Model, horizon: int) -> Floats:
    """Value of every state in every step for a patient who never wins again.

    :param model: M conditions
    :param horizon: T
    :return: (T + 1, M, S, H) float64
    """
    return solve(model, np.zeros((len(model.units), horizon)), horizon)
