"""MaskablePPO with OfferedMlpPolicy, beside sb3-contrib's MlpPolicy as what it must equal."""

import copy
import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import sb3_contrib
import torch as th
import yaml
from few_offered import N_ACTIONS, agree, first_offered, some_masks
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from sb3_contrib.common.maskable.callbacks import MaskableEvalCallback
from sb3_contrib.common.maskable.evaluation import evaluate_policy
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.torch_layers import CombinedExtractor
from stable_baselines3.common.utils import ConstantSchedule
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecNormalize
from torch import nn

from sb3_ext import GymnasiumVecEnv, MaskablePPO
from sb3_ext.maskable_ppo import OfferedActionsPolicy
from sb3_ext.zoo import load_agent

# Both sum the same products, in another order: some roundings apart, each of 1e-16 (float64) or 6e-8 (float32) of
# numbers of size 1 to 10.
SINGLE = 2e-6


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    th.set_num_threads(1)


class FewOfMany(gym.Env[np.ndarray, np.int64]):
    """
    Ten choices among three of 200 actions, drawn at random; the observation says which, and the lowest pays 1.
    Another action raises an error.

    :param as_dict: observations in a ``Dict``
    """

    def __init__(self, as_dict: bool = False) -> None:
        box = spaces.Box(0.0, 1.0, (3,))
        self.observation_space: Any = spaces.Dict({"offered": box}) if as_dict else box
        self.action_space = spaces.Discrete(N_ACTIONS)
        self.as_dict = as_dict

    def action_masks(self) -> np.ndarray:
        """(200,) bool."""
        return np.isin(np.arange(N_ACTIONS), self.offered)

    def _observed(self) -> Any:
        self.offered = np.sort(self.np_random.choice(N_ACTIONS, 3, replace=False))
        observation = (self.offered / N_ACTIONS).astype(np.float32)
        return {"offered": observation} if self.as_dict else observation

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin anew."""
        super().reset(seed=seed)
        self.t = 0
        return self._observed(), {}

    def step(self, action: np.int64) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Choose."""
        if action not in self.offered:
            raise RuntimeError(f"action {action} is not among {self.offered}")
        reward = float(action == self.offered[0])
        self.t += 1
        return self._observed(), reward, self.t == 10, False, {}


def singles(n_envs: int = 4) -> VecEnv:
    """Environments one by one."""
    return DummyVecEnv([lambda: Monitor(FewOfMany())] * n_envs)


def batched(n_envs: int = 4) -> VecEnv:
    """Environments as one vector environment."""
    return GymnasiumVecEnv(SyncVectorEnv([FewOfMany] * n_envs, autoreset_mode=AutoresetMode.SAME_STEP))


def make_model(
    policy: str = "OfferedMlpPolicy",
    env: Any = None,
    algorithm: type[sb3_contrib.MaskablePPO] = MaskablePPO,
    **kwargs: Any,
) -> sb3_contrib.MaskablePPO:
    """A small model; its last layer is not as small as at first, so that actions have unequal probabilities."""
    settings: dict[str, Any] = {"n_steps": 32, "batch_size": 64, "n_epochs": 2, "seed": 0, "device": "cpu", **kwargs}
    model = algorithm(policy, singles() if env is None else env, **settings)
    with th.no_grad():
        model.policy.action_net.weight *= 100
    return model


def parameters(model: sb3_contrib.MaskablePPO) -> th.Tensor:
    """All in one vector."""
    return nn.utils.parameters_to_vector(model.policy.parameters()).detach()


def probe() -> tuple[th.Tensor, th.Tensor, np.ndarray]:
    """Observations, feasible actions and masks for the policies."""
    masks = some_masks(32, 10)
    return th.rand(32, 3, generator=th.Generator().manual_seed(0)), first_offered(masks), masks


def test_policy_is_the_dense_one() -> None:
    """Values, log-probabilities, entropies and greedy actions are those of MlpPolicy."""
    ours, dense = make_model(), make_model("MlpPolicy")
    # The same seed gives the same network, and the state has the same names.
    assert list(ours.policy.state_dict()) == list(dense.policy.state_dict())
    assert th.equal(parameters(ours), parameters(dense))
    obs, actions, masks = probe()
    results = []
    for policy in (ours.policy, dense.policy):
        told = list(policy.evaluate_actions(obs, actions, action_masks=masks))
        loss = sum((part * th.linspace(-1, 2, part.numel()).reshape(part.shape)).sum() for part in told)
        results.append([*told, *th.autograd.grad(loss, list(policy.parameters()))])
    agree(*results, SINGLE)
    for deterministic in (True, False):
        chosen, _ = ours.predict(obs.numpy(), action_masks=masks, deterministic=deterministic)
        assert masks[np.arange(32), chosen].all()
    chosen, _ = ours.predict(obs.numpy(), action_masks=masks, deterministic=True)
    np.testing.assert_array_equal(chosen, dense.predict(obs.numpy(), action_masks=masks, deterministic=True)[0])
    # One observation, and none masked.
    chosen, _ = ours.predict(obs[0].numpy(), action_masks=masks[0], deterministic=True)
    assert chosen == dense.predict(obs[0].numpy(), action_masks=masks[0], deterministic=True)[0]
    chosen, _ = ours.predict(obs.numpy(), deterministic=True)
    np.testing.assert_array_equal(chosen, dense.predict(obs.numpy(), deterministic=True)[0])


