"""Better appointment books: what may change, the search, the selection, and what is said of them."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from echo_env.lab import GeneralLabConfig, LabConfig, load_lab

pytest.importorskip("numba")

from echo_env.lab.optimise import Allowed, Budget, optimise
from echo_env.lab.optimise.better_file import better_text
from echo_env.lab.optimise.books import Move, moves_between, seats_of, with_times
from echo_env.lab.optimise.kim_nelson import select, squared_h
from echo_env.lab.optimise.objective import PROTECTED, WAITING, Objective
from echo_env.lab.optimise.proposal import simultaneous
from echo_env.lab.optimise.search import Bench, Choice, Clock, choice_of, descend, front, moved, starts
from echo_env.lab.optimise.words import as_json, move_sentence, verdict
from echo_env.lab.optimise.worlds import other_worlds

TINY = Budget(seconds=20, starts=1, days=60, world_days=20)


@pytest.fixture(scope="module")
def crowded() -> LabConfig:
    """One room and one sonographer; three patients who are booked at the same time."""
    return load_lab("baseline").replace(
        name="crowded",
        appointments__fetal=(),
        appointments__non_fetal=(60, 60, 60),
        rooms__fetal=0,
        rooms__non_fetal=1,
        sonographers__fetal=0,
        sonographers__non_fetal=1,
        sonographers__always_present_fetal=0,
        sonographers__always_present_non_fetal=1,
    )


def bench_of(config: LabConfig | GeneralLabConfig, choice: Choice, days: int) -> Bench:
    """Books of a lab on some days, with time enough."""
    return Bench(Objective(config, WAITING, PROTECTED, "policy_2", 3), config, choice, days, Clock(600))


def test_other_times_change_the_book_alone() -> None:
    """A lab with other times is the same lab but for its appointments, which stay in their places."""
    config = load_lab("mri_unit")
    seats = seats_of(config.plan)
    times = moved(tuple(seat.minute for seat in seats), 3, 95)
    other = with_times(config, seats, times)
    assert [seat.minute for seat in seats_of(other.plan)] == list(times)
    assert other.plan.staff_groups == config.plan.staff_groups
    assert other.plan.room_groups == config.plan.room_groups


@pytest.mark.parametrize(
    ("new", "moves"),
    [
        ((60, 60, 60), []),
        ((0, 60, 60), [Move("non_fetal", 60, 0, 1)]),
        ((0, 0, 30), [Move("non_fetal", 60, 0, 2), Move("non_fetal", 60, 30, 1)]),
    ],
)
def test_moves_are_what_a_bookkeeper_does(crowded: LabConfig, new: tuple[int, ...], moves: list[Move]) -> None:
    """Times that both books have are no moves, and like moves are counted together."""
    assert moves_between(crowded.plan, seats_of(crowded.plan), new) == moves


def test_exchanged_patients_are_no_move() -> None:
    """Two appointments of a type that change places leave the book as it was."""
    config = load_lab("scarce")
    seats = seats_of(config.plan)
    times = [seat.minute for seat in seats]
    times[1], times[3] = times[3], times[1]
    assert moves_between(config.plan, seats, tuple(times)) == []


def test_descent_reaches_the_best_of_all_books(crowded: LabConfig) -> None:
    """With three patients and five times, no book on these days costs less than the one found."""
    choice = choice_of(crowded, 60, 240)
    bench = bench_of(crowded, choice, 200)
    found = descend(bench, choice.first, np.random.default_rng(0))
    best = min(itertools.product(*choice.allowed), key=bench.cost)
    assert bench.cost(found) == bench.cost(best)


def test_the_front_falls_with_every_move(crowded: LabConfig) -> None:
    """Each book of the front has one move more, and costs less, than the one before it."""
    choice = choice_of(crowded, 60, 240)
    bench = bench_of(crowded, choice, 200)
    books = front(bench, bench, 2, np.random.default_rng(0))
    numbers = [sum(move.number for move in moves_between(crowded.plan, choice.seats, book)) for book in books]
    assert numbers == [1, 2]
    assert bench.cost(books[1]) < bench.cost(books[0]) < bench.cost(choice.today)


def test_a_protected_metric_that_may_rise_is_dear() -> None:
    """A book that sends patients home costs more than today's, though its patients wait less."""
    config = load_lab("scarce")
    choice = choice_of(config, 15, config.hours.closing_min)
    bench = bench_of(config, choice, 100)
    late = choice.today
    for seat in range(10):
        late = moved(late, seat, config.hours.closing_min)
    scores = bench.scores(late)
    assert scores.objective.mean() < bench.scores(choice.today).objective.mean()
    assert bench.cost(late) > bench.cost(choice.today)


def test_windows_and_held_times_are_kept() -> None:
    """Appointments outside their window move into it, held ones stay, and starts are allowed books."""
    config = load_lab("scarce")
    held = seats_of(config.plan)[-1].minute
    choice = choice_of(config, 15, 480, frozenset({held}), {0: (60, 300)})
    for times in starts(choice, 4, np.random.default_rng(1)):
        for seat, minute, allowed in zip(choice.seats, times, choice.allowed, strict=True):
            assert minute in allowed
            assert seat.kind != 0 or seat.minute == held or 60 <= minute <= 300
            assert seat.minute != held or minute == held


