"""One day of an echocardiography lab: simulate it, decide in it, and compare policies on the same days.

>>> from echo_env.lab import LabConfig, make_policy, sample_days, simulate
>>> config = LabConfig.load("scarce")
>>> day = sample_days(config, count=1, seed=7)[0]
>>> trace = simulate(config, day, make_policy("policy_2", config))
"""

from typing import TYPE_CHECKING, Any

from echo_env.lab.config import ConfigError, GeneralLabConfig, Lab, LabConfig, as_general, load_lab
from echo_env.lab.day import Day, Days, sample_day, sample_days
from echo_env.lab.evaluation.comparison import Comparison, evaluate
from echo_env.lab.policies import Policy, make_policy, policy_names, register_policy
from echo_env.lab.simulation.allocation import assign
from echo_env.lab.simulation.metrics import METRICS, metrics_of
from echo_env.lab.simulation.patient import PatientClass, Start
from echo_env.lab.simulation.simulator import Simulator, simulate
from echo_env.lab.simulation.trace import Trace
from echo_env.lab.simulation.view import LabView

if TYPE_CHECKING:
    from echo_env.lab.envs.env import EchoLabEnv

__all__ = [
    "METRICS",
    "Comparison",
    "ConfigError",
    "Day",
    "Days",
    "EchoLabEnv",
    "GeneralLabConfig",
    "Lab",
    "LabConfig",
    "LabView",
    "PatientClass",
    "Policy",
    "Simulator",
    "Start",
    "Trace",
    "as_general",
    "assign",
    "evaluate",
    "load_lab",
    "make_policy",
    "metrics_of",
    "policy_names",
    "register_policy",
    "sample_day",
    "sample_days",
    "simulate",
]


def __getattr__(name: str) -> Any:
    # The environment is not needed to simulate and compare, and takes a while to import.
    if name == "EchoLabEnv":
        from echo_env.lab.envs.env import EchoLabEnv

        return EchoLabEnv
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
