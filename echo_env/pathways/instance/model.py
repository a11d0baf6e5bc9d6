"""The conditions of an instance as arrays, for compiled code.

Conditions with fewer states or needs than others are padded; no valid index refers to padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.pathways.config import PathwaysConfig
from echo_env.pathways.config.condition import Change, Condition
from echo_env.pathways.config.pathway import NONE, ResourceStates, all_before, resource_states

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Model(NamedTuple):
    """M conditions (those drawn, then the results of their changes), S resource states, K needs, H levels of health.

    :param resource: (M, K) resource of each need, ``NONE`` for padding
    :param held: (M, S) need being served, see :class:`~echo_env.pathways.config.pathway.ResourceStates`
    :param had: (M, S) bitmask of the needs that have been met
    :param had_count: (M, S) number of them
    :param left: (M, S) remaining steps of the need being served, this one included
    :param before: (M, K) bitmask of the direct and indirect predecessors of each need
    :param keeps: (M, S) bool, whether the unit is kept in the next step
    :param finished: (M, S) bool, whether all needs have been met
    :param after_wait: (M, S) next state without winning a resource
    :param after_win: (M, S, K) next state after winning the resource of a need, or ``NONE``
    :param move: (M, K + 1, H, 3) probabilities that health goes down, stays, goes up: while waiting, then while
        holding each need's resource. At the lowest level, down counts as staying; at the highest, up
    :param reward: (M, S, H) reward of a state in every step but the last
    :param last_reward: (M, S, H) reward after the last step
    :param turns_into: (M, 2) condition after each kind of change, or ``NONE``
    :param state_there: (M, 2, S) resource state after the change
    :param need_there: (M, 2, K) number of each need after the change, or ``NONE``
    :param states: (M,) number of resource states
    :param units: (R,) units of each resource
    :param lethal: whether health 0 is death
    :param gamma: discount factor
    """

    resource: Ints
    held: Ints
    had: Ints
    had_count: Ints
    left: Ints
    before: Ints
    keeps: NDArray[np.bool_]
    finished: NDArray[np.bool_]
    after_wait: Ints
    after_win: Ints
    move: Floats
    reward: Floats
    last_reward: Floats
    turns_into: Ints
    state_there: Ints
    need_there: Ints
    states: Ints
    units: Ints
    lethal: bool
    gamma: float


def make_model(
    config: PathwaysConfig, drawn: Sequence[Condition], changes: Sequence[tuple[Change | None, Change | None]]
) -> Model:
    """Build the arrays.

    :param config: the hospital
    :param drawn: the conditions
    :param changes: the two possible changes of each condition, or None
    """
    conditions = list(drawn)
    pathways = [resource_states(condition.predecessors, condition.durations) for condition in drawn]
    links: list[tuple[int, int, int, Change]] = []
    for number, own in enumerate(changes):
        for kind, change in enumerate(own):
            if change is not None:
                starts = [change.progress(state) for state in pathways[number].states]
                links.append((number, kind, len(conditions), change))
                conditions.append(change.condition)
                pathways.append(resource_states(change.condition.predecessors, change.condition.durations, starts))
    count = len(conditions)
    most = max(len(pathway.states) for pathway in pathways)
    needs = max(len(condition.resources) for condition in conditions)
    model = _empty_model(config, count, most, needs)
    for number, (condition, pathway) in enumerate(zip(conditions, pathways, strict=True)):
        _fill(model, number, condition, pathway, config)
    for number, kind, other, change in links:
        place = {state: index for index, state in enumerate(pathways[other].states)}
        there = [place[change.progress(state)] for state in pathways[number].states]
        model.turns_into[number, kind] = other
        model.state_there[number, kind, : len(there)] = there
        model.need_there[number, kind, : len(change.needs)] = change.needs
    return model


def _empty_model(config: PathwaysConfig, count: int, most: int, needs: int) -> Model:
    """Arrays full of padding, for ``count`` conditions with at most ``most`` states and ``needs`` needs."""

    def none(*shape: int) -> Ints:
        return np.full(shape, NONE, dtype=np.int64)

    levels = config.health_levels
    return Model(
        resource=none(count, needs),
        held=none(count, most),
        had=np.zeros((count, most), dtype=np.int64),
        had_count=np.zeros((count, most), dtype=np.int64),
        left=np.zeros((count, most), dtype=np.int64),
        before=np.zeros((count, needs), dtype=np.int64),
        keeps=np.zeros((count, most), dtype=np.bool_),
        finished=np.zeros((count, most), dtype=np.bool_),
        after_wait=none(count, most),
        after_win=none(count, most, needs),
        move=np.zeros((count, needs + 1, levels, 3)),
        reward=np.zeros((count, most, levels)),
        last_reward=np.zeros((count, most, levels)),
        turns_into=none(count, 2),
        state_there=none(count, 2, most),
        need_there=none(count, 2, needs),
        states=np.zeros(count, dtype=np.int64),
        units=np.array(config.units_of, dtype=np.int64),
        lethal=config.lethal,
        gamma=float(config.gamma),
    )


def _fill(model: Model, number: int, condition: Condition, pathway: ResourceStates, config: PathwaysConfig) -> None:
    """Fill the rows of one condition."""
    states, needs = len(pathway.states), len(condition.resources)
    model.states[number] = states
    model.resource[number, :needs] = condition.resources
    model.had[number, :states] = [state.had for state in pathway.states]
    model.had_count[number, :states] = [state.had.bit_count() for state in pathway.states]
    model.left[number, :states] = [state.left for state in pathway.states]
    model.before[number, :needs] = all_before(condition.predecessors)
    for name in ("held", "keeps", "finished", "after_wait"):
        getattr(model, name)[number, :states] = getattr(pathway, name)
    model.after_win[number, :states, :needs] = pathway.after_win
    move = np.concatenate([condition.waiting[None], condition.holding])
    move[:, 0, 1] += move[:, 0, 0]
    move[:, -1, 1] += move[:, -1, 2]
    move[:, 0, 0] = move[:, -1, 2] = 0
    model.move[number, : needs + 1] = move
    model.reward[number, :states], model.last_reward[number, :states] = state_rewards(pathway, config)


def success(levels: int) -> Floats:
    """(H,) float64, Phi(h) = h / (H - 1): 0 for the lowest health, 1 for full health."""
    return np.arange(levels) / (levels - 1)


def state_rewards(pathway: ResourceStates, config: PathwaysConfig) -> tuple[Floats, Floats]:
    """Reward of each state in every step but the last, and after the last step; (S, H) float64 each.

    With ``success`` both are Phi(h), equation 1 of the paper. With ``completion`` the reward is H_max - H(t) in the
    step that finishes the pathway (section 4), where H(t) is the success at the start of that step; after the last
    step it is 0.

    :param pathway: the resource states
    :param config: the hospital: kind of reward and number of levels of health
    """
    by_health = np.tile(success(config.health_levels), (len(pathway.states), 1))
    if config.reward == "success":
        return by_health, by_health
    finishing = pathway.finished[pathway.after_wait] & ~pathway.finished
    return np.where(finishing[:, None], 1 - by_health, 0.0), np.zeros_like(by_health)
