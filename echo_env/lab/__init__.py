"""One day of an echocardiography lab: simulate it, decide in it, compare who decides best.

>>> from echo_env.lab import LabConfig, make_policy, sample_days, simulate
>>> config = LabConfig.load("scarce")
>>> day = sample_days(config, count=1, seed=7)[0]
>>> trace = simulate(config, day, make_policy("policy_2", config))
"""

from echo_env.lab.config import ConfigError, LabConfig
from echo_env.lab.day import Day, day_rng, sample_day, sample_days
from echo_env.lab.evaluation.comparison import Comparison, evaluate
from echo_env.lab.policies import Policy, make_policy, policy_names, register_policy
from echo_env.lab.simulation.simulator import Simulator, simulate
from echo_env.lab.simulation.trace import Trace

__all__ = [
    "Comparison",
    "ConfigError",
    "Day",
    "LabConfig",
    "Policy",
    "Simulator",
    "Trace",
    "day_rng",
    "evaluate",
    "make_policy",
    "policy_names",
    "register_policy",
    "sample_day",
    "sample_days",
    "simulate",
]
