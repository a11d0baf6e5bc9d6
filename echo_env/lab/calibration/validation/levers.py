"""What the lab says would shorten waits: changes tried one at a time, on the same days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from echo_env.common.config_model import ConfigError
from echo_env.common.stats import Estimate
from echo_env.lab.calibration.validation.exams import Sums, simulated_exams, wait_sums
from echo_env.lab.config.general import GeneralLabConfig
from echo_env.lab.config.lab import Lab
from echo_env.lab.config.lab_config import LabConfig

FLOW, CAPACITY, RULE = "flow", "capacity", "rule"
"""Kinds of changes: check-in, preparation and the appointment; rooms and staff; rules."""


class Change(NamedTuple):
    """A change of a lab.

    :param kind: one of :data:`FLOW`, :data:`CAPACITY` and :data:`RULE`
    :param words: what is done
    :param config: the lab with it
    :param rule: the rule with it
    """

    kind: str
    words: str
    config: Lab
    rule: str


class Lever(NamedTuple):
    """What a change does to the mean wait from check-in.

    :param kind: see :class:`Change`
    :param words: what is done
    :param difference: minutes, with the change minus without, on the same days
    """

    kind: str
    words: str
    difference: Estimate


@dataclass(frozen=True)
class Levers:
    """What a lab says shortens waits.

    :param wait: mean wait from check-in, minutes, as it is
    :param changes: in the order in which they were tried
    """

    wait: Estimate
    changes: tuple[Lever, ...]

    def helpful(self, kind: str) -> list[Lever]:
        """The changes of a kind that shorten waits, the one that does so most first.

        :param kind: see :class:`Change`
        """
        found = [lever for lever in self.changes if lever.kind == kind and lever.difference.high < 0]
        return sorted(found, key=lambda lever: lever.difference.mean)

    def best(self, kind: str) -> Lever | None:
        """The change of a kind that shortens waits most; None if none of them does.

        :param kind: see :class:`Change`
        """
        return next(iter(self.helpful(kind)), None)


def levers(config: Lab, rule: str, rules: tuple[str, ...], days: int, seed: int) -> Levers:
    """Try every change on the same simulated days.

    Waits count from check-in, or the expected check-in if that is later, and are 0 for who is examined before.

    :param config: the lab
    :param rule: that the days are played under
    :param rules: other rules to try
    :param days: how many days
    :param seed: of the days
    """
    base = _waits(config, rule, days, seed)
    changes = [*_flow(config, rule), *_capacity(config, rule)]
    changes += [Change(RULE, f"{other} in place of {rule}", config, other) for other in rules if other != rule]
    tried = [Lever(own.kind, own.words, _difference(_waits(own.config, own.rule, days, seed), base)) for own in changes]
    return Levers(base.mean(), tuple(tried))


def _waits(config: Lab, rule: str, days: int, seed: int) -> Sums:
    exams = simulated_exams(config, rule, days, seed)
    return wait_sums(replace(exams, waits_from=np.minimum(exams.waits_from, exams.begin)))


def without_flow(config: Lab) -> Lab | None:
    """The lab in which patients are asked to come at their appointment, need no preparation and may begin early.

    :param config: the lab
    :return: None if it is so already
    """
    if not isinstance(config, GeneralLabConfig):
        return None
    changes: dict[str, Any] = {}
    for name in config.exam_types:
        changes |= _of_type(name, check_in_lead_min=0, preparation=None, may_begin_early=True)
    plain = config.replace(**changes)
    return None if plain == config else plain


def _of_type(name: str, **fields: Any) -> dict[str, Any]:
    return {f"exam_types__{name}__{field}": value for field, value in fields.items()}


def _flow(config: Lab, rule: str) -> Iterator[Change]:
    """Changes of what comes between check-in and exam, of all exam types together."""
    if not isinstance(config, GeneralLabConfig):
        return
    types = config.exam_types
    shorter: dict[str, Any] = {}
    for name, kind in types.items():
        if kind.preparation is not None and kind.preparation.minutes:
            shorter |= _of_type(name, preparation__minutes=max(kind.preparation.minutes - 5, 0))
        elif kind.preparation is not None and kind.preparation.mean_min is not None:
            shorter |= _of_type(name, preparation__mean_min=max(kind.preparation.mean_min - 5, 1.0))
    if shorter:
        yield Change(FLOW, "preparation 5 minutes shorter", config.replace(**shorter), rule)
        gone = [_of_type(name, preparation=None) for name in types]
        yield Change(FLOW, "prepared at check-in", config.replace(**_together(gone)), rule)
    led = {name: kind.check_in_lead_min for name, kind in types.items() if kind.check_in_lead_min}
    for minutes in (5, 10):
        fields = [_of_type(name, check_in_lead_min=max(lead - minutes, 0)) for name, lead in led.items()]
        if led:
            words = f"patients are asked to come {minutes} minutes later"
            yield Change(FLOW, words, config.replace(**_together(fields)), rule)
    waiting = [_of_type(name, may_begin_early=True) for name, kind in types.items() if not kind.may_begin_early]
    if waiting:
        yield Change(FLOW, "exams begin as soon as patients are ready", config.replace(**_together(waiting)), rule)


def _capacity(config: Lab, rule: str) -> Iterator[Change]:
    """One more room or member of staff of each group."""
    for section, what in (("room_groups", "room"), ("staff_groups", "member of staff")):
        for name, count in _counts(config, section):
            try:
                more = config.replace(**{name: count + 1})
            except ConfigError:
                continue
            group = name.split("__")[1].replace("_", " ")
            yield Change(CAPACITY, f"one more {what} ({group})", more, rule)


def _counts(config: Lab, section: str) -> list[tuple[str, int]]:
    """Paths of the numbers of rooms or members of staff, and the numbers."""
    if isinstance(config, GeneralLabConfig):
        groups = getattr(config, section)
        return [(f"{section}__{name}__count", group.count) for name, group in groups.items()]
    assert isinstance(config, LabConfig)
    short = {"room_groups": "rooms", "staff_groups": "sonographers"}[section]
    return [(f"{short}__{name}", getattr(getattr(config, short), name)) for name in ("fetal", "non_fetal")]


def _together(fields: list[dict[str, Any]]) -> dict[str, Any]:
    return {path: value for own in fields for path, value in own.items()}


def _difference(changed: Sums, base: Sums) -> Estimate:
    """Mean wait with a change minus without, paired by day."""
    rest = base.mean().mean
    # The linear parts of both ratios, so that days pair: their means are those of the ratios.
    scale = len(base.total) / base.values.sum(), len(changed.total) / changed.values.sum()
    new = changed.mean().mean
    values = scale[1] * (changed.total - new * changed.values) - scale[0] * (base.total - rest * base.values)
    spread = Sums(values + (new - rest), np.ones(len(values)))
    return spread.mean()
