"""What would be best: the appointment book by which patients wait least.

The pipeline: :mod:`~.books` says what may change, :mod:`~.objective` what is made smaller, :mod:`~.search` looks for
better books on common days, :mod:`~.kim_nelson` chooses among the finalists, and :mod:`~.optimise` measures the choice
on days that no search has seen; :mod:`~.proposal` is the record of all that, :mod:`~.words` says it.
"""

from echo_env.lab.optimise.optimise import Allowed, Budget, optimise
from echo_env.lab.optimise.proposal import Proposal, Step, World

__all__ = ["Allowed", "Budget", "Proposal", "Step", "World", "optimise"]
