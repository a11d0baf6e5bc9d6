"""The plan of a lab as the numbers that the kernel reads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.compiled import layout
from echo_env.lab.compiled.layout import Columns, Rules, Whole, columns_of
from echo_env.lab.config.lab import Lab
from echo_env.lab.config.plan import NEVER, LabPlan, RoomGroup, StaffGroup
from echo_env.lab.simulation.breaks import break_thresholds
from echo_env.lab.simulation.penalty import idle_rule_index


def plan_columns(plan: LabPlan) -> Columns:
    """Where counts by type and group stand.

    :param plan: of the lab
    """
    return columns_of(len(plan.types), len(plan.room_groups), len(plan.staff_groups))


def rules_of(config: Lab) -> Rules:
    """The numbers of a config that the kernel reads.

    :param config: the lab
    """
    plan = config.plan
    room_groups = [plan.room_groups[group] for group in plan.room_columns]
    staff_groups = [plan.staff_groups[group] for group in plan.staff_columns]
    return Rules(
        at=plan_columns(plan),
        whole=_whole(config),
        margin=np.array([kind.arrival.on_time_margin_min for kind in plan.types], dtype=np.int64),
        weight=np.array([kind.weight for kind in plan.types], dtype=np.int64),
        expected=plan.expected_min.astype(np.int64),
        rooms=_room_table(plan, room_groups),
        staff=_staff_table(plan, staff_groups),
        closed=_padded([[minute for pair in group.closed for minute in pair] for group in room_groups], 0, 0).reshape(
            len(room_groups), -1, 2
        ),
        planned=_padded([group.breaks.planned for group in staff_groups], NEVER, 1),
        break_thresholds=_thresholds(staff_groups),
        room_group=_columns_by_number(plan.room_columns, plan.room_group),
        staff_group=_columns_by_number(plan.staff_columns, plan.staff_group),
        duty_from=plan.duty_from.astype(np.int64),
        roster=np.append(plan.roster_minutes, NEVER).astype(np.int64),
    )


def _whole(config: Lab) -> Whole:
    plan = config.plan
    ends = [group.shift[1] for group in plan.staff_groups if group.shift is not None and group.hands_over]
    return Whole(
        closing=plan.closing_min,
        end=plan.end_min,
        idle_rule=idle_rule_index(config),
        roster=int(plan.has_roster),
        cutoffs=int(any(_starts_until(group) < NEVER for group in plan.staff_groups)),
        nested=int(plan.nested),
        overtime=int(plan.overtime_from.min(initial=NEVER)),
        handover=min(ends, default=NEVER),
    )


def _room_table(plan: LabPlan, groups: Sequence[RoomGroup]) -> NDArray[np.int64]:
    first, past = _ranges(plan.room_columns, [group.count for group in plan.room_groups])
    table = np.zeros((len(groups), 4), dtype=np.int64)
    table[:, layout.CAN] = [group.can for group in groups]
    table[:, layout.FIRST], table[:, layout.PAST] = first, past
    table[:, layout.TURNOVER] = [group.turnover_min for group in groups]
    return table


def _staff_table(plan: LabPlan, groups: Sequence[StaffGroup]) -> NDArray[np.int64]:
    first, past = _ranges(plan.staff_columns, [group.members for group in plan.staff_groups])
    table = np.zeros((len(groups), 12), dtype=np.int64)
    table[:, layout.CAN] = [group.can for group in groups]
    table[:, layout.FIRST], table[:, layout.PAST] = first, past
    until = [group.shift[1] if group.shift else NEVER for group in groups]
    table[:, layout.SHIFT_UNTIL] = until
    table[:, layout.STARTS_UNTIL] = [_starts_until(group) for group in groups]
    table[:, layout.OVERTIME_FROM] = [plan.closing_min if end == NEVER else end for end in until]
    table[:, layout.BREAK_MIN] = [group.breaks.minutes for group in groups]
    table[:, layout.HANDS_OVER] = [group.hands_over for group in groups]
    for row, group in zip(table, groups, strict=True):
        if group.lunch is not None:
            row[layout.LUNCH_BEGIN], row[layout.LUNCH_LATEST] = group.lunch.begin_min, group.lunch.latest_min
            row[layout.LUNCH_MIN], row[layout.AT_ONCE] = group.lunch.minutes, group.lunch.at_once
    return table


def _starts_until(group: StaffGroup) -> int:
    return NEVER if group.shift is None or group.starts_past_shift else group.shift[1]


def _ranges(columns: Sequence[int], counts: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First number of each group, and the one past its last, by column."""
    past = np.cumsum(counts, dtype=np.int64)[list(columns)]
    return past - np.array(counts, dtype=np.int64)[list(columns)], past


def _columns_by_number(columns: Sequence[int], groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """The column of each room or member."""
    return np.argsort(columns)[groups].astype(np.int64)


def _padded(rows: Sequence[Sequence[int]], fill: int, more: int) -> NDArray[np.int64]:
    """Rows of different lengths as an array, with ``more`` numbers behind the longest."""
    table = np.full((len(rows), max(map(len, rows), default=0) + more), fill, dtype=np.int64)
    for place, row in enumerate(rows):
        table[place, : len(row)] = row
    return table


def _thresholds(groups: Sequence[StaffGroup]) -> NDArray[np.float64]:
    """(groups, most breaks + 1, 2) float64."""
    tables = [break_thresholds(group.breaks) for group in groups]
    padded = np.zeros((len(groups), max(map(len, tables), default=1), 2))
    for row, table in zip(padded, tables, strict=True):
        row[: len(table)] = table
    return padded
