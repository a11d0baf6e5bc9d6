"""Lower bounds: below the best plan that an exhaustive search finds, and below what every rule pays."""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

from echo_env.lab import Day, LabConfig, Simulator, evaluate, load_lab, make_policy, sample_days, simulate
from echo_env.lab.bounds import bounds as bound
from echo_env.lab.bounds import lengths as bound_lengths
from echo_env.lab.bounds.bounds import attached_bound, clairvoyant_bound, find_bounds, lengths_unknown_bounds
from echo_env.lab.bounds.lengths import expected_to_go, lengths_charge, mean_to_go
from echo_env.lab.bounds.paths import PathProblem
from echo_env.lab.day.laws import exam_minutes
from echo_env.lab.simulation.patient import Start
from echo_env.lab.simulation.penalty import penalty_points
from echo_env.lab.simulation.waiting_cost import waiting_points

Lab = Callable[..., LabConfig]
Days = Callable[..., Day]

ROUNDING = 1e-6


def best_penalty(config: LabConfig, day: Day) -> float:
    """The least penalty over all sequences of decisions, each played on the reference model.

    Prefixes of decisions that lead to the same state are played on once: what the future costs depends on who has
    been served, when rooms and sonographers are free again, and the numbers of exams done.
    """

    def played(prefix: tuple[tuple[int, tuple[Start, ...]], ...]) -> Simulator:
        lab, decisions = Simulator(config, day), dict(prefix)
        while not lab.over and (not lab.board.can_start() or lab.board.minute in decisions):
            if lab.board.can_start():
                lab.start(decisions[lab.board.minute])
            lab.advance()
        return lab

    best = np.inf
    seen: dict[Any, float] = {}
    stack: list[tuple[tuple[int, tuple[Start, ...]], ...]] = [()]
    while stack:
        prefix = stack.pop()
        lab = played(prefix)
        paid = penalty_points(config, lab.units).total
        if lab.over:
            best = min(best, paid)
            continue
        board = lab.board
        ends = tuple((s, e.room, e.start_min, e.patient) for s, e in sorted(board.running.items()))
        state = (board.minute, tuple(sorted(board.waiting)), ends, tuple(board.exams_begun),
                 tuple(sorted(board.break_since.items())), tuple(board.breaks_left))  # fmt: skip
        if paid >= seen.get(state, np.inf):
            continue
        seen[state] = paid
        stack += [(*prefix, (board.minute, starts)) for starts in decisions_of(lab)]
    return best


def decisions_of(lab: Simulator) -> Iterator[tuple[Start, ...]]:
    """Every feasible set of starts; of rooms of one kind, which are interchangeable, the lowest number."""
    patients = sorted(lab.board.waiting)
    staff = [s for kind in (True, False) for s in lab.view.free_sonographers(fetal=kind)]
    for count in range(min(len(patients), len(staff)) + 1):
        for who in itertools.combinations(patients, count):
            for whom in itertools.permutations(staff, count):
                for kinds in itertools.product((True, False), repeat=count):
                    rooms = {kind: lab.view.free_rooms(fetal=kind) for kind in (True, False)}
                    if any(kinds.count(kind) > len(rooms[kind]) for kind in rooms):
                        continue
                    fits = all(
                        not lab.board.appointments[p].fetal or (kind and s < lab.config.sonographers.fetal)
                        for p, s, kind in zip(who, whom, kinds, strict=True)
                    )
                    if fits:
                        taken = [rooms[kind].pop(0) for kind in kinds]
                        yield tuple(Start(*line) for line in zip(who, taken, whom, strict=True))


