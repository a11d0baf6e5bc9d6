"""Departures of one policy from another: decisions, kinds, and savings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from echo_env.lab import Day, LabConfig, Policy, evaluate, make_policy, sample_days, simulate
from echo_env.lab.day import stack_days
from echo_env.lab.decisions.actions import ACTIONS
from echo_env.lab.decisions.observation import make_observation
from echo_env.lab.departures import departures
from echo_env.lab.departures.departures import GROUP_COLUMNS, Departures, columns_of, find_departures
from echo_env.lab.departures.state_by_state import state_by_state
from echo_env.lab.departures.words import kind_in_words
from echo_env.lab.policies.agent import AgentPolicy
from echo_env.lab.simulation.patient import Start
from echo_env.lab.simulation.view import LabView

pd = pytest.importorskip("pandas")
pytest.importorskip("numba")
report = pytest.importorskip("echo_env.lab.departures.report")
describe = report.describe
counterfactual = pytest.importorskip("echo_env.lab.departures.counterfactual")

Lab = Callable[..., LabConfig]
DayMaker = Callable[..., Day]

SCARCE = LabConfig.load("scarce")
ONE_PAIR = {"rooms__non_fetal": 0, "sonographers__fetal": 1, "sonographers__non_fetal": 0}


class Whimsical:
    """An agent whose choice is a hash of the whole observation, the same in any batch."""

    def __init__(self, config: LabConfig, observation: str) -> None:
        self.observation_space = make_observation(observation, config)[0]
        self.action_space = gym.spaces.Discrete(ACTIONS)

    def predict(self, observation: np.ndarray, deterministic: bool, action_masks: np.ndarray) -> tuple[Any, None]:
        """A feasible action picked by the hash."""
        whim = np.rint(1000 * observation.astype(np.float64)).astype(np.int64).sum(axis=1)
        places = [np.flatnonzero(mask) for mask in action_masks]
        return np.array([place[n % len(place)] for n, place in zip(whim, places, strict=True)]), None


def whimsical(idling: bool = False, observation: str = "paper") -> AgentPolicy:
    """The agent in the scarce lab."""
    return AgentPolicy("whimsical", Whimsical(SCARCE, observation), SCARCE, observation, idling)


class Detour:
    """Follows a policy, except in one minute, in which another one decides."""

    name = "detour"

    def __init__(self, followed: Policy, other: Policy, minute: int) -> None:
        self._followed, self._other, self._minute = followed, other, minute

    def begin_day(self, view: LabView, seed: int) -> None:
        """Nothing to prepare."""

    def decide(self, view: LabView) -> Sequence[Start]:
        """The decision of the one or the other."""
        return (self._other if view.minute == self._minute else self._followed).decide(view)


PAIRS = [
    ("fetal_first", "policy_2"),
    ("policy_2", "fetal_first"),
    (whimsical(), "policy_2"),
    (whimsical(idling=True, observation="rich"), "policy_1"),
    ("policy_2", whimsical(idling=True)),
    (whimsical(), whimsical(observation="rich")),
]


def both(pair: tuple[str | Policy, str | Policy]) -> tuple[Policy, Policy]:
    """A pair of policies; those that are rules by name."""
    followed, other = (make_policy(each, SCARCE) if isinstance(each, str) else each for each in pair)
    return followed, other


@pytest.fixture
def one_swap(tiny_lab: Lab, tiny_day: DayMaker, monkeypatch: pytest.MonkeyPatch) -> Departures:
    """Two days, each with the one departure of fetal_first from policy 2 worked out below."""
    # One fetal-capable room and sonographer. Patient 0 (non-fetal, 08:00) is in it from 0 to 30. Patient 1 (non-fetal,
    # 08:03, 40 minutes) and patient 2 (fetal, 08:05, 20 minutes) come on the dot. At 08:30 policy 2 takes who has
    # waited longer, patient 1, and patient 2 waits until 70: 40 minutes at 4 points. fetal_first takes patient 2,
    # and patient 1 waits until 50: 20 minutes at 4 points. The pair is busy until 90 either way. Saved: 80 points.
    config = tiny_lab(fetal=(5,), non_fetal=(0, 3), **ONE_PAIR)
    day = tiny_day(config, (0, 3, 5), (30, 40, 20))
    days = stack_days([day, day])
    monkeypatch.setattr(departures, "sample_days", lambda *_: days)
    return find_departures(config, make_policy("fetal_first", config), make_policy("policy_2", config), 2, seed=1)


def test_the_departure_of_a_hand_made_day(one_swap: Departures) -> None:
    """Minute, state, patients and points of a departure worked out by hand."""
    rows, columns = one_swap.decisions, columns_of(one_swap.config).every
    assert tuple(rows.columns) == columns
    assert rows[["day", "minute", "time", "departs", "saved"]].to_numpy().tolist() == [
        [0, 30, "08:30", True, 80.0],
        [1, 30, "08:30", True, 80.0],
    ]
    expected = {
        "waiting_fetal_on_time": 1,
        "waiting_non_fetal_on_time": 1,
        "free_rooms_fetal": 1,
        "free_sonographers_fetal": 1,
        "begins_fetal_on_time": 1,
        "other_begins_non_fetal_on_time": 1,
    }
    counted = [name for name in columns if name.startswith(("waiting", "free", "begins", "other"))]
    assert rows.loc[0, counted].to_dict() == {name: expected.get(name, 0) for name in counted}
    kind = "serves an on-time fetal patient where policy_2 serves an on-time non-fetal one"
    assert rows["kind"].tolist() == [kind, kind]
    assert (one_swap.other_penalty - one_swap.penalty).tolist() == [80.0, 80.0]
    assert one_swap.by_situation()[["waiting", "free", "choices", "departs"]].to_numpy().tolist() == [
        ["fetal on time, non-fetal on time", "1 fetal room, 1 fetal sonographer", 2, 1.0]
    ]
    assert one_swap.by_hour()[["hour", "departures", "saved_per_day"]].to_numpy().tolist() == [["08:00", 2, 80.0]]


def test_the_hand_made_day_in_words(one_swap: Departures) -> None:
    """The sentences say how often, what instead, what it saves, and when."""
    paid = one_swap.penalty[0]
    assert describe(one_swap) == [
        "Over 2 days of the lab 'tiny' (seed 1) fetal_first departs from policy_2 in 100 % of the 2 decisions with a "
        "choice, 1.0 ± 0.0 times a day.",
        f"Its days cost 80.0 ± 0.0 points less than those of policy_2: {paid:,.1f} against {paid + 80:,.1f}.",
        "A departure saves 80.0 ± 0.0 points by the end of the day; 100 % of them save points, 0 % cost some.",
        "Most often (100 %) it serves an on-time fetal patient where policy_2 serves an on-time non-fetal one, which "
        "saves 80.0 ± 0.0 points.",
        "The hour with most departures (100 %) begins at 08:00.",
    ]


@pytest.mark.parametrize("pair", PAIRS)
def test_departures_are_the_rows_of_state_by_state(pair: tuple[str | Policy, str | Policy]) -> None:
    """The compiled report finds the departures that the SimPy one finds day by day, and what they lead to."""
    followed, other = both(pair)
    found = find_departures(SCARCE, followed, other, 8, seed=5).departures
    assert len(found) > 5
    for number, day in enumerate(sample_days(SCARCE, 8, seed=5)):
        rows = state_by_state(SCARCE, day, followed, other)
        own = found.loc[found["day"] == number]
        assert own["minute"].tolist() == rows["minute"].tolist()
        assert own["saved"].tolist() == rows["by_the_end"].tolist()


@pytest.mark.parametrize("pair", PAIRS)
def test_savings_are_those_of_days_played_again(pair: tuple[str | Policy, str | Policy]) -> None:
    """Savings equal those of days played again from opening on SimPy with one decision changed."""
    followed, other = both(pair)
    found = find_departures(SCARCE, followed, other, 6, seed=5)
    days = sample_days(SCARCE, 6, seed=5)
    assert found.penalty.tolist() == [simulate(SCARCE, day, followed).penalty.total for day in days]
    rows = found.departures.head(40)
    again = [
        simulate(SCARCE, days[number], Detour(followed, other, minute)).penalty.total - found.penalty[number]
        for number, minute in zip(rows["day"], rows["minute"], strict=True)
    ]
    assert rows["saved"].tolist() == again
    assert len(set(again)) > 3


@pytest.mark.parametrize("policy", ["policy_1", "fetal_first", whimsical(), whimsical(idling=True)])
def test_a_policy_never_departs_from_itself(policy: str | Policy) -> None:
    """A policy has no departures from itself."""
    followed, other = both((policy, policy))
    found = find_departures(SCARCE, followed, other, 5, seed=3)
    assert len(found.decisions) > 20
    assert len(found.departures) == 0
    assert not found.decisions["saved"].any()
    (sentence,) = describe(found)
    assert "never departs" in sentence
    assert tuple(found.by_kind().columns) == ("kind", *GROUP_COLUMNS)
    assert found.by_situation().empty
    assert found.by_hour()["departures"].sum() == 0


def test_whole_days_are_those_of_an_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole-day penalties are those of an evaluation, whatever the sizes of batches."""
    pair = both(("fetal_first", "policy_2"))
    whole = find_departures(SCARCE, *pair, 7, seed=2)
    seen: list[int] = []
    monkeypatch.setattr(departures, "CHUNK", 3)
    monkeypatch.setattr(counterfactual, "_COPIES", 2)
    parts = find_departures(SCARCE, *pair, 7, seed=2, progress=seen.append)
    assert seen == [3, 3, 1]
    pd.testing.assert_frame_equal(whole.decisions, parts.decisions)
    table = evaluate(SCARCE, ["policy_2", "fetal_first"], 7, seed=2)
    for found in (whole, parts):
        assert found.other_penalty.tolist() == table.values["policy_2"]["penalty"].tolist()
        assert found.penalty.tolist() == table.values["fetal_first"]["penalty"].tolist()
    assert -whole.whole_day().mean == pytest.approx(table.paired("fetal_first", "penalty").mean)


