"""The same day, compiled: how time passes in one lab, functions only, no randomness.

Every function here is the counterpart of one in :mod:`~echo_env.lab.simulation.simulator` or
:mod:`~echo_env.lab.simulation.whiteboard`, and gives the same numbers to the bit. Rules that are plain arithmetic (the
penalty, the class of a patient, where members of staff go) are not written again but compiled from there.

:mod:`~echo_env.lab.compiled.layout` says what the arrays hold. The functions take the rows of one lab, ``one``;
:mod:`~echo_env.lab.compiled.batch` runs them over all.
"""

from __future__ import annotations

from echo_env.common.jit import njit
from echo_env.lab.compiled.duty import keep_roster, process_ends, refresh_able
from echo_env.lab.compiled.layout import (
    COMERS,
    COUNTS,
    ENDS,
    EXAMS,
    MINUTE,
    NEXT_ROSTER,
    OVERTIME_FROM,
    PENDING,
    ROWS,
    SHIFT,
    TURNED,
    UNITS,
)
from echo_env.lab.compiled.queue import next_in_queue, welcome
from echo_env.lab.compiled.starts import fill_left, name_pending, open_types, startable, waiting_types
from echo_env.lab.simulation.penalty import penalty_units

# The rules of the hospital, compiled. Loops instead of array expressions compile much faster.
_penalty_units = njit(penalty_units)

TURNED_AWAY, LEFT_WAITING, STAFF_OVERTIME = range(UNITS + 4, UNITS + 7)


@njit
def can_start(one, rules):
    """Counterpart of ``Whiteboard.can_start``."""
    return open_types(one, rules) != 0


@njit
def catch_up(one, rules):
    """Process every event due now: ends, the roster, who is ready, early to on time."""
    lunch_over = process_ends(one, rules)
    if rules.whole.roster:
        keep_roster(lunch_over, one, rules)
        if rules.whole.cutoffs:
            refresh_able(one.lab, rules)
    welcome(one.lab, one.patients, rules)
    if not rules.whole.nested:
        fill_left(one.lab, one.left, rules)


@njit
def advance(at_most, one, rules):
    """Counterpart of ``Simulator.advance``."""
    lab = one.lab
    if lab[MINUTE] >= rules.whole.end:
        # The day is over, and has been paid for.
        return
    if lab[PENDING]:
        name_pending(one, rules)
    types = startable(lab, rules)
    lab[rules.at.startable] = types
    minute = lab[MINUTE] + 1
    if not types & waiting_types(lab, rules):
        minute = min(_next_happening(one, rules), rules.whole.end)
    minute = min(minute, at_most)
    _charge(minute, types, one, rules)
    lab[MINUTE] = minute
    if minute < rules.whole.end:
        catch_up(one, rules)
    else:
        lab[TURNED_AWAY] += lab[TURNED]
        lab[LEFT_WAITING] += lab[COMERS] - lab[EXAMS]
        # For the last observation.
        if rules.whole.cutoffs:
            refresh_able(lab, rules)
        if not rules.whole.nested:
            fill_left(lab, one.left, rules)


@njit
def _next_happening(one, rules):
    """The next minute in which something ends, the roster changes, or somebody joins the queue or becomes on time."""
    lab = one.lab
    soonest = next_in_queue(lab, one.patients, rules)
    if lab[ENDS]:
        soonest = min(soonest, one.ends[0] >> SHIFT)
    if rules.whole.roster:
        soonest = min(soonest, rules.roster[lab[NEXT_ROSTER]])
    return soonest


@njit
def _charge(until, types, one, rules):
    """Counterpart of ``Simulator._charge``.

    :param until: the minutes from now up to this one, in which nothing changes
    :param types: bit set of the types for which an idle room and an idle member of staff exist
    """
    lab, at = one.lab, rules.at
    begin = lab[MINUTE]
    if len(one.rows):
        _keep_row(lab, one.rows, rules)
    rooms, staff = 0, 0
    for g in range(at.rooms):
        rooms += lab[at.free_rooms + g]
    for g in range(at.staff):
        staff += lab[at.free_staff + g]
    closing = min(max(rules.whole.closing, begin), until)
    waiting = lab[COUNTS : at.free_rooms]
    for after_closing in range(2):
        minutes = until - closing if after_closing else closing - begin
        if minutes:
            units = _penalty_units(
                rules.whole.idle_rule, after_closing == 1, waiting, rules.weight, min(rooms, staff), types
            )
            for k in range(4):
                lab[UNITS + k] += minutes * units[k]
    if until > rules.whole.overtime:
        for g in range(at.staff):
            minutes = until - max(begin, rules.staff[g, OVERTIME_FROM])
            if minutes > 0:
                lab[STAFF_OVERTIME] += minutes * lab[at.running + g]


@njit
def _keep_row(lab, rows, rules):
    """Note the counts, unless they are those of the last row."""
    kept, width = lab[ROWS], rows.shape[1] - 1
    same = kept > 0
    for k in range(width):
        same = same and rows[kept - 1, 1 + k] == lab[COUNTS + k]
    if not same:
        rows[kept, 0] = lab[MINUTE]
        for k in range(width):
            rows[kept, 1 + k] = lab[COUNTS + k]
        lab[ROWS] += 1
