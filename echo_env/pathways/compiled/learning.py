"""Probabilities of winning a resource, learned by fictitious play, and the values of states that follow from them.

The paper does not specify the probability of obtaining a resource (section 3.2). Here it is learned before an episode
begins, from random draws of its own: patients solve their decision processes for their current beliefs, auctions over
the whole horizon are simulated, and the beliefs move towards the observed frequency of winning, smoothed by a uniform
Beta prior, (won + 1) / (asked + 2), for each resource and step.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.jit import njit
from echo_env.pathways.compiled.kernel import Cohort, Record, play
from echo_env.pathways.compiled.mdp import never_treated, solve
from echo_env.pathways.instance.instance import Instance, Luck, learning_luck
from echo_env.pathways.instance.model import Model

Floats = NDArray[np.float64]


class Prospects(NamedTuple):
    """Beliefs and values of the patients of an instance, for R resources, T steps, and M, S, H as in the model.

    :param chances: (R, T) float64, probability that a bidder wins a resource in a step
    :param values: (T + 1, M, S, H) float64, value of each state in each step, given these probabilities
    :param never: (T + 1, M, S, H) float64, value of each state for a patient who never wins again
    """

    chances: Floats
    values: Floats
    never: Floats


def cohort_of(instance: Instance) -> Cohort:
    """The patients of an instance, as compiled code takes them."""
    return Cohort(instance.condition, instance.initial_health, instance.arrivals)


def first_chances(instance: Instance) -> Floats:
    """Initial probabilities of winning: units over demand, at most 1, in every step; (R, T) float64.

    The demand for a resource is the number of patients whose condition needs it.
    """
    config = instance.config
    demand = np.zeros(config.resources)
    for condition in instance.condition.tolist():
        np.add.at(demand, list(instance.conditions[condition].resources), 1)
    chance = np.minimum(np.array(config.units_of) / np.maximum(demand, 1), 1)
    return np.repeat(chance[:, None], config.horizon, axis=1)


@njit
def learn(
    model: Model,
    cohort: Cohort,
    horizon: int,
    luck: Luck,
    rule: int,
    never: Floats,
    chances: Floats,
    rounds: int,
    step: float,
) -> Floats:
    """Fictitious play.

    :param model: the conditions
    :param cohort: the patients
    :param horizon: T
    :param luck: random draws of all episodes of all rounds, (E, ...) each
    :param rule: bidding rule
    :param never: (T + 1, M, S, H) float64, values without treatment
    :param chances: (R, T) float64, initial probabilities of winning; updated in place
    :param rounds: number of rounds, each with an equal share of the episodes
    :param step: step size from the belief towards the observed frequency, 0 to 1
    :return: (T + 1, M, S, H) values given the final probabilities
    """
    patients = len(cohort.condition)
    rows = np.zeros((horizon + 1, patients), dtype=np.int64)
    each = len(luck.health_draw) // max(rounds, 1)
    values = solve(model, chances, horizon)
    for number in range(rounds):
        asked = np.zeros(chances.shape, dtype=np.int64)
        record = Record(rows, rows.copy(), rows.copy(), asked, asked.copy())
        for e in range(number * each, (number + 1) * each):
            one = Luck(luck.health_draw[e], luck.priority_draw[e], luck.change_step[e], luck.change_kind[e])
            play(model, cohort, horizon, one, rule, values, never, record)
        for r in range(chances.shape[0]):
            for t in range(horizon):
                seen = (record.won[r, t] + 1) / (record.asked[r, t] + 2)
                chances[r, t] += step * (seen - chances[r, t])
        values = solve(model, chances, horizon)
    return values


def learn_prospects(instance: Instance, rule: int) -> Prospects:
    """Learn the probabilities of winning in an auction, and solve every patient's decision process for them.

    :param instance: the instance
    :param rule: bidding rule, see :mod:`echo_env.pathways.compiled.kernel`
    """
    config = instance.config
    never = never_treated(instance.model, config.horizon)
    chances = first_chances(instance)
    luck = learning_luck(instance, max(config.learning.rounds * config.learning.episodes, 1))
    values = learn(
        instance.model,
        cohort_of(instance),
        config.horizon,
        luck,
        rule,
        never,
        chances,
        config.learning.rounds,
        float(config.learning.step),
    )
    return Prospects(chances, values, never)
