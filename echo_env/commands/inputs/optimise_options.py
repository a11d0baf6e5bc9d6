"""Options of ``echo-lab optimise``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from cyclopts import Parameter

from echo_env.commands.common.running import Several, Whole
from echo_env.commands.inputs.workers_options import WorkersOptions

ROSTER, TEMPLATE, BREAKS, ABSENCE_PLAN = KINDS = ("roster", "template", "breaks", "absence_plan")
"""What may be decided, in the order in which it is applied and looked at: who is rebooked depends on the book, and the
roster has so few values that time should not end before they are played."""


@dataclass(frozen=True, kw_only=True)
class OptimiseOptions(WorkersOptions):
    """Options as typed; field names with hyphens are the flags, and the texts below their help.

    :param lab: a lab's YAML file, FILE#monday for one of its days, or a preset
    :param decide: what may be decided, together: template, roster, breaks, absence_plan
    :param objective: what is made smaller: metrics, each alone or as METRIC=WEIGHT; by default the waiting part of the
        penalty, or with --more the number of patients who are not examined
    :param protect: metrics that may not rise, or none
    :param allow: METRIC=NUMBER, protected metrics that may rise by so much, for example paid_h=8; with the roster paid
        hours may not rise unless this says so
    :param policy: the rule by which exams begin
    :param grid: minutes between the times that a search tries
    :param latest: template: last time, for example 16:30; by default closing
    :param hold: template: times at which appointments stay as they are
    :param window: template: TYPE=FROM-UNTIL, times that appointments of a type may have, such as fetal=09:00-15:00
    :param at_once: template: so many appointments may be at one time at most
    :param more: template: TYPE=NUMBER, book up to so many more patients, as many as fit at today's wait
    :param may_change: roster: what of it may change: count, shift, on_call, training, rooms; all if nothing is said
    :param extra: roster: so many more members of each group at most; 1 if nothing is said
    :param on_call: roster: so many on call of each group at most; 1 if nothing is said
    :param most_put_off: breaks: planned ones are put off for so many minutes at most while somebody waits; 60 if
        nothing is said
    :param most_absent: absence_plan: it tells mornings with up to so many absent apart; 2 if nothing is said
    :param most_rebooked: absence_plan: so many patients of a morning are rebooked at most; 4 if nothing is said
    :param most_moves: so many changes of any kind at most; by default any number
    :param seconds: for the search; it ends earlier if nothing gets better
    :param starts: points that searches begin with
    :param days: held-out days of the comparison
    :param seed: of days and search
    :param input_uncertainty: play the proposal in N labs of the calibration's bootstrap too (LAB.uncertainty.json)
    :param output: YAML file for the lab with the proposed changes, or - for standard output; nothing is written where
        nothing is recommended
    :param journal: folder that keeps what the search plays; after a stop, the same command goes on from there
    :param report: FILE.html, a page for people; or a folder for sentences, figures, tables, all numbers, and the lab
        with the changes
    :param json: file for all numbers, or - for standard output
    """

    lab: Annotated[str, Parameter()] = field(kw_only=False)
    decide: Several = (TEMPLATE,)
    objective: Several = ()
    protect: Several = ("turned_away", "left_waiting", "staff_overtime")
    allow: Several = ()
    policy: str = "scarce_first"
    grid: Whole = 15
    latest: str | None = None
    hold: Several = ()
    window: Several = ()
    at_once: Whole | None = None
    more: Several = ()
    may_change: Several = ()
    extra: Whole | None = None
    on_call: Whole | None = None
    most_put_off: Whole | None = None
    most_absent: Whole | None = None
    most_rebooked: Whole | None = None
    most_moves: Whole | None = None
    seconds: Whole = 60
    starts: Whole = 3
    days: Whole = 4000
    seed: Whole = 0
    input_uncertainty: Whole = 0
    output: str | None = None
    journal: str | None = None
    report: str | None = None
    json: str | None = None
