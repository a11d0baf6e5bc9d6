"""Networks that judge all actions by the same weights."""

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch as th
from gymnasium import spaces

from sb3_ext.common.rows import RowNetwork, RowScores
from sb3_ext.maskable_dqn import MaskableDQN
from sb3_ext.maskable_ppo import MaskablePPO

N_ACTIONS, COLUMNS = 4, 3
SMALL: dict[str, Any] = {"policy_kwargs": {"net_arch": [16, 16]}, "seed": 0}


class BestRowEnv(gym.Env[np.ndarray, int]):
    """Steps of their own: pays the first column of the row that is chosen; the last action pays 0.3. One row is not
    offered."""

    def __init__(self) -> None:
        self.observation_space = spaces.Box(0.0, 1.0, (N_ACTIONS, COLUMNS), np.float32)
        self.action_space = spaces.Discrete(N_ACTIONS)
        self.rows = np.zeros((N_ACTIONS, COLUMNS), dtype=np.float32)
        self.closed, self.steps = 0, 0

    def _next(self) -> np.ndarray:
        self.rows = self.np_random.random((N_ACTIONS, COLUMNS)).astype(np.float32)
        self.closed = int(self.np_random.integers(N_ACTIONS - 1))
        return self.rows.copy()

    def action_masks(self) -> np.ndarray:
        """(4,) bool."""
        return np.arange(N_ACTIONS) != self.closed

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin."""
        super().reset(seed=seed)
        self.steps = 0
        return self._next(), {"action_mask": self.action_masks()}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Pay, and go on."""
        assert self.action_masks()[action]
        reward = 0.3 if action == N_ACTIONS - 1 else float(self.rows[action, 0])
        self.steps += 1
        return self._next(), reward, self.steps == 8, False, {"action_mask": self.action_masks()}


def make(algorithm: type[Any]) -> Any:
    """A small model of an algorithm."""
    if algorithm is MaskableDQN:
        settings = {"learning_starts": 100, "train_freq": 2, "gamma": 0.0, "learning_rate": 3e-3, "batch_size": 64}
    else:
        settings = {"n_steps": 128, "gamma": 0.0, "learning_rate": 3e-3, "n_epochs": 8}
    return algorithm("RowPolicy", BestRowEnv(), **settings, **SMALL)


def scores(model: Any, observations: np.ndarray) -> np.ndarray:
    """(B, n_actions) logits, or values."""
    with th.no_grad():
        batch = th.as_tensor(observations)
        if isinstance(model, MaskableDQN):
            return model.q_net(batch).numpy()
        latent, _ = model.policy.mlp_extractor(model.policy.extract_features(batch))
        return model.policy.action_net(latent).numpy()


@pytest.mark.parametrize("algorithm", [MaskableDQN, MaskablePPO])
def test_rows_that_change_places_take_their_scores_along(algorithm: type[Any]) -> None:
    """Scores are equivariant under permutations of the rows."""
    model = make(algorithm)
    observations = np.random.default_rng(0).random((5, N_ACTIONS, COLUMNS), dtype=np.float32)
    order = [2, 0, 1, 3]
    assert np.allclose(scores(model, observations[:, order]), scores(model, observations)[:, order], atol=1e-6)
    assert np.ptp(scores(model, observations), axis=1).min() > 0


def test_every_row_and_the_last_one_count() -> None:
    """A score depends on its own row, on the last row and on all other rows."""
    network, head = RowNetwork((N_ACTIONS, COLUMNS), [8, 8]), RowScores(8)
    observation = th.rand(1, N_ACTIONS * COLUMNS, requires_grad=True)
    latent, value = network(observation)
    for score in (*head(latent)[0], value.sum()):
        observation.grad = None
        score.backward(retain_graph=True)
        assert observation.grad is not None
        assert (observation.grad.reshape(N_ACTIONS, COLUMNS).abs().sum(dim=1) > 0).all()


@pytest.mark.parametrize("algorithm", [pytest.param(MaskableDQN, marks=pytest.mark.slow), MaskablePPO])
def test_it_learns_and_is_saved(algorithm: type[Any], tmp_path: Path) -> None:
    """After two thousand steps the best feasible row is taken in nine of ten states, also after saving and loading."""
    model = make(algorithm).learn(2000)
    rng = np.random.default_rng(1)
    observations = rng.random((400, N_ACTIONS, COLUMNS), dtype=np.float32)
    masks = np.arange(N_ACTIONS) != rng.integers(N_ACTIONS - 1, size=(400, 1))
    worth = observations[:, :, 0].copy()
    worth[:, -1] = 0.3
    chosen, _ = model.predict(observations, deterministic=True, action_masks=masks)
    paid = worth[np.arange(400), chosen]
    assert masks[np.arange(400), chosen].all()
    assert (paid > np.where(masks, worth, 0).max(axis=1) - 0.05).mean() > 0.9
    model.save(tmp_path / "model")
    loaded = algorithm.load(tmp_path / "model")
    assert np.array_equal(loaded.predict(observations, deterministic=True, action_masks=masks)[0], chosen)


class FlatEnv(BestRowEnv):
    """Without rows."""

    def __init__(self) -> None:
        super().__init__()
        self.observation_space = spaces.Box(0.0, 1.0, (COLUMNS,), np.float32)


@pytest.mark.parametrize("algorithm", [MaskableDQN, MaskablePPO])
def test_what_it_cannot_be_used_for(algorithm: type[Any]) -> None:
    """Observations without a row per action, and settings of other networks, raise an error."""
    with pytest.raises(ValueError, match="RowPolicy needs a Box observation with a row for each of the actions"):
        algorithm("RowPolicy", FlatEnv())
    with pytest.raises(ValueError, match="list of at least one number of units as net_arch, not"):
        algorithm("RowPolicy", BestRowEnv(), policy_kwargs={"net_arch": []})
    if algorithm is MaskableDQN:
        with pytest.raises(ValueError, match=r"takes none of dropout, .* batch_norm and noisy"):
            algorithm("RowPolicy", BestRowEnv(), policy_kwargs={"dueling": True})
