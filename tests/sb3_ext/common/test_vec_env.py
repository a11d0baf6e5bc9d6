"""A Gymnasium VectorEnv as a VecEnv: beside single environments in a DummyVecEnv, and under the algorithms."""

import csv
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch as th
from gymnasium import spaces
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv
from path_envs import DISABLED, MAKERS, N_ACTIONS, N_ENVS, NEXT, SAME, NativePaths, Paths, plain, sync, walk
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.callbacks import MaskableEvalCallback
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecFrameStack, VecMonitor, VecNormalize

from sb3_ext import MaskableDQN
from sb3_ext.callbacks import AbsenceRateCurriculum
from sb3_ext.common.masks import MaskSource
from sb3_ext.common.vec_env import GymnasiumVecEnv


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    th.set_num_threads(1)


@pytest.fixture(params=list(MAKERS))
def env(request: pytest.FixtureRequest) -> Iterator[GymnasiumVecEnv]:
    """Four walks, in every kind of VectorEnv."""
    made = GymnasiumVecEnv(MAKERS[request.param]())
    yield made
    made.close()


def test_all_is_as_with_single_environments(env: GymnasiumVecEnv) -> None:
    """Observations, rewards, dones and infos equal those of a DummyVecEnv, at ends and beginnings of episodes too."""
    single = DummyVecEnv([lambda: Monitor(Paths())] * N_ENVS)
    ends, cuts = 0, 0
    for own, others in zip(walk(env), walk(single), strict=True):
        for one, other in zip(own[:4], others[:4], strict=True):
            assert one.dtype == other.dtype or other.dtype == np.float64
            np.testing.assert_array_equal(one, other)
        assert [plain(info) for info in own[4]] == [plain(info) for info in others[4]]
        assert [plain(info) for info in env.reset_infos] == [plain(info) for info in single.reset_infos]
        ends += sum(own[3])
        cuts += sum(info.get("TimeLimit.truncated", False) for info in own[4])
    assert ends > 20
    assert 3 < cuts < ends


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_cartpole_is_as_with_single_environments(mode: AutoresetMode) -> None:
    """A third-party environment without masks gives the same episodes as in a DummyVecEnv."""
    vector = gym.make_vec("CartPole-v1", 4, vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode})
    env, single = GymnasiumVecEnv(vector), DummyVecEnv([lambda: Monitor(gym.make("CartPole-v1"))] * 4)
    assert not is_masking_supported(env)
    env.seed(3), single.seed(3)
    np.testing.assert_array_equal(env.reset(), single.reset())
    rng = np.random.default_rng(0)
    n_ends = 0
    for _ in range(120):
        actions = rng.integers(2, size=4)
        own, others = env.step(actions), single.step(actions)
        for one, other in zip(own[:3], others[:3], strict=True):
            np.testing.assert_array_equal(one, other)
        assert [plain(info) for info in own[3]] == [plain(info) for info in others[3]]
        n_ends += own[2].sum()
    assert n_ends > 10


def test_mask_of_the_end_is_not_the_mask_of_the_beginning(env: GymnasiumVecEnv) -> None:
    """The last mask of a truncated episode is its own, in infos, arrays and MaskSource."""
    source, differing = MaskSource(N_ACTIONS, "test"), 0
    for masks, _, _, dones, infos in walk(env):
        assert env.last_masks is not None
        np.testing.assert_array_equal(env.last_masks, masks)
        if "TimeLimit.truncated" not in infos[0]:
            continue
        first = [int(info["x"] * N_ACTIONS) for info in infos]
        assert env.step_masks is not None
        np.testing.assert_array_equal(env.step_masks, [info["action_mask"] for info in infos])
        assert env.step_masks[np.arange(N_ENVS), first].all()
        np.testing.assert_array_equal(env.step_values("x"), [info["x"] for info in infos])
        following, acting = source.after_step(env, dones, infos)
        np.testing.assert_array_equal(acting, masks)
        cut = np.array([info["TimeLimit.truncated"] for info in infos])
        np.testing.assert_array_equal(following[cut], env.step_masks[cut])
        differing += (masks[dones] != env.step_masks[dones]).any(axis=1).sum()
    assert differing > 10


