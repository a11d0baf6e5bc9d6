"""The epsilon-greedy choice."""

from typing import Any

import numpy as np
import pytest
import torch as th
from gymnasium import spaces
from stable_baselines3.common.utils import ConstantSchedule

from sb3_ext.maskable_dqn.acting import EpsilonGreedy
from sb3_ext.maskable_dqn.policies import MaskableDQNPolicy

N_ACTIONS = 50


def make_chooser(**kwargs: Any) -> EpsilonGreedy:
    """A chooser for 3 inputs and 50 actions."""
    th.manual_seed(0)
    space = spaces.Box(-1.0, 1.0, (3,))
    return EpsilonGreedy(MaskableDQNPolicy(space, spaces.Discrete(N_ACTIONS), ConstantSchedule(1e-3), [8], **kwargs))


@pytest.mark.parametrize("kwargs", [{}, {"dueling": True}])
@pytest.mark.parametrize("epsilon", [0.0, 0.5, 1.0])
def test_only_offered_actions(epsilon: float, kwargs: dict[str, Any]) -> None:
    """Greedy and random choices are feasible."""
    chooser, rng = make_chooser(**kwargs), np.random.default_rng(0)
    for _ in range(50):
        masks = rng.random((4, N_ACTIONS)) < 0.1
        masks[:, 7] |= ~masks.any(axis=1)
        actions = chooser.choose(rng.random((4, 3), dtype=np.float32), masks, epsilon, rng)
        assert masks[np.arange(4), actions].all()


def test_one_coin_per_environment() -> None:
    """Each environment has its own epsilon coin, where SB3 tosses one for the whole batch."""
    chooser, rng = make_chooser(), np.random.default_rng(0)
    obs, masks = np.zeros((4, 3), dtype=np.float32), np.ones((4, N_ACTIONS), dtype=bool)
    best = chooser.greedy(obs, masks)
    explored = np.array([chooser.choose(obs, masks, 0.5, rng) != best for _ in range(1000)])
    # A random action is the best one by chance in 1 of 50 draws.
    assert explored.mean(axis=0) == pytest.approx(np.full(4, 0.5 * 0.98), abs=0.06)
    together = explored.sum(axis=1)
    assert np.count_nonzero((together > 0) & (together < 4)) > 700  # 7/8 if independent, 0 with one coin.


def test_many_environments_are_one_forward_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network is evaluated once for all environments that act greedily, and for no other."""
    chooser, rng, sizes = make_chooser(), np.random.default_rng(0), list[int]()
    obs, masks = rng.random((256, 3), dtype=np.float32), np.ones((256, N_ACTIONS), dtype=bool)
    best, greedy = chooser.greedy(obs, masks), chooser.greedy
    monkeypatch.setattr(chooser, "greedy", lambda obs, masks: sizes.append(len(obs)) or greedy(obs, masks))
    actions = chooser.choose(obs, masks, 0.25, rng)
    assert len(sizes) == 1
    assert 128 < sizes[0] < 256
    assert np.count_nonzero(actions == best) >= sizes[0]


def test_shapes_are_the_users() -> None:
    """One observation gives one action, a batch gives a batch."""
    chooser, rng = make_chooser(), np.random.default_rng(0)
    one = chooser.predict(np.zeros(3, dtype=np.float32), np.ones(N_ACTIONS), 0.0, rng)
    several = chooser.predict(np.zeros((2, 3), dtype=np.float32), None, 0.0, rng)
    assert np.shape(one) == ()
    assert several.shape == (2,)
    with pytest.raises(ValueError, match="must be given for 2 observations, not for 1"):
        chooser.predict(np.zeros((2, 3), dtype=np.float32), np.ones(N_ACTIONS), 0.0, rng)


def test_greedy_choice_leaves_the_generator_alone() -> None:
    """A deterministic evaluation does not advance the generator of the training."""
    rng = np.random.default_rng(0)
    make_chooser().predict(np.zeros(3, dtype=np.float32), None, 0.0, rng)
    assert rng.random() == np.random.default_rng(0).random()


class Last(MaskableDQNPolicy):
    """A policy that predicts in a way of its own: the last feasible action."""

    def predict(  # type: ignore[override]
        self, observation: np.ndarray, *args: Any, action_masks: np.ndarray, **kwargs: Any
    ) -> tuple[np.ndarray, None]:
        """The last feasible action of each."""
        return action_masks.shape[1] - 1 - action_masks[:, ::-1].argmax(axis=1), None


def test_any_network_chooses_as_its_policy_predicts() -> None:
    """Where PyTorch has to choose the choice is that of the policy's predict, also one of its own; inputs stay."""
    rng = np.random.default_rng(0)
    masks = rng.random((20, N_ACTIONS)) < 0.3
    masks[:, 3] = True
    observations = rng.random((20, 3), dtype=np.float32)
    kept = observations.copy()
    for policy_class in (MaskableDQNPolicy, Last):
        th.manual_seed(0)
        space = spaces.Box(-1.0, 1.0, (3,))
        policy = policy_class(space, spaces.Discrete(N_ACTIONS), ConstantSchedule(1e-3), [8], th.nn.Tanh)
        first = policy.q_net.features_extractor.register_forward_hook(lambda module, args, output: output.mul_(3.0))
        expected, _ = policy.predict(observations, action_masks=masks)
        assert np.array_equal(EpsilonGreedy(policy).greedy(observations, masks), expected)
        assert np.array_equal(observations, kept)
        first.remove()
