"""The random draws of a day, made up front."""

from echo_env.lab.day.book import Book, appointment_book, most_exams
from echo_env.lab.day.day import (
    NO_SHOW,
    NOBODY,
    REBOOKED,
    TURNED_AWAY,
    Day,
    Days,
    check_day,
    checked_rate,
    stack_days,
    whole_minutes,
)
from echo_env.lab.day.draw import draw_days, sample_day, sample_days

__all__ = [
    "NOBODY",
    "NO_SHOW",
    "REBOOKED",
    "TURNED_AWAY",
    "Book",
    "Day",
    "Days",
    "appointment_book",
    "check_day",
    "checked_rate",
    "draw_days",
    "most_exams",
    "sample_day",
    "sample_days",
    "stack_days",
    "whole_minutes",
]
