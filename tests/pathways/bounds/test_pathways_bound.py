"""The optimum of small hospitals and the bound of large ones, against trees, linear programs and policies."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog
from small_hospitals import make_condition, make_instance

from echo_env.pathways import PathwaysConfig, make_policy, sample_draw, trial_luck
from echo_env.pathways.bounds.bounds import arrivals_by_state, bound_utility, lagrangian_bound
from echo_env.pathways.bounds.optimum import optimal_utility, patient_chain
from echo_env.pathways.bounds.prices import priced
from echo_env.pathways.evaluation.engines import play_trials
from echo_env.pathways.instance.instance import Instance
from echo_env.pathways.instance.model import success

TINY = PathwaysConfig.load("baseline").replace(
    patients=2, resources=2, needs=2, health_levels=3, horizon=4, initial_health=(1, 1)
)
KINDS: list[dict[str, Any]] = [
    {},
    {"lethal": True},
    {"pathway": "unordered", "durations": (1, 2), "last_arrival": 2},
]


def best_by_tree(instance: Instance) -> float:
    """The optimum by recursion over the model's arrays, sharing no code with the implementation."""
    config, model = instance.config, instance.model
    top = config.health_levels - 1

    @cache
    def value(t: int, joint: tuple[tuple[int, int], ...]) -> float:
        if t == config.horizon:
            return 0.0
        options, kept = [], np.zeros(config.resources, dtype=int)
        for n, (s, h) in enumerate(joint):
            c = instance.condition[n]
            moves = instance.arrivals[n] <= t and not (config.lethal and h == 0)
            if moves and model.keeps[c, s]:
                kept[model.resource[c, model.held[c, s]]] += 1
            can = [k for k in range(model.resource.shape[1]) if moves and model.after_win[c, s, k] >= 0]
            options.append([None, *can])
        best = -1.0
        for action in product(*options):
            used = kept.copy()
            for n, k in enumerate(action):
                if k is not None:
                    used[model.resource[instance.condition[n], k]] += 1
            if (used <= model.units).all():
                best = max(best, expectation(t, joint, action))
        return best

    def expectation(t: int, joint: tuple[tuple[int, int], ...], action: Any) -> float:
        outcomes = []
        for n, ((s, h), k) in enumerate(zip(joint, action, strict=True)):
            c = instance.condition[n]
            if instance.arrivals[n] > t or (config.lethal and h == 0):
                outcomes.append([(1.0, (s, h))])
                continue
            then = int(model.after_wait[c, s] if k is None else model.after_win[c, s, k])
            if model.finished[c, then]:
                outcomes.append([(1.0, (then, top))])
                continue
            move = model.move[c, model.held[c, s] + 1, h]
            outcomes.append([(p, (then, h + d)) for d, p in zip((-1, 0, 1), move, strict=True) if p > 0])
        total = 0.0
        for combination in product(*outcomes):
            chance = np.prod([p for p, _ in combination])
            after = tuple(state for _, state in combination)
            here = sum(h for n, (_, h) in enumerate(after) if instance.arrivals[n] <= t) / top
            total += chance * (here + value(t + 1, after))
        return float(total)

    start = tuple((0, int(h)) for h in instance.initial_health)
    return value(0, start) / int((config.horizon - instance.arrivals).sum())


@pytest.mark.parametrize("changes", KINDS)
def test_the_optimum_is_that_of_the_tree(changes: dict[str, Any]) -> None:
    """The optimum equals that of the brute-force recursion."""
    config = TINY.replace(**changes)
    for draw in range(3):
        instance = sample_draw(config, 1, draw)
        assert optimal_utility(instance) == pytest.approx(best_by_tree(instance), abs=1e-12)


