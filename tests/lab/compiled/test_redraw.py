"""Rests of a day drawn again: the day's laws given what is known, and nothing of what is hidden."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from own_dice import OwnDice
from scipy import stats

from echo_env.lab import Day, LabConfig, Simulator, make_policy, sample_days
from echo_env.lab.day import NO_SHOW, TURNED_AWAY, draw_days
from echo_env.lab.envs.env import EchoLabEnv
from echo_env.lab.policies.rule_action import compiled_rule
from echo_env.lab.simulation.duties import Status
from echo_env.lab.simulation.view import LabView

pytest.importorskip("numba")

from echo_env.lab.compiled import batch, continuation, kernel, layout
from echo_env.lab.compiled.layout import Labs, Parts
from echo_env.lab.compiled.redraw import ExamTable, FutureSampler
from echo_env.lab.envs.vector_env import EchoLabVectorEnv

Lab = Callable[..., LabConfig]
Days = Callable[..., Day]

LEAST_P = 1e-3
"""Two samples count as of one law unless their difference is rarer than this. Seeds are fixed, so it holds or not."""


def parts_of(config: LabConfig, labs: Labs) -> Parts:
    """The tables of labs."""
    return layout.parts_of(labs.lab, batch.rules_of(config))


def has_come(config: LabConfig, labs: Labs) -> NDArray[np.bool_]:
    """(B, P) bool, who has come by now."""
    arrival = parts_of(config, labs).patients[..., layout.ARRIVAL]
    return (arrival >= 0) & (arrival <= labs.lab[:, layout.MINUTE, None])


def labs_at(config: LabConfig, days: Sequence[Day], minute: int) -> Labs:
    """Days played to a minute, fetal first, with everything done that is due then but its decision."""
    labs, rules = batch.make_labs(config, len(days)), batch.rules_of(config)
    batch.begin_days(config, labs, np.arange(len(days)), days)
    until = rules._replace(numbers=rules.numbers.copy())
    until.numbers[layout.END] = minute
    tiers = compiled_rule(config, "fetal_first", "rule")
    batch.run_days(labs, until, tiers, np.zeros((len(days), 0, 7), dtype=np.int64))
    for cell, draw in zip(*labs, strict=True):
        kernel.catch_up(cell, rules.numbers, draw, rules.odds)
    return labs


def view_at(config: LabConfig, day: Day, minute: int) -> LabView:
    """As :func:`labs_at`, one day on the SimPy engine, as a policy sees it."""
    lab, rule = Simulator(config, day), make_policy("fetal_first", config)
    while lab.board.minute < minute:
        lab.start(rule.decide(lab.view))
        lab.advance(minute)
    return lab.view


def to_come(config: LabConfig, labs: Labs) -> list[tuple[int, ...]]:
    """Of each lab, what is still to come: arrivals, exams, ends of what is under way, breaks."""
    told, tables = [], parts_of(config, labs)
    every = zip(labs.lab, tables.patients, tables.staff, labs.break_draw, has_come(config, labs), strict=True)
    for lab, patients, staff, draw, come in every:
        ahead = patients[lab[layout.NEXT_READY] : lab[layout.COMERS], layout.BY_READY]
        busy = np.isin(staff[:, layout.STATUS], (layout.IN_EXAM, layout.ON_A_BREAK))
        parts = (
            patients[~come, layout.ARRIVAL],
            ahead,
            patients[:, layout.EXAM_MIN],
            staff[busy, layout.UNTIL],
            draw,
        )
        told.append(tuple(float(value) for part in parts for value in part.ravel()))
    return told


def rest_units(config: LabConfig, labs: Labs) -> NDArray[np.int64]:
    """(B, 7) penalty units of each lab from now on, fetal first."""
    every = np.arange(len(labs.lab))
    tiers, first = compiled_rule(config, "fetal_first", "rule"), np.full_like(every, continuation.THE_RULE)
    units = continuation.continue_under_rule(labs, every, first, batch.rules_of(config), True, tiers)
    return units - labs.lab[:, layout.PAID]


def same_law(one: NDArray[np.int64], other: NDArray[np.int64], bins: int = 12) -> float:
    """p-value of a chi-square test that two samples of whole numbers are of one law; rare values are pooled."""
    edges = np.unique(np.quantile(np.concatenate([one, other]), np.linspace(0, 1, bins + 1)[1:-1]))
    table = [np.bincount(np.searchsorted(edges, sample), minlength=len(edges) + 1) for sample in (one, other)]
    filled = np.array(table)[:, np.sum(table, axis=0) > 0]
    return float(stats.chi2_contingency(filled)[1]) if filled.shape[1] > 1 else 1.0


def test_with_the_days_own_dice_it_is_the_day_itself() -> None:
    """Redrawn at opening with a day's own uniform numbers, a lab holds that very day."""
    config = LabConfig.load("baseline")
    seeds = range(20)
    days = draw_days(config, [np.random.default_rng(seed) for seed in seeds])
    labs = batch.make_labs(config, len(seeds))
    batch.begin_days(config, labs, np.arange(len(seeds)), days)
    for b in seeds:
        one = continuation.copy_labs(labs, np.array([b]))
        FutureSampler(config).redraw(one, OwnDice(config, np.random.default_rng(b)))
        # Nobody is more than 60 minutes early, so nothing is known yet of who is due after 09:00.
        later = days.scheduled > 60
        assert np.array_equal(parts_of(config, one).patients[0, later, layout.ARRIVAL], days.arrival[b, later])
        assert np.array_equal(
            parts_of(config, one).patients[0, :, layout.EXAM_MIN],
            parts_of(config, labs).patients[b, :, layout.EXAM_MIN],
        )
        assert np.array_equal(one.break_draw[0], days.break_draw[b])
        assert np.array_equal(parts_of(config, one).staff[0], parts_of(config, labs).staff[b])


