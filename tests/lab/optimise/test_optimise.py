"""Better appointment books: what may change, the search, the selection, and what is said of them."""

from __future__ import annotations

import itertools
import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_labs import one_room_lab

from echo_env.common.stats import simultaneous
from echo_env.lab import GeneralLabConfig, LabConfig, load_lab

pytest.importorskip("numba")


from echo_env.lab.optimise import Budget, Choice, optimise, template
from echo_env.lab.optimise.levers import changed, number_of, seats_of
from echo_env.lab.optimise.report.better_file import FIRST_LINE, better_text, check_own
from echo_env.lab.optimise.report.words import as_json, verdict
from echo_env.lab.optimise.search import PROTECTED, WAITING, Bench, Clock, Objective, descend, front, starts
from echo_env.lab.optimise.search.kim_nelson import select, squared_h
from echo_env.lab.optimise.worlds import other_worlds

TINY = Budget(seconds=20, starts=1, days=60, world_days=20)


@pytest.fixture(scope="module")
def crowded() -> LabConfig:
    """One room and one sonographer; three patients who are booked at the same time."""
    return one_room_lab(60, 60, 60)


def choice_of(config: LabConfig | GeneralLabConfig, *limits: Any) -> Choice:
    """The books of a lab."""
    return Choice(config, (template(config, *limits),))


def bench_of(config: LabConfig | GeneralLabConfig, choice: Choice, days: int) -> Bench:
    """Books of a lab on some days, with time enough."""
    return Bench(Objective(config, WAITING, PROTECTED, "policy_2", 3), choice, days, Clock(600))


def test_other_times_change_the_book_alone() -> None:
    """A lab with other times is the same lab but for its appointments, which stay in their places."""
    config = load_lab("mri_unit")
    choice = choice_of(config)
    times = changed(choice.today, 3, 95)
    other = choice.lab(times)
    assert [seat.minute for seat in seats_of(other.plan)] == list(times)
    assert other.plan.staff_groups == config.plan.staff_groups
    assert other.plan.room_groups == config.plan.room_groups


@pytest.mark.parametrize(
    ("new", "moves"),
    [
        ((60, 60, 60), []),
        ((0, 60, 60), ["Move one 09:00 non_fetal appointment to 08:00."]),
        (
            (0, 0, 30),
            ["Move two 09:00 non_fetal appointments to 08:00.", "Move one 09:00 non_fetal appointment to 08:30."],
        ),
    ],
)
def test_moves_are_what_a_bookkeeper_does(crowded: LabConfig, new: tuple[int, ...], moves: list[str]) -> None:
    """Times that both books have are no moves, and like moves are counted together."""
    assert [change.sentence for change in choice_of(crowded).changes(new)] == moves


def test_exchanged_patients_are_no_move() -> None:
    """Two appointments of a type that change places leave the book as it was."""
    config = load_lab("scarce")
    choice = choice_of(config)
    times = list(choice.today)
    times[1], times[3] = times[3], times[1]
    assert choice.changes(tuple(times)) == ()
    assert choice.in_file(tuple(times)) == {}


def test_descent_reaches_the_best_of_all_books(crowded: LabConfig) -> None:
    """With three patients and five times, no book on these days costs less than the one found, whoever has which."""
    choice = choice_of(crowded, 60, 240)
    bench = bench_of(crowded, choice, 200)
    found = descend(bench, choice.first, np.random.default_rng(0))
    best = min(itertools.product(*(lever.allowed for lever in choice.levers)), key=bench.cost)
    assert sorted(found) == sorted(best)


def test_the_front_falls_with_every_move(crowded: LabConfig) -> None:
    """Each book of the front has one move more, and costs less, than the one before it."""
    choice = choice_of(crowded, 60, 240)
    bench = bench_of(crowded, choice, 200)
    books = front(bench, bench, 2, np.random.default_rng(0))
    assert [number_of(choice.changes(book)) for book in books] == [1, 2]
    assert bench.cost(books[1]) < bench.cost(books[0]) < bench.cost(choice.today)


