"""Patient pathways: patients with uncertain health need several resources in order, allocated by auction.

>>> from echo_env.pathways import PathwaysConfig, make_policy, sample_draw, simulate, trial_luck
>>> config = PathwaysConfig.load("baseline")
>>> instance = sample_draw(config, seed=7, draw=0)
>>> trace = simulate(instance, trial_luck(instance, 0), make_policy("auction", config))
>>> round(trace.utility, 3)  # doctest: +SKIP
"""

from echo_env.pathways.config import ConfigError, PathwaysConfig
from echo_env.pathways.config.condition import Change, Condition
from echo_env.pathways.instance.instance import Instance, Luck, sample_draw, sample_instance, sample_luck, trial_luck
from echo_env.pathways.policies import Policy, make_policy, policy_names, register_policy
from echo_env.pathways.simulation.simulator import Simulator, simulate
from echo_env.pathways.simulation.trace import Trace
from echo_env.pathways.simulation.view import View

__all__ = [
    "Change",
    "Condition",
    "ConfigError",
    "Instance",
    "Luck",
    "PathwaysConfig",
    "Policy",
    "Simulator",
    "Trace",
    "View",
    "make_policy",
    "policy_names",
    "register_policy",
    "sample_draw",
    "sample_instance",
    "sample_luck",
    "simulate",
    "trial_luck",
]