def test_long_overdue_is_most_likely_a_no_show(tiny_lab: Lab, tiny_day: Days) -> None:
    """The longer a patient is overdue, the more likely a redraw makes a no-show."""
    # Given that a patient due at 10 has not come by 40: a no-show with probability 0.1, or late by more than 30
    # minutes with probability 0.9 * 0.8 * exp(-30 / 10) = 0.0358; so a no-show with 0.1 / 0.1358 = 0.736.
    config = tiny_lab(non_fetal=(10, 300))
    view = view_at(config, tiny_day(config, (NO_SHOW, 300), (30, 30)), 40)
    sampler, count = FutureSampler(config), 20_000
    labs = sampler.labs_of(view, count)
    sampler.redraw(labs, np.random.default_rng(1))
    overdue, due = (
        parts_of(config, labs).patients[:, 0, layout.ARRIVAL],
        parts_of(config, labs).patients[:, 1, layout.ARRIVAL],
    )
    late = 0.9 * 0.8 * math.exp(-3)
    for share, expected in (
        ((overdue == NO_SHOW).mean(), 0.1 / (0.1 + late)),
        # The delay forgets: another 10 minutes at least are left with probability 1 / e.
        ((overdue[overdue >= 0] > 50).mean(), math.exp(-1)),
        ((due == NO_SHOW).mean(), 0.1),
        ((due[due >= 0] > 300).mean(), 0.8),
    ):
        assert abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / (count * 0.25))
    assert overdue[overdue >= 0].min() == 41


def test_after_closing_nobody_comes_and_before_it_some_are_turned_away(tiny_lab: Lab, tiny_day: Days) -> None:
    """Nobody is redrawn to arrive after closing; whoever would is turned away."""
    config = tiny_lab(non_fetal=(530, 540))
    sampler = FutureSampler(config)
    day = tiny_day(config, (TURNED_AWAY, TURNED_AWAY), (30, 30))
    for minute, comes in ((520, True), (540, False), (600, False)):
        view = view_at(config, day, minute)
        labs = sampler.labs_of(view, 500)
        sampler.redraw(labs, np.random.default_rng(2))
        arrival = parts_of(config, labs).patients[..., layout.ARRIVAL]
        assert (arrival >= 0).any() == comes
        assert np.array_equal((arrival >= 0).sum(axis=1), labs.lab[:, layout.COMERS])
        assert arrival.max() <= 540
        assert (arrival == TURNED_AWAY).any()


