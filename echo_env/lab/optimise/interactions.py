"""Decisions alone and together: what each kind is worth by itself, and what it adds to the rest of a proposal.

Levers interact, so that looking at one at a time misleads: a lever may help the lab as it is, and harm it once the rest
of the proposal is in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from echo_env.common.stats import Estimate, estimate
from echo_env.lab.optimise.levers import Change, Choice, Values
from echo_env.lab.optimise.search import Floats, Objective


class Interaction(NamedTuple):
    """Some changes of one kind of decision.

    :param decision: name of the kind
    :param changes: what has to be done
    :param proposed: whether the proposal contains them
    :param alone: effect on the objective if nothing else changes
    :param together: effect on the objective if the rest of the proposal is in place
    """

    decision: str
    changes: tuple[Change, ...]
    proposed: bool
    alone: Estimate
    together: Estimate

    @property
    def turns(self) -> bool:
        """Whether the changes help alone and harm together with the rest, both beyond chance."""
        return self.alone.high < 0 < self.together.low

    @property
    def fades(self) -> bool:
        """Whether the changes help alone, and no longer do beyond chance together with the rest."""
        return self.alone.high < 0 <= self.together.high and not self.turns

    @property
    def needs_the_rest(self) -> bool:
        """Whether the changes harm alone and help together with the rest, both beyond chance."""
        return self.together.high < 0 < self.alone.low


def interactions(
    objective: Objective, choice: Choice, proposed: Values, alone: Sequence[Values], first: int, count: int
) -> tuple[Interaction, ...]:
    """Each kind of decision alone and with the rest of the proposal, on days that no search has played.

    :param objective: what is made smaller
    :param choice: all decisions
    :param proposed: values of the proposal
    :param alone: values in which one kind of decision alone differs from today's, found by searches of their own
    :param first: number of the first day
    :param count: number of days, at least 2
    """
    names = choice.names
    wanted: list[tuple[str, slice, Values, bool]] = []
    for name, part in zip(names, choice.places, strict=True):
        own = [values for values in alone if _differs_only(values, choice.today, part)]
        for values in dict.fromkeys(own):
            wanted.append((name, part, values, values[part] == proposed[part]))
        mine = _put(choice.today, part, proposed)
        if proposed[part] != choice.today[part] and mine not in own:
            wanted.append((name, part, mine, True))

    def play(values: Values) -> Floats:
        return objective.scores(choice.lab(values), first, count).objective

    found, today = [], play(choice.today)
    for name, part, values, is_in in wanted:
        with_it, without = _put(proposed, part, values), _put(proposed, part, choice.today)
        alone_, together = estimate(play(values) - today), estimate(play(with_it) - play(without))
        found.append(Interaction(name, choice.changes(values), is_in, alone_, together))
    return tuple(found)


def _put(values: Values, part: slice, other: Values) -> Values:
    """Values with a part taken from others."""
    return (*values[: part.start], *other[part], *values[part.stop :])


def _differs_only(values: Values, today: Values, part: slice) -> bool:
    return values != today and _put(values, part, today) == today