def tiny_days(tiny_lab: Lab, tiny_day: Days, count: int, seed: int) -> Iterator[tuple[LabConfig, Day]]:
    """Random labs of 2 to 4 patients and 1 to 3 sonographers, with breaks, over a dozen minutes."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        fetal, others = int(rng.integers(0, 3)), int(rng.integers(1, 3))
        book = [tuple(sorted(rng.integers(0, 7, number).tolist())) for number in (fetal, others)]
        rule = str(rng.choice(["every_pair", "every_pair", "while_waiting", "none"]))
        config = tiny_lab(
            fetal=book[0], non_fetal=book[1],
            hours__closing_min=7, hours__end_min=12, arrival__on_time_margin_min=1,
            exam__shortest_min=0.0, exam__longest_min=6.0, breaks__minutes=1, breaks__number=int(rng.integers(0, 3)),
            rooms__fetal=1, rooms__non_fetal=int(rng.integers(0, 2)),
            sonographers__fetal=int(rng.integers(1, 3)), sonographers__non_fetal=int(rng.integers(0, 2)),
            penalty__idle_rule=rule,
        )  # fmt: skip
        patients, staff = fetal + others, config.sonographers.total
        scheduled = np.sort(np.concatenate(book)).astype(int)
        arrival = np.clip(scheduled + rng.integers(-3, 4, patients), 0, 7)
        arrival[rng.random(patients) < 0.1] = -1
        breaks = rng.random((staff, patients)) * 0.6
        yield config, tiny_day(config, arrival, rng.uniform(0.5, 5, patients), break_draw=breaks)


def test_waiting_points_add_up_to_the_waiting_part() -> None:
    """Waiting points add up to the waiting part of the penalty."""
    for name in ("scarce", "authors_code"):
        config = LabConfig.load(name)
        for day in sample_days(config, 5, seed=31):
            trace = simulate(config, day, make_policy("policy_1", config))
            comes = np.flatnonzero(day.arrival >= 0)
            begun = {exam.patient: exam.start_min for exam in trace.exams}
            start = [begun.get(int(p), config.hours.end_min) for p in comes]
            paid = waiting_points(config, day.scheduled[comes], day.arrival[comes])
            assert paid[np.arange(len(comes)), start].sum() == trace.penalty.waiting


@pytest.mark.slow
def test_below_the_best_of_all_plans(tiny_lab: Lab, tiny_day: Days) -> None:
    """On tiny days the bound is at most the penalty of the best plan, and not trivial."""
    gaps, optima = [], []
    for config, day in tiny_days(tiny_lab, tiny_day, 60, seed=32):
        best = best_penalty(config, day)
        found = clairvoyant_bound(config, day, steps=300)
        assert found <= best + ROUNDING
        if config.penalty.idle_rule != "while_waiting":
            gaps.append(best - found)
            optima.append(best)
    # It would be valid, and of no use, if it were 0.
    assert sum(gaps) < 0.25 * sum(optima)


def test_exact_where_one_sonographer_serves_one_patient(tiny_lab: Lab, tiny_day: Days) -> None:
    """With one sonographer and one patient the bound is exact."""
    # Arrives at 3 for an appointment at 5, early until 4, exam of 2 minutes from 3 on, then a break of 1; 12 minutes
    # in all, of which 9 are idle. Served at once, so nobody waits.
    config = tiny_lab(
        non_fetal=(5,), rooms__fetal=0, rooms__non_fetal=1, sonographers__fetal=0, sonographers__non_fetal=1,
        hours__closing_min=7, hours__end_min=12, arrival__on_time_margin_min=1, exam__shortest_min=0.0,
        breaks__minutes=1,
    )  # fmt: skip
    day = tiny_day(config, [3], [1.5], break_draw=np.array([[0.3]]))
    assert best_penalty(config, day) == 9
    assert clairvoyant_bound(config, day, steps=300) == pytest.approx(9, abs=0.01)


def test_any_prices_give_a_bound(tiny_lab: Lab, tiny_day: Days) -> None:
    """The relaxation is a lower bound at any prices."""
    rng = np.random.default_rng(33)
    for config, day in tiny_days(tiny_lab, tiny_day, 20, seed=34):
        best, problem = best_penalty(config, day), PathProblem(config, day)
        for scale in (0.1, 1.0, 10.0):
            prices = rng.exponential(scale, problem.patients + 2 * problem.minutes)
            assert problem.solve(prices).value <= best + ROUNDING


def test_excess_is_a_supergradient(tiny_lab: Lab, tiny_day: Days) -> None:
    """The excess of the limits is a supergradient of the bound."""
    rng = np.random.default_rng(35)
    for config, day in tiny_days(tiny_lab, tiny_day, 10, seed=36):
        problem = PathProblem(config, day)
        one, other = rng.exponential(2.0, (2, problem.patients + 2 * problem.minutes))
        here = problem.solve(one)
        assert problem.solve(other).value <= here.value + here.excess @ (other - one) + ROUNDING


@pytest.mark.parametrize(
    ("preset", "share"), [("scarce", 0.55), pytest.param("baseline", 0.85, marks=pytest.mark.slow)]
)
def test_below_what_every_rule_pays(preset: str, share: float) -> None:
    """On every day the clairvoyant bound is at most what each rule pays."""
    config, days = LabConfig.load(preset), 50
    rules = ["policy_1", "policy_2", "fetal_first", "random"]
    paid = evaluate(config, rules, days, seed=37)
    bounds = np.array([clairvoyant_bound(config, day, steps=200) for day in sample_days(config, days, seed=37)])
    for name in rules:
        assert (bounds <= paid.values[name]["penalty"] + ROUNDING).all()
    assert bounds.mean() > share * paid.values["fetal_first"]["penalty"].mean()


def test_more_sonographers_than_rooms() -> None:
    """The bound holds, and is not trivial, where there are more sonographers than rooms."""
    config = LabConfig.load("baseline").replace(rooms__non_fetal=2)
    for day in sample_days(config, 5, seed=38):
        paid = simulate(config, day, make_policy("fetal_first", config)).penalty.total
        assert 0.4 * paid < clairvoyant_bound(config, day, steps=300) <= paid


def test_nothing_is_owed_in_the_abundant_lab() -> None:
    """All bounds are 0 in the abundant lab."""
    found = find_bounds(LabConfig.load("abundant"), 5, seed=39)
    assert not found.clairvoyant.any()
    assert not found.lengths_unknown.any()
    assert not found.attached.any()


def test_the_charge_is_nothing_to_who_does_not_know_lengths() -> None:
    """The charge has mean 0 over exam lengths."""
    config = LabConfig.load("scarce")
    law, to_go = config.exam, np.linspace(-3000.0, 0.0, config.hours.end_min + 1)
    drawn = np.maximum(np.ceil(exam_minutes(law, (np.arange(200_000) + 0.5) / 200_000)), 1).astype(int)
    for start in (0, 300, 640):
        ends = to_go[np.minimum(start + drawn, config.hours.end_min)]
        assert expected_to_go(law, to_go)[start] == pytest.approx(ends.mean(), abs=0.01)


def test_what_is_charged_has_not_seen_the_lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is charged from does not depend on the day's exam lengths."""
    monkeypatch.setattr(bound_lengths, "_STEPS", 100)
    config = LabConfig.load("scarce")
    day, other = sample_days(config, 2, seed=40)[:]
    same = Day(**{**vars(day), "exam_min": other.exam_min})
    assert np.array_equal(mean_to_go(config, day), mean_to_go(config, same))
    charge = lengths_charge(config, day)
    assert charge.shape == (int((day.arrival >= 0).sum()), config.hours.end_min)
    # Short exams gain time, and are charged for it, while sonographers are dear.
    lengths = day.exam_whole_min[day.arrival >= 0]
    assert charge[lengths.argmin(), 200] > 0 > charge[lengths.argmax(), 200]


