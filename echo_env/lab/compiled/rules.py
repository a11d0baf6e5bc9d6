"""The plan of a lab as the numbers that the kernel reads."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from echo_env.lab.compiled import layout
from echo_env.lab.compiled.layout import COUNTS, HEADER, Rules
from echo_env.lab.config.lab import Lab
from echo_env.lab.config.plan import NEVER, LabPlan, RoomGroup, StaffGroup
from echo_env.lab.day import appointment_book
from echo_env.lab.simulation.breaks import break_thresholds
from echo_env.lab.simulation.duties import Status
from echo_env.lab.simulation.patient import CLASSES_PER_TYPE
from echo_env.lab.simulation.penalty import idle_rule_index

_KEPT: OrderedDict[tuple[int, int], Kept] = OrderedDict()
_MOST_KEPT = 64


class Kept(NamedTuple):
    """What is read of a plan once; nobody may write to it.

    :param plan: the plan
    :param rules: its rules
    :param blank: (cells,) int32, the cells of a lab before anybody comes: queues are empty, and members have their
        groups, breaks and lunches
    :param lead: (K,) int64, minutes by which the expected check-in is before the appointment
    :param early: (K,) int64, 1 if exams may begin before the appointment
    """

    plan: LabPlan
    rules: Rules
    blank: NDArray[np.int32]
    lead: NDArray[np.int64]
    early: NDArray[np.int64]


def kept_of(config: Lab) -> Kept:
    """What is read of a lab's plan once.

    :param config: the lab
    """
    # By identity, since comparing plans takes longer than a step of many labs; the plan is kept, so that no other
    # one can have its place.
    plan = config.plan
    key = (id(plan), idle_rule_index(config))
    if key not in _KEPT:
        rules = _read_rules(config)
        lead = np.array([kind.check_in_lead_min for kind in plan.types], dtype=np.int64)
        early = np.array([kind.may_begin_early for kind in plan.types], dtype=np.int64)
        _KEPT[key] = Kept(plan, rules, _blank_cells(plan, rules), lead, early)
        if len(_KEPT) > _MOST_KEPT:
            _KEPT.popitem(last=False)
    return _KEPT[key]


def rules_of(config: Lab, reservations: Sequence[int] = ()) -> Rules:
    """The numbers of a config that the kernel reads; nobody may write to them.

    :param config: the lab
    :param reservations: minutes of the reservations that are actions; the cells of labs do not depend on them
    """
    rules = kept_of(config).rules
    if not reservations:
        return rules
    numbers = np.append(rules.numbers, np.array(reservations, dtype=np.int64))
    numbers[[layout.RESERVATIONS, layout.OF_RESERVATIONS]] = len(reservations), len(rules.numbers)
    return rules._replace(numbers=numbers)


def _blank_cells(plan: LabPlan, rules: Rules) -> NDArray[np.int32]:
    """See :class:`Kept`."""
    lab = np.zeros((1, rules.numbers[layout.AT_ROWS]), dtype=np.int32)
    lab[:, rules.numbers[layout.AT_HEAD] : rules.numbers[layout.AT_LEFT]] = -1
    parts = layout.parts_of(lab, rules)
    groups = [plan.staff_groups[group] for group in plan.staff_group]
    latest = np.array([-1 if group.lunch is None else group.lunch.latest_min for group in groups])
    staff = parts.staff[0]
    staff[:, layout.GROUP] = np.argsort(plan.staff_columns)[plan.staff_group]
    staff[:, layout.DUTY_FROM] = plan.duty_from
    staff[:, layout.STATUS] = np.where(plan.duty_from > 0, Status.OFF_DUTY, Status.FREE)
    staff[:, layout.BREAKS_LEFT] = [group.breaks.number for group in groups]
    staff[:, layout.LUNCH_LEFT] = plan.duty_from <= latest
    parts.rooms[0, :, layout.ROOM_GROUP] = np.argsort(plan.room_columns)[plan.room_group]
    return lab[0]


def _read_rules(config: Lab) -> Rules:
    plan = config.plan
    header = np.zeros(HEADER, dtype=np.int64)
    _write_sizes(config, header)
    _write_cells(plan, header)
    room_groups = [plan.room_groups[group] for group in plan.room_columns]
    staff_groups = [plan.staff_groups[group] for group in plan.staff_columns]
    tables = {
        layout.OF_MARGIN: [kind.arrival.on_time_margin_min for kind in plan.types],
        layout.OF_WEIGHT: [kind.weight for kind in plan.types],
        layout.OF_EXPECTED: plan.expected_min.tolist(),
        layout.OF_ROOMS_CAN: [group.can for group in room_groups],
        layout.OF_ROSTER: [*plan.roster_minutes.tolist(), NEVER],
    }
    numbers = _Numbers(header)
    for place, table in tables.items():
        header[place] = numbers.add(table)
    rooms = _room_table(plan, room_groups)
    rooms[:, layout.CLOSED_AT] = [
        numbers.add([minute for pair in group.closed for minute in pair]) for group in room_groups
    ]
    staff = _staff_table(plan, staff_groups)
    staff[:, layout.PLANNED_AT] = [numbers.add([*group.breaks.planned, NEVER]) for group in staff_groups]
    header[layout.OF_ROOMS] = numbers.add(rooms.ravel().tolist())
    header[layout.OF_STAFF] = numbers.add(staff.ravel().tolist())
    return Rules(numbers.all(), _odds(staff_groups))


class _Numbers:
    """Numbers one behind the other.

    :param header: the first ones; what is written there later counts
    """

    def __init__(self, header: NDArray[np.int64]) -> None:
        self._header = header
        self._more: list[int] = []

    def add(self, numbers: Sequence[int]) -> int:
        """Add some; returns where they begin."""
        begin = len(self._header) + len(self._more)
        self._more += numbers
        return begin

    def all(self) -> NDArray[np.int64]:
        return np.append(self._header, np.array(self._more, dtype=np.int64))


def _write_sizes(config: Lab, header: NDArray[np.int64]) -> None:
    plan = config.plan
    header[[layout.KINDS, layout.ROOM_GROUPS, layout.STAFF_GROUPS]] = (
        *(len(plan.types), len(plan.room_groups)),
        len(plan.staff_groups),
    )
    header[[layout.PATIENTS, layout.MEMBERS, layout.ROOMS]] = (
        *(len(appointment_book(plan)), len(plan.staff_group)),
        len(plan.room_group),
    )
    ends = [group.shift[1] for group in plan.staff_groups if group.shift is not None and group.hands_over]
    header[layout.CLOSING], header[layout.END] = plan.closing_min, plan.end_min
    header[layout.IDLE_RULE] = idle_rule_index(config)
    header[layout.ROSTER], header[layout.NESTED] = plan.has_roster, plan.nested
    header[layout.CUTOFFS], header[layout.PUTS_OFF] = plan.limits_starts, plan.puts_off
    header[layout.OVERTIME] = plan.overtime_from.min(initial=NEVER)
    header[layout.HANDOVER] = min(ends, default=NEVER)


def _write_cells(plan: LabPlan, header: NDArray[np.int64]) -> None:
    """Where each part of a lab's cells begins."""
    kinds, groups = len(plan.types), plan.staff_groups
    patients, members, rooms = header[[layout.PATIENTS, layout.MEMBERS, layout.ROOMS]].tolist()
    classes = CLASSES_PER_TYPE * kinds
    chance = sum(group.members * (group.breaks.number + len(group.breaks.planned)) for group in groups)
    lunches = sum(group.members for group in groups if group.lunch is not None)
    handovers = sum(group.members for group in groups if group.hands_over)
    # Where capabilities cross starts left are counted by set of types, and patients wait for their room.
    sets, pending = (0, 0) if plan.nested else (1 << kinds, patients)
    sizes = [
        *(classes, len(plan.room_groups), len(groups), len(groups), 1, len(groups), len(groups), len(groups)),
        *(len(groups), kinds, kinds, classes, classes, sets, pending, rooms + members, members + rooms),
        *(layout.PATIENT_COLUMNS * patients, layout.STAFF_COLUMNS * members, layout.ROOM_COLUMNS * rooms),
        *(layout.EXAM_COLUMNS * patients, layout.BREAK_COLUMNS * chance, layout.BREAK_COLUMNS * lunches),
        layout.HANDOVER_COLUMNS * handovers,
    ]
    header[layout.AT_FREE_ROOMS : layout.AT_ROWS + 1] = COUNTS + np.cumsum(sizes)


