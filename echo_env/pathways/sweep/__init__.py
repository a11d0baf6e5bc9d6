"""What-if analysis: variants of a hospital (resources, arrivals, effectiveness of treatment) under the same policies.

>>> from echo_env.pathways.config import PathwaysConfig
>>> from echo_env.pathways.sweep import make_sweep, play_sweep
>>> sweep = make_sweep(PathwaysConfig.load("baseline").replace(patients=6), ["treatment_effectiveness=0.5,1"])
>>> results = play_sweep(sweep, lambda config: ["auction", "sickest_now"], draws=4, trials=2, seed=7)
>>> [sweep.name(cell) for cell in sweep.cells]
['base', 'treatment_effectiveness=0.5']
>>> results.mean(sweep.cells[1], "auction", "utility").mean < results.mean(sweep.cells[0], "auction", "utility").mean
True
"""

from echo_env.pathways.sweep.cells import Axis, Cell, Sweep, make_sweep
from echo_env.pathways.sweep.results import SweepResults, play_sweep

__all__ = ["Axis", "Cell", "Sweep", "SweepResults", "make_sweep", "play_sweep"]
