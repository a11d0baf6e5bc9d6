"""Figures of the lab. Every function takes data and axes to draw on (new ones by default), and returns the axes.

No figure belongs to pyplot: they work without a screen and in threads. Needs matplotlib and pandas.
"""

try:
    import matplotlib  # noqa: F401
    import pandas  # noqa: F401
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f"figures need {missing.name}, which is not installed: pip install 'echo-lab-rl[plots]'", name=missing.name
    ) from missing

from echo_env.lab.plots.by_minute import (
    free_rooms,
    free_sonographers,
    penalty_by_minute,
    penalty_since_opening,
    waiting_by_class,
    waiting_by_type,
)
from echo_env.lab.plots.gantt import DayChart, gantt
from echo_env.lab.plots.inputs import (
    appointment_schedule,
    arrival_offsets,
    arrivals_of_a_day,
    exam_durations,
    unscheduled_by_hour,
)
from echo_env.lab.plots.learning import learning_curve

__all__ = [
    "DayChart",
    "appointment_schedule",
    "arrival_offsets",
    "arrivals_of_a_day",
    "exam_durations",
    "free_rooms",
    "free_sonographers",
    "gantt",
    "learning_curve",
    "penalty_by_minute",
    "penalty_since_opening",
    "unscheduled_by_hour",
    "waiting_by_class",
    "waiting_by_type",
]
