"""What may change of a lab: :mod:`~.lever` says what a decision is, the others are the kinds of decision."""

from echo_env.lab.optimise.levers.absence_plan import AbsencePlan, absence_plan
from echo_env.lab.optimise.levers.breaks import Breaks, breaks
from echo_env.lab.optimise.levers.lever import (
    NOTHING,
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
from echo_env.lab.optimise.levers.roster import Roster, roster
from echo_env.lab.optimise.levers.template import Template, seats_of, template

__all__ = [
    "NOTHING",
    "AbsencePlan",
    "Breaks",
    "Change",
    "Choice",
    "Decision",
    "Lever",
    "Place",
    "PlannedLab",
    "Roster",
    "Template",
    "Values",
    "absence_plan",
    "breaks",
    "changed",
    "number_of",
    "roster",
    "seats_of",
    "template",
]
