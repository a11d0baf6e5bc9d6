"""Replay buffers that know action masks."""

from sb3_ext.replay.masked import MaskableReplayBuffer
from sb3_ext.replay.prioritized import PrioritizedReplayBuffer
from sb3_ext.replay.samples import MaskableReplayBufferSamples, ReplayBatch
from sb3_ext.replay.sum_tree import SumTree

__all__ = [
    "MaskableReplayBuffer",
    "MaskableReplayBufferSamples",
    "PrioritizedReplayBuffer",
    "ReplayBatch",
    "SumTree",
]
