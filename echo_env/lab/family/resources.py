"""Rooms and staff of random labs: who can do what, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from echo_env.lab.family.family import LabFamily


@dataclass(frozen=True)
class Group:
    """Rooms or members of staff who are alike.

    :param count: how many
    :param can: bit set of exam types, bit k for type k
    """

    count: int
    can: int


def nested(family: LabFamily, rng: np.random.Generator, kinds: int) -> tuple[list[Group], list[Group]]:
    """Rooms and staff whose capabilities are chains: the first types are those that few can do.

    :param family: the settings
    :param rng: source of all choices
    :param kinds: number of exam types
    :return: groups of rooms, groups of staff
    """
    staff = int(rng.integers(family.staff[0], family.staff[1] + 1))
    return _chain(rng, _rooms_for(rng, staff), kinds), _chain(rng, staff, kinds)


def crossing(family: LabFamily, rng: np.random.Generator, kinds: int) -> tuple[list[Group], list[Group]]:
    """Rooms and staff with any capabilities; every type has a room and a member. Parameters as :func:`nested`."""
    staff = int(rng.integers(family.staff[0], family.staff[1] + 1))
    groups = [_crossing(rng, count, kinds) for count in (_rooms_for(rng, staff), staff)]
    if rng.random() < 0.35:
        # Rooms are all alike.
        groups[0] = [Group(sum(group.count for group in groups[0]), (1 << kinds) - 1)]
    return groups[0], groups[1]


def _rooms_for(rng: np.random.Generator, staff: int) -> int:
    return max(int(np.rint(staff * rng.uniform(0.75, 1.35))), 1)


def _parts(rng: np.random.Generator, count: int, parts: int) -> list[int]:
    """Whole numbers from 1 that add up to the count; no more than there are."""
    parts = min(parts, count)
    cuts = np.sort(rng.choice(np.arange(1, count), parts - 1, replace=False)) if parts > 1 else np.array([], dtype=int)
    return np.diff(np.concatenate([[0], cuts, [count]])).astype(int).tolist()


def _chain(rng: np.random.Generator, count: int, kinds: int) -> list[Group]:
    """The first group can do everything, each further one leaves out more of the first types."""
    every = (1 << kinds) - 1
    sizes = _parts(rng, count, int(rng.integers(1, min(kinds, 4) + 1)) if kinds != 2 else 2)
    left_out = np.sort(rng.choice(np.arange(1, max(kinds, 2)), len(sizes) - 1, replace=False))
    cans = [every, *(every >> int(k) << int(k) for k in left_out)]
    if kinds == 2 and len(sizes) == 2 and rng.random() < 0.6:
        sizes.sort()
    return [Group(size, can) for size, can in zip(sizes, cans, strict=True)]


def _crossing(rng: np.random.Generator, count: int, kinds: int) -> list[Group]:
    every = (1 << kinds) - 1
    sizes = _parts(rng, count, int(rng.integers(2, 5)))
    share = rng.uniform(0.3, 0.9)
    cans = [int(sum(1 << k for k in range(kinds) if rng.random() < share)) for _ in sizes]
    cans = [can or 1 << int(rng.integers(kinds)) for can in cans]
    for k in range(kinds):
        if not any(can >> k & 1 for can in cans):
            cans[int(rng.integers(len(cans)))] |= 1 << k
    if rng.random() < 0.3:
        cans[int(rng.integers(len(cans)))] = every
    return [Group(size, can) for size, can in zip(sizes, cans, strict=True)]


def _names(can: int) -> list[str]:
    return [f"type_{k}" for k in range(can.bit_length()) if can >> k & 1]


def room_group(rng: np.random.Generator, group: Group, closing: int, plain: bool) -> dict[str, Any]:
    """The config of a group of rooms.

    :param rng: source of all choices
    :param group: how many, and what they can do
    :param closing: minutes since opening
    :param plain: without cleaning and closures
    """
    data: dict[str, Any] = {"count": group.count, "exam_types": _names(group.can)}
    if not plain and rng.random() < 0.3:
        data["turnover_min"] = int(rng.integers(3, 13))
    if not plain and rng.random() < 0.1:
        begin = 15 * int(rng.integers(0, closing // 15 - 3))
        data["closed"] = [{"from_min": begin, "until_min": begin + 15 * int(rng.integers(1, 4))}]
    return data


def staff_group(rng: np.random.Generator, group: Group, closing: int, end: int, plain: bool) -> dict[str, Any]:
    """The config of a group of staff.

    :param rng: source of all choices
    :param group: how many, and what they can do
    :param closing: minutes since opening
    :param end: end of the day, likewise
    :param plain: without shifts, lunches, planned breaks, and members on call
    """
    data: dict[str, Any] = {"count": group.count, "exam_types": _names(group.can)}
    if rng.random() < 0.7:
        data["absence_rate"] = float(rng.choice([0.03, 0.05, 0.1, 0.1, 0.2, 0.3]))
        data["always_present"] = int(rng.integers(0, min(group.count, 2) + 1))
    if rng.random() < 0.75:
        both = float(np.round(rng.uniform(0, 0.4), 2))
        data["breaks"] = {
            "minutes": int(rng.choice([5, 10, 15, 15, 20, 30])),
            "number": int(rng.choice([1, 2, 2])),
            "both_probability": both,
            "one_probability": float(np.round(rng.uniform(0, 1 - both), 2)),
            "last_probability": float(np.round(rng.random(), 2)),
        }
    if plain:
        return data
    begin, until = 0, end
    if rng.random() < 0.35:
        begin = 30 * int(rng.integers(0, closing // 90))
        until = min(begin + 30 * int(rng.integers(closing // 60, closing // 30 + 3)), end)
        data["shift"] = {
            "from_min": begin,
            "until_min": until,
            "starts_past_end": bool(until < closing or rng.random() < 0.6),
            "hand_over": bool(rng.random() < 0.3),
        }
    if rng.random() < 0.4:
        noon = begin + (until - begin) * 2 // 5
        window = int(rng.choice([60, 90, 120]))
        if noon + window < until:
            data["lunch"] = {"from_min": noon, "until_min": noon + window, "minutes": int(rng.choice([20, 30, 30]))}
            if rng.random() < 0.4:
                data["lunch"] |= {"at_once": int(rng.integers(1, 3)), "put_off": bool(rng.random() < 0.5)}
    if rng.random() < 0.15:
        breaks = data.setdefault("breaks", {"minutes": 15})
        breaks["planned"] = sorted(int(m) for m in rng.integers(begin, until - 30, rng.integers(1, 3)))
    if rng.random() < 0.1:
        data["on_call"] = {"count": 1, "from_min": begin + 30 * int(rng.integers(0, 4))}
    return data