def test_one_update_is_that_of_the_dense_policy() -> None:
    """From the same rollout an update gives the same parameters as MlpPolicy's, up to rounding."""
    # Plain gradient steps: Adam divides by the size of gradients, and so blows up the rounding of those near zero.
    sgd = {"policy_kwargs": {"optimizer_class": th.optim.SGD}, "learning_rate": 0.1, "ent_coef": 0.01}
    ours, dense = make_model(**sgd), make_model("MlpPolicy", **sgd)
    ours.learn(128)
    begin, rollout = parameters(dense), copy.deepcopy(ours.rollout_buffer)
    ours.policy.load_state_dict(dense.policy.state_dict())
    for model in (ours, dense):
        model.rollout_buffer = copy.deepcopy(rollout)
        model._logger = ours.logger
        np.random.seed(0)  # noqa: NPY002 - of SB3's minibatches
        model.train()
    assert (parameters(ours) - begin).abs().max() > 1e-3
    agree([parameters(ours)], [parameters(dense)], SINGLE)


@pytest.mark.parametrize("make_env", [singles, batched])
@pytest.mark.parametrize("normalize", [False, True])
def test_learns(make_env: Callable[[int], VecEnv], normalize: bool) -> None:
    """
    It learns. Of 10 points a random choice among three gets 3.3 with standard deviation 1.5, so that the mean
    of 50 episodes would be over 6 once in 10^30 times.
    """
    env = make_env(16)
    env = VecNormalize(env, gamma=0.0) if normalize else env
    model = make_model(env=env, learning_rate=0.01, gamma=0.0, n_epochs=10, batch_size=128)
    model.learn(6_000)
    rewards = [episode["r"] for episode in list(model.ep_info_buffer or [])[-50:]]
    assert np.mean(rewards) > 6.0


def test_learns_without_masks_and_from_dicts() -> None:
    """Environments without masks and with Dict observations are accepted, as by sb3-contrib's policies."""
    make_model(env=gym.make("CartPole-v1")).learn(64, use_masking=False)
    make_model(env=FewOfMany(as_dict=True), policy_kwargs={"features_extractor_class": CombinedExtractor}).learn(64)


def test_masked_evaluation(tmp_path: Path) -> None:
    """Evaluation under masks takes feasible actions only."""
    callback = MaskableEvalCallback(
        singles(1), eval_freq=16, n_eval_episodes=2, verbose=0, best_model_save_path=tmp_path
    )
    model = make_model().learn(128, callback=callback)
    # Ten choices of at most 1 point each.
    assert 0.0 <= callback.last_mean_reward <= 10.0
    best = MaskablePPO.load(tmp_path / "best_model", device="cpu")
    for which in (model, best):
        assert 0.0 <= evaluate_policy(which, singles(1), n_eval_episodes=2)[0] <= 10.0


@pytest.mark.parametrize(
    ("saver", "policy", "loader"),
    [
        (MaskablePPO, "OfferedMlpPolicy", MaskablePPO),
        (sb3_contrib.MaskablePPO, "MlpPolicy", MaskablePPO),
        (MaskablePPO, "OfferedMlpPolicy", sb3_contrib.MaskablePPO),
    ],
)
def test_save_and_load(saver: Any, policy: str, loader: Any, tmp_path: Path) -> None:
    """A saved model acts the same after loading."""
    model = make_model(policy, algorithm=saver).learn(128)
    model.save(tmp_path / "model")
    loaded = loader.load(tmp_path / "model", env=singles(), device="cpu")
    assert type(loaded) is loader
    assert type(loaded.policy) is type(model.policy)
    assert th.equal(parameters(loaded), parameters(model))
    obs, _, masks = probe()
    actions = [which.predict(obs.numpy(), action_masks=masks, deterministic=True)[0] for which in (model, loaded)]
    np.testing.assert_array_equal(*actions)
    loaded.learn(128, reset_num_timesteps=False)
    assert load_agent("maskable_ppo", tmp_path / "model", trust=True).num_timesteps == 128


