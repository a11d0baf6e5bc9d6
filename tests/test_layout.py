"""Who may import whom."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def imported(path: Path) -> set[str]:
    """Modules that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [
        ("echo_env", {"torch", "stable_baselines3", "sb3_contrib", "rl_zoo3", "sb3_ext"}),
        ("sb3_ext", {"echo_env"}),
    ],
)
def test_import_rules(package: str, forbidden: set[str]) -> None:
    """The hospital would need torch, or the learning would know of hospitals."""
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    for path in files:
        roots = {name.split(".")[0] for name in imported(path)}
        assert not roots & forbidden, path


def test_lab_and_pathways_do_not_import_each_other() -> None:
    """One problem could not be changed, or taken away, without the other."""
    for package, other in (("lab", "echo_env.pathways"), ("pathways", "echo_env.lab")):
        for path in (ROOT / "echo_env" / package).rglob("*.py"):
            assert not [name for name in imported(path) if f"{name}.".startswith(f"{other}.")], path


def test_numpys_global_generator_is_used_nowhere() -> None:
    """A result would depend on what ran before."""
    for path in [*(ROOT / "echo_env").rglob("*.py"), *(ROOT / "sb3_ext").rglob("*.py")]:
        text = path.read_text(encoding="utf8")
        assert not [name for name in ("np.random.seed", "np.random.rand", "np.random.choice") if name + "(" in text]
        assert "random" not in imported(path)
