"""MaskableQRDQN in trainings of a few dozen steps: like sb3-contrib's QRDQN, with masks."""

import inspect
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch as th
from dict_envs import difference_between, make_dict_env
from gymnasium import spaces
from masked_envs import N_ACTIONS, AllOffered, CountingEnv
from sb3_contrib import QRDQN
from sb3_contrib.common.envs import (
    InvalidActionEnvDiscrete,
    InvalidActionEnvMultiBinary,
    InvalidActionEnvMultiDiscrete,
)
from sb3_contrib.common.maskable.evaluation import evaluate_policy

from sb3_ext import MaskableDQN, MaskableQRDQN
from sb3_ext.maskable_dqn.policies import MaskableDQNPolicy
from sb3_ext.maskable_qrdqn import MaskableQRDQNPolicy
from sb3_ext.zoo.agents import load_agent
from sb3_ext.zoo.saved.description import describe
from sb3_ext.zoo.saved.plain import export

VARIANTS: list[dict[str, Any]] = [
    {},
    {"double_q": False, "prioritized_replay": False},
    {"n_steps": 3, "elapsed_key": "elapsed_min", "reward_scale": 0.1},
    {"policy_kwargs": {"dueling": True}},
    {"policy_kwargs": {"dueling": True, "dropout": 0.2}},
    {"policy_kwargs": {"noisy": True, "dueling": True}},
    {"policy_kwargs": {"factors": [5]}},
]


def make(env: Any = None, policy: str = "MlpPolicy", **kwargs: Any) -> MaskableQRDQN:
    """A small model that learns from its fifth step on."""
    policy_kwargs = {"net_arch": [8], "n_quantiles": 7, **kwargs.pop("policy_kwargs", {})}
    settings: dict[str, Any] = {
        "learning_rate": 1e-3,
        "learning_starts": 5,
        "buffer_size": 500,
        "batch_size": 8,
        "train_freq": 1,
        "target_update_interval": 10,
        "seed": 0,
        "device": "cpu",
    }
    env = CountingEnv() if env is None else env
    return MaskableQRDQN(policy, env, policy_kwargs=policy_kwargs, **(settings | kwargs))


def parameters(model: MaskableDQN) -> th.Tensor:
    """All parameters of both networks."""
    return th.nn.utils.parameters_to_vector(model.policy.parameters()).detach()


@pytest.mark.parametrize("settings", [{}, {"max_grad_norm": 0.1, "gamma": 1.0}])
def test_one_update_is_contribs(settings: dict[str, Any]) -> None:
    """Without masks, double Q-learning and priorities, an update is that of sb3-contrib's QRDQN."""
    kwargs = {"n_quantiles": 25, "net_arch": [16, 16]}
    for policy, env in (("MlpPolicy", AllOffered(CountingEnv())), ("MultiInputPolicy", AllOffered(make_dict_env()))):
        assert difference_between(QRDQN, MaskableQRDQN, policy, env, policy_kwargs=kwargs, **settings) < 1e-6


def test_networks_begin_as_contribs() -> None:
    """With the same seed both networks begin with the parameters that those of sb3-contrib's QRDQN begin with."""
    kwargs: dict[str, Any] = {"n_quantiles": 25, "net_arch": [16, 16]}
    ours, theirs = (cls("MlpPolicy", CountingEnv(), policy_kwargs=kwargs, seed=3) for cls in (MaskableQRDQN, QRDQN))
    assert all(map(th.equal, ours.policy.parameters(), theirs.policy.parameters()))


def test_arguments_are_contribs() -> None:
    """It takes QRDQN's arguments in QRDQN's order and with its defaults, except for the smaller replay buffer."""
    ours, theirs = (dict(inspect.signature(cls).parameters) for cls in (MaskableQRDQN, QRDQN))
    assert list(ours)[: len(theirs)] == list(theirs)
    assert [name for name in theirs if ours[name].default != theirs[name].default] == ["buffer_size"]
    with pytest.raises(TypeError, match="unexpected keyword argument 'lambda_'"):
        make(lambda_=1.0)
    for policy in (make().policy, QRDQN("MlpPolicy", CountingEnv()).policy):
        assert policy.optimizer.defaults["eps"] == 0.01 / (8 if isinstance(policy, MaskableQRDQNPolicy) else 32)
    assert MaskableQRDQN("MlpPolicy", CountingEnv()).n_quantiles == 200


@pytest.mark.parametrize("settings", VARIANTS)
def test_continuing_is_exact(settings: dict[str, Any], tmp_path: Path) -> None:
    """
    Only feasible actions are taken in any phase, or CountingEnv would raise; a training that was saved, loaded and
    continued ends with the parameters, to the bit, of one that was continued without.
    """
    model = make(**settings)
    model.learn(40)
    model.save(tmp_path / "model")
    model.save_replay_buffer(tmp_path / "buffer")
    loaded = MaskableQRDQN.load(tmp_path / "model", device="cpu")
    loaded.load_replay_buffer(tmp_path / "buffer")
    before = parameters(model)
    for each in (model, loaded):
        each.set_env(CountingEnv())
        each.learn(40, reset_num_timesteps=False)
    assert th.equal(parameters(model), parameters(loaded))
    assert not th.equal(parameters(model), before)


