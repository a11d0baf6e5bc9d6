"""What ``echo-lab optimise`` may decide, read from its options."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from echo_env.common.words import did_you_mean
from echo_env.lab.config.clock import read_clock
from echo_env.lab.config.lab import Lab

if TYPE_CHECKING:
    from echo_env.commands.optimise import OptimiseOptions
    from echo_env.lab.optimise import Decision

ROSTER, TEMPLATE, BREAKS, ABSENCE_PLAN = KINDS = ("roster", "template", "breaks", "absence_plan")
"""What may be decided, in the order in which it is applied and looked at: who is rebooked depends on the book, and the
roster has so few values that time should not end before they are played."""
ALIASES = {"staff_overtime": "staff_overtime_h", "waiting": "waiting_penalty", "paid_hours": "paid_h"}
"""Short names of metrics."""
NOTHING = "none"
"""In place of metrics: none is protected."""
_READ_BY = {
    TEMPLATE: ("latest", "hold", "window", "at_once", "more"),
    ROSTER: ("may_change", "extra", "on_call"),
    BREAKS: ("most_put_off",),
    ABSENCE_PLAN: ("most_absent", "most_rebooked"),
}
"""Kind of decision -> options that nothing else reads."""


def metric(name: str) -> str:
    """The full name of a metric.

    :param name: as typed
    """
    return ALIASES.get(name, name)


def numbers(flag: str, typed: Sequence[str], what: str, default: float | None = None) -> dict[str, float]:
    """``NAME=NUMBER`` for several names.

    :param flag: names the option in messages
    :param typed: as typed
    :param what: what the number is, for messages
    :param default: number of a name alone; None if it needs one
    :raises ValueError: no number; one sentence
    """
    found = {}
    for item in typed:
        name, equals, number = item.partition("=")
        if not equals and default is None:
            raise ValueError(f"{flag} has {item!r}, but must be NAME=NUMBER, where the number is the {what}")
        try:
            found[name] = float(number) if equals else float(default or 0)
        except ValueError:
            found[name] = math.nan
        if not math.isfinite(found[name]):
            raise ValueError(f"{flag} has {item!r}, but the {what} must be a number")
    return found


def decided(options: OptimiseOptions, config: Lab) -> tuple[Lab, list[Decision]]:
    """The lab, in the form that the decisions need, and the decisions.

    :param options: as typed
    :param config: the lab
    :raises ValueError: an unknown kind, or limits that cannot be kept; one sentence
    """
    from echo_env.lab.config import as_general
    from echo_env.lab.optimise import absence_plan, breaks, roster
    from echo_env.lab.optimise.levers.roster import KINDS as ROSTER_KINDS

    _check(options)
    kinds = options.decide
    general = as_general(config) if set(kinds) - {TEMPLATE} else None
    found: list[Decision] = []
    if general is None:
        return config, [_template(options, config)]
    if ROSTER in kinds:
        may_change = options.may_change or ROSTER_KINDS
        extra, on_call = _or(options.extra, 1), _or(options.on_call, 1)
        found.append(roster(general, extra, on_call, options.grid, kinds=may_change))
    if TEMPLATE in kinds:
        found.append(_template(options, general))
    if BREAKS in kinds:
        found.append(breaks(general, options.grid, most_put_off_min=_or(options.most_put_off, 60)))
    if ABSENCE_PLAN in kinds:
        found.append(absence_plan(general, _or(options.most_absent, 2), _or(options.most_rebooked, 4)))
    return general, found


def aims(options: OptimiseOptions, config: Lab) -> tuple[dict[str, float], tuple[str, ...], dict[str, float]]:
    """What is made smaller (metric -> weight), what may not rise, and by how much it may all the same.

    :param options: as typed
    :param config: the lab, whose metrics count
    :raises ValueError: a weight or a number that is none; one sentence
    """
    from echo_env.lab.simulation.metrics import metrics_of

    typed = numbers("--objective", options.objective, "weight", 1.0)
    weights = {metric(name): weight for name, weight in typed.items()}
    protected = [] if options.protect == (NOTHING,) else [metric(name) for name in options.protect]
    allowance = {
        metric(name): most for name, most in numbers("--allow", options.allow, "most that it may rise").items()
    }
    for name, most in allowance.items():
        if most < 0:
            raise ValueError(f"--allow has {name}={most:g}, but the most that it may rise must be at least 0")
    if options.more and not weights:
        # As many more as fit at today's wait.
        weights, protected = {"served": -1.0}, [*protected, "overall_wait_min"]
    if ROSTER in options.decide and not {"paid_h", "cost"} & {*protected, *allowance, *weights}:
        protected.append("paid_h")
    if BREAKS in options.decide:
        # To put lunch off until it is late is no improvement.
        protected += [name for name in ("lunches_late", "lunches_missed") if name in metrics_of(config)]
    return weights or {"waiting_penalty": 1.0}, tuple(dict.fromkeys(protected)), allowance


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


def _check(options: OptimiseOptions) -> None:
    """Refuse kinds that do not exist, and options that nothing would read."""
    for kind in options.decide:
        if kind not in KINDS:
            raise ValueError(f"--decide has {kind!r}{did_you_mean(kind, KINDS)}, but must be of {', '.join(KINDS)}")
    if options.grid < 1:
        raise ValueError(f"--grid is {options.grid}, but must be at least 1")
    for kind, name in ((kind, name) for kind, names in _READ_BY.items() for name in names):
        value, flag = getattr(options, name), f"--{name.replace('_', '-')}"
        if value not in (None, ()) and kind not in options.decide:
            raise ValueError(f"{flag} is for --decide {kind}, which is not decided here")
        if isinstance(value, int) and value < 0:
            raise ValueError(f"{flag} is {value}, but must be at least 0")


def _template(options: OptimiseOptions, config: Lab) -> Decision:
    from echo_env.lab.optimise import template

    def minute(flag: str, text: str) -> int:
        try:
            since_opening = read_clock(text) - config.hours.opening_min
        except ValueError:
            since_opening = -1
        if not 0 <= since_opening <= config.hours.closing_min:
            opens, closes = config.hours.clock(0), config.hours.clock(config.hours.closing_min)
            raise ValueError(f"{flag} has {text!r}, but must be a time from {opens} to {closes}")
        return since_opening

    windows = {}
    for item in options.window:
        name, equals, span = item.partition("=")
        begin, dash, until = span.partition("-")
        if not (equals and dash):
            raise ValueError(f"--window has {item!r}, but must be TYPE=FROM-UNTIL, such as fetal=09:00-15:00")
        windows[name] = minute("--window", begin), minute("--window", until)
    latest = None if options.latest is None else minute("--latest", options.latest)
    held = frozenset(minute("--hold", text) for text in options.hold)
    more = numbers("--more", options.more, "number of patients")
    for name, number in more.items():
        if not number.is_integer():
            raise ValueError(f"--more has {name}={number:g}, but the number of patients must be a whole number")
    further = {name: int(number) for name, number in more.items()}
    return template(config, options.grid, latest, held, windows, options.at_once, further)
