"""Episodes by hand, invariants of every episode, and equality of both engines."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from small_hospitals import make_condition, make_instance, make_luck

from echo_env.pathways import PathwaysConfig, Simulator, Trace, make_policy, policy_names, sample_draw, simulate
from echo_env.pathways import trial_luck as luck_of
from echo_env.pathways.config.condition import Change
from echo_env.pathways.config.pathway import NONE
from echo_env.pathways.evaluation.engines import is_compiled, play_trials
from echo_env.pathways.instance.instance import APPEARS, DISAPPEARS, Instance, Luck

WAITS = (0.5, 0.5, 0.0)
HOLDS = (0.0, 0.5, 0.5)

HARD = {
    "paper": {},
    "partial order, two units": {"pathway": "partial", "resources": 6, "units": 2},
    "long tasks, arrivals": {"pathway": "unordered", "durations": (1, 3), "last_arrival": 10},
    "everything": {
        "pathway": "partial",
        "resources": 5,
        "units": (1, 2, 1, 1, 2),
        "lethal": True,
        "durations": (1, 2),
        "last_arrival": 5,
        "changes__appear_rate": 0.4,
        "changes__disappear_rate": 0.4,
        "reward": "completion",
        "gamma": 0.95,
    },
}
"""Changes to a hospital of 12 patients."""


def hospital(kind: str) -> PathwaysConfig:
    """One of :data:`HARD`."""
    return PathwaysConfig.load("baseline").replace(patients=12, learning__rounds=2, learning__episodes=5, **HARD[kind])


def play(instance: Instance, luck: Luck, policy: str) -> Trace:
    """An episode under a policy, by its name."""
    return simulate(instance, luck, make_policy(policy, instance.config))


def test_two_patients_by_hand() -> None:
    """The order of events and the utility equal a hand calculation."""
    # Two needs in a line, draws of 0.5: health stays while waiting, rises while holding.
    instance = make_instance([make_condition(waiting=WAITS, holding=HOLDS)], [(0, 0), (0, 1)])
    trace = play(instance, make_luck(instance), "fcfs_arrival")
    # Step 0: both ask for resource 0, patient 0 came first. Step 1: it holds 0 and asks for 1, patient 1 gets 0.
    # Step 2: patient 0 holds 1, and so is finished and healthy in step 3; patient 1 follows a step later.
    assert trace.held.T.tolist() == [[NONE, 0, 1, NONE, NONE, NONE], [NONE, NONE, 0, 1, NONE, NONE]]
    assert trace.health.T.tolist() == [[0, 0, 1, 2, 2, 2], [1, 1, 1, 2, 2, 2]]
    assert trace.finished.T.tolist() == [[False] * 3 + [True] * 3, [False] * 4 + [True] * 2]
    assert trace.utility == pytest.approx((0 + 0.5 + 1 + 1 + 1 + 0.5 + 0.5 + 1 + 1 + 1) / 10)


def test_health_falls_with_a_low_draw_while_waiting_only() -> None:
    """Health moves by the probabilities of waiting or of holding."""
    instance = make_instance([make_condition(waiting=WAITS, holding=HOLDS)], [(0, 2)])
    # 0.4 is below 0.5: down while waiting; at least 0 and below 0.5: stays while holding.
    trace = play(instance, make_luck(instance, 0.4), "fcfs_request")
    assert trace.health[:, 0].tolist() == [2, 1, 1, 2, 2, 2]


def test_sickest_first_by_either_health() -> None:
    """Sickest first orders by health at arrival or by current health."""
    # Patient 0 comes with health 1 and rises in step 0 (draw 1), patient 1 with 2 and falls twice (draw 0).
    condition = make_condition((0,), ((),), waiting=(0.2, 0.6, 0.2), holding=(0, 1, 0), levels=4)
    luck = [[0.9, 0.1], [0.9, 0.1], [0.5, 0.5], [0.5, 0.5], [0.5, 0.5]]
    instance = make_instance([condition, make_condition((1,), ((),), levels=4)], [(0, 1), (0, 2)])
    hospital = Simulator(instance, make_luck(instance, luck))
    hospital.advance([NONE, NONE])
    assert hospital.health.tolist() == [2, 1]
    for name, winner in (("sickest_initial", 0), ("sickest_now", 1)):
        policy = make_policy(name, instance.config)
        policy.begin_instance(instance)
        assert policy.decide(hospital.view()).tolist() == [0 if n == winner else NONE for n in range(2)]


def test_first_come_first_served_by_request_or_by_arrival() -> None:
    """First come, first served orders by request or by arrival."""
    # Patient 0 needs 1 then 0, patient 1 needs 0 only. In step 1 patient 0 asks for 0, as patient 1 did before.
    first, second = make_condition((1, 0), ((), (0,))), make_condition((0,), ((),))
    instance = make_instance([first, second], [(0, 1), (1, 1)])
    hospital = Simulator(instance, make_luck(instance))
    hospital.advance([1, NONE])
    view = hospital.view()
    assert view.wanted.tolist() == [[NONE, 0], [0, NONE]]
    assert view.requested.tolist() == [[0, 1], [0, NONE]]
    for name, winner in (("fcfs_request", 1), ("fcfs_arrival", 0)):
        policy = make_policy(name, instance.config)
        policy.begin_instance(instance)
        assert policy.decide(view).tolist() == [0 if n == winner else NONE for n in range(2)]


def test_a_long_task_keeps_its_unit() -> None:
    """A task of several steps keeps its unit until it ends."""
    instance = make_instance([make_condition((0,), ((),), durations=(3,))], [(0, 1), (0, 1)], horizon=7)
    trace = play(instance, make_luck(instance), "fcfs_arrival")
    assert trace.held.T.tolist() == [[NONE, 0, 0, 0, NONE, NONE, NONE, NONE], [NONE] * 4 + [0, 0, 0, NONE]]
    assert trace.finished[:, 0].tolist() == [False] * 4 + [True] * 4


def test_nobody_is_treated_or_counted_before_the_arrival() -> None:
    """Patients neither move nor count before their arrival."""
    instance = make_instance([make_condition((0,), ((),))], [(0, 1), (0, 1)], arrival=np.array([0, 3]))
    trace = play(instance, make_luck(instance, 0.4), "fcfs_request")
    assert trace.health[:, 1].tolist() == [1, 1, 1, 1, 0, 2]
    assert trace.held[:, 1].tolist() == [NONE] * 4 + [0, NONE]
    # Patient 0: 0, then full health for 4 steps; patient 1: 0, then full health.
    assert trace.utility == pytest.approx((0 + 4 + 0 + 1) / 7)


def test_the_dead_leave_their_unit_and_do_not_recover() -> None:
    """The dead release their unit and stay at health 0."""
    condition = make_condition((0,), ((),), durations=(3,), holding=(0.5, 0.5, 0.0))
    instance = make_instance([condition], [(0, 1), (0, 2)], lethal=True, horizon=6)
    # Patient 0 stays at 1 in step 0, holds from step 1, dies in it. Patient 1 is well until served.
    luck = [[0.5, 0.9], [0.1, 0.9], [0.9, 0.9], [0.9, 0.9], [0.9, 0.9], [0.9, 0.9]]
    trace = play(instance, make_luck(instance, luck), "fcfs_arrival")
    assert trace.health[:, 0].tolist() == [1, 1, 0, 0, 0, 0, 0]
    assert trace.held.T.tolist() == [[NONE, 0, NONE, NONE, NONE, NONE, NONE], [NONE, NONE, NONE, 0, 0, 0, NONE]]
    assert trace.dead[-1].tolist() == [True, False]
    assert trace.finished[-1].tolist() == [False, True]


def test_a_need_that_appears_is_met_and_was_solved_for() -> None:
    """A patient with a new need follows, and has the values of, the new pathway."""
    base = make_condition((0,), ((),), waiting=(0.5, 0.5, 0.0))
    grown = make_condition((0, 1), ((), (0,)), waiting=(0.5, 0.5, 0.0))
    instance = make_instance([base], [(0, 1), (0, 1)], changes=((Change(grown, (0,)), None),), horizon=8)
    trace = play(instance, make_luck(instance, 0.5, {0: (3, APPEARS)}), "auction")
    # Patient 0 is finished in step 2, needs resource 1 from step 3 on, holds it in step 4, and is finished again.
    assert trace.condition[:, 0].tolist() == [0, 0, 0, 1, 1, 1, 1, 1, 1]
    assert trace.finished[:, 0].tolist() == [False, False, True, False, False, True, True, True, True]
    assert trace.held[:, 0].tolist() == [NONE, 0, NONE, NONE, 1, NONE, NONE, NONE, NONE]
    # What the model has for the new pathway is what a patient with that condition from the start would have.
    alone = make_instance([grown], [(0, 1)], horizon=8)
    states = alone.model.states[0]
    for name in ("resource", "reward", "finished", "after_wait", "after_win"):
        own, new = getattr(alone.model, name)[0], getattr(instance.model, name)[1]
        assert np.array_equal(own, new[:states] if own.shape[0] == states else new), name


def test_a_need_that_disappears_is_dropped() -> None:
    """A need that disappears is no longer requested or held."""
    base, shrunk = make_condition(), make_condition((1,), ((),))
    change = Change(shrunk, (NONE, 0))
    instance = make_instance([base], [(0, 1)], changes=((None, change),))
    trace = play(instance, make_luck(instance, 0.5, {0: (1, DISAPPEARS)}), "fcfs_request")
    # In step 1 patient 0 would hold resource 0, but does not need it any more; it asks for 1.
    assert trace.held[:, 0].tolist() == [NONE, NONE, 1, NONE, NONE, NONE]
    # Had it had all that is left, it would be healthy at once.
    done = Change(make_condition((0,), ((),)), (0, NONE))
    instance = make_instance([base], [(0, 1)], changes=((None, done),))
    trace = play(instance, make_luck(instance, 0.4, {0: (2, DISAPPEARS)}), "fcfs_request")
    assert trace.finished[:, 0].tolist() == [False, False, True, True, True, True]
    assert trace.health[:, 0].tolist() == [1, 0, 0, 2, 2, 2]


@pytest.mark.parametrize("kind", HARD)
@pytest.mark.parametrize("policy", ["auction", "matching", "fcfs_request", "random"])
def test_what_holds_in_every_episode(kind: str, policy: str) -> None:
    """Capacity, durations and order of needs hold in every episode."""
    config = hospital(kind)
    for draw in range(3):
        instance = sample_draw(config, 4, draw)
        check_trace(play(instance, luck_of(instance, 0), policy))


def check_trace(trace: Trace) -> None:
    """The invariants of an episode."""
    config, model = trace.instance.config, trace.instance.model
    for row in trace.held:
        used = np.bincount(row[row != NONE], minlength=config.resources)
        assert (used <= np.array(config.units_of)).all()
    assert (trace.health >= 0).all()
    assert (trace.health < config.health_levels).all()
    # Who finishes jumps to full health, even if another need appears in that very step.
    jumps = np.abs(np.diff(trace.health, axis=0)) > 1
    assert (trace.health[1:][jumps] == config.health_levels - 1).all()
    assert (trace.finished[1:] | (np.diff(trace.condition, axis=0) != 0))[jumps].all()
    assert (trace.dead[1:] >= trace.dead[:-1]).all()
    for n in range(config.patients):
        changed = np.flatnonzero(np.diff(trace.condition[:, n])) + 1
        steps = range(changed[0] if len(changed) else config.horizon + 1)
        condition = trace.instance.conditions[trace.condition[0, n]]
        order: list[int] = []
        for t in steps:
            need = model.held[trace.condition[t, n], trace.state[t, n]]
            if need != NONE and trace.held[t, n] != NONE:
                order.append(int(need))
        met = list(dict.fromkeys(order))
        for place, need in enumerate(met):
            assert set(condition.order[need]) <= set(met[:place])
        for need in met[:-1]:
            assert order.count(need) == condition.durations[need]
        if steps and trace.finished[steps[-1], n]:
            assert set(met) == set(range(len(condition.resources)))


@pytest.mark.parametrize("kind", HARD)
def test_both_engines_give_the_same_traces(kind: str) -> None:
    """Both engines give the same traces to the bit."""
    config = hospital(kind)
    names = [*policy_names(), "auction(bids=value)", "auction(bids=gain)"]
    policies = [make_policy(name, config) for name in names]
    assert [policy.name for policy in policies if not is_compiled(policy)] == ["matching"]
    for draw in range(2):
        instance = sample_draw(config, 3, draw)
        lucks = [luck_of(instance, trial) for trial in range(2)]
        for policy in filter(is_compiled, policies):
            for fast, luck in zip(play_trials(instance, lucks, policy), lucks, strict=True):
                slow = simulate(instance, luck, policy)
                for name in ("condition", "state", "health"):
                    assert np.array_equal(getattr(fast, name), getattr(slow, name)), (policy.name, name)


def test_who_is_never_served_has_the_same_health_whatever_the_method() -> None:
    """An unserved patient has the same health under every policy."""
    config = PathwaysConfig.load("baseline")
    instance = sample_draw(config, 6, 0)
    luck = luck_of(instance, 0)
    traces = [play(instance, luck, name) for name in ("auction", "fcfs_request", "sickest_now", "random")]
    for a in traces:
        for b in traces:
            for n in range(config.patients):
                served = np.flatnonzero((a.held[:, n] != NONE) | (b.held[:, n] != NONE))
                until = served[0] if len(served) else config.horizon
                assert np.array_equal(a.health[: until + 1, n], b.health[: until + 1, n])


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ([1, NONE], "patient 0 is assigned resource 1, but can now use 0"),
        ([0, 0], "resource 0 is assigned 2 times, but has 1 free units"),
        ([0], r"assignment has shape \(1,\), but must have \(2,\)"),
        ([7, NONE], "patient 0 is assigned resource 7"),
    ],
)
def test_impossible_assignments_are_refused(assignment: list[int], message: str) -> None:
    """Infeasible assignments are refused in one sentence."""
    instance = make_instance([make_condition()], [(0, 1), (0, 1)])
    with pytest.raises(ValueError, match=message):
        Simulator(instance, make_luck(instance)).advance(assignment)


def test_an_episode_ends() -> None:
    """An episode ends at its horizon."""
    instance = make_instance([make_condition()], [(0, 1)], horizon=1)
    episode = Simulator(instance, make_luck(instance))
    episode.advance([NONE])
    assert episode.over
    with pytest.raises(ValueError, match="step is 1, but the episode has only 1"):
        episode.advance([NONE])


def test_it_works_without_numba() -> None:
    """Without numba the same code runs uncompiled."""
    few = "patients=3, horizon=5, learning__rounds=1, learning__episodes=2"
    small = f"PathwaysConfig.load('baseline').replace({few})"
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "from echo_env.pathways import *\n"
        f"i = sample_draw({small}, 1, 0)\n"
        "print(simulate(i, trial_luck(i, 0), make_policy('auction', i.config)).utility)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    config = PathwaysConfig.load("baseline").replace(patients=3, horizon=5, learning__rounds=1, learning__episodes=2)
    instance = sample_draw(config, 1, 0)
    assert float(done.stdout) == play(instance, luck_of(instance, 0), "auction").utility


def test_a_trace_is_a_table() -> None:
    """A trace converts to a table with one row for each patient and step."""
    instance = make_instance([make_condition((0,), ((),))], [(0, 1), (0, 1)], arrival=np.array([0, 3]))
    table = play(instance, make_luck(instance), "fcfs_request").to_pandas()
    assert len(table) == 6 + 3
    assert table[table.patient == 0].held.tolist() == [NONE, 0, NONE, NONE, NONE, NONE]
    assert table[table.patient == 1].step.tolist() == [3, 4, 5]
