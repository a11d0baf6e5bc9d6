"""Differences between decisions, and the states they are made in, in words."""

from __future__ import annotations

from collections.abc import Sequence

from echo_env.lab.config import LabConfig
from echo_env.lab.config.lab import Lab
from echo_env.lab.simulation.patient import CLASSES_PER_TYPE, Punctuality, class_label


def kind_in_words(config: Lab, difference: Sequence[int], other: str) -> str:
    """Kind of a departure: ``serves a late fetal patient where policy_2 serves an on-time non-fetal one``.

    :param config: the lab
    :param difference: (3 K,) by class, exams begun minus exams that the other policy would begin
    :param other: name of the other policy
    :return: empty where there is no difference
    """
    more, fewer = ([max(sign * count, 0) for count in difference] for sign in (1, -1))
    if any(more) and any(fewer):
        return f"serves {_patients(config, more)} where {other} serves {_patients(config, fewer, 'one')}"
    if any(more):
        return f"serves {_patients(config, more)}, whom {other} leaves waiting"
    if any(fewer):
        return f"leaves {_patients(config, fewer)} waiting, whom {other} serves"
    return ""


def class_in_words(config: Lab, kind: int) -> str:
    """A class of patients: ``non-fetal on time``.

    :param config: the lab
    :param kind: the class
    """
    return class_label(config.plan.types[kind // CLASSES_PER_TYPE].name, kind % CLASSES_PER_TYPE)


def waiting_in_words(config: Lab, counts: Sequence[int], numbered: bool = True) -> str:
    """``2 fetal on time, 1 non-fetal late``.

    :param config: the lab
    :param counts: (3 K,) patients waiting, by class
    :param numbered: with their numbers, else only the classes
    """
    present = [(count, class_in_words(config, kind)) for kind, count in enumerate(counts) if count]
    return ", ".join(f"{count} {label}" if numbered else label for count, label in present)


def free_in_words(config: Lab, free: Sequence[int]) -> str:
    """``1 fetal room, 2 non-fetal sonographers`` in the paper's lab, ``rooms: 1 large; staff: 2 early`` in others:
    resources of which at least one is free.

    :param config: the lab
    :param free: free rooms and then free members of staff, by group in the plan's order of columns
    """
    plan = config.plan
    if isinstance(config, LabConfig):
        named = zip(("non-fetal room", "fetal room", "non-fetal sonographer", "fetal sonographer"), free, strict=True)
        return ", ".join(f"{count} {name}{'s' * (count > 1)}" for name, count in named if count)
    rooms = [plan.room_groups[group].name for group in plan.room_columns]
    staff = [plan.staff_groups[group].name for group in plan.staff_columns]
    parts = []
    for what, names, counts in (("rooms", rooms, free[: len(rooms)]), ("staff", staff, free[len(rooms) :])):
        there = [f"{count} {name.replace('_', ' ')}" for name, count in zip(names, counts, strict=True) if count]
        parts += [f"{what}: {', '.join(there)}"] if there else []
    return "; ".join(parts)


def place_in_words(config: Lab, room_group: int, staff_group: int) -> str:
    """``fetal room, non-fetal sonographer`` in the paper's lab, ``large room, early staff`` in others.

    :param config: the lab
    :param room_group: where
    :param staff_group: with whom
    """
    plan, word = config.plan, "sonographer" if isinstance(config, LabConfig) else "staff"
    hyphen = "-" if isinstance(config, LabConfig) else " "
    room, staff = plan.room_groups[room_group].name, plan.staff_groups[staff_group].name
    return f"{room.replace('_', hyphen)} room, {staff.replace('_', hyphen)} {word}"


def _patients(config: Lab, counts: Sequence[int], noun: str = "patient") -> str:
    """``a late fetal patient and 2 early non-fetal patients``."""
    words = []
    for kind, count in enumerate(counts):
        if count:
            which = config.plan.types[kind // CLASSES_PER_TYPE].name.replace("_", "-")
            when = Punctuality(kind % CLASSES_PER_TYPE).name.lower().replace("_", "-")
            amount = str(count) if count > 1 else "an" if when[0] in "aeiou" else "a"
            words.append(f"{amount} {when} {which} {noun}{'s' * (count > 1)}")
    return " and ".join(words)
