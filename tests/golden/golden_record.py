"""Hashes of what simulators, environments and agents do; ``python tests/golden/golden_record.py`` writes them.

They pin behaviour while code is moved about: days of every preset under every rule on both engines, what the
environments show, offer and pay, what the shipped agents choose, and the patient pathways. All that is hashed is whole
numbers, or float32 and float64 made from them by the same operations on every machine; pathways are rounded to
nine digits. Days are drawn as they were when the file was written, by ``days_by_order``: seeds may come to name other
days, but the same day must go the same way.

A change that is meant to alter behaviour writes the file again, in a commit that says why.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(Path(__file__).parent))

import days_by_order  # noqa: E402

import echo_env  # noqa: E402
from echo_env.lab import LabConfig, evaluate, make_policy, simulate  # noqa: E402
from echo_env.lab.compiled import batch  # noqa: E402
from echo_env.lab.evaluation.engines import play_days  # noqa: E402
from echo_env.lab.simulation.policy import TieredPolicy  # noqa: E402
from echo_env.pathways import (  # noqa: E402
    PathwaysConfig,
    sample_draw,
    trial_luck,
)
from echo_env.pathways import make_policy as make_pathways_policy  # noqa: E402
from echo_env.pathways import policy_names as pathways_policy_names  # noqa: E402
from echo_env.pathways import simulate as simulate_pathways  # noqa: E402
from echo_env.pathways.evaluation.engines import is_compiled, play_trials  # noqa: E402

FILE = Path(__file__).with_name("golden.json")

PRESETS = ("baseline", "scarce", "abundant", "authors_code")
POLICIES = {
    "policy_1": 500,
    "policy_2": 500,
    "policy_3": 500,
    "policy_4": 500,
    "policy_3(hand_back=closing)": 500,
    "policy_3(hand_back=scheduled)": 500,
    "policy_5_case_7": 500,
    "policy_6_case_10": 500,
    "fetal_first": 500,
    "auction": 500,
    "random": 500,
    "rollout(samples=4)": 20,
}
"""Policy -> how many days of each preset."""
COMPILED = ("policy_1", "policy_2", "fetal_first", "random")
SEED = 20_261_125
BLOCK = 50
"""Days to a hash, so that a short check can stop early."""
ENV_DAYS = 20
ENV_BLOCK = 5
PATHWAYS_DRAWS = 10
ROW, UNITS = 13, 4
"""So many numbers of a minute, and of the penalty, were recorded; others have come behind them."""
METRICS = (
    "penalty", "waiting_penalty", "penalty_on_time", "penalty_late", "penalty_overtime", "penalty_idle",
    "wait_min", "wait_fetal_min", "wait_non_fetal_min", "wait_on_time_min", "wait_late_min", "wait_early_min",
    "longest_wait_min", "served", "left_waiting", "no_show", "turned_away", "workload", "workload_spread",
    "room_utilisation", "sonographer_utilisation", "overtime_min", "absent", "absence_rate",
)  # fmt: skip
"""Those that were recorded, in that order."""


def digest(parts: Iterator[Any]) -> str:
    """The first 16 digits of the SHA-256 of a stream of arrays, bytes and tuples."""
    found = sha256()
    for part in parts:
        found.update(np.ascontiguousarray(part).tobytes() if isinstance(part, np.ndarray) else repr(part).encode())
    return found.hexdigest()[:16]


def trace_parts(trace: Any) -> Iterator[Any]:
    """All that happened on a day of the lab, as whole numbers."""
    yield [tuple(int(number) for number in exam) for exam in trace.exams]
    yield [tuple(int(number) for number in pause) for pause in trace.breaks]
    yield np.array(trace.rows, dtype=np.int64)[:, :ROW]
    yield tuple(int(number) for number in trace.units[:UNITS])


def result_parts(results: Any) -> Iterator[Any]:
    """All that metrics are computed from."""
    fetal = results.fetal if hasattr(results, "fetal") else results.exam_type == 0
    outcome = (results.start, results.end, results.sonographer, results.patient_class)
    arrays = (results.scheduled, fetal, results.arrival, *outcome, results.present, results.units[:, :UNITS])
    for array in arrays:
        yield np.broadcast_to(array, (len(results.arrival), *np.shape(array)[-1:]))


@days_by_order.everywhere()
def simpy_days(preset: str, name: str, first: int, count: int) -> str:
    """Days on the SimPy engine, under a policy."""
    config = LabConfig.load(preset)
    policy = make_policy(name, config)
    days = days_by_order.sample_days(config, count, SEED, first)
    return digest(part for day in days for part in trace_parts(simulate(config, day, policy)))


@days_by_order.everywhere()
def compiled_days(preset: str, name: str, first: int, count: int) -> str:
    """The same on the compiled engine: traces of rules that serve by class, else what metrics are computed from."""
    config = LabConfig.load(preset)
    policy = make_policy(name, config)
    days = days_by_order.sample_days(config, count, SEED, first)
    if not isinstance(policy, TieredPolicy):
        return digest(result_parts(play_days(config, policy, days)))
    labs = batch.make_labs(config, count, keep_rows=True)
    batch.begin_days(config, labs, np.arange(count), days)
    nothing = np.zeros((count, 0, 4), dtype=np.int64)
    batch.run_days(labs, batch.rules_of(config), batch.tiers_of(policy.tiers), nothing)
    return digest(part for k, day in enumerate(days) for part in trace_parts(batch.trace_of(config, labs, k, day)))


@days_by_order.everywhere()
def env_steps(env_id: str, kwargs: dict[str, Any], first: int, days: int) -> str:
    """Observations, masks and rewards of days in a single environment, under actions drawn among those offered."""

    def parts() -> Iterator[Any]:
        env = gym.make(env_id, disable_env_checker=True, **kwargs)
        for day in range(first, first + days):
            rng = np.random.default_rng(day)
            observation, info = env.reset(seed=SEED + day)
            over = False
            while not over:
                mask = env.unwrapped.action_masks()
                yield observation
                yield mask
                action = int(rng.choice(np.flatnonzero(mask)))
                observation, reward, terminated, truncated, info = env.step(action)
                over = terminated or truncated
                yield (float(reward), info.get("minute"), info.get("elapsed_min"))
            yield observation

    return digest(parts())


@days_by_order.everywhere()
def vector_steps(env_id: str, kwargs: dict[str, Any], labs: int = 10, steps: int = 400) -> str:
    """The same of a vector environment."""

    def parts() -> Iterator[Any]:
        env = gym.make_vec(env_id, num_envs=labs, vectorization_mode="vector_entry_point", **kwargs)
        rng = np.random.default_rng(SEED)
        observations, infos = env.reset(seed=SEED)
        for _ in range(steps):
            masks = infos["action_mask"]
            yield np.asarray(observations)
            yield np.asarray(masks)
            actions = np.array([rng.choice(np.flatnonzero(mask)) for mask in masks])
            observations, rewards, terminated, truncated, infos = env.step(actions)
            yield np.asarray(rewards)
            yield np.asarray(terminated | truncated)
            if "final_obs" in infos:
                yield [np.asarray(row).tolist() for row in infos["final_obs"] if row is not None]

    return digest(parts())


@days_by_order.everywhere()
def agent_days(env_id: str, count: int = 200) -> dict[str, str]:
    """What the agent kept for an environment does: its exams, on either engine."""
    import evaluate as command

    config = command.find_lab(env_id, None)
    policy = command.find_policies(["agent"], config, {})["agent"]
    days = days_by_order.sample_days(config, count, SEED)
    few = days_by_order.sample_days(config, 20, SEED)
    return {
        "compiled": digest(result_parts(play_days(config, policy, days))),
        "simpy": digest(part for day in few for part in trace_parts(simulate(config, day, policy))),
    }


def rounded(values: Any) -> Any:
    """Numbers that may differ in their last digits between machines."""
    return np.round(np.asarray(values, dtype=np.float64), 9).tolist()


def pathways_trials(name: str, compiled: bool) -> str:
    """Trials of patient pathways under a policy: condition, resource state and health of everybody in every step."""
    config = PathwaysConfig.load("baseline").replace(patients=6, resources=4)

    def parts() -> Iterator[Any]:
        for draw in range(PATHWAYS_DRAWS):
            instance = sample_draw(config, SEED, draw)
            policy = make_pathways_policy(name, config)
            lucks = [trial_luck(instance, trial) for trial in range(2)]
            if compiled and not is_compiled(policy):
                return
            traces = (
                play_trials(instance, lucks, policy)
                if compiled
                else [simulate_pathways(instance, luck, policy) for luck in lucks]
            )
            for trace in traces:
                yield from (trace.condition, trace.state, trace.health)

    return digest(parts())


def pathways_steps(vector: bool) -> str:
    """Episodes of ``PatientPathways-v0``."""

    def parts() -> Iterator[Any]:
        rng = np.random.default_rng(SEED)
        kwargs = {"patients": 5, "resources": 4}
        if not vector:
            env = gym.make(echo_env.PATHWAYS_ID, disable_env_checker=True, **kwargs)
            for episode in range(5):
                observation, _ = env.reset(seed=SEED + episode)
                over = False
                while not over:
                    mask = env.unwrapped.action_masks()
                    yield (rounded(observation), mask.tolist())
                    step = env.step(int(rng.choice(np.flatnonzero(mask))))
                    observation, reward, over = step[0], step[1], step[2] or step[3]
                    yield rounded(reward)
            return
        many = gym.make_vec(echo_env.PATHWAYS_ID, num_envs=4, vectorization_mode="vector_entry_point", **kwargs)
        observations, infos = many.reset(seed=SEED)
        for _ in range(200):
            masks = infos["action_mask"]
            yield (rounded(observations), np.asarray(masks).tolist())
            actions = np.array([rng.choice(np.flatnonzero(mask)) for mask in masks])
            observations, rewards, terminated, truncated, infos = many.step(actions)
            yield (rounded(rewards), (terminated | truncated).tolist())

    return digest(parts())


@days_by_order.everywhere()
def comparison(preset: str) -> str:
    """All metrics of a comparison, so that a metric that moves is seen."""
    found = evaluate(LabConfig.load(preset), ["policy_2", "fetal_first"], days=60, seed=SEED)
    return digest((name, metric, rounded(own[metric])) for name, own in found.values.items() for metric in METRICS)


def env_arguments() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every id of the lab with every clock, idling, observation and reward."""
    choices = product(echo_env.ENV_IDS, ("minute", "event"), (True, False), ("paper", "rich"), ("penalty", "paired"))
    for env_id, clock, idling, observation, reward in choices:
        yield env_id, {"clock": clock, "idling": idling, "observation": observation, "reward": reward}