def test_statistics_are_those_of_vec_monitor(tmp_path: Path) -> None:
    """Episode statistics and monitor files equal those of VecMonitor."""
    env = GymnasiumVecEnv(NativePaths(), monitor_file=str(tmp_path / "0.monitor.csv"), info_keywords=("x",))
    single = VecMonitor(DummyVecEnv([Paths] * N_ENVS), info_keywords=("x",))
    episodes = []
    for own, others in zip(walk(env), walk(single), strict=True):
        for info, other in zip(own[4], others[4], strict=True):
            assert ("episode" in info) == ("episode" in other)
            if "episode" in info:
                assert {**info["episode"], "t": 0} == {**other["episode"], "t": 0}
                episodes.append(info["episode"])
    env.close()
    times = [episode["t"] for episode in episodes]
    assert all(0 <= earlier <= later for earlier, later in pairwise(times))
    with open(tmp_path / "0.monitor.csv", encoding="utf8") as file:
        assert file.readline().startswith("#")
        rows = list(csv.DictReader(file))
    assert [float(row["r"]) for row in rows] == [episode["r"] for episode in episodes]
    assert env.env_is_wrapped(Monitor) == [True] * N_ENVS


def test_nothing_returned_is_written_into_again(env: GymnasiumVecEnv) -> None:
    """Observations and masks that were returned never change afterwards."""
    rows = list(walk(env, 30))
    copies = [plain({"row": [np.copy(part) for part in row[:4]], "infos": [plain(i) for i in row[4]]}) for row in rows]
    for _ in range(10):
        masks = get_action_masks(env)
        env.step(masks.argmax(axis=1))
    for row, copied in zip(rows[1:], copies[1:], strict=True):
        for part, other in zip(row[:4], copied["row"], strict=True):
            np.testing.assert_array_equal(part, other)
        assert [plain(info) for info in row[4]] == copied["infos"]


def test_seeds_and_options_serve_one_reset(env: GymnasiumVecEnv) -> None:
    """Seeds and options apply to the next reset only, and environments get different seeds."""
    env.seed(7)
    env.set_options({"rate": 0.5})
    first = env.reset()
    assert {info["parts"]["rate"] for info in env.reset_infos} == {0.5}
    assert len(np.unique(first[:, 0])) == N_ENVS
    assert not (env.reset() == first).all()
    assert {info["parts"]["rate"] for info in env.reset_infos} == {0.2}
    env.seed(8)
    np.testing.assert_array_equal(env.reset()[:-1], first[1:])
    env.set_options([{"rate": 0.1 * i} for i in range(N_ENVS)])
    with pytest.raises(ValueError, match="one set of options for all"):
        env.reset()


def test_attributes_and_methods(env: GymnasiumVecEnv) -> None:
    """Attributes and methods of a VectorEnv, of its wrappers and of its single environments are reachable."""
    env.reset()
    held = isinstance(env.vector_env.unwrapped, SyncVectorEnv | AsyncVectorEnv)
    assert env.has_attr("action_masks")
    assert not env.has_attr("no_such_thing")
    assert env.get_attr("render_mode") == [None] * N_ENVS
    assert env.get_attr("action_space", 2) == [spaces.Discrete(N_ACTIONS)]
    assert env.env_method("set_absence_rate", 0.7) == [None] * N_ENVS
    env.reset()
    assert {info["parts"]["rate"] for info in env.reset_infos} == {0.7}
    np.testing.assert_array_equal(env.env_method("action_masks", indices=[3, 1]), env.last_masks[[3, 1]])  # type: ignore[index]
    env.set_attr("mark", [1, 2])
    assert env.get_attr("mark") == [[1, 2]] * N_ENVS
    if held:
        env.set_attr("mark", 5, indices=1)
        assert env.get_attr("mark") == [[1, 2], 5, [1, 2], [1, 2]]
    else:
        with pytest.raises(ValueError, match=r"The attribute mark of .* leave indices out"):
            env.set_attr("mark", 5, indices=1)
    if isinstance(env.vector_env.unwrapped, SyncVectorEnv):
        env.set_attr("new", 7, indices=[2])
        assert env.get_attr("new", indices=2) == [7]
        with pytest.raises(AttributeError, match="new"):
            env.get_attr("new")
        env.env_method("set_absence_rate", 0.9, indices=[0])
        assert env.get_attr("rate") == [0.9, 0.7, 0.7, 0.7]
    else:
        with pytest.raises(ValueError, match=r"attribute new of .* leave indices out"):
            env.set_attr("new", 7, indices=[2])
        with pytest.raises(ValueError, match=r"The method set_absence_rate\(\) of .* leave indices out"):
            env.env_method("set_absence_rate", 0.9, indices=[0])
    for name in ("no_such_thing", "reset"):
        with pytest.raises((AttributeError, ValueError), match=name):
            env.env_method(name)
    with pytest.raises(AttributeError, match="no_such_thing"):
        env.get_attr("no_such_thing")
    assert env.env_is_wrapped(gym.wrappers.TimeLimit) == [False] * N_ENVS


class OnlyInfo(NativePaths):
    """Masks are in info and nowhere else."""

    action_masks = property()  # type: ignore[assignment]