@pytest.mark.parametrize("now", [200, 206])
def test_arrivals_follow_the_law_given_that_they_are_still_to_come(now: int) -> None:
    """Redrawn arrivals follow the law of the day given that the patient has not come by now."""
    # The law of a patient who has not come by now, by leaving out days on which the patient has.
    config = LabConfig.load("baseline")
    days = sample_days(config, 6000, seed=31)
    sampler = FutureSampler(config)
    labs = batch.make_labs(config, len(days))
    batch.begin_days(config, labs, np.arange(len(days)), days)
    labs.lab[:, layout.MINUTE] = now
    # Nobody has come.
    parts_of(config, labs).patients[..., layout.ARRIVAL] = NO_SHOW
    sampler.redraw(labs, np.random.default_rng(3))
    worst = 1.0
    for p in np.flatnonzero((days.scheduled > 170) & (days.scheduled < 280)):
        left = (days.arrival[:, p] > now) | (days.arrival[:, p] == NO_SHOW)
        worst = min(
            worst, same_law(days.arrival[left, p], parts_of(config, labs).patients[:, p, layout.ARRIVAL], bins=50)
        )
    assert worst > LEAST_P / 10  # ten patients


def test_the_lowest_dice_bring_nobody_back_in_time(tiny_lab: Lab, tiny_day: Days) -> None:
    """Even the smallest draws put arrivals after the present minute."""

    class Lowest:
        random = staticmethod(np.zeros)

    # Overdue by 30, due now, due in 60: none of them has come by 40, and none can come before 41.
    config = tiny_lab(non_fetal=(10, 40, 100), arrival__no_show_rate=0.0)
    sampler = FutureSampler(config)
    labs = sampler.labs_of(view_at(config, tiny_day(config, (NO_SHOW,) * 3, (30,) * 3), 40), 1)
    sampler.redraw(labs, Lowest())  # type: ignore[arg-type]
    assert parts_of(config, labs).patients[0, :, layout.ARRIVAL].tolist() == [41, 41, 100]


@pytest.mark.parametrize("elapsed", [0, 19, 30, 44, 70])
def test_exams_under_way_are_longer_than_they_have_been(elapsed: int) -> None:
    """A redrawn exam under way ends after the present minute."""
    config = LabConfig.load("baseline")
    whole = np.ceil(sample_days(config, 2000, seed=32).exam_min).astype(np.int64).ravel()
    drawn = ExamTable(config.exam).minutes(np.full(20_000, elapsed), np.random.default_rng(4).random(20_000))
    assert drawn.min() > elapsed
    assert same_law(whole[whole > elapsed], drawn, bins=30) > LEAST_P


def test_the_law_of_exams_in_corners() -> None:
    """Redrawn exams take at least one minute and at most the longest length."""
    config = LabConfig.load("baseline").replace(exam__shortest_min=0.0, exam__longest_min=30.5, exam__shape=0.5)
    table, ends = ExamTable(config.exam), np.array([0.0, np.nextafter(1.0, 0)])
    assert table.minutes(np.zeros(2, dtype=np.int64), ends).tolist() == [1, 31]
    assert table.minutes(np.full(2, 30), ends).tolist() == [31, 31]


def test_to_the_minute_and_never_early_or_late(tiny_lab: Lab, tiny_day: Days) -> None:
    """A law without spread redraws the one value it allows."""
    config = tiny_lab(non_fetal=(10, 50), arrival__late_mean_min=0.0, arrival__early_max_min=0.0)
    config = config.replace(arrival__no_show_rate=0.5)
    sampler = FutureSampler(config)
    for minute, expected in ((9, {NO_SHOW, 10}), (10, {NO_SHOW}), (11, {NO_SHOW})):
        view = view_at(config, tiny_day(config, (NO_SHOW, 50), (30, 30)), minute)
        labs = sampler.labs_of(view, 50)
        sampler.redraw(labs, np.random.default_rng(5))
        assert set(parts_of(config, labs).patients[:, 0, layout.ARRIVAL]) == expected
        assert set(parts_of(config, labs).patients[:, 1, layout.ARRIVAL]) == {NO_SHOW, 50}


