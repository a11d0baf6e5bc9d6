"""What a patient believes about its chance of winning, and what its states are worth to it then.

The paper leaves open where the chance of obtaining a resource comes from (section 3.2). Here it is learned by
fictitious play, before an episode begins and from luck of its own: patients solve their decision processes for the
chances they believe in, auctions over the whole horizon are simulated, and the chances move towards what was won of
what was asked for, smoothed by a uniform Beta prior, (won + 1) / (asked + 2), for each resource and step.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.pathways.compiled.kernel import Cohort, learn
from echo_env.pathways.compiled.mdp import never_treated
from echo_env.pathways.instance.instance import Instance, learning_luck

Floats = NDArray[np.float64]


class Prospects(NamedTuple):
    """What the patients of an instance expect, for R resources, T steps, and M, S, H as in the model.

    :param chances: (R, T) probability of winning a resource in a step, for whoever bids for it
    :param values: (T + 1, M, S, H) value of each state in each step, given the chances
    :param never: (T + 1, M, S, H) the same for who never wins anything any more
    """

    chances: Floats
    values: Floats
    never: Floats


def cohort_of(instance: Instance) -> Cohort:
    """The patients of an instance, for compiled code."""
    return Cohort(instance.condition, instance.initial_health, instance.arrivals)


def first_chances(instance: Instance) -> Floats:
    """Where learning starts: units over demand, at most 1, in every step; (R, T).

    The demand for a resource is the number of patients whose condition needs it.
    """
    config = instance.config
    demand = np.zeros(config.resources)
    for condition in instance.condition.tolist():
        np.add.at(demand, list(instance.conditions[condition].resources), 1)
    chance = np.minimum(np.array(config.units_of) / np.maximum(demand, 1), 1)
    return np.repeat(chance[:, None], config.horizon, axis=1)


def learn_prospects(instance: Instance, rule: int) -> Prospects:
    """Learn the chances of winning in an auction, and solve every patient's decision process for them.

    :param instance: the patients
    :param rule: what is bid, see :mod:`echo_env.pathways.compiled.kernel`
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
