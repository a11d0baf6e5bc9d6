"""The bound with attached lengths: below the exact optimum of tiny labs, at the same law for who knows no lengths."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from tiny_optimum import BreakLaw, Law, drawn_breaks, optimal_cost

pytest.importorskip("numba")

from echo_env.common.stats import estimate, paired_difference
from echo_env.lab import Day, LabConfig, evaluate, make_policy, sample_days, simulate
from echo_env.lab.bounds.ascent import reachable
from echo_env.lab.bounds.attached import AttachedProblem, attach, expected_minutes
from echo_env.lab.bounds.attached_paths import Attached
from echo_env.lab.bounds.bounds import attached_bound
from echo_env.lab.bounds.rates import Rates, charged, rates_of, redrawn_lengths
from echo_env.lab.bounds.smooth import smooth_bound, smooth_prices
from echo_env.lab.day import Days as SeveralDays
from echo_env.lab.day.laws import duration_probability
from echo_env.lab.evaluation.engines import play_days
from echo_env.lab.simulation.breaks import expected_break
from echo_env.lab.simulation.penalty import penalty_points

Lab = Callable[..., LabConfig]
Days = Callable[..., Day]
TinyLab = tuple[LabConfig, Day]

ROUNDING = 1e-6
COOLING = ((3.0, 15), (0.5, 25))


def tiny_labs(tiny_lab: Lab, tiny_day: Days, count: int, seed: int) -> Iterator[TinyLab]:
    """Random labs of 2 or 3 patients and 1 or 2 sonographers over 10 minutes, with exams of 2 or 3 minutes."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        staff = int(rng.integers(1, 3))
        fetal = int(rng.integers(0, 3))
        others = int(rng.integers(1, 3 if staff == 2 or fetal else 4)) if fetal < 2 else 1
        book = [tuple(sorted(rng.integers(0, 5, number).tolist())) for number in (fetal, others)]
        rooms = int(rng.integers(0, 2))
        config = tiny_lab(
            fetal=book[0], non_fetal=book[1],
            hours__closing_min=6, hours__end_min=10, arrival__on_time_margin_min=1,
            exam__shortest_min=1.2, exam__longest_min=2.8, exam__mean_min=float(rng.uniform(1.5, 2.5)),
            breaks__minutes=2, breaks__number=int(rng.integers(0, 2)), breaks__last_probability=0.4,
            rooms__fetal=1, rooms__non_fetal=rooms, sonographers__fetal=1, sonographers__non_fetal=staff - 1,
            penalty__idle_rule=str(rng.choice(["every_pair", "none"])),
        )  # fmt: skip
        scheduled = np.sort(np.concatenate(book)).astype(int)
        arrival = np.clip(scheduled + rng.integers(-2, 3, fetal + others), 0, 6)
        yield config, tiny_day(config, arrival, np.full(fetal + others, 2.0))


def length_law(config: LabConfig) -> Law:
    """Whole minutes of an exam with their probabilities."""
    below, at_most, above = duration_probability(config.exam, [1, 2, 3])
    assert below == 0
    assert above == 1
    return ((2, float(at_most)), (3, float(1 - at_most)))


def outcomes(config: LabConfig, day: Day) -> Iterator[tuple[float, Attached, list[int]]]:
    """Every combination of lengths and breaks, with its probability, and the exam after which each has the break."""
    staff, most, law = config.sonographers.total, int((day.arrival >= 0).sum()), length_law(config)
    chance = config.breaks.last_probability if config.breaks.number else 0.0
    after = [(n, chance * (1 - chance) ** n) for n in range(most)] + [(most, (1 - chance) ** most)]
    after = [(n, p) for n, p in after if p > 0]
    mean = expected_minutes(config.exam, config.hours.end_min)
    for lengths in itertools.product(law, repeat=staff * most):
        for breaks in itertools.product(after, repeat=staff):
            minutes = np.array([m for m, _ in lengths], dtype=np.int64).reshape(staff, most)
            pause, expected = np.zeros((staff, most), dtype=np.int64), np.zeros((staff, most))
            for s, (n, _) in enumerate(breaks):
                pause[s, n : n + 1] = config.breaks.minutes
                expected[s, : n + 1] = expected_break(config.breaks, config.breaks.number)
            weight = float(np.prod([p for _, p in (*lengths, *breaks)]))
            capable = np.arange(staff) < config.sonographers.fetal
            both = np.repeat(minutes[..., None], 2, axis=-1)
            yield weight, Attached(capable, both, pause, expected, np.stack([mean, mean])), [n for n, _ in breaks]


