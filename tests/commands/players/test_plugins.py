"""Modules found by name: the learning library's, and a user's own by --import."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

import evaluate
from echo_env.commands.players import plugins
from echo_env.lab.policies.base import _REGISTRY

RULE = """
    from echo_env.lab import make_policy, register_policy


    class Mine:
        \"\"\"Decides as policy_2 does.\"\"\"

        def __init__(self, config):
            self.name, self._rule = "NAME", make_policy("policy_2", config)

        def begin_day(self, view, seed):
            self._rule.begin_day(view, seed)

        def decide(self, view):
            return self._rule.decide(view)


    @register_policy("NAME")
    def make(config):
        return Mine(config)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with two modules that register rules; afterwards they are unknown again."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    modules, rules = set(sys.modules), set(_REGISTRY)
    for name in ("mine_a", "mine_b"):
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(RULE).replace("NAME", name))
    yield tmp_path
    for name in set(sys.modules) - modules:
        if name.startswith("mine_"):
            del sys.modules[name]
    for name in set(_REGISTRY) - rules:
        del _REGISTRY[name]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_rule_of_ones_own_is_compared(folder: Path, jobs: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Modules by name and .py files by path register rules, which worker processes play too."""
    own = ["--import", "mine_a", str(folder / "mine_b.py"), "--policies", "policy_2", "mine_a", "mine_b"]
    assert evaluate.main([*own, "--days", "4", "--jobs", jobs]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    first = {row[0]: row[1:4] for row in reversed(rows) if row and row[0] in ("policy_2", "mine_a", "mine_b")}
    assert first["policy_2"] == first["mine_a"] == first["mine_b"]


def test_imports_that_fail_are_one_sentence(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The error names the module and the reason; without --import the rule is unknown."""
    (folder / "mine_c.py").write_text("1 / 0\n")
    (folder / "json.py").write_text("")
    for module, reason in (
        ("mine_none", "No module named 'mine_none'"),
        ("none.py", "there is no file"),
        ("mine_c.py", "ZeroDivisionError: division by zero"),
        ("json.py", "rename the file"),
    ):
        assert evaluate.main(["--import", module, "--days", "2"]) == 2
        error = capsys.readouterr().err
        assert error.startswith(f"error: --import {module} failed: ")
        assert reason in error
        assert len(error.splitlines()) == 1
    assert evaluate.main(["--policies", "mine_a", "--days", "2"]) == 2
    assert "policy 'mine_a' is unknown" in capsys.readouterr().err


def test_train_imports_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """train.py --import runs the module, and passes the other flags on."""
    pytest.importorskip("rl_zoo3")
    import train

    assert train.main(["--import", "mine_a.py", "--env", "EchoLabScarse-v0"]) == 2
    assert "mine_a" in _REGISTRY
    assert "Unknown environment" in capsys.readouterr().err
    assert train.main(["--env", "EchoLab-v0", "--import=none.py"]) == 2
    assert capsys.readouterr().err.startswith("train.py: --import none.py failed: FileNotFoundError")


def test_plugins_are_entry_points_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package provides modules under the group echo_lab; provide() takes precedence."""
    points = EntryPoints([EntryPoint("models", "json", plugins.GROUP)])
    monkeypatch.setattr(plugins, "entry_points", lambda **given: points.select(**given))
    monkeypatch.setattr(plugins, "_provided", {})
    assert plugins.plugin("models").__name__ == "json"
    with pytest.raises(ModuleNotFoundError, match="no training are provided"):
        plugins.plugin("training")
    plugins.provide(models="csv")
    assert plugins.plugin("models").__name__ == "csv"