def test_a_front_that_time_ends_gives_the_best_step_so_far(crowded: LabConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the steps that were looked at before time was over, the best one is the answer."""
    bench = bench_of(crowded, choice_of(crowded, 60, 240), 200)
    monkeypatch.setattr(Clock, "is_over", property(lambda clock: bench.played >= 2))
    books = front(bench, bench, 2, np.random.default_rng(0))
    assert len(books) == 1
    assert bench.cost(books[0]) == min(bench._known.values()) < bench.reference


def test_a_protected_metric_that_may_rise_is_dear() -> None:
    """A book that sends patients home costs more than today's, though its patients wait less."""
    config = load_lab("scarce")
    choice = choice_of(config, 15, config.hours.closing_min)
    bench = bench_of(config, choice, 100)
    late = choice.today
    for seat in range(10):
        late = changed(late, seat, config.hours.closing_min)
    scores = bench.scores(late)
    assert scores.objective.mean() < bench.scores(choice.today).objective.mean()
    assert bench.cost(late) > bench.cost(choice.today)


def test_windows_and_held_times_are_kept() -> None:
    """Appointments outside their window move into it, held ones stay, and starts are allowed books."""
    config = load_lab("scarce")
    held = seats_of(config.plan)[-1].minute
    choice = choice_of(config, 15, 480, frozenset({held}), {"fetal": (60, 300)})
    for times in starts(choice, 4, np.random.default_rng(1)):
        for seat, minute, lever in zip(seats_of(config.plan), times, choice.levers, strict=True):
            assert minute in lever.allowed
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
    decide = [template(crowded, 60, 240)]
    found = optimise(crowded, decide, rule="policy_2", budget=budget, seed=5)
    assert found.step is not None
    assert found.recommended
    assert len(set(found.step.values)) == 3
    assert found.step.effects["overall_wait_min"].high < 0
    again = optimise(crowded, decide, rule="policy_2", budget=replace(budget, jobs=2), seed=5)
    assert as_json(again) == as_json(found)
    assert any(sentence.startswith("Recommended: ") for sentence in verdict(found))


def test_patients_who_would_be_sent_home_are_named(crowded: LabConfig) -> None:
    """A book that pays by sending patients home is refused where that is protected, and else comes with a warning."""
    closing = crowded.hours.closing_min
    decide = [template(crowded, 60, windows={"non_fetal": (closing, closing)})]
    naive = optimise(crowded, decide, {"wait_min": 1.0}, (), rule="policy_2", budget=TINY)
    assert "turned_away" in naive.warnings
    assert any(said.startswith("Warning: ") and "would be sent home" in said for said in verdict(naive))
    careful = optimise(crowded, decide, {"wait_min": 1.0}, rule="policy_2", budget=TINY)
    assert not careful.recommended
    assert "turned_away" in careful.harms


def test_a_search_that_time_ended_says_so(crowded: LabConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where time is over at once nothing is found, and that is said; a search that has ended by itself is not cut."""
    decide = [template(crowded, 60, 240)]
    whole = optimise(crowded, decide, rule="policy_2", budget=TINY)
    assert not whole.cut
    monkeypatch.setattr(Clock, "is_over", True)
    found = optimise(crowded, decide, rule="policy_2", budget=TINY)
    assert found.cut
    assert verdict(found)[-1].startswith("Time ended the search")


def test_labs_that_this_one_might_be_as_well(crowded: LabConfig) -> None:
    """Where labs differ, not knowing the lab is a part of the interval; where they are the same, it is none."""
    decide = [template(crowded, 60, 240)]
    means = (20.0, 45.0, 90.0)
    labs = [crowded.replace(exam__mean_min=mean, exam__shortest_min=5, exam__longest_min=200) for mean in means]
    for others, unsure in ((labs, True), ([crowded] * 3, False)):
        found = optimise(crowded, decide, rule="policy_2", budget=TINY, labs=others)
        part = found.unknown["waiting_penalty"]
        assert (part.lab > 0) == unsure
        assert found.wins == (3, 3)
        assert any("labs that the record would bear as well" in said for said in verdict(found))
        assert json.loads(json.dumps(as_json(found)))["wins_in_labs"] == [3, 3]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"weights": {"wait_mn": 1.0}}, "'wait_mn' is no metric of the lab 'crowded' (did you mean wait_min?)"),
        ({"protected": ("sent_home",)}, "'sent_home' is no metric of the lab 'crowded'"),
        ({"rule": "policy_3"}, "policy is 'policy_3', but must be one of policy_1, policy_2, scarce_first"),
        ({"most_changes": 0}, "most_changes is 0, but must be at least 1"),
        ({"decide": []}, "there is nothing to decide"),
    ],
)
def test_what_cannot_be_meant_is_refused(crowded: LabConfig, arguments: dict[str, Any], words: str) -> None:
    """Each is one sentence that names the value and what is allowed."""
    with pytest.raises(ValueError, match=re.escape(words)):
        optimise(crowded, budget=TINY, **arguments)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"windows": {"foetal": (0, 60)}}, "'foetal', which is no exam type of the lab"),
        ({"windows": {"non_fetal": (61, 62)}}, "so that its patients do not fit"),
    ],
)
def test_windows_that_cannot_be_kept_are_refused(crowded: LabConfig, limits: dict[str, Any], words: str) -> None:
    """A window of no type, or without a time of the grid, is one sentence."""
    with pytest.raises(ValueError, match=re.escape(words)):
        template(crowded, **limits)


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
    choice = choice_of(config)
    times = changed(choice.today, 2, 15)
    text = better_text(name, choice, times)
    assert text.startswith(f"{FIRST_LINE}# mine\nbase: ")
    assert "  # the p" in text
    file.write_text(text)
    assert [seat.minute for seat in seats_of(load_lab(name).plan)] == list(times)
    assert load_lab(name).hours == config.hours
    # A proposal may be improved on, and written again.
    assert better_text(name, choice, times).count(FIRST_LINE) == 1
    check_own(file)


def test_a_file_of_somebody_else_is_not_overwritten(tmp_path: Path) -> None:
    """Files that no optimisation wrote, and names of presets, are refused."""
    check_own(tmp_path / "new.yaml")
    by_hand = tmp_path / "by_hand.yaml"
    by_hand.write_text("base: baseline\n")
    with pytest.raises(FileExistsError, match=r"by_hand\.yaml is in the way"):
        check_own(by_hand)
    with pytest.raises(ValueError, match="scarce is the name of a preset"):
        check_own("scarce")


def test_sections_that_share_values_are_written_anew(tmp_path: Path) -> None:
    """Where an alias would change two types at once, the file has the whole lab, and it is the one that was played."""
    file = tmp_path / "shared.yaml"
    file.write_text(
        "base: mri_unit\nname: shared\nexam_types:\n"
        "  neuro: &both {appointments: ['08:00', '10:00', '12:00']}\n  joint: *both\n"
    )
    choice = choice_of(load_lab(file))
    values = changed(choice.today, 0, 15)
    text = better_text(str(file), choice, values)
    assert text.startswith(f"{FIRST_LINE}# The text of {file} could not take these changes")
    file.write_text(text)
    assert load_lab(file).plan == choice.lab(values).plan
