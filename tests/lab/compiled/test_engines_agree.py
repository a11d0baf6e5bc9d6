"""The compiled engine beside the SimPy one: the same days, to the bit. No tolerance anywhere."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from config_strategies import configs
from hypothesis import given, settings
from hypothesis import strategies as st

from echo_env.lab import LabConfig, make_policy, sample_days, simulate
from echo_env.lab.decisions.actions import MOST_PER_CLASS, encode
from echo_env.lab.envs.env import EchoLabEnv
from echo_env.lab.policies import Policy, TierPolicy
from echo_env.lab.simulation.patient import EARLY, LATE, ON_TIME, PatientClass
from echo_env.lab.simulation.penalty import UNITS
from echo_env.lab.simulation.policy import TieredPolicy

pytest.importorskip("numba")
from numba.types import unliteral

from echo_env.lab.compiled import batch, kernel, observations, offers, queue, starts
from echo_env.lab.compiled import steps as batch_steps
from echo_env.lab.compiled.staff import duty, heap, roster
from echo_env.lab.decisions.observation import OBSERVATIONS
from echo_env.lab.envs.vector_env import EchoLabVectorEnv

RULES = ("policy_1", "policy_2", "fetal_first")
PRESETS = ("baseline", "scarce", "abundant")


def assert_days_agree(config: LabConfig, policy: TieredPolicy, count: int, seed: int) -> None:
    """Whole days under a rule: exams, breaks, counts of every minute, penalty units and points."""
    days = sample_days(config, count, seed)
    labs = batch.make_labs(config, count, keep_rows=True)
    batch.begin_days(config, labs, np.arange(count), days)
    cumulated = np.zeros((count, config.hours.end_min + 1, UNITS), dtype=np.int64)
    batch.run_days(labs, batch.rules_of(config), batch.tiers_of(policy.tiers), cumulated)
    for k, day in enumerate(days):
        expected, got = simulate(config, day, policy), batch.trace_of(config, labs, k, day)
        assert got.exams == expected.exams
        assert got.breaks == expected.breaks
        assert got.rows == expected.rows
        assert got.units == tuple(expected.units)
        assert got.penalty == expected.penalty
        assert np.array_equal(np.cumsum(expected.minute_units, axis=0), cumulated[k, 1:])


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("rule", RULES)
def test_traces_agree(preset: str, rule: str) -> None:
    """Both engines give the same traces, to the bit."""
    config = LabConfig.load(preset)
    policy = make_policy(rule, config)
    assert isinstance(policy, TieredPolicy)
    assert_days_agree(config, policy, 40, seed=1)
    assert_days_agree(config.replace(sonographers__absence_rate=0.7), policy, 20, seed=2)


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("rule", RULES)
def test_traces_agree_on_3000_days(preset: str, rule: str) -> None:
    """The same on 3,000 days, rare events included."""
    config = LabConfig.load(preset)
    policy = make_policy(rule, config)
    assert isinstance(policy, TieredPolicy)
    assert_days_agree(config, policy, 3000, seed=3)


def rule_action(env: EchoLabEnv, rule: Policy) -> int:
    """The joint action nearest to what a rule does now: no more than two of a class."""
    if env._offered.size == 1:
        return env._offered.first
    view = env._lab.view  # type: ignore[union-attr]
    digits = [0] * len(PatientClass)
    waiting = {entry.patient: entry.patient_class for entry in view.waiting()}
    for start in rule.decide(view):
        digits[waiting[start.patient]] += 1
    return encode([min(digit, MOST_PER_CLASS) for digit in digits])


def assert_rows_agree(observations: list[np.ndarray], infos: list[dict[str, Any]], seen: Any, told: Any) -> None:
    """States and infos of single envs against the rows of a vector env."""
    assert np.array_equal(np.stack(observations), seen)
    assert np.array_equal(np.stack([info["action_mask"] for info in infos]), told["action_mask"])
    for name in ("minute", "elapsed_min"):
        assert [info[name] for info in infos] == told[name].tolist()


def assert_step_agrees(info: dict[str, Any], told: dict[str, Any], i: int) -> None:
    """What a step paid, and the day's metrics with the last one."""
    assert info["penalty"] == told["penalty"][i]
    assert all(part == told["penalty_parts"][name][i] for name, part in info["penalty_parts"].items())
    for name, value in info.get("metrics", {}).items():
        assert np.array_equal(value, told["metrics"][name][i], equal_nan=True), name