ENVS = [
    lambda: InvalidActionEnvDiscrete(dim=10, n_invalid_actions=5),
    lambda: InvalidActionEnvMultiDiscrete(dims=[11, 3], n_invalid_actions=7),
    lambda: InvalidActionEnvMultiBinary(dims=5, n_invalid_actions=2),
]


@pytest.mark.parametrize("make_env", ENVS)
def test_identity(make_env: Any) -> None:
    """
    sb3-contrib's environments that want the observation as the action, for every kind of actions: at least 90 of 100
    points within 800 steps. Quantiles of a vector are the sums of those of its parts.
    """
    env = make_env()
    kwargs = {"net_arch": [32], "n_quantiles": 10}
    model = make(
        env, gamma=0.0, learning_rate=5e-3, batch_size=32, train_freq=2, exploration_fraction=0.5, policy_kwargs=kwargs
    )
    model.learn(800)
    evaluate_policy(model, env, n_eval_episodes=20, reward_threshold=90, warn=False)
    net, obs = model.q_net, model.policy.obs_to_tensor(np.asarray(env.observation_space.sample())[None])[0]
    assert net.quantiles(obs).shape == (1, 10, net.parts.n_choices)
    assert th.equal(net(obs), net.quantiles(obs).mean(1))


def test_first_action_does_not_matter() -> None:
    """Actions numbered from 3 are learned as those numbered from 0."""

    class Shifted(gym.Wrapper[Any, Any, Any, Any]):
        """Actions from 3 on."""

        def __init__(self) -> None:
            super().__init__(CountingEnv())
            self.action_space = spaces.Discrete(N_ACTIONS, start=3)

        def action_masks(self) -> np.ndarray:
            """(5,) bool."""
            masks: np.ndarray = self.get_wrapper_attr("env").action_masks()
            return masks

        def step(self, action: Any) -> Any:
            """With the number from 0."""
            return self.env.step(action - 3)

    plain, shifted = make(), make(Shifted())
    for model in (plain, shifted):
        model.learn(60)
    assert th.equal(parameters(plain), parameters(shifted))


@pytest.mark.parametrize(("policy", "picture"), [("MultiInputPolicy", False), ("MultiInputPolicy", True)])
def test_dict_observations(policy: str, picture: bool) -> None:
    """Dictionaries of numbers and pictures are learned from."""
    model = make(make_dict_env(picture=picture), policy)
    before = parameters(model)
    model.learn(20)
    assert not th.equal(parameters(model), before)


def test_cnn_policy() -> None:
    """CnnPolicy has SB3's NatureCNN and no hidden layers after it, as in sb3-contrib."""
    from sb3_contrib.qrdqn.policies import CnnPolicy
    from stable_baselines3.common.utils import ConstantSchedule

    space = spaces.Box(0, 255, (1, 36, 36), np.uint8)
    arguments: Any = (space, spaces.Discrete(3), ConstantSchedule(1e-3))
    ours = MaskableQRDQN.policy_aliases["CnnPolicy"](*arguments, n_quantiles=5)
    theirs = CnnPolicy(*arguments, n_quantiles=5)
    assert [p.shape for p in ours.parameters()] == [p.shape for p in theirs.parameters()]


def test_policies_save_themselves(tmp_path: Path) -> None:
    """A policy saved alone loads with its quantiles and its head."""
    policy = make(policy_kwargs={"dueling": True, "n_quantiles": 9}).policy
    policy.save(tmp_path / "policy")
    loaded = MaskableQRDQNPolicy.load(tmp_path / "policy")
    assert str(loaded.q_net.q_net) == str(policy.q_net.q_net)
    assert loaded.n_quantiles == 9


def test_names_of_contrib() -> None:
    """Networks are there under sb3-contrib's names, too."""
    model = make()
    assert model.quantile_net is model.q_net is model.policy.quantile_net
    assert model.quantile_net_target is model.q_net_target is model.policy.quantile_net_target


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"policy": MaskableDQNPolicy}, "policy must be a MaskableQRDQNPolicy, not MaskableDQNPolicy"),
        ({"policy": "RowPolicy"}, "Policy RowPolicy unknown"),
        ({"policy_kwargs": {"n_quantiles": 0}}, "n_quantiles must be at least 1, not 0"),
    ],
)
def test_refused(arguments: dict[str, Any], message: str) -> None:
    """Policies without quantiles, and no quantiles, raise an error."""
    with pytest.raises(ValueError, match=message):
        make(**arguments)


@pytest.mark.parametrize("policy_kwargs", [{}, {"noisy": True, "dueling": True}])
def test_the_zoo_loads_it(policy_kwargs: dict[str, Any], tmp_path: Path) -> None:
    """Under its name in the zoo it is loaded without pickle, and acts as it did."""
    model = make(policy_kwargs=policy_kwargs)
    model.learn(20)
    export(model, describe(model), tmp_path / "agent.zip")
    loaded: Any = load_agent("maskable_qrdqn", tmp_path / "agent.zip")
    assert type(loaded) is MaskableQRDQN
    observations = np.random.default_rng(0).random((50, 2), dtype=np.float32)
    masks = np.random.default_rng(1).random((50, N_ACTIONS)) < 0.5
    masks[:, 0] = True
    chosen = [each.predict(observations, deterministic=True, action_masks=masks)[0] for each in (model, loaded)]
    assert np.array_equal(*chosen)
