"""The hospital: simulators, policies, and environments for Gymnasium, whose ids this registers; it needs no torch."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ["ANY_ID", "ENV_IDS", "PATHWAYS_ID", "PLAN_ID", "register_envs"]

ENV_IDS = {
    "EchoLab-v0": "baseline",
    "EchoLabScarce-v0": "scarce",
    "EchoLabAbundant-v0": "abundant",
}
"""Env id -> its preset."""

PLAN_ID = "EchoLabPlan-v0"
"""The morning in a lab, before it opens: whom to rebook, whom to call in."""

ANY_ID = "EchoLabAny-v0"
"""Labs of a family one after the other: what one agent for any lab is trained in."""

PATHWAYS_ID = "PatientPathways-v0"
"""Patient pathways allocated by auction: :mod:`echo_env.pathways`."""


def register_envs() -> None:
    """Register the env ids with Gymnasium. Importing the package does this."""
    import gymnasium

    for env_id, preset in ENV_IDS.items():
        if env_id not in gymnasium.registry:
            gymnasium.register(
                env_id,
                entry_point="echo_env.lab.envs.env:EchoLabEnv",
                vector_entry_point="echo_env.lab.envs.vector_env:EchoLabVectorEnv",
                kwargs={"config": preset},
            )
    if PLAN_ID not in gymnasium.registry:
        gymnasium.register(
            PLAN_ID,
            entry_point="echo_env.lab.envs.plan_env:EchoLabPlanEnv",
            vector_entry_point="echo_env.lab.envs.plan_vector_env:EchoLabPlanVectorEnv",
            kwargs={"config": "scarce"},
        )
    if ANY_ID not in gymnasium.registry:
        gymnasium.register(
            ANY_ID,
            entry_point="echo_env.lab.envs.any_lab:EchoLabAnyEnv",
            vector_entry_point="echo_env.lab.envs.any_lab_vector:EchoLabAnyVectorEnv",
        )
    if PATHWAYS_ID not in gymnasium.registry:
        gymnasium.register(
            PATHWAYS_ID,
            entry_point="echo_env.pathways.envs.env:PatientPathwaysEnv",
            vector_entry_point="echo_env.pathways.envs.vector_env:PatientPathwaysVectorEnv",
            kwargs={"config": "baseline"},
        )


class _RegistersOnceGymnasiumIsImported(MetaPathFinder):
    """Registers the ids right after Gymnasium is imported: who never imports it does not wait for it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Gymnasium's own spec, with the registration behind its execution; nothing for any other module."""
        if fullname != "gymnasium":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_register(module: ModuleType) -> None:
                execute(module)
                register_envs()

            spec.loader.exec_module = execute_and_register  # type: ignore[method-assign]
        return spec


def __getattr__(name: str) -> str:
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("echo-lab-rl")
        except PackageNotFoundError:
            # On the path, but not installed.
            return "0+unknown"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if "gymnasium" in sys.modules:
    register_envs()
else:
    sys.meta_path.insert(0, _RegistersOnceGymnasiumIsImported())
