"""
The training half: rl_zoo3 with action masks, errors for people, and agents loaded by algorithm name.

- :func:`~sb3_ext.zoo.registration.register` teaches rl_zoo3 the algorithms ``maskable_dqn`` and ``maskable_ppo``
  and masked evaluation;
- :func:`~sb3_ext.zoo.cli.train` is rl_zoo3's command line for training, on top of it;
- :func:`~sb3_ext.zoo.play.play` is rl_zoo3's ``enjoy`` and ``record_video`` with masks;
- :func:`~sb3_ext.zoo.agents.load_agent` loads a trained agent, and works without rl_zoo3; what
  :func:`~sb3_ext.zoo.agents.load_predictor` loads also normalises observations as its training did;
- :func:`~sb3_ext.zoo.tensorboard.write_runs` writes results for TensorBoard.

Nothing here knows an environment: whoever calls names the packages to import and the folder of configs.
"""

from sb3_ext.zoo.agents import load_agent, load_predictor
from sb3_ext.zoo.algorithms import ALGORITHMS, MASKABLE, takes_masks
from sb3_ext.zoo.errors import UsageError
from sb3_ext.zoo.registration import register

__all__ = ["ALGORITHMS", "MASKABLE", "UsageError", "load_agent", "load_predictor", "register", "takes_masks"]
