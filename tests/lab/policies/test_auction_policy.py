"""The auction: bids, winners, and the learned hazards."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import numpy as np
import pytest

from echo_env.lab import Day, LabConfig, Simulator, evaluate, make_policy, sample_days, simulate
from echo_env.lab.day import NO_SHOW
from echo_env.lab.policies import auction
from echo_env.lab.policies.auction import AuctionPolicy, Bids, hold_auction, learn_hazards
from echo_env.lab.policies.service_hazards import cells_of
from echo_env.lab.simulation.patient import PatientClass, Start
from echo_env.lab.simulation.view import LabView

Lab = Callable[..., LabConfig]
Days = Callable[..., Day]

FETAL_ON_TIME, FETAL_LATE, _, ON_TIME, LATE, EARLY = PatientClass


def hazards_of(config: LabConfig, *by_class: float) -> np.ndarray:
    """Hazards that are the same all day."""
    return np.repeat(np.array(by_class)[:, None], cells_of(config), axis=1)


def bid(bids: Bids, patient_class: int, minute: int, near: int = 0) -> float:
    """One patient's bid."""
    return float(bids.of(*(np.array([value]) for value in (patient_class, minute, near)))[0])


def test_bids_by_hand(tiny_lab: Lab) -> None:
    """A bid is the penalty still expected after losing now, worked out by hand."""
    config = tiny_lab(non_fetal=(3,), hours__closing_min=3, hours__end_min=5, arrival__on_time_margin_min=1)
    bids = Bids(config, hazards_of(config, 0.0, 0.0, 0.0, 0.5, 0.25, 0.2))
    # On time, from the end: 14, then 14 + 14/2, then 4 + 21/2, 4 + 14.5/2, 4 + 11.25/2.
    assert [bid(bids, ON_TIME, minute) for minute in range(5)] == pytest.approx([9.625, 11.25, 14.5, 21, 14])
    # Late, likewise: 12, 12 + 0.75 12, 2 + 0.75 21, ...
    assert [bid(bids, LATE, minute) for minute in (4, 3, 2, 1)] == pytest.approx([12, 21, 17.75, 15.3125])
    # Never served: three minutes at 4 and two at 14; at 2 and 12.
    assert bid(bids, FETAL_ON_TIME, 0) == pytest.approx(40)
    assert bid(bids, FETAL_LATE, 0) == pytest.approx(30)
    # Early until 2: not served at 1 with 0.8, nor at 2, as one on time, with 0.5; from then on 14.5.
    assert bid(bids, EARLY, 0, near=2) == pytest.approx(0.8 * 0.5 * 14.5)
    assert bid(bids, EARLY, 1, near=2) == pytest.approx(0.5 * 14.5)


def test_hazards_change_with_the_half_hour(tiny_lab: Lab) -> None:
    """Each half hour has its own hazard."""
    config = tiny_lab(non_fetal=(0,))
    hazards = hazards_of(config, *[0.0] * 6)
    hazards[ON_TIME, 1] = 0.5
    bids = Bids(config, hazards)
    last = bid(bids, ON_TIME, 59)
    assert last == pytest.approx(4 * (540 - 59) + 14 * 120)
    # Lost at 57: auctions at 58 and 59 have the hazard of the second half hour, that at 60 has not.
    assert bid(bids, ON_TIME, 57) == pytest.approx(4 + 0.5 * (4 + 0.5 * last))
    with pytest.raises(ValueError, match=r"hazards go from 0\.0 to 1\.0, but must be at least 0 and below 1"):
        Bids(config, hazards * 2)


def test_the_expected_cost_is_that_of_the_draws(tiny_lab: Lab) -> None:
    """The recursion equals the mean penalty of patients served at random with these hazards."""
    config, rng = tiny_lab(non_fetal=(500,)), np.random.default_rng(72)
    hazards = rng.uniform(0, 0.1, (6, cells_of(config)))
    near, lost = 490, 470
    per_minute = np.repeat(hazards, 30, axis=1)
    minutes = np.arange(660)
    hazard = np.where(minutes < near, per_minute[EARLY], per_minute[ON_TIME])
    pays = np.where(minutes < near, 0.0, 4.0) + 10.0 * (minutes >= 540)
    served = rng.random((40_000, 660)) < hazard
    served[:, : lost + 1] = False
    start = np.where(served.any(axis=1), served.argmax(axis=1), 660)
    drawn = np.append(0, np.cumsum(pays))[start] - pays[:lost].sum()
    error = drawn.std() / 200
    assert abs(bid(Bids(config, hazards), EARLY, lost, near) - drawn.mean()) < 4 * error


