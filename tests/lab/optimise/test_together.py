"""Limits that levers have together: books with so many appointments at once, and searches that keep to them."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
from tiny_labs import one_room_lab

from echo_env.lab import LabConfig, load_lab
from echo_env.lab.config.plan import LabPlan

pytest.importorskip("numba")


from echo_env.lab.optimise import Choice, template
from echo_env.lab.optimise.levers import Lever, Values
from echo_env.lab.optimise.levers.seating import seated
from echo_env.lab.optimise.search import PROTECTED, WAITING, Bench, Clock, Objective, descend, front, starts


@pytest.fixture(scope="module")
def crowded() -> LabConfig:
    """One room and one sonographer; three patients who are booked at the same time."""
    return one_room_lab(60, 60, 60)


def most_at_once(times: Values) -> int:
    """Appointments at the time that has most of them."""
    return max(Counter(times).values())


def test_a_book_is_seated_as_near_as_can_be() -> None:
    """Of all books that keep to the limit, none is nearer to the one wanted; of equally near ones, none moves fewer."""
    rng = np.random.default_rng(0)
    for _ in range(30):
        wanted = rng.choice([0, 15, 30, 45], size=4).tolist()
        allowed = [sorted({int(own), *rng.choice([0, 15, 30, 45], size=2).tolist()}) for own in wanted]
        at_once = int(rng.integers(1, 3))

        def cost(times: Values, wanted: list[int] = wanted) -> tuple[int, int]:
            distances = [abs(a - b) for a, b in zip(times, wanted, strict=True)]
            return sum(distances), sum(own > 0 for own in distances)

        books = [book for book in itertools.product(*allowed) if most_at_once(book) <= at_once]
        found = seated(wanted, allowed, at_once)
        assert (found is None) == (not books)
        if found is not None:
            assert found in books
            assert cost(found) == min(map(cost, books))


@pytest.mark.parametrize("at_once", [2, 3])
def test_searches_keep_to_the_limit(at_once: int) -> None:
    """Starts, descents and fronts have no time with more appointments than is allowed, and no other book is played."""
    config = load_lab("scarce")
    choice = Choice(config, (template(config, 60, at_once=at_once),))
    bench = Bench(Objective(config, WAITING, PROTECTED, "scarce_first", 3), choice, 10, Clock(600))
    books = starts(choice, 4, np.random.default_rng(0))
    books += [descend(bench, books[-1], np.random.default_rng(0), range(8))]
    books += front(bench, bench, 2, np.random.default_rng(0))
    assert len(books) == 7
    assert max(most_at_once(book) for book in (*books, *bench._known)) == at_once


def test_values_that_do_not_fit_cost_infinitely_much(crowded: LabConfig) -> None:
    """They are not played, so that a search never takes them."""
    choice = Choice(crowded, (template(crowded, 60, 240, at_once=1),))
    bench = Bench(Objective(crowded, WAITING, PROTECTED, "policy_2", 3), choice, 200, Clock(600))
    assert not choice.fits(choice.today)
    assert bench.cost(choice.today) == math.inf
    assert bench.played == 0
    assert sorted(choice.first) == [0, 60, 120]


def test_what_nobody_is_spread_over_stays() -> None:
    """Levers that are alike are spread evenly where they say so; others begin as they are."""

    class Numbers:
        levers = tuple(Lever(1, (1, 2, 3, 4), "number", spread) for spread in (False, False, True, True))

        def fits(self, values: Values) -> bool:
            return values[3] != 4

    choice = Choice(load_lab("baseline"), (Numbers(),))  # type: ignore[arg-type]
    assert starts(choice, 2, np.random.default_rng(0)) == [(1, 1, 1, 1), (1, 1, 2, 3)]


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"at_once": 0}, "at_once is 0, but must be at least 1"),
        ({"at_once": 1, "latest_min": 60}, "with at most 1 appointment at one time, the 3 patients do not fit"),
        ({"at_once": 2, "held": frozenset({60})}, "with at most 2 appointments at one time, the 3 patients do not fit"),
    ],
)
def test_books_that_cannot_hold_everybody_are_refused(crowded: LabConfig, limits: dict[str, int], words: str) -> None:
    """Limits that leave no book are one sentence."""
    with pytest.raises(ValueError, match=re.escape(words)):
        template(crowded, **{"grid_min": 60, **limits})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Helpers:
    """Numbers of people in the groups of a lab, with as many in all as there are now."""

    levers: tuple[Lever, ...]
    most: int

    def fits(self, values: Values) -> bool:
        """Whether they are no more than there may be."""
        return sum(values) <= self.most

    def apply(self, plan: LabPlan, values: Values) -> LabPlan:
        """A plan with these numbers."""
        groups = [
            replace(own, count=number, always_present=0) for own, number in zip(plan.staff_groups, values, strict=True)
        ]
        return replace(plan, staff_groups=tuple(groups))


def test_under_a_budget_people_are_exchanged() -> None:
    """Where nobody can be added, one is added to a group and one taken from another, if that is better."""
    config = load_lab("baseline").replace(sonographers__fetal=1, sonographers__non_fetal=4)
    levers = tuple(Lever(group.count, (1, 2, 3, 4), group.name) for group in config.plan.staff_groups)
    helpers = Helpers(levers, 5)
    choice = Choice(config, (helpers,))  # type: ignore[arg-type]
    bench = Bench(Objective(config, WAITING, (), "scarce_first", 3), choice, 60, Clock(600))
    found = descend(bench, choice.first, np.random.default_rng(0))
    every = [values for values in itertools.product(range(1, 5), repeat=2) if helpers.fits(values)]
    assert bench.cost(found) == min(map(bench.cost, every)) < bench.reference
    assert sum(found) == 5


def test_what_helps_only_together_is_found() -> None:
    """Two levers with few values, neither of which helps alone, are tried together."""
    levers = (Lever(0, (0, 1), "room"), Lever(0, (0, 1), "person"), Lever(0, (0, 1), "colour"))
    costs = {(1, 0): 2.0, (0, 1): 2.0, (1, 1): 0.0, (0, 0): 1.0}
    bench = SimpleNamespace(
        levers=levers,
        choice=SimpleNamespace(fits=lambda values: True),
        cost=lambda values: costs[values[:2]] + 0.1 * values[2],
    )
    assert descend(bench, (0, 0, 0), np.random.default_rng(0)) == (1, 1, 0)  # type: ignore[arg-type]


def test_appointments_of_two_types_change_places() -> None:
    """Where every time is taken, two patients change theirs, and no other book is cheaper."""
    config = load_lab("baseline").replace(appointments__fetal=(0, 60), appointments__non_fetal=(120, 180, 240))
    choice = Choice(config, (template(config, 60, 240, at_once=1),))

    def cost(times: Values) -> float:
        return -times[0] - times[1] if choice.fits(times) else math.inf

    bench = SimpleNamespace(levers=choice.levers, choice=choice, cost=cost)
    found = descend(bench, choice.first, np.random.default_rng(0))  # type: ignore[arg-type]
    assert sorted(found[:2]) == [180, 240]
    assert choice.fits(found)