def test_the_interval_of_savings_is_one_of_days() -> None:
    """The interval of savings treats the departures of a day as dependent."""
    rows = pd.DataFrame({"day": [0, 0, 1], "saved": [10.0, 20.0, 60.0], "departs": True, "kind": "k", "time": "08:00"})
    found = Departures("a", "b", SCARCE, 1, rows, np.zeros(2), np.zeros(2))
    # Mean 30. The days' sums less 30 for each of their departures: 30 - 60 and 60 - 30. Their mean has the standard
    # error 30 and Student's factor for 2 days is 12.706; 1.5 departures a day.
    got = found.saved()
    assert (got.mean, got.n) == (30.0, 3)
    assert got.half_width == pytest.approx(12.7062 * 30 / 1.5, rel=1e-5)
    alone = found.saved(rows[rows["day"] == 0])
    assert alone.mean == 15.0
    assert np.isnan(alone.half_width)
    kind = found.by_kind().iloc[0]
    assert (kind["share"], kind["per_day"], kind["saved_per_day"], kind["helped"]) == (1.0, 1.5, 45.0, 1.0)


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        ((0, 1, 0, -1, 0, 0), "serves a late fetal patient where b serves an on-time non-fetal one"),
        ((0, 0, 0, 0, 0, 2), "serves 2 early non-fetal patients, whom b leaves waiting"),
        ((-1, 0, 0, 0, -1, 0), "leaves an on-time fetal patient and a late non-fetal patient waiting, whom b serves"),
        ((1, 0, 0, -2, 0, 0), "serves an on-time fetal patient where b serves 2 on-time non-fetal ones"),
        ((0, 0, 0, 0, 0, 0), ""),
    ],
)
def test_kinds_in_words(difference: tuple[int, ...], words: str) -> None:
    """Kinds of departures in words."""
    assert kind_in_words(SCARCE, difference, "b") == words


