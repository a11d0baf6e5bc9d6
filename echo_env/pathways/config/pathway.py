"""A pathway: which needs come before which, and the states in which its resources can be.

A need is a number from 0 to K-1, a set of needs a bitmask. Linear, partially ordered and unordered pathways differ
only in their predecessor masks. The paper's variable per resource (n needs, v has, d had: section 3.1) is encoded
by the needs that were had and the one that is held, for the K needed resources only: a linear pathway of four needs
has 9 resource states, times 5 levels of health 45 states, where all resources would have 3^10 times 5.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.common.config_file import ConfigError, check_number

Ints = NDArray[np.int64]

Order = tuple[tuple[int, ...], ...]
"""For each need, the needs that come before it."""

MOST_NEEDS = 8
"""Unordered pathways have (needs + 2) 2^(needs - 1) resource states."""

NONE = -1
"""No need, no resource, no state."""


class Progress(NamedTuple):
    """A resource state: what a patient has of its pathway.

    :param had: bitmask of the needs that were had
    :param held: the need that is held now, or ``NONE``
    :param left: steps for which it will be held, this one included; 0 if nothing is held
    """

    had: int
    held: int = NONE
    left: int = 0


class ResourceStates(NamedTuple):
    """The resource states of a pathway of K needs, numbered, and how they follow each other.

    :param states: the S states; number 0 is the one at arrival
    :param held: (S,) need that is held, or ``NONE``
    :param keeps: (S,) bool, whether the unit is held in the next step too, whatever is decided
    :param finished: (S,) bool, whether nothing is needed any more
    :param after_wait: (S,) the next state if nothing is won
    :param after_win: (S, K) the next state if the resource of a need is won, or ``NONE`` where none can be asked for
    """

    states: tuple[Progress, ...]
    held: Ints
    keeps: NDArray[np.bool_]
    finished: NDArray[np.bool_]
    after_wait: Ints
    after_win: Ints


def check_order(name: str, order: Any, needs: int) -> Order:
    """An order as tuples.

    :param name: of the field, for messages
    :param order: for each need, the needs that come before it
    :param needs: how many needs there are
    :raises ConfigError: it is not of this form
    """
    lists = isinstance(order, (list, tuple)) and all(isinstance(before, (list, tuple)) for before in order)
    if not lists or len(order) != needs:
        raise ConfigError(f"{name} is {order!r}, but must be a list of predecessors for each of {needs} needs")
    for before in order:
        for need in before:
            check_number(name, need, 0, needs - 1, whole=True)
    return tuple(tuple(before) for before in order)


def predecessor_masks(name: str, order: Any) -> tuple[int, ...]:
    """Order -> (K,) bitmask of the predecessors of each need.

    :param name: of the field, for messages
    :param order: see :data:`Order`
    :raises ConfigError: needs come before each other in a circle
    """
    masks = tuple(sum(1 << need for need in set(before)) for before in order)
    done = 0
    while True:
        ready = [need for need, mask in enumerate(masks) if not done >> need & 1 and mask & ~done == 0]
        if not ready:
            break
        done |= sum(1 << need for need in ready)
    circle = [need for need in range(len(masks)) if not done >> need & 1]
    if circle:
        raise ConfigError(
            f"{name} is {[list(before) for before in order]}, but needs {', '.join(map(str, circle))} "
            "wait for each other in a circle, and must have an order in which they can be met"
        )
    return masks


def all_before(predecessors: Sequence[int]) -> tuple[int, ...]:
    """(K,) bitmasks of all needs that come before each, directly or through others.

    >>> all_before((0, 0b001, 0b010))
    (0, 1, 3)

    :param predecessors: (K,) bitmasks, without circles
    """
    masks = list(predecessors)
    for _ in masks:
        for need, mask in enumerate(masks):
            for other in range(len(masks)):
                if mask >> other & 1:
                    masks[need] |= masks[other]
    return tuple(masks)


def resource_states(
    predecessors: Sequence[int], durations: Sequence[int], starts: Iterable[Progress] = ()
) -> ResourceStates:
    """Enumerate the resource states that can be reached.

    :param predecessors: (K,) bitmasks, without circles
    :param durations: (K,) steps for which each need holds its resource
    :param starts: states to begin with besides the one at arrival, where a pathway has changed
    """
    numbers: dict[Progress, int] = {}
    todo: deque[Progress] = deque()

    def number(state: Progress) -> int:
        if state not in numbers:
            numbers[state] = len(numbers)
            todo.append(state)
        return numbers[state]

    for start in (Progress(0), *starts):
        number(start)
    rows: list[tuple[int, list[int]]] = []
    while todo:
        state = todo.popleft()
        wait = number(after_step(state))
        wins = [
            number(Progress(after_step(state).had, need, durations[need]))
            if can_ask(state, need, predecessors)
            else NONE
            for need in range(len(predecessors))
        ]
        rows.append((wait, wins))
    states = tuple(numbers)
    complete = (1 << len(predecessors)) - 1
    return ResourceStates(
        states,
        np.array([state.held for state in states], dtype=np.int64),
        np.array([state.left > 1 for state in states], dtype=np.bool_),
        np.array([state.had == complete for state in states], dtype=np.bool_),
        np.array([wait for wait, _ in rows], dtype=np.int64),
        np.array([wins for _, wins in rows], dtype=np.int64).reshape(len(states), len(predecessors)),
    )


def after_step(state: Progress) -> Progress:
    """The state one step later if nothing is won: what is held goes on being held, or becomes had."""
    if state.left > 1:
        return Progress(state.had, state.held, state.left - 1)
    return Progress(state.had | 1 << state.held) if state.held != NONE else state


def can_ask(state: Progress, need: int, predecessors: Sequence[int]) -> bool:
    """Whether a patient can ask to hold a need's resource in the next step.

    Not while it keeps another one; in the last step of a task it can ask for what comes after it.

    :param state: of the patient
    :param need: the need
    :param predecessors: (K,) bitmasks
    """
    had = after_step(state).had
    return state.left <= 1 and not had >> need & 1 and predecessors[need] & ~had == 0
