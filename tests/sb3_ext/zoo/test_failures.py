"""A training that fails: its one sentence, and the folders that it leaves."""

from pathlib import Path

import pytest

from sb3_ext.zoo import UsageError
from sb3_ext.zoo.failures import NewFolders, as_usage_error
from sb3_ext.zoo.inputs.options import check_device, check_folder


def test_new_folders_are_removed_and_others_stay(tmp_path: Path) -> None:
    """What was made is removed with the empty folders above it; what was there, or has other contents, stays."""
    old = tmp_path / "old"
    old.mkdir()
    new = NewFolders([old, tmp_path / "logs" / "algo" / "run_1"])
    (tmp_path / "logs" / "algo" / "run_1").mkdir(parents=True)
    (tmp_path / "logs" / "algo" / "run_1" / "monitor.csv").write_text("x")
    (tmp_path / "logs" / "run_of_another").mkdir()
    new.remove()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["logs", "old", "run_of_another"]


def test_one_sentence_and_the_traceback_on_demand(capsys: pytest.CaptureFixture[str]) -> None:
    """An error becomes one sentence, with its type where it says little; the traceback is printed on demand."""
    error = as_usage_error(KeyError("rooms"), "dqn cannot be trained", in_full=False)
    assert str(error) == "dqn cannot be trained: KeyError: 'rooms'"
    assert str(as_usage_error(ValueError("first\nsecond"), "It fails", in_full=False)) == "It fails: first"
    assert capsys.readouterr().err == ""
    given = UsageError("wrong")
    assert as_usage_error(given, "It fails", in_full=True) is given
    # A mere refusal has no more to tell.
    assert capsys.readouterr().err == ""
    given.__cause__ = ValueError("deeper")
    assert as_usage_error(given, "It fails", in_full=True) is given
    assert "ValueError: deeper" in capsys.readouterr().err


def test_folders_that_cannot_be_made(tmp_path: Path) -> None:
    """A folder below a file, and an empty path, are refused; one that can be made is not made by the check."""
    (tmp_path / "file").write_text("x")
    for folder in (str(tmp_path / "file"), str(tmp_path / "file" / "logs"), ""):
        with pytest.raises(UsageError, match="--log-folder"):
            check_folder("--log-folder", folder)
    check_folder("--log-folder", str(tmp_path / "new" / "logs"))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("name", ["tpu", "cuda:99", ""])
def test_devices_that_are_not_there(name: str) -> None:
    """A device that PyTorch does not have is refused by name."""
    with pytest.raises(UsageError, match=f"there is no device '{name}' here"):
        check_device(name)
    check_device("cpu")
