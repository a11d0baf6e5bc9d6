"""Where masks come from, with real vectorized environments, and random draws under a mask."""

import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from masked_envs import N_ACTIONS, CountingEnv
from scipy.stats import chisquare
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv, VecMonitor

from sb3_ext import ActionMaskInfo
from sb3_ext.common.masks import MaskSource, as_masks, check_masking_supported, random_actions


def play(env: VecEnv, steps: int = 20) -> list[tuple[Any, np.ndarray, np.ndarray, np.ndarray]]:
    """Steps with offered actions: infos, dones, next masks, acting masks."""
    source = MaskSource(N_ACTIONS, "test")
    env.reset()
    acting, rows = source.current(env), []
    for _ in range(steps):
        _, _, dones, infos = env.step(acting.argmax(axis=1))
        following, acting = source.after_step(env, dones, infos)
        rows.append((infos, dones, following, acting))
    return rows


def true_mask(state: tuple[int, int]) -> np.ndarray:
    """Mask of the state that ``info`` names."""
    return CountingEnv().mask_of(*state)


@pytest.mark.parametrize("wrap", ["info", "wrapper"])
def test_mask_of_the_true_next_state(wrap: str) -> None:
    """The next mask of a truncated episode is that of its last state, not of the next episode."""

    def make_one() -> gym.Env[Any, Any]:
        env = CountingEnv(truncates=True, mask_in_info=wrap == "info")
        return ActionMaskInfo(env) if wrap == "wrapper" else env

    n_ends = 0
    for infos, dones, following, acting in play(DummyVecEnv([make_one] * 2)):
        for i in range(2):
            assert np.array_equal(following[i], true_mask(infos[i]["state"]))
            if dones[i]:
                n_ends += 1
                # The new episode's first state; its mask is another one, or this test would show nothing.
                assert np.array_equal(acting[i], true_mask((0, infos[i]["state"][1] + 1)))
                assert not np.array_equal(acting[i], following[i])
    assert n_ends > 2


def test_terminal_state_has_every_action() -> None:
    """The next mask of a terminal state is all True."""
    for _, dones, following, acting in play(DummyVecEnv([lambda: CountingEnv(mask_in_info=True)])):
        assert following[dones].all()
        assert not acting.all(axis=1).any()


def test_lost_mask_is_said_once() -> None:
    """Truncated episodes without a mask in info give a mask that is all True, and a single warning."""
    env = DummyVecEnv([lambda: CountingEnv(truncates=True)])
    with pytest.warns(UserWarning, match="ActionMaskInfo") as caught:
        rows = play(env, 30)
    assert len(caught) == 1
    for infos, dones, following, _ in rows:
        assert following[0].all() if dones[0] else np.array_equal(following[0], true_mask(infos[0]["state"]))


@pytest.mark.parametrize(("mask_in_info", "calls"), [(False, 20), (True, 0)])
def test_number_of_calls(mask_in_info: bool, calls: int) -> None:
    """Masks in info need no call into the environment, others one call a step."""
    env = CountingEnv(mask_in_info=mask_in_info)
    play(DummyVecEnv([lambda: env]), 20)
    assert env.mask_calls == calls + 1  # The first mask, before any step.


@pytest.mark.parametrize("vec_env", [DummyVecEnv, SubprocVecEnv])
def test_reset_masks_through_wrappers(vec_env: type) -> None:
    """The first mask of an episode is read from the innermost VecEnv's reset_infos."""
    env = VecMonitor(vec_env([lambda: CountingEnv(mask_in_info=True)] * 2))
    for infos, dones, _, acting in play(env):
        for i in np.flatnonzero(dones):
            assert np.array_equal(acting[i], true_mask((0, infos[i]["state"][1] + 1)))
    env.close()


def test_infos_are_not_written_into() -> None:
    """Dictionaries of info are left as they are."""
    for infos, _, _, _ in play(DummyVecEnv([CountingEnv])):
        assert "action_mask" not in infos[0]


