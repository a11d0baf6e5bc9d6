"""What is logged about action masks, against the masks and actions that the environment saw."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from masked_envs import CountingEnv
from sb3_contrib import MaskablePPO
from stable_baselines3 import A2C
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import DummyVecEnv

from sb3_ext.callbacks import ActionMaskStatistics
from sb3_ext.callbacks.action_masks import rank_entropy
from sb3_ext.maskable_dqn import MaskableDQN

WINDOW = 12


class Watched(CountingEnv):
    """Offers one action in every third state, else two, and keeps what was offered and taken."""

    def __init__(self) -> None:
        super().__init__(length=5)
        self.seen: list[tuple[int, int]] = []

    def mask_of(self, t: int, episode: int) -> np.ndarray:
        """(5,) bool."""
        mask = super().mask_of(t, episode)
        if t % 3 == 0:
            mask[np.flatnonzero(mask)[1]] = False
        return mask

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Keep (how many were offered, how many of them have lower numbers than the one taken)."""
        offered = np.flatnonzero(self.mask_of(self.t, self.episode)).tolist()
        self.seen.append((len(offered), offered.index(int(action))))
        return super().step(action)


class Pairs(gym.Env[np.ndarray, np.ndarray]):
    """Two choices a step, with one mask over both."""

    observation_space = gym.spaces.Box(0.0, 1.0, (1,))
    action_space = gym.spaces.MultiDiscrete([2, 2])

    def action_masks(self) -> np.ndarray:
        """(4,) bool."""
        return np.ones(4, dtype=bool)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        """Begin."""
        return np.zeros(1, np.float32), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        """End at once."""
        return np.zeros(1, np.float32), 0.0, True, False, {}


def logged(model: Any, steps: int) -> dict[str, float]:
    """What the callback has put into the log after so many steps."""
    model.set_logger(Logger(None, []))
    model.learn(steps, callback=ActionMaskStatistics(window=WINDOW), log_interval=10**6)
    names = [name for name in model.logger.name_to_value if name.startswith("actions/")]
    return {name.removeprefix("actions/"): model.logger.name_to_value[name] for name in names}


@pytest.mark.parametrize("algorithm", [MaskableDQN, MaskablePPO])
def test_what_is_logged_is_what_the_environments_saw(algorithm: type) -> None:
    """Actions are counted with the masks of the states in which they were chosen."""
    envs = [Watched(), Watched()]
    kwargs = {"learning_starts": 8} if algorithm is MaskableDQN else {"n_steps": WINDOW, "batch_size": WINDOW}
    model = algorithm("MlpPolicy", DummyVecEnv([lambda: envs[0], lambda: envs[1]]), seed=0, device="cpu", **kwargs)
    values = logged(model, 2 * WINDOW)
    # The window that ended last: the second half of the steps of both.
    offered, ranks = np.array([pair for env in envs for pair in env.seen[WINDOW // 2 : WINDOW]]).T
    assert len(offered) == WINDOW
    free = offered == 2
    assert 0 < free.sum() < WINDOW
    assert values["offered"] == offered.mean()
    assert values["forced"] == pytest.approx((~free).mean())
    assert values["rank_entropy"] == rank_entropy(offered[free], ranks[free])


@pytest.mark.parametrize(
    ("offered", "ranks", "expected"),
    [
        ([2, 2, 2, 2], [0, 1, 1, 0], 1.0),
        ([2, 3, 4], [1, 1, 1], 0.0),
        # At random the ranks 0 to 3 have 1/4 + 1/2, 1/4 + 1/2, 1/4 and 1/4 of two choices: 3/8, 3/8, 1/8, 1/8.
        ([4, 2], [3, 0], np.log(2) / -(0.75 * np.log(0.375) + 0.25 * np.log(0.125))),
    ],
)
def test_rank_entropy_by_hand(offered: list[int], ranks: list[int], expected: float) -> None:
    """Random choices give 1, a fixed rank gives 0."""
    assert rank_entropy(np.array(offered), np.array(ranks)) == pytest.approx(expected)


def test_forced_steps_alone_have_no_entropy() -> None:
    """Where every step is forced, no entropy is logged."""
    env = Watched()
    env.length = 1
    model = MaskableDQN("MlpPolicy", DummyVecEnv([lambda: env]), learning_starts=100, seed=0, device="cpu")
    assert logged(model, WINDOW) == {"offered": 1.0, "forced": 1.0}


def test_without_masks_nothing_is_logged() -> None:
    """Algorithms without masks and action spaces other than Discrete train, and nothing is logged."""
    model: Any = A2C("MlpPolicy", DummyVecEnv([lambda: gym.make("CartPole-v1")]), device="cpu")
    assert logged(model, 2 * WINDOW) == {}
    model = MaskablePPO("MlpPolicy", DummyVecEnv([Pairs]), n_steps=WINDOW, batch_size=WINDOW, device="cpu")
    assert logged(model, 2 * WINDOW) == {}


def test_a_window_without_steps_is_refused() -> None:
    """A window below 1 step raises an error."""
    with pytest.raises(ValueError, match="window must be at least 1 step, not 0"):
        ActionMaskStatistics(window=0)
