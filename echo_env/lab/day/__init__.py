"""The random draws of a day, made up front."""

from echo_env.lab.day.day import (
    NO_SHOW,
    TURNED_AWAY,
    Day,
    Days,
    check_day,
    day_rng,
    draw_days,
    sample_day,
    sample_days,
    whole_minutes,
)

__all__ = [
    "NO_SHOW",
    "TURNED_AWAY",
    "Day",
    "Days",
    "check_day",
    "day_rng",
    "draw_days",
    "sample_day",
    "sample_days",
    "whole_minutes",
]
