"""Short names of appointment books and lists of times: what differs from the base lab's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, Literal

from echo_env.lab.config import KINDS, Appointments, ConfigError, ExamKind, Lab, LabConfig
from echo_env.lab.sweep.book import OWN, template_of
from echo_env.lab.sweep.kinds import Field, Kind

_BOOK: tuple[tuple[Literal["fetal", "non_fetal"], str], ...] = (("fetal", "fetal"), ("non_fetal", "non-fetal"))
LISTED = 2
"""Most times that a name lists; further changes are counted."""


def labels_of(field: Field, values: Sequence[Any], own: Any, config: Lab) -> dict[Any, str]:
    """Short names of the values of a field that are long to write; empty for other fields.

    A list of times, and the book of a template, are named by their difference to the base lab's, such as
    ``non-fetal 10:30 -> 08:00`` or ``3 fewer fetal``; the base lab's own is ``own``. Where two values would have the
    same name, the file's name or a number is added.

    :param field: the field
    :param values: its values in the sweep
    :param own: the base lab's value
    :param config: the base lab
    """
    if field.kind is Kind.TIMES:
        described = {value: changes(own, value) for value in values}
    elif field.kind is Kind.FILE and isinstance(config, LabConfig):
        described = {value: _template_changes(value, config) for value in values}
    else:
        return {}
    counts = Counter(described.values())
    names = {value: text if counts[text] == 1 else f"{text} ({_tag(value, place)})"
             for place, (value, text) in enumerate(described.items(), start=1)}  # fmt: skip
    if len(set(names.values())) < len(names):
        names = {value: f"{text} (value {place})" for place, (value, text) in enumerate(described.items(), start=1)}
    return {**names, own: OWN}


def _tag(value: Any, place: int) -> str:
    """What tells two values with the same description apart."""
    return PurePath(value).stem if isinstance(value, str) else f"value {place}"


def changes(own: Sequence[int | None], times: Sequence[int | None], kind: str = "") -> str:
    """How a list of appointments differs from the base lab's.

    >>> changes((480, 630), (480, 480)), changes((480, 630), (480,), "fetal"), changes((480,), (480,))
    ('10:30 -> 08:00', 'fetal without 10:30', 'own')
    >>> changes((480, 500, 520, 540), (480,), "fetal"), changes((480, 500, 520), (490, 510))
    ('3 fewer fetal', '1 fewer, 2 moved')

    :param own: the base lab's, minutes after midnight; None in places that are left empty
    :param times: likewise
    :param kind: name of the kind of appointments, for lists of several kinds
    """
    before, after = (Counter(time for time in each if time is not None) for each in (own, times))
    removed, added = sorted((before - after).elements()), sorted((after - before).elements())
    if not removed and not added:
        # Other places for the same times: other patients come then.
        return OWN if tuple(own) == tuple(times) else f"{kind} in another order".strip()
    name = f" {kind}" if kind else ""
    if len(removed) == len(added) == 1:
        return f"{kind} {_clock(removed[0])} -> {_clock(added[0])}".strip()
    if len(removed) + len(added) <= LISTED:
        return f"{kind} {'without' if removed else 'plus'} {' '.join(map(_clock, removed or added))}".strip()
    moved, surplus = min(len(removed), len(added)), len(added) - len(removed)
    parts = [f"{abs(surplus)} {'more' if surplus > 0 else 'fewer'}{name}"] if surplus else []
    return ", ".join([*parts, *([f"{moved}{name} moved"] if moved else [])])


def _template_changes(source: str, config: LabConfig) -> str:
    """How the book of a template differs from the base lab's; its name where it cannot be had."""
    try:
        book = config.appointments if source == OWN else template_of(source, config.hours)
    except ConfigError:
        return source
    parts = [
        changes(
            _after_midnight(config.appointments, kind, config),
            _after_midnight(book, kind, config),
            kind.replace("_", "-"),
        )
        for kind in KINDS
    ]
    return ", ".join(part for part in parts if part != OWN) or OWN


def _after_midnight(book: Appointments, kind: ExamKind, config: LabConfig) -> list[int]:
    return [config.hours.opening_min + time for time in book.times(kind)]


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


_UNITS = (
    ("_min", "minutes"),
    ("_rate", "probability"),
    ("_probability", "probability"),
    ("scale", "factor"),
    ("per_day", "patients a day"),
)
"""End of a field's name -> its unit; elsewhere whole numbers are counts, and weights of the penalty are points."""


def in_words(field: Field) -> str:
    """A field for the axis of a figure, in plain words with its unit: ``rooms: non-fetal (number)``.

    >>> from echo_env.lab import load_lab
    >>> from echo_env.lab.sweep.fields import find_field
    >>> in_words(find_field("sonographers.absence_rate", load_lab("scarce")))
    'sonographers: absence rate (probability)'

    :param field: the field
    """
    *place, last = field.path.split(".")
    unit = next((unit for end, unit in _UNITS if last.endswith(end)), "")
    name = last.removesuffix("_min") if unit == "minutes" else last
    if field.is_numeric and not unit:
        unit = "points" if place[:1] == ["penalty"] else "number" if field.kind is Kind.WHOLE else ""
    words = ": ".join((*place, name)).replace("non_fetal", "non-fetal").replace("_", " ")
    return f"{words} ({unit})" if unit else words