@pytest.mark.parametrize(
    ("fetal_hazard", "others_hazard", "starts"),
    [
        # The fetal patient bids most, one of the others gets what is of no use to the first, the third loses.
        (0.1, 0.2, [Start(0, 0, 0), Start(1, 1, 1)]),
        # The others bid most: the first takes the non-fetal pair, the second the fetal one.
        (0.4, 0.1, [Start(1, 1, 1), Start(2, 0, 0)]),
    ],
)
def test_a_decision_walked_by_hand(
    tiny_lab: Lab, tiny_day: Days, fetal_hazard: float, others_hazard: float, starts: list[Start]
) -> None:
    """The highest bids win; a non-fetal patient takes non-fetal resources first."""
    config = tiny_lab(
        fetal=(0,), non_fetal=(0, 0), rooms__fetal=1, rooms__non_fetal=1, sonographers__fetal=1,
        sonographers__non_fetal=1,
    )  # fmt: skip
    view = Simulator(config, tiny_day(config, (0, 0, 0), (30, 30, 30))).view
    # Long before the end of the day a constant hazard h makes a bid of 4 / h.
    bids = Bids(config, hazards_of(config, *[fetal_hazard] * 3, *[others_hazard] * 3))
    assert bid(bids, FETAL_ON_TIME, 0) == pytest.approx(4 / fetal_hazard)
    assert hold_auction(view, bids) == starts


def test_after_equal_bids_who_waited_longest_then_by_number(tiny_lab: Lab, tiny_day: Days) -> None:
    """Ties go to the longest wait, then to the lowest number."""
    config = tiny_lab(
        non_fetal=(0, 0, 0, 0), rooms__fetal=0, rooms__non_fetal=1, sonographers__fetal=0, sonographers__non_fetal=1,
        breaks__number=0,
    )  # fmt: skip
    day = tiny_day(config, (0, 9, 5, 5), (20, 20, 20, 20))
    trace = simulate(config, day, auction._Auction(Bids(config, hazards_of(config, *[0.1] * 6))))
    assert [exam.patient for exam in trace.exams] == [0, 2, 3, 1]


class RoundByRound:
    """The auction round by round: in each, the highest bidder who can use a free pair wins."""

    name = "round_by_round"

    def __init__(self, bids: Bids) -> None:
        self.bids = bids

    def begin_day(self, view: LabView, seed: int) -> None:
        """Nothing to prepare."""

    def decide(self, view: LabView) -> list[Start]:
        """Rounds until nobody bids."""
        rooms = view.free_rooms(fetal=False) + view.free_rooms(fetal=True)
        staff = view.free_sonographers(fetal=False) + view.free_sonographers(fetal=True)
        bidders, starts = view.waiting(), []
        while True:
            offers = []
            for entry in bidders:
                fits_room = [n for n in rooms if not entry.fetal or n < view.config.rooms.fetal]
                fits_staff = [n for n in staff if not entry.fetal or n < view.config.sonographers.fetal]
                if fits_room and fits_staff:
                    near = max(entry.scheduled_min - view.config.arrival.on_time_margin_min, 0)
                    offer = bid(self.bids, entry.patient_class, view.minute, near)
                    offers.append((-offer, entry.since_min, entry.patient, fits_room[0], fits_staff[0], entry))
            if not offers:
                return starts
            *_, patient, room, sonographer, entry = min(offers)
            starts.append(Start(patient, room, sonographer))
            bidders.remove(entry)
            rooms.remove(room)
            staff.remove(sonographer)


@pytest.mark.parametrize("preset", ["scarce", "baseline", "abundant"])
def test_going_down_the_list_is_the_auction(preset: str) -> None:
    """Going down the list of bids gives the starts of the auction round by round."""
    config = LabConfig.load(preset).replace(sonographers__absence_rate=0.4)
    hazards = np.random.default_rng(73).uniform(0, 0.2, (6, cells_of(config)))
    bids = Bids(config, hazards)
    for day in sample_days(config, 8, seed=74):
        ours, told = (simulate(config, day, policy) for policy in (auction._Auction(bids), RoundByRound(bids)))
        assert ours.exams == told.exams
        assert len(ours.exams) > 10


