"""Random labs of the general form, small enough to be played fast: for equality of engines, masks and invariants."""

from __future__ import annotations

from typing import Any

import numpy as np

from echo_env.common.config_model import build
from echo_env.lab.config import IDLE_RULES, GeneralLabConfig

MOST_TYPES, MOST_ROOMS, MOST_STAFF = 8, 12, 14


def random_lab(rng: np.random.Generator) -> GeneralLabConfig:
    """Any valid lab: up to 8 exam types, 12 rooms and 14 members of staff, with everything that a lab can have.

    Capabilities are nested in some labs and cross in others; short days make shifts, lunches and closures meet exams.
    Deterministic in the state of the generator.

    :param rng: source of all choices
    """
    closing = int(rng.integers(30, 241))
    end = closing + int(rng.integers(0, 91))
    names = [f"type_{k}" for k in range(rng.integers(1, MOST_TYPES + 1) if rng.random() < 0.7 else 2)]
    rooms = {f"rooms_{g}": _rooms(rng, size, end) for g, size in enumerate(_sizes(rng, MOST_ROOMS))}
    staff = {f"staff_{g}": _staff(rng, size, end) for g, size in enumerate(_sizes(rng, MOST_STAFF))}
    for groups in (rooms, staff):
        for group, can in zip(groups.values(), _capabilities(rng, len(names), len(groups)), strict=True):
            group["exam_types"] = [name for k, name in enumerate(names) if can >> k & 1]
    kinds = {name: _exam_type(rng, closing, most=24 // len(names) + 1) for name in names}
    if not any(any(time is not None for time in kind["appointments"]) for kind in kinds.values()):
        kinds[names[0]]["appointments"] = [0]
    if _some(rng, 0.2):
        _without_roster(rooms, staff)
    _make_possible(rng, kinds, rooms, staff)
    points = rng.integers(0, 12, 7)
    weights = ("on_time", "late", "overtime", "idle", "turned_away", "left_waiting", "staff_overtime")
    if _some(rng, 0.3):
        _rebook(rng, kinds)
    data = {
        "name": "random",
        "hours": {"opening_min": int(rng.integers(0, 600)), "closing_min": closing, "end_min": end},
        "arrival": _arrival(rng),
        "exam": _exam(rng),
        "exam_types": kinds,
        "room_groups": rooms,
        "staff_groups": staff,
        "penalty": {
            **dict(zip(weights, points.tolist(), strict=True)),
            "idle_rule": IDLE_RULES[rng.integers(len(IDLE_RULES))],
        },
    }
    _put_off(rng, staff)
    return build(GeneralLabConfig, data)


def _some(rng: np.random.Generator, share: float) -> bool:
    return bool(rng.random() < share)


def _minute(rng: np.random.Generator, low: int, high: int) -> int:
    """A minute from low to high, both included."""
    return int(rng.integers(low, high + 1))


def _sizes(rng: np.random.Generator, most: int) -> list[int]:
    """Sizes of one to four groups, some of them empty; at least one in all, and no more than the most."""
    sizes: list[int] = []
    for _ in range(rng.integers(1, 5)):
        sizes.append(min(_minute(rng, 0, 4), most - sum(sizes)))
    return sizes if any(sizes) else [1]


def _capabilities(rng: np.random.Generator, kinds: int, groups: int) -> list[int]:
    """A bit set for each group: nested, all alike, or any."""
    every = (1 << kinds) - 1
    form = rng.random()
    if form < 0.2:
        return [every] * groups
    if form < 0.45:
        # A chain: each set leaves out the first so many types of one order.
        order = rng.permutation(kinds)
        return [int(sum(1 << int(k) for k in order[rng.integers(0, kinds) :])) for _ in range(groups)]
    return [int(rng.integers(1, every + 1)) for _ in range(groups)]


def _exam(rng: np.random.Generator) -> dict[str, Any]:
    shortest = float(np.round(rng.uniform(0, 15), 1))
    mean, width = np.round(rng.uniform(2, 40), 1), np.round(rng.uniform(1, 90), 1)
    return {
        "shape": float(np.round(rng.uniform(0.4, 20), 2)),
        "mean_min": float(mean),
        "shortest_min": shortest,
        "longest_min": shortest + float(width),
    }


def _arrival(rng: np.random.Generator) -> dict[str, Any]:
    law: dict[str, Any] = {
        "no_show_rate": float(rng.choice([0, 0.1, 0.5])),
        "late_share": float(np.round(rng.random(), 2)),
        "late_mean_min": float(rng.integers(0, 40)),
        "early_mean_min": float(rng.integers(1, 30)),
        "early_max_min": float(rng.integers(0, 60)),
        "on_time_margin_min": _minute(rng, 0, 20),
    }
    if _some(rng, 0.2):
        law |= {"model": "empirical", "offsets_min": rng.integers(-60, 60, rng.integers(1, 6)).tolist()}
    return law


def _exam_type(rng: np.random.Generator, closing: int, most: int) -> dict[str, Any]:
    times: list[int | None] = [_minute(rng, 0, closing) for _ in range(rng.integers(0, most + 1))]
    times = [None if _some(rng, 0.1) else time for time in times]
    kind: dict[str, Any] = {
        "appointments": times,
        "weight": int(rng.choice([1, 1, 2, 7, 100])),
        "check_in_lead_min": int(rng.choice([0, 0, 15, 40])),
        "may_begin_early": _some(rng, 0.6),
    }
    if _some(rng, 0.3):
        kind["exam"] = _exam(rng)
    if _some(rng, 0.3):
        kind["arrival"] = {"no_show_rate": float(np.round(rng.random(), 2)), "on_time_margin_min": _minute(rng, 0, 15)}
    if _some(rng, 0.4):
        kind["preparation"] = {"minutes": _minute(rng, 0, 30)} if _some(rng, 0.5) else _exam(rng)
    if _some(rng, 0.4):
        hours = [minute for minute in range(_minute(rng, 0, 50), closing, 60) if _some(rng, 0.7)]
        kind["unscheduled"] = {minute: float(np.round(rng.uniform(0, 2), 2)) for minute in hours}
    return kind


def _rooms(rng: np.random.Generator, count: int, end: int) -> dict[str, Any]:
    group: dict[str, Any] = {"count": count}
    if _some(rng, 0.3):
        group["turnover_min"] = _minute(rng, 1, 20)
    if _some(rng, 0.3):
        begins = [_minute(rng, 0, end - 1) for _ in range(rng.integers(1, 4))]
        # The last minute of the day is always open, so that the rooms are of some use.
        group["closed"] = [
            {"from_min": begin, "until_min": _minute(rng, begin + 1, min(end - 1, begin + 60))}
            for begin in begins
            if begin + 1 <= end - 1
        ]
    return group


def _staff(rng: np.random.Generator, size: int, end: int) -> dict[str, Any]:
    called = _minute(rng, 1, size - 1) if size > 1 and _some(rng, 0.3) else 0
    count, begin, until = size - called, 0, end
    group: dict[str, Any] = {"count": count}
    if _some(rng, 0.5) and end > 2:
        begin = _minute(rng, 0, end // 2)
        until = _minute(rng, begin + 1, end)
        group["shift"] = {"from_min": begin, "starts_past_end": _some(rng, 0.3), "hand_over": _some(rng, 0.5)}
        if _some(rng, 0.9):
            group["shift"]["until_min"] = until
        else:
            until = end
    if _some(rng, 0.4):
        opens = _minute(rng, begin, until - 1)
        closes = _minute(rng, opens + 1, until)
        group["lunch"] = {"from_min": opens, "until_min": closes, "minutes": _minute(rng, 1, min(closes - opens, 40))}
        if _some(rng, 0.5):
            group["lunch"]["at_once"] = _minute(rng, 1, 2)
    if _some(rng, 0.6):
        both = float(np.round(rng.random(), 2))
        group["breaks"] = {
            "minutes": _minute(rng, 1, 20),
            "number": _minute(rng, 0, 2),
            "both_probability": both,
            "one_probability": float((1 - both) * rng.random()),
            "last_probability": float(rng.random()),
            "planned": [_minute(rng, begin, until - 1) for _ in range(rng.choice([0, 0, 1, 2]))],
        }
    if _some(rng, 0.5):
        group |= {"absence_rate": float(rng.choice([0.1, 0.5, 1])), "always_present": _minute(rng, 0, count)}
    if called:
        group["on_call"] = {"count": called, "from_min": _minute(rng, 0, until - 1)}
    return group


def _put_off(rng: np.random.Generator, staff: dict[str, Any]) -> None:
    """Let lunches and planned breaks of some groups be put off, in place."""
    for group in staff.values():
        if "lunch" in group:
            group["lunch"]["put_off"] = _some(rng, 0.4)
        if group.get("breaks", {}).get("planned"):
            group["breaks"]["put_off_min"] = int(rng.choice([0, 1, 5, 30, 200]))


def _without_roster(rooms: dict[str, Any], staff: dict[str, Any]) -> None:
    """Leave out all that happens at a time of day, in place."""
    for group in (*rooms.values(), *staff.values()):
        for name in ("turnover_min", "closed", "shift", "lunch", "on_call"):
            group.pop(name, None)
        group.get("breaks", {}).pop("planned", None)


def _rebook(rng: np.random.Generator, kinds: dict[str, Any]) -> None:
    """Rebook some appointments when one, two or three are absent, in place."""
    for kind in kinds.values():
        plan: dict[int, list[int]] = {}
        for time in kind["appointments"]:
            if time is not None and _some(rng, 0.5):
                plan.setdefault(_minute(rng, 1, 3), []).append(time)
        kind["rebook_when_absent"] = plan


def _make_possible(
    rng: np.random.Generator, kinds: dict[str, Any], rooms: dict[str, Any], staff: dict[str, Any]
) -> None:
    """Give every exam type a room, and a member of staff who may begin it, in place."""
    for groups in (rooms, staff):
        for name in kinds:
            able = [group for group in groups.values() if group["count"]]
            having = [group for group in able if name in group["exam_types"]]
            chosen = having[0] if having else able[rng.integers(len(able))]
            if not having:
                chosen["exam_types"].append(name)
            if "shift" in chosen and not any("shift" not in group for group in having):
                chosen["shift"]["starts_past_end"] = True
