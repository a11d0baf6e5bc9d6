"""Comparisons: common random numbers, paired differences, and the reference model's penalties."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest

from echo_env.common.files import columns
from echo_env.lab import Comparison, LabConfig, evaluate, make_policy, sample_days, simulate
from echo_env.lab.evaluation import comparison as evaluation
from echo_env.lab.evaluation import results
from echo_env.lab.simulation.metrics import METRICS, metrics_of
from echo_env.lab.simulation.patient import Start
from echo_env.lab.simulation.view import LabView

SCARCE = LabConfig.load("scarce")


def test_all_policies_have_the_same_days() -> None:
    """All policies play the same days, whichever others are compared and however many days follow."""
    got = evaluate(SCARCE, ["policy_2", "policy_1", "random"], days=20, seed=3)
    assert got.days == 20
    for metric in ("no_show", "turned_away", "absent"):
        rows = [got.values[name][metric] for name in got.values]
        assert all(np.array_equal(rows[0], row) for row in rows)
    alone = evaluate(SCARCE, ["random"], days=12, seed=3)
    assert np.array_equal(alone.values["random"]["penalty"], got.values["random"]["penalty"][:12])
    trace = simulate(SCARCE, sample_days(SCARCE, 1, seed=3, first=7)[0], make_policy("policy_2", SCARCE))
    assert got.values["policy_2"]["penalty"][7] == trace.penalty.total


def test_dict_follows_the_contract() -> None:
    """``to_dict`` has the documented keys, and is valid JSON."""
    got = evaluate(SCARCE, ["policy_2", "fetal_first"], days=5, seed=1).to_dict("EchoLabScarce-v0")
    got = json.loads(json.dumps(got, allow_nan=False))
    assert list(got) == ["env", "days", "seed", "policies", "paired"]
    assert (got["env"], got["days"], got["seed"]) == ("EchoLabScarce-v0", 5, 1)
    assert list(got["policies"]) == ["policy_2", "fetal_first"]
    assert list(got["paired"]) == ["fetal_first"]
    for table in (*got["policies"].values(), *got["paired"].values()):
        assert set(table) == set(metrics_of(SCARCE)) >= {"penalty", "wait_fetal_min"}
        low, high = table["penalty"]["ci95"]
        assert low < table["penalty"]["mean"] < high
    means = got["policies"]
    difference = means["fetal_first"]["penalty"]["mean"] - means["policy_2"]["penalty"]["mean"]
    assert got["paired"]["fetal_first"]["penalty"]["mean"] == pytest.approx(difference)


def test_any_policy_may_be_the_reference() -> None:
    """The reference is what the others are paired with, whichever policy it is."""
    first = evaluate(SCARCE, ["policy_2", "fetal_first"], days=5, seed=1)
    other = evaluate(SCARCE, ["policy_2", "fetal_first"], days=5, seed=1, reference="fetal_first")
    assert (first.reference, first.others) == ("policy_2", ["fetal_first"])
    assert (other.reference, other.others) == ("fetal_first", ["policy_2"])
    assert list(other.values) == ["policy_2", "fetal_first"]
    assert other.paired("policy_2", "penalty").mean == -first.paired("fetal_first", "penalty").mean
    assert list(other.to_dict("x")["paired"]) == ["policy_2"]
    with pytest.raises(ValueError, match="reference is 'policy_1', but must be one of policy_2, fetal_first"):
        evaluate(SCARCE, ["policy_2", "fetal_first"], days=5, seed=1, reference="policy_1")


def test_days_needed_are_those_of_the_paired_difference() -> None:
    """The days needed are those at which the paired difference's interval excludes 0."""
    values = {name: dict.fromkeys(METRICS, np.array(own)) for name, own in (("a", [1.0, 2.0]), ("b", [2.0, 5.0]))}
    # Differences 1 and 3: mean 2, half-width t(0.975, 1) * 1 = 12.706, so 2 * (12.706 / 2)^2 = 80.7 days.
    comparison = Comparison("tiny", 1, values, {"a": "simpy", "b": "simpy"})
    assert comparison.days_needed("b", "penalty") == 81
    assert comparison.days_needed("a", "penalty") == np.inf


