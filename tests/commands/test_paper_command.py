"""``echo-lab paper``: a short training by the paper's protocol, its figures, and what is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("numba")
pytest.importorskip("matplotlib")
pytest.importorskip("rl_zoo3")
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

import train  # noqa: E402
from echo_env.commands.app import main  # noqa: E402
from echo_env.commands.showing import paper  # noqa: E402
from echo_env.lab.report.paper import study  # noqa: E402

ENV_ID = "EchoLabScarce-v0"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training of three days by the paper's protocol."""
    folder = tmp_path_factory.mktemp("training")
    protocol = str(ROOT / "zoo_configs" / "paper_protocol_short.yml")
    settings = ["--verbose", "0", "--num-threads", "1", "--seed", "3", "--eval-freq", "-1", "--log-folder", str(folder)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "orig_argv", ["python3", str(ROOT / "train.py"), "--env", ENV_ID])
        tokens = ["--algo", "maskable_dqn", "--env", ENV_ID, "--conf-file", protocol, "-n", "1980", *settings]
        assert train.main(tokens) == 0
    return folder / "maskable_dqn" / f"{ENV_ID}_1"


@pytest.fixture
def short_year(monkeypatch: pytest.MonkeyPatch) -> None:
    """Years of four days."""
    monkeypatch.setattr(study, "YEAR", 4)


@pytest.mark.usefixtures("short_year")
def test_a_trained_agent_becomes_figures_and_findings(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run's own days are the learning curve, its agent plays the days, and the findings are written and printed."""
    folder = tmp_path / "figures"
    assert main(["paper", "--output", str(folder), "--agents", str(run), "--days", "6", "--seed", "3"]) == 0
    curve = pd.read_csv(folder / "figure_21.csv")
    monitor = pd.read_csv(run / "0.monitor.csv", comment="#")
    assert curve["penalty"].tolist() == (-monitor["r"]).tolist()
    assert curve["absence_rate"].tolist() == [0.8] * 3
    assert len(pd.read_csv(folder / "figure_22.csv")) == 6
    assert list(pd.read_csv(folder / "figure_23.csv")) == ["day", "policy_1", "policy_2", study.AGENT]
    found = pd.read_csv(folder / "findings.csv")
    assert set(found["lab"]) == {"baseline", "scarce"}
    assert "The penalty falls as training progresses." in set(found["paper"])
    assert "echo-lab paper" in (folder / "index.md").read_text()
    assert "The penalty falls" in capsys.readouterr().out


@pytest.mark.usefixtures("short_year")
def test_interrupted_writing_leaves_the_folder_as_it_was(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong while figures are written, nothing of them is left."""
    from echo_env.lab.report.paper import pages

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pages, "write_figure", interrupt)
    assert paper.main(["--output", str(tmp_path / "new"), "--agents", str(run), "--days", "6"]) == 130
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--agents", "nowhere"], "there is no run folder 'nowhere'"),
        (["--agents", "."], "'.' is no run in one of the paper's labs"),
        (["--days", "364"], "--days is 364, but must be at least 365, a year"),
        (["--days", "0"], "days is 0, but must be at least 1"),
        (["--seed", "-1"], "--seed is -1, but must be at least 0"),
        (["--output", ""], "--output is empty, but must be a folder"),
        ([], "logs/maskable_dqn holds no run of train --paper-protocol"),
        (["--day", "400"], "--day"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    options: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refusals have status 2, one sentence, and write nothing."""
    monkeypatch.chdir(tmp_path)
    assert paper.main(["--output", "new", *options]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert len(said.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_an_agent_of_another_lab_is_refused(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model in a folder of another lab is named with what differs."""
    folder = tmp_path / "EchoLab-v0_1"
    (folder / "EchoLab-v0").mkdir(parents=True)
    (folder / "EchoLab-v0" / "config.yml").write_text("gamma: 0.99\n")
    (folder / "EchoLab-v0.zip").write_bytes((run / f"{ENV_ID}.zip").read_bytes())
    (folder / "0.monitor.csv").write_bytes((run / "0.monitor.csv").read_bytes())
    assert paper.main(["--output", str(tmp_path / "new"), "--agents", str(folder)]) == 2
    assert "was trained on another lab, 'scarce'" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
