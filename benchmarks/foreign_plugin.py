"""The pytest plug-in of ``foreign_suites.py``: our classes in place of theirs, and no test that concerns neither.

What it is to do is JSON in the environment variable ``FOREIGN_SUITE``, see :class:`benchmarks.foreign_suites.Suite`.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import signal
from collections.abc import Iterator
from types import CodeType, FrameType, FunctionType
from typing import Any

import gymnasium
import numpy as np
import pytest

ANY_ACTION = "AnyAction/"
"""What ids of environments begin with that play the first feasible action in place of an infeasible one."""
SETTINGS: dict[str, Any] = json.loads(os.environ["FOREIGN_SUITE"])
ours: set[type[Any]] = set()
"""The classes that stand in for theirs."""
_used: list[str] = []
"""Names of the classes of ours that the test now running made an instance of."""


def resolve(path: str) -> tuple[Any, str]:
    """Module and attribute of a dotted path."""
    module, _, name = path.rpartition(".")
    return importlib.import_module(module), name


class PlaysAnyAction(gymnasium.ActionWrapper[Any, Any, Any]):
    """Plays the first feasible action in place of an infeasible one, for tests that draw actions without a mask."""

    def action(self, action: Any) -> Any:
        """The action, or the first feasible one."""
        masks = self.get_wrapper_attr("action_masks")()
        return action if masks[action] else np.argmax(masks)


def plays_any_action(env_id: str, **kwargs: Any) -> PlaysAnyAction:
    """An environment of ours that refuses no action."""
    return PlaysAnyAction(gymnasium.make(env_id, disable_env_checker=True, **kwargs))


def stand_in(theirs: str, cls: type[Any], unmasked: bool) -> type[Any]:
    """
    A subclass that only bears another name and notes that it is used.

    :param theirs: the name that it bears
    :param cls: the class of ours
    :param unmasked: it asks for no masks where the environment has none, as the class whose name it bears
    """

    @functools.wraps(cls.__init__)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        _used.append(theirs)
        if SETTINGS["drop"] and kwargs.get("policy_kwargs"):
            given = kwargs["policy_kwargs"].items()
            kwargs["policy_kwargs"] = {name: value for name, value in given if name not in SETTINGS["drop"]}
        cls.__init__(self, *args, **kwargs)

    @functools.wraps(getattr(cls, "learn", init))
    def learn(self: Any, *args: Any, **kwargs: Any) -> Any:
        from sb3_contrib.common.maskable.utils import is_masking_supported

        if not is_masking_supported(self.env):
            kwargs.setdefault("use_masking", False)
        return cls.learn(self, *args, **kwargs)

    own = {"__init__": init, "__module__": __name__}
    # An algorithm learns without masks, a replay buffer stores none.
    own |= {
        name: value for name, value in (("learn", learn), ("use_masking", False)) if unmasked and hasattr(cls, name)
    }
    return type(theirs, (cls,), own)


def pytest_configure(config: pytest.Config) -> None:
    """Exchange the classes and the lists of environments before any test is imported."""
    for package in SETTINGS["packages"]:
        importlib.import_module(package)
    found = {path: getattr(*resolve(path)) for path in SETTINGS["swap"].values()}
    for theirs, path in SETTINGS["swap"].items():
        module, name = resolve(theirs)
        cls = stand_in(name, found[path], SETTINGS["unmasked"])
        ours.add(cls)
        setattr(module, name, cls)
    if SETTINGS["commands"]:
        import rl_zoo3.utils

        # Asks a hub on the net which agents there are.
        rl_zoo3.utils.get_hf_trained_models = dict
    for env_id in SETTINGS["ids"]:
        if env_id.startswith(ANY_ACTION):
            settings = {"env_id": env_id.removeprefix(ANY_ACTION)}
            gymnasium.register(env_id, f"{__name__}:plays_any_action", kwargs=settings)
    specs = [gymnasium.spec(env_id) for env_id in SETTINGS["ids"]]
    for path in SETTINGS["lists"]:
        module, name = resolve(path)
        setattr(module, name, [bare(spec) for spec in specs] if "initialised" in name else specs)


def bare(spec: Any) -> gymnasium.Env[Any, Any]:
    """An environment without the wrappers of ``gymnasium.make``, as theirs are in such a list."""
    env: Any = spec.make(disable_env_checker=True)
    while not isinstance(env, PlaysAnyAction) and env is not env.unwrapped:
        env = env.env
    return env


def words(function: Any, depth: int = 3) -> set[str]:
    """Names and texts that a function mentions, and those of the functions of its module that it calls."""
    function = getattr(function, "__wrapped__", function)
    if not isinstance(function, FunctionType):
        return set()
    found, codes = set(), [function.__code__]
    while codes:
        code = codes.pop()
        found |= {*code.co_names, *(text for text in code.co_consts if isinstance(text, str))}
        codes += [inner for inner in code.co_consts if isinstance(inner, CodeType)]
    if depth:
        for name in list(found):
            found |= words(function.__globals__.get(name), depth - 1)
    return found


def is_about_ours(item: pytest.Function) -> bool:
    """Whether a test concerns a class or an environment of ours; by its parameters, else by what it mentions."""
    from stable_baselines3.common.base_class import BaseAlgorithm
    from stable_baselines3.common.buffers import BaseBuffer

    parameters = list(getattr(getattr(item, "callspec", None), "params", {}).values())
    classes = [
        value for value in parameters if isinstance(value, type) and issubclass(value, BaseAlgorithm | BaseBuffer)
    ]
    if classes and ours:
        return not ours.isdisjoint(classes)
    names, own = {cls.__name__ for cls in ours} | set(SETTINGS["ids"]), words(item.function, depth=0)
    others = [value for name, value in vars(item.module).items() if name in own and isinstance(value, type)]
    if ours and names.isdisjoint(own) and any(issubclass(value, BaseAlgorithm) for value in others):
        return False
    named = {str(getattr(getattr(value, "spec", value), "id", value)) for value in parameters}
    return not names.isdisjoint(words(item.function) | named)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Function]) -> None:
    """Leave out the tests that are not about ours, unless the suite is one of commands, which are ours throughout."""
    if SETTINGS["commands"]:
        return
    kept = [item for item in items if is_about_ours(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def _out_of_time(number: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"the test took more than {SETTINGS['limit_s']} seconds")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Limit the seconds of a test, and note whether it made an instance of a class of ours."""
    _used.clear()
    before = signal.signal(signal.SIGALRM, _out_of_time)
    signal.alarm(SETTINGS["limit_s"])
    try:
        return (yield)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        item.user_properties.append(("ours", bool(_used) or not ours))
