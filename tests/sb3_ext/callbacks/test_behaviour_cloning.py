"""Starting from a rule: the policy first learns to do what the rule does."""

from typing import Any

import numpy as np
import pytest
import torch as th
from masked_envs import CountingEnv
from ruled_envs import RuledEnv
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecNormalize

from sb3_ext import MaskableDQN, MaskablePPO
from sb3_ext.callbacks import BehaviourCloning
from sb3_ext.callbacks.behaviour_cloning import returns_to_the_end

STEPS = 350


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    th.set_num_threads(1)


def make_model(env: VecEnv, **kwargs: Any) -> MaskablePPO:
    """A model that learns nothing but from the rule, unless told otherwise."""
    settings: dict[str, Any] = {"n_steps": 16, "batch_size": 16, "learning_rate": 0.0, "seed": 1, "device": "cpu"}
    return MaskablePPO("MlpPolicy", env, **{**settings, **kwargs})


def cloning(**kwargs: Any) -> BehaviourCloning:
    """Enough to be certain of the rule in all of its states."""
    return BehaviourCloning(**{"rule": "higher", "steps": STEPS, "epochs": 40, "learning_rate": 0.01, **kwargs})


def agreement(model: Any, env: RuledEnv) -> float:
    """Share of the states of 20 episodes in which the model does what the rule does, where there is a choice."""
    same = []
    for _ in range(20):
        observation, _ = env.reset()
        over = False
        while not over:
            action, _ = model.predict(observation, deterministic=True, action_masks=env.action_masks())
            if env.action_masks().sum() > 1:
                same.append(action == env.rule_actions("higher"))
            observation, _, terminated, truncated, _ = env.step(int(action))
            over = terminated or truncated
    return float(np.mean(same))


@pytest.mark.parametrize("normalize", [False, True])
def test_the_policy_does_what_the_rule_does(normalize: bool) -> None:
    """After cloning, the policy takes the rule's actions, on observations normalized as it will see them."""
    env: VecEnv = DummyVecEnv([RuledEnv, RuledEnv])
    if normalize:
        env = VecNormalize(env, norm_obs=False, norm_reward=True)
    model = make_model(env)
    assert agreement(model, RuledEnv()) < 0.9
    model.learn(32, callback=cloning())
    assert agreement(model, RuledEnv()) == 1.0


def test_the_steps_of_the_rule_are_no_steps_of_the_training() -> None:
    """The rule's steps do not count as training steps, and training begins with whole episodes."""
    envs = [RuledEnv(), RuledEnv()]
    model = make_model(DummyVecEnv([lambda: envs[0], lambda: envs[1]]))
    model.learn(32, callback=cloning())
    assert model.num_timesteps == 32
    # 350 steps of the rule between two environments, then 16 in each.
    assert [env.steps for env in envs] == [STEPS // 2 + 16] * 2
    # Whole episodes of 7 steps again: 16 steps later each is in the third.
    assert [env.t for env in envs] == [16 % 7] * 2


def test_it_is_done_once_in_the_life_of_a_model() -> None:
    """A continued training does not clone again."""
    env = RuledEnv()
    model = make_model(DummyVecEnv([lambda: env]))
    model.learn(16, callback=cloning())
    asked = len(env.rules_asked)
    assert asked == STEPS
    model.learn(16, callback=cloning(), reset_num_timesteps=False)
    assert len(env.rules_asked) == asked


def test_the_value_function_is_fitted_to_the_rules_returns() -> None:
    """With vf_coef the value function predicts the rule's returns."""
    env = RuledEnv()
    model = make_model(DummyVecEnv([lambda: env]), gamma=1.0)
    model.learn(16, callback=cloning(vf_coef=1.0, epochs=150))
    env.reset()
    observation, *_ = env.step(env.rule_actions("higher"))
    with th.no_grad():
        value = float(model.policy.predict_values(th.as_tensor(observation[None])))
    # After the forced first step the rule pays 1 in each of 6 steps.
    assert value == pytest.approx(-6.0, abs=0.3)


def test_returns_by_hand() -> None:
    """Returns stop at the end of an episode and are nan where that end was not observed."""
    rewards = np.array([[1.0], [2.0], [4.0], [8.0], [16.0]])
    ends = np.array([[False], [True], [False], [True], [False]])
    cut = np.array([[False], [False], [False], [True], [False]])
    got = returns_to_the_end(rewards, ends, cut, 0.5)[:, 0]
    assert got[:2].tolist() == [2.0, 2.0]
    assert np.isnan(got[2:]).all()


def test_whoever_cannot_is_refused() -> None:
    """Models and environments that cannot clone a rule raise an error that names what is missing."""
    with pytest.raises(ValueError, match="needs an environment with a method rule_actions"):
        make_model(DummyVecEnv([CountingEnv])).learn(16, callback=cloning())
    with pytest.raises(ValueError, match="which is infeasible"):
        make_model(DummyVecEnv([RuledEnv])).learn(16, callback=cloning(rule="wrong"))
    with pytest.raises(TypeError, match="needs a policy with evaluate_actions"):
        PPO("MlpPolicy", DummyVecEnv([RuledEnv]), n_steps=16, batch_size=16, device="cpu").learn(16, callback=cloning())
    with pytest.raises(TypeError, match="needs a policy with evaluate_actions"):
        MaskableDQN("MlpPolicy", DummyVecEnv([RuledEnv]), device="cpu").learn(16, callback=cloning())


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"steps": 0}, "steps must be at least 1, not 0"),
        ({"learning_rate": "1e-3"}, "learning_rate must be a number above 0, not '1e-3'"),
        ({"ent_coef": -1}, "ent_coef must be a number of at least 0, not -1"),
    ],
)
def test_wrong_settings_are_refused(setting: dict[str, Any], message: str) -> None:
    """Invalid settings raise an error in the constructor."""
    with pytest.raises(ValueError, match=message):
        cloning(**setting)
