"""What users import: names, version, env ids in any order of imports, and how little it loads."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version

import pytest

import echo_env
import echo_env.lab

HEAVY = {
    "gymnasium",
    "joblib",
    "matplotlib",
    "numba",
    "pandas",
    "rich",
    "scipy.optimize",
    "scipy.sparse",
    "scipy.special",
    "scipy.stats",
    "torch",
}
"""Modules that are loaded only by what uses them."""


def run_python(code: str) -> str:
    """What a fresh interpreter prints."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_importing_the_lab_loads_nothing_heavy() -> None:
    """``import echo_env.lab`` loads no plotting, tables, optimiser, compiler or learning library."""
    loaded = json.loads(run_python("import json, sys, echo_env.lab; print(json.dumps(list(sys.modules)))"))
    assert "echo_env.lab.simulation.simulator" in loaded
    assert not HEAVY & set(loaded)


@pytest.mark.parametrize(
    "imports",
    [
        "import echo_env; import gymnasium as gym",
        "import gymnasium as gym; import echo_env",
        "import echo_env.lab; from gymnasium.envs import registration; import gymnasium as gym",
    ],
)
def test_env_ids_are_registered_whichever_is_imported_first(imports: str) -> None:
    """After both imports, in either order, every id makes its env."""
    code = f"{imports}\nprint(*(gym.make(name).spec.id for name in (*echo_env.ENV_IDS, echo_env.PATHWAYS_ID)))"
    assert run_python(code).split() == [*echo_env.ENV_IDS, echo_env.PATHWAYS_ID]


def test_the_lab_exports_what_its_users_need() -> None:
    """Every exported name can be imported, and those a policy is written with are among them."""
    assert all(hasattr(echo_env.lab, name) for name in echo_env.lab.__all__)
    names = {"Start", "LabView", "PatientClass", "assign", "METRICS", "EchoLabEnv", "Days"}
    assert names <= set(echo_env.lab.__all__)
    assert echo_env.lab.EchoLabEnv.__name__ == "EchoLabEnv"
    with pytest.raises(AttributeError, match="has no attribute 'EchoLabEnvy'"):
        getattr(echo_env.lab, "EchoLabEnvy")  # noqa: B009


def test_the_version_is_that_of_the_package() -> None:
    """``__version__`` is the installed version."""
    assert echo_env.__version__ == version("echo-lab-rl")
