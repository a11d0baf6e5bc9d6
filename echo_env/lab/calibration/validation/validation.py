"""Whether a lab behaves like the hospital whose visits were recorded: all checks, and what they say together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from echo_env.common.parallel import Jobs, map_in_order
from echo_env.lab.calibration.validation.agreement import RULES, RuleFit, Unexplained, best_after_vitals, rule_fits
from echo_env.lab.calibration.validation.agreement import unexplained as find_unexplained
from echo_env.lab.calibration.validation.exams import Exams, days_like, numbers_of, seen_exams, simulated_exams
from echo_env.lab.calibration.validation.left_out import LeftOut, Refit, leave_one_day_out
from echo_env.lab.calibration.validation.levers import CAPACITY, FLOW, RULE, Lever, Levers, levers, without_flow
from echo_env.lab.calibration.validation.own_days import OWN_DAYS, own_fit, replay_checks
from echo_env.lab.calibration.validation.predictive import Check, predictive_checks
from echo_env.lab.calibration.validation.recorded import only_days, spread
from echo_env.lab.calibration.validation.replay import Replayer
from echo_env.lab.calibration.validation.verdict import Answer, Evidence, unexplained_sentences, verdict
from echo_env.lab.calibration.visits import Visits
from echo_env.lab.config.lab import Lab

if TYPE_CHECKING:
    import pandas as pd

FEWER_DAYS = 4
"""Levers and labs with a day left out are simulated for so many times fewer days than the lab itself."""

MOST_DAYS = 60
"""What a lab lacks is looked for on so many days at most, spread evenly over the record."""
NO_BOOKS: Mapping[str, Lab] = MappingProxyType({})


@dataclass(frozen=True)
class Validation:
    """What was found.

    :param lab: name of the lab
    :param record: name of the record
    :param days: simulated days
    :param seed: of the simulated days
    :param after_vitals_min: minutes from a recorded end of the preparation to being ready; 0 if none is recorded
    :param fits: the recorded days played again under each rule, the best first
    :param replayed: the rows of the replay under the best rule
    :param own: days of the lab itself, played again: what a lab that is right would show
    :param replay_checks: exam type, or empty for all -> differences of the recorded days' begins against those of own
    :param recorded: the recorded exams
    :param simulated: the exams of simulated days
    :param checks: recorded against simulated days
    :param unexplained: what the lab lacks between check-in and exam
    :param rooms: exam type -> rooms in which the record has it, and rooms that the lab has for it
    :param preparations: exam type, or empty for all -> recorded preparations, see
        :meth:`~echo_env.lab.calibration.validation.replay.Replayer.preparations`
    :param left_out: each day against the lab that was fitted without it; empty if nobody could fit one
    :param levers: what shortens waits in the lab
    :param plain_levers: the same in the lab without check-in lead, preparation and waiting for the appointment; None if
        it has none of them
    """

    lab: str
    record: str
    days: int
    seed: int
    after_vitals_min: int
    fits: tuple[RuleFit, ...]
    replayed: pd.DataFrame
    own: RuleFit
    replay_checks: Mapping[str, Check]
    recorded: Exams
    simulated: Exams
    checks: tuple[Check, ...]
    unexplained: Unexplained
    rooms: dict[str, tuple[int, int]]
    preparations: dict[str, tuple[int, float, float]]
    left_out: tuple[LeftOut, ...]
    levers: Levers
    plain_levers: Levers | None

    @property
    def rule(self) -> str:
        """The rule that fits the record best."""
        return self.fits[0].rule

    @property
    def evidence(self) -> Evidence:
        """What the verdict rests on."""
        return Evidence(
            self.fits,
            self.own,
            self.replay_checks,
            self.checks,
            self.unexplained,
            self.record,
            self.rooms,
            self.preparations,
        )

    @property
    def verdict(self) -> tuple[Answer, ...]:
        """What the lab may be used for."""
        return verdict(self.evidence)

    @property
    def accepted(self) -> bool:
        """Whether nothing in the record contradicts the lab; what the record does not tell contradicts nothing."""
        return all(answer.good is not False for answer in self.verdict if answer.question != "capacity")

    @property
    def sentences(self) -> tuple[str, ...]:
        """The verdict, what remains unexplained, and what would shorten waits."""
        told = [answer.sentence for answer in self.verdict]
        return (*told, *unexplained_sentences(self.evidence), *self._left_out(), *self._levers())

    def _left_out(self) -> list[str]:
        if not self.left_out:
            return []
        inside = sum(day.inside for day in self.left_out)
        error = sum(day.n * day.error for day in self.left_out) / sum(day.n for day in self.left_out)
        return [
            f"Fitted without a day, the lab expects the mean wait of {inside} of {len(self.left_out)} days (95 % "
            f"interval), and their begins differ by {error:.1f} minutes on average; fitted with all, by "
            f"{self.fits[0].every.error:.1f}."
        ]

    def _levers(self) -> list[str]:
        """What shortens waits; what rooms, staff and rules do counts only if the record tells about them."""
        doubt = any(answer.question == "capacity" and not answer.good for answer in self.verdict)
        own = f"The lab says of the {self.levers.wait.mean:.1f} minutes that patients wait"
        told = [f"{own}: {_told(self.levers, ' (which the record cannot confirm)' if doubt else '')}."]
        if self.plain_levers is not None:
            plain = "Without check-in lead, preparation and waiting for the appointment it would have said of"
            told.append(f"{plain} {self.plain_levers.wait.mean:.1f} minutes: {_told(self.plain_levers)}.")
        return told


def _some_days(visits: Visits) -> Visits:
    checked_in = visits.table[visits.table["begin"].notna() & visits.table["actual"].notna()]
    return only_days(visits, spread(list(dict.fromkeys(checked_in["day"])), MOST_DAYS))


def _told(found: Levers, doubt: str = "") -> str:
    """What helps: every change of check-in, preparation or appointment, and the best of the others."""
    told = [_lever(own) for own in found.helpful(FLOW)]
    for kind, what in ((CAPACITY, "further room or member of staff"), (RULE, "other rule")):
        best = found.best(kind)
        told.append(f"no {what} shortens them" if best is None else f"{_lever(best)}{doubt}")
    return "; ".join(told)


def _lever(own: Lever) -> str:
    return f"{own.words}, {own.difference.mean:+.1f} ± {own.difference.half_width:.1f}"


def validate(
    visits: Visits,
    config: Lab,
    days: int = 1000,
    seed: int = 0,
    refit: Refit | None = None,
    labs: Sequence[Lab] = (),
    books: Mapping[str, Lab] = NO_BOOKS,
    jobs: Jobs = 1,
) -> Validation:
    """Play the recorded days again, compare them with simulated ones, leave days out, and look for levers.

    :param visits: the record
    :param config: the lab
    :param days: simulated days, at least 2
    :param seed: of the simulated days
    :param refit: fits a lab to a record; without it no day is left out
    :param labs: labs of the bootstrap: checks then count that the lab is not exactly known
    :param books: weekday, as in ``monday`` -> the lab of that day, where weekdays differ in their appointments
    :param jobs: number of processes, or a cluster's workers, that play the days of ``labs`` and leave days out
    :raises ValueError: the record has an exam type that the lab lacks, or nothing that could be played again
    """
    replayer = Replayer(visits, config)
    # What is missing is looked for by many replays; so many days tell it to the minute.
    some = replayer if len(visits.days) <= MOST_DAYS else Replayer(_some_days(visits), config)
    after_vitals = best_after_vitals(some)
    fits = tuple(rule_fits(replayer, after_vitals))
    rule, few = fits[0].rule, max(days // FEWER_DAYS, 2)
    recorded = seen_exams(visits, config)
    simulated = days_like(visits, config, books, rule, days, seed)
    others = map_in_order(partial(simulated_exams, rule=rule, days=few, seed=seed), labs, jobs, lambda lab, exams: None)
    plain = without_flow(config)
    replayed = replayer.play(rule, after_vitals_min=after_vitals)
    own, own_rows = own_fit(config, rule, OWN_DAYS, seed, visits)
    return Validation(
        lab=config.name,
        record=visits.name,
        days=days,
        seed=seed,
        after_vitals_min=after_vitals,
        fits=fits,
        replayed=replayed,
        own=own,
        replay_checks=replay_checks(replayed, own_rows, seed),
        recorded=recorded,
        simulated=simulated,
        checks=predictive_checks(numbers_of(config), recorded, others or [simulated], seed),
        unexplained=find_unexplained(some, rule, after_vitals),
        rooms={kind.name: replayer.rooms_seen(kind.name) for kind in config.plan.types},
        preparations={name: replayer.preparations(name) for name in ("", *(kind.name for kind in config.plan.types))},
        left_out=() if refit is None else leave_one_day_out(visits, refit, rule, after_vitals, few, seed, jobs),
        levers=levers(config, rule, RULES, few, seed),
        plain_levers=None if plain is None else levers(plain, rule, RULES, few, seed),
    )
