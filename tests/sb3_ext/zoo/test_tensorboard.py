"""Results for TensorBoard, read back as TensorBoard reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata

from sb3_ext.zoo.tensorboard import Run, write_levels, write_runs


def read(folder: Path) -> EventAccumulator:
    """What TensorBoard finds in a folder."""
    found = EventAccumulator(str(folder), {"scalars": 0, "images": 0})
    found.Reload()
    return found


def test_curves_are_what_was_given(tmp_path: Path) -> None:
    """Curves in TensorBoard hold the values given."""
    curves = {"mean/a": ([1, 5], [0.5, 0.25]), "mean/b": ([1, 5, 9], [1.0, float("nan"), 3.0])}
    write_runs(tmp_path, {"run": Run(curves, {"policy": "x"})})
    found = read(tmp_path / "run")
    assert [(event.step, event.value) for event in found.Scalars("mean/a")] == [(1, 0.5), (5, 0.25)]
    assert [(event.step, event.value) for event in found.Scalars("mean/b")] == [(1, 1.0), (9, 3.0)]
    # The last values are not written again, as of step 0.
    assert sorted(found.Tags()["scalars"]) == ["mean/a", "mean/b"]


def test_settings_stand_beside_what_they_led_to(tmp_path: Path) -> None:
    """Each run holds its own settings for the tab HPARAMS, and no list of columns that would hide those of others."""
    runs = {name: Run({"mean/a": ([1], [0.5])}, {"policy": name, name: 5}) for name in ("x", "y")}
    write_runs(tmp_path, runs)
    for name in runs:
        content = read(tmp_path / name).PluginTagToContent("hparams")
        start = metadata.parse_session_start_info_plugin_data(content["_hparams_/session_start_info"])
        assert start.hparams["policy"].string_value == name
        assert start.hparams[name].number_value == 5
        assert "_hparams_/session_end_info" in content
        assert "_hparams_/experiment" not in content


def test_runs_without_settings_are_no_rows(tmp_path: Path) -> None:
    """Runs without settings are no rows of the tab HPARAMS."""
    write_runs(tmp_path, {"run": Run({"mean/a": ([1], [0.5])}, {})})
    with pytest.raises(KeyError):
        read(tmp_path / "run").PluginTagToContent("hparams")


def test_pictures_are_shown(tmp_path: Path) -> None:
    """Pictures stand in the tab IMAGES."""
    Image.fromarray(np.zeros((4, 6, 4), dtype=np.uint8)).save(tmp_path / "x.png")
    write_runs(tmp_path / "tb", {}, {"figures/x": tmp_path / "x.png"})
    (event,) = read(tmp_path / "tb" / "pictures").Images("figures/x")
    assert (event.width, event.height) == (6, 4)


@pytest.mark.parametrize("name", ["maskable_dqn=logs/a/b.zip", "../../x", "policy_5(alpha=1, beta=0.25)", "a\\b:c"])
def test_runs_stay_in_the_folder_and_apart(tmp_path: Path, name: str) -> None:
    """Runs whose names contain slashes stay in the folder, each in its own."""
    write_runs(tmp_path / "tb", {name: Run({}, {}), name.replace("/", "_"): Run({}, {}), "pictures": Run({}, {})})
    assert [entry.name for entry in tmp_path.iterdir()] == ["tb"]
    folders = list((tmp_path / "tb").iterdir())
    assert len(folders) == len({name, name.replace("/", "_"), "pictures"})
    assert all(len(list(folder.glob("events*"))) == 1 for folder in folders)


def test_level_lines_leave_what_is_there_as_it_is(tmp_path: Path) -> None:
    """Lines are drawn once, made longer where they end too early, and get another name beside anything else."""

    def line(name: str) -> list[tuple[int, float]]:
        return [(event.step, event.value) for event in read(tmp_path / name).Scalars("eval/a")]

    write_levels(tmp_path, {"rule": {"eval/a": 0.1}}, 100)
    first = {path: path.read_bytes() for path in tmp_path.rglob("events*")}
    for end in (100, 50):
        write_levels(tmp_path, {"rule": {"eval/a": 0.1}}, end)
        assert {path: path.read_bytes() for path in tmp_path.rglob("events*")} == first
    write_levels(tmp_path, {"rule": {"eval/a": 0.1}}, 300)
    assert line("rule") == [(step, pytest.approx(0.1)) for step in (0, 100, 300)]
    write_levels(tmp_path, {"rule": {"eval/a": 0.2}}, 100)
    assert line("rule_2") == [(step, pytest.approx(0.2)) for step in (0, 100)]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    write_levels(tmp_path, {"mine": {"eval/a": 0.2}}, 100)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]
    assert line("mine_2") == line("rule_2")
    assert all(path.read_bytes() == content for path, content in first.items())
