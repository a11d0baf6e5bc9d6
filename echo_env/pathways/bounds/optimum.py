"""The optimum of a small hospital: backward induction on the joint Markov decision process of all patients.

Section 3 of the paper calls this intractable, which holds beyond three patients. A joint state is the resource state
and health of every patient; a joint action gives each patient one need it can ask for, or none, within the available
units. Given these, the patients' healths move independently, so that an expectation is one small matrix product a
patient.
"""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.pathways.config.pathway import NONE
from echo_env.pathways.instance.instance import Instance
from echo_env.pathways.instance.model import Model, success

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_STATES = 50_000
"""Largest number of joint states: 3 patients with 3 needs and 5 levels of health each."""


class PatientChain(NamedTuple):
    """Markov chain of one patient with X = S x H states, health fastest; choice 0 is to wait, 1 + k to win need k.

    :param next: (K + 1, X, X) float64, transition probabilities; rows of infeasible choices are 0
    :param possible: (K + 1, X) bool, whether a choice is feasible
    :param keeps: (X,) int64, resource of which a unit is kept in the next step, or ``NONE``
    :param success: (X,) float64, success in each state
    """

    next: Floats
    possible: NDArray[np.bool_]
    keeps: Ints
    success: Floats


def patient_chain(model: Model, c: int) -> PatientChain:
    """The chain of a patient.

    :param model: the conditions
    :param c: number of the patient's condition
    """
    states, levels, needs = int(model.states[c]), model.reward.shape[2], model.resource.shape[1]
    size, top = states * levels, model.reward.shape[2] - 1
    chances, possible = np.zeros((needs + 1, size, size)), np.zeros((needs + 1, size), dtype=np.bool_)
    keeps = np.full(size, NONE, dtype=np.int64)
    for s, h in product(range(states), range(levels)):
        x, dead = s * levels + h, model.lethal and h == 0
        if model.keeps[c, s] and not dead:
            keeps[x] = model.resource[c, model.held[c, s]]
        for choice in range(needs + 1):
            then = int(model.after_wait[c, s] if choice == 0 else model.after_win[c, s, choice - 1])
            possible[choice, x] = choice == 0 or (then != NONE and not dead)
            if dead:
                chances[0, x, x] = 1
            elif possible[choice, x] and model.finished[c, then]:
                chances[choice, x, then * levels + top] = 1
            elif possible[choice, x]:
                move = model.move[c, model.held[c, s] + 1, h]
                for step, chance in zip((-1, 0, 1), move, strict=True):
                    if chance > 0:
                        chances[choice, x, then * levels + h + step] += chance
    return PatientChain(chances, possible, keeps, np.tile(success(levels), states))


def joint_states(instance: Instance) -> int:
    """Number of joint states of all patients."""
    model = instance.model
    return int(np.prod([float(model.states[c] * model.reward.shape[2]) for c in instance.condition]))


def optimal_utility(instance: Instance) -> float:
    """Expected utility of the optimal policy, which observes everything except future random draws.

    :param instance: an instance with at most :data:`MOST_STATES` joint states, without changes of pathways
    :raises ValueError: more joint states, or pathways can change
    """
    check_no_changes(instance)
    if joint_states(instance) > MOST_STATES:
        raise ValueError(
            f"the instance has {joint_states(instance):,} joint states, but the optimum is computed for at most "
            f"{MOST_STATES:,}"
        )
    model, horizon = instance.model, instance.config.horizon
    chains = [patient_chain(model, int(c)) for c in instance.condition]
    shape = tuple(len(chain.success) for chain in chains)
    allowed: dict[tuple[int, ...], NDArray[np.bool_]] = {}
    values = np.zeros(shape)
    for t in range(horizon - 1, -1, -1):
        here = instance.arrivals <= t
        if t == horizon - 1 or (here != (instance.arrivals <= t + 1)).any():
            allowed = _allowed_actions(instance, chains, here)
        for n in np.flatnonzero(here):
            values = values + _along(chains[n].success, int(n), len(chains))
        best = np.full(shape, -np.inf)
        for action, possible in allowed.items():
            after = values
            for n in np.flatnonzero(here):
                after = np.moveaxis(np.tensordot(chains[n].next[action[n]], after, axes=(1, n)), 0, n)
            best = np.where(possible, np.maximum(best, after), best)
        # States that keep more units than there are have no feasible action, and are unreachable.
        values = np.where(np.isneginf(best), 0.0, best)
    counted = int((horizon - instance.arrivals).sum())
    # Patients arrive in resource state 0, so the joint state is given by their healths.
    return float(values[tuple(int(h) for h in instance.initial_health)]) / counted


def check_no_changes(instance: Instance) -> None:
    """Refuse instances whose pathways can change: neither the optimum nor the bound covers them.

    :raises ValueError: a rate of changes is positive
    """
    changes = instance.config.changes
    if changes.appear_rate or changes.disappear_rate:
        raise ValueError(
            f"changes has appear_rate {changes.appear_rate} and disappear_rate {changes.disappear_rate}, but bounds "
            "require both to be 0"
        )


def _along(values: NDArray[Any], axis: int, dimensions: int) -> NDArray[Any]:
    """A vector reshaped to broadcast along one axis of a joint table."""
    return values.reshape([-1 if n == axis else 1 for n in range(dimensions)])


def _allowed_actions(
    instance: Instance, chains: list[PatientChain], here: NDArray[np.bool_]
) -> dict[tuple[int, ...], NDArray[np.bool_]]:
    """Joint action -> bool table of the joint states in which it is feasible; patients not yet arrived wait."""
    model, count = instance.model, len(chains)
    choices = [range(len(chain.next)) if here[n] else range(1) for n, chain in enumerate(chains)]
    found = {}
    for action in product(*choices):
        possible = np.ones([len(chain.success) for chain in chains], dtype=np.bool_)
        used = np.zeros((len(model.units), *possible.shape), dtype=np.int64)
        for n, (chain, choice) in enumerate(zip(chains, action, strict=True)):
            possible &= _along(chain.possible[choice], n, count)
            if here[n]:
                for r in range(len(model.units)):
                    used[r] += _along(chain.keeps == r, n, count)
            if choice:
                used[model.resource[instance.condition[n], choice - 1]] += 1
        possible &= (used <= model.units.reshape([-1] + [1] * count)).all(axis=0)
        if possible.any():
            found[action] = possible
    return found
