"""rl_zoo3 with masks: playing and recording models, and what they may run."""

from dataclasses import replace
from pathlib import Path

import pytest
from doors import MASKED, train

from sb3_ext.maskable_dqn import MaskableDQN
from sb3_ext.zoo import UsageError, cli, load_agent, play
from sb3_ext.zoo.playing.recorder import named_strip


@pytest.mark.parametrize("algo", MASKED)
def test_enjoy_masks(algo: str, defaults: cli.ZooDefaults, capsys: pytest.CaptureFixture[str]) -> None:
    """enjoy takes feasible actions only."""
    train(defaults, "--algo", algo, "-n", "120")
    play.play("enjoy", ["--algo", algo, "--no-render", "-n", "50"], defaults)
    assert "10 Episodes" in capsys.readouterr().out


def test_record_video_masks_and_writes(defaults: cli.ZooDefaults) -> None:
    """record_video takes feasible actions, uses the config's environment arguments and writes a video."""
    pytest.importorskip("moviepy")
    folder = train(defaults, "-n", "120")
    play.play("record_video", ["-n", "10"], defaults)
    (video,) = (folder / "videos").glob("*.mp4")
    assert video.stat().st_size > 500


def test_a_video_is_one_episode_and_names_who_plays(defaults: cli.ZooDefaults) -> None:
    """However many steps are allowed, the video ends with the first episode, below a strip with the player's name."""
    moviepy = pytest.importorskip("moviepy")
    folder = train(defaults, "-n", "120")
    play.play("record_video", ["-n", "40"], defaults)
    (video,) = (folder / "videos").glob("*.mp4")
    with moviepy.VideoFileClip(str(video)) as clip:
        # The first room, and those behind the first four of five doors: then the next episode has begun.
        assert clip.n_frames == 5
        assert clip.size == [64, 64 + len(named_strip("x", 64))]
    assert (named_strip("agent", 200) != named_strip("rule", 200)).any()


def test_enjoy_prints_the_score_and_no_reward(defaults: cli.ZooDefaults, capsys: pytest.CaptureFixture[str]) -> None:
    """Where a project has a score of an episode, it is printed as the environment tells it; elsewhere the reward is."""
    train(defaults, "-n", "120")
    capsys.readouterr()
    play.play("enjoy", ["--no-render", "-n", "20"], replace(defaults, score="rooms"))
    out = capsys.readouterr().out
    assert out.count("Episode rooms: 5.00") == 4
    assert "Mean rooms: 5.00 +/- 0.00" in out
    assert "reward" not in out.lower()
    play.play("enjoy", ["--no-render", "-n", "20"], replace(defaults, score="else"))
    assert "Episode Reward: " in capsys.readouterr().out


@pytest.mark.parametrize("command", ["enjoy", "record_video"])
def test_the_settings_of_a_run_run_no_code(command: str, defaults: cli.ZooDefaults) -> None:
    """Objects and Python texts in the settings of a run are refused in one sentence, and never made or evaluated."""
    folder = train(defaults, "-n", "60") / "Doors-v0"
    args, config = folder / "args.yml", folder / "config.yml"
    given = args.read_text(), config.read_text()
    args.write_text(given[0] + "\n- - x\n  - !!python/object/apply:os.mkdir [made]\n")
    with pytest.raises(UsageError, match="--allow-code"):
        play.play(command, ["-n", "5", *(["--no-render"] if command == "enjoy" else [])], defaults)
    args.write_text(given[0])
    config.write_text("normalize: \"__import__('os').mkdir('made')\"\n")
    with pytest.raises(UsageError, match="normalize must be a value"):
        play.play(command, ["-n", "5", *(["--no-render"] if command == "enjoy" else [])], defaults)
    assert not Path("made").exists()
    config.write_text("a: [")
    with pytest.raises(UsageError, match=rf"^{command} ends: "):
        play.play(command, ["-n", "5", *(["--no-render"] if command == "enjoy" else [])], defaults)


def test_enjoy_with_normalisation_as_text(defaults: cli.ZooDefaults, capsys: pytest.CaptureFixture[str]) -> None:
    """Normalisation that a config gives as text is read when playing, with and without --allow-code."""
    train(defaults, "-n", "60", "-params", "normalize:{'norm_obs':True,'norm_reward':False}")
    for extra in ([], ["--allow-code"]):
        play.play("enjoy", ["--no-render", "-n", "20", *extra], defaults)
        assert "Mean reward" in capsys.readouterr().out
    assert not hasattr(play.utils, "eval")


def test_playing_opens_pickles_only_if_they_are_trusted(
    defaults: cli.ZooDefaults, capsys: pytest.CaptureFixture[str]
) -> None:
    """A described model plays without its pickled statistics; one of SB3's own is refused, and plays with --trust."""
    folder = train(defaults, "-n", "60", "-params", "normalize:{'norm_obs':True,'norm_reward':False}")
    statistics, playing = folder / "Doors-v0" / "vecnormalize.pkl", ["--no-render", "-n", "20"]
    pickled = statistics.read_bytes()
    play.play("enjoy", [*playing, "--trust"], defaults)
    trusted = capsys.readouterr().out.splitlines()[-4:]
    statistics.write_bytes(b"no pickle")
    play.play("enjoy", playing, defaults)
    assert capsys.readouterr().out.splitlines()[-4:] == trusted
    statistics.write_bytes(pickled)
    model = folder / "Doors-v0.zip"
    MaskableDQN.load(model).save(model)
    with pytest.raises(UsageError, match="holds pickled objects"):
        play.play("enjoy", playing, defaults)
    play.play("enjoy", [*playing, "--trust"], defaults)
    assert capsys.readouterr().out.splitlines()[-4:] == trusted


def test_code_needs_permission(defaults: cli.ZooDefaults) -> None:
    """A text of a config that is no value is refused, and evaluated with --allow-code."""
    text = "policy_kwargs:dict(net_arch=[len('four')])"
    with pytest.raises(UsageError, match="policy_kwargs must be a value"):
        train(defaults, "-n", "60", "-params", text)
    assert list(Path.cwd().iterdir()) == []
    model = load_agent("maskable_dqn", train(defaults, "-n", "60", "-params", text, "--allow-code"))
    assert model.policy_kwargs == {"net_arch": [4]}


def test_playing_what_is_not_there(defaults: cli.ZooDefaults) -> None:
    """Playing a model that does not exist raises one sentence."""
    with pytest.raises(UsageError, match="folder was not found"):
        play.play("enjoy", [], defaults)
    with pytest.raises(UsageError, match="Unknown environment 'Door-v0'"):
        play.play("enjoy", ["--env", "Door-v0"], defaults)
    with pytest.raises(UsageError, match="Unknown algorithm 'maskable'"):
        play.play("record_video", ["--algo", "maskable"], defaults)


def test_masks_are_required(defaults: cli.ZooDefaults) -> None:
    """A maskable algorithm on an environment without masks raises one sentence and leaves no folder."""
    (defaults.config_folder / "maskable_ppo.yml").write_text("CartPole-v1: {n_timesteps: 100, policy: MlpPolicy}\n")
    with pytest.raises(UsageError, match=r"needs an environment with a method action_masks\(\)"):
        train(defaults, "--algo", "maskable_ppo", "--env", "CartPole-v1")
    assert list(Path.cwd().iterdir()) == []
