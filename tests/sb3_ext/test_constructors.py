"""Constructors: what SB3's DQN takes, and what is our own."""

import inspect

import pytest
from masked_envs import CountingEnv
from sb3_contrib import QRDQN
from stable_baselines3 import DQN
from stable_baselines3.common.base_class import BaseAlgorithm

from sb3_ext import LookaheadDQN, MaskableDQN, MaskableQRDQN
from sb3_ext.maskable_dqn.base import MaskedQLearning


def arguments(algorithm: type[BaseAlgorithm]) -> dict[str, inspect.Parameter]:
    """The constructor's parameters by name."""
    return dict(inspect.signature(algorithm).parameters)


def test_leading_arguments_are_dqns() -> None:
    """MaskableDQN takes all of DQN's arguments in DQN's order; its own are keyword-only."""
    ours, theirs = arguments(MaskableDQN), arguments(DQN)
    assert list(ours)[: len(theirs)] == list(theirs)
    own = list(ours.values())[len(theirs) :]
    assert own
    assert {parameter.kind for parameter in own} == {inspect.Parameter.KEYWORD_ONLY}


def test_defaults_are_dqns() -> None:
    """Every default that MaskableDQN shares with DQN is the same, except for the smaller replay buffer."""
    ours, theirs = arguments(MaskableDQN), arguments(DQN)
    differing = [name for name in theirs if ours[name].default != theirs[name].default]
    assert differing == ["buffer_size"]


def test_quantile_regression_takes_the_same_arguments_with_qrdqns_defaults() -> None:
    """MaskableQRDQN has MaskableDQN's arguments, each by name; defaults of what QRDQN has too are QRDQN's."""
    ours, theirs = arguments(MaskableQRDQN), arguments(QRDQN)
    kinds = {name: parameter.kind for name, parameter in arguments(MaskableDQN).items()}
    assert {name: parameter.kind for name, parameter in ours.items()} == kinds
    differing = [name for name in theirs if ours[name].default != theirs[name].default]
    assert differing == ["buffer_size"]
    own = set(ours) - set(theirs)
    assert all(ours[name].default == arguments(MaskableDQN)[name].default for name in own)


def test_positional_arguments_of_lookahead_are_dqns() -> None:
    """The positional arguments of LookaheadDQN are the first ones of DQN; all others are keyword-only."""
    parameters = arguments(LookaheadDQN)
    positional = [name for name, p in parameters.items() if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    assert positional == list(arguments(DQN))[: len(positional)]


def test_lookahead_has_no_argument_without_effect() -> None:
    """LookaheadDQN shares a base with MaskableDQN and takes no setting of targets or replay that it does not use."""
    assert not issubclass(LookaheadDQN, MaskableDQN)
    assert issubclass(LookaheadDQN, MaskedQLearning)
    assert not {"gamma", "tau", "n_steps", "double_q", "prioritized_replay"} & set(arguments(LookaheadDQN))


def test_base_policy_must_be_named() -> None:
    """LookaheadDQN has no default for the rule that continues episodes."""
    with pytest.raises(ValueError, match="base must be the name of a rule of the environment, not None"):
        LookaheadDQN("MlpPolicy", CountingEnv())
