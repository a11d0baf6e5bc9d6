"""What would be best: the appointment book under which patients wait least.

The pipeline: :mod:`~.levers` and :mod:`~.template` say what may change, :mod:`~.objective` what is made smaller,
:mod:`~.search` looks for better values on common days, :mod:`~.kim_nelson` chooses among the finalists, and
:mod:`~.optimise` measures the choice on days that no search has seen; :mod:`~.proposal` is the record of all that,
:mod:`~.words` says it, :mod:`~.better_file` writes the lab.
"""

from echo_env.lab.optimise.levers import Choice, Decision
from echo_env.lab.optimise.optimise import Budget, optimise
from echo_env.lab.optimise.proposal import Proposal, Step, World
from echo_env.lab.optimise.template import template

__all__ = ["Budget", "Choice", "Decision", "Proposal", "Step", "World", "optimise", "template"]