def test_masks_that_are_only_in_info() -> None:
    """Masks that only info holds are found before SB3's first reset."""
    env, other = GymnasiumVecEnv(OnlyInfo()), GymnasiumVecEnv(NativePaths())
    assert is_masking_supported(env)
    for own, others in zip(walk(env), walk(other), strict=True):
        np.testing.assert_array_equal(own[0], others[0])


def test_masks_of_ends_that_nobody_tells() -> None:
    """Where the last mask of an episode is unknown, step_masks is None."""
    env, source, ends = GymnasiumVecEnv(NativePaths(mask_in_info=False)), MaskSource(N_ACTIONS, "test"), 0
    steps = walk(env)
    next(steps)
    with pytest.warns(UserWarning, match="the mask of its last state is lost") as caught:
        rows = [(env.step_masks, *source.after_step(env, dones, infos), *row) for *row, dones, infos in steps]
    for told, following, acting, masks, _, _ in rows:
        np.testing.assert_array_equal(acting, masks)
        ended = following.all(axis=1)
        assert (told is None) == ended.any()
        assert told is None or (told == masks).all()
        ends += ended.sum()
    assert len(caught) == 1
    assert ends > 20


class Forgetful(Paths):
    """Tells masks in the info of a step, and not in that of a reset."""

    def reset(self, **kwargs: Any) -> tuple[np.ndarray, dict]:
        """Begin a walk."""
        observation, info = super().reset(**kwargs)
        del info["action_mask"]
        return observation, info


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_masks_told_for_some(mode: AutoresetMode) -> None:
    """Where info has masks of some environments only, zeros that Gymnasium fills in for the others are not used."""
    env = GymnasiumVecEnv(sync(mode, Forgetful))
    for masks, _, _, dones, infos in walk(env):
        np.testing.assert_array_equal(env.last_masks, masks)
        assert all(info["action_mask"].sum() == 3 for info in [*infos, *env.reset_infos])
        told = np.array([info["action_mask"] for info in infos])
        np.testing.assert_array_equal(told[~dones], masks[~dones])


class Pairs(gym.ObservationWrapper):
    """Observations as a dictionary."""

    def __init__(self) -> None:
        super().__init__(Paths())
        self.observation_space = spaces.Dict(x=spaces.Box(0.0, 1.0, (1,)), t=spaces.Discrete(9))

    def observation(self, observation: np.ndarray) -> dict[str, Any]:
        """Position and step."""
        return {"x": observation[:1], "t": int(observation[1] * 8)}

    def action_masks(self) -> np.ndarray:
        """(6,) bool."""
        return self.env.get_wrapper_attr("action_masks")()


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_dictionaries_of_observations(mode: AutoresetMode) -> None:
    """Dict observations keep their own last observation, without aliasing."""
    env, single = GymnasiumVecEnv(sync(mode, Pairs)), DummyVecEnv([Pairs] * N_ENVS)
    for own, others in zip(walk(env), walk(single), strict=True):
        for name, part in own[1].items():
            np.testing.assert_array_equal(part, others[1][name])
        for info, other in zip(own[4], others[4], strict=True):
            assert plain(info.get("terminal_observation")) == plain(other.get("terminal_observation"))


def test_what_sb3_cannot_use_is_refused() -> None:
    """Spaces, autoreset modes and calls that SB3 cannot use raise an error."""
    cartpole = gym.make_vec("CartPole-v1", num_envs=4, vectorization_mode="vector_entry_point")
    with pytest.raises(ValueError, match=r"CartPoleVectorEnv.* a step too late for SB3 .* SAME_STEP or DISABLED\.$"):
        GymnasiumVecEnv(cartpole)
    unshared = AsyncVectorEnv([Paths], shared_memory=False, autoreset_mode=NEXT)
    for late in (NativePaths(mode=NEXT), unshared):
        with pytest.raises(ValueError, match="a step too late"):
            GymnasiumVecEnv(late)
        late.close()
    silent = NativePaths()
    silent.metadata = {}
    with pytest.raises(ValueError, match=r"must say in metadata\['autoreset_mode'\]"):
        GymnasiumVecEnv(silent)
    for name, space in (("observation", spaces.Text(3)), ("action", spaces.Tuple([spaces.Discrete(2)]))):
        odd = NativePaths()
        setattr(odd, f"single_{name}_space", space)
        with pytest.raises(ValueError, match=rf"^{name.capitalize()}s must be .*, not "):
            GymnasiumVecEnv(odd)
    lying = NativePaths(mode=DISABLED)
    lying.metadata = {"autoreset_mode": SAME}
    with pytest.raises(ValueError, match=r"without info\['final_obs'\]"):
        list(walk(GymnasiumVecEnv(lying)))


