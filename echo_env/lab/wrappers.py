"""The old place of :class:`NearestFeasibleAction`, which configs and saved models name."""

from echo_env.lab.envs.wrappers import NearestFeasibleAction

__all__ = ["NearestFeasibleAction"]