def assert_steps_agree(preset: str, source: str, clock: str, days: int, labs: int = 25) -> None:
    """Step a vector env and single ones with the same actions until every lab has played its share of days."""
    kwargs: dict[str, Any] = {"config": preset, "clock": clock, "idling": True, "reward": "paired"}
    fast = EchoLabVectorEnv(labs, **kwargs)
    slow = [EchoLabEnv(**kwargs) for _ in range(labs)]
    rule = None if source == "random" else make_policy(source, LabConfig.load(preset))
    rng = np.random.default_rng(4)
    seen, infos = fast.reset(seed=100)
    observations, singles = map(list, zip(*(env.reset(seed=100 + i) for i, env in enumerate(slow)), strict=True))
    assert_rows_agree(observations, singles, seen, infos)
    played = np.zeros(labs, dtype=int)
    while played.min() < -(-days // labs):
        if rule is None:
            actions = np.array([rng.choice(np.flatnonzero(mask)) for mask in fast.action_masks()])
        else:
            actions = np.array([rule_action(env, rule) for env in slow])
        seen, rewards, over, _, infos = fast.step(actions)
        for i, env in enumerate(slow):
            observations[i], reward, ended, _, singles[i] = env.step(actions[i])
            assert (reward, ended) == (rewards[i], over[i])
            assert_step_agrees(singles[i], infos["final_info"] if ended else infos, i)
            if ended:
                played[i] += 1
                assert np.array_equal(observations[i], infos["final_obs"][i])
                assert np.array_equal(singles[i]["action_mask"], infos["final_info"]["action_mask"][i])
                observations[i], singles[i] = env.reset()
        assert_rows_agree(observations, singles, seen, infos)


@pytest.mark.parametrize("source", RULES)
def test_steps_agree(source: str) -> None:
    """A vector env and single envs agree to the bit under random and under sensible actions."""
    assert_steps_agree("scarce", source, "event", days=50)


@pytest.mark.slow
@pytest.mark.parametrize("clock", ["event", "minute"])
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("source", [*RULES, "random"])
def test_steps_agree_on_3000_days(preset: str, source: str, clock: str) -> None:
    """The same on 3,000 days for every preset, clock and kind of action."""
    assert_steps_agree(preset, source, clock, days=3000)


@given(configs(), st.integers(0, 2**31), st.permutations([*ON_TIME, *LATE, *EARLY]), st.integers(1, 6))
@settings(max_examples=150, deadline=None)
def test_traces_agree_in_any_lab_under_any_rule_of_tiers(
    config: LabConfig, seed: int, order: list[PatientClass], served: int
) -> None:
    """Both engines agree to the bit in random labs under random tiers."""
    assert_days_agree(config, TierPolicy("some", [(kind,) for kind in order[:served]]), 3, seed)


def test_kernels_are_compiled_once() -> None:
    """Every compiled function has one signature, so that nothing compiles in the middle of a training."""
    for preset in PRESETS:
        for clock in ("minute", "event"):
            env = EchoLabVectorEnv(3, preset, observation="rich", clock=clock, reward="paired")
            env.reset(seed=0)
            for _ in range(40):
                env.step(env._now.first)
    compiled = [
        value
        for module in (kernel, duty, roster, heap, queue, starts, offers, batch, batch_steps, observations)
        for value in vars(module).values()
    ]
    compiled = [value for value in compiled if hasattr(value, "signatures")]
    assert len(compiled) > 15
    # Numba compiles a function again for each constant it is called with, within the compilation of its caller.
    signatures = {f.py_func.__name__: {tuple(map(unliteral, s)) for s in f.signatures} for f in compiled}
    assert {name: of for name, of in signatures.items() if len(of) > 1} == {}
    for entry in (batch.run_days, batch_steps.begin_labs, batch_steps.step_labs, observations.observe_rich):
        assert len({tuple(map(unliteral, own)) for own in entry.signatures}) == 1


def test_importing_the_package_does_not_import_numba() -> None:
    """Importing ``echo_env.lab`` loads no compiler."""
    code = "import sys, echo_env, echo_env.lab; assert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_four_thousand_labs_fit_into_a_gigabyte() -> None:
    """The arrays of 4,096 labs take less than a gigabyte."""
    for preset in PRESETS:
        env = EchoLabVectorEnv(4096, preset, observation="rich", reward="paired")
        arrays = [*env._now.labs, *env._base._labs, env._base._units, *env._now]  # type: ignore[union-attr]
        assert sum(array.nbytes for array in arrays) < 2**30


def test_every_observation_has_a_filler_of_its_name() -> None:
    """The two tables of observations, SimPy's and the compiled engine's, list the same names."""
    assert list(observations.FILLERS) == list(OBSERVATIONS)


def test_the_compiled_engine_runs_without_numba() -> None:
    """Without numba the same functions run in Python, and both engines still agree."""
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "import numpy as np\n"
        "from echo_env.lab import LabConfig, make_policy, sample_days, simulate\n"
        "from echo_env.lab.compiled import batch\n"
        "config = LabConfig.load('scarce')\n"
        "rule, days = make_policy('fetal_first', config), sample_days(config, 2, seed=4)\n"
        "labs = batch.make_labs(config, 2, keep_rows=True)\n"
        "batch.begin_days(config, labs, np.arange(2), days)\n"
        "tiers, nothing = batch.tiers_of(rule.tiers), np.zeros((2, 0, 7), dtype=np.int64)\n"
        "batch.run_days(labs, batch.rules_of(config), tiers, nothing)\n"
        "for k, day in enumerate(days):\n"
        "    trace, other = simulate(config, day, rule), batch.trace_of(config, labs, k, day)\n"
        "    assert (trace.exams, trace.breaks, trace.rows) == (other.exams, other.breaks, other.rows)\n"
        "    assert trace.units == other.units and trace.exams\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
