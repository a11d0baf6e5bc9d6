"""Steps of two levers at once, for what one alone cannot do: it would break a limit, or helps only with the other."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import combinations, islice

import numpy as np

from echo_env.lab.optimise.levers import Lever, Values, changed
from echo_env.lab.optimise.search.bench import Bench

SMALL = 8
"""A lever with no more values than this, such as a number of people, is looked at in all of them."""
_MOST, _LOOKED_AT = 200, 2000
"""Pairs of steps that are played, and those of which it is asked whether they fit, of each kind of pair."""

Step = tuple[int, int]
"""A lever and its new value."""
Pair = tuple[Step, Step]
"""Steps of two levers."""


def exchanged(bench: Bench, values: Values, levers: Sequence[int], rng: np.random.Generator) -> list[Values]:
    """The values after the first pair of steps that makes them cheaper, if there is one.

    Under a limit, such as a budget or a number of appointments at once, a step that does not fit is tried with one that
    makes room. Steps of two levers with few values, such as a room and somebody to work in it, are tried together too.

    :param bench: plays the days
    :param values: to begin with
    :param levers: which may change
    :param rng: order of the pairs
    """
    blocked, together = _pairs(bench, values, _distinct(bench.levers, values, levers))
    for pairs in (blocked, together):
        order = (pairs[number] for number in rng.permutation(len(pairs))[:_LOOKED_AT].tolist())
        tried = (_after(values, pair) for pair in order)
        for both in islice(filter(bench.choice.fits, tried), _MOST):
            if bench.cost(both) < bench.cost(values):
                return [both]
    return []


def _distinct(levers: Sequence[Lever], values: Values, among: Sequence[int]) -> list[int]:
    """Of several levers that are alike and have the same value, the first stands for all."""
    first: dict[tuple[Hashable, int], int] = {}
    for lever in among:
        first.setdefault((levers[lever].alike, values[lever]), lever)
    return list(first.values())


def _pairs(bench: Bench, values: Values, found: Sequence[int]) -> tuple[list[Pair], list[Pair]]:
    """Pairs of steps of which one does not fit alone, and others of levers with few values.

    Steps are those to the next value, down or up; and two levers that are not alike may change values with each other.
    """
    levers, fits = bench.levers, bench.choice.fits
    few = {lever for lever in found if len(levers[lever].allowed) <= SMALL}
    fitting: dict[Step, bool] = {}

    def is_blocked(pair: Pair) -> bool:
        for step in pair:
            if step not in fitting:
                fitting[step] = fits(changed(values, *step))
        return not all(fitting[step] for step in pair)

    steps = [(lever, value) for lever in found for value in _next_values(levers[lever], values[lever])]
    adjacent = [(one, other) for one, other in combinations(steps, 2) if one[0] != other[0]]
    swaps = [pair for one, other in combinations(found, 2) for pair in _swap(levers, values, one, other)]
    blocked = [pair for pair in (*adjacent, *swaps) if is_blocked(pair)]
    together = [pair for pair in adjacent if {lever for lever, _ in pair} <= few and not is_blocked(pair)]
    return blocked, [pair for pair in together if levers[pair[0][0]].alike != levers[pair[1][0]].alike]


def _swap(levers: Sequence[Lever], values: Values, one: int, other: int) -> list[Pair]:
    pair = (one, values[other]), (other, values[one])
    allowed = all(value in levers[lever].allowed for lever, value in pair)
    return [pair] if allowed and levers[one].alike != levers[other].alike else []


def _next_values(lever: Lever, value: int) -> list[int]:
    here = lever.allowed.index(value)
    return [lever.allowed[place] for place in (here - 1, here + 1) if 0 <= place < len(lever.allowed)]


def _after(values: Values, pair: Pair) -> Values:
    one, other = pair
    return changed(changed(values, *one), *other)