def test_random_actions_are_uniform_over_the_offered() -> None:
    """Random actions are feasible and uniformly distributed."""
    rng = np.random.default_rng(0)
    masks = np.array([[1, 0, 1, 1, 0], [0, 0, 0, 0, 1], [1, 1, 1, 1, 1]], dtype=bool)
    drawn = np.array([random_actions(masks, rng) for _ in range(6000)])
    for row, mask in enumerate(masks):
        counts = np.bincount(drawn[:, row], minlength=5)
        assert not counts[~mask].any()
        assert chisquare(counts[mask]).pvalue > 0.001 if mask.sum() > 1 else counts[mask][0] == 6000


@pytest.mark.parametrize("n_envs", [1, 7, 256])
@pytest.mark.parametrize("share", [0.003, 0.2, 1.0])
def test_random_actions_one_by_one(n_envs: int, share: float) -> None:
    """Actions drawn for many environments at once equal those drawn one by one from the same random numbers."""
    rng = np.random.default_rng(0)
    masks = rng.random((n_envs, 729)) < share
    masks[:, 500] = True
    drawn, uniforms = random_actions(masks, np.random.default_rng(1)), np.random.default_rng(1).random(n_envs)
    for action, mask, x in zip(drawn, masks, uniforms, strict=True):
        offered = np.flatnonzero(mask)
        assert action == offered[int(x * len(offered))]


class Batched(DummyVecEnv):
    """Offers masks as arrays, and dictionaries that must not be read for them."""

    def step_wait(self) -> Any:
        """Step."""
        obs, rewards, dones, infos = super().step_wait()
        self.step_masks = np.array([info.pop("action_mask") for info in infos])
        self.last_masks = np.array([env.mask_of(env.t, env.episode) for env in self.envs])  # type: ignore[attr-defined]
        return obs, rewards, dones, infos


@pytest.mark.parametrize("truncates", [True, False])
def test_masks_of_a_vec_env_that_has_them_as_arrays(truncates: bool) -> None:
    """Masks read from a VecEnv's arrays equal those read from dictionaries."""

    def make_one() -> CountingEnv:
        return CountingEnv(truncates=truncates, mask_in_info=True)

    by_arrays, by_infos = play(VecMonitor(Batched([make_one] * 3))), play(DummyVecEnv([make_one] * 3))
    for (infos, _, *ours), (_, _, *theirs) in zip(by_arrays, by_infos, strict=True):
        assert "action_mask" not in infos[0]
        assert np.array_equal(ours, theirs)


def test_masks_in_any_form() -> None:
    """Lists, integers and arrays are accepted as masks."""
    assert as_masks([True, False], 2).tolist() == [[True, False]]
    assert as_masks(np.array([[0, 1], [1, 1]], dtype=np.int8), 2).tolist() == [[False, True], [True, True]]


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        (np.ones(4), "must have 5 entries per environment, not shape"),
        (np.zeros(5), "must have at least one feasible action"),
        (True, "must have 5 entries"),
    ],
)
def test_refused_masks(masks: Any, message: str) -> None:
    """Masks of the wrong shape and masks without a feasible action raise an error."""
    with pytest.raises(ValueError, match=message):
        as_masks(masks, 5)


def test_environment_without_masks_is_refused() -> None:
    """An environment without action_masks() raises an error that says so."""
    with pytest.raises(ValueError, match=r"a method action_masks\(\), which is missing"):
        check_masking_supported(DummyVecEnv([lambda: gym.make("CartPole-v1")]), "MaskableDQN")
    with pytest.raises(ValueError, match=r"a method action_masks\(\), which is missing"):
        ActionMaskInfo(gym.make("CartPole-v1"))


def test_wrapper_copies_the_mask() -> None:
    """Masks handed out do not change when the environment overwrites its own array."""

    class OneArray(CountingEnv):
        mask = np.zeros(N_ACTIONS, dtype=bool)

        def action_masks(self) -> np.ndarray:
            self.mask[:] = super().action_masks()
            return self.mask

    env = ActionMaskInfo(OneArray())
    _, info = env.reset()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env.step(0)
    assert np.array_equal(info["action_mask"], true_mask((0, 0)))
