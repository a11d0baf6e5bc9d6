"""The search for better values: :mod:`~.objective` what is made smaller, :mod:`~.bench` plays days, :mod:`~.descent`
looks for better values, :mod:`~.searcher` does so in parts, which :mod:`~.journal` keeps and :mod:`~.interrupts` may
end, :mod:`~.kim_nelson` chooses among the finalists."""

from echo_env.lab.optimise.search.bench import Bench, Clock
from echo_env.lab.optimise.search.descent import FEW, MANY, descend, front, starts
from echo_env.lab.optimise.search.journal import Journal, fingerprint
from echo_env.lab.optimise.search.kim_nelson import Selection, select
from echo_env.lab.optimise.search.objective import PROTECTED, WAITING, Floats, Objective, check_rule
from echo_env.lab.optimise.search.searcher import Found, Searcher, Task, searched

__all__ = [
    "FEW",
    "MANY",
    "PROTECTED",
    "WAITING",
    "Bench",
    "Clock",
    "Floats",
    "Found",
    "Journal",
    "Objective",
    "Searcher",
    "Selection",
    "Task",
    "check_rule",
    "descend",
    "fingerprint",
    "front",
    "searched",
    "select",
    "starts",
]
