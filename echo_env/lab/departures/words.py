"""Differences between decisions, and the states they are made in, in words."""

from __future__ import annotations

from collections.abc import Sequence

from echo_env.lab.simulation.patient import PatientClass


def kind_in_words(difference: Sequence[int], other: str) -> str:
    """Kind of a departure: ``serves a late fetal patient where policy_2 serves an on-time non-fetal one``.

    :param difference: (6,) by class, exams begun minus exams that the other policy would begin
    :param other: name of the other policy
    :return: empty where there is no difference
    """
    more, fewer = ([max(sign * count, 0) for count in difference] for sign in (1, -1))
    if any(more) and any(fewer):
        return f"serves {_patients(more)} where {other} serves {_patients(fewer, 'one')}"
    if any(more):
        return f"serves {_patients(more)}, whom {other} leaves waiting"
    if any(fewer):
        return f"leaves {_patients(fewer)} waiting, whom {other} serves"
    return ""


def waiting_in_words(counts: Sequence[int], numbered: bool = True) -> str:
    """``2 fetal on time, 1 non-fetal late``.

    :param counts: (6,) patients waiting, by class
    :param numbered: with their numbers, else only the classes
    """
    present = [(count, kind.label) for count, kind in zip(counts, PatientClass, strict=True) if count]
    return ", ".join(f"{count} {label}" if numbered else label for count, label in present)


def free_in_words(free: Sequence[int]) -> str:
    """``1 fetal room, 2 non-fetal sonographers``: resources of which at least one is free.

    :param free: free rooms (non-fetal, fetal-capable), then free sonographers (the same)
    """
    named = zip(("non-fetal room", "fetal room", "non-fetal sonographer", "fetal sonographer"), free, strict=True)
    return ", ".join(f"{count} {name}{'s' * (count > 1)}" for name, count in named if count)


def _patients(counts: Sequence[int], noun: str = "patient") -> str:
    """``a late fetal patient and 2 early non-fetal patients``."""
    words = []
    for kind, count in zip(PatientClass, counts, strict=True):
        if count:
            # ``non-fetal on time`` -> ``on-time non-fetal``
            which, _, when = kind.label.partition(" ")
            article = "an" if when[0] in "aeiou" else "a"
            amount = str(count) if count > 1 else article
            words.append(f"{amount} {when.replace(' ', '-')} {which} {noun}{'s' * (count > 1)}")
    return " and ".join(words)
