"""
rl_zoo3 with action masks, readable errors, and agents loaded by algorithm name.

- :func:`~sb3_ext.zoo.registration.register` registers the maskable algorithms and masked evaluation with
  rl_zoo3;
- :func:`~sb3_ext.zoo.cli.train` is rl_zoo3's command line for training, on top of it;
- :func:`~sb3_ext.zoo.play.play` is rl_zoo3's ``enjoy`` and ``record_video`` with masks;
- :func:`~sb3_ext.zoo.agents.load_agent` loads a trained agent, and works without rl_zoo3; agents of
  :func:`~sb3_ext.zoo.agents.load_predictor` also normalize observations as in training;
- :func:`~sb3_ext.zoo.tensorboard.write_runs` writes results for TensorBoard.

Nothing here knows an environment: the caller names the packages to import and the folder of configs.
"""

from sb3_ext.zoo.agents import load_agent, load_predictor
from sb3_ext.zoo.algorithms import ALGORITHMS, MASKABLE, takes_masks
from sb3_ext.zoo.errors import UsageError
from sb3_ext.zoo.registration import register

__all__ = ["ALGORITHMS", "MASKABLE", "UsageError", "load_agent", "load_predictor", "register", "takes_masks"]
