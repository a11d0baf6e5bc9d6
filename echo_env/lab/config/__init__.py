"""What a lab is, as a file."""

from echo_env.common.config_model import ConfigError
from echo_env.lab.config.chance import ARRIVAL_MODELS, Arrival, Exam, ExamLaw
from echo_env.lab.config.clock import Stretch
from echo_env.lab.config.exam_types import ExamType, OwnArrival, OwnLaw, Preparation
from echo_env.lab.config.file import preset_names
from echo_env.lab.config.general import GeneralLabConfig, GeneralPenalty
from echo_env.lab.config.groups import GroupOfRooms, GroupOfStaff, Lunch, OnCall, Shift, StaffBreaks
from echo_env.lab.config.lab import Lab, as_general
from echo_env.lab.config.lab_config import IDLE_RULES, Hours, LabConfig, Penalty
from echo_env.lab.config.loading import load_lab
from echo_env.lab.config.plan import LabPlan
from echo_env.lab.config.short_form import KINDS, Appointments, Breaks, ExamKind, Rooms, Sonographers

__all__ = [
    "ARRIVAL_MODELS",
    "IDLE_RULES",
    "KINDS",
    "Appointments",
    "Arrival",
    "Breaks",
    "ConfigError",
    "Exam",
    "ExamKind",
    "ExamLaw",
    "ExamType",
    "GeneralLabConfig",
    "GeneralPenalty",
    "GroupOfRooms",
    "GroupOfStaff",
    "Hours",
    "Lab",
    "LabConfig",
    "LabPlan",
    "Lunch",
    "OnCall",
    "OwnArrival",
    "OwnLaw",
    "Penalty",
    "Preparation",
    "Rooms",
    "Shift",
    "Sonographers",
    "StaffBreaks",
    "Stretch",
    "as_general",
    "load_lab",
    "preset_names",
]
