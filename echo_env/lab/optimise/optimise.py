"""What would be best for a lab: search, selection among the finalists, and one comparison on held-out days."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from echo_env.common.parallel import Jobs, as_workers, map_in_order, slots
from echo_env.common.stats import simultaneous
from echo_env.lab.config.lab import Lab
from echo_env.lab.evaluation.input_uncertainty import two_parts
from echo_env.lab.optimise.gains import Gains, gains_of
from echo_env.lab.optimise.interactions import Interaction, interactions
from echo_env.lab.optimise.levers import Change, Choice, Decision, Values, number_of, template
from echo_env.lab.optimise.proposal import WAIT, Proposal, Step, World, estimates
from echo_env.lab.optimise.search import (
    PROTECTED,
    WAITING,
    Floats,
    Journal,
    Objective,
    Searcher,
    Selection,
    Task,
    check_rule,
    fingerprint,
    searched,
    select,
)
from echo_env.lab.optimise.worlds import other_worlds
from echo_env.lab.simulation.metrics import metrics_of

SELECTION_FIRST, HELD_OUT_FIRST, WORLDS_FIRST = 1_000_000, 2_000_000, 3_000_000
"""Numbers of the first days of selection, comparison and other worlds: beyond those of the search."""
_CHECKED = 2000
"""Days on which finalists that make something protected worse are dropped."""
_INDIFFERENT = 0.005
"""Differences below this share of today's objective do not matter."""
_GAIN_DAYS = 1000
"""Held-out days on which it is told who gains and who loses, at most."""
_FRONT = 6
"""Changes that the front goes up to where any number is allowed."""
TOLD = (*PROTECTED, WAIT, "p90_wait_min")
"""Metrics that every comparison has, whatever the objective and what is protected."""
TOLD_OF = {"roster": ("paid_h", "cost"), "absence_plan": ("rebooked",)}
"""Kind of decision -> what it costs, where the lab knows that."""


@dataclass(frozen=True)
class Budget:
    """How long to search, and how well to measure.

    The search is the same for the same seed however many processes there are, unless the time ends it.

    :param seconds: for the whole search; it ends earlier if nothing gets better
    :param starts: what descents begin with, at least 1
    :param days: held-out days, at least 2
    :param world_days: days in each other world; 0 leaves them out
    :param jobs: number of processes, or a cluster's workers
    :raises ValueError: a value that is not allowed
    """

    seconds: float = 60.0
    starts: int = 3
    days: int = 4000
    world_days: int = 1000
    jobs: Jobs = 1

    def __post_init__(self) -> None:
        for name, low in (("seconds", 1), ("starts", 1), ("days", 2), ("world_days", 0)):
            if getattr(self, name) < low:
                raise ValueError(f"{name} is {getattr(self, name)!r}, but must be at least {low}")
        as_workers(self.jobs)


def optimise(
    config: Lab,
    decide: Sequence[Decision] | None = None,
    weights: Mapping[str, float] | None = None,
    protected: Sequence[str] = PROTECTED,
    allowance: Mapping[str, float] | None = None,
    rule: str = "scarce_first",
    most_changes: int | None = None,
    budget: Budget | None = None,
    seed: int = 0,
    labs: Sequence[Lab] = (),
    progress: Callable[[str], None] | None = None,
    journal: Path | None = None,
) -> Proposal:
    """Look for better decisions, and measure what they are worth.

    Ctrl-C ends the search, and the best of what was found until then is the answer; from then on it ends everything.

    :param config: the lab
    :param decide: what may be decided; by default the appointment book on a grid of 15 minutes
    :param weights: metric -> weight in the sum that is made smaller; by default the waiting part of the penalty
    :param protected: metrics that may not rise
    :param allowance: protected metric -> how much it may rise all the same, such as two paid hours a day
    :param rule: name of the policy by which exams begin, a rule that the compiled engine plays by classes
    :param most_changes: so many changes at most; None for any number
    :param budget: how long to search, and how well to measure
    :param seed: of days and search
    :param labs: labs that this one might be as well, such as those of a calibration's bootstrap; none or at least 2
    :param progress: called with what is done now
    :param journal: folder that keeps what the search plays; with the same one, a search that was stopped goes on
    :return: the proposal; its intervals are of days that the search did not play
    :raises ValueError: an unknown metric or rule, nothing that may change, or another search's journal; one sentence
    """
    if most_changes is not None and most_changes < 1:
        raise ValueError(f"most_changes is {most_changes!r}, but must be at least 1")
    check_rule(rule, config)
    budget, tell = budget or Budget(), progress or (lambda words: None)
    choice = Choice(config, tuple(decide) if decide is not None else (template(config),))
    _check_free(choice)
    allowance = dict(allowance or {})
    wanted = tuple(dict.fromkeys((*protected, *allowance)))
    # Of the lab as the decisions leave it: an absence plan has a metric of its own.
    objective = Objective(choice.lab(choice.today), weights or WAITING, wanted, rule, seed, allowance)
    tasks = [Task(-1)] if most_changes else [Task(start) for start in range(-1, budget.starts)]
    if len(choice.decisions) > 1:
        # Each kind of decision by itself, to see what it adds to the others.
        tasks += [Task(0, decision) for decision in range(len(choice.decisions))]
    seconds = budget.seconds * min(slots(budget.jobs), len(tasks)) / len(tasks)
    if journal is not None and as_workers(budget.jobs).is_cluster:
        raise ValueError(
            f"journal is {str(journal)!r}, a folder of this machine, which the workers of a cluster do not reach: "
            "leave it out, or search on this machine"
        )
    kept = None if journal is None else Journal(Path(journal), fingerprint(objective, choice))
    if kept is not None:
        kept.check()
    searcher = Searcher(objective, choice, budget.starts, seconds, most_changes or _FRONT, seed, kept)
    tell("search")
    found = searched(searcher, tasks, budget.jobs)
    finalists = _distinct(found.values, choice, most_changes)
    tell("selection")
    selection = _selected(objective, choice, finalists)
    tell("comparison")
    proposal = _measured(objective, choice, finalists, selection, budget)
    proposal = replace(
        proposal,
        searched=found.played,
        cut=found.cut,
        interrupted=found.interrupted,
        interactions=_interactions(objective, proposal, found.values, budget),
    )
    return _in_labs(objective, proposal, labs, budget) if labs else proposal


