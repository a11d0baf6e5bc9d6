"""Better values of the levers, looked for on common days: descent with line search, on few days first, then on many.

Everything is played on the same days, and patients and members of staff keep their luck whatever changes, so that few
days are enough to tell better from worse (:mod:`echo_env.lab.day.draw`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import numpy as np

from echo_env.lab.optimise.levers import NOTHING, Choice, Values, changed
from echo_env.lab.optimise.search.bench import Bench, TimeIsUp
from echo_env.lab.optimise.search.pairs import SMALL, exchanged

FEW, MANY = 150, 800
"""Days of the first descent and of the second."""
_COARSE = 4
"""Values between those that a line search looks at first."""
_CLOSE = 3
"""Values of a lever, the best on few days, that are looked at on many."""
_KEPT = 40
"""Steps that the front looks at again after each one it has taken."""

Step = tuple[int, int]
"""A lever and its new value."""


def descend(
    bench: Bench,
    values: Values,
    rng: np.random.Generator,
    levers: Sequence[int] | None = None,
    close: Bench | None = None,
) -> Values:
    """Give one lever after the other its best value, and then pairs of them other values, until nothing helps.

    :param bench: plays the days
    :param values: to begin with
    :param rng: order of the levers
    :param levers: which may change; by default all
    :param close: plays more days, on which each step has to help too: few days see no rise of what is rare
    """
    free = range(len(values)) if levers is None else levers
    free = [lever for lever in free if len(bench.levers[lever].allowed) > 1]
    before = None
    try:
        while before != values:
            before = values
            for lever in rng.permutation(free).tolist():
                values = _first_that_helps(close, values, _cheaper(bench, values, lever)[:_CLOSE])
            if values == before:
                values = _first_that_helps(close, values, exchanged(bench, values, free, rng))
    except TimeIsUp:
        pass
    return values


def _first_that_helps(close: Bench | None, values: Values, tried: Sequence[Values]) -> Values:
    return next((own for own in tried if close is None or close.cost(own) < close.cost(values)), values)


def _cheaper(bench: Bench, values: Values, lever: int) -> list[Values]:
    """What is cheaper with another value of one lever, the cheapest first.

    That is, of the values that a coarse look at all it may be and a close one around the best have tried.
    """
    grid = bench.levers[lever].allowed
    here = grid.index(values[lever])
    # What may be there or not is looked at without it too, wherever it is now.
    without = {0} if grid[0] == NOTHING else set()
    coarse = {here - 1, here, here + 1, *without, *range(here % _COARSE, len(grid), _COARSE)}
    costs: dict[int, float] = {}

    def look(places: Iterable[int]) -> int:
        for place in sorted(places):
            if 0 <= place < len(grid) and place not in costs:
                costs[place] = bench.cost(changed(values, lever, grid[place]))
        return min(costs, key=lambda place: (costs[place], place != here, place))

    best = look(range(len(grid)) if len(grid) <= SMALL else coarse)
    if best != here:
        for step in (_COARSE // 2, 1):
            best = look({best - step, best + step})
    ranked = sorted((place for place in costs if costs[place] < costs[here]), key=lambda place: (costs[place], place))
    return [changed(values, lever, grid[place]) for place in ranked]


def front(bench: Bench, close: Bench, most: int, rng: np.random.Generator) -> list[Values]:
    """Values with one lever changed, two, up to ``most``: each takes the step that helps most, and mends those before.

    :param bench: plays few days, to find steps
    :param close: plays many, to choose among the best
    :param most: largest number of steps
    :param rng: order in which steps are mended
    """
    today = values = bench.choice.first
    found: list[Values] = []
    worth: dict[Step, float] = {}
    try:
        while len(found) < most:
            for step in _candidates(bench, values, today, worth):
                worth[step] = bench.cost(changed(values, *step))
            free = [step for step in worth if values[step[0]] == today[step[0]] and _fits(bench, values, step)]
            ranked = sorted(free, key=lambda step: (worth[step], step))[: _KEPT // 4]
            if not ranked:
                break
            # The first few are alike on few days: many days choose.
            values = changed(values, *min(ranked, key=lambda step: (close.cost(changed(values, *step)), step)))
            if found:
                values = descend(close, values, rng, [k for k in range(len(values)) if values[k] != today[k]])
            if close.cost(values) >= close.cost(found[-1] if found else today):
                break
            found.append(values)
    except TimeIsUp:
        first = min(worth, key=lambda step: (worth[step], step), default=None)
        if not found and first is not None and worth[first] < bench.reference:
            found.append(changed(today, *first))
    return found


def _fits(bench: Bench, values: Values, step: Step) -> bool:
    return bench.choice.fits(changed(values, *step))


def _candidates(bench: Bench, values: Values, today: Values, worth: dict[Step, float]) -> list[Step]:
    """Steps that fit and are to be looked at: all of them first, later the best of before.

    Of several levers that are alike and have the same value, the first stands for all.
    """
    first: dict[tuple[Hashable, int], int] = {}
    for lever, own in enumerate(bench.levers):
        if values[lever] == today[lever]:
            first.setdefault((own.alike, values[lever]), lever)
    free = [(lever, value) for lever in first.values() for value in bench.levers[lever].allowed]
    fresh = [step for step in free if step[1] != values[step[0]] and _fits(bench, values, step)]
    ranked = sorted((step for step in fresh if step in worth), key=lambda step: (worth[step], step))
    # A lever that now stands for its like, or a step that now fits, has not been looked at yet.
    return ranked[:_KEPT] + [step for step in fresh if step not in worth]


def starts(choice: Choice, count: int, rng: np.random.Generator) -> list[Values]:
    """Values to begin with: today's; those with everything alike spread evenly; today's with a third drawn at random.

    All of them fit: draws that do not are left out.

    :param choice: what may change
    :param count: how many
    :param rng: of the draws
    """
    found = [choice.first]
    if count > 1:
        found.append(_spread_evenly(choice))
    while len(found) < count:
        values = choice.first
        for lever in rng.permutation(len(values))[: len(values) // 3].tolist():
            drawn = changed(values, lever, int(rng.choice(choice.levers[lever].allowed)))
            values = drawn if choice.fits(drawn) else values
        found.append(values)
    return found


def _spread_evenly(choice: Choice) -> Values:
    """Levers that are alike at even distances over what they may be, or as near to them as others leave room."""
    values = choice.first
    groups: dict[Hashable, list[int]] = {}
    for number, lever in enumerate(choice.levers):
        if lever.spread:
            groups.setdefault(lever.alike, []).append(number)
    for group in groups.values():
        in_order = sorted(group, key=lambda number: choice.levers[number].today)
        for place, number in enumerate(in_order if len(group) > 1 else ()):
            grid = choice.levers[number].allowed
            even = round((place + 0.5) / len(group) * (len(grid) - 1))
            nearest = sorted(range(len(grid)), key=lambda other: abs(other - even))
            tried = (changed(values, number, grid[other]) for other in nearest)
            values = next(filter(choice.fits, tried), values)
    return values
