"""What a lab is, as a file."""

from echo_env.lab.config.lab_config import (
    ARRIVAL_MODELS,
    IDLE_RULES,
    Appointments,
    Arrival,
    Breaks,
    ConfigError,
    Exam,
    ExamLaw,
    Hours,
    LabConfig,
    Penalty,
    Rooms,
    Sonographers,
    preset_names,
)

__all__ = [
    "ARRIVAL_MODELS",
    "IDLE_RULES",
    "Appointments",
    "Arrival",
    "Breaks",
    "ConfigError",
    "Exam",
    "ExamLaw",
    "Hours",
    "LabConfig",
    "Penalty",
    "Rooms",
    "Sonographers",
    "preset_names",
]
