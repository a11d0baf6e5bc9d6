"""foreign_suites.py: that our classes stand in for theirs, that only what concerns them counts, and how tests end."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from benchmarks import foreign_suites
from benchmarks.foreign_suites import Excuse, Suite, judge, lay, read_suites, run, run_suite, table, write_rows

FOREIGN = """
import pytest
from stable_baselines3 import A2C, DQN

from sb3_ext import MaskableDQN


@pytest.mark.parametrize("model_class", [A2C, DQN])
def test_learn(model_class):
    model = model_class("MlpPolicy", "CartPole-v1")
    assert isinstance(model, MaskableDQN) and type(model).__name__ == "DQN"
    assert model.learn(20).num_timesteps == 20


def make():
    return DQN("MlpPolicy", "CartPole-v1")


def test_excused():
    raise ValueError(f"{make().num_timesteps} donkeys")


def test_failing():
    raise ValueError(f"{make().num_timesteps} mules")


def test_only_mentioned():
    assert DQN is None


def test_of_another_class():
    A2C("MlpPolicy", make().env)
    raise ValueError("not to be run")


def test_of_others():
    raise ValueError("not to be run")
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with one file of tests, as another project would have it."""
    folder = tmp_path / "checkout"
    (folder / "tests").mkdir(parents=True)
    (folder / "tests" / "test_tiny.py").write_text(FOREIGN)
    (folder / "PKG-INFO").write_text("Name: tiny\nVersion: 1.2.3\n")
    return folder


def test_classes_stand_in_and_every_end_is_told(checkout: Path) -> None:
    """What makes an instance of ours counts, by its outcome; other tests do not, and the text stays as it is."""
    excuse = Excuse("tests/test_tiny.py::test_*", "donkeys", "we keep no donkeys")
    swap = {"stable_baselines3.DQN": "sb3_ext.MaskableDQN"}
    suite = Suite("tiny", "sb3", ["tests/test_tiny.py"], swap, unmasked=True, not_applicable=[excuse])
    rows = run_suite(suite, checkout, [])
    ends = {row["test"]: (row["outcome"], row["why"]) for row in rows}
    assert ends == {
        "test_learn[DQN]": ("passed", ""),
        "test_excused": ("not applicable", "we keep no donkeys"),
        "test_failing": ("failed", "ValueError: 0 mules"),
    }
    assert {(row["file"], row["version"]) for row in rows} == {("tests/test_tiny.py", "1.2.3")}
    assert table(rows).splitlines()[-1] == "| tiny | 1.2.3 | 1 | 1 | 1 | we keep no donkeys (1) |"
    assert (checkout / "tests" / "test_tiny.py").read_text() == FOREIGN


def test_pytest_that_cannot_begin_is_a_failure(checkout: Path) -> None:
    """A suite without its file, or with a class of ours that is no more, does not count as passed."""
    for suite in (
        Suite("tiny", "sb3", ["tests/test_none.py"]),
        Suite("tiny", "sb3", ["tests/test_tiny.py"], {"stable_baselines3.DQN": "sb3_ext.NoMore"}),
    ):
        folder = checkout.parent / f"run{len(suite.swap)}"
        lay(suite, checkout, folder)
        results = run(suite, folder)
        assert [result.outcome for result in results] == ["failed"], results


def test_only_whole_words_are_exchanged(checkout: Path, tmp_path: Path) -> None:
    """Ids and names of algorithms are exchanged where they stand alone; commands are ours."""
    text = "cmd = 'train.py --algo ppo --env X-v1 policy:m.ppo.MlpPolicy'; other = 'ppo_lstm', 'X-v10', 'ppo-X-v1'"
    (checkout / "tests" / "test_tiny.py").write_text(text)
    suite = Suite("tiny", "rl_zoo", [], rename={"ppo": "maskable_ppo", "X-v1": "Y-v0"}, commands=True)
    lay(suite, checkout, tmp_path / "laid")
    expected = text.replace("--algo ppo", "--algo maskable_ppo").replace("--env X-v1", "--env Y-v0")
    assert (tmp_path / "laid" / "tests" / "test_tiny.py").read_text() == expected
    assert f'{str(foreign_suites.ROOT)!r} + "/train.py"' in (tmp_path / "laid" / "enjoy.py").read_text()


def test_excuses_hold_for_their_words_only() -> None:
    """A failure in other words than the excuse's is a failure."""
    result = foreign_suites.Result("tests/test_a.py", "test_x[DQN-1]", "failed", "said", "a ValueError: said")
    assert judge(result, [Excuse("tests/test_a.py::test_x[[]DQN-*]", "ValueError", "why")])[0] == "not applicable"
    assert judge(result, [Excuse("tests/test_a.py::test_x*", "TypeError", "why")]) == ("failed", "said")
    assert judge(result, [Excuse("tests/test_b.py::*", "ValueError", "why")]) == ("failed", "said")


def test_rows_of_a_suite_are_replaced(tmp_path: Path) -> None:
    """A suite that is run again has its new rows only, and others keep theirs."""
    path = tmp_path / "table.csv"
    blank = dict.fromkeys(foreign_suites.COLUMNS, "")
    write_rows([{**blank, "suite": "a", "test": "old"}, {**blank, "suite": "b", "test": "kept"}], path)
    write_rows([{**blank, "suite": "a", "test": "new"}], path)
    with path.open(newline="") as file:
        assert [(row["suite"], row["test"]) for row in csv.DictReader(file)] == [("b", "kept"), ("a", "new")]


def test_suites_of_the_table_name_what_exists() -> None:
    """Every suite is of a known project, excuses are regular expressions, and each environment has a suite."""
    suites = read_suites()
    assert {suite.option for suite in suites} == set(foreign_suites.OPTIONS)
    assert len({suite.name for suite in suites}) == len(suites)
    assert {"Gymnasium: EchoLab-v0", "Gymnasium: PatientPathways-v0"} <= {suite.name for suite in suites}
    for suite in suites:
        for excuse in suite.not_applicable:
            assert re.compile(excuse.said)
            assert any(excuse.test.split("::")[0] in (file, "*") for file in suite.files), excuse