@pytest.mark.parametrize("make", [NativePaths, partial(NativePaths, mode=DISABLED), partial(sync, NEXT)])
@pytest.mark.parametrize("algo", ["maskable_dqn", "maskable_ppo"])
def test_maskable_algorithms_train(algo: str, make: Callable[[], VectorEnv]) -> None:
    """Both maskable algorithms take feasible actions only."""
    env: VecEnv = VecNormalize(GymnasiumVecEnv(make()))
    if algo == "maskable_dqn":
        model: Any = MaskableDQN("MlpPolicy", env, learning_starts=100, batch_size=16, seed=0, device="cpu")
    else:
        model = MaskablePPO("MlpPolicy", env, n_steps=32, batch_size=64, n_epochs=2, seed=0, device="cpu")
    model.learn(600)
    assert len(model.ep_info_buffer) > 50
    assert {int(info["l"]) for info in model.ep_info_buffer} <= set(range(1, 9))


def test_native_trains_as_single_environments_do() -> None:
    """Training on a VectorEnv gives the same parameters as on single environments."""
    results = []
    for env in (GymnasiumVecEnv(NativePaths()), DummyVecEnv([lambda: Monitor(Paths())] * N_ENVS)):
        model = MaskableDQN("MlpPolicy", env, learning_starts=50, batch_size=16, n_steps=3, seed=4, device="cpu")
        model.learn(400)
        results.append(th.nn.utils.parameters_to_vector(model.q_net.parameters()).detach().numpy())
    np.testing.assert_array_equal(*results)


def test_algorithms_without_masks_and_frame_stacks() -> None:
    """PPO, which has no masks, trains on stacked frames of a VectorEnv."""
    env = VecFrameStack(GymnasiumVecEnv(gym.make_vec("CartPole-v1", 2, vectorization_mode="sync")), 3)
    model = PPO("MlpPolicy", env, n_steps=64, n_epochs=1, seed=0, device="cpu").learn(256)
    assert model.observation_space.shape == (12,)
    assert len(model.ep_info_buffer or []) > 3


def test_masked_evaluation(recwarn: pytest.WarningsRecorder) -> None:
    """sb3-contrib's evaluation is masked, knows the episode statistics and does not warn."""
    env = GymnasiumVecEnv(NativePaths())
    callback = MaskableEvalCallback(VecNormalize(env, training=False), eval_freq=20, n_eval_episodes=8, verbose=0)
    model = MaskableDQN("MlpPolicy", VecNormalize(GymnasiumVecEnv(NativePaths())), seed=0, device="cpu")
    model.learn(200, callback=callback)
    # At most eight steps of at most 1 + 5 / 4 points, and at least one.
    assert 1.0 <= callback.last_mean_reward <= 18.0
    assert not [warning for warning in recwarn if "Monitor" in str(warning.message)]


class SeenRates(BaseCallback):
    """Collects the rates of running walks."""

    def _on_training_start(self) -> None:
        self.rates: list[list[float]] = []

    def _on_step(self) -> bool:
        self.rates.append([info["parts"]["rate"] for info in self.training_env.unwrapped.reset_infos])
        return True


def test_curriculum_reaches_the_environment_once_a_change() -> None:
    """A curriculum calls the VectorEnv's method once for each change."""
    env, seen = GymnasiumVecEnv(NativePaths()), SeenRates()
    curriculum = AbsenceRateCurriculum(start=0.5, end=0.1, hold=8, anneal=8)
    MaskableDQN("MlpPolicy", env, seed=0, device="cpu").learn(300, callback=[curriculum, seen])
    assert env.vector_env.rates_told[0] == 0.5  # type: ignore[attr-defined]
    assert env.vector_env.rates_told[-1] == 0.1  # type: ignore[attr-defined]
    assert len(env.vector_env.rates_told) <= 10  # type: ignore[attr-defined]
    # The first walks, too, though SB3 begins them before any callback.
    assert seen.rates[0] == [0.5] * N_ENVS
    assert seen.rates[-1] == [0.1] * N_ENVS


def test_pictures() -> None:
    """Images of a VectorEnv with render_mode rgb_array can be fetched."""
    plain_env = GymnasiumVecEnv(NativePaths())
    with pytest.warns(UserWarning, match="render_mode 'rgb_array'"):
        assert plain_env.get_images() == [None] * N_ENVS

    class Drawn(NativePaths):
        render_mode = "rgb_array"

        def render(self) -> tuple[np.ndarray, ...]:
            return tuple(np.full((2, 3, 3), i, np.uint8) for i in range(self.num_envs))

    env = GymnasiumVecEnv(Drawn())
    picture = env.render()
    assert picture is not None
    assert picture.shape == (4, 6, 3)
    assert set(np.unique(picture)) == {0, 1, 2, 3}
