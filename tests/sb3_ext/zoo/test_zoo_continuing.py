"""rl_zoo3 with masks: a training goes on from a model of an earlier one."""

import pickle
from pathlib import Path
from typing import Any

import pytest
from doors import train

from sb3_ext.zoo import UsageError, cli, load_agent


def test_continuing_goes_on(defaults: cli.ZooDefaults) -> None:
    """A continued training continues steps, exploration and curves."""
    first = train(defaults)
    model_path = first / "Doors-v0.zip"
    before = load_agent("maskable_dqn", model_path)
    second = train(defaults, "-n", "100", "--trained-agent", str(model_path))
    after = load_agent("maskable_dqn", second / "Doors-v0.zip")
    assert second != first
    assert after.num_timesteps == before.num_timesteps + 100
    assert after.exploration_rate <= before.exploration_rate
    assert "learn" not in vars(after)


def last_settings(folder: Path) -> Any:
    """The model of a run, with its buffer."""
    model: Any = load_agent("maskable_dqn", folder / "Doors-v0.zip", trust=True)
    model.load_replay_buffer(folder / "replay_buffer.pkl")
    return model


def test_continuing_takes_the_settings_at_hand(defaults: cli.ZooDefaults) -> None:
    """A training continued with other settings has them in its replay buffer too."""
    first = train(defaults, "-n", "100", "--save-replay-buffer")
    options = ["-n", "60", "--save-replay-buffer", "--trained-agent", str(first / "Doors-v0.zip"), "-params"]
    settings = ["gamma:0.5", "n_steps:3", "prioritized_replay:True", "buffer_size:120"]
    model = last_settings(train(defaults, *options, *settings))
    assert type(model.replay_buffer).__name__ == "PrioritizedReplayBuffer"
    assert (model.replay_buffer.gamma, model.replay_buffer.n_steps, model.replay_buffer.buffer_size) == (0.5, 3, 120)
    assert model.replay_buffer.full
    assert model.num_timesteps == 160


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-params", "n_envs:2"], r"replay_buffer.pkl cannot be used: .* n_envs 1 and cannot be used with 2; move it"),
        (["--env-kwargs", "lying:False"], r"was filled in Doors-v0 with {'size': 3}, not in Doors-v0 with"),
        (["--env", "NativeDoors-v0"], r"was filled in Doors-v0 with {'size': 3}, not in NativeDoors-v0 with"),
        (["--env-kwargs", "size:4"], "Observation spaces do not match"),
        (["-params", "policy_kwargs:dict(net_arch=[16])"], r"are {'net_arch': \[8\]} and cannot be changed to"),
        (["-params", "policy:RowPolicy"], "is MaskableDQNPolicy and cannot be changed to RowPolicy"),
    ],
)
def test_what_cannot_be_continued_is_refused(arguments: list[str], message: str, defaults: cli.ZooDefaults) -> None:
    """A replay buffer or network that does not fit is refused in one sentence, and no folder is left."""
    first = train(defaults, "-n", "60", "--save-replay-buffer")
    before = sorted(Path.cwd().rglob("*"))
    with pytest.raises(UsageError, match=message) as caught:
        train(defaults, "-n", "60", "--trained-agent", str(first / "Doors-v0.zip"), *arguments)
    assert "\n" not in str(caught.value)
    assert sorted(Path.cwd().rglob("*")) == before


def test_buffers_of_dqn_are_refused_by_name(defaults: cli.ZooDefaults) -> None:
    """SB3's own replay buffers cannot take other settings, which are named."""
    first = train(defaults, "--algo", "dqn", "-n", "60", "--save-replay-buffer")
    options = ["--algo", "dqn", "-n", "60", "--trained-agent", str(first / "Doors-v0.zip")]
    with pytest.raises(UsageError, match="filled with buffer_size 1000000, which DQN cannot change to 50"):
        train(defaults, *options, "-params", "buffer_size:50")
    (first / "replay_buffer.pkl").write_bytes(b"no pickle")
    with pytest.raises(UsageError, match=r"replay_buffer.pkl cannot be used"):
        train(defaults, *options)
    assert len(list(first.parent.iterdir())) == 1


def test_continuing_normalises_with_the_settings_at_hand(defaults: cli.ZooDefaults) -> None:
    """VecNormalize keeps its statistics, and takes the settings at hand; leaving it out is refused."""
    first = train(defaults, "--algo", "maskable_ppo", "-n", "64", "-params", "normalize:True")
    options = ["--algo", "maskable_ppo", "-n", "64", "--trained-agent", str(first / "Doors-v0.zip"), "-params"]
    with pytest.raises(UsageError, match="was trained with normalize, so it cannot be continued without"):
        train(defaults, *options, "gamma:0.9")
    second = train(defaults, *options, "gamma:0.9", "normalize:dict(norm_reward=False)")
    before, after = (
        pickle.loads((folder / "Doors-v0" / "vecnormalize.pkl").read_bytes()) for folder in (first, second)
    )
    assert (before.gamma, before.norm_reward) == (0.99, True)
    assert (after.gamma, after.norm_reward) == (0.9, False)
    assert after.obs_rms.count > before.obs_rms.count


# Seeds of searches whose two trials are small.
