"""What a learning library adds to the commands, found by name: nothing in ``echo_env`` imports one.

A distribution provides modules under the entry-point group ``echo_lab``:

- ``models`` has ``load_predictor(algo, path, trust=...)`` and ``model_files(path)``;
- ``tensorboard`` has ``Run``, ``write_runs(folder, runs, pictures)`` and ``write_levels(folder, levels, end)``;
- ``training`` has what :mod:`echo_env.commands.train` asks of it.

The wheel of this project names ``sb3_ext``'s. ``evaluate.py`` and ``train.py`` name the same by :func:`provide`, so
that they also run in a clone that is not installed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from echo_env.common.parallel import carry_along

GROUP = "echo_lab"

_provided: dict[str, str] = {}


def provide(**modules: str) -> None:
    """Name the modules to use in place of those of entry points.

    :param modules: ``models``, ``tensorboard`` or ``training`` -> name of a module
    """
    _provided.update(modules)


def module_name(what: str) -> str:
    """The module that provides something.

    :param what: ``models``, ``tensorboard`` or ``training``
    :raises ModuleNotFoundError: nothing installed provides it
    """
    if what in _provided:
        return _provided[what]
    found = next(iter(entry_points(group=GROUP, name=what)), None)
    if found is None:
        raise ModuleNotFoundError(f"no {what} are provided by any installed package", name="sb3_ext")
    return found.value


def plugin(what: str) -> Any:
    """Import the module that provides something.

    :param what: ``models``, ``tensorboard`` or ``training``
    :raises ModuleNotFoundError: there is none, or what it needs is not installed
    """
    return import_module(module_name(what))


def _is_installed(module: str, source: str) -> bool:
    """Whether workers have a module themselves: of this project, or of a virtual environment in the folder."""
    return module.partition(".")[0] in ("echo_env", "sb3_ext", "zoo_configs") or "site-packages" in source


def import_own(modules: Iterable[str]) -> None:
    """Import a user's modules, so that their ``@register_policy`` and ``gymnasium.register`` count.

    Worker processes inherit ``sys.path``, and so find the classes of policies sent to them. To clusters goes along what
    lies in the same folder.

    :param modules: names of modules, looked for in the current folder too, or paths of ``.py`` files
    :raises ValueError: there is no such module or file, or importing it fails; says why
    """
    for module in modules:
        if not module:
            raise ValueError("--import is '', but must be a module or a .py file")
        try:
            _import_one(module)
        except Exception as error:  # a user's module can raise anything
            raise ValueError(f"--import {module} failed: {type(error).__name__}: {error}") from error


def _import_one(module: str) -> None:
    file = Path(module).resolve() if module.endswith(".py") else None
    if file is not None and not file.is_file():
        raise FileNotFoundError(f"there is no file {file}")
    folder = str(file.parent if file else Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    name = file.stem if file else module
    before = set(sys.modules)
    found = getattr(import_module(name), "__file__", None)
    if found is None:
        raise ImportError("it is a folder without an __init__.py, so nothing in it would be run")
    if file is not None and Path(found).resolve() != file:
        raise ImportError(f"its name is that of another module, {found}: rename the file")
    for new in {name} | (set(sys.modules) - before):
        source = getattr(sys.modules.get(new), "__file__", None)
        if source and Path(source).resolve().is_relative_to(folder) and not _is_installed(new, source):
            carry_along(new)
