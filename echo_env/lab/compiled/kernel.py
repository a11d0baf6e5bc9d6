"""The same day, compiled: how time passes in one lab, functions only, no randomness.

Every function here is the counterpart of one in :mod:`~echo_env.lab.simulation.simulator` or
:mod:`~echo_env.lab.simulation.whiteboard`, and gives the same numbers to the bit. Rules that are plain arithmetic (the
penalty, the class of a patient, where members of staff go) are not written again but compiled from there.

:mod:`~echo_env.lab.compiled.layout` says what the arrays hold. The functions take the cells of one lab, ``cell``, and
the numbers of its rules, ``rule``; :mod:`~echo_env.lab.compiled.batch` runs them over all.
"""

from __future__ import annotations

import numpy as np

from echo_env.common.jit import njit
from echo_env.lab.compiled.keeping import end_reservations, next_to_end
from echo_env.lab.compiled.layout import (
    AT_ENDS,
    AT_FREE_ROOMS,
    AT_FREE_STAFF,
    AT_ROWS,
    AT_RUNNING,
    AT_STARTABLE,
    CLOSING,
    COMERS,
    COUNTS,
    CUTOFFS,
    END,
    ENDS,
    EXAMS,
    IDLE_RULE,
    KEPT,
    KINDS,
    MINUTE,
    NESTED,
    NEXT_ROSTER,
    OF_ROSTER,
    OF_STAFF,
    OF_WEIGHT,
    OVERTIME,
    OVERTIME_FROM,
    PENDING,
    PUTS_OFF,
    ROOM_GROUPS,
    ROSTER,
    ROWS,
    SHIFT,
    STAFF_GROUP_COLUMNS,
    STAFF_GROUPS,
    TURNED,
    UNITS,
)
from echo_env.lab.compiled.queue import next_in_queue, waiting_types, welcome
from echo_env.lab.compiled.staff.duty import is_putting_off, process_ends, refresh_able
from echo_env.lab.compiled.staff.roster import keep_roster
from echo_env.lab.compiled.starts import fill_left, name_pending, open_types, startable
from echo_env.lab.simulation.penalty import penalty_units

# The rules of the hospital, compiled. Loops instead of array expressions compile much faster.
_penalty_units = njit(penalty_units)

TURNED_AWAY, LEFT_WAITING, STAFF_OVERTIME = range(UNITS + 4, UNITS + 7)


@njit
def can_start(cell, rule):
    """Counterpart of ``Whiteboard.can_start``."""
    return open_types(cell, rule) != 0


@njit
def catch_up(cell, rule, draw, odds):
    """Process every event due now: who is ready, early to on time, ends, the roster; then the ends of reservations."""
    welcome(cell, rule)
    lunch_over = process_ends(cell, rule, draw, odds)
    if rule[ROSTER]:
        keep_roster(lunch_over, cell, rule)
        if rule[CUTOFFS]:
            refresh_able(cell, rule)
    if not rule[NESTED]:
        fill_left(cell, rule)
    if cell[KEPT]:
        end_reservations(cell, rule)


@njit
def advance(at_most, cell, rule, draw, odds):
    """Counterpart of ``Simulator.advance``."""
    if cell[MINUTE] >= rule[END]:
        # The day is over, and has been paid for.
        return
    if cell[PENDING]:
        name_pending(cell, rule)
    types = startable(cell, rule)
    cell[rule[AT_STARTABLE]] = types
    minute = cell[MINUTE] + 1
    if not types & waiting_types(cell, rule):
        minute = min(_next_happening(cell, rule), rule[END])
    minute = min(minute, at_most)
    _charge(minute, types, cell, rule)
    cell[MINUTE] = minute
    if minute < rule[END]:
        catch_up(cell, rule, draw, odds)
    else:
        _close(cell, rule)


@njit
def _close(cell, rule):
    """Counterpart of ``Simulator._close``."""
    cell[TURNED_AWAY] += cell[TURNED]
    cell[LEFT_WAITING] += cell[COMERS] - cell[EXAMS]
    # For the last observation.
    if rule[CUTOFFS]:
        refresh_able(cell, rule)
    if not rule[NESTED]:
        fill_left(cell, rule)


@njit
def _next_happening(cell, rule):
    """The next minute in which something ends, the roster changes, or somebody joins the queue or becomes on time; the
    next one of all while somebody who is free puts off a lunch or a break. Reservations may end there as well."""
    if rule[PUTS_OFF] and is_putting_off(cell, rule):
        return np.int64(cell[MINUTE] + 1)
    soonest = next_in_queue(cell, rule)
    if cell[ENDS]:
        soonest = min(soonest, cell[rule[AT_ENDS]] >> SHIFT)
    if cell[KEPT]:
        soonest = min(soonest, next_to_end(cell, rule))
    if rule[ROSTER]:
        soonest = min(soonest, rule[rule[OF_ROSTER] + cell[NEXT_ROSTER]])
    return soonest


@njit
def _charge(until, types, cell, rule):
    """Counterpart of ``Simulator._charge``.

    :param until: the minutes from now up to this one, in which nothing changes
    :param types: bit set of the types for which an idle room and an idle member of staff exist
    """
    begin = cell[MINUTE]
    if rule[AT_ROWS] < len(cell):
        _keep_row(cell, rule)
    rooms, staff = 0, 0
    for g in range(rule[ROOM_GROUPS]):
        rooms += cell[rule[AT_FREE_ROOMS] + g]
    for g in range(rule[STAFF_GROUPS]):
        staff += cell[rule[AT_FREE_STAFF] + g]
    closing = min(max(rule[CLOSING], begin), until)
    waiting = cell[COUNTS : rule[AT_FREE_ROOMS]]
    weight = rule[rule[OF_WEIGHT] : rule[OF_WEIGHT] + rule[KINDS]]
    for after_closing in range(2):
        minutes = until - closing if after_closing else closing - begin
        if minutes:
            units = _penalty_units(rule[IDLE_RULE], after_closing == 1, waiting, weight, min(rooms, staff), types)
            for k in range(4):
                cell[UNITS + k] += minutes * units[k]
    if until > rule[OVERTIME]:
        for g in range(rule[STAFF_GROUPS]):
            since = rule[rule[OF_STAFF] + STAFF_GROUP_COLUMNS * g + OVERTIME_FROM]
            minutes = until - max(begin, since)
            if minutes > 0:
                cell[STAFF_OVERTIME] += minutes * cell[rule[AT_RUNNING] + g]


@njit
def _keep_row(cell, rule):
    """Note the counts, unless they are those of the last row."""
    counts = rule[AT_STARTABLE] + 1 - COUNTS
    row = rule[AT_ROWS] + (counts + 1) * cell[ROWS]
    same = cell[ROWS] > 0
    for k in range(counts):
        same = same and cell[row - counts + k] == cell[COUNTS + k]
    if not same:
        cell[row] = cell[MINUTE]
        for k in range(counts):
            cell[row + 1 + k] = cell[COUNTS + k]
        cell[ROWS] += 1
