"""What the package exports, and what its text is about."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import sb3_ext
from sb3_ext.maskable_dqn import row_policy as dqn_rows
from sb3_ext.maskable_ppo import row_policy as ppo_rows

PACKAGE = Path(sb3_ext.__file__).parent
WORDS = re.compile(
    r"(?<![a-z])(lab|labs|patients?|hospitals?|fetal|days?|absences?|sonographers?|exams?|echo|clinics?|staff|nurses?)"
    r"(?![a-z])",
    re.IGNORECASE,
)


def test_package_knows_no_application() -> None:
    """No line names what the environments of this project are about, except for one old name of a callback."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        # The distribution's own name, and the alias at the end of its file.
        text = path.read_text(encoding="utf-8").replace("echo-lab-rl", "").split("class AbsenceRateCurriculum(")[0]
        lines = [line for line in text.splitlines() if "AbsenceRateCurriculum" not in line]
        found += [f"{path.relative_to(PACKAGE)}: {line.strip()}" for line in lines if WORDS.search(line)]
    assert not found


def test_row_policies_of_both_algorithms_are_exported() -> None:
    """Each algorithm's RowPolicy has a name of its own, and is what the algorithm means by "RowPolicy"."""
    assert sb3_ext.MaskableDQNRowPolicy is dqn_rows.RowPolicy
    assert sb3_ext.MaskablePPORowPolicy is ppo_rows.RowPolicy
    assert sb3_ext.MaskableDQN.policy_aliases["RowPolicy"] is sb3_ext.MaskableDQNRowPolicy
    assert sb3_ext.MaskablePPO.policy_aliases["RowPolicy"] is sb3_ext.MaskablePPORowPolicy


@pytest.mark.parametrize("name", sb3_ext.__all__)
def test_exports_exist(name: str) -> None:
    """Every exported name can be imported."""
    assert hasattr(sb3_ext, name)


def test_version_is_that_of_the_distribution() -> None:
    """The version begins with a number, installed or not."""
    assert re.match(r"\d", sb3_ext.__version__)


@pytest.mark.parametrize("missing", ["rl_zoo3", "numba"])
def test_agents_load_without_optional_packages(missing: str) -> None:
    """Agents can be listed, loaded and trained where an optional package is not installed."""
    program = (
        f"import sys; sys.modules.update({{{missing!r}: None, 'optuna': None}})\n"
        f"sys.path.insert(0, {str(PACKAGE.parent)!r})\n"
        "import sb3_ext.zoo, numpy as np\n"
        "from sb3_ext.replay import SumTree\n"
        "tree = SumTree(4); tree.update(np.arange(4), np.ones(4))\n"
        "assert tree.draw(np.array([0.6]))[0].tolist() == [2]\n"
        "assert 'maskable_dqn' in sb3_ext.zoo.ALGORITHMS"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
