"""Training callbacks, each one small class, usable from Python and from a zoo config's ``callback:`` list."""

from sb3_ext.callbacks.action_masks import ActionMaskStatistics
from sb3_ext.callbacks.behaviour_cloning import BehaviourCloning
from sb3_ext.callbacks.charts import EvaluationCharts
from sb3_ext.callbacks.checkpoints import ResumableCheckpoint, Resume
from sb3_ext.callbacks.curriculum import AbsenceRateCurriculum, ParameterCurriculum
from sb3_ext.callbacks.divergence import DivergenceCheck
from sb3_ext.callbacks.exploration import EpsilonReset
from sb3_ext.callbacks.learning_rate import LearningRateOnPlateau
from sb3_ext.callbacks.metrics import EpisodeMetrics

__all__ = [
    "AbsenceRateCurriculum",
    "ActionMaskStatistics",
    "BehaviourCloning",
    "DivergenceCheck",
    "EpisodeMetrics",
    "EpsilonReset",
    "EvaluationCharts",
    "LearningRateOnPlateau",
    "ParameterCurriculum",
    "ResumableCheckpoint",
    "Resume",
]
