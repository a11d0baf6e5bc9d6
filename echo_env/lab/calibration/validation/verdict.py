"""What the lab may be used for, in sentences with their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from echo_env.lab.calibration.validation.agreement import Agreement, RuleFit, Unexplained
from echo_env.lab.calibration.validation.exams import TOLERANCE_MIN, words_of
from echo_env.lab.calibration.validation.predictive import Check
from echo_env.lab.config.clock import clock_text

LITTLE_QUEUE_MIN = 2.0
"""If patients who are ready wait for fewer minutes than these, the record says nothing about scarce rooms and staff."""


class Answer(NamedTuple):
    """What the record says about one use of the lab.

    :param question: the use, as in files
    :param good: whether the lab is good enough for it; None if the record does not tell
    :param sentence: the same in words, with its numbers
    """

    question: str
    good: bool | None
    sentence: str


class Evidence(NamedTuple):
    """What a verdict rests on.

    :param fits: the recorded days played again, by rule, the best first
    :param own: days of the lab itself, played again: what a lab that is right would show
    :param replay_checks: exam type, or empty for all -> the differences of both
    :param checks: recorded against simulated days
    :param unexplained: what the lab lacks between check-in and exam
    :param record: name of the record
    :param rooms: exam type -> rooms in which the record has it, and rooms that the lab has for it
    :param preparations: exam type, or empty for all -> recorded preparations, see
        :meth:`~echo_env.lab.calibration.validation.replay.Replayer.preparations`
    """

    fits: Sequence[RuleFit]
    own: RuleFit
    replay_checks: Mapping[str, Check]
    checks: Sequence[Check]
    unexplained: Unexplained
    record: str
    rooms: dict[str, tuple[int, int]]
    preparations: dict[str, tuple[int, float, float]]

    @property
    def number_of_checks(self) -> int:
        """How many checks share the probability of a wrong alarm."""
        return len(self.checks) + len(self.replay_checks)


def verdict(evidence: Evidence) -> tuple[Answer, ...]:
    """An answer for each use of a lab.

    :param evidence: what it rests on
    """
    fit = evidence.fits[0]
    waits = _waits(evidence, "waits", "how long patients wait", fit.every)
    types = [
        _waits(evidence, f"waits_{name}", f"how long {words_of(name)} patients wait", own, name)
        for name, own in sorted(fit.by_type.items())
        if len(fit.by_type) > 1
    ]
    return (
        waits,
        *types,
        _days(evidence, "delays", "how late exams begin", ("delay_min", "late_share")),
        _days(evidence, "days", "how many patients a day has and when it ends", ("exams", "last_end_min")),
        _days(evidence, "load", "how busy rooms are", ("at_once", "utilisation")),
        _flow(evidence, waits),
        _capacity(evidence, waits),
    )


def unexplained_sentences(evidence: Evidence) -> tuple[str, ...]:
    """What remains unexplained of the way from check-in to exam.

    :param evidence: what it rests on
    """
    every, found = evidence.fits[0].every, evidence.unexplained
    sentences = []
    if _lacks(found):
        sentences.append(
            f"{_missing(found)}: with that, begins differ from those seen by {found.error_with:.1f} minutes on "
            f"average, in place of {found.error:.1f}."
        )
    right = evidence.own.every.error
    rest = "; most of what makes single exams early or late is not in the lab" if every.error > 2 * right + 1 else ""
    sentences.append(
        f"Of the {every.seen_wait:.1f} minutes that patients wait from check-in the lab has {every.simulated_wait:.1f} "
        f"when their days are played again; the begins of single exams differ by {every.error:.1f} minutes on average, "
        f"and would by {right:.1f} if the lab were right{rest}."
    )
    return tuple(sentences)


def _waits(evidence: Evidence, question: str, use: str, replayed: Agreement, type_name: str = "") -> Answer:
    check = _named(evidence.checks, f"wait_{type_name}_min" if type_name else "wait_min")
    again = evidence.replay_checks[type_name]
    judged = (_judged(again, evidence.number_of_checks), _judged(check, evidence.number_of_checks))
    told = (
        f"played again with the rooms and staff seen, {_patients(replayed.n)} wait {replayed.simulated_wait:.1f} "
        f"minutes from check-in, {replayed.seen_wait:.1f} in the record ({_as_if_right(again)}{_correlation(replayed)})"
        f"; {_against(check)}"
    )
    if judged[0] is not False and judged[1] is False:
        told += f"; {_what_differs(evidence, type_name)}"
    elif judged[0] is False and not type_name and _lacks(evidence.unexplained):
        told += f"; {_lower(_missing(evidence.unexplained))}"
    return _answer(question, use, _together(judged), told)


def _what_differs(evidence: Evidence, type_name: str) -> str:
    """Why simulated days differ where recorded days, played again, do not."""
    rooms, of_lab = evidence.rooms.get(type_name, (0, 0))
    if rooms > of_lab:
        return f"the record has such exams in {rooms} rooms, and the lab has {of_lab} for them"
    number, seen, lab = evidence.preparations[type_name]
    if number and abs(seen - lab) > TOLERANCE_MIN:
        return f"{number} recorded preparations end {seen:.0f} minutes after check-in, {lab:.0f} in the lab"
    return "what differs is who comes when, or which rooms and staff there are"


def _days(evidence: Evidence, question: str, use: str, names: tuple[str, ...]) -> Answer:
    checks = [_named(evidence.checks, name) for name in names]
    judged = tuple(_judged(check, evidence.number_of_checks) for check in checks)
    return _answer(question, use, _together(judged), "; ".join(map(_against, checks)))


def _flow(evidence: Evidence, waits: Answer) -> Answer:
    use, found = "what check-in times and preparation do to waits", evidence.unexplained
    if _lacks(found):
        return _answer("flow", use, False, _lower(_missing(found)))
    if waits.good:
        return _answer("flow", use, True, "check-in, preparation and appointment explain the waits seen")
    return _answer("flow", use, waits.good, "the waits as such are not shown to be right")


def _capacity(evidence: Evidence, waits: Answer) -> Answer:
    best, other = evidence.fits[0], evidence.fits[1]
    use = "how many rooms and staff are needed, or which rule is best"
    queue = (
        f"when the recorded days are played again, patients who are ready wait {best.every.queue:.1f} minutes for a "
        "room and somebody free"
    )
    if best.every.queue < LITTLE_QUEUE_MIN:
        alike = max(fit.every.error for fit in evidence.fits) - best.every.error < 0.1
        rules = ", and all rules fit the record alike" if alike else ""
        told = f"{queue}{rules}: how the hospital behaves when they are short is not in the record"
        return _answer("capacity", use, False, told)
    told = (
        f"{queue}, and the rule that fits best is {best.rule} (begins differ by {best.every.error:.1f} minutes on "
        f"average, under {other.rule} by {other.every.error:.1f})"
    )
    return _answer("capacity", use, waits.good, told)


def _answer(question: str, use: str, good: bool | None, told: str) -> Answer:
    begin = {
        True: f"Good enough for {use}: ",
        False: f"Do not use it for {use}, because ",
        None: f"Not shown to be good enough for {use}: ",
    }[good]
    return Answer(question, good, f"{begin}{told}.")


def _lacks(found: Unexplained) -> bool:
    """Whether something is missing that makes a difference."""
    better = found.error - found.error_with
    return better > 1 and better > 0.15 * found.error


def _missing(found: Unexplained) -> str:
    missing, minutes = found.missing, found.minutes
    early = "no exam begins before its appointment, which the lab allows"
    if not minutes:
        return f"In the record {early}"
    told = f"About {minutes} minutes between being ready, as the lab has it, and the exam are unexplained"
    kind = "as if the preparation took so much longer" if missing.preparation_min else "from when patients are ready"
    return f"{told}, {kind}" + (f"; and {early}" if missing.appointment else "")


def _judged(check: Check, checks: int) -> bool | None:
    if np.isnan(check.p):
        return None
    if not check.matters:
        return True
    return False if check.contradicts(checks) else None


def _together(judged: tuple[bool | None, ...]) -> bool | None:
    if False in judged:
        return False
    return None if None in judged else True


def _named(checks: Sequence[Check], name: str) -> Check:
    return next(check for check in checks if check.number.name == name)


def _against(check: Check) -> str:
    def text(value: float) -> str:
        return value_text(check.number.unit, value)

    simulated = f"{check.number.words} {text(check.simulated.mean)} in simulated days"
    if np.isnan(check.p):
        return f"{simulated}, while the record is not complete enough to say"
    days = f"{check.recorded.n} such days" if check.recorded.n > 1 else "one such day"
    expected = f"{days}: {text(check.low)} to {text(check.high)}, {_p(check)}"
    return f"{simulated}, {text(check.recorded.mean)} in the record ({expected})"


def value_text(unit: str, value: float) -> str:
    """A number in its unit: minutes and counts with one decimal, percent, or a clock time; a hyphen for nan.

    :param unit: of a :class:`~echo_env.lab.calibration.validation.exams.Number`
    :param value: the number
    """
    if np.isnan(value):
        return "-"
    if unit == "time":
        return clock_text(round(value))
    return f"{100 * value:.0f} %" if unit == "share" else f"{value:.1f}"


def _patients(n: int) -> str:
    return f"{n} patients" if n > 1 else "one patient"


def _correlation(replayed: Agreement) -> str:
    return "" if np.isnan(replayed.correlation) else f"; correlation {replayed.correlation:+.2f}"


def _as_if_right(check: Check) -> str:
    """The difference of a replay, and that in a lab that is right."""
    told = f"difference {check.recorded.mean:+.1f}"
    if np.isnan(check.p):
        return told
    return f"{told}, {check.low:+.1f} to {check.high:+.1f} if the lab were right, {_p(check)}"


def _p(check: Check) -> str:
    return "p < 0.01" if check.p < 0.01 else f"p = {check.p:.2f}"


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]
