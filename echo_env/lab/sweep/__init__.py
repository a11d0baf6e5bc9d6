"""What-if analysis: variants of a lab (rooms, staff, appointments, distributions) on common random numbers.

>>> from echo_env.lab import LabConfig, make_policy
>>> from echo_env.lab.sweep import Player, make_sweep, play_sweep, tasks_of
>>> sweep = make_sweep(LabConfig.load("scarce"), ["sonographers.fetal=2:3"])
>>> tasks = tasks_of(sweep, lambda config: [make_policy("policy_2", config)], days=20, seed=7)
>>> results = play_sweep(sweep, tasks, Player(days=20, seed=7, folder=None), seed=7)
>>> results.minus_base(sweep.cells[1], "policy_2", "penalty").mean < 0
True
"""

from echo_env.common.sweeps.values import MODES
from echo_env.lab.sweep.axes import Axis
from echo_env.lab.sweep.fields import DERIVED
from echo_env.lab.sweep.grid import Cell, Sweep, make_sweep
from echo_env.lab.sweep.play import Player, play_sweep, tasks_of
from echo_env.lab.sweep.results import Effect, Elasticity, SweepResults

__all__ = [
    "DERIVED",
    "MODES",
    "Axis",
    "Cell",
    "Effect",
    "Elasticity",
    "Player",
    "Sweep",
    "SweepResults",
    "make_sweep",
    "play_sweep",
    "tasks_of",
]