def test_the_constant_of_the_selection() -> None:
    """With two systems, h squared is 2 (n - 1) eta with eta = ((2 alpha) ^ (-2 / (n - 1)) - 1) / 2."""
    assert math.isclose(squared_h(2, 11, 0.05), 10 * (0.1 ** (-2 / 10) - 1))


def test_the_best_system_is_chosen_as_often_as_promised() -> None:
    """Of 200 selections among five systems, with the best one better by delta, at least 95 % are right."""
    right = 0
    for seed in range(200):
        noise = np.random.default_rng(seed).normal(size=(6, 20_000))

        def play(system: int, first: int, count: int, noise: np.ndarray = noise) -> np.ndarray:
            own = noise[system, first : first + count] + noise[5, first : first + count]
            return own + (0.0 if system == 2 else 0.5)

        right += select(play, 5, delta=0.5, first=20, step=10, most=20_000).best == 2
    assert right >= 190


def test_simultaneous_intervals_are_wider() -> None:
    """The intervals of ten comparisons have the 99.5 % level of one."""
    values = np.random.default_rng(0).normal(size=(1, 100_000))
    one, ten = simultaneous(values, 1)[0], simultaneous(values, 10)[0]
    assert math.isclose(ten.half_width / one.half_width, 2.807 / 1.960, rel_tol=1e-3)


def test_worlds_change_what_they_name() -> None:
    """Each other world differs from the lab, and none changes its book."""
    config = load_lab("scarce")
    worlds = dict(other_worlds())
    assert len(worlds) == 8
    for change in worlds.values():
        other = change(config.plan)
        assert other != config.plan
        assert [own.scheduled for own in other.types] == [own.scheduled for own in config.plan.types]


def test_a_proposal_is_measured_on_days_of_its_own(crowded: LabConfig) -> None:
    """Patients booked together are spread, they wait less on held-out days, and jobs change nothing."""
    budget = Budget(seconds=60, starts=2, days=200, world_days=20)
    allowed = Allowed(grid_min=60, latest_min=240)
    found = optimise(crowded, rule="policy_2", allowed=allowed, budget=budget, seed=5)
    assert found.step is not None
    assert found.recommended
    assert len(set(found.step.times)) == 3
    assert found.step.effects["overall_wait_min"].high < 0
    again = optimise(crowded, rule="policy_2", allowed=allowed, budget=replace(budget, jobs=2), seed=5)
    assert as_json(again) == as_json(found)
    assert any(sentence.startswith("Recommended: ") for sentence in verdict(found))
    assert move_sentence(Move("non_fetal", 60, 0), crowded.hours) == "Move one 09:00 non_fetal appointment to 08:00."


def test_patients_who_would_be_sent_home_are_named(crowded: LabConfig) -> None:
    """A book that pays by sending patients home is refused where that is protected, and else comes with a warning."""
    closing = Allowed(grid_min=60, windows={"non_fetal": (crowded.hours.closing_min, crowded.hours.closing_min)})
    naive = optimise(crowded, {"wait_min": 1.0}, (), "policy_2", closing, TINY)
    assert "turned_away" in naive.warnings
    assert any(said.startswith("Warning: ") and "turned away" in said for said in verdict(naive))
    careful = optimise(crowded, {"wait_min": 1.0}, PROTECTED, "policy_2", closing, TINY)
    assert not careful.recommended
    assert "turned_away" in careful.harms


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"weights": {"wait_mn": 1.0}}, "'wait_mn' is no metric of the lab 'crowded' (did you mean wait_min?)"),
        ({"protected": ("sent_home",)}, "'sent_home' is no metric of the lab 'crowded'"),
        ({"rule": "policy_3"}, "policy is 'policy_3', but must be one of policy_1, policy_2, scarce_first"),
        ({"allowed": Allowed(windows={"foetal": (0, 60)})}, "'foetal', which is no exam type of the lab"),
        ({"allowed": Allowed(windows={"non_fetal": (61, 62)})}, "so that its patients do not fit"),
        ({"allowed": Allowed(held=frozenset({60}))}, "no appointment may move"),
    ],
)
def test_what_cannot_be_meant_is_refused(crowded: LabConfig, arguments: dict[str, Any], words: str) -> None:
    """Each is one sentence that names the value and what is allowed."""
    with pytest.raises(ValueError, match=re.escape(words)):
        optimise(crowded, budget=TINY, **arguments)


@pytest.mark.parametrize("source", ["short", "general", "weekday"])
def test_the_better_file_is_the_input_with_other_times(source: str, tmp_path: Path) -> None:
    """Comments stay, the lab that is read back has the proposed book, and nothing else differs."""
    texts = {
        "short": "# mine\nbase: scarce  # the paper's\nname: mine\n",
        "general": "# mine\nbase: mri_unit  # the preset\nname: mine\n",
        "weekday": "# mine\nbase: mri_unit  # the preset\nname: mine\ndays:\n  monday: {penalty: {late: 3}}\n",
    }
    file = tmp_path / "lab.yaml"
    file.write_text(texts[source])
    name = f"{file}#monday" if source == "weekday" else str(file)
    config = load_lab(name)
    seats = seats_of(config.plan)
    times = moved(tuple(seat.minute for seat in seats), 2, 15)
    text = better_text(name, config, seats, times)
    assert text.startswith("# mine\nbase: ")
    assert "  # the p" in text
    file.write_text(text)
    assert [seat.minute for seat in seats_of(load_lab(name).plan)] == list(times)
    assert load_lab(name).hours == config.hours