def bound_by_linear_program(instance: Instance) -> float:
    """The lowest Lagrangian bound, from the dual linear program: fractional patients, expected use of units."""
    config, model, cohort = instance.config, instance.model, arrivals_by_state(instance)
    chains = [patient_chain(model, c) for c in range(len(instance.conditions))]
    columns: list[tuple[int, int, int, int]] = [
        (t, c, x, choice)
        for t in range(config.horizon)
        for c, chain in enumerate(chains)
        for choice, x in zip(*np.nonzero(chain.possible), strict=True)
    ]
    worth = np.zeros(len(columns))
    flow = {(t, c, x): k for k, (t, c, x) in enumerate(dict.fromkeys(column[:3] for column in columns))}
    balance, supply = np.zeros((len(flow), len(columns))), np.zeros(len(flow))
    use = np.zeros((config.resources * config.horizon, len(columns)))
    for j, (t, c, x, choice) in enumerate(columns):
        chain = chains[c]
        worth[j] = chain.next[choice, x] @ chain.success
        balance[flow[t, c, x], j] += 1
        if t + 1 < config.horizon:
            for after in np.flatnonzero(chain.next[choice, x]):
                balance[flow[t + 1, c, int(after)], j] -= chain.next[choice, x, after]
        resource = model.resource[c, choice - 1] if choice else chain.keeps[x]
        if resource >= 0:
            use[resource * config.horizon + t, j] = 1
    for t, c, h in zip(*np.nonzero(cohort), strict=True):
        supply[flow[int(t), int(c), int(h)]] += cohort[t, c, h]
    units = np.repeat(np.asarray(config.units_of, dtype=float), config.horizon)
    solved = linprog(-worth, A_ub=use, b_ub=units, A_eq=balance, b_eq=supply)
    return -solved.fun / int((config.horizon - instance.arrivals).sum())


@pytest.mark.parametrize("changes", KINDS)
def test_the_bound_is_nearly_that_of_the_linear_program(changes: dict[str, Any]) -> None:
    """The bound is at least that of the linear program, and close to it."""
    instance = sample_draw(TINY.replace(patients=6, horizon=5, **changes), 1, 0)
    exact = bound_by_linear_program(instance)
    assert exact - 1e-9 <= lagrangian_bound(instance) <= exact + 0.002


@pytest.mark.parametrize("changes", KINDS)
def test_policy_optimum_and_bound_come_in_this_order(changes: dict[str, Any]) -> None:
    """A policy's utility is at most the optimum, which is at most the bound."""
    config = TINY.replace(**changes)
    for draw in range(3):
        instance = sample_draw(config, 2, draw)
        optimum = optimal_utility(instance)
        lucks = [trial_luck(instance, trial) for trial in range(400)]
        utilities = [trace.utility for trace in play_trials(instance, lucks, make_policy("auction", config))]
        assert np.mean(utilities) <= optimum + 4 * np.std(utilities) / 20
        assert optimum <= lagrangian_bound(instance, 50) + 1e-12
        assert bound_utility(instance) == optimum


def test_where_there_is_enough_the_bound_is_the_optimum() -> None:
    """With enough units for all patients the bound is tight."""
    instance = sample_draw(TINY.replace(units=2), 1, 0)
    assert lagrangian_bound(instance) == pytest.approx(optimal_utility(instance), abs=1e-12)


def test_prices_by_hand() -> None:
    """Payments, use of units and their value equal a hand calculation."""
    # One patient, one need, health 0 of 2; waiting it stays, holding it rises with a draw of 0.5; finished it is 2.
    condition = make_condition((0,), ((),), waiting=(0.0, 1.0, 0.0))
    instance = make_instance([condition], [(0, 0)], horizon=3, resources=1)
    prices = np.array([[0.25, 2.0, 0.0]])
    total, used = priced(instance.model, success(3), arrivals_by_state(instance), prices)
    # Won in step 0 for 0.25: waits in step 0 (0), holds in step 1 and is finished after it (1), and stays so (1).
    assert total == pytest.approx(2 - 0.25 + 2.25)
    assert used.tolist() == [[1, 0, 0]]


def test_instances_without_a_bound_are_refused() -> None:
    """Changing pathways and too many joint states are refused."""
    instance = sample_draw(TINY.replace(changes__appear_rate=0.5), 1, 0)
    with pytest.raises(ValueError, match=r"appear_rate 0\.5 and disappear_rate 0\.0, but bounds require both"):
        bound_utility(instance)
    with pytest.raises(ValueError, match="joint states, but the optimum is computed for at most 50,000"):
        optimal_utility(sample_draw(PathwaysConfig.load("baseline"), 1, 0))
