"""Reservations as actions: what they keep, when they are on offer, when they end; both engines equal to the bit."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from random_labs import random_lab

from echo_env.lab import load_lab, make_policy, sample_day, sample_days
from echo_env.lab.config.lab import Lab
from echo_env.lab.decisions.starts import StartActions
from echo_env.lab.envs.env import EchoLabEnv
from echo_env.lab.policies.agent import agent_policy
from echo_env.lab.simulation.duties import RoomStatus, Status
from echo_env.lab.simulation.simulator import Simulator, simulate
from echo_env.lab.simulation.view import LabView

pytest.importorskip("numba")

from echo_env.lab.compiled import batch
from echo_env.lab.compiled.known import known_lab
from echo_env.lab.compiled.layout import KEPT
from echo_env.lab.day import appointment_book
from echo_env.lab.envs.vector_env import EchoLabVectorEnv
from echo_env.lab.evaluation.engines import play_days

LENGTHS = ((5, 10, 20), (3,), (1, 30))


def arguments(seed: int) -> dict[str, Any]:
    """Arguments of environments of a random lab with reservations; two seeds in three are of labs like the paper's."""
    config: Lab = random_lab(np.random.default_rng(seed))
    if not config.plan.nested_pair and seed % 3:
        config = load_lab(("baseline", "scarce")[seed % 2])
    return {
        "config": config,
        "clock": ("event", "minute")[seed % 2],
        "idling": bool(seed // 2 % 2),
        "reward": ("penalty", "paired", "advantage")[seed % 3],
        "paired_with": "scarce_first",
        "actions": "start",
        "observation": "staffed" if config.plan.nested_pair and seed % 5 else ("rows", "rows_kept")[seed // 2 % 2],
        "reservations": LENGTHS[seed % len(LENGTHS)],
    }


def assert_equal_to_single_ones(seed: int, steps: int) -> int:
    """Step two labs at once and one by one under random feasible actions; how many reservations were made."""
    given, rng = arguments(seed), np.random.default_rng(seed)
    single, vector = [EchoLabEnv(**given) for _ in range(2)], EchoLabVectorEnv(2, **given)
    observations, infos = vector.reset(seed=seed)
    masks, made = [], 0
    for number, env in enumerate(single):
        observation, info = env.reset(seed=seed + number)
        assert np.array_equal(observation, observations[number]), seed
        masks.append(info["action_mask"])
    for _ in range(steps):
        actions = [int(rng.choice(np.flatnonzero(mask))) for mask in masks]
        observations, rewards, over, _, infos = vector.step(np.array(actions))
        for number, env in enumerate(single):
            made += actions[number] > 3 * len(env.config.plan.types)
            observation, reward, done, _, info = env.step(actions[number])
            assert env.observation_space.contains(observation), seed
            seen = infos["final_obs"][number] if done else observations[number]
            assert np.array_equal(observation, seen), seed
            assert (reward, done) == (rewards[number], over[number]), seed
            masks[number] = env.reset()[1]["action_mask"] if done else info["action_mask"]
            assert np.array_equal(masks[number], infos["action_mask"][number]), seed
    return made


def test_the_vector_environment_equals_single_ones() -> None:
    """Observations, rewards, masks and ends of days, on both clocks, in labs of any kind."""
    assert sum(assert_equal_to_single_ones(seed, 60) for seed in range(24)) > 50


@pytest.mark.slow
def test_the_vector_environment_equals_single_ones_in_300_labs() -> None:
    """As above."""
    assert sum(assert_equal_to_single_ones(seed, 120) for seed in range(1000, 1300)) > 1000


def _match(kinds: list[int], cans: list[int]) -> bool:
    """Whether each type can be given one of its own."""
    if not kinds:
        return True
    first, rest = kinds[0], kinds[1:]
    return any(can >> first & 1 and _match(rest, cans[:i] + cans[i + 1 :]) for i, can in enumerate(cans))


def small_lab(seed: int) -> Lab | None:
    """A random lab of a few types, rooms and members, or None."""
    config = random_lab(np.random.default_rng(seed))
    plan = config.plan
    few = len(plan.types) <= 4 and len(plan.room_group) <= 6 and len(plan.staff_group) <= 6
    return config if few else None


class MinuteStart:
    """Free rooms and members at the beginning of a minute: whether starts can be made together, by trying all ways.

    :param view: the lab
    """

    def __init__(self, view: LabView) -> None:
        plan = view.config.plan
        rooms = [view.room_types(r) for r in range(len(plan.room_group)) if view.room_status(r) == RoomStatus.FREE]
        staff = [view.staff_types(m) for m in range(len(plan.staff_group)) if view.status(m) == Status.FREE]
        self._sides = rooms, staff

    def open_types(self, waiting: list[int], begun: list[int], kept: set[int]) -> list[bool]:
        """Of which types one could begin after the starts of this minute, and leave what is kept."""
        return [
            bool(number) and all(_match([*begun, k, *_held(begun, cans, kept)], cans) for cans in self._sides)
            for k, number in enumerate(waiting)
        ]


def _held(begun: list[int], cans: list[int], kept: set[int]) -> list[int]:
    """The types for which something is left to be kept, taken in order."""
    held: list[int] = []
    for kind in sorted(kept):
        held += [kind] if _match([*begun, *held, kind], cans) else []
    return held


def test_the_mask_is_exact() -> None:
    """A type is on offer iff somebody of it waits and, by trying all ways, one can begin beside what is kept; and a
    reservation iff nobody of its type can begin and it takes a type off the offer."""
    asked = reserved = 0
    for config in filter(None, map(small_lab, range(200))):
        actions, rng = StartActions(config.plan, (4, 9)), np.random.default_rng(1)
        lab, minute, begun = Simulator(config, sample_day(config, rng)), -1, [0]
        while not lab.over:
            view = lab.view
            if view.minute != minute:
                minute, begun, start = view.minute, [], MinuteStart(view)
            offered, kept = actions.offered(view, idling=True), set(view.reservations)
            waiting = np.add.reduceat(view.waiting_counts, np.arange(0, 3 * actions.types, 3)).tolist()
            now, in_all = (start.open_types(waiting, begun, some) for some in (kept, set()))
            wanted = [
                any(now) and k not in kept and not in_all[k] and now != start.open_types(waiting, begun, kept | {k})
                for k in range(actions.types)
            ]
            assert offered.mask[: actions.stop].reshape(-1, 3).any(axis=1).tolist() == now
            assert offered.mask[actions.stop + 1 :].reshape(-1, 2).tolist() == [[want] * 2 for want in wanted]
            asked, reserved = asked + any(now), reserved + sum(wanted)
            # Reservations more often than by chance.
            choices = np.flatnonzero(offered.mask)
            keeps = choices[choices > actions.stop]
            action = int(rng.choice(keeps if len(keeps) and rng.random() < 0.5 else choices))
            begun += [action // 3] if action < actions.stop else []
            if actions.carry_out(action, lab):
                lab.advance(minute + 1)
    assert asked > 400
    assert reserved > 30


def fetal_sonographer_left(lab: Simulator) -> bool:
    """Whether one fetal-capable sonographer and nobody else is free, and only non-fetal patients wait."""
    free, waiting = lab.view.free_counts, lab.view.waiting_counts
    return free[2:] == (0, 1) and not any(waiting[:3]) and any(waiting[3:])


def test_the_last_one_is_kept_until_the_minutes_are_over_or_a_fetal_patient_can_begin() -> None:
    """In the scarce lab: nobody begins with the last free fetal-capable sonographer, until one of the two happens."""
    config = load_lab("scarce")
    actions, over, taken = StartActions(config.plan, (15,)), 0, 0
    for day in sample_days(config, 60, 5):
        lab = Simulator(config, day)
        while not (lab.over or fetal_sonographer_left(lab)):
            if actions.carry_out(actions.offered(lab.view, idling=False).first, lab):
                lab.advance()
        if lab.over:
            continue
        offered, begin = actions.offered(lab.view, idling=False), lab.board.minute
        # To keep the last one for non-fetal patients changes nothing: nobody of another type waits.
        assert np.flatnonzero(offered.mask[actions.stop :]).tolist() == [1]
        actions.carry_out(actions.stop + 1, lab)
        assert lab.view.reservations == {0: (begin, begin + 15)}
        while 0 in lab.view.reservations:
            free, offered = lab.view.free_counts, actions.offered(lab.view, idling=False)
            assert free[3] > 0
            # Whoever else comes free may begin.
            assert offered.mask[3:6].any() == (
                any(lab.view.waiting_counts[3:]) and sum(free[2:]) > 1 and sum(free[:2]) > 0
            )
            if actions.carry_out(offered.first, lab):
                lab.advance()
        fetal = actions.offered(lab.view, idling=False).mask[:3].any()
        assert fetal == (lab.view.open_types() & 1)
        assert fetal or lab.board.minute == begin + 15 or lab.over
        over, taken = over + (not fetal), taken + fetal
    assert over > 5
    assert taken > 5


class Keeper:
    """Chooses by a hash of the observation, so equally in both engines; reservations rather than starts."""

    def __init__(self, env: EchoLabEnv) -> None:
        self.observation_space, self.action_space = env.observation_space, env.action_space

    def predict(
        self, observation: Any, deterministic: bool = False, action_masks: Any = None
    ) -> tuple[np.ndarray, None]:
        """A feasible action for each row."""
        rows = np.asarray(observation).reshape(len(action_masks), -1)
        keys = (rows.astype(np.float64) @ np.linspace(1, 2, rows.shape[1]) * 1e4).astype(np.int64)
        feasible = [np.flatnonzero(mask) for mask in action_masks]
        return np.array([own[::-1][key % 3 % len(own)] for own, key in zip(feasible, keys, strict=True)]), None


@pytest.mark.parametrize("name", ["scarce", "walk_in_clinic"])
def test_an_agent_with_reservations_plays_the_same_days_on_both_engines(name: str) -> None:
    """Every exam of every day is the same, and it is not that of an agent without reservations."""
    config, days = load_lab(name), sample_days(load_lab(name), 6, 3)
    shown = "staffed" if config.plan.nested_pair else "rows"
    env = EchoLabEnv(config, shown, actions="start", reservations=(5, 20))
    keeper = agent_policy("keeper", Keeper(env), config, shown, False, (5, 20))
    at_once = play_days(config, keeper, days)
    for number, day in enumerate(days):
        trace = simulate(config, day, keeper)
        for exam in trace.exams:
            assert at_once.start[number, exam.patient] == exam.start_min
            assert at_once.sonographer[number, exam.patient] == exam.sonographer
        assert len(trace.exams) == (at_once.start[number] >= 0).sum()
    plain = play_days(config, make_policy("scarce_first", config), days)
    assert not np.array_equal(plain.start, at_once.start)


def test_copies_and_sampled_futures_keep_reservations() -> None:
    """A copy of an env in the middle of a reservation goes on equally; labs made of a view have it."""
    env, rng = EchoLabEnv("scarce", "staffed", False, "event", actions="start", reservations=(10, 40)), None
    env.reset(seed=2)
    stop = 3 * len(env.config.plan.types)
    rng = np.random.default_rng(0)
    while not env._playing().board.reservations:
        feasible = np.flatnonzero(env.action_masks())
        _, _, over, _, _ = env.step(int(feasible[-1] if feasible[-1] > stop else rng.choice(feasible)))
        if over:
            env.reset()
    lab = env._playing()
    rules = batch.rules_of(env.config)
    known = known_lab(lab.view, appointment_book(env.config.plan), rules)
    assert known.lab[0, KEPT] == sum(1 << kind for kind in lab.board.reservations)
    other = copy.deepcopy(env)
    for _ in range(5):
        action = int(np.flatnonzero(env.action_masks())[0])
        (seen, *told, _), (seen_too, *told_too, _) = env.step(action), other.step(action)
        assert np.array_equal(seen, seen_too)
        assert told == told_too


@pytest.mark.parametrize(
    ("reservations", "message"),
    [
        ((0,), "reservations has 0, but must be whole numbers of minutes, at least 1"),
        ((2.5,), "reservations has 2.5, but must be whole numbers"),
        ((True,), "reservations has True, but must be whole numbers"),
        ((5, 5), r"reservations is \(5, 5\), but each length must be there once"),
    ],
)
def test_lengths_are_checked(reservations: Any, message: str) -> None:
    """Whole minutes from 1 on, each once; the message says which is not."""
    for made in (EchoLabEnv, EchoLabVectorEnv):
        with pytest.raises(ValueError, match=message):
            made(actions="start", reservations=reservations)


def test_joint_actions_have_no_reservations() -> None:
    """The message says which actions have."""
    with pytest.raises(ValueError, match="reservations are for actions 'start', not 'joint'"):
        EchoLabEnv(reservations=(5,))


def test_actions_without_reservations_stay_as_they_are() -> None:
    """Starts and stop have the same numbers with reservations, which come behind."""
    plan = load_lab("baseline").plan
    plain, more = StartActions(plan), StartActions(plan, (5, 10))
    assert (plain.size, more.size) == (7, 11)
    assert [plain.describe(k) for k in range(7)] == [more.describe(k) for k in range(7)]
    assert more.describe(8) == "8 = keep for fetal 10 min"
