"""Evaluation during training that masks where the model can, always on the same episodes."""

from typing import Any

from sb3_contrib.common.maskable.callbacks import MaskableEvalCallback

from sb3_ext.zoo.algorithms import takes_masks

# Far from the small seeds that people train with: a VecEnv gives environment i the seed plus i.
EVALUATION_SEED = 1_000_003


class ZooEvalCallback(MaskableEvalCallback):
    """
    SB3's ``EvalCallback`` for any algorithm: passes action masks to the models that take them, and to no other.

    Every evaluation starts from the same seed, so that each sees the same episodes. Episodes of a noisy
    environment differ far more from each other than policies do, and on new episodes each time the best model
    would be the one with the luckiest ones.

    :param args: Arguments of ``EvalCallback``
    :param evaluation_seed: Seed of the evaluation environments at the start of each evaluation, or ``None`` to
        go on from the last one
    :param kwargs: Keyword arguments of ``EvalCallback``
    """

    def __init__(self, *args: Any, evaluation_seed: int | None = EVALUATION_SEED, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.evaluation_seed = evaluation_seed

    def _init_callback(self) -> None:
        super()._init_callback()
        self.use_masking = takes_masks(self.model)

    def _on_step(self) -> bool:
        due = self.eval_freq > 0 and self.n_calls % self.eval_freq == 0
        if due and self.evaluation_seed is not None:
            self.eval_env.seed(self.evaluation_seed)
        return super()._on_step()