def test_known_ends_of_breaks_by_hand(tiny_lab: Lab, tiny_day: Days) -> None:
    """Ends of breaks that the staff can infer are exact."""
    # One sonographer, exams of 20 minutes from 0 and from 35. After the first, at 20, draws below 0.2 are both
    # breaks (to 50), below 0.5 one (to 35); after the second, at 55, with one left, below 0.3 is that one (to 70).
    config = tiny_lab(non_fetal=(0, 0), rooms__fetal=0, sonographers__fetal=0, sonographers__non_fetal=1)
    sampler = FutureSampler(config)

    def ends(first: float, second: float, minute: int) -> list[int]:
        day = tiny_day(config, (0, 0), (20, 20), break_draw=np.array([[first, second]]))
        view = view_at(config, day, minute)
        labs = sampler.labs_of(view, 400)
        sampler.redraw(labs, np.random.default_rng(6))
        return sorted(set(parts_of(config, labs).staff[:, 0, layout.UNTIL].tolist()))

    assert ends(0.3, 0.9, 25) == [35]  # one is left, so it is one
    assert ends(0.1, 0.9, 25) == [50]  # none is left, and there was no exam after which the first could have been
    assert ends(0.1, 0.9, 40) == [50]
    assert ends(0.3, 0.1, 60) == [70, 85]  # none is left after two exams: the second one, or both


def test_odds_of_both_breaks_at_once_are_those_of_days() -> None:
    """The one unknown break length is redrawn with the odds seen on simulated days."""
    config = LabConfig.load("scarce").replace(sonographers__absence_rate=0.0)
    count = 4000
    labs = batch.make_labs(config, count)
    batch.begin_days(config, labs, np.arange(count), sample_days(config, count, seed=33))
    tiers = compiled_rule(config, "fetal_first", "rule")
    batch.run_days(labs, batch.rules_of(config), tiers, np.zeros((count, 0, 7), dtype=np.int64))
    seen: dict[int, list[bool]] = {n: [] for n in range(1, 7)}
    tables = parts_of(config, labs)
    for lab, exams, breaks in zip(labs.lab, tables.exams, tables.breaks, strict=True):
        taken = np.zeros(3, dtype=int)
        for s, begin, end in breaks[: lab[layout.BREAKS]].tolist():
            own = exams[: lab[layout.EXAMS]]
            n = int(((own[:, 2] == s) & (own[:, 4] <= begin)).sum())
            taken[s] += (end - begin) // config.breaks.minutes
            if taken[s] == 2 and n in seen:
                seen[n].append(end - begin == 30)
    odds = FutureSampler(config)._both_odds[0]
    assert odds[1] == 1
    # After two exams: 0.5 * 0.2 for both, 0.3 * 0.3 for the second.
    assert odds[2] == pytest.approx(0.1 / 0.19)
    for n, both in seen.items():
        assert len(both) > 500
        assert abs(np.mean(both) - odds[n]) <= 4 * math.sqrt(odds[n] * (1 - odds[n]) / len(both))


def visible(view: LabView) -> tuple[object, ...]:
    """All that a view tells."""
    staff = range(view.config.sonographers.total)
    each = [(view.status(s), view.exams_begun(s), view.breaks_left(s), view.break_since(s)) for s in staff]
    arrived = [view.has_arrived(line.patient) for line in view.appointments]
    return view.minute, tuple(view.waiting()), tuple(view.running_exams), tuple(each), tuple(arrived)


