"""The roster as a decision: how many members of staff there are, when they are here, who is on call, what they and the
rooms can do.

:mod:`~.make` says what may change, :mod:`~.plans` what its values mean, :mod:`~.places` where they stand in a file, and
:mod:`~.words` what has to be done for them.
"""

from echo_env.lab.optimise.levers.roster.decision import Roster
from echo_env.lab.optimise.levers.roster.make import KINDS, roster

__all__ = ["KINDS", "Roster", "roster"]
