"""Replay buffers that know action masks."""

from sb3_ext.replay.masked import MaskableReplayBuffer
from sb3_ext.replay.prioritized import LOSS_ADJUSTED, PrioritizedReplayBuffer
from sb3_ext.replay.samples import MaskableReplayBufferSamples, ReplayBatch
from sb3_ext.replay.sum_tree import SumTree

__all__ = [
    "LOSS_ADJUSTED",
    "MaskableReplayBuffer",
    "MaskableReplayBufferSamples",
    "PrioritizedReplayBuffer",
    "ReplayBatch",
    "SumTree",
]
