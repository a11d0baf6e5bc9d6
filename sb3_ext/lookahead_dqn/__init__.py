"""Deep Q-learning from simulated continuations."""

from sb3_ext.lookahead_dqn.lookahead_buffer import LookaheadBuffer
from sb3_ext.lookahead_dqn.lookahead_dqn import LookaheadDQN

__all__ = ["LookaheadBuffer", "LookaheadDQN"]