def known(attached: Attached, after: list[int]) -> tuple[Callable[[int, int, int], Law], BreakLaw]:
    """Laws that leave nothing to chance."""

    def length(s: int, n: int, kind: int) -> Law:
        return ((int(attached.length[s, n, kind]), 1.0),)

    return length, lambda s, done, left: ((int(left > 0 and done - 1 == after[s]), 1.0),)


def check(config: LabConfig, day: Day, rng: np.random.Generator, smooth: bool) -> float:
    """The bound's expectation is at most the optimum, at random prices and rates; returns the share of it reached."""
    optimum = optimal_cost(config, day, lambda s, n, kind: length_law(config), drawn_breaks(config))
    rates = Rates(*rng.normal(scale=3.0, size=(2, config.hours.end_min)))
    totals, sure, good = np.zeros(3), 0.0, []
    for number, (weight, attached, after) in enumerate(outcomes(config, day)):
        sure += weight
        plain, dear = (AttachedProblem(config, day, attached, own) for own in (None, rates))
        prices = rng.exponential(3.0, len(plain.limits))
        if smooth and number < 3:
            good.append(smooth_prices(plain, 5.0, COOLING))
        tau = float(rng.choice([0.0, 0.5]))
        # Prices that are good on one day are good on another, and may be any.
        free = max(plain.solve(own).value for own in (*good, prices))
        totals += weight * np.array([free, dear.solve(prices, tau).value, plain.solve(0 * prices).value])
        if number < 2:
            best = optimal_cost(config, day, *known(attached, after))
            assert max(free, plain.solve(prices, 1.0).value) <= best + ROUNDING
    assert sure == pytest.approx(1)
    assert totals.max() <= optimum + ROUNDING
    return float(totals[0] / optimum) if optimum else 1.0


def test_below_the_best_policy_of_tiny_labs(tiny_lab: Lab, tiny_day: Days) -> None:
    """Its expectation is at most that of the best policy without foresight, and each day's below its best plan."""
    rng = np.random.default_rng(61)
    for config, day in tiny_labs(tiny_lab, tiny_day, 50, seed=62):
        check(config, day, rng, smooth=False)


@pytest.mark.slow
def test_below_the_best_policy_of_many_tiny_labs(tiny_lab: Lab, tiny_day: Days) -> None:
    """The same of 500 labs at good prices, where it is not trivial."""
    rng = np.random.default_rng(63)
    shares = [check(config, day, rng, smooth=True) for config, day in tiny_labs(tiny_lab, tiny_day, 500, seed=64)]
    assert len(shares) == 500
    assert np.mean(shares) > 0.8


def test_the_oracle_agrees_with_a_search_on_the_reference_engine(tiny_lab: Lab, tiny_day: Days) -> None:
    """With nothing left to chance the oracle finds what a search over all decisions finds."""
    from test_bound import best_penalty

    for config, day in tiny_labs(tiny_lab, tiny_day, 8, seed=65):
        nothing = config.replace(breaks__number=0)
        best = best_penalty(nothing, day)
        assert optimal_cost(nothing, day, lambda s, n, kind: ((2, 1.0),), drawn_breaks(nothing)) == pytest.approx(best)


def test_fetal_first_pays_the_same_on_attached_lengths() -> None:
    """Along its own plan the attached lengths and breaks are those of the day; others are of the law."""
    config = LabConfig.load("scarce")
    day = sample_days(config, 1, seed=66)[0]
    trace = reachable(config, day)
    attached = attach(config, day, trace)
    begun = dict.fromkeys(range(config.sonographers.total), 0)
    for exam in sorted(trace.exams, key=lambda exam: exam.start_min):
        own = attached.length[(np.cumsum(day.present) - 1)[exam.sonographer], begun[exam.sonographer]]
        begun[exam.sonographer] += 1
        assert (own == exam.end_min - exam.start_min).all()
    assert (attached.length >= config.exam.shortest_min).all()
    assert (attached.length <= config.exam.longest_min).all()


@pytest.mark.slow
def test_without_charges_it_is_below_fetal_first_day_by_day() -> None:
    """On each day the relaxed plan, and the day's part of the bound, cost at most what ``fetal_first`` pays."""
    config = LabConfig.load("scarce")
    for day in sample_days(config, 2, seed=67):
        trace = reachable(config, day)
        problem = AttachedProblem(config, day, attach(config, day, trace))
        assert 0.5 * trace.penalty.total < smooth_bound(problem, 1000.0, ((20.0, 40), (3.0, 40)))
        assert problem.solve(np.zeros(len(problem.limits))).value <= trace.penalty.total
        assert attached_bound(config, day) <= trace.penalty.total + ROUNDING


