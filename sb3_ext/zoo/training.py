"""What a project's own train command builds on, in one module for plug-ins that are found by name (needs rl_zoo3)."""

from sb3_ext.zoo.algorithms import MASKABLE
from sb3_ext.zoo.cli import ZooDefaults, train
from sb3_ext.zoo.errors import UsageError
from sb3_ext.zoo.evaluation import EVALUATION_SEED, Reference, differences
from sb3_ext.zoo.play import COMMANDS, play

__all__ = [
    "COMMANDS",
    "EVALUATION_SEED",
    "MASKABLE",
    "Reference",
    "UsageError",
    "ZooDefaults",
    "differences",
    "play",
    "train",
]
