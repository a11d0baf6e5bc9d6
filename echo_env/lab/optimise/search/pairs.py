"""Steps of two levers at once, for what one alone cannot do: it would break a limit, or helps only with the other."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import combinations

import numpy as np

from echo_env.lab.optimise.levers import Lever, Values, changed
from echo_env.lab.optimise.search.bench import Bench

SMALL = 8
"""A lever with no more values than this, such as a number of people, is looked at in all of them."""
_MOST = 200
"""Pairs of steps that are played."""

Step = tuple[int, int]
"""A lever and its new value."""
Pair = tuple[Step, Step]
"""Steps of two levers."""


def exchanged(bench: Bench, values: Values, levers: Sequence[int], rng: np.random.Generator) -> Values:
    """The values after the first pair of steps that makes them cheaper, or as they are.

    Under a limit, such as a budget or a number of appointments at once, a step that does not fit is tried with one that
    makes room. Steps of two levers with few values, such as a room and somebody to work in it, are tried together too.

    :param bench: plays the days
    :param values: to begin with
    :param levers: which may change
    :param rng: order of the pairs
    """
    found = _distinct(bench.levers, values, levers)
    pairs = [*_adjacent(bench, values, found), *_swaps(bench, values, found)]
    for number in rng.permutation(len(pairs))[:_MOST].tolist():
        both = _after(values, pairs[number])
        if bench.cost(both) < bench.cost(values):
            return both
    return values


def _distinct(levers: Sequence[Lever], values: Values, among: Sequence[int]) -> list[int]:
    """Of several levers that are alike and have the same value, the first stands for all."""
    first: dict[tuple[Hashable, int], int] = {}
    for lever in among:
        first.setdefault((levers[lever].alike, values[lever]), lever)
    return list(first.values())


def _adjacent(bench: Bench, values: Values, found: Sequence[int]) -> list[Pair]:
    """Steps to the next value, down or up, of which one does not fit alone, or both are of levers with few values."""
    levers, fits = bench.levers, bench.choice.fits
    steps = [(lever, value) for lever in found for value in _next_values(levers[lever], values[lever])]
    alone = {step: fits(changed(values, *step)) for step in steps}
    few = {lever for lever in found if len(levers[lever].allowed) <= SMALL}

    def belong(one: Step, other: Step) -> bool:
        different = levers[one[0]].alike != levers[other[0]].alike
        return not (alone[one] and alone[other]) or (different and {one[0], other[0]} <= few)

    pairs = [pair for pair in combinations(steps, 2) if pair[0][0] != pair[1][0] and belong(*pair)]
    return [pair for pair in pairs if fits(_after(values, pair))]


def _swaps(bench: Bench, values: Values, found: Sequence[int]) -> list[Pair]:
    """Levers that are not alike and change their values with each other, because one has no room otherwise."""
    levers, fits = bench.levers, bench.choice.fits
    pairs = []
    for one, other in combinations(found, 2):
        pair = (one, values[other]), (other, values[one])
        allowed = all(value in levers[lever].allowed for lever, value in pair)
        if allowed and levers[one].alike != levers[other].alike and fits(_after(values, pair)):
            pairs.append(pair)
    return [pair for pair in pairs if not all(fits(changed(values, *step)) for step in pair)]


def _next_values(lever: Lever, value: int) -> list[int]:
    here = lever.allowed.index(value)
    return [lever.allowed[place] for place in (here - 1, here + 1) if 0 <= place < len(lever.allowed)]


def _after(values: Values, pair: Pair) -> Values:
    one, other = pair
    return changed(changed(values, *one), *other)