def _room_table(plan: LabPlan, groups: Sequence[RoomGroup]) -> NDArray[np.int64]:
    table = np.zeros((len(groups), layout.ROOM_GROUP_COLUMNS), dtype=np.int64)
    table[:, layout.CAN] = [group.can for group in groups]
    counts = [group.count for group in plan.room_groups]
    table[:, layout.FIRST], table[:, layout.PAST] = _ranges(plan.room_columns, counts)
    table[:, layout.TURNOVER] = [group.turnover_min for group in groups]
    table[:, layout.CLOSED_PAIRS] = [len(group.closed) for group in groups]
    return table


def _staff_table(plan: LabPlan, groups: Sequence[StaffGroup]) -> NDArray[np.int64]:
    table = np.zeros((len(groups), layout.STAFF_GROUP_COLUMNS), dtype=np.int64)
    table[:, layout.CAN] = [group.can for group in groups]
    counts = [group.members for group in plan.staff_groups]
    table[:, layout.FIRST], table[:, layout.PAST] = _ranges(plan.staff_columns, counts)
    until = [group.shift[1] if group.shift else NEVER for group in groups]
    table[:, layout.SHIFT_UNTIL] = until
    table[:, layout.STARTS_UNTIL] = [
        NEVER if group.starts_past_shift else end for group, end in zip(groups, until, strict=True)
    ]
    table[:, layout.OVERTIME_FROM] = [plan.closing_min if end == NEVER else end for end in until]
    table[:, layout.BREAK_MIN] = [group.breaks.minutes for group in groups]
    table[:, layout.PUT_OFF_MIN] = [group.breaks.put_off_min for group in groups]
    table[:, layout.HANDS_OVER] = [group.hands_over for group in groups]
    for row, group in zip(table, groups, strict=True):
        if group.lunch is not None:
            row[layout.LUNCH_BEGIN], row[layout.LUNCH_LATEST] = group.lunch.begin_min, group.lunch.latest_min
            row[layout.LUNCH_MIN], row[layout.AT_ONCE] = group.lunch.minutes, group.lunch.at_once
            row[layout.LUNCH_PUT_OFF] = group.lunch.put_off
    return table


def _ranges(columns: Sequence[int], counts: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First number of each group, and the one past its last, by column."""
    past = np.cumsum(counts, dtype=np.int64)[list(columns)]
    return past - np.array(counts, dtype=np.int64)[list(columns)], past


def _odds(groups: Sequence[StaffGroup]) -> NDArray[np.float64]:
    """(groups, most breaks + 1, 2) float64."""
    tables = [break_thresholds(group.breaks) for group in groups]
    padded = np.zeros((len(groups), max(map(len, tables), default=1), 2))
    for row, table in zip(padded, tables, strict=True):
        row[: len(table)] = table
    return padded
