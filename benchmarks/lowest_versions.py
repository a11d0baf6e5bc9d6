"""Install the lowest versions that pyproject.toml allows into a fresh environment, and run tests with them.

python benchmarks/lowest_versions.py --python python3.11 --pin torch==2.13.0
python benchmarks/lowest_versions.py --venv /tmp/lowest --tests tests/commands tests/lab/config

Direct dependencies get the version of their floor; those of dependencies are up to pip. --pin overrides a floor, for
instance torch's by a version of which a CPU build is at hand.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = ("rl", "plots", "report", "calibrate", "fast", "test")
"""Extras whose floors are installed; video brings a whole ffmpeg, dev is for linters."""
TESTS = ("-m", "not slow")


def floors(requirements: Iterable[str]) -> list[str]:
    """``["numpy>=2.0,<3"]`` -> ``["numpy==2.0"]``.

    :raises ValueError: a requirement without a floor
    """
    found = []
    for requirement in requirements:
        match = re.match(r"([\w.-]+)>=([\w.]+)", requirement)
        if match is None:
            raise ValueError(f"{requirement} has no floor, but must be NAME>=VERSION")
        found.append(f"{match[1]}=={match[2]}")
    return found


def lowest(pins: Sequence[str]) -> list[str]:
    """The floors of all direct dependencies of the core and of :data:`EXTRAS`.

    :param pins: ``name==version`` in place of the floor of that name
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf8"))["project"]
    extras = [requirement for extra in EXTRAS for requirement in project["optional-dependencies"][extra]]
    by_name = {pin.partition("==")[0]: pin for pin in floors([*project["dependencies"], *extras])}
    return [*{**by_name, **{pin.partition("==")[0]: pin for pin in pins}}.values()]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command: the exit status of pip, if that fails, else of the tests."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="interpreter of the environment: %(default)s")
    parser.add_argument("--venv", type=Path, help="folder of the environment, kept: by default one that is removed")
    parser.add_argument("--pin", nargs="+", default=[], metavar="NAME==VERSION", help="in place of a floor")
    parser.add_argument("--tests", nargs="+", default=[], help="what pytest runs: all fast tests")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as temporary:
        venv = arguments.venv or Path(temporary) / "venv"
        subprocess.run([arguments.python, "-m", "venv", str(venv)], check=True)
        python = str(venv / "bin" / "python")
        pins = lowest(arguments.pin)
        print("\n".join(pins), flush=True)
        installed = subprocess.run([python, "-m", "pip", "install", "--disable-pip-version-check", *pins], cwd=ROOT)
        if installed.returncode:
            return installed.returncode
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", "-e", "."], cwd=ROOT, check=True)
        return subprocess.run([python, "-m", "pytest", "-q", *TESTS, *arguments.tests], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
