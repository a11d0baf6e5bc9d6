"""What a minute costs (section 5.3): the one penalty function.

It counts units, not points: whole patient-minutes and pair-minutes. Points are units times the weights of
the config, so sums over a day do not depend on the order in which minutes are added.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from echo_env.lab.config import IDLE_RULES, LabConfig


class PenaltyParts(NamedTuple):
    """Penalty points by cause.

    :param on_time: on-time patients waiting
    :param late: late patients waiting
    :param overtime: patients of any class waiting at or after closing, on top of the above
    :param idle: idle resources
    """

    on_time: float
    late: float
    overtime: float
    idle: float

    @property
    def waiting(self) -> float:
        """Everything but idle: what patients feel."""
        return self.on_time + self.late + self.overtime

    @property
    def total(self) -> float:
        """The penalty."""
        return self.waiting + self.idle


def penalty_units(
    idle_rule: int, after_closing: bool, waiting: tuple[int, ...], free: tuple[int, ...]
) -> tuple[int, int, int, int]:
    """Units of one minute, after its decision.

    Idle units under ``every_pair`` are idle (room, sonographer) pairs of any kind; under
    ``while_waiting`` the on-time or late patients for whom a compatible idle room and sonographer exist,
    each looked at alone.

    :param idle_rule: index into :data:`~echo_env.lab.config.lab_config.IDLE_RULES`
    :param after_closing: whether the minute is the closing one or later
    :param waiting: patients waiting, by :class:`~echo_env.lab.simulation.patient.PatientClass`
    :param free: free rooms (non-fetal, fetal-capable), then free sonographers (the same)
    :return: on-time, late and overtime patient-minutes, and idle units
    """
    on_time = waiting[0] + waiting[3]
    late = waiting[1] + waiting[4]
    overtime = on_time + late + waiting[2] + waiting[5] if after_closing else 0
    idle = 0
    if idle_rule == 0:
        idle = min(free[0] + free[1], free[2] + free[3])
    elif idle_rule == 1:
        if free[1] > 0 and free[3] > 0:
            idle += waiting[0] + waiting[1]
        if free[0] + free[1] > 0 and free[2] + free[3] > 0:
            idle += waiting[3] + waiting[4]
    return on_time, late, overtime, idle


def idle_rule_index(config: LabConfig) -> int:
    """The config's idle rule as :func:`penalty_units` takes it."""
    return IDLE_RULES.index(config.penalty.idle_rule)


def penalty_points(config: LabConfig, units: Any) -> PenaltyParts:
    """Weigh units, of one minute or summed over many.

    :param config: holds the weights
    :param units: on-time, late and overtime patient-minutes, and idle units: four numbers, or four arrays of the
        same shape, which give parts that are arrays
    """
    weight = config.penalty
    return PenaltyParts(
        weight.on_time * units[0], weight.late * units[1], weight.overtime * units[2], weight.idle * units[3]
    )
