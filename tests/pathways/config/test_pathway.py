"""Pathways: their resource states and their order; circles are refused."""

from __future__ import annotations

import pytest

from echo_env.pathways import ConfigError
from echo_env.pathways.config.pathway import NONE, Progress, predecessor_masks, resource_states


def test_a_linear_pathway_of_four_needs_has_45_states() -> None:
    """Only states that can be reached are enumerated."""
    linear = resource_states([0, 1, 2, 4], [1] * 4)
    assert len(linear.states) == 9
    assert len(linear.states) * 5 == 45
    assert linear.states[0] == Progress(0)
    assert linear.finished.sum() == 1


def test_an_unordered_pathway_has_every_subset() -> None:
    """Without an order, every subset of needs is a state."""
    unordered = resource_states([0] * 4, [1] * 4)
    assert len(unordered.states) == (4 + 2) * 2 ** (4 - 1)
    assert (unordered.after_win[0] != NONE).all()


def test_a_partial_order_is_between_the_two() -> None:
    """A partial order allows what its predecessor lists allow, and nothing else."""
    # 1 and 2 after 0, 3 after both.
    diamond = resource_states([0b000, 0b001, 0b001, 0b110], [1] * 4)
    had = {state.had for state in diamond.states}
    assert had == {0b0000, 0b0001, 0b0011, 0b0101, 0b0111, 0b1111}
    place = diamond.states.index(Progress(0b0001))
    assert (diamond.after_win[place] != NONE).tolist() == [False, True, True, False]


def test_who_holds_something_can_ask_for_what_comes_next() -> None:
    """In the last step of a task the next need can be asked for."""
    linear = resource_states([0, 1], [1, 1])
    holding = linear.states.index(Progress(0, 0, 1))
    assert linear.states[linear.after_win[holding, 1]] == Progress(0b01, 1, 1)
    assert linear.states[linear.after_wait[holding]] == Progress(0b01)
    assert linear.after_win[holding, 0] == NONE


def test_a_long_task_keeps_its_unit_and_asks_in_its_last_step() -> None:
    """A long task keeps its unit until its last step, in which the next need can be asked for."""
    pathway = resource_states([0, 1], [3, 1])
    chain = [pathway.states.index(Progress(0, 0, left)) for left in (3, 2, 1)]
    assert pathway.after_wait[chain[:2]].tolist() == chain[1:]
    assert pathway.keeps[chain].tolist() == [True, True, False]
    assert (pathway.after_win[chain[:2]] == NONE).all()
    assert pathway.states[pathway.after_win[chain[2], 1]] == Progress(0b01, 1, 1)


@pytest.mark.parametrize("order", [[[1], [0]], [[], [1]], [[2], [0], [1], []]])
def test_circles_are_refused(order: list[list[int]]) -> None:
    """Needs that come before each other in a circle are refused."""
    with pytest.raises(ConfigError, match=r"order is .* wait for each other in a circle"):
        predecessor_masks("order", order)
