"""TensorBoard at a glance: the layout of charts, and marks where exploration starts anew."""

from pathlib import Path

from masked_envs import CountingEnv
from stable_baselines3.common.logger import configure
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sb3_ext.callbacks import EpsilonReset, EvaluationCharts
from sb3_ext.callbacks.charts import layout
from sb3_ext.maskable_dqn import MaskableDQN


def test_a_restart_of_exploration_is_marked_by_a_text_and_a_step(tmp_path: Path) -> None:
    """Where epsilon rises there is one text, and a step from 0 to 1 in a series."""
    model = MaskableDQN(
        "MlpPolicy", CountingEnv(), learning_starts=10**6, exploration_fraction=0.5, buffer_size=200, seed=0
    )
    model.set_logger(configure(str(tmp_path), ["tensorboard"]))
    model.learn(200, callback=[EpsilonReset(episode=12), EvaluationCharts()])
    model.logger.close()
    found = EventAccumulator(str(tmp_path)).Reload()
    steps = [(event.step, event.value) for event in found.Scalars("marks/exploration_restarts")]
    assert [value for _, value in steps] == [0.0, 1.0]
    assert steps[1][0] == steps[0][0] + 1
    (mark,) = found.Tensors("marks/text_summary")
    assert mark.step == steps[1][0]
    assert b"exploration starts anew at" in mark.tensor_proto.string_val[0]
    assert "custom_scalars__config__" in found.Tags()["tensors"]


def test_without_tensorboard_nothing_is_written() -> None:
    """A training that logs nowhere runs as without the callback."""
    model = MaskableDQN("MlpPolicy", CountingEnv(), learning_starts=10**6, buffer_size=200)
    assert model.learn(50, callback=EvaluationCharts("policy")).num_timesteps >= 50


def test_charts_begin_with_the_evaluations() -> None:
    """The first category is eval, with a margin of three tags only where there is a reference."""
    assert next(iter(layout(None))) == "eval"
    assert list(layout(None)["eval"]) == ["mean reward"]
    (_, (kind, tags)) = layout("cost_minus_rule")["eval"].values()
    assert (kind, tags) == ("Margin", ["eval/cost_minus_rule", "eval/cost_minus_rule_low", "eval/cost_minus_rule_high"])
