"""What may change of a lab: :mod:`~.lever` says what a decision is, the others are the kinds of decision."""

from echo_env.lab.optimise.levers.breaks import Breaks, breaks
from echo_env.lab.optimise.levers.lever import (
    Change,
    Choice,
    Decision,
    Lever,
    Place,
    PlannedLab,
    Values,
    changed,
    number_of,
)
from echo_env.lab.optimise.levers.template import Template, seats_of, template

__all__ = [
    "Breaks",
    "Change",
    "Choice",
    "Decision",
    "Lever",
    "Place",
    "PlannedLab",
    "Template",
    "Values",
    "breaks",
    "changed",
    "number_of",
    "seats_of",
    "template",
]