def test_conditional_law_by_rejection(tiny_lab: Lab) -> None:
    """Redraws have the distribution of those days that look the same up to now (rejection sampling)."""
    # Of 20,000 days of a tiny lab those are kept that look alike at minute 24: an exam under way, somebody waiting,
    # somebody to come. What they bring is compared with redraws of that one state.
    config = tiny_lab(
        non_fetal=(5, 15, 30), rooms__fetal=0, rooms__non_fetal=1, sonographers__fetal=0, sonographers__non_fetal=1,
        arrival__late_mean_min=3.0, arrival__late_share=0.9, arrival__no_show_rate=0.3, exam__shortest_min=5.0,
        exam__mean_min=20.0, exam__shape=3.0,
    )  # fmt: skip
    days = sample_days(config, 20_000, seed=34)
    first, second, third = days.arrival.T
    # The others cannot look alike: patient 0 in an exam since 6, patient 1 waiting since 16, patient 2 not here.
    likely = np.flatnonzero((first == 6) & (second == 16) & ((third == NO_SHOW) | (third > 24)))
    views = [view_at(config, days[int(k)], 24) for k in likely]
    wanted = next(visible(view) for view in views if len(view.waiting()) == 1 and view.status(0) == Status.IN_EXAM)
    alike = [k for k, view in enumerate(views) if visible(view) == wanted]
    assert len(alike) > 250
    happened = labs_at(config, [days[int(likely[k])] for k in alike], 24)
    sampler = FutureSampler(config)
    drawn = sampler.labs_of(views[alike[0]], 8000)
    sampler.redraw(drawn, np.random.default_rng(7))
    old, new = parts_of(config, happened), parts_of(config, drawn)
    for one, other in (
        (old.staff[:, 0, layout.UNTIL], new.staff[:, 0, layout.UNTIL]),
        (
            parts_of(config, happened).patients[:, 1, layout.EXAM_MIN],
            new.patients[:, 1, layout.EXAM_MIN],
        ),
        (
            parts_of(config, happened).patients[:, 2, layout.ARRIVAL],
            new.patients[:, 2, layout.ARRIVAL],
        ),
        *zip(rest_units(config, happened).T, rest_units(config, drawn).T, strict=True),
    ):
        assert same_law(one, other, bins=8) > LEAST_P


@pytest.mark.parametrize(("preset", "minute"), [("scarce", 150), ("scarce", 420), ("baseline", 240)])
def test_rests_of_many_days_are_as_those_that_happened(preset: str, minute: int) -> None:
    """Penalties of redrawn rests match those of the actual rests in the mean."""
    # State and rest of a day are jointly distributed as state and redrawn rest: so are the penalties, on average over
    # all states, and over those with much going on as over those with little.
    config = LabConfig.load(preset)
    labs = labs_at(config, sample_days(config, 4000, seed=35), minute)
    drawn = continuation.copy_labs(labs, np.tile(np.arange(4000), 4))
    FutureSampler(config).redraw(drawn, np.random.default_rng(8))
    happened, expected = rest_units(config, labs), rest_units(config, drawn).reshape(4, 4000, 7).mean(axis=0)
    off = happened - expected
    queued = labs.lab[:, layout.COUNTS : layout.COUNTS + 6].sum(axis=1)
    due = (~has_come(config, labs)).sum(axis=1)
    away = batch.rules_of(config).numbers[layout.AT_AWAY]
    on_break = labs.lab[:, away : away + 2].sum(axis=1)
    for key in (np.zeros(4000), queued > np.median(queued), due > np.median(due), on_break > 0):
        for group in (key == 0, key == 1):
            if group.sum() > 100:
                error = off[group].std(axis=0, ddof=1) / math.sqrt(group.sum())
                assert (abs(off[group].mean(axis=0)) < 3.5 * error + 1e-9).all()


