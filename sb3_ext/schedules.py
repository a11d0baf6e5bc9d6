"""The old place of the exploration schedules, which saved models name."""

from sb3_ext.common.schedules import (
    ExplorationClock,
    ExplorationSchedule,
    LinearExploration,
    MultiplicativeExploration,
    exploration_schedule,
)

__all__ = [
    "ExplorationClock",
    "ExplorationSchedule",
    "LinearExploration",
    "MultiplicativeExploration",
    "exploration_schedule",
]
