"""policy_speed.py and replay_memory.py: that like is compared with like."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium.spaces import Discrete
from stable_baselines3 import DQN
from stable_baselines3.common.vec_env import VecTransposeImage

from benchmarks import policy_speed, replay_memory
from benchmarks.policy_speed import CASES, SETTINGS, Learner, learners_of, row_of
from sb3_ext import MaskableDQN, PrioritizedReplayBuffer
from sb3_ext.replay import MaskableReplayBuffer


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Smaller trainings."""
    monkeypatch.setitem(SETTINGS, "learning_starts", 8)
    monkeypatch.setattr(policy_speed, "FIRST_STEPS", 8)


@pytest.mark.parametrize("name", ["numbers by key, 8 envs", "small pictures"])
def test_all_learners_do_the_same_work(name: str) -> None:
    """SB3's DQN and ours have equal networks and update as often; masks and replay are what their labels say."""
    learners = learners_of(CASES[name])
    counts, sizes = set(), set()
    for learner in learners.values():
        before = learner.model._n_updates
        assert learner.steps_per_second(32) > 0.0
        counts.add(learner.model._n_updates - before)
        sizes.add(sum(parameter.numel() for parameter in learner.model.policy.parameters()))
    assert counts == {8}
    assert len(sizes) == 1
    assert type(learners.pop("SB3 DQN").model) is DQN
    for label, learner in learners.items():
        model = learner.model
        assert isinstance(model, MaskableDQN)
        assert isinstance(model.replay_buffer, PrioritizedReplayBuffer) == (label == "default") == model.double_q
        assert model._use_masking == (label != "plain, no masks")
    assert isinstance(model.env, VecTransposeImage) == (name == "small pictures")


def test_masks_are_told_where_it_says_so() -> None:
    """With masks in info the environment is not asked for them after a step."""
    learner = Learner(CASES["numbers by key"], MaskableDQN, tells_masks=True)
    env = learner.model.env
    assert env is not None
    asked: list[str] = []
    ask = env.env_method
    env.env_method = lambda name, *args, **kwargs: asked.append(name) or ask(name, *args, **kwargs)  # type: ignore
    learner.steps_per_second(16)
    assert len(asked) <= 1


def test_ratios_are_those_of_the_turns() -> None:
    """The ratio of a row is the median over the turns, not that of the medians."""
    row = row_of("small pictures", "default", [1.0, 20.0, 300.0], [2.0, 10.0, 100.0])
    assert row["ratio_to_sb3"] == 2.0
    assert row["steps_per_cpu_second"] == 20.0
    assert row["quartiles"] == "0.500 to 3.000"


def test_bytes_are_counted_once() -> None:
    """Views are no memory of their own; a tree of priorities is."""
    found = {name: replay_memory.fill(name, 1000)["allocated"] for name in replay_memory.BUFFERS}
    one = sum(np.prod(part.shape, dtype=int) * part.dtype.itemsize for part in replay_memory.SPACE.values())  # type: ignore
    # Observations, an action, a reward, an end and a time-out, as SB3's.
    assert found["SB3 DictReplayBuffer"] == 1000 * (2 * one + 8 + 3 * 4)
    uniform = MaskableReplayBuffer(1000, replay_memory.SPACE, Discrete(replay_memory.N_ACTIONS))
    assert found["MaskableReplayBuffer"] == uniform.records.nbytes
    assert 8 * 2 * 1024 <= found["PrioritizedReplayBuffer"] - found["MaskableReplayBuffer"] < 10 * 2 * 1024
    assert found["MaskableReplayBuffer, optimize_memory_usage"] < 0.6 * found["SB3 DictReplayBuffer"]


def test_a_buffer_is_measured_in_a_process_of_its_own() -> None:
    """Memory that the system gave is at least what was allocated."""
    found = replay_memory.measure("MaskableReplayBuffer", 50_000)
    assert found["resident"] >= 0.9 * found["allocated"] > 0
