"""The search for better values: :mod:`~.objective` what is made smaller, :mod:`~.bench` plays days, :mod:`~.descent`
looks for better values, :mod:`~.kim_nelson` chooses among the finalists."""

from echo_env.lab.optimise.search.bench import Bench, Clock
from echo_env.lab.optimise.search.descent import FEW, MANY, descend, front, starts
from echo_env.lab.optimise.search.kim_nelson import Selection, select
from echo_env.lab.optimise.search.objective import PROTECTED, WAITING, Floats, Objective

__all__ = [
    "FEW",
    "MANY",
    "PROTECTED",
    "WAITING",
    "Bench",
    "Clock",
    "Floats",
    "Objective",
    "Selection",
    "descend",
    "front",
    "select",
    "starts",
]
