"""Advice in sentences."""

from __future__ import annotations

from typing import Any

from echo_env.common.stats import Estimate
from echo_env.lab.advice.advice import Advice
from echo_env.lab.advice.deciding import Step
from echo_env.lab.advice.ranking import Alternative
from echo_env.lab.advice.state import Standing
from echo_env.lab.config import LabConfig
from echo_env.lab.config.lab import Lab
from echo_env.lab.departures.words import class_in_words
from echo_env.lab.simulation.duties import Status
from echo_env.lab.simulation.patient import Start, WaitingPatient
from echo_env.lab.simulation.view import LabView


def member_word(config: Lab) -> str:
    """What members of staff are called: ``sonographer`` in the paper's lab, ``staff`` in others.

    :param config: the lab
    """
    return "sonographer" if isinstance(config, LabConfig) else "staff"


def standing_lines(standing: Standing) -> list[str]:
    """Who waits, what is free, and who is away.

    :param standing: the state
    """
    view, clock = LabView(standing.whiteboard), standing.config.hours.clock
    word = member_word(standing.config)
    people = "sonographers" if word == "sonographer" else word
    waiting = [
        f"{standing.patients[own.patient]} ({class_in_words(standing.config, own.patient_class)}, {_waited(own, view)})"
        for own in view.waiting()
    ]
    lines = [
        f"At {clock(view.minute)} {len(waiting)} wait{'s' * (len(waiting) == 1)}: {', '.join(waiting) or 'nobody'}"
    ]
    rooms = [standing.rooms[room] for room in sorted(view.idle_rooms)]
    staff = [standing.staff[member] for member in sorted(view.idle_staff)]
    lines.append(f"Free rooms: {', '.join(rooms) or 'none'}. Free {people}: {', '.join(staff) or 'none'}")
    away = []
    for member, name in enumerate(standing.staff):
        status, since = view.status(member), view.break_since(member)
        if since is not None:
            away.append(f"{name} {'at lunch' if status == Status.AT_LUNCH else 'on break'} since {clock(since)}")
        elif status in (Status.ABSENT, Status.OFF_DUTY):
            away.append(f"{name} {'absent' if status == Status.ABSENT else 'off duty'}")
    return [*lines, *([f"Away: {', '.join(away)}"] if away else [])]


def advice_lines(advice: Advice) -> list[str]:
    """The next starts, each with its reason.

    :param advice: the advice
    """
    steps = advice.decision.steps
    if not steps:
        waits = any(LabView(advice.standing.whiteboard).waiting_counts)
        return ["Nobody can begin now: " + ("no free room and member of staff suit them" if waits else "nobody waits")]
    lines = []
    for step, others in zip(steps, advice.ranking.alternatives, strict=True):
        lines.append(f"{_decided(advice, step)}: {_reason(advice, step, others)}")
        lines += [f"  {comparison(advice.standing, step, other)}" for other in others[1:]]
    return lines


def _decided(advice: Advice, step: Step) -> str:
    standing = advice.standing
    if step.kept is not None:
        kind = standing.config.plan.types[step.kept[0]].name.replace("_", "-")
        word = "sonographer" if isinstance(standing.config, LabConfig) else "member of staff"
        return f"Keep the last free room and {word} for {kind} patients, for {step.kept[1]} min at most"
    if step.entry is None:
        return "Nobody else now" if advice.decision.starts else "Nobody now"
    patient = standing.patients[step.entry.patient]
    place = place_of(standing, advice.decision.starts[step.entry.patient])
    return f"{place} for patient {patient}, {_who(step.entry, LabView(standing.whiteboard))}"


def place_of(standing: Standing, start: Start) -> str:
    """``Room 3 and sonographer 2``.

    :param standing: the state
    :param start: what is advised
    """
    return f"Room {standing.rooms[start.room]} and {member_word(standing.config)} {standing.staff[start.sonographer]}"


def _reason(advice: Advice, step: Step, others: list[Alternative]) -> str:
    if others:
        return comparison(advice.standing, step, others[0])
    return "nobody else who waits could begin instead"


def comparison(standing: Standing, step: Step, other: Alternative) -> str:
    """``on average 12.3 points better than patient 19 first, between 8.1 and 16.5``.

    :param standing: the state
    :param step: what was decided
    :param other: what could be decided instead
    """
    patient = f"patient {standing.patients[other.entry.patient]}"
    instead = f"{patient} {'now' if step.stops else 'first'}"
    gain = other.gain
    if other.same:
        return f"the same in every case as {instead}"
    if gain.low > 0:
        return f"on average {gain.mean:.1f} points better than {instead}, between {gain.low:.1f} and {gain.high:.1f}"
    if gain.high < 0:
        words = f"between {-gain.high:.1f} and {-gain.low:.1f}"
        return f"on average {-gain.mean:.1f} points worse than {instead}, {words}"
    side = "better" if gain.mean >= 0 else "worse"
    ends = f"between {-gain.low:.1f} worse and {gain.high:.1f} better"
    return f"no clear difference to {instead}: on average {abs(gain.mean):.1f} points {side}, {ends}"


def method_lines(advice: Advice) -> list[str]:
    """How the numbers came about.

    :param advice: the advice
    """
    lines = [f"Advice of {advice.policy}; you decide."]
    if advice.ranking.draws:
        law = advice.standing.config.penalty
        lines.append(
            f"Points are those of the lab's penalty ({law.on_time:g} a minute for an on-time patient who waits, "
            f"{law.late:g} for a late one, times the type's weight), to the end of the day: means over "
            f"{advice.ranking.draws} draws of what is unknown, with {advice.ranking.afterwards} deciding afterwards, "
            "and 95 % intervals of these means."
        )
    return lines + ([f"Note: {advice.note}."] if advice.note else [])


def as_json(advice: Advice) -> dict[str, Any]:
    """The advice as plain values.

    :param advice: the advice
    """
    standing = advice.standing
    decided = []
    for step, others in zip(advice.decision.steps, advice.ranking.alternatives, strict=True):
        own: dict[str, Any] = {"decision": "keep" if step.kept else "start" if step.entry else "stop"}
        if step.entry is not None:
            start = advice.decision.starts[step.entry.patient]
            own |= {"patient": standing.patients[start.patient], "room": standing.rooms[start.room]}
            own["staff"] = standing.staff[start.sonographer]
        own["words"] = f"{_decided(advice, step)}: {_reason(advice, step, others)}"
        own["alternatives"] = [
            {"patient": standing.patients[other.entry.patient], "points_better": _rounded(other.gain)}
            for other in others
        ]
        decided.append(own)
    clock = standing.config.hours.clock(standing.whiteboard.minute)
    return {
        "at": clock,
        "lab": standing.config.name,
        "policy": advice.policy,
        "draws": advice.ranking.draws,
        "decided_afterwards_by": advice.ranking.afterwards,
        "advice": decided,
        "note": advice.note,
    }


def _rounded(gain: Estimate) -> dict[str, float]:
    return {"mean": gain.mean, "low": gain.low, "high": gain.high}


def _who(entry: WaitingPatient, view: LabView) -> str:
    return f"who {_waited(entry, view, 'has waited')}"


def _waited(entry: WaitingPatient, view: LabView, word: str = "waited") -> str:
    minutes = view.minute - entry.since_min
    if minutes >= 0:
        return f"{word} {minutes} min"
    return f"{'is ' if word != 'waited' else ''}{-minutes} min early"