def test_hazards_go_half_the_way_each_round(tiny_lab: Lab) -> None:
    """Each round moves the hazards half the way to those observed."""
    # Nobody has to compete, so the same is seen in every round, and what is left of the first guess is halved.
    config = tiny_lab(
        fetal=(60,), non_fetal=(60, 120), rooms__fetal=3, rooms__non_fetal=3, sonographers__fetal=3,
        sonographers__non_fetal=3,
    )  # fmt: skip
    rounds = learn_hazards(config, 5, 4, 1, "everybody", "class")
    seen = rounds[0].seen
    for number, played in enumerate(rounds, start=1):
        assert np.array_equal(played.seen, seen)
        assert played.hazards == pytest.approx(seen + (1 / 30 - seen) / 2**number)
    assert rounds[3].gap == pytest.approx(rounds[0].gap / 8)
    assert seen[ON_TIME, 4] > 2 / 30


def test_learned_from_its_own_days() -> None:
    """Hazards are observed under the auction itself, and the cheapest of the later rounds is used."""
    config = LabConfig.load("scarce")
    policy = make_policy("auction(days=6, rounds=4, seed=75)", config)
    assert isinstance(policy, AuctionPolicy)
    days = sample_days(config, 6, seed=75)
    for played in policy.learned:
        own = auction._Auction(Bids(config, played.hazards))
        assert np.mean([simulate(config, day, own).penalty.total for day in days]) == pytest.approx(played.penalty)
    # The cheapest of the second half, here of rounds 3 and 4.
    third, fourth = policy.learned[2:]
    assert third.penalty != fourth.penalty
    assert policy.chosen is (third if third.penalty < fourth.penalty else fourth)
    chosen = auction._Auction(Bids(config, policy.chosen.hazards))
    day = sample_days(config, 1, seed=76)[0]
    assert simulate(config, day, policy).exams == simulate(config, day, chosen).exams


def test_the_same_lab_has_the_same_hazards() -> None:
    """The same lab and arguments give the same hazards, in another process too."""
    config = LabConfig.load("scarce")
    arguments = (config, 4, 2, 77, "first_in_line", "class")
    first = learn_hazards(*arguments)
    assert learn_hazards(*arguments) is first
    learn_hazards.cache_clear()
    again = learn_hazards(*arguments)
    assert again is not first
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one.hazards, other.hazards)
        assert one.penalty == other.penalty
    assert not np.array_equal(learn_hazards(config, 4, 2, 78, "first_in_line", "class")[1].hazards, first[1].hazards)


def test_other_processes_get_it_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pickled policy carries its learned bids."""
    config = LabConfig.load("baseline")
    policy = make_policy("auction(days=3, rounds=1)", config)
    days = list(sample_days(config, 3, seed=79))
    sent = pickle.dumps(policy)

    def twice(*_: object) -> None:
        raise AssertionError("learned twice")

    monkeypatch.setattr(auction, "learn_hazards", twice)
    arrived = pickle.loads(sent)
    forth = [simulate(config, day, policy).exams for day in days]
    back = [simulate(config, day, arrived).exams for day in reversed(days)][::-1]
    assert forth == back


def test_decides_by_what_is_visible(tiny_lab: Lab, tiny_day: Days) -> None:
    """Decisions do not depend on anything that the staff cannot see yet."""
    config = tiny_lab(
        fetal=(0,), non_fetal=(0, 30), rooms__non_fetal=0, sonographers__fetal=1, sonographers__non_fetal=0
    )
    bids = Bids(config, hazards_of(config, *[0.1] * 6))
    days = tiny_day(config, (0, 0, 20), (30, 90, 30)), tiny_day(config, (0, 0, NO_SHOW), (90, 30, 90))
    one, other = (hold_auction(Simulator(config, day).view, bids) for day in days)
    assert one == other == [Start(0, 0, 0)]


def test_asked_for_by_name_and_refused_in_words() -> None:
    """Arguments are read from the name; mistakes are refused in one sentence."""
    config = LabConfig.load("scarce")
    assert make_policy("auction(rounds=6, days=300)", config).name == "auction(days=300, rounds=6)"
    assert make_policy("auction", config).name == "auction"
    for name, message in (
        ("auction(days=0)", "days=0, but days must be at least 1"),
        ("auction(rounds=0)", "rounds=0, but rounds must be at least 1"),
        ("auction(seed=-1)", "seed=-1, but seed must be at least 0"),
        ("auction(days=1.5)", "days must be a whole number"),
        ("auction(exposed=nobody)", "exposed must be first_in_line or everybody"),
        ("auction(by=room)", "by must be class or kind"),
    ):
        with pytest.raises(ValueError, match=message):
            make_policy(name, config)


@pytest.mark.slow
def test_better_than_the_rules_of_the_paper_in_the_baseline_lab() -> None:
    """In the baseline lab the auction costs less than the rules of the paper."""
    values = evaluate(LabConfig.load("baseline"), ["policy_2", "auction"], days=3000, seed=80)
    assert values.paired("auction", "penalty").high < 0