@pytest.mark.slow
def test_unknown_lengths_raise_the_mean_and_stay_below_the_rules() -> None:
    """With unknown lengths the mean bound rises, and stays below the best rule."""
    config, days = LabConfig.load("scarce"), 100
    paid = evaluate(config, ["fetal_first"], days, seed=41).values["fetal_first"]["penalty"]
    found = find_bounds(config, days, seed=41)
    assert found.clairvoyant.mean() < found.lengths_unknown.mean() < paid.mean()


def test_the_same_day_has_the_same_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bounds of a day do not depend on other days."""
    monkeypatch.setattr(bound_lengths, "_STEPS", 50)
    config = LabConfig.load("scarce")
    days = sample_days(config, 2, seed=42)
    first, second = ((*lengths_unknown_bounds(config, day, steps=100), attached_bound(config, day)) for day in days)
    assert (*lengths_unknown_bounds(config, days[0], steps=100), attached_bound(config, days[0])) == first
    found = find_bounds(config, 2, seed=42, steps=100)
    assert list(zip(*found, strict=True)) == [first, second]


def test_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """No day, a lab of another form, and a missing compiler are refused in one sentence."""
    config = LabConfig.load("scarce")
    with pytest.raises(ValueError, match=r"are for labs of the paper's form, .* which 'mri_unit' is not: its policies"):
        find_bounds(load_lab("mri_unit"), 2, seed=1)
    with pytest.raises(ValueError, match="days of bounds is 0, but must be at least 1"):
        find_bounds(config, 0, seed=1)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="numba is missing: pip install"):
        bound.clairvoyant_bound(config, sample_days(config, 1, seed=1)[0])