@pytest.mark.parametrize("name", ["random", "policy_3", "policy_5(alpha=1, beta=0.25)"])
def test_policies_with_a_memory_or_dice_are_refused(name: str) -> None:
    """Randomised policies and those with memory are refused."""
    policy = make_policy(name, SCARCE)
    for pair in ((policy, make_policy("policy_2", SCARCE)), (make_policy("policy_2", SCARCE), policy)):
        with pytest.raises(ValueError, match="cannot be compared decision by decision: only trained agents can"):
            find_departures(SCARCE, *pair, 2, seed=1)


def test_no_days_are_refused_and_no_choices_are_said() -> None:
    """No day is refused; days without a choice make one sentence and empty tables."""
    config = LabConfig.load("abundant")
    policies = make_policy("fetal_first", config), make_policy("policy_2", config)
    with pytest.raises(ValueError, match="days is 0, but must be at least 1"):
        find_departures(config, *policies, 0, seed=1)
    found = find_departures(config.replace(appointments__non_fetal=()), *policies, 2, seed=1)
    assert found.by_kind().empty
    assert len(describe(found)) == 1


def test_files_hold_every_departure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The files hold every departure, and the sentences that are printed."""
    pairs = (("fetal_first", "policy_2"), (whimsical(), "policy_2"))
    every = [find_departures(SCARCE, *both(pair), 5, seed=5) for pair in pairs]
    report.write_departures(tmp_path, every)
    rows = pd.read_csv(tmp_path / "departures.csv")
    assert len(rows) == sum(len(found.departures) for found in every)
    assert rows.groupby("policy")["saved"].sum().to_dict() == {
        found.followed: found.departures["saved"].sum() for found in every
    }
    text = (tmp_path / "departures.md").read_text()
    for found in every:
        report.print_departures(found)
        printed = " ".join(capsys.readouterr().out.split())
        for sentence in describe(found):
            assert f"- {sentence}\n" in text
            assert sentence in printed
        assert f"| {found.by_kind()['kind'][0]} |" in text
