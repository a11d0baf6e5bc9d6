"""The hospital: environments for Gymnasium. Importing this registers their ids; it needs no torch."""

import gymnasium

__all__ = ["ENV_IDS", "PATHWAYS_ID"]

ENV_IDS = {
    "EchoLab-v0": "baseline",
    "EchoLabScarce-v0": "scarce",
    "EchoLabAbundant-v0": "abundant",
}
"""Env id -> the preset it stands for."""

PATHWAYS_ID = "PatientPathways-v0"
"""Patient pathways allocated by auction: :mod:`echo_env.pathways`."""

for _id, _preset in ENV_IDS.items():
    if _id not in gymnasium.registry:
        gymnasium.register(
            _id,
            entry_point="echo_env.lab.envs.env:EchoLabEnv",
            vector_entry_point="echo_env.lab.envs.vector_env:EchoLabVectorEnv",
            kwargs={"config": _preset},
        )

if PATHWAYS_ID not in gymnasium.registry:
    gymnasium.register(
        PATHWAYS_ID,
        entry_point="echo_env.pathways.envs.env:PatientPathwaysEnv",
        vector_entry_point="echo_env.pathways.envs.vector_env:PatientPathwaysVectorEnv",
        kwargs={"config": "baseline"},
    )