def _interactions(
    objective: Objective, proposal: Proposal, found: Sequence[Values], budget: Budget
) -> tuple[Interaction, ...]:
    """Each kind of decision alone and with the rest of the proposal, where there are several."""
    if proposal.step is None or len(proposal.choice.decisions) < 2:
        return ()
    return interactions(objective, proposal.choice, proposal.step.values, found, HELD_OUT_FIRST, budget.days)


def _check_free(choice: Choice) -> None:
    if all(lever.allowed == (lever.today,) for lever in choice.levers):
        raise ValueError("there is nothing to decide: what is held, windows and limits leave everything as it is")


def _distinct(found: Sequence[Values], choice: Choice, most: int | None) -> list[Values]:
    """What differs from today and from each other in what has to be done, by number of changes."""
    seen: dict[tuple[Change, ...], tuple[int, Values]] = {}
    for values in found:
        changes = choice.changes(values)
        number = number_of(changes)
        if number and (most is None or number <= most):
            seen.setdefault(changes, (number, values))
    return [values for _, values in sorted(seen.values(), key=lambda own: own[0])]


def _selected(objective: Objective, choice: Choice, finalists: Sequence[Values]) -> Selection | None:
    """The best of the finalists, by the procedure of Kim and Nelson on days of their own.

    Those under which something protected rises beyond chance take no part, unless all do. Beyond chance for all
    finalists and metrics together: a good one must not be lost for one of many intervals that misses by chance.
    """
    if len(finalists) < 2:
        return None
    labs = [choice.lab(values) for values in finalists]
    today = objective.scores(choice.lab(choice.today), SELECTION_FIRST, _CHECKED)
    bounds = today.protected + objective.slack[:, None]
    comparisons = max(1, len(labs) * len(objective.protected))
    harmless = []
    for number, lab in enumerate(labs):
        rise = objective.scores(lab, SELECTION_FIRST, _CHECKED).protected - bounds
        if all(own.low <= 0 for own in simultaneous(rise, comparisons)):
            harmless.append(number)
    taking_part = harmless or list(range(len(labs)))

    def play(system: int, first: int, count: int) -> Floats:
        return objective.scores(labs[taking_part[system]], SELECTION_FIRST + _CHECKED + first, count).objective

    scale = abs(float(today.objective.mean()))
    chosen = select(play, len(taking_part), max(_INDIFFERENT * scale, 1e-6))
    return replace(chosen, best=taking_part[chosen.best])


