"""What would be best: the appointment book under which patients wait least.

The pipeline: :mod:`~.levers` says what may change, :mod:`~.search` looks for better values on common days and chooses
among the finalists, and :mod:`~.optimise` measures the choice on days that no search has seen; :mod:`~.proposal` is the
record of all that, :mod:`~.report` says it and writes the lab.
"""

from echo_env.lab.optimise.levers import Choice, Decision, roster, template
from echo_env.lab.optimise.optimise import Budget, optimise
from echo_env.lab.optimise.proposal import Proposal, Step, World

__all__ = ["Budget", "Choice", "Decision", "Proposal", "Step", "World", "optimise", "roster", "template"]
