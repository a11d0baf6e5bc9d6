"""Who may import whom, read from the imports of every module, those inside functions included."""

from __future__ import annotations

import ast
import importlib
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parent.parent

ROOMS = {
    "echo_env": ["common", "lab pathways", "commands", "app", "calibrate __main__"],
    "echo_env.commands": [
        "common",
        "players inputs",
        "advise calibrate optimise output pathways schema showing sweep template validate",
        "evaluate",
        "train",
        "app",
    ],
    "echo_env.lab": [
        "config",
        "day",
        "simulation",
        "decisions",
        "compiled",
        "policies",
        "plots family",
        "animation envs evaluation",
        "wrappers departures calibration bounds",
        "advice",
        "sweep",
        "optimise",
        "report",
    ],
    "echo_env.pathways": [
        "config",
        "instance",
        "simulation",
        "decisions",
        "compiled",
        "policies",
        "plots",
        "envs",
        "evaluation",
        "bounds",
        "report",
        "sweep",
    ],
    "sb3_ext": [
        "common",
        "schedules replay",
        "maskable_ppo maskable_dqn",
        "lookahead_dqn maskable_qrdqn",
        "callbacks",
        "zoo",
    ],
}
"""Package -> its floors from the lowest up, and the rooms on each. A room imports from lower floors only."""


def imported(path: Path) -> set[str]:
    """Modules that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """All imports but those for type checkers alone."""
    return grimp.build_graph("echo_env", "sb3_ext", exclude_type_checking_imports=True, cache_dir=None)


def test_there_is_no_circle(graph: grimp.ImportGraph) -> None:
    """No module imports itself through others; packages count as their ``__init__``."""
    sorter = TopologicalSorter({name: graph.find_modules_directly_imported_by(name) for name in graph.modules})
    sorter.prepare()


@pytest.mark.parametrize("package", ROOMS)
def test_arrows_point_to_lower_floors(package: str, graph: grimp.ImportGraph) -> None:
    """A room imports from itself and from lower floors only, and every room has a floor."""
    floor = {room: number for number, rooms in enumerate(ROOMS[package]) for room in rooms.split()}
    inside = f"{package}."

    def room_of(module: str) -> str:
        return module.removeprefix(inside).split(".")[0]

    assert {room_of(child) for child in graph.find_children(package)} <= set(floor)
    upward = [
        f"{module} -> {other}"
        for module in sorted(graph.modules)
        if module.startswith(inside)
        for other in sorted(graph.find_modules_directly_imported_by(module))
        if other.startswith(inside) and room_of(other) != room_of(module)
        if floor[room_of(other)] >= floor[room_of(module)]
    ]
    assert not upward


@pytest.mark.parametrize("package", ["echo_env", "sb3_ext"])
def test_rooms_are_small(package: str, graph: grimp.ImportGraph) -> None:
    """A room holds about a dozen modules at most."""
    folders = {package, *graph.find_descendants(package)}
    modules = {
        name: [child for child in graph.find_children(name) if not graph.find_children(child)] for name in folders
    }
    assert {name: len(found) for name, found in modules.items() if len(found) > 14} == {}


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [
        ("echo_env", {"torch", "stable_baselines3", "sb3_contrib", "rl_zoo3", "sb3_ext"}),
        ("sb3_ext", {"echo_env"}),
    ],
)
def test_import_rules(package: str, forbidden: set[str]) -> None:
    """The hospital needs no torch, and the learning knows no hospital."""
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    for path in files:
        roots = {name.split(".")[0] for name in imported(path)}
        assert not roots & forbidden, path


def test_lab_and_pathways_do_not_import_each_other(graph: grimp.ImportGraph) -> None:
    """Each problem can be changed, or taken away, without the other."""
    for package, other in (("echo_env.lab", "echo_env.pathways"), ("echo_env.pathways", "echo_env.lab")):
        assert not graph.find_shortest_chains(package, other)


def test_no_two_test_files_share_a_name() -> None:
    """pytest imports them by name alone, and of two takes the one, by chance, and refuses the other."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, files in names.items() if files > 1] == []


def test_numpys_global_generator_is_used_nowhere() -> None:
    """No result depends on what ran before."""
    for path in [*(ROOT / "echo_env").rglob("*.py"), *(ROOT / "sb3_ext").rglob("*.py")]:
        text = path.read_text(encoding="utf8")
        assert not [name for name in ("np.random.seed", "np.random.rand", "np.random.choice") if name + "(" in text]
        assert "random" not in imported(path)


@pytest.mark.parametrize(
    ("old", "name", "new"),
    [
        ("echo_env.lab.wrappers", "NearestFeasibleAction", "echo_env.lab.envs.wrappers"),
        ("sb3_ext.schedules", "LinearExploration", "sb3_ext.common.schedules"),
        ("sb3_ext.schedules", "MultiplicativeExploration", "sb3_ext.common.schedules"),
        ("sb3_ext.schedules", "ExplorationClock", "sb3_ext.common.schedules"),
        ("sb3_ext.maskable_dqn.policies", "MaskableDQNPolicy", "sb3_ext.maskable_dqn.policies"),
        ("echo_env.calibrate", "main", "echo_env.calibrate"),
    ],
)
def test_names_that_saved_models_and_configs_hold_keep_working(old: str, name: str, new: str) -> None:
    """Names in pickled models, zoo configs and users' commands lead to what they led to."""
    assert getattr(importlib.import_module(old), name) is getattr(importlib.import_module(new), name)
