"""What a lab is, as a file."""

from echo_env.common.config_model import ConfigError
from echo_env.lab.config.chance import ARRIVAL_MODELS, Arrival, Exam, ExamLaw
from echo_env.lab.config.file import preset_names
from echo_env.lab.config.lab_config import (
    IDLE_RULES,
    Appointments,
    Breaks,
    Hours,
    LabConfig,
    Penalty,
    Rooms,
    Sonographers,
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
