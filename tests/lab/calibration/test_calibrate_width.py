"""What echo-lab calibrate prints into a pipe."""

from __future__ import annotations

from pathlib import Path

import pytest

from echo_env.commands.app import main


def test_a_calibration_prints_at_most_100_columns(
    made_up_week: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every line fits."""
    monkeypatch.chdir(tmp_path)
    assert main(["calibrate", str(made_up_week), "--output", "lab.yaml", "--resamples", "20", "--days", "0"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 100
    assert any("no-show rate" in line for line in lines)
    assert "# command: echo-lab calibrate " in Path("lab.yaml").read_text(encoding="utf8")