@pytest.mark.parametrize(("giver", "taker"), [("MlpPolicy", "OfferedMlpPolicy"), ("OfferedMlpPolicy", "MlpPolicy")])
def test_parameters_go_over(giver: str, taker: str) -> None:
    """Parameters can be exchanged with sb3-contrib's MaskablePPO in both directions."""
    giving = make_model(giver).learn(256)
    algorithm = sb3_contrib.MaskablePPO if taker == "MlpPolicy" else MaskablePPO
    taking = make_model(taker, algorithm=algorithm, seed=1)
    assert not th.equal(parameters(taking), parameters(giving))
    taking.set_parameters(giving.get_parameters())
    assert th.equal(parameters(taking), parameters(giving))
    moments = [model.policy.optimizer.state_dict()["state"] for model in (giving, taking)]
    for mine, theirs in zip(moments[0].values(), moments[1].values(), strict=True):
        assert th.equal(mine["exp_avg"], theirs["exp_avg"])
    taking.learn(128)
    assert th.isfinite(parameters(taking)).all()


@pytest.mark.parametrize("way", ["pickle", "save"])
def test_policy_is_sent_and_stored(way: str, tmp_path: Path) -> None:
    """A policy can be pickled, and saved without its algorithm."""
    policy = make_model().learn(128).policy
    if way == "pickle":
        other = pickle.loads(pickle.dumps(policy))
    else:
        policy.save(tmp_path / "policy")
        other = OfferedActionsPolicy.load(tmp_path / "policy", device="cpu")
    assert isinstance(other, OfferedActionsPolicy)
    obs, actions, masks = probe()
    pairs = zip(*(which.evaluate_actions(obs, actions, action_masks=masks) for which in (policy, other)), strict=True)
    assert all(th.equal(mine, theirs) for mine, theirs in pairs)
    # What is learned after that is learned by the one that learns.
    with th.no_grad():
        other.action_net.bias += th.arange(N_ACTIONS)
    assert not th.equal(policy.evaluate_actions(obs, actions, masks)[1], other.evaluate_actions(obs, actions, masks)[1])


def test_adam_is_sb3s_made_faster() -> None:
    """Adam has sb3-contrib's eps and is fused, and settings given by the user win."""
    ours, dense = make_model().policy.optimizer, make_model("MlpPolicy").policy.optimizer
    assert type(ours) is type(dense)
    assert ours.defaults == {**dense.defaults, "fused": True}
    own = make_model(policy_kwargs={"optimizer_kwargs": {"eps": 1e-3}}).policy.optimizer
    assert (own.defaults["eps"], own.defaults["fused"]) == (1e-3, None)


def test_policy_by_name_in_yaml() -> None:
    """The policy has a name for YAML files, and MlpPolicy keeps its meaning."""
    settings = yaml.safe_load("{policy: OfferedMlpPolicy, n_steps: 16, batch_size: 16}")
    assert type(MaskablePPO(env=FewOfMany(), **settings).policy) is OfferedActionsPolicy
    assert type(MaskablePPO("MlpPolicy", FewOfMany()).policy) is MaskableActorCriticPolicy
    assert "OfferedMlpPolicy" not in sb3_contrib.MaskablePPO.policy_aliases


@pytest.mark.parametrize("space", [spaces.MultiDiscrete([3, 4]), spaces.MultiBinary(3)])
def test_other_actions_are_refused(space: spaces.Space[Any]) -> None:
    """An action space other than Discrete raises an error that names MlpPolicy as the alternative."""
    observations = spaces.Box(0.0, 1.0, (3,))
    with pytest.raises(ValueError, match=r"needs a Discrete action space, not Multi.*: use MlpPolicy for this one\.$"):
        OfferedActionsPolicy(observations, space, ConstantSchedule(1e-3))


@pytest.mark.parametrize("idling", [False, True])
def test_masks_of_the_lab(idling: bool) -> None:
    """With the lab's masks of 729 actions training never computes all logits, whether or not idling is feasible."""
    pytest.importorskip("numba")
    import echo_env  # noqa: F401

    make = partial(gym.make_vec, "EchoLabScarce-v0", num_envs=16, clock="event", idling=idling)
    env = GymnasiumVecEnv(make())
    model = make_model(env=env)
    calls: list[nn.Module] = []
    model.policy.action_net.register_forward_hook(lambda module, *_: calls.append(module))
    model.learn(1024)
    assert calls == []
    masks = np.stack(env.env_method("action_masks"))
    assert masks[:, 0].any() == idling


@pytest.mark.parametrize("policy", ["MlpPolicy", "OfferedMlpPolicy"])
def test_scores_of_actions_are_log_probabilities(policy: str) -> None:
    """Those of feasible actions sum to one, the best is what is predicted, and all others are far below."""
    model = MaskablePPO(policy, FewOfMany(), seed=1)
    rng = np.random.default_rng(2)
    observations, masks = rng.random((20, 3)).astype(np.float32), some_masks(20, 4)
    scores = model.action_scores(observations, masks)
    assert scores.shape == (20, N_ACTIONS)
    assert np.exp(np.where(masks, scores, -np.inf)).sum(axis=1) == pytest.approx(np.ones(20), abs=1e-5)
    assert np.array_equal(scores.argmax(axis=1), model.predict(observations, action_masks=masks, deterministic=True)[0])
    assert scores[~masks].max() < -1e6
