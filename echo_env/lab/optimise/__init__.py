"""What would be best: the appointment book, the roster, breaks, and whom to rebook on mornings with absent staff.

The pipeline: :mod:`~.levers` says what may change, :mod:`~.search` looks for better values on common days and chooses
among the finalists, and :mod:`~.optimise` measures the choice on days that no search has seen, with :mod:`~.gains`,
:mod:`~.interactions` and :mod:`~.worlds`; :mod:`~.proposal` is the record of all that, :mod:`~.report` says it and
writes the lab.
"""

from echo_env.lab.optimise.levers import Choice, Decision, absence_plan, breaks, roster, template
from echo_env.lab.optimise.optimise import Budget, optimise
from echo_env.lab.optimise.proposal import Proposal, Step, World

__all__ = [
    "Budget",
    "Choice",
    "Decision",
    "Proposal",
    "Step",
    "World",
    "absence_plan",
    "breaks",
    "optimise",
    "roster",
    "template",
]