def checks(quick: bool) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Key -> how to compute its hash; those of a short check only if ``quick``."""
    for preset, (name, days) in product(PRESETS, POLICIES.items()):
        size = min(BLOCK, days)
        # The auction learns its chances of being served first, which takes longer than the days.
        if quick and (preset in ("abundant", "authors_code") or (name == "auction" and preset != "scarce")):
            continue
        for first in range(0, min(days, size) if quick else days, size):
            yield f"simpy {preset} {name} {first}", lambda a=(preset, name, first, size): simpy_days(*a)
    for preset, name in product(PRESETS, COMPILED):
        for first in range(0, 500, BLOCK):
            yield f"compiled {preset} {name} {first}", lambda a=(preset, name, first, BLOCK): compiled_days(*a)
    for env_id, kwargs in env_arguments():
        key = f"{env_id} {' '.join(f'{name}={value}' for name, value in kwargs.items())}"
        size = ENV_BLOCK
        for first in range(0, size if quick else ENV_DAYS, size):
            if quick and kwargs["clock"] == "minute" and env_id != "EchoLabScarce-v0":
                continue
            yield f"env {key} {first}", lambda a=(env_id, kwargs, first, size): env_steps(*a)
        yield f"vector {key}", lambda a=(env_id, kwargs): vector_steps(*a)
    for env_id in echo_env.ENV_IDS:
        yield f"agent {env_id}", lambda a=env_id: agent_days(a)
    for preset in PRESETS:
        yield f"comparison {preset}", lambda a=preset: comparison(a)
    for name in pathways_policy_names():
        if "(" not in name:
            yield (
                f"pathways {name}",
                lambda a=name: {"simpy": pathways_trials(a, False), "kernel": pathways_trials(a, True)},
            )
    yield "pathways env", lambda: pathways_steps(False)
    yield "pathways vector", lambda: pathways_steps(True)


def main() -> None:
    """Write all hashes."""
    hashes = {key: compute() for key, compute in checks(quick=False)}
    FILE.write_text(json.dumps(hashes, indent=0) + "\n", encoding="utf8")


if __name__ == "__main__":
    main()