def test_the_excess_is_the_gradient_of_the_soft_value() -> None:
    """The excess of the limits is the derivative of the soft value by the prices."""
    config = LabConfig.load("baseline").replace(rooms__non_fetal=2)
    day = sample_days(config, 1, seed=68)[0]
    rates = Rates(*np.random.default_rng(69).normal(size=(2, config.hours.end_min)))
    problem = AttachedProblem(config, day, attach(config, day, reachable(config, day)), rates)
    prices = np.random.default_rng(70).exponential(2.0, len(problem.limits))
    excess = problem.solve(prices, 5.0).excess
    for k in (0, 5, problem.patients + 200, problem.patients + problem.minutes + 300):
        step = 1e-4 * (np.arange(len(prices)) == k)
        slope = (problem.solve(prices + step, 5.0).value - problem.solve(prices - step, 5.0).value) / 2e-4
        assert slope == pytest.approx(excess[k], abs=1e-3)


def played(config: LabConfig, rule: str, days: SeveralDays, length: np.ndarray) -> np.ndarray:
    """(days,) penalties where the n-th exam of each sonographer takes so long, (days, S, N), whoever is examined.

    Lengths are put right plan after plan: the exams that begin first are right first, and stay so.
    """
    policy, minutes = make_policy(rule, config), days.exam_min
    while True:
        results = play_days(config, policy, replace(days, exam_min=minutes))
        by_member = np.lexsort((results.start, results.sonographer), axis=1)
        member, number = np.take_along_axis(results.sonographer, by_member, axis=1), np.empty_like(by_member)
        column = np.arange(member.shape[1])
        first = np.where(np.diff(member, axis=1, prepend=-2) != 0, column, 0)
        np.put_along_axis(number, by_member, column - np.maximum.accumulate(first, axis=1), axis=1)
        own = length[np.arange(len(minutes))[:, None], results.sonographer, number]
        right = np.where(results.start >= 0, own, minutes)
        if (right == minutes).all():
            return np.asarray(penalty_points(config, results.units.T).total, dtype=np.float64)
        minutes = right


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "along"), [("fetal_first", "policy_2"), ("policy_2", "fetal_first")])
def test_attaching_lengths_keeps_what_a_policy_pays(rule: str, along: str) -> None:
    """Over 10,000 days a rule pays the same on average where lengths belong to sonographers."""
    config, count = LabConfig.load("scarce"), 10_000
    days = sample_days(config, count, seed=71)
    paid = evaluate(config, [rule], count, seed=71).values[rule]["penalty"]
    length = np.zeros((count, config.sonographers.total, days.arrival.shape[1]), dtype=np.int64)
    for k, day in enumerate(days):
        attached = attach(config, day, simulate(config, day, make_policy(along, config)))
        length[k, day.present, : attached.length.shape[1]] = attached.length[..., 0]
    difference = paired_difference(played(config, rule, days, length), paid)
    assert difference.half_width < 0.02 * paid.mean()
    assert not difference.excludes_zero


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["fetal_first", "policy_2"])
def test_charges_are_nothing_to_who_knows_no_lengths(rule: str) -> None:
    """The mean of what rules are charged, over redrawn lengths and breaks, is 0 within its interval."""
    config = LabConfig.load("scarce")
    means = []
    for day in sample_days(config, 60, seed=72):
        mean = np.stack([expected_minutes(config.exam, config.hours.end_min)] * 2)
        # Draws of their own for every day: the interval is over days.
        another = replace(day, policy_seed=day.policy_seed ^ 1)
        rates, others = rates_of(config, day, mean, 300), redrawn_lengths(config, another, 1000)
        results = play_days(config, make_policy(rule, config), others)
        means.append(charged(config, results, others.break_draw, mean, rates).mean())
    assert not estimate(means).excludes_zero


def test_rates_have_not_seen_the_lengths_and_breaks() -> None:
    """The rates depend on arrivals and absences alone."""
    config = LabConfig.load("scarce")
    day, other = sample_days(config, 2, seed=73)[:]
    same = Day(**{**vars(day), "exam_min": other.exam_min, "break_draw": other.break_draw})
    mean = np.stack([expected_minutes(config.exam, config.hours.end_min)] * 2)
    one, two = (rates_of(config, own, mean, 50) for own in (day, same))
    assert np.array_equal(one.length, two.length)
    assert np.array_equal(one.pause, two.pause)
    assert one.length.any()
