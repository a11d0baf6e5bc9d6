"""What a minute costs (section 5.3): the one penalty function.

It counts units, not points: whole patient-minutes and pair-minutes. Points are units times the weights of
the config, so sums over a day do not depend on the order in which minutes are added.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from echo_env.lab.config import IDLE_RULES
from echo_env.lab.config.lab import Lab

UNITS = 7
"""How many kinds of unit there are: see :func:`penalty_units` and :func:`penalty_points`."""


class PenaltyParts(NamedTuple):
    """Penalty points by cause.

    :param on_time: on-time patients waiting
    :param late: late patients waiting
    :param overtime: patients of any class waiting at or after closing, on top of the above
    :param idle: idle resources
    :param turned_away: patients who came after closing
    :param left_waiting: patients who came and were not examined
    :param staff_overtime: work on exams after the end of the shift
    """

    on_time: float
    late: float
    overtime: float
    idle: float
    turned_away: float
    left_waiting: float
    staff_overtime: float

    @property
    def waiting(self) -> float:
        """What patients who wait feel: on-time, late and overtime."""
        return self.on_time + self.late + self.overtime

    @property
    def total(self) -> float:
        """The penalty."""
        return self.waiting + self.idle + self.turned_away + self.left_waiting + self.staff_overtime


def penalty_units(
    idle_rule: int, after_closing: bool, waiting: Any, weights: Any, pairs: int, startable: int
) -> tuple[int, int, int, int]:
    """Units of one minute, after its decision.

    Idle units under ``every_pair`` are idle (room, member of staff) pairs of any kind; under ``while_waiting`` the
    on-time or late patients for whom an idle room and an idle member exist who can do the exam, each looked at alone.

    :param idle_rule: index into :data:`~echo_env.lab.config.lab_config.IDLE_RULES`
    :param after_closing: whether the minute is the closing one or later
    :param waiting: (3 K,) patients waiting, by class: three to a type, on time, late, early
    :param weights: (K,) whole-number weights of the types' waiting points
    :param pairs: the lesser of idle rooms and idle members of staff
    :param startable: bit set of the types for which an idle room and an idle member exist
    :return: on-time, late and overtime patient-minutes, times the weights, and idle units
    """
    on_time, late, overtime, idle = 0, 0, 0, 0
    for k in range(len(weights)):
        on_time += weights[k] * waiting[3 * k]
        late += weights[k] * waiting[3 * k + 1]
        if after_closing:
            overtime += weights[k] * (waiting[3 * k] + waiting[3 * k + 1] + waiting[3 * k + 2])
        if idle_rule == 1 and startable >> k & 1:
            idle += waiting[3 * k] + waiting[3 * k + 1]
    if idle_rule == 0:
        idle = pairs
    return on_time, late, overtime, idle


def idle_rule_index(config: Lab) -> int:
    """The config's idle rule as :func:`penalty_units` takes it."""
    return IDLE_RULES.index(config.penalty.idle_rule)


def penalty_weights(config: Lab) -> tuple[float, ...]:
    """Points of a unit of each kind, in the order of :func:`penalty_points`."""
    weight = config.penalty
    return (
        *(weight.on_time, weight.late, weight.overtime, weight.idle),
        *(weight.turned_away, weight.left_waiting, weight.staff_overtime),
    )


def penalty_points(config: Lab, units: Any) -> PenaltyParts:
    """Weigh units, of one minute or summed over many.

    :param config: holds the weights
    :param units: on-time, late and overtime patient-minutes, idle units, patients turned away, patients left waiting,
        and minutes of staff overtime: seven numbers, or seven arrays of the same shape, which give parts that are
        arrays
    """
    weights = penalty_weights(config)
    if isinstance(units, np.ndarray):
        return PenaltyParts(*(units.T * np.array(weights, dtype=np.float64)).T)
    return PenaltyParts(*(points * number for points, number in zip(weights, units, strict=True)))
