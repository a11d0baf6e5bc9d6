"""Whether workers elsewhere run the same code: what differs is named before it can make numbers differ."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("numpy", "scipy", "numba", "simpy", "pydantic", "joblib", "cloudpickle")
_CODE = "the code of echo_env"


def description() -> dict[str, str]:
    """What this process runs: name -> version."""
    return {
        "Python": ".".join(platform.python_version_tuple()[:2]),
        **{name: _version(name) for name in _PACKAGES},
        _CODE: _code(),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


@cache
def _code() -> str:
    """A digest of the package's own files: a version number says nothing about a clone."""
    root = Path(__file__).parents[2]
    content = sha256()
    for path in sorted(root.rglob("*.py"), key=lambda path: path.relative_to(root).as_posix()):
        content.update(path.relative_to(root).as_posix().encode() + b"\n" + path.read_bytes())
    return content.hexdigest()[:12]


def check_same(found: Mapping[str, object]) -> None:
    """Refuse workers that differ from this process.

    :param found: worker -> its :func:`description`, or what went wrong in asking for it
    :raises ValueError: names the first worker that differs, and in what
    """
    here = description()
    for worker, there in found.items():
        if not isinstance(there, Mapping):
            raise ValueError(f"worker {worker} cannot run echo_env: install echo-lab-rl there ({there})")
        for name, own in here.items():
            other = there.get(name, "not installed")
            if other != own:
                raise ValueError(
                    f"worker {worker} has {name} {other}, but here it is {own}: install the same on both, so that "
                    "numbers do not depend on where they are computed"
                )