@pytest.mark.parametrize("engine", ["simpy", "auto"])
def test_jobs_change_no_bit(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any number of processes gives the same numbers to the bit."""
    monkeypatch.setattr(evaluation, "CHUNK", 20)
    rules = ["random", "policy_2", "policy_3"]
    told: list[int] = []
    alone, shared = (
        evaluate(SCARCE, rules, days=45, seed=5, engine=engine, jobs=jobs, progress=told.append) for jobs in (1, 2)
    )
    assert list(shared.values) == rules
    assert shared.engines == alone.engines
    assert sum(told) == 2 * 3 * 45
    for name in rules:
        for metric in alone.metrics:
            assert np.array_equal(alone.values[name][metric], shared.values[name][metric], equal_nan=True), metric


def test_threads_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules on the compiled engine are played by threads of this process, with the same numbers to the bit."""
    monkeypatch.setattr(evaluation, "CHUNK", 7)
    rules, players = ["policy_2", "policy_1", "fetal_first"], set()
    play = evaluation.BlockPlayer.__call__

    def noted(self: evaluation.BlockPlayer, block: evaluation.Block) -> dict[str, np.ndarray]:
        players.add(threading.get_ident())
        return play(self, block)

    alone = evaluate(SCARCE, rules, days=400, seed=5)
    monkeypatch.setattr(evaluation.BlockPlayer, "__call__", noted)
    shared = evaluate(SCARCE, rules, days=400, seed=5, jobs=3)
    assert threading.get_ident() not in players
    assert players
    for name in rules:
        for metric in alone.metrics:
            assert alone.values[name][metric].tobytes() == shared.values[name][metric].tobytes(), metric


@pytest.mark.parametrize(
    ("policies", "days", "message"),
    [
        ([], 3, "policies is empty"),
        (["policy_1", "policy_1"], 3, "'policy_1' twice"),
        (["policy_1"], 0, "days is 0, but must be at least 1"),
        (["policy_9"], 3, "'policy_9' is unknown"),
    ],
)
def test_bad_questions_are_refused(policies: list[str], days: int, message: str) -> None:
    """No policy, a doubled or unknown one, and no day are refused."""
    with pytest.raises(ValueError, match=message):
        evaluate(SCARCE, policies, days, seed=0)


def test_abundant_lab_costs_nothing() -> None:
    """Nobody waits, and nothing is paid, in the abundant lab."""
    got = evaluate(LabConfig.load("abundant"), ["policy_1", "policy_2", "fetal_first"], days=50, seed=2)
    assert all((table["penalty"] == 0).all() for table in got.values.values())


@pytest.mark.parametrize(
    ("preset", "idle_rule", "policy_1", "policy_2", "se", "fetal_first"),
    [
        ("baseline", "every_pair", 2231.3, 2230.6, 4.7, None),
        ("baseline", "while_waiting", 237.2, 236.5, 5.1, (-3.1, 0.8)),
        ("scarce", "every_pair", 6753.5, 6743.8, 61, (-106, 7)),
        ("scarce", "while_waiting", 6446.5, 6436.9, 62, (-102, 7)),
    ],
)
@pytest.mark.slow
def test_rules_cost_what_an_independent_model_says(
    preset: str, idle_rule: str, policy_1: float, policy_2: float, se: float, fetal_first: tuple[float, float] | None
) -> None:
    """Penalties of the rules agree with an independent model on 10,000 days.

    The band of a mean is three standard errors of the difference of two independent samples.
    """
    config = LabConfig.load(preset).replace(penalty__idle_rule=idle_rule)
    got = evaluate(config, ["policy_2", "policy_1", "fetal_first"], days=2500, seed=8, engine="simpy")
    for name, expected in (("policy_1", policy_1), ("policy_2", policy_2)):
        ours = got.mean(name, "penalty")
        assert abs(ours.mean - expected) < 3 * np.hypot(ours.half_width / 1.96, se)
    if fetal_first is not None:
        ours = got.paired("fetal_first", "penalty")
        assert abs(ours.mean - fetal_first[0]) < 1.5 * np.hypot(ours.half_width, fetal_first[1])


@pytest.mark.parametrize("preset", ["baseline", "scarce", "abundant"])
def test_both_engines_give_the_same_table(preset: str) -> None:
    """Both engines give the same metrics to the bit."""
    pytest.importorskip("numba")
    config = LabConfig.load(preset)
    rules = ["policy_2", "policy_1", "fetal_first", "random"]
    slow, fast = (evaluate(config, rules, days=40, seed=5, engine=engine) for engine in ("simpy", "compiled"))
    assert set(slow.engines.values()) == {"simpy"}
    assert set(fast.engines.values()) == {"compiled"}
    for name in rules:
        for metric in metrics_of(SCARCE):
            assert np.array_equal(slow.values[name][metric], fast.values[name][metric], equal_nan=True), metric


def test_engines_are_chosen_and_refused() -> None:
    """The engine is compiled where the policy offers it, else SimPy; what cannot run is refused."""
    pytest.importorskip("numba")

    class Own:
        """A user's own policy, without capabilities."""

        name = "own"

        def begin_day(self, view: LabView, seed: int) -> None:
            """Nothing."""

        def decide(self, view: LabView) -> list[Start]:
            """As policy 2 does."""
            return list(make_policy("policy_2", SCARCE).decide(view))

    got = evaluate(SCARCE, ["policy_2", Own()], days=2, seed=0)
    assert got.engines == {"policy_2": "compiled", "own": "simpy"}
    assert np.array_equal(got.values["policy_2"]["penalty"], got.values["own"]["penalty"])
    with pytest.raises(ValueError, match="'own' runs only on 'simpy'"):
        evaluate(SCARCE, [Own()], days=2, seed=0, engine="compiled")
    alone, shared = (evaluate(SCARCE, ["policy_2", Own()], days=20, seed=0, jobs=jobs) for jobs in (1, 2))
    assert np.array_equal(shared.values["own"]["penalty"], alone.values["own"]["penalty"])
    with pytest.raises(ValueError, match="engine is 'fast', but must be one of auto, simpy, compiled"):
        evaluate(SCARCE, ["policy_2"], days=2, seed=0, engine="fast")


def test_a_part_of_a_comparison_has_its_first_days() -> None:
    """Some policies on the first days are what they are in the whole; without the reference the first one is it."""
    whole = evaluate(LabConfig.load("scarce"), ["policy_1", "policy_2", "random"], days=6, seed=3, reference="policy_2")
    part = whole.part(["random", "policy_2"], days=4)
    assert (list(part.values), part.days, part.reference) == (["random", "policy_2"], 4, "policy_2")
    np.testing.assert_array_equal(part.values["random"]["penalty"], whole.values["random"]["penalty"][:4])
    assert part.engines == {"random": whole.engines["random"], "policy_2": whole.engines["policy_2"]}
    assert whole.part(["random", "policy_1"]).reference == "random"


def test_many_days_are_the_same_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A comparison of more days than are kept in memory has the same numbers, tables and curves, to the bit."""
    kept = evaluate(SCARCE, ["policy_2", "random"], days=30, seed=3)
    monkeypatch.setattr(columns, "MOST_ROWS", 29)
    filed = evaluate(SCARCE, ["policy_2", "random"], days=30, seed=3)
    assert isinstance(filed.values["random"]["penalty"], np.memmap)
    assert json.dumps(filed.to_dict("x")) == json.dumps(kept.to_dict("x"))
    assert results.running_means(filed, "random") == results.running_means(kept, "random")
    monkeypatch.setattr(results, "ROWS", 7)
    for name, comparison in (("filed", filed), ("kept", kept.part(["policy_2", "random"]))):
        results.write_days(tmp_path / name, comparison)
    assert (tmp_path / "filed" / "days.csv").read_bytes() == (tmp_path / "kept" / "days.csv").read_bytes()
