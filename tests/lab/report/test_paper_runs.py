"""What is read from the folder of a training by the paper's protocol."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from echo_env.lab.report.paper.runs import check_labs, latest_runs, read_run

CONFIG = """!!python/object/apply:collections.OrderedDict
- - - callback
    - - sb3_ext.callbacks.AbsenceRateCurriculum:
          anneal: 4
          end: 0.1
          hold: 2
          start: 0.9
      - sb3_ext.callbacks.EpsilonReset:
          episode: 6
      - sb3_ext.callbacks.LearningRateOnPlateau
  - - env_kwargs
    - reward: {reward}
"""


def make_run(
    folder: Path, env_id: str = "EchoLabScarce-v0", reward: str = "penalty", model: str = "EchoLabScarce-v0.zip"
) -> Path:
    """A run of eight days, in two monitor files whose days ended in turn."""
    (folder / env_id).mkdir(parents=True)
    (folder / env_id / "config.yml").write_text(CONFIG.format(reward=reward))
    (folder / model).write_bytes(b"")
    for place in range(2):
        rows = "".join(f"{-10.0 * day},660,{day}\n" for day in range(1 + place, 9, 2))
        (folder / f"{place}.monitor.csv").write_text(f'#{{"t_start": 1.0}}\nr,l,t\n{rows}')
    return folder


def test_penalty_and_absence_rate_of_each_day(tmp_path: Path) -> None:
    """Days are in the order in which they ended, with the penalty, the curriculum's rate, and the day of the reset."""
    run = read_run(make_run(tmp_path / "EchoLabScarce-v0_1"))
    assert run.penalty.tolist() == [10.0 * day for day in range(1, 9)]
    np.testing.assert_allclose(run.absence_rate, [0.9, 0.9, 0.9, 0.7, 0.5, 0.3, 0.1, 0.1])
    assert (run.env_id, run.ended, run.hold, run.settled, run.restarts) == ("EchoLabScarce-v0", True, 2, 6, (6,))


def test_a_run_that_has_not_ended_gives_its_latest_checkpoint(tmp_path: Path) -> None:
    """Without a final model the checkpoint of most steps is taken."""
    folder = make_run(tmp_path / "EchoLabScarce-v0_1", model="rl_model_900_steps.zip")
    (folder / "rl_model_1000_steps.zip").write_bytes(b"")
    run = read_run(folder)
    assert (run.model.name, run.ended) == ("rl_model_1000_steps.zip", False)


def test_days_of_a_resumed_training_stay_in_their_order(tmp_path: Path) -> None:
    """Seconds that begin anew do not put later days before earlier ones."""
    folder = make_run(tmp_path / "EchoLabScarce-v0_1")
    (folder / "1.monitor.csv").unlink()
    rows = [(1, 5.0), (2, 9.0), (3, 0.5), (4, 8.0), (5, 0.1)]
    text = "".join(f"{-float(day)},660,{seconds}\n" for day, seconds in rows)
    (folder / "0.monitor.csv").write_text(f"#\nr,l,t\n{text}")
    assert read_run(folder).penalty.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_without_a_curriculum_the_rate_is_the_labs(tmp_path: Path) -> None:
    """A run without a curriculum has the lab's own rate on every day."""
    folder = make_run(tmp_path / "EchoLabScarce-v0_1")
    (folder / "EchoLabScarce-v0" / "config.yml").write_text("env_kwargs: {}\n")
    run = read_run(folder)
    assert set(run.absence_rate.tolist()) == {0.1}
    assert (run.hold, run.settled, run.restarts) == (0, 0, ())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda run: run.rename(run.with_name("gone")), "there is no run folder"),
        (lambda run: (run / "EchoLabScarce-v0").rename(run / "Other-v0"), "is no run in one of the paper's labs"),
        (lambda run: (run / "EchoLabScarce-v0" / "config.yml").unlink(), "config.yml, which says how"),
        (lambda run: (run / "EchoLabScarce-v0" / "config.yml").write_text("a: [\n"), "config.yml cannot be read"),
        (lambda run: (run / "EchoLabScarce-v0" / "config.yml").write_text("- 1\n"), "must have the settings by name"),
        (lambda run: [file.unlink() for file in run.glob("*.csv")], "holds no monitor.csv"),
        (lambda run: [file.write_text("#\nr,l,t\n") for file in run.glob("*.csv")], "has no day of training"),
        (lambda run: (run / "0.monitor.csv").write_text("#\nr,l,t\n1.0,660,x\n"), "entry 1 has no return and time"),
        (lambda run: (run / "EchoLabScarce-v0.zip").unlink(), "holds neither EchoLabScarce-v0.zip nor a checkpoint"),
    ],
)  # fmt: skip
def test_what_is_missing_is_said(change, words: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Each thing that a folder may lack or have damaged is named in one sentence."""
    folder = make_run(tmp_path / "EchoLabScarce-v0_1")
    change(folder)
    with pytest.raises(ValueError, match=words):
        read_run(folder)


def test_other_rewards_are_refused(tmp_path: Path) -> None:
    """A learning curve of paired rewards is not that of penalties."""
    with pytest.raises(ValueError, match="was trained on the reward paired"):
        read_run(make_run(tmp_path / "EchoLabScarce-v0_1", reward="paired"))


def test_nothing_in_the_settings_is_run(tmp_path: Path) -> None:
    """Settings with other Python objects are refused, and not made."""
    folder = make_run(tmp_path / "EchoLabScarce-v0_1")
    code = f"!!python/object/apply:pathlib.Path.touch [{tmp_path / 'made'}]\n"
    (folder / "EchoLabScarce-v0" / "config.yml").write_text(code)
    with pytest.raises(ValueError, match="cannot be read"):
        read_run(folder)
    assert not (tmp_path / "made").exists()


def test_the_latest_run_of_each_lab_is_found(tmp_path: Path) -> None:
    """Of each lab the run of the highest number that has a curriculum is taken."""
    for number in (2, 10):
        make_run(tmp_path / f"EchoLabScarce-v0_{number}")
    make_run(tmp_path / "EchoLab-v0_1", "EchoLab-v0")
    other = make_run(tmp_path / "EchoLab-v0_2", "EchoLab-v0")
    (other / "EchoLab-v0" / "config.yml").write_text("gamma: 0.99\n")
    assert [path.name for path in latest_runs(tmp_path)] == ["EchoLab-v0_1", "EchoLabScarce-v0_10"]
    with pytest.raises(ValueError, match="holds no run of train --paper-protocol"):
        latest_runs(tmp_path / "nothing")


def test_two_runs_of_a_lab_are_refused(tmp_path: Path) -> None:
    """Figures are of one agent in each lab."""
    runs = [read_run(make_run(tmp_path / f"EchoLabScarce-v0_{number}")) for number in (1, 2)]
    check_labs(runs[:1])
    with pytest.raises(ValueError, match="are both of EchoLabScarce-v0: give one of them"):
        check_labs(runs)
