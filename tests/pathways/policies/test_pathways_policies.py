"""Policies by name, and the paper's claims about them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from small_hospitals import make_condition, make_instance, make_luck

from echo_env.pathways import PathwaysConfig, Policy, Simulator, make_policy, policy_names, sample_draw, trial_luck
from echo_env.pathways.compiled.kernel import REGRET
from echo_env.pathways.compiled.learning import first_chances, learn_prospects
from echo_env.pathways.config import Learning
from echo_env.pathways.config.pathway import NONE
from echo_env.pathways.evaluation.comparison import HospitalSize, evaluate
from echo_env.pathways.evaluation.engines import play_trials
from echo_env.pathways.policies import BiddingPolicy

CONFIG = PathwaysConfig.load("baseline")


def test_every_policy_is_made_by_its_name() -> None:
    """Every registered name makes a policy of that name."""
    assert policy_names() == [
        "auction", "fcfs_arrival", "fcfs_request", "matching", "random", "sickest_initial", "sickest_now",
    ]  # fmt: skip
    for name in [*policy_names(), "auction(bids=value)"]:
        policy = make_policy(name, CONFIG)
        assert policy.name == name
        assert isinstance(policy, Policy)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("auktion", r"policy 'auktion' is unknown \(did you mean auction\?\); known: auction, fcfs_arrival"),
        ("auction(bids=money)", "bids must be regret, value or gain"),
        ("auction(price=1)", "policy 'auction' has no argument 'price'"),
    ],
)
def test_unknown_policies_are_refused(name: str, message: str) -> None:
    """Unknown policies and arguments are refused, with the nearest name."""
    with pytest.raises(ValueError, match=message):
        make_policy(name, CONFIG)


def test_who_gains_nothing_gives_up() -> None:
    """A patient with negative regret does not bid."""
    # Waiting keeps health; the task makes it worse, and there is no time left to finish.
    harmful = make_condition((0, 1), ((), (0,)), waiting=(0, 1, 0), holding=(1, 0, 0))
    instance = make_instance([harmful], [(0, 2)], horizon=2)
    policy = BiddingPolicy(REGRET)
    policy.begin_instance(instance)
    view = Simulator(instance, make_luck(instance)).view()
    assert view.wanted.tolist() == [[0, NONE]]
    assert policy.ask(view)[0].tolist() == [[NONE, NONE]]
    assert policy.decide(view).tolist() == [NONE]


def test_patients_ask_for_the_highest_regret_first() -> None:
    """Preferences are ordered by regret."""
    # Unordered; only need 1 does good while it is held, and time is short.
    condition = make_condition((0, 1), ((), ()), waiting=(0, 1, 0))
    holding = np.array([[[0, 0.9, 0.1]] * 3, [[0, 0.2, 0.8]] * 3])
    condition = type(condition)((0, 1), ((), ()), (1, 1), condition.waiting, holding)
    instance = make_instance([condition], [(0, 0)], horizon=2)
    policy = BiddingPolicy(REGRET)
    policy.begin_instance(instance)
    preferences, bids = policy.ask(Simulator(instance, make_luck(instance)).view())
    assert preferences.tolist() == [[1, 0]]
    # Held in step 1: health 0 rises with 0.8, half of success; nothing can be finished.
    assert bids[0] == pytest.approx([0.8 * 0.5, 0.1 * 0.5])


def test_chances_begin_with_units_over_demand() -> None:
    """Initial probabilities of winning are units over demand."""
    conditions = [make_condition((0, 1)), make_condition((0,), ((),))]
    instance = make_instance(conditions, [(0, 1), (1, 1), (1, 1)], units=(2, 3), horizon=4)
    assert first_chances(instance) == pytest.approx(np.array([[2 / 3] * 4, [1.0] * 4]))


def test_chances_move_towards_what_was_won() -> None:
    """Probabilities move by the step size towards the smoothed frequency of winning."""
    # Two patients of one kind, one unit, one step long task: whoever loses wins in the next step.
    condition = make_condition((0,), ((),), waiting=(0, 1, 0), holding=(0, 1, 0))
    instance = make_instance([condition], [(0, 1), (0, 1)], horizon=5, learning=Learning(1, 1000, 1.0))
    chances = learn_prospects(instance, REGRET).chances
    # Step 0: both ask, one wins; step 1: one asks and wins; (won + 1) / (asked + 2). Then nobody asks.
    assert chances[0, :4] == pytest.approx([1001 / 2002, 1001 / 1002, 0.5, 0.5])
    assert chances[1] == pytest.approx([0.5] * 5)
    # Half a step is half of the way.
    half = make_instance([condition], [(0, 1), (0, 1)], horizon=5, learning=Learning(1, 1000, 0.5))
    moved = first_chances(half) + 0.5 * (chances - first_chances(half))
    assert learn_prospects(half, REGRET).chances == pytest.approx(moved)


def test_learned_chances_come_true() -> None:
    """Learned probabilities agree with the frequencies in new auctions."""
    config = CONFIG.replace(learning__rounds=8)
    instance = sample_draw(config, 2, 0)
    policy = BiddingPolicy(REGRET)
    policy.begin_instance(instance)
    believed = policy.prospects.chances[:, 0]
    won = np.zeros((2, config.resources))
    for trial in range(100):
        hospital = Simulator(instance, trial_luck(instance, trial))
        preferences, _ = policy.ask(hospital.view())
        given = policy.decide(hospital.view())
        for n in np.flatnonzero(preferences[:, 0] != NONE):
            won[:, preferences[n, 0]] += 1, given[n] != NONE
    asked = won[0] > 0
    assert np.abs(won[1, asked] / won[0, asked] - believed[asked]).max() < 0.1


def test_policies_can_be_sent_to_other_processes() -> None:
    """Policies survive pickling with equal results."""
    policy = pickle.loads(pickle.dumps(make_policy("auction", CONFIG)))
    instance = sample_draw(CONFIG.replace(patients=4), 2, 0)
    luck = [trial_luck(instance, 0)]
    fresh = make_policy("auction", CONFIG)
    assert play_trials(instance, luck, policy)[0].utility == play_trials(instance, luck, fresh)[0].utility


def test_the_auction_beats_what_the_paper_says_it_beats() -> None:
    """The paper's ranking holds: auction above sickest first above first come, first served."""
    names = ["auction", "fcfs_request", "sickest_initial", "sickest_now"]
    comparison = evaluate(CONFIG, names, 20, 3, 11, patients=(6, 20), resources=(4, 10))
    for resources in (4, 10):
        for name in comparison.others:
            assert comparison.advantage(HospitalSize(resources, 20), name, "utility").low > 0
        gaps = [comparison.advantage(HospitalSize(resources, n), "fcfs_request", "utility").mean for n in (6, 20)]
        assert gaps[1] > 2 * gaps[0] > 0
    gap = comparison.advantage(HospitalSize(4, 20), "fcfs_request", "utility")
    assert gap.low < 0.117 < gap.high
    assert 0.70 < comparison.mean(HospitalSize(4, 20), "auction", "utility").mean < 0.78


def test_completion_reward_makes_patients_wait() -> None:
    """Under the paper's completion reward patients delay treatment, as documented."""
    success = evaluate(CONFIG, ["auction", "fcfs_request"], 15, 3, 11)
    completion = evaluate(CONFIG.replace(reward="completion"), ["auction", "fcfs_request"], 15, 3, 11)
    cell = HospitalSize(4, 20)
    lost = success.by_draw(cell, "auction", "utility") - completion.by_draw(cell, "auction", "utility")
    assert 0.1 < lost.mean() < 0.3
    # The order of arrival does not depend on the reward.
    assert np.array_equal(*(c.by_draw(cell, "fcfs_request", "utility") for c in (success, completion)))


def test_bids_by_value_do_worse_than_by_regret() -> None:
    """Bidding by value favours healthy patients and does worse than bidding by regret."""
    comparison = evaluate(CONFIG, ["auction", "auction(bids=value)", "auction(bids=gain)"], 15, 3, 11)
    cell = HospitalSize(4, 20)
    assert comparison.advantage(cell, "auction(bids=value)", "utility").low > 0.03
    assert abs(comparison.advantage(cell, "auction(bids=gain)", "utility").mean) < 0.01