def _measured(
    objective: Objective,
    choice: Choice,
    finalists: Sequence[Values],
    selection: Selection | None,
    budget: Budget,
) -> Proposal:
    """The lab as it is and all finalists on held-out days, and the chosen one in other worlds."""
    weights = objective.weights.items()
    name = " + ".join(metric if weight == 1 else f"{weight:g} {metric}" for metric, weight in weights)
    wide = _with_told(objective, choice)
    names = [name, *wide.protected]
    labs = [choice.lab(values) for values in (choice.today, *finalists)]
    today, *others = _played(wide, labs, HELD_OUT_FIRST, budget.days, budget)
    comparisons = max(1, len(finalists) * len(names))
    steps = []
    for values, scores in zip(finalists, others, strict=True):
        changes = choice.changes(values)
        steps.append(Step(values, changes, number_of(changes), estimates(names, scores - today, comparisons)))
    chosen = _chosen(steps, selection, objective, name)
    return Proposal(
        choice=choice,
        objective=name,
        protected=tuple(objective.protected),
        allowance=dict(objective.allowance),
        today=estimates(names, today, 1),
        front=tuple(steps),
        chosen=chosen,
        selection=selection,
        worlds=_elsewhere(wide, names, choice, finalists[chosen], budget) if finalists else (),
        unknown={},
        wins=(0, 0),
        days=budget.days,
        gains=_gains(objective, choice, finalists[chosen], budget) if finalists else None,
    )


def _chosen(steps: Sequence[Step], selection: Selection | None, objective: Objective, name: str) -> int:
    """Number of the step to propose: the one selected, unless the held-out days show that it does harm.

    Then it is the best one that does none, if there is one. The intervals hold for all steps together, so that they
    hold for whichever is taken.
    """
    first = selection.best if selection else 0
    allowed = dict(zip(objective.protected, objective.slack.tolist(), strict=True))
    good = [
        number
        for number, step in enumerate(steps)
        if all(step.effects[metric].low <= most for metric, most in allowed.items())
    ]
    if not good or first in good:
        return first
    return min(good, key=lambda number: steps[number].effects[name].mean)


def _gains(objective: Objective, choice: Choice, values: Values, budget: Budget) -> Gains:
    days = min(budget.days, _GAIN_DAYS)
    return gains_of(choice, values, objective.rule, objective.seed, HELD_OUT_FIRST, days)


def _with_told(objective: Objective, choice: Choice) -> Objective:
    """The objective with the metrics that are told besides."""
    known = metrics_of(objective.config)
    costs = (name for kind in choice.names for name in TOLD_OF.get(kind, ()))
    # The parts of a sum, and what is to rise, are told by their own names too.
    parts = () if set(objective.weights.values()) == {1.0} and len(objective.weights) == 1 else tuple(objective.weights)
    more = [name for name in (*parts, *TOLD, *costs) if name in known]
    return replace(objective, protected=tuple(dict.fromkeys((*objective.protected, *more))))


def _in_labs(objective: Objective, proposal: Proposal, labs: Sequence[Lab], budget: Budget) -> Proposal:
    """The proposal in labs that this one might be as well, on the days of other worlds."""
    if proposal.step is None:
        return proposal
    choice, days = proposal.choice, max(budget.world_days, 2)
    both = proposal.step.values, choice.today
    decided = [choice.lab(values, lab) for lab in (None, *labs) for values in both]
    scores = _played(_with_told(objective, choice), decided, WORLDS_FIRST, days, budget)
    here, *others = (own - today for own, today in zip(scores[::2], scores[1::2], strict=True))
    names = list(proposal.today)
    unknown = {name: two_parts(here[k], [other[k] for other in others]) for k, name in enumerate(names)}
    return replace(proposal, unknown=unknown, wins=(sum(bool(other[0].mean() < 0) for other in others), len(labs)))


def _elsewhere(
    objective: Objective, names: Sequence[str], choice: Choice, values: Values, budget: Budget
) -> tuple[World, ...]:
    """The proposal in other worlds."""
    worlds = dict(other_worlds()) if budget.world_days else {}
    both = choice.lab(values), choice.lab(choice.today)
    labs = [lab.replace(plan=change(lab.plan)) for change in worlds.values() for lab in both]
    scores = _played(objective, labs, WORLDS_FIRST, budget.world_days, budget)
    pairs = zip(worlds, scores[::2], scores[1::2], strict=True)
    return tuple(World(name, estimates(names, own - today, 1)) for name, own, today in pairs)


def _played(objective: Objective, labs: Sequence[Lab], first: int, count: int, budget: Budget) -> list[Floats]:
    """The scores of labs on the same days, played by as many as the search.

    :param first: number of the first day
    :param count: number of days
    """
    tasks = [(objective, lab, first, count) for lab in labs]
    return map_in_order(_scores, tasks, budget.jobs, lambda task, scores: None)


def _scores(task: tuple[Objective, Lab, int, int]) -> Floats:
    objective, lab, first, count = task
    return objective.scores(lab, first, count).array