def test_labs_built_from_a_view_are_those_of_the_engine() -> None:
    """A lab built from a view equals the engine's lab in everything a view shows."""
    for preset in ("scarce", "baseline"):
        config = LabConfig.load(preset)
        sampler = FutureSampler(config)
        fast = EchoLabVectorEnv(4, preset, clock="event", idling=True)
        slow = [EchoLabEnv(preset, clock="event", idling=True) for _ in range(4)]
        fast.reset(seed=21)
        for b, env in enumerate(slow):
            env.reset(seed=21 + b)
        rng, busy = np.random.default_rng(9), 0
        for step in range(36):
            if step % 5 == 0:
                for b, env in enumerate(slow):
                    assert env._lab is not None
                    built = sampler.labs_of(env._lab.view, 3)
                    copied = continuation.copy_labs(fast._now.labs, np.full(3, b))
                    sampler.redraw(built, np.random.default_rng(step))
                    sampler.redraw(copied, np.random.default_rng(step))
                    assert to_come(config, built) == to_come(config, copied)
                    assert np.array_equal(rest_units(config, built), rest_units(config, copied))
                    known = [layout.MINUTE, layout.NEXT_READY, layout.EXAMS, *range(layout.COUNTS, layout.COUNTS + 12)]
                    assert np.array_equal(built.lab[:, known], copied.lab[:, known])
                    busy += (parts_of(config, built).staff[..., layout.STATUS] == layout.ON_A_BREAK).any()
            actions = np.array([rng.choice(np.flatnonzero(mask)) for mask in fast.action_masks()])
            *_, over, _, _ = fast.step(actions)
            assert not over.any()
            for env, action in zip(slow, actions, strict=True):
                env.step(action)
        assert busy


def test_nothing_hidden_shows(tiny_lab: Lab, tiny_day: Days) -> None:
    """Days that look the same now give the same redraws, whatever their hidden future."""
    # At 20 patient 0 is in an exam, patient 1 waits, and 2 is to come; how long, when and what follows differs.
    config = tiny_lab(non_fetal=(0, 10, 60), rooms__fetal=0, rooms__non_fetal=1, sonographers__fetal=0,
                      sonographers__non_fetal=1)  # fmt: skip
    one = tiny_day(config, (0, 12, 55), (30, 40, 50))
    other = tiny_day(config, (0, 12, NO_SHOW), (90, 20, 25), break_draw=np.zeros((1, 3)))
    labs, views = labs_at(config, [one, other], 20), [view_at(config, day, 20) for day in (one, other)]
    assert visible(views[0]) == visible(views[1])
    sampler = FutureSampler(config)
    before = to_come(config, labs)
    assert before[0] != before[1]
    drawn = []
    for b, view in enumerate(views):
        copied, built = continuation.copy_labs(labs, np.array([b])), sampler.labs_of(view, 1)
        for own in (copied, built):
            sampler.redraw(own, np.random.default_rng(10))
            drawn.append(to_come(config, own))
    assert drawn == [drawn[0]] * 4
    assert drawn[0] not in ([before[0]], [before[1]])


def test_redrawn_labs_agree_with_what_is_known() -> None:
    """A redraw changes nothing that has been observed."""
    config = LabConfig.load("scarce")
    labs = labs_at(config, sample_days(config, 200, seed=36), 333)
    drawn = continuation.copy_labs(labs, np.arange(200))
    FutureSampler(config).redraw(drawn, np.random.default_rng(11))
    old, new = parts_of(config, labs), parts_of(config, drawn)
    arrived = has_come(config, labs)
    changed = [layout.EXAM_MIN, layout.BY_READY]
    kept = np.delete(np.arange(layout.PATIENT_COLUMNS), changed)
    assert np.array_equal(old.patients[arrived][:, kept], new.patients[arrived][:, kept])
    arrival = new.patients[..., layout.ARRIVAL][~arrived]
    assert ((arrival > 333) | (arrival < 0)).all()
    busy = np.isin(old.staff[..., layout.STATUS], (layout.IN_EXAM, layout.ON_A_BREAK))
    assert (new.staff[busy][:, layout.UNTIL] > 333).all()
    staff = np.delete(np.arange(layout.STAFF_COLUMNS), layout.UNTIL)
    assert np.array_equal(old.staff[..., staff], new.staff[..., staff])
    assert np.array_equal(old.rooms, new.rooms)
    counts = slice(layout.COUNTS, batch.rules_of(config).numbers[layout.AT_STARTABLE])
    assert np.array_equal(labs.lab[:, counts], drawn.lab[:, counts])
